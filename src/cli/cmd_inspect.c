/* graft inspect: what a model is, whether it runs, and where it can be cut.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <string.h>

#include "cli.h"

static const struct graft_option options[] = {
    {.name = "batch", .arg = "N", .take = graft_take_int,
     .slot = GRAFT_SLOT(batch), .min = 1, .max = 4096,
     .help = "photos at a time, for the memory plan (default: 16)"},
    {.name = "plan", .take = graft_take_flag, .slot = GRAFT_SLOT(plan),
     .help = "also list the steps of the plan"},
    {.name = "json", .take = graft_take_flag, .slot = GRAFT_SLOT(json),
     .help = "everything as one JSON object"},
    {.name = NULL},
};

static void shape(int rank, const int64_t *dim, const char *const *symbol)
{
    if (rank < 0) {
        fputs("shape not stated", stdout);
        return;
    }
    fputc('[', stdout);
    for (int i = 0; i < rank; i++) {
        if (i)
            fputc(',', stdout);
        if (dim[i] >= 0)
            printf("%lld", (long long)dim[i]);
        else
            graft_cli_put(stdout, symbol && symbol[i] ? symbol[i] : "?");
    }
    fputc(']', stdout);
}

static void ends(const char *what, const struct graft_io *io, int n)
{
    for (int i = 0; i < n; i++) {
        graft_cli_cell(stdout, i ? "" : what, 13);
        graft_cli_put(stdout, io[i].name);
        printf(" %s ", io[i].dtype);
        shape(io[i].rank, io[i].dim, io[i].symbol);
        fputc('\n', stdout);
    }
}

/* A file that Graft wrote says what it tells apart, and how well. */
static void answers(const struct graft_inspection *x)
{
    enum { SHOWN = 6 };
    if (!x->n_labels)
        return;
    printf("labels       %d: ", x->n_labels);
    for (int i = 0; i < x->n_labels && i < SHOWN; i++) {
        fputs(i ? ", " : "", stdout);
        graft_cli_put(stdout, x->labels[i]);
    }
    fputs(x->n_labels > SHOWN ? ", ...\n" : "\n", stdout);
    if (x->claimed_total > 0)
        printf("accuracy     %d of %d held-out photos (%.1f %%), the file "
               "says\n", x->claimed_correct, x->claimed_total,
               100.0 * x->claimed_correct / x->claimed_total);
}

static void operators(const struct graft_inspection *x)
{
    printf("\n%-24s  %6s  runs\n", "operator", "nodes");
    for (int i = 0; i < x->n_ops; i++) {
        const struct graft_op_use *u = &x->ops[i];
        char name[128];
        snprintf(name, sizeof name, "%s%s%s", u->domain,
                 *u->domain ? "." : "", u->op_type);
        graft_cli_cell(stdout, name, 24);
        printf("  %6d  ", u->nodes);
        if (u->runs == u->nodes) {
            fputs("yes\n", stdout);
            continue;
        }
        if (u->runs)
            printf("%d of them; ", u->runs);
        else
            fputs("no: ", stdout);
        graft_cli_put(stdout, u->why_not ? u->why_not : "");
        fputc('\n', stdout);
    }
}

static void head(const struct graft_inspection *x)
{
    fputs("\nhead         ", stdout);
    if (!x->head_node) {
        fputs("none: a new head goes on the output\n", stdout);
        return;
    }
    printf("%s '", x->head_op ? x->head_op : "");
    graft_cli_put(stdout, x->head_node);
    printf("', %s features to %s classes\n",
           graft_cli_count(x->head_features),
           graft_cli_count(x->head_classes));
}

/* The name stands last and whole: it is what --cut takes. */
static void cuts(const struct graft_inspection *x)
{
    if (!x->n_cuts)
        return;
    printf("\n%8s  %15s  %15s  %-16s  %s\n", "features", "multiply-adds",
           "weights behind", "shape, one photo", "cut (--cut VALUE)");
    for (int i = 0; i < x->n_cuts; i++) {
        const struct graft_cut_info *c = &x->cuts[i];
        char text[200] = "[";
        size_t n = 1;
        for (int k = 0; k < c->rank && n < sizeof text - 24; k++)
            n += (size_t)snprintf(text + n, sizeof text - n, "%s%lld",
                                  k ? "," : "", (long long)c->dim[k]);
        snprintf(text + n, sizeof text - n, "]");
        printf("%8s  %15s  %15s  %-16s  ", graft_cli_count(c->features),
               graft_cli_count(c->macs),
               graft_cli_count(c->parameters_behind), text);
        graft_cli_put(stdout, c->value);
        if (x->head_input && !strcmp(x->head_input, c->value))
            fputs("  <- default", stdout);
        fputc('\n', stdout);
    }
}

