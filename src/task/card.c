/* Reading a card. It comes from a file that anybody may have made: every key
 * that is used is checked.
 * SPDX-License-Identifier: Apache-2.0 */
#include "task/card.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/status.h"

enum { MAX_LABELS = 1000000, MAX_SIDE = 8192 };

static int wrong(const char *where, const char *key, const char *expected)
{
    return graft_fail(GRAFT_EFORMAT, "Graft's card in the model's metadata: "
                      "'%s%s%s' is not %s", where, *where ? "." : "", key,
                      expected);
}

static int get_int(const json_t *o, const char *where, const char *key,
                   json_int_t low, json_int_t high, int *out)
{
    const json_t *j = json_object_get(o, key);
    if (!json_is_integer(j) || json_integer_value(j) < low ||
        json_integer_value(j) > high)
        return wrong(where, key, "a whole number in its range");
    *out = (int)json_integer_value(j);
    return GRAFT_OK;
}

static int get_text(const json_t *o, const char *where, const char *key,
                    const char **out)
{
    const char *s = json_string_value(json_object_get(o, key));
    if (!s)
        return wrong(where, key, "a text");
    *out = s;
    return GRAFT_OK;
}

/* A number, or null for one that could not be had. */
static int get_real(const json_t *o, const char *where, const char *key,
                    double *out)
{
    const json_t *j = json_object_get(o, key);
    if (!json_is_number(j) && !json_is_null(j))
        return wrong(where, key, "a number");
    *out = json_is_null(j) ? NAN : json_number_value(j);
    return GRAFT_OK;
}

/* Number of the word at `key` in `words` (NULL ends). */
static int get_word(const json_t *o, const char *where, const char *key,
                    const char *const *words, int *out)
{
    const char *s = NULL;
    int status = get_text(o, where, key, &s);
    if (status)
        return status;
    for (int i = 0; words[i]; i++)
        if (!strcmp(words[i], s)) {
            *out = i;
            return GRAFT_OK;
        }
    return wrong(where, key, "one of the words for it");
}

static int get_floats(const json_t *o, const char *where, const char *key,
                      float out[3])
{
    const json_t *list = json_object_get(o, key);
    if (!json_is_array(list) || json_array_size(list) != 3)
        return wrong(where, key, "a list of 3 numbers");
    for (size_t i = 0; i < 3; i++) {
        const json_t *j = json_array_get(list, i);
        double x = json_is_number(j) ? json_number_value(j) : NAN;
        if (!(fabs(x) < 1e30))
            return wrong(where, key, "a list of 3 numbers");
        out[i] = (float)x;
    }
    return GRAFT_OK;
}

static int get_preprocess(struct graft_preprocess *p, const json_t *root)
{
    static const char *const orders[] = {"rgb", "bgr", "grey", NULL};
    static const char at[] = "preprocess";
    const json_t *o = json_object_get(root, at);
    int fit = 0, order = 0, status = GRAFT_OK;
    if (!json_is_object(o))
        return wrong("", at, "an object");
    if (!status)
        status = get_int(o, at, "width", 1, MAX_SIDE, &p->width);
    if (!status)
        status = get_int(o, at, "height", 1, MAX_SIDE, &p->height);
    if (!status)
        status = get_int(o, at, "resize", 0, 2 * MAX_SIDE, &p->resize);
    if (!status)
        status = get_word(o, at, "fit", graft_fit_names, &fit);
    if (!status && fit == GRAFT_FIT_CROP && p->resize < 1)
        status = wrong(at, "resize", "at least 1, which fit crop needs");
    if (!status)
        status = get_word(o, at, "order", orders, &order);
    if (!status)
        status = get_floats(o, at, "mean", p->mean);
    if (!status)
        status = get_floats(o, at, "std", p->std);
    for (int i = 0; !status && i < 3; i++)
        if (!(p->std[i] > 0))
            status = wrong(at, "std", "greater than 0");
    const json_t *pad = json_object_get(o, "pad_value");
    double level = pad ? json_number_value(pad) : 0;
    if (!status && ((pad && !json_is_number(pad)) ||
                    !(level >= 0 && level <= 255)))
        status = wrong(at, "pad_value", "a level 0 to 255");
    p->pad_value = (float)level;
    p->fit = (enum graft_fit)fit;
    p->bgr = order == 1;
    p->channels = order == 2 ? 1 : 3;
    return status;
}

