/* From files to a batch: read, hash, decode, geometry, resize, on the pool.
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/status.h"
#include "data/tree.h"

#define FILE_MAX_BYTES (512ull << 20)

/* Views of one photo that stand side by side. */
struct group {
    int first;      /* item */
    int status;     /* resource errors only */
    uint64_t bytes; /* of the file */
};

struct load {
    struct graft_runtime *rt;
    struct graft_load_item *items;
    int n;
    float *dst;
    int64_t stride;
    const struct graft_load_options *o;
    struct group *group; /* [groups] has only `first`: n */
    int *order;   /* of the groups: large files first */
    struct graft_pixels *room;          /* by worker */
    char (*message)[GRAFT_MESSAGE_MAX]; /* by worker: its last failure */
    int *failed;  /* by worker: group of that failure, -1: none */
};

static bool same_file(const struct graft_load_item *a,
                      const struct graft_load_item *b)
{
    return !strcmp(a->file, b->file) && !strcmp(a->root, b->root);
}

static bool same_id(const struct graft_file_id *a,
                    const struct graft_file_id *b)
{
    return a->device == b->device && a->inode == b->inode &&
           a->size == b->size && a->mtime_ns == b->mtime_ns;
}

/* ---- one view ------------------------------------------------------------ */

/* A photo in memory, as large as the view at hand needs it. */
struct photo {
    const uint8_t *bytes;
    uint64_t n;
    struct graft_hash hash;
    int width, height;        /* in full, upright */
    struct graft_image image; /* decoded with 1 / shrink of its size in mind */
    int shrink;               /* 0: not yet */
};

static struct graft_draw draw_of(const struct load *l,
                                 const struct graft_load_item *item,
                                 const struct photo *f)
{
    const struct graft_augment *a = l->o->augment;
    const struct graft_preprocess *p = l->o->preprocess;
    struct graft_draw d = graft_draw_plain();
    if (!a)
        d.geometry = graft_view_geometry(item->seed, item->view, f->hash,
                                         f->width, f->height);
    if (!a || item->view == 0)
        return d;
    struct graft_rng_key key = graft_augment_key(item->seed, item->view,
                                                 f->hash);
    d.geometry = graft_augment_geometry(a, key, f->width, f->height);
    d.colour = graft_augment_colour(a, key);
    d.erase = graft_augment_erase(a, key, p->width, p->height);
    return d;
}

int graft_load_shrink(const struct graft_preprocess *p, int width, int height)
{
    int side = p->width > p->height ? p->width : p->height;
    int low = width < height ? width : height, shrink = 8;
    if (p->fit == GRAFT_FIT_CROP && p->resize > side)
        side = p->resize;
    while (shrink > 1 && low / shrink < 2 * side)
        shrink /= 2;
    return shrink;
}

/* Twice what is needed keeps the resize's own filter in charge: of the whole
 * photo's short side, or of both sides of a crop. The answer is of 1, 2, 4, 8,
 * as graft_image_decode goes by them. */
static int shrink_of(const struct load *l, const struct photo *f,
                     const struct graft_geometry *g)
{
    const struct graft_preprocess *p = l->o->preprocess;
    double w = g->width * f->width, h = g->height * f->height;
    int shrink = l->o->exact ? 1 : 8;
    if (g->plain && shrink > 1)
        return graft_load_shrink(p, f->width, f->height);
    while (shrink > 1 && !(w >= 2.0 * p->width * shrink &&
                           h >= 2.0 * p->height * shrink))
        shrink /= 2;
    return shrink;
}

/* Decodes again only for another size; a file that gave all its pixels when
 * fewer would have done gives them always. */
static int decode(const struct load *l, struct photo *f, int shrink,
                  int worker)
{
    int low = f->width < f->height ? f->width : f->height;
    struct graft_decode_options d = {.exact = shrink == 1,
                                     .min_side = low / shrink,
                                     .pixels = &l->room[worker]};
    bool whole = f->shrink > 1 && f->image.width == f->width &&
                 f->image.height == f->height;
    if (f->shrink && (whole || shrink == f->shrink))
        return GRAFT_OK;
    f->shrink = shrink;
    return graft_image_decode(&f->image, f->bytes, f->n, &d);
}

static int view(const struct load *l, struct photo *f,
                struct graft_load_item *item, int worker, bool *by_content)
{
    struct graft_draw d = draw_of(l, item, f);
    int64_t at = item - l->items;
    int status = decode(l, f, shrink_of(l, f, &d.geometry), worker);
    *by_content = status && status != GRAFT_EMEM;
    if (status)
        return status;
    item->width = f->image.width;
    item->height = f->image.height;
    return graft_image_to_view(l->dst + at * l->stride, l->o->layout,
                               &f->image, l->o->preprocess, &d,
                               l->o->kernels);
}

/* ---- one file ------------------------------------------------------------ */

int graft_fail_unnamed(int status, const char *path)
{
    char text[GRAFT_MESSAGE_MAX], quoted[GRAFT_MESSAGE_MAX];
    graft_message_save(text);
    int n = snprintf(quoted, sizeof quoted, "'%s' ", path);
    if (n > 0 && (size_t)n < sizeof quoted &&
        !strncmp(text, quoted, (size_t)n))
        return graft_fail(status, "it %s", text + n);
    return status;
}

