/* The head, found by structure alone.
 *
 * Going back from the first output over activations, Softmax, pooling,
 * means, and whatever only reshapes or hands on, the first other node is the
 * head if it maps features to scores with weights of its own: a Gemm or
 * MatMul with a matrix, its bias perhaps in an Add of its own, or a
 * convolution with a 1x1 kernel, stride 1, one group and a bias, whose
 * positions are pooled into one (otherwise it predicts pixels). Anything else
 * (BatchNormalization, a residual Add, a larger kernel) is part of a backbone:
 * then there is no head, and the output is the features.
 *
 * A 1x1 convolution at the end of a backbone whose normalisations were
 * folded looks the same. So, if a hidden activation follows (anything but
 * Softmax, LogSoftmax and Sigmoid) the number of channels decides: widths of
 * hidden layers are multiples of 16, numbers of classes (1000, 1001, 10, 2)
 * mostly not. A wrong guess shows in `inspect` and gives way to --cut.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "program/survey_impl.h"

enum { HIDDEN_WIDTH = 16 };

enum role { TAIL = 1, POOL, ACTIVATION, SCORES, GEMM, MATMUL, CONV, ADD };

static const struct {
    const char *op;
    enum role role;
} roles[] = {
    {"Relu", ACTIVATION}, {"Clip", ACTIVATION}, {"HardSwish", ACTIVATION},
    {"Swish", ACTIVATION}, {"HardSigmoid", ACTIVATION},
    {"LeakyRelu", ACTIVATION},
    {"PRelu", ACTIVATION}, {"Elu", ACTIVATION}, {"Tanh", ACTIVATION},
    {"Sigmoid", SCORES}, {"Softmax", SCORES}, {"LogSoftmax", SCORES},
    {"GlobalAveragePool", POOL}, {"GlobalMaxPool", POOL},
    {"AveragePool", POOL}, {"MaxPool", POOL}, {"ReduceMean", POOL},
    {"Flatten", TAIL}, {"Reshape", TAIL}, {"Squeeze", TAIL},
    {"Unsqueeze", TAIL}, {"Identity", TAIL}, {"Dropout", TAIL},
    {"Cast", TAIL},
    {"Gemm", GEMM}, {"MatMul", MATMUL}, {"Conv", CONV}, {"Add", ADD}};

static enum role role_of(const struct graft_node *node)
{
    if (node->domain[0])
        return 0;
    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++)
        if (strcmp(roles[i].op, node->op_type) == 0)
            return roles[i].role;
    return 0;
}

/* Shape of the parameter (perhaps a reshaped one) that is input k, NULL: none
 * or no parameter. */
static const struct graft_shape *weights(const struct graft_surveyor *x,
                                         const struct graft_node *node,
                                         int k)
{
    const struct graft_vinfo *v =
        k < node->n_in && node->in[k] >= 0 ? &x->facts.value[node->in[k]]
                                           : NULL;
    return v && v->present && v->is_param ? &v->shape : NULL;
}

static int64_t int_attr(const struct graft_node *node, const char *name,
                        int64_t fallback)
{
    for (int i = 0; i < node->n_attr; i++)
        if (strcmp(node->attr[i].name, name) == 0 &&
            node->attr[i].type == GRAFT_ATTR_INT)
            return node->attr[i].i;
    return fallback;
}

static bool all_ones(const struct graft_node *node, const char *name)
{
    for (int i = 0; i < node->n_attr; i++)
        for (int k = 0; strcmp(node->attr[i].name, name) == 0 &&
                        k < node->attr[i].n;
             k++)
            if (node->attr[i].ints && node->attr[i].ints[k] != 1)
                return false;
    return true;
}

/* Classes that a node scores, 0: it is no head. */
static int64_t classes_of(const struct graft_surveyor *x,
                          const struct graft_node *node, enum role role)
{
    const struct graft_shape *s = weights(x, node, 1);
    if (!s || s->rank < 2)
        return 0;
    if (role == GEMM)
        return s->dim[int_attr(node, "transB", 0) ? 0 : 1];
    if (role == MATMUL)
        return s->rank == 2 ? s->dim[1] : 0;
    bool one = role == CONV && int_attr(node, "group", 1) == 1 &&
               weights(x, node, 2) && all_ones(node, "strides");
    for (int i = 2; i < s->rank; i++)
        one &= s->dim[i] == 1;
    return one ? s->dim[0] : 0;
}

/* The node behind value v over hand-ons that keep the shape (Dropout). */
static graft_value_id before_copies(const struct graft_surveyor *x,
                                    graft_value_id v)
{
    for (;;) {
        int i = x->m->value.at[v].node;
        if (i < 0)
            return v;
        const struct graft_node *node = &x->m->node.at[i];
        bool copy = strcmp(node->op_type, "Dropout") == 0 ||
                    strcmp(node->op_type, "Identity") == 0;
        if (!copy || node->n_in < 1 || node->in[0] < 0)
            return v;
        v = node->in[0];
    }
}

/* Input of a two-operand node that depends on data, -1: both or none. */
static int data_input(const struct graft_surveyor *x,
                      const struct graft_node *node)
{
    if (node->n_in != 2 || node->in[0] < 0 || node->in[1] < 0 ||
        x->data[node->in[0]] == x->data[node->in[1]])
        return -1;
    return x->data[node->in[0]] ? 0 : 1;
}

/* An Add of a constant vector directly behind a MatMul is its bias. */
static graft_value_id skip_bias(const struct graft_surveyor *x,
                                const struct graft_node *add)
{
    int k = data_input(x, add);
    if (k < 0)
        return -1;
    int i = x->m->value.at[add->in[k]].node;
    return i >= 0 && role_of(&x->m->node.at[i]) == MATMUL ? add->in[k] : -1;
}

/* Scores at one position only? */
static bool single_position(const struct graft_surveyor *x,
                            const struct graft_node *node)
{
    const struct graft_vinfo *y = &x->facts.value[node->out[0]];
    return y->present && graft_shape_span(&y->shape, 2, y->shape.rank) == 1;
}

static void set_head(struct graft_surveyor *x, int i, int64_t classes)
{
    struct graft_survey *s = x->s;
    s->head_node = i;
    s->head_input = before_copies(x, x->m->node.at[i].in[0]);
    s->head_classes = classes;
    s->head_features = graft_survey_pooled(x, s->head_input);
}

static void no_head(struct graft_surveyor *x)
{
    struct graft_survey *s = x->s;
    s->head_input = x->m->output.n ? x->m->output.at[0] : -1;
    if (s->head_input >= 0)
        s->head_features = graft_survey_pooled(x, s->head_input);
}

void graft_survey_head(struct graft_surveyor *x)
{
    graft_value_id v = x->m->output.n ? x->m->output.at[0] : -1;
    bool hidden = false, pooled = false;
    int i;
    no_head(x);
    while (v >= 0 && (i = x->m->value.at[v].node) >= 0) {
        const struct graft_node *node = &x->m->node.at[i];
        enum role role = role_of(node);
        if (!role || node->n_in < 1 || node->in[0] < 0 || node->out[0] != v)
            return;
        if (role == GEMM || role == MATMUL || role == CONV) {
            int64_t classes = classes_of(x, node, role);
            pooled |= role != CONV || single_position(x, node);
            if (classes > 0 && pooled && x->data[node->in[0]] &&
                !(hidden && classes % HIDDEN_WIDTH == 0))
                set_head(x, i, classes);
            return;
        }
        hidden |= role == ACTIVATION;
        pooled |= role == POOL;
        v = role == ADD ? skip_bias(x, node) : node->in[0];
    }
}
