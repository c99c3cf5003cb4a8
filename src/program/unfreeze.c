/* Selecting parameters by words (unfreeze.h).
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/glob.h"
#include "base/str.h"
#include "program/unfreeze_impl.h"

enum { WORD = 256 }; /* bytes of a word, at most */

/* ---- words --------------------------------------------------------------- */

static int word_none(struct graft_choosing *x, const char *arg)
{
    (void)x, (void)arg;
    return GRAFT_OK;
}

static int word_all(struct graft_choosing *x, const char *arg)
{
    (void)arg;
    for (int t = 0; t < x->all.n; t++)
        x->chosen[t] = true;
    return GRAFT_OK;
}

static int word_last(struct graft_choosing *x, const char *arg)
{
    (void)arg;
    return graft_choose_stages(x, 1);
}

static int word_stages(struct graft_choosing *x, const char *arg)
{
    char *end;
    long long n = strtoll(arg, &end, 10);
    if (*end || end == arg)
        return graft_fail(GRAFT_EARG, "%s: '%s' is no number of stages",
                          x->word, arg);
    return graft_choose_stages(x, n);
}

static int word_from(struct graft_choosing *x, const char *arg)
{
    graft_value_id v = graft_value_find(x->m, arg);
    if (v < 0)
        return graft_fail(GRAFT_ENOTFOUND, "%s: '%s' has no value '%s'; "
                          "`graft inspect` lists its cuts", x->word,
                          x->m->path, arg);
    if (graft_parameter(x->m, v))
        return graft_fail(GRAFT_EARG, "%s: '%s' is a parameter; say name:%s",
                          x->word, arg, arg);
    graft_choose_from(x, v);
    return GRAFT_OK;
}

static int word_name(struct graft_choosing *x, const char *arg)
{
    for (int t = 0; t < x->all.n; t++)
        x->chosen[t] |= graft_glob(arg,
                                   x->m->value.at[x->all.value[t]].name);
    return GRAFT_OK;
}

/* Is parameter v read where `is` says? */
static bool has_role(const struct graft_choosing *x, graft_value_id v,
                     bool (*is)(const struct graft_op *op, int input))
{
    for (int i = 0; i < x->m->node.n; i++) {
        const struct graft_node *node = &x->m->node.at[i];
        const struct graft_op *op = NULL;
        for (int k = 0; !node->removed && k < node->n_in; k++) {
            if (node->in[k] != v)
                continue;
            if (!op)
                op = graft_op_find(node->domain, node->op_type,
                                   graft_opset_of(x->m, node->domain));
            if (op && is(op, k))
                return true;
        }
    }
    return false;
}

static bool adds(const struct graft_op *op, int input)
{
    return (op->flags & GRAFT_OP_EPILOGUE && !op->affine && input == 2) ||
           op->flags & GRAFT_OP_RESIDUAL;
}

static bool normalises(const struct graft_op *op, int input)
{
    return op->affine && input > 0;
}

static int choose_role(struct graft_choosing *x,
                       bool (*is)(const struct graft_op *op, int input))
{
    for (int t = 0; t < x->all.n; t++)
        x->chosen[t] |= has_role(x, x->all.value[t], is);
    return GRAFT_OK;
}

static int word_bias(struct graft_choosing *x, const char *arg)
{
    (void)arg;
    return choose_role(x, adds);
}

static int word_norm(struct graft_choosing *x, const char *arg)
{
    (void)arg;
    return choose_role(x, normalises);
}

static int word_scale_shift(struct graft_choosing *x, const char *arg)
{
    (void)arg;
    graft_choose_scales(x);
    return GRAFT_OK;
}

static const struct word {
    const char *name; /* ends in ':' where an argument follows */
    int (*choose)(struct graft_choosing *x, const char *arg);
} words[] = {{"none", word_none},      {"all", word_all},
             {"last-stage", word_last}, {"stages:", word_stages},
             {"from:", word_from},      {"name:", word_name},
             {"bias", word_bias},       {"norm", word_norm},
             {"scale-shift", word_scale_shift}};

static int unknown_word(const char *given)
{
    struct graft_str list;
    graft_str_init(&list);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        graft_str_addf(&list, "%s%s", i ? ", " : "", words[i].name);
    int status = graft_str_ok(&list);
    if (!status)
        status = graft_fail(GRAFT_EARG, "'%s' is no word for parameters; "
                            "there are %s", given, list.at);
    graft_str_release(&list);
    return status;
}

static int read_word(struct graft_choosing *x, const char *given)
{
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t n = strlen(words[i].name);
        bool argument = words[i].name[n - 1] == ':';
        if (argument ? !strncmp(given, words[i].name, n)
                     : !strcmp(given, words[i].name)) {
            x->word = given;
            return words[i].choose(x, given + n);
        }
    }
    return unknown_word(given);
}

