/* The new head as nodes, and its answers.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/alloc.h"
#include "graph/edit.h"
#include "program/program.h"
#include "task/classify.h"

static int add_tensor(graft_value_id *out, struct graft_model *m,
                      const char *base, const struct graft_shape *shape,
                      const float *data)
{
    const char *name = graft_unique_name(m, base);
    return name ? graft_edit_tensor(out, m, name, GRAFT_FLOAT, shape, data)
                : GRAFT_EMEM;
}

static int add_node(graft_value_id *out, struct graft_model *m,
                    const char *op, const char *node, const char *value,
                    const graft_value_id *in, int n_in,
                    const struct graft_attr *attr)
{
    const char *name = graft_unique_name(m, node);
    const char *out_name = graft_unique_name(m, value);
    struct graft_node_spec spec = {.op_type = op, .name = name, .in = in,
                                   .n_in = n_in, .out_name = out_name,
                                   .attr = attr};
    return name && out_name ? graft_edit_node(out, m, &spec) : GRAFT_EMEM;
}

/* The batch as the photos' input states it. */
static struct graft_dim batch_of(const struct graft_model *m)
{
    graft_value_id feed = graft_model_feed(m, 0);
    const struct graft_value *v = feed < 0 ? NULL : &m->value.at[feed];
    if (!v || !v->has_shape || v->rank < 1)
        return (struct graft_dim){.value = -1, .param = "N"};
    return v->dim[0];
}

int graft_head_append(struct graft_model *m, graft_value_id features,
                      const struct graft_probe *probe, bool logits)
{
    static const struct graft_attr trans_b[] = {
        {.name = "transB", .type = GRAFT_ATTR_INT, .i = 1}, {0}};
    /* Axis 1 of two: the same before and after opset 13 changed Softmax. */
    static const struct graft_attr axis[] = {
        {.name = "axis", .type = GRAFT_ATTR_INT, .i = 1}, {0}};
    const struct graft_shape w = {2, {probe->classes, probe->d}};
    const struct graft_shape b = {1, {probe->classes}};
    const struct graft_dim dim[2] = {batch_of(m),
                                     {.value = probe->classes}};
    graft_value_id in[3] = {features, -1, -1}, out = -1;
    int status = add_tensor(&in[1], m, "graft_head_weight", &w,
                            probe->weight);
    if (!status)
        status = add_tensor(&in[2], m, "graft_head_bias", &b, probe->bias);
    if (!status)
        status = add_node(&out, m, "Gemm", "graft_head", "logits", in, 3,
                          trans_b);
    if (!status && !logits) {
        graft_value_id scores = out;
        status = add_node(&out, m, "Softmax", "graft_softmax",
                          "probabilities", &scores, 1, axis);
    }
    if (!status)
        status = graft_edit_value_type(m, out, GRAFT_FLOAT, dim, 2);
    if (!status)
        status = graft_edit_outputs(m, &out, 1);
    return status;
}

/* ---- answers ------------------------------------------------------------- */

static int small_model(struct graft_model **out, struct graft_runtime *rt,
                       const struct graft_probe *probe, int64_t opset)
{
    struct graft_model *m = NULL;
    const struct graft_dim dim[2] = {{.value = -1, .param = "N"},
                                     {.value = probe->d}};
    graft_value_id features = -1;
    int status = graft_graph_new(&m, rt);
    if (!status)
        status = graft_edit_opset(m, "", opset);
    if (!status)
        status = graft_edit_input(&features, m, "features", GRAFT_FLOAT, dim,
                                  2);
    if (!status)
        status = graft_head_append(m, features, probe, false);
    if (status) {
        graft_graph_free(m);
        return status;
    }
    *out = m;
    return GRAFT_OK;
}

static int run(double *p, struct graft_program *g, const float *x, int64_t n,
               const struct graft_probe *probe)
{
    struct graft_view in = graft_program_input(g, 0);
    struct graft_view out = graft_program_output(g, 0);
    int64_t at_once = graft_program_n_max(g), classes = probe->classes;
    int status = GRAFT_OK;
    for (int64_t first = 0; !status && first < n; first += at_once) {
        int64_t count = n - first < at_once ? n - first : at_once;
        for (int64_t i = 0; i < count * probe->d; i++)
            graft_reals(&in)[i] = x[first * probe->d + i];
        status = graft_program_forward(g, (int)count);
        for (int64_t i = 0; !status && i < count * classes; i++)
            p[first * classes + i] = graft_reals(&out)[i];
    }
    return status;
}

int graft_head_answer(double *p, struct graft_runtime *rt,
                      const struct graft_probe *probe, int64_t opset,
                      const float *x, int64_t n)
{
    struct graft_model *m = NULL;
    struct graft_program *g = NULL;
    int status = small_model(&m, rt, probe, opset);
    if (!status) {
        struct graft_input_dims dims = {
            .value = graft_model_feed(m, 0), .shape = {2, {1, probe->d}}};
        struct graft_compile c = {.model = m, .n_max = GRAFT_BATCH_DEFAULT,
                                  .inputs = &dims, .n_inputs = 1};
        status = graft_program_new(&g, rt, &c);
    }
    if (!status)
        status = run(p, g, x, n, probe);
    graft_program_free(g);
    graft_graph_free(m);
    return status;
}
