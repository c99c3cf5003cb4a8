/* A classifier that is opened: its labels, input and answers.
 * SPDX-License-Identifier: Apache-2.0 */
#include "task/classify_use.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "onnx/onnx.h"
#include "program/survey.h"

enum { LABELS_MAX_BYTES = 64 << 20 };

/* ---- labels -------------------------------------------------------------- */

static int add_label(struct graft_classifier *c, const char *text, size_t n)
{
    if (c->n_labels == c->classes)
        return graft_fail(GRAFT_EDATA, "there are more labels than the %d "
                          "classes of '%s'", c->classes, c->model->path);
    c->label[c->n_labels] = graft_strndup(text, n);
    return c->label[c->n_labels++] ? GRAFT_OK : GRAFT_EMEM;
}

static int labels_of_file(struct graft_classifier *c, const char *path)
{
    uint8_t *bytes = NULL;
    uint64_t size = 0;
    int status = graft_file_read(&bytes, &size, path, LABELS_MAX_BYTES);
    for (uint64_t at = 0; !status && at < size;) {
        const char *line = (const char *)bytes + at;
        const char *end = memchr(line, '\n', (size_t)(size - at));
        size_t n = end ? (size_t)(end - line) : (size_t)(size - at);
        at += n + 1;
        while (n && (line[n - 1] == '\r' || line[n - 1] == ' '))
            n--;
        if (memchr(line, '\0', n))
            status = graft_fail(GRAFT_EFORMAT, "'%s' is not a file of "
                                "labels, one a line", path);
        else
            status = add_label(c, line, n);
    }
    graft_free(bytes);
    if (!status && c->n_labels != c->classes)
        status = graft_fail(GRAFT_EDATA, "'%s' has %d labels, the model %d "
                            "classes", path, c->n_labels, c->classes);
    return status;
}

static int labels_of_card(struct graft_classifier *c)
{
    if (c->card->n_labels != c->classes)
        return graft_fail(GRAFT_EFORMAT, "'%s': its card has %d labels, its "
                          "output %d classes", c->model->path,
                          c->card->n_labels, c->classes);
    int status = GRAFT_OK;
    for (int i = 0; !status && i < c->classes; i++)
        status = add_label(c, c->card->labels[i],
                           strlen(c->card->labels[i]));
    return status;
}

static int numbers_as_labels(struct graft_classifier *c)
{
    int status = GRAFT_OK;
    c->numbered = true;
    for (int i = 0; !status && i < c->classes; i++) {
        struct graft_str s;
        graft_str_init(&s);
        graft_str_addf(&s, "%d", i);
        status = graft_str_ok(&s);
        if (!status)
            status = add_label(c, s.at, s.n);
        graft_str_release(&s);
    }
    return status;
}

static int find_labels(struct graft_classifier *c, const char *file)
{
    c->label = graft_calloc((size_t)c->classes, sizeof *c->label);
    if (!c->label)
        return GRAFT_EMEM;
    return file ? labels_of_file(c, file)
         : c->card ? labels_of_card(c) : numbers_as_labels(c);
}

/* ---- output -------------------------------------------------------------- */

static int find_output(struct graft_classifier *c)
{
    const struct graft_model *m = c->model;
    if (m->output.n < 1)
        return graft_fail(GRAFT_EUNSUPPORTED, "'%s' has no output", m->path);
    c->extract.value = m->output.at[0];
    if (!c->card)
        return GRAFT_OK;
    graft_value_id v = graft_value_find(m, c->card->output);
    if (v < 0 || !m->value.at[v].is_output)
        return graft_fail(GRAFT_EFORMAT, "'%s': its card names the output "
                          "'%s', which is not there", m->path,
                          c->card->output);
    c->extract.value = v;
    return GRAFT_OK;
}

static int count_classes(struct graft_classifier *c)
{
    struct graft_survey *s = NULL;
    const struct graft_model *m = c->model;
    int status = graft_survey_new(&s, m, c->extract.rt);
    if (status)
        return status;
    const struct graft_vinfo *v = &s->value[c->extract.value];
    int64_t n = v->present && v->shape.rank >= 2
                    ? graft_shape_span(&v->shape, 1, v->shape.rank) : 0;
    for (int i = 0; i < m->node.n && !v->present && !status; i++)
        if (!m->node.at[i].removed && s->why_not[i])
            status = graft_fail(GRAFT_EUNSUPPORTED, "'%s' cannot run: %s: "
                                "%s", m->path,
                                graft_node_text(&m->node.at[i]),
                                s->why_not[i]);
    if (!status && (n < 2 || n > 1000000))
        status = graft_fail(GRAFT_ESHAPE, "'%s': output '%s' has %lld "
                            "elements for a photo; a classifier has one for "
                            "each of 2 classes or more", m->path,
                            m->value.at[c->extract.value].name,
                            (long long)n);
    graft_survey_free(s);
    c->classes = (int)n;
    c->extract.floats = n;
    return status;
}

