/* Fine-tuning: what was asked for, and what was left open.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "task/tune.h"

enum { EPOCHS = 15, SCRATCH_EPOCHS = 30, BATCH = 32, PATIENCE = 5 };
#define AUTO_SECONDS 600.0

bool graft_tune_wanted(const struct graft_tune_options *o)
{
    return (o->unfreeze && strcmp(o->unfreeze, "none")) || o->from_scratch;
}

bool graft_tune_is_auto(const struct graft_tune_options *o)
{
    return o->unfreeze && !strcmp(o->unfreeze, "auto");
}

/* The rate grows with the batch, whose gradient is the more certain the larger
 * it is. */
struct graft_tune_options graft_tune_choose(const struct graft_tune_options *o)
{
    struct graft_tune_options c = *o;
    c.unfreeze = o->from_scratch ? "all" : o->unfreeze;
    c.optimizer = o->optimizer ? o->optimizer : "sgd";
    c.schedule = o->schedule ? o->schedule : "cosine";
    c.batch_size = o->batch_size ? o->batch_size : BATCH;
    c.epochs = o->epochs ? o->epochs
                         : o->from_scratch ? SCRATCH_EPOCHS : EPOCHS;
    if (graft_tune_is_auto(o) && !(o->seconds > 0))
        c.seconds = AUTO_SECONDS;
    c.momentum = o->momentum < 0 ? 0.9 : o->momentum;
    c.weight_decay = o->weight_decay >= 0 ? o->weight_decay
                                          : o->from_scratch ? 5e-4 : 1e-4;
    c.layer_decay = o->layer_decay > 0 ? o->layer_decay : 1;
    c.clip = o->clip < 0 ? 5 : o->clip;
    c.patience = o->patience ? o->patience : PATIENCE;
    const bool sgd = !strcmp(c.optimizer, "sgd");
    if (!(o->learning_rate > 0) && o->from_scratch)
        c.learning_rate = (sgd ? 5e-2 : 2e-3) * c.batch_size / 32;
    else if (!(o->learning_rate > 0))
        c.learning_rate = (sgd ? 1e-3 : 1e-4) * c.batch_size / 32;
    if (o->warmup < 0)
        c.warmup = c.epochs < 5 ? 0.2 * c.epochs : 1;
    return c;
}

static int check_word(const char *what, const char *word,
                      const char *const *known, const char *list)
{
    for (int i = 0; word && known[i]; i++)
        if (!strcmp(known[i], word))
            return GRAFT_OK;
    return word ? graft_fail(GRAFT_EARG, "no %s is called '%s'; there are %s",
                             what, word, list)
                : GRAFT_OK;
}

static int check_number(const char *what, double x, double low, double high)
{
    return x >= low && x <= high
        ? GRAFT_OK
        : graft_fail(GRAFT_EARG, "%s: %g does not lie between %g and %g",
                     what, x, low, high);
}

static bool has_word(const char *words, const char *word)
{
    const size_t n = strlen(word);
    for (const char *at = words; at; at = strchr(at, ',')) {
        at += *at == ',';
        if (!strncmp(at, word, n) && (!at[n] || at[n] == ','))
            return true;
    }
    return false;
}

int graft_tune_check(const struct graft_tune_options *o)
{
    static const char *const optimizers[] = {"sgd", "adamw", NULL};
    static const char *const schedules[] = {"cosine", "linear", "constant",
                                            NULL};
    enum graft_norms norms;
    int status = graft_norms_of(&norms, o->bn);
    if (!status)
        status = graft_tune_check_scratch(o, norms);
    if (status)
        return status;
    if (!graft_tune_wanted(o) && norms != GRAFT_NORMS_FROZEN &&
        norms != GRAFT_NORMS_ADAPT)
        return graft_fail(GRAFT_EARG, "bn %s belongs to fine-tuning: unfreeze "
                          "says what is trained", o->bn);
    if (!graft_tune_wanted(o))
        return o->resume || o->freeze || o->mixup > 0
            ? graft_fail(GRAFT_EARG, "%s belongs to fine-tuning: unfreeze "
                         "says what is trained",
                         o->resume ? "resume" : o->freeze ? "freeze"
                                                          : "mixup")
            : GRAFT_OK;
    const struct graft_tune_options c = graft_tune_choose(o);
    if (!graft_tune_is_auto(o) && has_word(o->unfreeze, "auto"))
        return graft_fail(GRAFT_EARG, "unfreeze '%s': auto stands alone, it "
                          "chooses the words", o->unfreeze);
    const struct { const char *what; double x, low, high; } range[] = {
        {"epochs", o->epochs, 0, GRAFT_EPOCHS_MAX},
        {"batch_size", o->batch_size, 0, 65536},
        {"learning_rate", c.learning_rate, 0, 1000},
        {"momentum", c.momentum, 0, 0.9999},
        {"weight_decay", c.weight_decay, 0, 1000},
        {"warmup", c.warmup, 0, 100000},
        {"layer_decay", c.layer_decay, 1e-6, 1},
        {"clip", c.clip, 0, 1e12},
        {"label_smoothing", c.label_smoothing, 0, 1},
        {"ema", c.ema, 0, 0.999999},
        {"mixup", c.mixup, 0, 100},
        {"seconds", c.seconds, 0, 1e12}};
    status = check_word("optimizer", o->optimizer, optimizers, "sgd, adamw");
    if (!status)
        status = check_word("schedule", o->schedule, schedules,
                            "cosine, linear, constant");
    for (size_t i = 0; !status && i < sizeof range / sizeof *range; i++)
        status = check_number(range[i].what, range[i].x, range[i].low,
                              range[i].high);
    if (!status && strcmp(c.schedule, "constant") && c.warmup >= c.epochs)
        status = graft_fail(GRAFT_EARG, "%g epochs of warm-up leave nothing "
                            "of %d epochs for the schedule '%s'", c.warmup,
                            c.epochs, c.schedule);
    return status;
}