static void plan(const struct graft_inspection *x, bool steps)
{
    fputc('\n', stdout);
    if (!x->has_plan) {
        fputs("plan         none: ", stdout);
        graft_cli_put(stdout, x->why_no_plan ? x->why_no_plan : "");
        fputc('\n', stdout);
        return;
    }
    printf("plan         %d photo%s at a time\n", x->plan_batch,
           x->plan_batch == 1 ? "" : "s");
    printf("  activations  %s (largest sum alive: %s",
           graft_cli_bytes((uint64_t)x->activation_bytes),
           graft_cli_bytes((uint64_t)x->live_bytes));
    if (x->live_bytes > 0)
        printf(", %.3f times that",
               (double)x->activation_bytes / (double)x->live_bytes);
    printf(")\n  scratch      %s\n  packed       %s\n",
           graft_cli_bytes((uint64_t)x->scratch_bytes),
           graft_cli_bytes((uint64_t)x->packed_bytes));
    if (steps && x->plan_text) {
        fputc('\n', stdout);
        graft_cli_lines(stdout, x->plan_text);
    }
}

static void in_words(const struct graft_settings *s,
                     const struct graft_inspection *x)
{
    fputs("model        ", stdout);
    graft_cli_put(stdout, s->operand[0]);
    printf("\nformat       ONNX IR %lld, opset %lld", (long long)x->ir_version,
           (long long)x->opset);
    if (x->producer && *x->producer) {
        fputs(", by ", stdout);
        graft_cli_put(stdout, x->producer);
    }
    fputc('\n', stdout);
    ends("input", x->inputs, x->n_inputs);
    ends("output", x->outputs, x->n_outputs);
    answers(x);
    if (x->fixed_batch)
        printf("batch        fixed at %d by the file\n", x->fixed_batch);
    printf("size         %s parameters (%s), %s multiply-adds a photo\n",
           graft_cli_count(x->parameters),
           graft_cli_bytes((uint64_t)x->parameter_bytes),
           graft_cli_count(x->macs));
    if (x->preprocess) {
        fputs("pixels       ", stdout);
        graft_cli_put(stdout, x->preprocess);
        if (x->preprocess_source) {
            fputs("\n             (", stdout);
            graft_cli_put(stdout, x->preprocess_source);
            fputs(")", stdout);
        }
        fputc('\n', stdout);
    }
    operators(x);
    head(x);
    cuts(x);
    plan(x, s->plan);
}

static int run(struct graft_settings *s)
{
    if (s->tune.unfreeze)
        return graft_cli_unfreezing(s);
    const char *alone = graft_cli_needs_unfreeze(s);
    if (alone)
        return graft_cli_wrong("--%s needs --unfreeze, which says what is "
                               "trained", alone);
    graft_model *m = NULL;
    struct graft_inspection *x = NULL;
    int status = graft_model_open(&m, s->rt, s->operand[0]);
    if (!status)
        status = graft_inspect(&x, m, s->batch);
    if (!status && s->json)
        printf("%s\n", x->json);
    else if (!status)
        in_words(s, x);
    graft_inspection_free(x);
    graft_model_free(m);
    return status ? graft_cli_failed(status) : GRAFT_EXIT_DONE;
}

extern const struct graft_command graft_cmd_inspect;
const struct graft_command graft_cmd_inspect = {
    .name = "inspect",
    .summary = "shows what a model is, whether it runs, where to cut it",
    .usage = "MODEL [options]",
    .about =
        "Shows inputs and outputs, every operator and whether Graft runs it,\n"
        "parameters and multiply-adds, the head that training replaces, the\n"
        "values that 'graft train --cut' takes, and the memory that a run\n"
        "needs.\n",
    .example = "graft inspect mobilenetv2.onnx\n"
               "graft inspect mobilenetv2.onnx --unfreeze last-stage\n"
               "graft inspect resnet50.onnx --unfreeze all --bn train "
               "--optimizer adamw\n",
    .min_operands = 1, .max_operands = 1,
    .group = {{"options", options},
              {"what fine-tuning would cost", graft_options_unfreeze},
              {"model", graft_options_model},
              {"everywhere", graft_options_common}},
    .run = run,
};
