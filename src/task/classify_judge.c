/* graft_evaluate and graft_verify: a classifier on a folder of photos.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "report/report.h"
#include "task/classify_use.h"

struct judging {
    struct graft_runtime *rt;
    const struct graft_classify_options *o;
    struct graft_classifier *c;
    struct graft_dataset *data;
    int part;          /* enum graft_part; -1: all photos */
    int *class_of;     /* [data classes] class of the model, -1: none */
    struct graft_report *report;
    double started, phase;
};

static const char *const part_names[] = {"train", "val", "test"};

/* ---- which photos -------------------------------------------------------- */

static int open_data(struct judging *g, struct graft_runtime *rt,
                     const char *folder, uint64_t seed)
{
    struct graft_dataset_options o = {.seed = seed, .any_use = true};
    if (!folder)
        return graft_fail(GRAFT_EARG, "no folder of photos was given");
    return graft_dataset_open_with(&g->data, rt, folder, &o);
}

/* Opening splits val off where there is none and warns of classes that got
 * none of it, before it is known whether that val is used: not to be heard.
 * The rest of the runtime is the same. */
static int open_data_quietly(struct judging *g, const char *folder)
{
    struct graft_runtime quiet = {
        .pool = g->rt->pool, .isa = g->rt->isa,
        .memory_limit = g->rt->memory_limit, .cache_max = g->rt->cache_max,
        .cache_dir = g->rt->cache_dir};
    int status = open_data(g, &quiet, folder,
                           g->c->card ? g->c->card->seed : 0);
    return status ? status : graft_runtime_check(g->rt);
}

static bool has_only_train(const struct graft_dataset *d)
{
    bool only = d->photo.n > 0;
    for (int i = 0; only && i < d->photo.n; i++)
        only = !strncmp(d->photo.at[i].file, "train/", 6);
    return only;
}

/* A folder val, else a folder test. Else, of plain class folders, the photos
 * that the model's own training split off; where that is not known, all. */
static void choose_part(struct judging *g)
{
    const struct graft_dataset *d = g->data;
    const struct graft_card *card = g->c->card;
    int val = graft_dataset_count(d, GRAFT_VAL);
    g->part = val && !d->split ? GRAFT_VAL
            : graft_dataset_count(d, GRAFT_TEST) ? GRAFT_TEST : -1;
    if (g->part >= 0)
        return;
    if (val && card && card->split_by_seed && !has_only_train(d)) {
        g->part = GRAFT_VAL;
        graft_log(g->rt, GRAFT_LOG_INFO, "judged are %d of the %d photos: "
                  "the part that training split off by seed %llu", val,
                  d->photo.n, (unsigned long long)card->seed);
        return;
    }
    graft_log(g->rt, GRAFT_LOG_WARNING, "'%s' has no val and no test folder, "
              "so all its photos are judged; the model may have learnt from "
              "them, and then the accuracy says little about new photos",
              d->root);
}

static bool is_judged(const struct judging *g, int photo)
{
    return g->part < 0 || (int)g->data->photo.at[photo].part == g->part;
}

static int match_classes(struct judging *g)
{
    int matched = 0;
    g->class_of = graft_calloc((size_t)g->data->n_classes,
                               sizeof *g->class_of);
    if (!g->class_of)
        return GRAFT_EMEM;
    for (int k = 0; k < g->data->n_classes; k++) {
        g->class_of[k] = -1;
        for (int i = 0; i < g->c->classes; i++)
            if (!strcmp(g->data->label[k], g->c->label[i]))
                g->class_of[k] = i;
        matched += g->class_of[k] >= 0;
    }
    if (matched)
        return GRAFT_OK;
    if (g->c->numbered)
        return graft_fail(GRAFT_EDATA, "'%s' has no labels, so its %d "
                          "classes cannot be matched to folders such as "
                          "'%s'; give a file of labels",
                          g->c->model->path, g->c->classes,
                          g->data->label[0]);
    return graft_fail(GRAFT_EDATA, "no class folder of '%s' is a label of "
                      "'%s': '%s', ... here, '%s', ... there",
                      g->data->root, g->c->model->path, g->data->label[0],
                      g->c->label[0]);
}

