/* Statistics of normalisations from the photos that will be learnt from
 * (norms.h). What a normalisation sees depends on those before it, so the
 * network is walked from one single value to the next that has any between:
 * what all photos make of the first is kept, and the nodes in between run over
 * it once for each normalisation that stands behind another there, the k-th
 * time to measure those with k - 1 before them, with the new statistics of
 * these; and once more to make the next value.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "graph/edit.h"
#include "program/survey.h"
#include "task/adapt_impl.h"
#include "task/batch.h"
#include "train/masters.h"

/* ---- photos -------------------------------------------------------------- */

static int list_photos(struct graft_adapting *x)
{
    const struct graft_dataset *d = x->a->data;
    x->item = graft_calloc((size_t)d->photo.n + 1, sizeof *x->item);
    if (!x->item)
        return GRAFT_EMEM;
    for (int i = 0; i < d->photo.n; i++)
        if (d->photo.at[i].part == GRAFT_TRAIN)
            x->item[x->n_items++] = (struct graft_load_item){
                .root = d->root, .file = d->photo.at[i].file};
    return GRAFT_OK;
}

static bool fits(const struct graft_adapting *x, int64_t floats)
{
    uint64_t limit = x->a->rt->memory_limit;
    int64_t bytes;
    long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    if (!limit && pages > 0 && page > 0)
        limit = (uint64_t)pages * (uint64_t)page;
    return graft_mul_size(&bytes, x->n_items, floats) &&
           graft_mul_size(&bytes, bytes, sizeof *x->x) &&
           (uint64_t)bytes <= (x->a->room ? x->a->room : limit / 8);
}

int graft_adapt_check(const struct graft_adapting *x, int first, int n)
{
    for (int i = first; x->a->strict && i < first + n; i++)
        if (x->item[i].failed)
            return graft_fail(GRAFT_EDATA, "'%s' cannot be used: %s",
                              x->item[i].file, x->item[i].why);
    return GRAFT_OK;
}

/* Pixels of all photos, those that cannot be read left out. */
static int keep_pixels(struct graft_adapting *x)
{
    x->x = graft_alloc_aligned((size_t)x->n_items * (size_t)x->floats *
                               sizeof *x->x);
    int status = x->x ? graft_extract_rows(&x->extract, x->item, x->n_items,
                                           x->x) : GRAFT_EMEM;
    if (!status)
        status = graft_adapt_check(x, 0, x->n_items);
    for (int i = 0; !status && i < x->n_items; i++)
        if (!x->item[i].failed)
            memmove(x->x + x->floats * x->n++, x->x + x->floats * i,
                    (size_t)x->floats * sizeof *x->x);
    return status;
}

static int open_photos(struct graft_adapting *x)
{
    const struct graft_preprocess *p = x->a->preprocess;
    x->at = graft_model_feed(x->a->model, 0);
    x->floats = (int64_t)p->channels * p->height * p->width;
    x->extract = (struct graft_extract){
        .rt = x->a->rt, .model = x->a->model, .preprocess = *p, .raw = true,
        .value = x->at, .exact = x->a->exact, .phase = "adapt",
        .floats = x->floats};
    int status = list_photos(x);
    if (!status && fits(x, x->floats))
        status = keep_pixels(x);
    if (!status && !x->x) {
        x->batch = graft_alloc_aligned(GRAFT_BATCH_DEFAULT *
                                       (size_t)x->floats * sizeof *x->batch);
        status = x->batch ? GRAFT_OK : GRAFT_EMEM;
    }
    return status;
}

/* ---- from one single value to the next ----------------------------------- */

/* Normalisations that `v` depends on; *passed: x->at is before it. */
static int norms_before(const struct graft_adapting *x, graft_value_id v,
                        bool *live, bool *passed)
{
    const struct graft_model *m = x->a->model;
    int n = 0;
    memset(live, 0, (size_t)m->node.n * sizeof *live);
    graft_mark_ancestors(m, &v, 1, live);
    *passed = false;
    for (int i = 0; i < m->node.n; i++) {
        const struct graft_node *node = &m->node.at[i];
        for (int k = 0; live[i] && k < node->n_in; k++)
            *passed |= node->in[k] == x->at;
        n += live[i] && graft_is_norm(node);
    }
    return n;
}

/* The next cut with a normalisation before it that fits into memory; NULL:
 * the features. */
static const struct graft_cut *next_cut(const struct graft_adapting *x,
                                        const struct graft_survey *s,
                                        bool *live)
{
    bool passed;
    const int before = norms_before(x, x->at, live, &passed);
    const graft_value_id end = x->a->model->output.at[0];
    const int all = norms_before(x, end, live, &passed);
    for (int i = 0; i < s->n_cuts; i++) {
        const struct graft_cut *c = &s->cut[i];
        const struct graft_vinfo *v = &s->value[c->value];
        int n = norms_before(x, c->value, live, &passed);
        if (passed && n > before && n < all && c->value != end &&
            v->per_image && !v->whole_batch && v->dtype == GRAFT_REAL &&
            fits(x, c->features))
            return c;
    }
    return NULL;
}

static int walk(struct graft_adapting *x, const struct graft_survey *s)
{
    const struct graft_model *m = x->a->model;
    bool *live = graft_calloc((size_t)m->node.n + 1, sizeof *live), passed;
    int status = live ? GRAFT_OK : GRAFT_EMEM;
    if (!status && !norms_before(x, m->output.at[0], live, &passed))
        status = graft_norms_none(m->path);
    for (bool last = false; !status && !last;) {
        const struct graft_cut *c = next_cut(x, s, live);
        last = !c;
        status = graft_adapt_piece(x, c ? c->value : m->output.at[0],
                                   c ? c->features : 0);
    }
    graft_free(live);
    return status;
}

/* ---- all of it ----------------------------------------------------------- */

static int measure(struct graft_adapting *x)
{
    struct graft_undo *undo = NULL;
    struct graft_survey *s = NULL;
    struct graft_model *m = x->a->model;
    int status = graft_model_fixed_batch(m) ? graft_batch_open(&undo, m)
                                            : GRAFT_OK;
    if (status != GRAFT_EMEM && status != GRAFT_ECANCELED)
        status = graft_survey_new(&s, m, x->a->rt); /* else one by one */
    if (!status)
        status = open_photos(x);
    if (!status)
        status = walk(x, s);
    graft_survey_free(s);
    graft_extract_release(&x->extract);
    if (undo)
        graft_undo_back(undo);
    graft_undo_free(undo);
    return status;
}

static int store(const struct graft_adapting *x)
{
    struct graft_model *m = x->a->model;
    int status = GRAFT_OK;
    for (int i = 0; !status && i < x->found.n; i++) {
        const struct graft_adapted *f = &x->found.at[i];
        const struct graft_shape shape = {1, {f->channels}};
        status = graft_master_store(m, f->mean, &shape, f->at);
        if (!status)
            status = graft_master_store(m, f->var, &shape,
                                        f->at + f->channels);
    }
    return status;
}

int graft_adapt(struct graft_adapt *a)
{
    struct graft_adapting x = {.a = a};
    int status = measure(&x);
    if (!status)
        status = store(&x);
    a->normalisations = x.found.n;
    a->photos = x.n;
    for (int i = 0; i < x.found.n; i++)
        graft_free(x.found.at[i].at);
    graft_array_release(&x.found);
    graft_free(x.item);
    graft_free(x.x);
    graft_free(x.batch);
    return status;
}
