/* graft inspect --unfreeze: what fine-tuning would train, and what a step of it
 * costs; in the words of graft train.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>

#include "cli.h"

const struct graft_option graft_options_unfreeze[] = {
    {.name = "unfreeze", .arg = "WORDS", .take = graft_take_text,
     .slot = GRAFT_SLOT(tune.unfreeze),
     .help = "instead: what 'graft train --unfreeze WORDS' would train, and "
             "what a step costs in memory and, measured, in time"},
    {.name = "freeze", .arg = "WORDS", .take = graft_take_text,
     .slot = GRAFT_SLOT(tune.freeze), .help = "take away from those"},
    {.name = "bn", .arg = "WHAT", .take = graft_take_choice,
     .slot = GRAFT_SLOT(tune.bn), .choices = "frozen stats-frozen train adapt",
     .help = "BatchNormalization: frozen, stats-frozen (its scale and bias "
             "are trained as well), train (it also works by the batch's "
             "statistics), adapt (a step is as with frozen) "
             "(default: frozen)"},
    {.name = "optimizer", .arg = "NAME", .take = graft_take_choice,
     .slot = GRAFT_SLOT(tune.optimizer), .choices = "sgd adamw",
     .help = "sgd, or adamw, which keeps one more number for each that is "
             "trained (default: sgd)"},
    {.name = "ema", .arg = "X", .take = graft_take_real,
     .slot = GRAFT_SLOT(tune.ema), .max = 0.999999,
     .help = "with an average of the parameters (default: 0, none)"},
    {.name = "batch-size", .arg = "N", .take = graft_take_int,
     .slot = GRAFT_SLOT(tune.batch_size), .min = 1, .max = 65536,
     .help = "photos a step; --batch means the same here (default: 32)"},
    {.name = "size", .arg = "WxH", .take = graft_take_extent,
     .slot = GRAFT_SLOT(extent),
     .help = "size of the model's input in pixels (default: the model's)"},
    {.name = "cut", .arg = "VALUE", .take = graft_take_text,
     .slot = GRAFT_SLOT(cut), .help = "where the new head is set on"},
    {.name = NULL},
};

const char *graft_cli_needs_unfreeze(const struct graft_settings *s)
{
    const struct { const char *name; bool given; } option[] = {
        {"cut", s->cut}, {"freeze", s->tune.freeze}, {"bn", s->tune.bn},
        {"optimizer", s->tune.optimizer}, {"ema", s->tune.ema > 0},
        {"batch-size", s->tune.batch_size}, {"size", s->extent.width}};
    for (size_t i = 0; i < sizeof option / sizeof *option; i++)
        if (option[i].given)
            return option[i].name;
    return NULL;
}

static void name_line(const char *what, const char *name)
{
    fputs(what, stdout);
    graft_cli_put(stdout, name);
    fputc('\n', stdout);
}

static void selected(const struct graft_unfreezing *x)
{
    int own = x->parameters - x->head_parameters;
    printf("trained      %d of %d parameters, %s numbers with the new head's "
           "(of 10 classes)\n", own, x->trainable - x->head_parameters,
           graft_cli_count(x->elements));
    name_line("             first: ", x->names[0]);
    if (own > 1)
        name_line("             last:  ", x->names[own - 1]);
    if (x->scaled)
        printf("             %d of them weights: a factor for each output "
               "channel\n", x->scaled);
    if (x->normalisations)
        printf("normalised   %d times in what is trained, --bn %s\n",
               x->normalisations, x->bn);
    printf("stages       %d\n", x->stages);
    printf("frozen part  once a photo, %s numbers at:\n",
           graft_cli_count(x->crossing_elements));
    for (int i = 0; i < x->n_crossing; i++)
        name_line("             ", x->crossing[i]);
}

static void costs(const struct graft_unfreezing *x)
{
    printf("step         %d photos in %.3g s (%.1f photos/s), measured\n",
           x->batch, x->step_seconds,
           x->step_seconds > 0 ? x->batch / x->step_seconds : 0.0);
    printf("memory       %s activations, ",
           graft_cli_bytes((uint64_t)x->activation_bytes));
    printf("%s scratch, ", graft_cli_bytes((uint64_t)x->scratch_bytes));
    printf("%s packed, ", graft_cli_bytes((uint64_t)x->packed_bytes));
    printf("%s trained (%s)\n", graft_cli_bytes((uint64_t)x->trained_bytes),
           x->optimizer);
}

int graft_cli_unfreezing(const struct graft_settings *s)
{
    if (s->batch && s->tune.batch_size)
        return graft_cli_wrong("--batch and --batch-size exclude each other: "
                               "with --unfreeze both are photos a step");
    struct graft_train_options o = GRAFT_TRAIN_OPTIONS;
    struct graft_unfreezing *x = NULL;
    o.model = s->operand[0];
    o.cut = s->cut;
    o.preprocess = graft_cli_preprocess(s);
    o.tune = s->tune;
    if (s->batch)
        o.tune.batch_size = s->batch;
    int status = graft_inspect_train(&x, s->rt, &o);
    if (status)
        return graft_cli_failed(status);
    if (s->json) {
        printf("%s\n", x->json);
    } else {
        name_line("model        ", s->operand[0]);
        selected(x);
        costs(x);
    }
    graft_unfreezing_free(x);
    return GRAFT_EXIT_DONE;
}
