/* Arrays in NumPy's file format (NEP 1): magic, version, length of a header
 * that is a Python dictionary, header, raw elements.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/runtime.h"
#include "base/str.h"
#include "graft/model.h"
#include "tensor/shape.h"

static const char magic[6] = "\x93NUMPY";
enum { PREFIX = 10, ALIGN = 64, MAX_HEADER = 1 << 16 };

/* ---- reading ------------------------------------------------------------- */

/* What follows 'key': in the header; NULL: not there. */
static const char *entry(const char *header, const char *key)
{
    char quoted[32];
    snprintf(quoted, sizeof quoted, "'%s'", key);
    const char *p = strstr(header, quoted);
    if (!p)
        return NULL;
    p += strlen(quoted);
    p += strspn(p, " ");
    if (*p++ != ':')
        return NULL;
    return p + strspn(p, " ");
}

static int check_type(const char *header, const char *path)
{
    const char *type = entry(header, "descr");
    const char *order = entry(header, "fortran_order");
    if (!type || !order)
        return graft_fail(GRAFT_EFORMAT, "%s: its header lacks 'descr' or "
                          "'fortran_order'", path);
    if (strncmp(type, "'<f4'", 5)) {
        int n = (int)strcspn(type, ",}");
        return graft_fail(GRAFT_EUNSUPPORTED, "%s: elements are %.*s; wanted "
                          "are float32 ('<f4'): a.astype('float32')", path,
                          n < 40 ? n : 40, type);
    }
    if (strncmp(order, "False", 5))
        return graft_fail(GRAFT_EUNSUPPORTED, "%s: the array is in Fortran "
                          "order; wanted is C order: "
                          "numpy.ascontiguousarray(a)", path);
    return GRAFT_OK;
}

static int read_shape(struct graft_shape *out, const char *header,
                      const char *path)
{
    int64_t dim[GRAFT_MAX_RANK + 1];
    int rank = 0;
    const char *p = entry(header, "shape");
    if (!p || *p++ != '(')
        return graft_fail(GRAFT_EFORMAT, "%s: its header lacks 'shape'",
                          path);
    for (p += strspn(p, " "); *p != ')'; p += strspn(p, ", ")) {
        char *end;
        long long v = strtoll(p, &end, 10);
        if (end == p || v < 0 || !strchr(",) ", *end) || !*end)
            return graft_fail(GRAFT_EFORMAT, "%s: its shape cannot be read",
                              path);
        if (rank == GRAFT_MAX_RANK)
            return graft_fail(GRAFT_ELIMIT, "%s: more than %d dimensions",
                              path, GRAFT_MAX_RANK);
        dim[rank++] = v;
        p = end;
    }
    return graft_shape_set(out, dim, rank);
}

/* Length of prefix and header, or 0. */
static uint64_t header_end(const uint8_t *file, uint64_t size)
{
    if (size < PREFIX + 2 || memcmp(file, magic, sizeof magic))
        return 0;
    uint64_t n = file[8] | (uint64_t)file[9] << 8;
    if (file[6] == 1)
        return PREFIX + n;
    if (file[6] != 2 && file[6] != 3)
        return 0;
    n |= (uint64_t)file[10] << 16 | (uint64_t)file[11] << 24;
    return PREFIX + 2 + n;
}

static int parse(struct graft_shape *shape, const uint8_t *file,
                 uint64_t size, uint64_t *start, const char *path)
{
    uint64_t end = header_end(file, size);
    if (!end)
        return graft_fail(GRAFT_EFORMAT, "%s: not a NumPy array file (.npy)",
                          path);
    if (end > size || end > MAX_HEADER)
        return graft_fail(GRAFT_EFORMAT, "%s: its header of %llu bytes does "
                          "not fit the file of %llu", path,
                          (unsigned long long)end, (unsigned long long)size);
    uint64_t begin = file[6] == 1 ? PREFIX : PREFIX + 2;
    char *header = graft_strndup((const char *)file + begin,
                                 (size_t)(end - begin));
    if (!header)
        return GRAFT_EMEM;
    int status = check_type(header, path);
    if (!status)
        status = read_shape(shape, header, path);
    graft_free(header);
    if (status)
        return status;
    int64_t count = graft_shape_count(shape), bytes;
    if (count < 0 || !graft_mul_size(&bytes, count, 4) ||
        (uint64_t)bytes != size - end)
        return graft_fail(GRAFT_EFORMAT, "%s: %lld elements do not fit the "
                          "%llu bytes behind its header", path,
                          (long long)count, (unsigned long long)(size - end));
    *start = end;
    return GRAFT_OK;
}

