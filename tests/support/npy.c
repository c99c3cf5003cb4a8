/* Reading .npy (npy.h). The header is a Python dictionary in ASCII:
 *   \x93NUMPY major minor length {'descr': '<f4', 'fortran_order': False,
 *   'shape': (1, 3, 224, 224), }
 * SPDX-License-Identifier: Apache-2.0 */
#include "support/npy.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/file.h"
#include "test.h"

static void read_shape(struct graft_shape *s, const char *text)
{
    *s = (struct graft_shape){0};
    while (*text && *text != ')') {
        char *end;
        long long n = strtoll(text, &end, 10);
        if (end == text) {
            text++;
            continue;
        }
        assert_in_range(s->rank, 0, GRAFT_MAX_RANK - 1);
        s->dim[s->rank++] = n;
        text = end;
    }
}

struct npy npy_read(const char *path)
{
    struct npy a = {0};
    uint8_t *bytes;
    uint64_t size;
    assert_ok(graft_file_read(&bytes, &size, path, (uint64_t)1 << 30));
    assert_true(size > 16 && memcmp(bytes, "\x93NUMPY", 6) == 0);
    bool wide = bytes[6] >= 2;
    size_t from = wide ? 12 : 10;
    size_t length = (size_t)bytes[8] | (size_t)bytes[9] << 8;
    if (wide)
        length |= (size_t)bytes[10] << 16 | (size_t)bytes[11] << 24;
    assert_true(from + length <= size);
    char *header = graft_strndup((const char *)bytes + from, length);
    assert_non_null(header);
    assert_non_null(strstr(header, "'<f4'"));
    assert_non_null(strstr(header, "'fortran_order': False"));
    const char *shape = strstr(header, "'shape': (");
    assert_non_null(shape);
    read_shape(&a.shape, shape + 10);
    a.count = graft_shape_count(&a.shape);
    assert_int_equal(size - from - length, a.count * 4);
    a.data = graft_malloc((size_t)a.count * sizeof *a.data);
    assert_non_null(a.data);
    memcpy(a.data, bytes + from + length, (size_t)a.count * sizeof *a.data);
    graft_free(header);
    graft_free(bytes);
    return a;
}

void npy_release(struct npy *a)
{
    graft_free(a->data);
    a->data = NULL;
}