static int get_labels(struct graft_card *c, const json_t *root)
{
    const json_t *list = json_object_get(root, "labels");
    size_t n = json_array_size(list);
    if (!json_is_array(list) || n < 1 || n > MAX_LABELS)
        return wrong("", "labels", "a list of labels");
    c->labels = graft_calloc(n, sizeof *c->labels);
    if (!c->labels)
        return GRAFT_EMEM;
    for (size_t i = 0; i < n; i++) {
        const char *s = json_string_value(json_array_get(list, i));
        if (!s)
            return wrong("", "labels", "a list of texts");
        c->labels[i] = graft_strdup(s);
        if (!c->labels[i])
            return GRAFT_EMEM;
        c->n_labels++;
    }
    return GRAFT_OK;
}

static int get_output(struct graft_card *c, const json_t *root)
{
    static const char *const kinds[] = {"probabilities", "logits", NULL};
    const json_t *o = json_object_get(root, "output");
    const char *name = NULL;
    int kind = 0, status = get_text(o, "output", "name", &name);
    if (!status)
        status = get_word(o, "output", "kind", kinds, &kind);
    if (status)
        return status;
    c->logits = kind == 1;
    c->output = graft_strdup(name);
    return c->output ? GRAFT_OK : GRAFT_EMEM;
}

static int get_accuracy(struct graft_card *c, const json_t *root)
{
    static const char *const splits[] = {"folder", "seed", NULL};
    static const char *const decodes[] = {"fast", "exact", NULL};
    static const char at[] = "accuracy";
    const json_t *o = json_object_get(root, at);
    const json_t *seed = json_object_get(root, "seed");
    int split = 0, decode = 0;
    int status = get_int(o, at, "total", 0, INT32_MAX, &c->total);
    if (!status)
        status = get_int(o, at, "correct", 0, c->total, &c->correct);
    if (!status)
        status = get_real(o, at, "value", &c->accuracy);
    if (!status)
        status = get_real(o, at, "log_loss", &c->log_loss);
    if (!status)
        status = get_word(o, at, "split", splits, &split);
    if (!status)
        status = get_word(o, at, "decode", decodes, &decode);
    if (!status && !json_is_integer(seed))
        status = wrong("", "seed", "a whole number");
    c->split_by_seed = split == 1;
    c->exact = decode == 1;
    c->seed = (uint64_t)json_integer_value(seed);
    return status;
}

static int get_task(struct graft_card *c, const json_t *root)
{
    const char *task = NULL;
    int status = get_text(root, "", "task", &task);
    if (status)
        return status;
    c->task = graft_strdup(task);
    return c->task ? GRAFT_OK : GRAFT_EMEM;
}

static int fill(struct graft_card *c, const json_t *root)
{
    const char *schema = NULL;
    int status = json_is_object(root) ? GRAFT_OK
        : graft_fail(GRAFT_EFORMAT, "Graft's card in the model's metadata "
                     "is not an object");
    if (!status)
        status = get_text(root, "", "schema", &schema);
    if (!status && strcmp(schema, "graft-card/1"))
        status = graft_fail(GRAFT_EUNSUPPORTED, "Graft's card in the model's "
                            "metadata has schema '%s'; this version reads "
                            "'graft-card/1'", schema);
    if (!status)
        status = get_task(c, root);
    if (!status)
        status = get_labels(c, root);
    if (!status)
        status = get_preprocess(&c->preprocess, root);
    if (!status)
        status = get_output(c, root);
    if (!status)
        status = get_accuracy(c, root);
    return status;
}

int graft_card_parse(struct graft_card **out, const char *text)
{
    json_error_t error;
    json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, &error);
    if (!root)
        return graft_fail(GRAFT_EFORMAT, "Graft's card in the model's "
                          "metadata: line %d, column %d: %s", error.line,
                          error.column, error.text);
    struct graft_card *c = graft_calloc(1, sizeof *c);
    int status = c ? fill(c, root) : GRAFT_EMEM;
    json_decref(root);
    if (status) {
        graft_card_free(c);
        return status;
    }
    *out = c;
    return GRAFT_OK;
}

int graft_card_of(struct graft_card **out, const struct graft_model *m)
{
    const char *text = graft_metadata_get(m, "graft");
    if (text)
        return graft_card_parse(out, text);
    *out = NULL;
    return GRAFT_OK;
}

void graft_card_free(struct graft_card *c)
{
    if (!c)
        return;
    for (int i = 0; i < c->n_labels; i++)
        graft_free(c->labels[i]);
    graft_free(c->labels);
    graft_free(c->output);
    graft_free(c->task);
    graft_free(c);
}