/* ---- judging ------------------------------------------------------------- */

static int judge_rows(struct judging *g, const struct graft_load_item *items,
                      const int *label, int n, const float *rows)
{
    int classes = g->c->classes;
    double *p = graft_calloc((size_t)classes, sizeof *p);
    int status = p ? graft_report_item_skips(g->report, items, n,
                                             g->o->strict) : GRAFT_EMEM;
    for (int i = 0; !status && i < n; i++) {
        if (items[i].failed)
            continue;
        graft_classifier_answer(g->c, rows + (int64_t)i * classes, p);
        status = graft_report_judge(g->report, items[i].file,
                                    g->class_of[label[i]], p);
    }
    graft_report_conclude(g->report);
    graft_free(p);
    if (!status && !g->report->total)
        status = graft_fail(GRAFT_EDATA, "'%s' has no photo to judge by that "
                            "can be read", g->data->root);
    return status;
}

static int judge(struct judging *g)
{
    size_t n = (size_t)g->data->photo.n + 1, classes = (size_t)g->c->classes;
    struct graft_load_item *items = graft_calloc(n, sizeof *items);
    int *label = graft_calloc(n, sizeof *label), count = 0;
    float *rows = graft_calloc(n, classes * sizeof *rows);
    int status = items && label && rows ? GRAFT_OK : GRAFT_EMEM;
    for (int i = 0; !status && i < g->data->photo.n; i++) {
        if (!is_judged(g, i))
            continue;
        label[count] = g->data->photo.at[i].label;
        items[count++] = (struct graft_load_item){
            .root = g->data->root, .file = g->data->photo.at[i].file};
    }
    g->c->extract.progress = g->o->progress;
    g->c->extract.progress_ctx = g->o->progress_ctx;
    g->c->extract.phase = "photos";
    if (!status)
        status = graft_extract_rows(&g->c->extract, items, count, rows);
    if (!status)
        status = judge_rows(g, items, label, count, rows);
    graft_free(items);
    graft_free(label);
    graft_free(rows);
    return status;
}

static int timed(struct judging *g, const char *name)
{
    double now = graft_clock(), spent = now - g->phase;
    g->phase = now;
    return graft_report_phase(g->report, name, spent);
}

static int fill(struct judging *g, const char *kind)
{
    struct graft_report *r = g->report;
    r->kind = kind;
    r->part = g->part < 0 ? "all" : part_names[g->part];
    r->n_val = r->total;
    r->split_from_train = g->part == GRAFT_VAL && g->data->split;
    r->photos_decoded = g->c->extract.decoded;
    r->model = graft_strdup(graft_path_base(g->c->model->path));
    int status = r->model
        ? graft_report_preprocess(r, &g->c->extract.preprocess,
                                  g->c->source.at) : GRAFT_EMEM;
    r->peak_bytes = graft_peak_memory();
    r->seconds = graft_clock() - g->started;
    return status;
}

/* With model, folder and part chosen. */
static int run(struct judging *g, const char *kind)
{
    int status = match_classes(g);
    if (!status)
        status = graft_report_new(&g->report, g->c->label, g->c->classes);
    if (!status)
        status = graft_report_dataset_skips(g->report, g->data, g->part);
    if (!status && g->o->strict && g->report->n_skipped)
        status = graft_fail(GRAFT_EDATA, "'%s' cannot be used: %s",
                            g->report->skipped[0].file,
                            g->report->skipped[0].why);
    if (!status)
        status = timed(g, "open");
    if (!status)
        status = judge(g);
    if (!status)
        status = timed(g, "photos");
    return status ? status : fill(g, kind);
}

static int finish(struct judging *g, struct graft_report **out, int status)
{
    graft_dataset_free(g->data);
    graft_classifier_free(g->c);
    graft_free(g->class_of);
    if (status && status != GRAFT_EMISMATCH) {
        graft_report_free(g->report);
        return status;
    }
    *out = g->report;
    return status;
}

