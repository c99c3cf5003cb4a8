/* Writes the network of graft-mini.onnx with weights that are all nothing:
 * `graft train --from-scratch` draws and trains them (make pretrain).
 *
 *     make_mini OUT.onnx
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "graft.h"

#include "base/alloc.h"
#include "graph/edit.h"
#include "onnx/onnx.h"

enum { SIDE = 64, CLASSES = 42, STAGES = 4 };

struct net {
    struct graft_model *m;
    int status; /* of the first edit that failed */
};

static graft_value_id tensor(struct net *n, const char *layer,
                             const char *what, const struct graft_shape *s)
{
    char name[128];
    graft_value_id v = -1;
    float *zero = graft_calloc((size_t)graft_shape_count(s), sizeof *zero);
    if (!zero && !n->status)
        n->status = GRAFT_EMEM;
    snprintf(name, sizeof name, "%s.%s", layer, what);
    if (!n->status)
        n->status = graft_edit_tensor(&v, n->m, name, GRAFT_FLOAT, s, zero);
    graft_free(zero);
    return v;
}

static graft_value_id node(struct net *n, const char *op, const char *name,
                           const graft_value_id *in, int n_in,
                           const struct graft_attr *attr)
{
    graft_value_id v = -1;
    const struct graft_node_spec spec = {.op_type = op, .name = name,
                                         .in = in, .n_in = n_in,
                                         .out_name = name, .attr = attr};
    if (!n->status)
        n->status = graft_edit_node(&v, n->m, &spec);
    return v;
}

/* Convolution and normalisation. */
static graft_value_id conv(struct net *n, graft_value_id x, const char *layer,
                           int64_t in, int64_t out, int64_t kernel,
                           int64_t stride)
{
    const int64_t half = kernel / 2;
    const int64_t size[] = {kernel, kernel}, step[] = {stride, stride};
    const int64_t pads[] = {half, half, half, half};
    const struct graft_attr attr[] = {
        {.name = "kernel_shape", .type = GRAFT_ATTR_INTS, .ints = size,
         .n = 2},
        {.name = "pads", .type = GRAFT_ATTR_INTS, .ints = pads, .n = 4},
        {.name = "strides", .type = GRAFT_ATTR_INTS, .ints = step, .n = 2},
        {0}};
    const struct graft_shape w = {4, {out, in, kernel, kernel}};
    const struct graft_shape c = {1, {out}};
    char norm[96];
    snprintf(norm, sizeof norm, "%s.norm", layer);
    const graft_value_id read[] = {x, tensor(n, layer, "weight", &w)};
    x = node(n, "Conv", layer, read, 2, attr);
    const graft_value_id of[] = {
        x, tensor(n, norm, "scale", &c), tensor(n, norm, "bias", &c),
        tensor(n, norm, "mean", &c), tensor(n, norm, "var", &c)};
    return node(n, "BatchNormalization", norm, of, 5, NULL);
}

static graft_value_id relu(struct net *n, graft_value_id x, const char *layer)
{
    char name[96];
    snprintf(name, sizeof name, "%s.relu", layer);
    return node(n, "Relu", name, &x, 1, NULL);
}

/* The basic residual block: two 3x3 convolutions and a way around. */
static graft_value_id block(struct net *n, graft_value_id x, const char *name,
                            int64_t in, int64_t out, int64_t stride)
{
    char layer[3][64];
    static const char *const part[] = {"conv1", "conv2", "down"};
    for (int i = 0; i < 3; i++)
        snprintf(layer[i], sizeof layer[i], "%s.%s", name, part[i]);
    graft_value_id y = conv(n, x, layer[0], in, out, 3, stride);
    y = conv(n, relu(n, y, layer[0]), layer[1], out, out, 3, 1);
    if (stride != 1 || in != out)
        x = conv(n, x, layer[2], in, out, 1, stride);
    const graft_value_id both[] = {y, x};
    return relu(n, node(n, "Add", name, both, 2, NULL), name);
}

/* A ResNet made small: stem, four stages, mean over the picture, Gemm. */
static graft_value_id network(struct net *n, graft_value_id x)
{
    static const int64_t width[STAGES] = {16, 24, 48, 96};
    static const struct graft_attr trans_b[] = {
        {.name = "transB", .type = GRAFT_ATTR_INT, .i = 1}, {0}};
    int64_t in = width[0];
    char name[48];
    x = relu(n, conv(n, x, "stem", 3, in, 3, 2), "stem");
    for (int i = 0; i <= STAGES; i++) { /* the last stage has two blocks */
        int64_t out = width[i < STAGES ? i : STAGES - 1];
        snprintf(name, sizeof name, "block%d", i + 1);
        x = block(n, x, name, in, out, i && i < STAGES ? 2 : 1);
        in = out;
    }
    x = node(n, "GlobalAveragePool", "mean", &x, 1, NULL);
    x = node(n, "Flatten", "features", &x, 1, NULL);
    const struct graft_shape w = {2, {CLASSES, in}}, b = {1, {CLASSES}};
    const graft_value_id head[] = {x, tensor(n, "head", "weight", &w),
                                   tensor(n, "head", "bias", &b)};
    return node(n, "Gemm", "logits", head, 3, trans_b);
}

static int make(struct net *n)
{
    const struct graft_dim batch = {.value = -1, .param = "batch"};
    const struct graft_dim in[] = {batch, {.value = 3}, {.value = SIDE},
                                   {.value = SIDE}};
    const struct graft_dim out[] = {batch, {.value = CLASSES}};
    graft_value_id x = -1;
    n->m->ir_version = 8;
    n->status = graft_edit_opset(n->m, "", 17);
    if (!n->status)
        n->status = graft_edit_input(&x, n->m, "input", GRAFT_FLOAT, in, 4);
    x = network(n, x);
    if (!n->status)
        n->status = graft_edit_value_type(n->m, x, GRAFT_FLOAT, out, 2);
    if (!n->status)
        n->status = graft_edit_outputs(n->m, &x, 1);
    return n->status;
}

int main(int argc, char **argv)
{
    struct net n = {0};
    if (argc != 2) {
        fprintf(stderr, "usage: make_mini OUT.onnx\n");
        return 2;
    }
    int status = graft_graph_new(&n.m, NULL);
    if (!status)
        status = make(&n);
    if (!status)
        status = graft_onnx_save(n.m, argv[1], NULL);
    graft_graph_free(n.m);
    if (status)
        fprintf(stderr, "make_mini: %s\n", graft_error_message());
    return status != 0;
}
