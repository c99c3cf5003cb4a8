/* Weights drawn anew, by what reads them (norms.h).
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "base/rng.h"
#include "program/survey.h"
#include "program/trainable.h"
#include "task/norms.h"
#include "train/masters.h"

/* ---- how each begins ----------------------------------------------------- */

/* Elements that one output sums up over, of weights of this shape. */
static int64_t fan_conv(const struct graft_shape *s, const struct graft_node *n)
{
    (void)n;
    return graft_shape_span(s, 1, s->rank);
}

/* [C, M/group, ...]: each output sees about C/group kernels, spread by the
 * stride; the kernel's own sum is the usual measure. */
static int64_t fan_transposed(const struct graft_shape *s,
                              const struct graft_node *n)
{
    (void)n;
    return s->dim[0] * graft_shape_span(s, 2, s->rank);
}

static int64_t fan_gemm(const struct graft_shape *s,
                        const struct graft_node *n)
{
    for (int i = 0; i < n->n_attr; i++)
        if (!strcmp(n->attr[i].name, "transB") && n->attr[i].i)
            return s->dim[1];
    return s->dim[0];
}

static int64_t fan_matmul(const struct graft_shape *s,
                          const struct graft_node *n)
{
    (void)n;
    return s->dim[s->rank - 2];
}

typedef int64_t fan_fn(const struct graft_shape *s,
                       const struct graft_node *n);

/* `fan`: normal; else all elements are `value`. rank: the least; vector: only
 * what is as long as one dimension (a bias). */
static const struct beginning {
    const char *op;
    int input, rank;
    fan_fn *fan;
    double value;
    bool vector;
} beginnings[] = {
    {"Conv", 1, 3, fan_conv, 0, false},
    {"Conv", 2, 1, NULL, 0, false},
    {"ConvTranspose", 1, 3, fan_transposed, 0, false},
    {"ConvTranspose", 2, 1, NULL, 0, false},
    {"Gemm", 1, 2, fan_gemm, 0, false},
    {"Gemm", 2, 1, NULL, 0, false},
    {"MatMul", 1, 2, fan_matmul, 0, false},
    {"BatchNormalization", 1, 1, NULL, 1, false},
    {"BatchNormalization", 2, 1, NULL, 0, false},
    {"BatchNormalization", 3, 1, NULL, 0, false},
    {"BatchNormalization", 4, 1, NULL, 1, false},
    {"InstanceNormalization", 1, 1, NULL, 1, false},
    {"InstanceNormalization", 2, 1, NULL, 0, false},
    {"LayerNormalization", 1, 1, NULL, 1, false},
    {"LayerNormalization", 2, 1, NULL, 0, false},
    {"GroupNormalization", 1, 1, NULL, 1, false},
    {"GroupNormalization", 2, 1, NULL, 0, false},
    {"PRelu", 1, 1, NULL, 0.25, false},
    {"Add", 0, 1, NULL, 0, true},
    {"Add", 1, 1, NULL, 0, true}};

static bool is_vector(const struct graft_shape *s)
{
    int long_ones = 0;
    for (int i = 0; i < s->rank; i++)
        long_ones += s->dim[i] > 1;
    return long_ones <= 1;
}

static const struct beginning *find(const struct graft_node *n, int input,
                                    const struct graft_shape *s)
{
    for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings; i++) {
        const struct beginning *b = &beginnings[i];
        if (!n->domain[0] && !strcmp(b->op, n->op_type) &&
            b->input == input && s->rank >= b->rank &&
            (!b->vector || is_vector(s)))
            return b;
    }
    return NULL;
}

/* ---- one parameter ------------------------------------------------------- */

struct scratch {
    struct graft_model *m;
    const struct graft_survey *survey;
    uint64_t seed;
};

/* The first node that reads v, or what only hands it on (Cast, Transpose). */
static const struct graft_node *reader(const struct scratch *x,
                                       graft_value_id *v, int *input)
{
    for (int i = 0; i < x->m->node.n; i++) {
        const struct graft_node *node = &x->m->node.at[i];
        for (int k = 0; !node->removed && k < node->n_in; k++) {
            if (node->in[k] != *v)
                continue;
            graft_value_id out = node->n_out ? node->out[0] : -1;
            if (out < 0 || node->n_in != 1 ||
                !x->survey->value[out].is_param) {
                *input = k;
                return node;
            }
            *v = out;
            const struct graft_node *next = reader(x, v, input);
            if (next)
                return next;
        }
    }
    return NULL;
}

static uint64_t stream_of(const char *name)
{
    return graft_hash(name, strlen(name)).lo;
}

