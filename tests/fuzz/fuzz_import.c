/* Bytes -> model -> bytes: what is imported is exported as it came; with
 * external data, through files, and after edits, it can be read again.
 * SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "base/status.h"
#include "onnx/onnx.h"

enum { PATH_BYTES = 512 };

static int parse(struct graft_model **out, const uint8_t *data, size_t size,
                 const char *folder)
{
    struct graft_runtime *rt = fuzz_runtime();
    struct fuzz_span s = fuzz_begin();
    int status = graft_onnx_parse(out, rt, data, size, "fuzz", folder);
    fuzz_end(&s, 8 * (uint64_t)size + (UINT64_C(64) << 20), status != 0);
    fuzz_status(status);
    fuzz_check((status == 0) == (*out != NULL), "a failure makes no model");
    return status;
}

/* Weights inside: another file, which reads on its own. */
static void embed(const uint8_t *data, size_t size)
{
    struct graft_model *m = NULL, *again = NULL;
    uint8_t *out = NULL;
    uint64_t n = 0;
    if (parse(&m, data, size, fuzz_folder()))
        return;
    int status = graft_onnx_encode(&out, &n, m);
    graft_graph_free(m);
    fuzz_status(status);
    if (status)
        return;
    fuzz_check(parse(&again, out, (size_t)n, NULL) == 0,
               "a model with its weights inside is read again");
    graft_graph_free(again);
    graft_free(out);
}

/* Through the file system, now and then. */
static void save(const struct graft_model *m, bool external)
{
    char path[PATH_BYTES];
    struct graft_model *again = NULL;
    struct graft_onnx_save o = {.replace = true, .external = external};
    snprintf(path, sizeof path, "%s/out.onnx", fuzz_folder());
    int status = graft_onnx_save(m, path, &o);
    fuzz_status(status);
    if (status)
        return;
    fuzz_check(graft_onnx_open(&again, fuzz_runtime(), path) == 0,
               "what was saved is opened");
    graft_graph_free(again);
}

static void round_trip(const uint8_t *data, size_t size)
{
    struct graft_model *m = NULL;
    uint8_t *out = NULL;
    uint64_t n = 0;
    if (parse(&m, data, size, NULL))
        return;
    fuzz_check(graft_onnx_encode(&out, &n, m) == 0, "a model is encoded");
    fuzz_check(n == size && !memcmp(out, data, size),
               "what is imported is exported byte for byte");
    graft_free(out);
    uint64_t h = graft_hash(data, size).lo;
    if (fuzz_folder() && h % 64 == 0)
        save(m, h % 128 == 0);
    if (h % 4 == 1)
        fuzz_edit(m, h);
    graft_graph_free(m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_runtime();
    struct fuzz_span s = fuzz_begin();
    round_trip(data, size);
    if (fuzz_folder() && memmem(data, size, "location", 8))
        embed(data, size);
    fuzz_end(&s, UINT64_MAX, true);
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max,
                               unsigned seed)
{
    size_t n = seed % 5 ? fuzz_mutate_onnx(data, size, max, seed) : 0;
    return n ? n : LLVMFuzzerMutate(data, size, max);
}

size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t n_a,
                                 const uint8_t *b, size_t n_b, uint8_t *out,
                                 size_t max, unsigned seed)
{
    return fuzz_cross_onnx(a, n_a, b, n_b, out, max, seed);
}
