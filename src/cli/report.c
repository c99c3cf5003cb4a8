/* A report in plain words.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "cli.h"

enum {
    LABEL_WIDTH = 16,   /* columns of a class name in tables */
    MATRIX_MAX = 12,    /* classes whose whole matrix fits a screen */
    MISTAKES_SHOWN = 10,
    SKIPPED_SHOWN = 10
};

static void percent(double part, int width)
{
    if (isnan(part))
        printf("%*s", width, "-");
    else
        printf("%*.1f %%", width - 2, 100 * part);
}

static const char *label(const struct graft_report *r, int k)
{
    return k >= 0 && k < r->n_classes ? r->labels[k] : "?";
}

/* ---- sections ------------------------------------------------------------ */

static void headline(const struct graft_report *r)
{
    printf("accuracy     %d of %d (%.1f %%, 95 %% interval %.1f to "
           "%.1f %%)\n", r->correct, r->total, 100 * r->accuracy,
           100 * r->wilson_low, 100 * r->wilson_high);
    if (!isnan(r->log_loss))
        printf("log loss     %.3g\n", r->log_loss);
    if (r->judged_without_label)
        printf("             %d of them of classes that the model does not "
               "know\n", r->judged_without_label);
}

static void head(const struct graft_report *r)
{
    printf("photos       %d to train", r->n_train);
    if (r->n_train_views > r->n_train)
        printf(" (%d with further views%s%s)", r->n_train_views,
               r->augment ? ": " : "", r->augment ? r->augment : "");
    printf(", %d to judge by%s\n", r->n_val,
           r->split_from_train ? " (split off by seed)" : "");
    printf("features     %s", graft_cli_count(r->features));
    if (r->cut) {
        fputs(", cut at '", stdout);
        graft_cli_put(stdout, r->cut);
        fputs("'", stdout);
    }
    if (!isnan(r->cv_log_loss))
        printf("; L2 %.3g chosen inside train\n"
               "             (cross-validated: %.1f %%, log loss %.3g)\n",
               r->l2, 100 * r->cv_accuracy, r->cv_log_loss);
    else if (!isnan(r->l2))
        printf("; L2 %.3g\n", r->l2);
    else
        putchar('\n');
}

static void normalisations(const struct graft_tuning *t)
{
    if (t->normalisations)
        printf("             statistics of %d normalisations %s\n",
               t->normalisations,
               strcmp(t->bn, "adapt") ? "followed the photos"
                                      : "are those of the photos to train on");
}

/* A line for each way in which photos reached the steps. */
static void recipe(const struct graft_report *r)
{
    const struct graft_tuning *t = r->tuning;
    if (t->fresh_views)
        printf("             each on fresh views (%s)\n",
               r->augment ? r->augment : "crop, flip");
    if (t->mixup > 0)
        printf("             photos mixed in pairs (%g)\n", t->mixup);
    normalisations(t);
}

/* A line for each candidate: what the choice was made from. */
static void tried(const struct graft_tuning *t)
{
    if (t->n_tried)
        printf("             %-12s %8s %6s %6s %10s %8s %10s\n", "tried",
               "rate", "epochs", "photos", "plain head", "tuned",
               "better by");
    for (int i = 0; i < t->n_tried; i++) {
        const struct graft_tried *x = &t->tried[i];
        printf("             %-12s %8.3g ", x->unfreeze, x->learning_rate);
        if (x->skipped)
            printf("%s\n", x->skipped);
        else
            printf("%6d %6d %10.3g %8.3g %10.2g +- %.2g%s\n", x->epochs,
                   x->held_out, x->probe_log_loss, x->log_loss,
                   x->difference, x->standard_error,
                   x->deciding ? ", decides" : "");
    }
}

