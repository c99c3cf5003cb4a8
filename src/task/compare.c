/* Two models on the same photos: how far apart are their answers?
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "base/alloc.h"
#include "base/str.h"
#include "program/survey.h"
#include "task/classify.h"
#include "task/convert.h"

struct side {
    struct graft_extract extract;
    float *row; /* [batch][floats] */
};

struct work {
    struct side side[2];
    struct graft_load_item *item[2];
    const struct graft_classify_options *o;
    struct graft_comparison c;
    double sum;
};

/* ---- two models ---------------------------------------------------------- */

static int find_output(struct graft_extract *x, bool *scores)
{
    const struct graft_model *m = x->model;
    struct graft_survey *s = NULL;
    if (m->output.n < 1)
        return graft_fail(GRAFT_EUNSUPPORTED, "'%s' has no output", m->path);
    x->value = m->output.at[0];
    int status = graft_survey_new(&s, m, x->rt);
    if (status)
        return status;
    const struct graft_vinfo *v = &s->value[x->value];
    if (!v->present || v->shape.rank < 1)
        status = graft_fail(GRAFT_EUNSUPPORTED, "'%s': output '%s' cannot be "
                            "computed (graft inspect says why)", m->path,
                            m->value.at[x->value].name);
    x->floats = status ? 0 : graft_shape_span(&v->shape, 1, v->shape.rank);
    *scores = !status && x->floats > 1 && x->floats == v->shape.dim[1];
    graft_survey_free(s);
    return status;
}

static int open_side(struct side *side, const struct graft_model *m,
                     const struct graft_card *card, const struct work *w,
                     bool *scores)
{
    struct graft_str source;
    graft_str_init(&source);
    side->extract = (struct graft_extract){
        .rt = graft_runtime_or_default(m->rt), .model = m,
        .batch = w->o->batch};
    int status = side->extract.rt ? find_output(&side->extract, scores)
                                  : GRAFT_EMEM;
    if (!status)
        status = graft_choose_preprocess(&side->extract.preprocess, &source,
                                         m, card, &w->o->preprocess);
    if (!status)
        status = graft_choose_decode(&side->extract.exact, w->o->decode);
    if (!status && !w->o->decode && card)
        side->extract.exact = card->exact;
    if (!status)
        status = graft_extract_fit(&side->extract);
    graft_str_release(&source);
    return status;
}

static int open_both(struct work *w, const struct graft_model *a,
                     const struct graft_model *b)
{
    struct graft_card *card = NULL;
    bool scores = false;
    int status = w->o->preprocess.preset ? GRAFT_OK : graft_card_of(&card, a);
    if (!status)
        status = open_side(&w->side[0], a, card, w, &scores);
    if (!status)
        status = open_side(&w->side[1], b, card, w, &scores);
    if (!status && w->side[0].extract.floats != w->side[1].extract.floats)
        status = graft_fail(GRAFT_ESHAPE, "output 0 has %lld elements for a "
                            "photo in one model, %lld in the other",
                            (long long)w->side[0].extract.floats,
                            (long long)w->side[1].extract.floats);
    if (!status && scores)
        w->c.classes = (int)w->side[0].extract.floats;
    graft_card_free(card);
    return status;
}

/* ---- photos -------------------------------------------------------------- */

static int best(const float *row, int n)
{
    int best = 0;
    for (int i = 1; i < n; i++)
        if (row[i] > row[best])
            best = i;
    return best;
}

static void compare_rows(struct work *w, const float *a, const float *b)
{
    const int64_t n = w->side[0].extract.floats;
    for (int64_t i = 0; i < n; i++) {
        double d = fabs((double)a[i] - (double)b[i]);
        if (!isfinite(a[i]) && !isfinite(b[i]))
            continue; /* where both overflow nothing is to be compared */
        w->c.largest = d > w->c.largest || isnan(d) ? d : w->c.largest;
        w->c.scale = fmax(w->c.scale, fabs((double)a[i]));
        w->sum += d;
    }
    w->c.values += n;
    w->c.photos++;
    if (w->c.classes)
        w->c.changed += best(a, w->c.classes) != best(b, w->c.classes);
}

static int one_batch(struct work *w, const struct graft_dataset *d,
                     int first, int n)
{
    int status = GRAFT_OK;
    for (int k = 0; !status && k < 2; k++) {
        for (int i = 0; i < n; i++)
            w->item[k][i] = (struct graft_load_item){
                .root = d->root, .file = d->photo.at[first + i].file};
        status = graft_extract_rows(&w->side[k].extract, w->item[k], n,
                                    w->side[k].row);
    }
    for (int i = 0; !status && i < n; i++) {
        const struct graft_load_item *item = &w->item[0][i];
        const int64_t at = i * w->side[0].extract.floats;
        if (item->failed && w->o->strict)
            status = graft_fail(GRAFT_EDATA, "'%s' cannot be read: %s",
                                item->file, item->why);
        else if (item->failed || w->item[1][i].failed)
            w->c.skipped++;
        else
            compare_rows(w, w->side[0].row + at, w->side[1].row + at);
    }
    return status;
}

static int all_batches(struct work *w, const struct graft_dataset *d)
{
    if (w->o->strict && d->skipped.n)
        return graft_fail(GRAFT_EDATA, "'%s' cannot be read: %s",
                          d->skipped.at[0].file, d->skipped.at[0].why);
    int a = graft_extract_batch(&w->side[0].extract);
    int b = graft_extract_batch(&w->side[1].extract);
    int batch = a > b ? a : b, n = d->photo.n, status = GRAFT_OK;
    for (int k = 0; k < 2; k++) {
        w->item[k] = graft_calloc((size_t)batch, sizeof **w->item);
        w->side[k].row = graft_calloc(
            (size_t)batch, (size_t)w->side[k].extract.floats *
                               sizeof *w->side[k].row);
        if (!w->item[k] || !w->side[k].row)
            return GRAFT_EMEM;
    }
    for (int first = 0; !status && first < n; first += batch) {
        int count = n - first < batch ? n - first : batch;
        status = one_batch(w, d, first, count);
        if (!status && w->o->progress &&
            w->o->progress(w->o->progress_ctx, "compare", "photos",
                           (uint64_t)(first + count), (uint64_t)n))
            status = graft_fail(GRAFT_ECANCELED, "cancelled");
    }
    return status;
}

int graft_compare_models(struct graft_comparison *out,
                         const struct graft_model *a,
                         const struct graft_model *b, const char *photos,
                         const struct graft_classify_options *o)
{
    struct work w = {.o = o};
    struct graft_dataset *d = NULL;
    int status = open_both(&w, a, b);
    if (!status)
        status = graft_dataset_of_paths(&d, w.side[0].extract.rt, &photos, 1);
    if (!status)
        status = all_batches(&w, d);
    if (!status && !w.c.photos)
        status = graft_fail(GRAFT_EDATA, "'%s' has no photo that can be "
                            "read", photos);
    if (!status) {
        w.c.skipped += d->skipped.n;
        w.c.mean = w.c.values ? w.sum / (double)w.c.values : 0;
        *out = w.c;
    }
    for (int k = 0; k < 2; k++) {
        graft_extract_release(&w.side[k].extract);
        graft_free(w.side[k].row);
        graft_free(w.item[k]);
    }
    graft_dataset_free(d);
    return status;
}