static void draw(real *to, int64_t n, int64_t fan, uint64_t seed,
                 const char *name)
{
    const struct graft_rng_key key = graft_rng_key(seed, stream_of(name));
    const double spread = sqrt(2.0 / (double)(fan > 0 ? fan : 1));
    for (int64_t i = 0; i < n; i++)
        to[i] = (real)(spread * graft_rng_normal(key, (uint64_t)i));
}

static int fill(const struct scratch *x, graft_value_id v,
                const struct graft_shape *as_read,
                const struct beginning *b, const struct graft_node *node)
{
    const struct graft_shape shape = graft_parameter(x->m, v)->shape;
    const int64_t n = graft_shape_count(&shape);
    real *data = graft_calloc((size_t)n + 1, sizeof *data);
    if (!data)
        return GRAFT_EMEM;
    if (b->fan)
        draw(data, n, b->fan(as_read, node), x->seed,
             x->m->value.at[v].name);
    for (int64_t i = 0; !b->fan && i < n; i++)
        data[i] = (real)b->value;
    int status = graft_master_store(x->m, v, &shape, data);
    graft_free(data);
    return status;
}

static int begin(const struct scratch *x, graft_value_id v)
{
    graft_value_id seen = v;
    int input = -1;
    const struct graft_node *node = reader(x, &seen, &input);
    const struct graft_shape *shape =
        seen == v ? &graft_parameter(x->m, v)->shape
                  : &x->survey->value[seen].shape;
    const struct beginning *b = node ? find(node, input, shape) : NULL;
    if (!b)
        return graft_fail(GRAFT_EUNSUPPORTED, "from scratch: '%s' is input %d "
                          "of %s, and weights there have no usual beginning",
                          x->m->value.at[v].name, input,
                          node ? graft_node_text(node) : "nothing");
    return fill(x, v, shape, b, node);
}

/* Means and variances, which no gradient reaches. */
static int begin_statistics(const struct scratch *x)
{
    int status = GRAFT_OK;
    for (int i = 0; !status && i < x->m->node.n; i++) {
        const struct graft_node *node = &x->m->node.at[i];
        for (int k = 3; !status && k < 5 && k < node->n_in; k++) {
            const graft_value_id v = node->in[k];
            if (!node->removed && v >= 0 && graft_parameter(x->m, v) &&
                !strcmp(node->op_type, "BatchNormalization"))
                status = begin(x, v);
        }
    }
    return status;
}

/* ---- all of them --------------------------------------------------------- */

int graft_scratch(struct graft_model *m, struct graft_runtime *rt,
                  uint64_t seed)
{
    struct graft_survey *survey = NULL;
    struct graft_trainables all = {0};
    const int fixed = graft_model_fixed_batch(m);
    const struct graft_compile c = {.model = m, .n_max = fixed ? fixed : 1};
    int status = graft_survey_new(&survey, m, rt);
    const struct scratch x = {m, survey, seed};
    if (!status)
        status = graft_trainables_find(&all, rt, &c);
    for (int i = 0; !status && i < all.n; i++)
        status = begin(&x, all.value[i]);
    if (!status)
        status = begin_statistics(&x);
    graft_trainables_release(&all);
    graft_survey_free(survey);
    return status;
}

void graft_scratch_head(float *weight, int64_t classes, int64_t d,
                        uint64_t seed)
{
    const struct graft_rng_key key =
        graft_rng_key(seed, stream_of("graft_head_weight"));
    for (int64_t i = 0; i < classes * d; i++)
        weight[i] = (float)(sqrt(2.0 / (double)d) *
                            graft_rng_normal(key, (uint64_t)i));
}

/* The same bytes as before are left alone. */
static int follow(struct graft_model *to, const struct graft_model *from,
                  graft_value_id v)
{
    const graft_value_id own = graft_value_find(to, from->value.at[v].name);
    const struct graft_tensor *t = graft_parameter(from, v);
    const struct graft_tensor *s = own < 0 ? NULL : graft_parameter(to, own);
    if (!t || !s || t->removed || t->refusal || s->refusal ||
        !graft_dtype_is_float(t->dtype) || s->dtype != t->dtype ||
        s->bytes != t->bytes || !memcmp(s->data, t->data, (size_t)s->bytes))
        return GRAFT_OK;
    const struct graft_view view = graft_tensor_view(t);
    real *data = graft_calloc((size_t)graft_count(&view) + 1, sizeof *data);
    if (!data)
        return GRAFT_EMEM;
    graft_view_read(&view, 0, graft_count(&view), data);
    int status = graft_master_store(to, own, &t->shape, data);
    graft_free(data);
    return status;
}

int graft_contents_follow(struct graft_model *to,
                          const struct graft_model *from)
{
    int status = GRAFT_OK;
    for (graft_value_id v = 0; !status && v < from->value.n; v++)
        status = follow(to, from, v);
    return status;
}