/* What is taken for granted of a file that says nothing about itself. */
static void tell_assumed(const struct graft_classifier *c,
                         const struct graft_classify_options *o)
{
    bool pixels = !c->card && !o->preprocess.preset;
    if (!pixels && !c->numbered)
        return;
    graft_log(c->extract.rt, GRAFT_LOG_INFO, "%s%s%s%s",
              pixels ? c->source.at : "",
              pixels ? " (--preprocess changes it)" : "",
              pixels && c->numbered ? "; " : "",
              c->numbered ? "no labels: numbers are class indices (--labels "
                            "names them)" : "");
}

static int check_task(const struct graft_classifier *c)
{
    const char *known = graft_task_classify.name;
    if (!c->card || !strcmp(c->card->task, known))
        return GRAFT_OK;
    return graft_fail(GRAFT_EUNSUPPORTED, "'%s' was made for the task '%s'; "
                      "this version knows '%s'", c->model->path,
                      c->card->task, known);
}

/* ---- opening ------------------------------------------------------------- */

static int open_all(struct graft_classifier *c, struct graft_runtime *rt,
                    const char *path, const struct graft_classify_options *o)
{
    c->extract.rt = rt;
    c->extract.batch = o->batch;
    int status = o->batch >= 0 && o->batch <= 4096 ? GRAFT_OK
        : graft_fail(GRAFT_EARG, "a batch of %d photos; 1 to 4096 are "
                     "possible", o->batch);
    if (!status)
        status = graft_onnx_open(&c->model, rt, path);
    c->extract.model = c->model;
    if (!status)
        status = graft_card_of(&c->card, c->model);
    if (!status)
        status = check_task(c);
    if (!status)
        status = graft_choose_preprocess(&c->extract.preprocess, &c->source,
                                         c->model, c->card, &o->preprocess);
    if (!status)
        status = graft_choose_decode(&c->extract.exact, o->decode);
    if (!status && !o->decode && c->card)
        c->extract.exact = c->card->exact;
    if (!status)
        status = find_output(c);
    if (!status)
        status = count_classes(c);
    if (!status)
        status = find_labels(c, o->labels);
    if (!status)
        status = graft_extract_fit(&c->extract);
    if (!status)
        tell_assumed(c, o);
    return status;
}

int graft_classifier_open(struct graft_classifier **out,
                          struct graft_runtime *rt, const char *path,
                          const struct graft_classify_options *o)
{
    if (!path)
        return graft_fail(GRAFT_EARG, "no model was given");
    struct graft_classifier *c = graft_calloc(1, sizeof *c);
    if (!c)
        return GRAFT_EMEM;
    graft_str_init(&c->source);
    int status = open_all(c, rt, path, o);
    if (status) {
        graft_classifier_free(c);
        return status;
    }
    *out = c;
    return GRAFT_OK;
}

void graft_classifier_free(struct graft_classifier *c)
{
    if (!c)
        return;
    graft_extract_release(&c->extract);
    for (int i = 0; i < c->n_labels; i++)
        graft_free(c->label[i]);
    graft_free(c->label);
    graft_card_free(c->card);
    graft_str_release(&c->source);
    graft_graph_free(c->model);
    graft_free(c);
}

/* ---- answers ------------------------------------------------------------- */

static bool are_probabilities(const float *row, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++) {
        if (!(row[i] >= 0 && row[i] <= 1))
            return false;
        sum += (double)row[i];
    }
    return fabs(sum - 1) < 1e-3;
}

/* A card says what its output is. Of other models, rows that add up to 1 are
 * taken for probabilities. */
void graft_classifier_answer(const struct graft_classifier *c,
                             const float *row, double *p)
{
    bool ready = c->card ? !c->card->logits
                         : are_probabilities(row, c->classes);
    double top = -INFINITY, sum = 0;
    for (int i = 0; i < c->classes; i++) {
        p[i] = (double)row[i];
        top = fmax(top, p[i]);
    }
    if (ready)
        return;
    for (int i = 0; i < c->classes; i++)
        sum += p[i] = exp(p[i] - top);
    for (int i = 0; i < c->classes; i++)
        p[i] /= sum;
}