static int count_chosen(const struct graft_choosing *x)
{
    int n = 0;
    for (int t = 0; t < x->all.n; t++)
        n += x->chosen[t] || x->scaled[t];
    return n;
}

/* Marks in x->chosen and x->scaled what `text` says. */
static int read_words(struct graft_choosing *x, const char *text)
{
    memset(x->chosen, 0, (size_t)x->all.n * sizeof *x->chosen);
    memset(x->scaled, 0, (size_t)x->all.n * sizeof *x->scaled);
    for (const char *at = text; ; at++) {
        size_t n = strcspn(at, ",");
        char word[WORD];
        if (n >= sizeof word)
            return graft_fail(GRAFT_ELIMIT, "a word for parameters of %zu "
                              "bytes", n);
        memcpy(word, at, n);
        word[n] = 0;
        int before = count_chosen(x), status = read_word(x, word);
        if (status)
            return status;
        if (count_chosen(x) == before && strcmp(word, "none") && !before)
            return graft_fail(GRAFT_ENOTFOUND, "'%s' selects no parameter of "
                              "'%s'", word, x->m->path);
        at += n;
        if (!*at)
            return GRAFT_OK;
    }
}

/* ---- all of it ----------------------------------------------------------- */

/* What is kept of each trainable. */
struct kept {
    bool all, scale;
};

static int gather(struct graft_unfrozen *out, const struct graft_choosing *x,
                  const struct kept *keep)
{
    out->value = graft_calloc((size_t)x->all.n + 1, sizeof *out->value);
    out->scale = graft_calloc((size_t)x->all.n + 1, sizeof *out->scale);
    if (!out->value || !out->scale)
        return GRAFT_EMEM;
    out->trainable = x->all.n;
    out->stages = x->n_stages;
    for (int t = 0; t < x->all.n; t++) {
        graft_value_id v = x->all.value[t];
        const struct graft_shape *s = &graft_parameter(x->m, v)->shape;
        out->all += graft_shape_count(s);
        if (!keep[t].all && !keep[t].scale)
            continue;
        out->elements += keep[t].all ? graft_shape_count(s) : s->dim[0];
        out->scale[out->n] = !keep[t].all;
        out->value[out->n++] = v;
    }
    return GRAFT_OK;
}

static int choose(struct graft_unfrozen *out, struct graft_choosing *x,
                  const char *unfreeze, const char *freeze)
{
    size_t n = (size_t)x->all.n + 1;
    struct kept *keep = graft_calloc(n, sizeof *keep);
    x->chosen = graft_calloc(n, sizeof *x->chosen);
    x->scaled = graft_calloc(n, sizeof *x->scaled);
    x->below = graft_calloc((size_t)x->m->value.n + 1, sizeof *x->below);
    bool room = keep && x->chosen && x->scaled && x->below;
    int status = room ? graft_find_stages(x) : GRAFT_EMEM;
    if (!status)
        status = read_words(x, unfreeze);
    for (int t = 0; !status && t < x->all.n; t++)
        keep[t] = (struct kept){x->chosen[t], x->scaled[t]};
    if (!status && freeze)
        status = read_words(x, freeze);
    for (int t = 0; !status && freeze && t < x->all.n; t++) {
        keep[t].all &= !x->chosen[t];
        keep[t].scale &= !x->chosen[t] && !x->scaled[t];
    }
    if (!status)
        status = gather(out, x, keep);
    graft_free(keep);
    return status;
}

int graft_unfreeze(struct graft_unfrozen *out, struct graft_runtime *rt,
                   const struct graft_compile *c, const char *unfreeze,
                   const char *freeze)
{
    struct graft_choosing x = {.m = c->model};
    struct graft_unfrozen found = {0};
    int status = graft_survey_new(&x.survey, c->model, rt);
    if (!status)
        status = graft_trainables_find(&x.all, rt, c);
    if (!status)
        status = choose(&found, &x, unfreeze, freeze);
    graft_trainables_release(&x.all);
    graft_survey_free(x.survey);
    graft_free(x.level);
    graft_free(x.stage);
    graft_free(x.below);
    graft_free(x.chosen);
    graft_free(x.scaled);
    if (status) {
        graft_unfrozen_release(&found);
        return status;
    }
    *out = found;
    return GRAFT_OK;
}

void graft_unfrozen_release(struct graft_unfrozen *x)
{
    graft_free(x->value);
    graft_free(x->scale);
    *x = (struct graft_unfrozen){0};
}
