/* A tiny convolutional network, built by edits.
 *
 *     x [N,3,8,8] -> Conv 'conv' (4 channels) -> Relu -> GlobalAveragePool
 *       -> Flatten 'features' -> Gemm 'head' -> logits [N,5]
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_TEST_BUILD_MODEL_H
#define GRAFT_TEST_BUILD_MODEL_H

#include "graph/edit.h"

/* The network at that IR version and opset, weights from a fixed seed. Free
 * with graft_graph_free. */
int test_build_model(struct graft_model **out, int64_t ir_version,
                     int64_t opset);

/* A float32 tensor of these dimensions with values in [-scale, scale), a pure
 * function of the name's first byte and the position. */
graft_value_id test_build_tensor(struct graft_model *m, const char *name,
                                 const int64_t *dim, int rank, double scale);

/* One node with one output, no attributes when attr is NULL; -1: failed. */
graft_value_id test_build_node(struct graft_model *m, const char *op_type,
                               const char *out_name, const graft_value_id *in,
                               int n_in, const struct graft_attr *attr);

#endif
