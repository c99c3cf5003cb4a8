/* Arrays in NumPy's format: what is read is as large as it says, and comes
 * out again as it went in.
 * SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "graft/model.h"

static int64_t count(const struct graft_array *a)
{
    int64_t n = 1;
    for (int i = 0; i < a->rank; i++)
        n *= a->dim[i];
    return n;
}

static void again(const struct graft_array *a)
{
    struct graft_array b = {0};
    char path[512];
    snprintf(path, sizeof path, "%s/a.npy", fuzz_folder());
    fuzz_check(graft_npy_write(a, path, true) == 0, "an array is written");
    fuzz_check(graft_npy_read(&b, fuzz_runtime(), path) == 0 &&
               b.rank == a->rank &&
               !memcmp(b.dim, a->dim, sizeof *a->dim * (size_t)a->rank) &&
               !memcmp(b.data, a->data, 4 * (size_t)count(a)),
               "an array is read as it was written");
    graft_npy_release(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct graft_array a = {0};
    struct graft_runtime *rt = fuzz_runtime();
    struct fuzz_span s = fuzz_begin();
    int status = graft_npy_read(&a, rt, fuzz_file(data, size));
    fuzz_status(status);
    if (!status) {
        fuzz_check(a.rank >= 0 && a.rank <= 8 &&
                   4 * (uint64_t)count(&a) <= size,
                   "an array is within its file");
        if (fuzz_folder() && graft_hash(data, size).lo % 64 == 0)
            again(&a);
    }
    graft_npy_release(&a);
    fuzz_end(&s, 8 * (uint64_t)size + (1u << 20), true);
    return 0;
}
