/* A little world for tests of tasks: a small random network, made by edits,
 * and pictures made by a formula, red for one class and blue for the other.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_TEST_LITTLE_H
#define GRAFT_TEST_LITTLE_H

#include "base/runtime.h"
#include "graph/edit.h"

enum little_head { LITTLE_GEMM, LITTLE_NONE, LITTLE_POOL, LITTLE_SHAPE };

/* Conv-Relu-GlobalAveragePool-Flatten-Gemm with 8 features and 5 classes, IR
 * version `ir`, opset 13, batch "N" (batch 0) or fixed, into `path`.
 * LITTLE_NONE: ends with the features [N, 8]; LITTLE_POOL: ends with Relu;
 * LITTLE_SHAPE: has a Reshape that states the batch in Flatten's place. */
void little_model(struct graft_runtime *rt, const char *path, int ir,
                  int batch, enum little_head head);

/* Adds a node with one output; its name is the node's as well. */
graft_value_id little_node(struct graft_model *m, const char *op,
                           const graft_value_id *in, int n_in,
                           const char *out, const struct graft_attr *attr);

/* n pictures into folder/NAME (made): 24x20 BMP, numbered from `first`. */
void little_photos(const char *folder, const char *name, int red, int first,
                   int n);
/* train/ and val/ with blue/ and red/: 12 and 5 pictures of each. */
void little_data(const char *folder);

/* "folder/name" in one of 32 static buffers. */
const char *little_path(const char *folder, const char *name);
/* Has file `a` the same bytes as file `b`? */
int little_same(const char *a, const char *b);

/* A runtime of so many threads whose cache is in `cache`. */
struct graft_runtime *little_runtime(int threads, const char *cache);

#endif
