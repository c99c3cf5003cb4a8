/* What training and judging have in common: preprocessing, decode, skips.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "report/report.h"
#include "task/classify.h"

enum { SIDE_DEFAULT = 224 };

double graft_clock(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- preprocessing ------------------------------------------------------- */

/* The input that photos are for, as the file states it: [N, C, H, W]; -1
 * where it does not say. */
static int stated_input(int64_t dim[4], const struct graft_model *m)
{
    graft_value_id feed = graft_model_feed(m, 0);
    for (int i = 0; i < 4; i++)
        dim[i] = -1;
    if (feed < 0)
        return graft_fail(GRAFT_EUNSUPPORTED, "'%s' has no input to feed "
                          "photos to", m->path);
    const struct graft_value *v = &m->value.at[feed];
    if (!v->has_shape)
        return GRAFT_OK;
    if (v->rank != 4)
        return graft_fail(GRAFT_ESHAPE, "input '%s' has %d dimensions; a "
                          "photo needs 4: batch, channels, height, width",
                          v->name, v->rank);
    for (int i = 0; i < 4; i++)
        dim[i] = v->dim[i].value;
    if (dim[1] == 1 || dim[1] == 3 || dim[1] < 0)
        return GRAFT_OK;
    if (dim[3] == 3 || dim[3] == 1)
        return graft_fail(GRAFT_EUNSUPPORTED, "input '%s' has its channels "
                          "last; Graft reads models with channels first",
                          v->name);
    return graft_fail(GRAFT_EUNSUPPORTED, "input '%s' has %lld channels; "
                      "photos have 3, or 1 in grey", v->name,
                      (long long)dim[1]);
}

static int64_t or_else(int64_t stated, int64_t fallback)
{
    return stated > 0 ? stated : fallback;
}

static bool gives(const struct graft_preprocess_options *o)
{
    return o->preset || o->width || o->height || o->fit || o->mean ||
           o->std || o->bgr >= 0;
}

static int check_size(const struct graft_preprocess *p, const int64_t dim[4],
                      const struct graft_model *m)
{
    if ((dim[2] < 0 || dim[2] == p->height) &&
        (dim[3] < 0 || dim[3] == p->width) &&
        (dim[1] < 0 || dim[1] == p->channels))
        return GRAFT_OK;
    return graft_fail(GRAFT_ESHAPE, "'%s' wants an input of %lld channels, "
                      "%lld wide and %lld high; the preprocessing gives %d, "
                      "%d, %d", m->path, (long long)dim[1],
                      (long long)dim[3], (long long)dim[2], p->channels,
                      p->width, p->height);
}

static int base_preprocess(struct graft_preprocess *base, const char **from,
                           const int64_t dim[4],
                           const struct graft_card *card)
{
    if (card) {
        *base = card->preprocess;
        *from = "the model's own metadata";
        return GRAFT_OK;
    }
    *from = "assumed: preset imagenet, as the model does not say";
    int status = graft_preprocess_preset(
        base, "imagenet", (int)or_else(dim[3], SIDE_DEFAULT),
        (int)or_else(dim[2], SIDE_DEFAULT));
    base->channels = dim[1] == 1 ? 1 : 3;
    return status;
}

int graft_choose_preprocess(struct graft_preprocess *out,
                            struct graft_str *source,
                            const struct graft_model *m,
                            const struct graft_card *card,
                            const struct graft_preprocess_options *o)
{
    static const struct graft_preprocess_options none =
        GRAFT_PREPROCESS_OPTIONS;
    struct graft_preprocess base, p;
    const char *from = NULL;
    int64_t dim[4];
    int status = stated_input(dim, m);
    if (!status && (dim[2] > INT32_MAX || dim[3] > INT32_MAX))
        status = graft_fail(GRAFT_ELIMIT, "'%s' wants photos of %lld by %lld",
                            m->path, (long long)dim[3], (long long)dim[2]);
    if (!status)
        status = base_preprocess(&base, &from, dim, card);
    if (!status)
        status = graft_preprocess_apply(&p, &base, o ? o : &none);
    if (!status)
        status = check_size(&p, dim, m);
    if (status)
        return status;
    *out = p;
    if (!o || !gives(o))
        graft_str_add(source, from);
    else if (o->preset)
        graft_str_addf(source, "given: preset %s", o->preset);
    else
        graft_str_addf(source, "given in part, the rest: %s", from);
    return GRAFT_OK;
}

int graft_choose_decode(bool *exact, const char *name)
{
    *exact = name && !strcmp(name, "exact");
    if (*exact || !name || !strcmp(name, "fast"))
        return GRAFT_OK;
    return graft_fail(GRAFT_EARG, "decode '%s' is not known; there are fast, "
                      "exact", name);
}

int graft_report_preprocess(struct graft_report *r,
                            const struct graft_preprocess *p,
                            const char *source)
{
    struct graft_str words;
    graft_str_init(&words);
    graft_preprocess_words(p, &words);
    r->preprocess = graft_str_take(&words);
    graft_str_release(&words);
    r->preprocess_source = graft_strdup(source);
    return r->preprocess && r->preprocess_source ? GRAFT_OK : GRAFT_EMEM;
}

/* ---- what was skipped ---------------------------------------------------- */

int graft_report_dataset_skips(struct graft_report *r,
                               const struct graft_dataset *d, int part)
{
    int status = GRAFT_OK;
    for (int i = 0; !status && i < d->skipped.n; i++)
        if (part < 0 || (int)d->skipped.at[i].part == part)
            status = graft_report_skip(r, d->skipped.at[i].file,
                                       d->skipped.at[i].why);
    return status;
}

int graft_report_item_skips(struct graft_report *r,
                            const struct graft_load_item *items, int n,
                            bool strict)
{
    int status = GRAFT_OK;
    for (int i = 0; !status && i < n; i++) {
        if (!items[i].failed || items[i].view)
            continue;
        if (strict)
            return graft_fail(GRAFT_EDATA, "'%s' cannot be read: %s",
                              items[i].file, items[i].why);
        status = graft_report_skip(r, items[i].file, items[i].why);
    }
    return status;
}