static void automatic(const struct graft_report *r)
{
    const struct graft_tuning *t = r->tuning;
    puts("tuned        auto: log losses on photos held out");
    recipe(r);
    tried(t);
    if (t->tuned)
        printf("             chosen: %s at rate %.3g (%d parameters, %s "
               "numbers), all photos, %d epochs\n", t->unfreeze,
               t->learning_rate, t->parameters, graft_cli_count(t->elements),
               t->best_epoch);
    else
        printf("             the plain head is kept: %s\n", t->reason);
}

/* Which of the two was written, and both figures that decided it. */
static void tuning(const struct graft_report *r)
{
    const struct graft_tuning *t = r->tuning;
    if (!t)
        return;
    if (t->automatic) {
        automatic(r);
        return;
    }
    fputs("tuned        ", stdout);
    graft_cli_put(stdout, t->unfreeze);
    if (t->freeze) {
        fputs(" without ", stdout);
        graft_cli_put(stdout, t->freeze);
    }
    printf(": %d parameters, %s numbers, %d epochs%s\n", t->parameters,
           graft_cli_count(t->elements), t->epochs,
           t->from_scratch ? " from scratch, all photos" : " tried");
    recipe(r);
    if (t->from_scratch)
        return;
    if (isnan(t->probe_log_loss)) {
        printf("             no photo could be held out to compare with: the "
               "plain head is kept\n");
        return;
    }
    printf("             log loss on %d photos held out: plain head %.3g, "
           "tuned %.3g\n", t->held_out, t->probe_log_loss,
           t->tuned_log_loss);
    if (t->tuned)
        printf("             better by %.2g (standard error %.2g): all "
               "photos, %d epochs\n", t->difference, t->standard_error,
               t->best_epoch);
    else
        printf("             not better by more than its standard error "
               "(%.2g): the plain head is kept\n", t->standard_error);
}

static void pixels(const struct graft_report *r)
{
    if (!r->preprocess)
        return;
    fputs("pixels       ", stdout);
    graft_cli_put(stdout, r->preprocess);
    if (r->preprocess_source) {
        fputs("\n             (", stdout);
        graft_cli_put(stdout, r->preprocess_source);
        fputs(")", stdout);
    }
    fputc('\n', stdout);
}

static int widest_label(const struct graft_report *r)
{
    int widest = 9; /* "precision" */
    for (int k = 0; k < r->n_classes; k++) {
        int n = graft_cli_columns(r->labels[k]);
        widest = n > widest ? n : widest;
    }
    return widest < LABEL_WIDTH ? widest : LABEL_WIDTH;
}

static void matrix(const struct graft_report *r)
{
    int first = widest_label(r), n = r->n_classes;
    printf("\n%*s  said\n", first, "");
    graft_cli_cell(stdout, "truth", first);
    for (int k = 0; k < n; k++) {
        fputs("  ", stdout);
        graft_cli_cell(stdout, r->labels[k], k < n ? -8 : 8);
    }
    printf("  %8s\n", "recall");
    for (int t = 0; t < n; t++) {
        graft_cli_cell(stdout, r->labels[t], first);
        for (int k = 0; k < n; k++)
            printf("  %8d", r->confusion[t * n + k]);
        fputs("  ", stdout);
        percent(r->recall[t], 8);
        fputc('\n', stdout);
    }
    graft_cli_cell(stdout, "precision", first);
    for (int k = 0; k < n; k++) {
        fputs("  ", stdout);
        percent(r->precision[k], 8);
    }
    fputc('\n', stdout);
}

static void class_line(const struct graft_report *r, int t, const int *row)
{
    int most = -1;
    for (int k = 0; k < r->n_classes; k++)
        if (k != t && row[k] > 0 && (most < 0 || row[k] > row[most]))
            most = k;
    graft_cli_cell(stdout, r->labels[t], 24);
    fputs("  ", stdout);
    percent(r->precision[t], 9);
    fputs("  ", stdout);
    percent(r->recall[t], 8);
    if (most >= 0) {
        fputs("  ", stdout);
        graft_cli_name(stdout, r->labels[most]);
        printf(" (%d)", row[most]);
    }
    fputc('\n', stdout);
}

