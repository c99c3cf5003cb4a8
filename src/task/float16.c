/* Weights as float16, with a Cast back in front of their readers.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "base/alloc.h"
#include "base/runtime.h"
#include "base/status.h"
#include "graph/edit.h"
#include "onnx/onnx.h"
#include "task/convert.h"
#include "tensor/half.h"

/* Smaller ones are biases, normalisations, anchors: there is nothing to be
 * saved, and their precision counts most. */
enum { ELEMENTS_MIN = 1024, RANK_MIN = 2 };
/* Cast to a type by number, and its float16, came with this version. */
enum { OPSET_MIN = 6 };

struct work {
    struct graft_model *m;
    struct graft_float16_change c;
    double error, square; /* sums of (x - h)^2 and x^2 */
};

/* ---- which --------------------------------------------------------------- */

static bool is_weight(const struct graft_model *m,
                      const struct graft_tensor *t, graft_value_id id)
{
    const struct graft_value *v = &m->value.at[id];
    bool free_input = v->is_input && m->ir_version >= 4;
    return !t->removed && !t->refusal && t->dtype == GRAFT_FLOAT &&
           t->shape.rank >= RANK_MIN && v->n_uses && !v->is_output &&
           !free_input && graft_shape_count(&t->shape) >= ELEMENTS_MIN;
}

/* The tensor that a Constant node holds; NULL: it is none, or holds numbers
 * of another kind. */
static const struct graft_tensor *constant(const struct graft_node *node)
{
    bool is = !node->removed && !*node->domain && node->n_in == 0 &&
              node->n_out == 1 && node->out[0] >= 0 && node->n_attr == 1 &&
              !strcmp(node->op_type, "Constant") &&
              node->attr[0].type == GRAFT_ATTR_TENSOR;
    return is ? node->attr[0].tensor : NULL;
}

/* ---- rounding ------------------------------------------------------------ */

/* What rounding does to one tensor. */
struct rounding {
    double largest, error, square;
    int64_t lost; /* not 0, and 0 afterwards */
    bool over;
};

static struct rounding round_all(uint16_t *to, const struct graft_tensor *t)
{
    struct rounding r = {0};
    const int64_t n = graft_shape_count(&t->shape);
    for (int64_t i = 0; i < n && !r.over; i++) {
        float x;
        memcpy(&x, t->data + i * (int64_t)sizeof x, sizeof x);
        to[i] = graft_half_of_float(x);
        r.over = isfinite(x) && fabsf(x) >= GRAFT_HALF_OVER;
        if (!isfinite(x))
            continue;
        double e = fabs((double)x - (double)graft_half_to_float(to[i]));
        r.largest = e > r.largest ? e : r.largest;
        r.error += e * e;
        r.square += (double)x * (double)x;
        r.lost += x != 0 && !(to[i] & 0x7fff);
    }
    return r;
}

static void note(struct work *w, const char *name, int64_t count,
                 const struct rounding *r)
{
    w->c.tensors++;
    w->c.bytes_before += (uint64_t)count * sizeof(float);
    w->c.bytes_after += (uint64_t)count * sizeof(uint16_t);
    w->c.lost += r->lost;
    w->error += r->error;
    w->square += r->square;
    if (!w->c.worst || r->largest > w->c.largest) {
        w->c.largest = r->largest;
        w->c.worst = name;
    }
}

/* One that does not fit stays as it is. */
static int convert(struct work *w, graft_value_id v,
                   const struct graft_tensor *t)
{
    const struct graft_tensor was = *t; /* the list grows */
    const int64_t count = graft_shape_count(&was.shape);
    uint16_t *half = graft_malloc((size_t)count * sizeof *half);
    if (!half)
        return GRAFT_EMEM;
    const struct rounding r = round_all(half, &was);
    const char *name = w->m->value.at[v].name;
    int status = GRAFT_OK;
    if (r.over) {
        if (!w->c.too_large_count++)
            w->c.too_large = name;
    } else {
        note(w, name, count, &r);
        status = graft_edit_recode(w->m, v, &was.shape, GRAFT_FLOAT16,
                                   GRAFT_FLOAT, half);
    }
    graft_free(half);
    return status || !w->m->rt ? status : graft_runtime_check(w->m->rt);
}

static int convert_all(struct work *w)
{
    struct graft_model *m = w->m;
    const int tensors = m->tensor.n, nodes = m->node.n;
    int status = GRAFT_OK;
    for (int i = 0; !status && i < tensors; i++) {
        const struct graft_tensor *t = &m->tensor.at[i];
        if (t->value >= 0 && is_weight(m, t, t->value))
            status = convert(w, t->value, t);
    }
    for (int i = 0; !status && i < nodes; i++) {
        const struct graft_tensor *t = constant(&m->node.at[i]);
        if (t && is_weight(m, t, m->node.at[i].out[0]))
            status = convert(w, m->node.at[i].out[0], t);
    }
    graft_model_recount(m);
    return status;
}

int graft_to_float16(struct graft_model *m, struct graft_float16_change *out)
{
    struct work w = {.m = m};
    struct graft_undo *undo = NULL;
    const int64_t opset = graft_opset_of(m, "");
    if (opset < OPSET_MIN)
        return graft_fail(GRAFT_EUNSUPPORTED, "'%s' has opset %lld, in which "
                          "nothing casts from float16; %d is the first that "
                          "does", m->path, (long long)opset,
                          (int)OPSET_MIN);
    if (graft_onnx_has_training(m))
        return graft_fail(GRAFT_EUNSUPPORTED, "'%s' says how to train it, "
                          "and training writes weights as they are",
                          m->path);
    int status = graft_undo_begin(&undo, m);
    if (!status)
        status = convert_all(&w);
    if (status && undo) {
        graft_undo_back(undo);
        graft_model_recount(m);
    }
    graft_undo_free(undo);
    if (status)
        return status;
    w.c.relative = w.square > 0 ? sqrt(w.error / w.square) : 0;
    if (out)
        *out = w.c;
    return GRAFT_OK;
}