/* Bytes of a file that stayed the same while it was read. */
static int read_photo(uint8_t **bytes, uint64_t *n, struct graft_file_id *id,
                      const char *path)
{
    struct graft_file_id after;
    uint8_t *b;
    if (!graft_file_id(id, path))
        return graft_fail(GRAFT_EIO, "it cannot be opened: %s",
                          strerror(errno));
    int status = graft_file_read(&b, n, path, FILE_MAX_BYTES);
    if (status)
        return status == GRAFT_EMEM ? status : graft_fail_unnamed(status, path);
    if (!graft_file_id(&after, path) || !same_id(id, &after)) {
        graft_free(b);
        return graft_fail(GRAFT_EIO, "it changed while it was read");
    }
    *bytes = b;
    return GRAFT_OK;
}

/* One photo, all its views. */
static int load_group(const struct load *l, struct graft_load_item *a,
                      struct graft_load_item *end, int worker,
                      bool *by_content)
{
    struct photo f = {0};
    uint8_t *bytes = NULL;
    char *path = graft_path_join(a->root, a->file);
    int status = path ? read_photo(&bytes, &f.n, &a->id, path) : GRAFT_EMEM;
    if (bytes) {
        f.bytes = bytes;
        f.hash = graft_hash(bytes, (size_t)f.n);
        status = graft_image_size(&f.width, &f.height, bytes, f.n, NULL);
        *by_content = status != GRAFT_OK;
    }
    for (struct graft_load_item *i = a; i < end; i++) {
        i->id = a->id;
        i->hash = f.hash;
        if (!status)
            status = view(l, &f, i, worker, by_content);
    }
    graft_free(bytes);
    graft_free(path);
    return status;
}

static void task(void *ctx, int64_t i, int worker)
{
    struct load *l = ctx;
    struct group *group = l->group + l->order[i];
    struct graft_load_item *a = l->items + group[0].first;
    struct graft_load_item *end = l->items + group[1].first;
    bool by_content = false;
    int status = graft_runtime_check(l->rt);
    if (!status)
        status = load_group(l, a, end, worker, &by_content);
    if (status == GRAFT_EMEM || status == GRAFT_ECANCELED) {
        group->status = status;
        graft_message_save(l->message[worker]);
        l->failed[worker] = l->order[i];
        return;
    }
    for (; a < end; a++) {
        a->failed = status != GRAFT_OK;
        a->by_content = by_content;
        a->why[0] = '\0';
        if (status)
            snprintf(a->why, sizeof a->why, "%s", graft_error_message());
    }
}

static int groups_of(struct load *l)
{
    int groups = 0;
    for (int i = 0; i < l->n; i++)
        if (i == 0 || !same_file(&l->items[i - 1], &l->items[i]))
            l->group[groups++].first = i;
    l->group[groups].first = l->n;
    return groups;
}

/* Large files first: the last photo is then a small one, and no worker waits
 * long for another. What is loaded does not depend on it. */
static int sort_groups(struct load *l, int groups)
{
    for (int g = 0; g < groups; g++) {
        const struct graft_load_item *a = &l->items[l->group[g].first];
        char *path = graft_path_join(a->root, a->file);
        struct graft_file_id id;
        if (!path)
            return GRAFT_EMEM;
        l->group[g].bytes = graft_file_id(&id, path) ? id.size : 0;
        graft_free(path);
        int at = g;
        for (; at > 0 && l->group[l->order[at - 1]].bytes <
                             l->group[g].bytes; at--)
            l->order[at] = l->order[at - 1];
        l->order[at] = g;
    }
    return GRAFT_OK;
}

/* The status of the first group that failed, with its message where a worker
 * still has it. */
static int first_failure(const struct load *l, int groups, int threads)
{
    for (int g = 0; g < groups; g++) {
        int status = l->group[g].status;
        if (!status)
            continue;
        graft_fail(status, "%s", graft_status_text(status));
        for (int w = 0; w < threads; w++)
            if (l->failed[w] == g)
                graft_message_restore(l->message[w]);
        return status;
    }
    return GRAFT_OK;
}

static int load_all(struct load *l, int threads)
{
    int groups = groups_of(l), status = sort_groups(l, groups);
    if (status)
        return status;
    for (int w = 0; w < threads; w++)
        l->failed[w] = -1;
    graft_pool_for(l->rt->pool, groups, task, l);
    return first_failure(l, groups, threads);
}

int graft_load(struct graft_runtime *rt, struct graft_load_item *items, int n,
               float *dst, int64_t stride,
               const struct graft_load_options *o)
{
    rt = graft_runtime_or_default(rt);
    if (!rt)
        return GRAFT_EMEM;
    int threads = graft_pool_threads(rt->pool);
    size_t workers = (size_t)threads, most = (size_t)n + 1;
    struct load l = {.rt = rt, .items = items, .n = n, .dst = dst,
                     .stride = stride, .o = o};
    l.group = graft_calloc(most, sizeof *l.group);
    l.order = graft_calloc(most, sizeof *l.order);
    l.room = graft_calloc(workers, sizeof *l.room);
    l.failed = graft_malloc(workers * sizeof *l.failed);
    l.message = graft_malloc(workers * sizeof *l.message);
    int status = GRAFT_EMEM;
    if (l.group && l.order && l.room && l.failed && l.message)
        status = load_all(&l, threads);
    for (int w = 0; l.room && w < threads; w++)
        graft_pixels_release(&l.room[w]);
    graft_free(l.message);
    graft_free(l.failed);
    graft_free(l.room);
    graft_free(l.order);
    graft_free(l.group);
    return status;
}
