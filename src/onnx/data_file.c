/* The data file of an export: what it holds, at which offsets.
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>

#include "base/io.h"
#include "base/status.h"
#include "onnx/export.h"

/* Small tensors begin at a cache line, large ones at a page, as ONNX advises
 * for who maps the file. */
enum { LINE = 64, PAGE = 4096, LARGE = 64 * 1024 };

static uint64_t aligned(uint64_t at, uint64_t bytes)
{
    const uint64_t unit = bytes < LARGE ? LINE : PAGE;
    return (at + unit - 1) / unit * unit;
}

static void place(struct graft_data_file *d, uint64_t *offset,
                  const uint8_t *data, uint64_t bytes, bool kept)
{
    *offset = UINT64_MAX;
    if (!kept || !data || bytes <= GRAFT_OUTSIDE_FROM)
        return;
    *offset = aligned(d->bytes, bytes);
    d->bytes = *offset + bytes;
}

/* The field of the graph that holds this byte of the file; NULL: none. */
static const struct graft_item *item_at(const struct graft_items *items,
                                        uint64_t offset)
{
    int low = 0, high = items->graph.n;
    while (low < high) {
        int middle = low + (high - low) / 2;
        if (items->graph.at[middle].offset <= offset)
            low = middle + 1;
        else
            high = middle;
    }
    const struct graft_item *item = low ? &items->graph.at[low - 1] : NULL;
    return item && offset < item->offset + item->head + item->length ? item
                                                                     : NULL;
}

/* It is no initializer, which has a place of its own, and part of something
 * that is still there. */
static bool is_far(const struct graft_model *m,
                   const struct graft_external *e)
{
    const struct graft_item *item = item_at(m->items, e->offset);
    if (!item)
        return true;
    if (item->number == GRAFT_G_NODE)
        return !m->node.at[item->index].removed;
    if (item->number == GRAFT_G_SPARSE)
        return !m->tensor.at[item->index].removed;
    return item->number != GRAFT_G_INITIALIZER;
}

/* ---- its bytes ----------------------------------------------------------- */

struct bytes {
    graft_bytes_fn *each;
    void *ctx;
    uint64_t at;
};

static int give(struct bytes *b, uint64_t offset, const uint8_t *data,
                uint64_t bytes)
{
    static const uint8_t zero[PAGE];
    if (offset == UINT64_MAX)
        return GRAFT_OK;
    int status = b->each(b->ctx, zero, offset - b->at);
    if (!status)
        status = b->each(b->ctx, data, bytes);
    b->at = offset + bytes;
    return status;
}

int graft_data_file_walk(const struct graft_data_file *d,
                         const struct graft_model *m, graft_bytes_fn *each,
                         void *ctx)
{
    struct bytes b = {each, ctx, 0};
    const int n_far = m->items ? m->items->external.n : 0;
    int status = GRAFT_OK;
    for (int i = 0; !status && i < m->tensor.n; i++)
        status = give(&b, d->tensor[i], m->tensor.at[i].data,
                      m->tensor.at[i].bytes);
    for (int i = 0; !status && i < n_far; i++)
        status = give(&b, d->far[i], m->items->external.at[i].data,
                      m->items->external.at[i].bytes);
    return status;
}

/* ---- the whole ----------------------------------------------------------- */

static int add_bytes(void *sha1, const void *at, uint64_t n)
{
    graft_sha1_add(sha1, at, n);
    return GRAFT_OK;
}

int graft_data_file_plan(struct graft_data_file *d,
                         const struct graft_model *m)
{
    const int n_far = m->items ? m->items->external.n : 0;
    d->tensor = graft_calloc((size_t)m->tensor.n, sizeof *d->tensor);
    d->far = graft_calloc((size_t)n_far, sizeof *d->far);
    if (!d->tensor || !d->far)
        return GRAFT_EMEM;
    for (int i = 0; i < m->tensor.n; i++) {
        const struct graft_tensor *t = &m->tensor.at[i];
        place(d, &d->tensor[i], t->data, t->bytes, !t->removed);
    }
    for (int i = 0; i < n_far; i++) {
        const struct graft_external *e = &m->items->external.at[i];
        place(d, &d->far[i], e->data, e->bytes, is_far(m, e));
    }
    struct graft_sha1 sum;
    graft_sha1_init(&sum);
    int status = graft_data_file_walk(d, m, add_bytes, &sum);
    graft_sha1_hex(d->checksum, &sum);
    return status;
}

void graft_data_file_release(struct graft_data_file *d)
{
    graft_free(d->tensor);
    graft_free(d->far);
    d->tensor = d->far = NULL;
}

/* ---- what stands there --------------------------------------------------- */

enum { CHUNK = 1 << 20 };

static int sum_file(char out[GRAFT_SHA1_HEX], const char *path)
{
    struct graft_sha1 sum;
    uint8_t *room = graft_malloc(CHUNK);
    if (!room)
        return GRAFT_EMEM;
    int fd = graft_io_open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    ssize_t n = fd < 0 ? -1 : 1;
    graft_sha1_init(&sum);
    while (n > 0 && (n = graft_io_read(fd, room, CHUNK)) > 0)
        graft_sha1_add(&sum, room, (uint64_t)n);
    int status = n < 0 ? graft_fail(GRAFT_EIO, "'%s' cannot be read: %s",
                                    path, strerror(errno))
                       : GRAFT_OK;
    if (fd >= 0)
        graft_io_close(fd);
    graft_free(room);
    graft_sha1_hex(out, &sum);
    return status;
}

/* A file of this many bytes? *out is SAME for now. */
static int stands(enum graft_stands *out, const char *path, uint64_t bytes)
{
    struct stat st;
    *out = GRAFT_STANDS_NOTHING;
    if (graft_io_lstat(path, &st) == 0)
        *out = S_ISREG(st.st_mode) && st.st_nlink == 1 &&
                       (uint64_t)st.st_size == bytes
                   ? GRAFT_STANDS_SAME : GRAFT_STANDS_OTHER;
    else if (errno != ENOENT && errno != ENOTDIR)
        return graft_fail(GRAFT_EIO, "'%s' cannot be examined: %s", path,
                          strerror(errno));
    return GRAFT_OK;
}

static int compare(enum graft_stands *out, const char *path,
                   const char *checksum)
{
    char sum[GRAFT_SHA1_HEX];
    int status = sum_file(sum, path);
    if (!status && strcmp(sum, checksum))
        *out = GRAFT_STANDS_OTHER;
    return status;
}

int graft_data_file_stands(enum graft_stands *out, const char *path,
                           const struct graft_data_file *d)
{
    int status = stands(out, path, d->bytes);
    return status || *out != GRAFT_STANDS_SAME
               ? status : compare(out, path, d->checksum);
}

int graft_data_blob_stands(enum graft_stands *out, const char *path,
                           const struct graft_blob *b)
{
    char sum[GRAFT_SHA1_HEX];
    struct graft_sha1 s;
    int status = stands(out, path, b->size);
    if (status || *out != GRAFT_STANDS_SAME)
        return status;
    graft_sha1_init(&s);
    graft_sha1_add(&s, b->data, b->size);
    graft_sha1_hex(sum, &s);
    return compare(out, path, sum);
}
