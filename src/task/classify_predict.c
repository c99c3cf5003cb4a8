/* graft_predict: answers for photos, in the order they were named.
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "task/classify_use.h"

struct answers {
    struct graft_classifier *c;
    graft_prediction_fn *fn;
    void *ctx;
    int top;
    float *row;          /* [batch][classes] */
    double *p;           /* [classes] */
    struct ranked {
        double p;
        int class_index;
    } *order;            /* [classes] */
    int *index;          /* [top] */
    const char **label;
    double *probability;
};

static int best_first(const void *pa, const void *pb)
{
    const struct ranked *a = pa, *b = pb;
    if (a->p != b->p)
        return a->p > b->p ? -1 : 1;
    return a->class_index - b->class_index;
}

static void answer(struct answers *a, const struct graft_load_item *item,
                   const float *row)
{
    struct graft_prediction said = {.file = item->file};
    if (item->failed) {
        said.why = item->why;
        a->fn(a->ctx, &said);
        return;
    }
    graft_classifier_answer(a->c, row, a->p);
    for (int i = 0; i < a->c->classes; i++)
        a->order[i] = (struct ranked){a->p[i], i};
    qsort(a->order, (size_t)a->c->classes, sizeof *a->order, best_first);
    for (int i = 0; i < a->top; i++) {
        a->index[i] = a->order[i].class_index;
        a->label[i] = a->c->label[a->order[i].class_index];
        a->probability[i] = a->order[i].p;
    }
    said.n = a->top;
    said.class_index = a->index;
    said.label = a->label;
    said.probability = a->probability;
    a->fn(a->ctx, &said);
}

static int allocate(struct answers *a, int batch, int top)
{
    size_t n = (size_t)a->c->classes;
    a->top = top < 1 ? 1 : top < a->c->classes ? top : a->c->classes;
    a->row = graft_calloc((size_t)batch, n * sizeof *a->row);
    a->p = graft_calloc(n, sizeof *a->p);
    a->order = graft_calloc(n, sizeof *a->order);
    a->index = graft_calloc(n, sizeof *a->index);
    a->label = graft_calloc(n, sizeof *a->label);
    a->probability = graft_calloc(n, sizeof *a->probability);
    return a->row && a->p && a->order && a->index && a->label &&
           a->probability ? GRAFT_OK : GRAFT_EMEM;
}

static void release(struct answers *a)
{
    graft_free(a->row);
    graft_free(a->p);
    graft_free(a->order);
    graft_free(a->index);
    graft_free(a->label);
    graft_free(a->probability);
}

/* Photos first..first+n-1, loaded, run and told. */
static int one_batch(struct answers *a, const struct graft_dataset *d,
                     int first, int n, struct graft_load_item *items,
                     bool strict)
{
    for (int i = 0; i < n; i++)
        items[i] = (struct graft_load_item){
            .root = d->root, .file = d->photo.at[first + i].file};
    int status = graft_extract_rows(&a->c->extract, items, n, a->row);
    for (int i = 0; !status && i < n; i++) {
        if (items[i].failed && strict)
            status = graft_fail(GRAFT_EDATA, "'%s' cannot be read: %s",
                                items[i].file, items[i].why);
        else
            answer(a, &items[i], a->row + (int64_t)i * a->c->classes);
    }
    return status;
}

static int all_batches(struct answers *a, const struct graft_dataset *d,
                       const struct graft_classify_options *o)
{
    int batch = graft_extract_batch(&a->c->extract), n = d->photo.n;
    struct graft_load_item *items = graft_calloc((size_t)batch,
                                                 sizeof *items);
    int status = items ? allocate(a, batch, o->top) : GRAFT_EMEM;
    for (int first = 0; !status && first < n; first += batch) {
        int count = n - first < batch ? n - first : batch;
        status = one_batch(a, d, first, count, items, o->strict);
        if (!status && o->progress &&
            o->progress(o->progress_ctx, "predict", "photos",
                        (uint64_t)(first + count), (uint64_t)n))
            status = graft_fail(GRAFT_ECANCELED, "cancelled");
    }
    graft_free(items);
    return status;
}

static int tell_skipped(struct answers *a, const struct graft_dataset *d,
                        bool strict)
{
    for (int i = 0; i < d->skipped.n; i++) {
        struct graft_prediction said = {.file = d->skipped.at[i].file,
                                        .why = d->skipped.at[i].why};
        if (strict)
            return graft_fail(GRAFT_EDATA, "'%s' cannot be used: %s",
                              said.file, said.why);
        a->fn(a->ctx, &said);
    }
    return GRAFT_OK;
}

/* ---- which paths --------------------------------------------------------- */

/* The paths that are there, first, in their order; then those that are not:
 * one misspelt name must not cost the answers for all others. */
static int sort_paths(const char **sorted, int *n_there,
                      const char *const *paths, int n)
{
    int there = 0, end = n;
    for (int i = 0; i < n; i++) {
        if (!paths[i])
            return graft_fail(GRAFT_EARG, "path %d of %d is NULL", i + 1, n);
        if (graft_file_exists(paths[i]))
            sorted[there++] = paths[i];
        else
            sorted[--end] = paths[i];
    }
    *n_there = there;
    for (int i = end, k = n - 1; i < k; i++, k--) { /* was filled backwards */
        const char *path = sorted[i];
        sorted[i] = sorted[k];
        sorted[k] = path;
    }
    return GRAFT_OK;
}

static int tell_missing(struct answers *a, const char *const *paths, int n,
                        bool strict)
{
    char why[GRAFT_WHY_MAX];
    snprintf(why, sizeof why, "cannot be opened: %s", strerror(ENOENT));
    for (int i = 0; i < n; i++) {
        struct graft_prediction said = {.file = paths[i], .why = why};
        if (strict)
            return graft_fail(GRAFT_ENOTFOUND, "'%s' %s", paths[i], why);
        a->fn(a->ctx, &said);
    }
    return GRAFT_OK;
}

static int predict(struct answers *a, struct graft_runtime *rt,
                   const char *const *paths, int n_there, int n,
                   const struct graft_classify_options *o)
{
    struct graft_dataset *d = NULL;
    int status = GRAFT_OK;
    if (o->strict) /* known before any work */
        status = tell_missing(a, paths + n_there, n - n_there, true);
    if (!status && n_there)
        status = graft_dataset_of_paths(&d, rt, paths, n_there);
    if (!status && d)
        status = all_batches(a, d, o);
    if (!status && d)
        status = tell_skipped(a, d, o->strict);
    if (!status)
        status = tell_missing(a, paths + n_there, n - n_there, false);
    graft_dataset_free(d);
    return status;
}

int graft_classify_predict(struct graft_runtime *rt, const char *model,
                           const char *const *paths, int n_paths,
                           const struct graft_classify_options *o,
                           graft_prediction_fn *fn, void *ctx)
{
    struct answers a = {.fn = fn, .ctx = ctx};
    int n_there = 0;
    const char **sorted = graft_calloc((size_t)n_paths, sizeof *sorted);
    int status = sorted ? sort_paths(sorted, &n_there, paths, n_paths)
                        : GRAFT_EMEM;
    if (!status)
        status = graft_classifier_open(&a.c, rt, model, o);
    if (!status)
        status = predict(&a, rt, sorted, n_there, n_paths, o);
    release(&a);
    graft_free(sorted);
    graft_classifier_free(a.c);
    return status;
}