int graft_npy_read(struct graft_array *out, graft_runtime *rt,
                     const char *path)
{
    uint8_t *file = NULL;
    uint64_t size = 0, start = 0;
    struct graft_shape shape;
    rt = graft_runtime_or_default(rt);
    if (!rt)
        return GRAFT_EMEM;
    uint64_t max = rt->memory_limit ? rt->memory_limit : INT64_MAX;
    int status = graft_file_read(&file, &size, path, max);
    if (!status)
        status = parse(&shape, file, size, &start, path);
    if (status) {
        graft_free(file);
        return status;
    }
    /* The elements move to the front, where they are aligned. */
    memmove(file, file + start, (size_t)(size - start));
    *out = (struct graft_array){.data = (const float *)(const void *)file,
                                .rank = shape.rank};
    memcpy(out->dim, shape.dim, sizeof out->dim);
    return GRAFT_OK;
}

void graft_npy_release(struct graft_array *a)
{
    if (!a)
        return;
    graft_free((void *)(uintptr_t)a->data);
    memset(a, 0, sizeof *a);
}

/* ---- writing ------------------------------------------------------------- */

/* The header is padded so that the elements begin at a multiple of 64. */
static int make_header(struct graft_str *s, const struct graft_shape *shape)
{
    struct graft_str dict;
    graft_str_init(&dict);
    graft_str_add(&dict, "{'descr': '<f4', 'fortran_order': False, "
                  "'shape': (");
    for (int i = 0; i < shape->rank; i++)
        graft_str_addf(&dict, i + 1 < shape->rank ? "%lld, " : "%lld",
                       (long long)shape->dim[i]);
    graft_str_add(&dict, shape->rank == 1 ? ",), }" : "), }");
    while ((PREFIX + dict.n + 1) % ALIGN && !dict.failed)
        graft_str_add(&dict, " ");
    graft_str_add(&dict, "\n");
    const uint8_t prefix[4] = {1, 0, (uint8_t)(dict.n & 255),
                               (uint8_t)(dict.n >> 8)};
    graft_str_addn(s, magic, sizeof magic);
    graft_str_addn(s, prefix, sizeof prefix);
    graft_str_addn(s, dict.at, dict.n);
    int status = graft_str_ok(&dict);
    graft_str_release(&dict);
    return status ? status : graft_str_ok(s);
}

static int add_array(struct graft_writers *set, const struct graft_array *a,
                     const char *path, bool replace)
{
    struct graft_str head;
    struct graft_shape shape;
    struct graft_writer *w = NULL;
    graft_str_init(&head);
    int status = graft_shape_set(&shape, a->dim, a->rank);
    if (!status)
        status = make_header(&head, &shape);
    if (!status)
        status = graft_writers_add(&w, set, path,
                                   replace ? GRAFT_WRITE_REPLACE
                                           : GRAFT_WRITE_NEW);
    if (!status)
        status = graft_writer_put(w, head.at, head.n);
    if (!status)
        status = graft_writer_put(w, a->data,
                                  4 * (uint64_t)graft_shape_count(&shape));
    graft_str_release(&head);
    return status;
}

int graft_npy_write_all(const struct graft_array *a, const char *const *paths,
                        int n, bool replace)
{
    struct graft_writers set = {{0}};
    int status = GRAFT_OK;
    for (int i = 0; i < n && !status; i++)
        status = add_array(&set, &a[i], paths[i], replace);
    if (!status)
        status = graft_writers_commit(&set);
    graft_writers_release(&set);
    return status;
}

int graft_npy_write(const struct graft_array *a, const char *path,
                    bool replace)
{
    return graft_npy_write_all(a, &path, 1, replace);
}
