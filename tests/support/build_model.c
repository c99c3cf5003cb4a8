/* The tiny network of build_model.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "build_model.h"

#include "base/alloc.h"
#include "base/rng.h"
#include "base/status.h"

graft_value_id test_build_tensor(struct graft_model *m, const char *name,
                                 const int64_t *dim, int rank, double scale)
{
    struct graft_shape shape;
    graft_value_id id = -1;
    if (graft_shape_set(&shape, dim, rank))
        return -1;
    int64_t n = graft_shape_count(&shape);
    float *x = graft_malloc((size_t)n * sizeof *x);
    if (!x)
        return -1;
    struct graft_rng_key key = graft_rng_key(7, (unsigned char)*name);
    for (int64_t i = 0; i < n; i++)
        x[i] = (float)(scale *
                       (2 * graft_rng_unit(key, (uint64_t)i) - 1));
    if (graft_edit_tensor(&id, m, name, GRAFT_FLOAT, &shape, x))
        id = -1;
    graft_free(x);
    return id;
}

graft_value_id test_build_node(struct graft_model *m, const char *op_type,
                               const char *out_name, const graft_value_id *in,
                               int n_in, const struct graft_attr *attr)
{
    graft_value_id id = -1;
    struct graft_node_spec spec = {.op_type = op_type, .in = in, .n_in = n_in,
                                   .name = op_type, .out_name = out_name,
                                   .attr = attr};
    return graft_edit_node(&id, m, &spec) ? -1 : id;
}

static int build(struct graft_model *m)
{
    const int64_t pads[] = {1, 1, 1, 1};
    const struct graft_attr conv[] = {
        {.name = "pads", .type = GRAFT_ATTR_INTS, .ints = pads, .n = 4}, {0}};
    const struct graft_attr gemm[] = {
        {.name = "transB", .type = GRAFT_ATTR_INT, .i = 1}, {0}};
    const struct graft_dim in[] = {{-1, "N"}, {3, NULL}, {8, NULL}, {8, NULL}};
    const struct graft_dim out[] = {{-1, "N"}, {5, NULL}};
    graft_value_id x, y, w, b;
    if (graft_edit_input(&x, m, "x", GRAFT_FLOAT, in, 4))
        return -1;
    w = test_build_tensor(m, "w.conv", (int64_t[]){4, 3, 3, 3}, 4, 0.2);
    b = test_build_tensor(m, "b.conv", (int64_t[]){4}, 1, 0.1);
    y = test_build_node(m, "Conv", "conv", (graft_value_id[]){x, w, b}, 3,
                        conv);
    y = test_build_node(m, "Relu", "relu", &y, 1, NULL);
    y = test_build_node(m, "GlobalAveragePool", "pool", &y, 1, NULL);
    y = test_build_node(m, "Flatten", "features", &y, 1, NULL);
    w = test_build_tensor(m, "v.head", (int64_t[]){5, 4}, 2, 1);
    b = test_build_tensor(m, "c.head", (int64_t[]){5}, 1, 0.1);
    y = test_build_node(m, "Gemm", "logits", (graft_value_id[]){y, w, b}, 3,
                        gemm);
    int status = graft_edit_value_type(m, y, GRAFT_FLOAT, out, 2);
    return status ? status : graft_edit_outputs(m, &y, 1);
}

int test_build_model(struct graft_model **out, int64_t ir_version,
                     int64_t opset)
{
    struct graft_model *m = NULL;
    int status = graft_graph_new(&m, NULL);
    if (status)
        return status;
    m->ir_version = ir_version;
    status = graft_edit_opset(m, "", opset);
    if (!status)
        status = build(m);
    if (status) {
        graft_graph_free(m);
        /* A step that made no value has said why. */
        return status == -1 ? GRAFT_EMEM : status;
    }
    *out = m;
    return GRAFT_OK;
}
