/* What a report owns, and the figures it is made of.
 * SPDX-License-Identifier: Apache-2.0 */
#include "report/report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/status.h"

/* Probabilities below this count as this: one photo cannot make a mean
 * log-loss infinite. */
#define P_MIN 1e-15

int graft_report_new(struct graft_report **out, char *const *labels,
                     int n_classes)
{
    struct graft_report *r = graft_calloc(1, sizeof *r);
    if (!r)
        return GRAFT_EMEM;
    size_t n = (size_t)n_classes;
    r->labels = graft_calloc(n, sizeof *r->labels);
    r->confusion = graft_calloc(n, n * sizeof *r->confusion);
    r->precision = graft_calloc(n, sizeof *r->precision);
    r->recall = graft_calloc(n, sizeof *r->recall);
    int status = r->labels && r->confusion && r->precision && r->recall
                     ? GRAFT_OK : GRAFT_EMEM;
    for (int k = 0; !status && k < n_classes; k++) {
        r->labels[k] = graft_strdup(labels[k]);
        r->n_classes = k + 1;
        status = r->labels[k] ? GRAFT_OK : GRAFT_EMEM;
    }
    if (status) {
        graft_report_free(r);
        return status;
    }
    r->kind = "evaluate";
    r->part = "val";
    r->l2 = r->cv_log_loss = r->cv_accuracy = NAN;
    graft_report_conclude(r);
    *out = r;
    return GRAFT_OK;
}

void graft_report_free(struct graft_report *r)
{
    if (!r)
        return;
    for (int i = 0; r->labels && i < r->n_classes; i++)
        graft_free(r->labels[i]);
    for (int i = 0; i < r->n_mistakes; i++)
        graft_free(r->mistakes[i].file);
    for (int i = 0; i < r->n_skipped; i++) {
        graft_free(r->skipped[i].file);
        graft_free(r->skipped[i].why);
    }
    if (r->tuning) {
        graft_free(r->tuning->unfreeze);
        graft_free(r->tuning->freeze);
        for (int i = 0; i < r->tuning->n_tried; i++)
            graft_free(r->tuning->tried[i].unfreeze);
        graft_free(r->tuning->tried);
    }
    void *owned[] = {r->tuning, r->labels, r->confusion, r->precision,
                     r->recall, r->mistakes, r->skipped, r->phases, r->cut,
                     r->preprocess, r->preprocess_source, r->json, r->output,
                     r->model, r->cv, r->verdict, r->augment};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        graft_free(owned[i]);
    graft_free(r);
}

/* Room for one more in a public array of n: it doubles at powers of two. */
static int room(void **at, int n, size_t size)
{
    if (n & (n - 1))
        return GRAFT_OK;
    void *more = graft_realloc(*at, (n ? 2 * (size_t)n : 1) * size);
    if (!more)
        return GRAFT_EMEM;
    *at = more;
    return GRAFT_OK;
}

int graft_report_skip(struct graft_report *r, const char *file,
                      const char *why)
{
    int status = room((void **)&r->skipped, r->n_skipped,
                      sizeof *r->skipped);
    if (status)
        return status;
    struct graft_skipped *s = &r->skipped[r->n_skipped];
    s->file = graft_strdup(file);
    s->why = graft_strdup(why);
    r->n_skipped++; /* half of it is freed with the report as well */
    return s->file && s->why ? GRAFT_OK : GRAFT_EMEM;
}

int graft_report_phase(struct graft_report *r, const char *name,
                       double seconds)
{
    int status = room((void **)&r->phases, r->n_phases, sizeof *r->phases);
    if (status)
        return status;
    r->phases[r->n_phases++] = (struct graft_phase){name, seconds};
    return GRAFT_OK;
}

/* ---- judging ------------------------------------------------------------- */

int graft_report_judge(struct graft_report *r, const char *file, int truth,
                       const double *p)
{
    int said = 0;
    for (int k = 1; k < r->n_classes; k++)
        if (p[k] > p[said])
            said = k;
    double p_truth = truth < 0 ? 0 : p[truth];
    r->total++;
    if (truth >= 0)
        r->confusion[(int64_t)truth * r->n_classes + said]++;
    else
        r->judged_without_label++;
    double before = r->total > 1 ? r->log_loss : 0;
    double loss = -log(p_truth > P_MIN ? p_truth : P_MIN);
    r->log_loss = before + (loss - before) / r->total;
    if (said == truth) {
        r->correct++;
        return GRAFT_OK;
    }
    int status = room((void **)&r->mistakes, r->n_mistakes,
                      sizeof *r->mistakes);
    char *name = status ? NULL : graft_strdup(file);
    if (!name)
        return GRAFT_EMEM;
    r->mistakes[r->n_mistakes++] = (struct graft_mistake){
        .file = name, .truth = truth, .said = said, .p_said = p[said],
        .p_truth = p_truth};
    return GRAFT_OK;
}

void graft_wilson(int correct, int total, double *low, double *high)
{
    *low = *high = NAN;
    if (total < 1)
        return;
    const double z = 1.959963984540054; /* normal quantile of 0.975 */
    double n = total, p = correct / n;
    double middle = (p + z * z / (2 * n)) / (1 + z * z / n);
    double half = z / (1 + z * z / n) *
                  sqrt(p * (1 - p) / n + z * z / (4 * n * n));
    *low = correct == 0 ? 0 : fmax(0, middle - half);
    *high = correct == total ? 1 : fmin(1, middle + half);
}

static int worst_first(const void *pa, const void *pb)
{
    const struct graft_mistake *a = pa, *b = pb;
    if (a->p_said != b->p_said)
        return a->p_said > b->p_said ? -1 : 1;
    return strcmp(a->file, b->file);
}

void graft_report_conclude(struct graft_report *r)
{
    int64_t n = r->n_classes;
    r->accuracy = r->total ? (double)r->correct / r->total : NAN;
    if (!r->total)
        r->log_loss = NAN;
    graft_wilson(r->correct, r->total, &r->wilson_low, &r->wilson_high);
    for (int64_t k = 0; k < n; k++) {
        int said = 0, truth = 0, hit = r->confusion[k * n + k];
        for (int64_t i = 0; i < n; i++) {
            said += r->confusion[i * n + k];
            truth += r->confusion[k * n + i];
        }
        r->precision[k] = said ? (double)hit / said : NAN;
        r->recall[k] = truth ? (double)hit / truth : NAN;
    }
    if (r->n_mistakes)
        qsort(r->mistakes, (size_t)r->n_mistakes, sizeof *r->mistakes,
              worst_first);
}