static bool has_photos(const int *row, int n)
{
    for (int k = 0; k < n; k++)
        if (row[k])
            return true;
    return false;
}

static void class_list(const struct graft_report *r)
{
    int n = r->n_classes, without = 0;
    printf("\n");
    graft_cli_cell(stdout, "class", 24);
    printf("  %9s  %8s  most often taken for\n", "precision", "recall");
    for (int t = 0; t < n; t++) {
        const int *row = r->confusion + (size_t)t * (size_t)n;
        if (has_photos(row, n))
            class_line(r, t, row);
        else
            without++;
    }
    if (without)
        printf("(%d class%s without photos left out)\n", without,
               without == 1 ? "" : "es");
}

/* How many a list leaves out, and where they are: in the report's file, one
 * of the lines of r->output, or behind --json. */
static void more(const struct graft_report *r, int n)
{
    static const char end[] = ".report.json";
    size_t tail = sizeof end - 1;
    if (n < 1)
        return;
    for (const char *p = r->output ? r->output : ""; *p;) {
        char name[4096];
        size_t length = strcspn(p, "\n");
        if (length > tail && length < sizeof name &&
            !strncmp(p + length - tail, end, tail)) {
            snprintf(name, sizeof name, "%.*s", (int)length, p);
            printf("  ... and %d more, all in ", n);
            graft_cli_put(stdout, name);
            fputc('\n', stdout);
            return;
        }
        p += length + (p[length] == '\n');
    }
    printf("  ... and %d more (--json names all)\n", n);
}

static void mistakes(const struct graft_report *r)
{
    if (r->n_mistakes < 1)
        return;
    printf("\nmistakes, worst first\n");
    for (int i = 0; i < r->n_mistakes && i < MISTAKES_SHOWN; i++) {
        const struct graft_mistake *m = &r->mistakes[i];
        fputs("  ", stdout);
        graft_cli_path(stdout, m->file);
        fputs(": said ", stdout);
        graft_cli_name(stdout, label(r, m->said));
        printf(" (%.1f %%), is ", 100 * m->p_said);
        graft_cli_name(stdout, label(r, m->truth));
        printf(" (%.1f %%)\n", 100 * m->p_truth);
    }
    more(r, r->n_mistakes - MISTAKES_SHOWN);
}

static void skipped(const struct graft_report *r)
{
    if (r->n_skipped < 1)
        return;
    printf("\nskipped %d file%s\n", r->n_skipped,
           r->n_skipped == 1 ? "" : "s");
    for (int i = 0; i < r->n_skipped && i < SKIPPED_SHOWN; i++) {
        fputs("  ", stdout);
        graft_cli_path(stdout, r->skipped[i].file);
        fputs(": ", stdout);
        graft_cli_put(stdout, r->skipped[i].why);
        fputc('\n', stdout);
    }
    more(r, r->n_skipped - SKIPPED_SHOWN);
}

static void costs(const struct graft_report *r)
{
    printf("\ntime         %.1f s", r->seconds);
    const char *between = ": ";
    for (int i = 0; i < r->n_phases; i++) {
        printf("%s%s %.1f", between, r->phases[i].name, r->phases[i].seconds);
        between = ", ";
    }
    printf("\nmemory       %s at most\n", graft_cli_bytes(r->peak_bytes));
    if (r->photos_decoded == 0)
        printf("cache        no photo was opened: all features were there\n");
}

void graft_cli_report(const struct graft_report *r,
                      enum graft_report_kind kind)
{
    if (kind == GRAFT_REPORT_TRAIN)
        head(r);
    tuning(r);
    pixels(r);
    headline(r);
    if (r->n_classes <= MATRIX_MAX)
        matrix(r);
    else
        class_list(r);
    mistakes(r);
    skipped(r);
    costs(r);
}