int graft_classify_evaluate(struct graft_report **out,
                            struct graft_runtime *rt, const char *model,
                            const char *data,
                            const struct graft_classify_options *o)
{
    struct judging g = {.rt = rt, .o = o, .started = graft_clock()};
    g.phase = g.started;
    int status = graft_classifier_open(&g.c, rt, model, o);
    if (!status)
        status = open_data_quietly(&g, data);
    if (!status) {
        choose_part(&g);
        status = run(&g, "evaluate");
    }
    if (!status)
        status = graft_report_set_json(g.report);
    return finish(&g, out, status);
}

/* ---- verifying ----------------------------------------------------------- */

/* The photos that the card speaks of. */
static int claimed_photos(struct judging *g, const char *folder)
{
    const struct graft_card *card = g->c->card;
    if (!card)
        return graft_fail(GRAFT_EDATA, "'%s' was not made by Graft: it has no "
                          "card, so it claims nothing to verify",
                          g->c->model->path);
    int status = open_data(g, g->rt, folder, card->seed);
    if (status)
        return status;
    g->part = GRAFT_VAL;
    if (card->split_by_seed != g->data->split ||
        !graft_dataset_count(g->data, GRAFT_VAL))
        return graft_fail(GRAFT_EDATA, "'%s' was judged on %s; '%s' has %s",
                          g->c->model->path, card->split_by_seed
                              ? "a part split off by seed" : "a val folder",
                          folder, g->data->split ? "no val folder"
                              : graft_dataset_count(g->data, GRAFT_VAL)
                                    ? "a val folder" : "no val folder");
    return GRAFT_OK;
}

static bool is_near(double a, double b, double relative, double absolute)
{
    double gap = fabs(a - b); /* NaN is near nothing */
    return gap <= absolute || gap <= relative * fabs(b);
}

/* Each claim that does not hold adds its words. */
static bool check_claims(const struct graft_report *r,
                         const struct graft_card *card, struct graft_str *s)
{
    double value = (double)card->correct / (card->total ? card->total : 1);
    bool counts = r->correct == card->correct && r->total == card->total;
    bool values = is_near(card->accuracy, value, 0, 1e-6);
    bool losses = is_near(r->log_loss, card->log_loss, 1e-3, 1e-4);
    graft_str_addf(s, "%d of %d claimed, %d of %d measured%s", card->correct,
                   card->total, r->correct, r->total,
                   r->total == card->total ? ""
                       : ": these are not the same photos");
    if (!values)
        graft_str_addf(s, "; accuracy %.6g claimed, which is not %d of %d",
                       card->accuracy, card->correct, card->total);
    if (!losses && r->total == card->total)
        graft_str_addf(s, "; log loss %.6g claimed, %.6g measured",
                       card->log_loss, r->log_loss);
    return counts && values && losses;
}

static int compare(struct judging *g)
{
    struct graft_report *r = g->report;
    struct graft_str s;
    graft_str_init(&s);
    r->claimed_correct = g->c->card->correct;
    r->claimed_total = g->c->card->total;
    r->verified = check_claims(r, g->c->card, &s);
    r->verdict = graft_str_take(&s);
    graft_str_release(&s);
    int status = r->verdict ? graft_report_set_json(r) : GRAFT_EMEM;
    if (!status && !r->verified)
        status = graft_fail(GRAFT_EMISMATCH, "'%s': %s", g->c->model->path,
                            r->verdict);
    return status;
}

int graft_classify_verify(struct graft_report **out, struct graft_runtime *rt,
                          const char *model, const char *data,
                          const struct graft_classify_options *o)
{
    struct judging g = {.rt = rt, .o = o, .started = graft_clock()};
    g.phase = g.started;
    int status = graft_classifier_open(&g.c, rt, model, o);
    if (!status)
        status = claimed_photos(&g, data);
    if (!status)
        status = run(&g, "verify");
    if (!status)
        status = compare(&g);
    return finish(&g, out, status);
}
