/* How much memory loading takes: known from a few files' headers.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"
#include "base/pool.h"
#include "data/data.h"

#define FILE_MAX_BYTES (512ull << 20)
enum { LARGEST = 16 };

/* The largest files; each photo once. */
struct largest {
    const struct graft_load_item *at[LARGEST];
    uint64_t bytes[LARGEST];
    int n;
};

static void note(struct largest *l, const struct graft_load_item *item,
                 uint64_t bytes, int most)
{
    int i = l->n < most ? l->n++ : most - 1;
    if (l->n == most && l->at[i] && bytes <= l->bytes[i])
        return;
    for (; i > 0 && l->bytes[i - 1] < bytes; i--) {
        l->at[i] = l->at[i - 1];
        l->bytes[i] = l->bytes[i - 1];
    }
    l->at[i] = item;
    l->bytes[i] = bytes;
}

/* The file, its pixels, and the rows of a resize as floats. What is wrong
 * with a photo is told when it is loaded. */
static int64_t room_of(const char *path, const struct graft_load_options *o)
{
    const struct graft_preprocess *p = o->preprocess;
    uint8_t *bytes = NULL;
    uint64_t n = 0;
    int width = 0, height = 0;
    if (graft_file_read(&bytes, &n, path, FILE_MAX_BYTES))
        return 0;
    if (graft_image_size(&width, &height, bytes, n, NULL))
        width = height = 0;
    graft_free(bytes);
    int shrink = o->exact ? 1 : graft_load_shrink(p, width, height);
    return (int64_t)n + 3 * (int64_t)(width / shrink) * (height / shrink) +
           4 * (int64_t)p->width * (height / shrink);
}

int64_t graft_load_room(struct graft_runtime *rt,
                        const struct graft_load_item *items, int n,
                        const struct graft_load_options *o)
{
    struct largest l = {0};
    int most = graft_pool_threads(rt->pool);
    int64_t sum = 0;
    if (most > LARGEST)
        most = LARGEST;
    for (int i = 0; i < n; i++) {
        struct graft_file_id id;
        char *path = i && items[i].file == items[i - 1].file
                         ? NULL
                         : graft_path_join(items[i].root, items[i].file);
        if (path && graft_file_id(&id, path))
            note(&l, &items[i], id.size, most);
        graft_free(path);
    }
    for (int i = 0; i < l.n; i++) {
        char *path = graft_path_join(l.at[i]->root, l.at[i]->file);
        sum += path ? room_of(path, o) : 0;
        graft_free(path);
    }
    return sum;
}
