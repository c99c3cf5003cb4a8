/* A small network and a batch for tests of trainers, those that
 * tests/api/make_finetune_vectors.py has too.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_TEST_LESSON_H
#define GRAFT_TEST_LESSON_H

#include "graft/finetune.h"
#include "support/net.h"

enum {
    LESSON_IMAGES = 24, LESSON_IN = 6, LESSON_HIDDEN = 8, LESSON_CLASSES = 3
};

/* x - Linear - Relu - Linear (scores) - Softmax: 1.weight, 1.bias, 2.weight,
 * 2.bias, as PyTorch's nn.Sequential names them. */
struct net *lesson_net(void);

/* scale sin(1.7 i + phase): numbers that both languages make alike. */
float lesson_wave(int64_t i, int phase_times_2, double scale);

struct lesson {
    float x[LESSON_IMAGES * LESSON_IN];
    int32_t label[LESSON_IMAGES];
    struct graft_array array;
    struct graft_train_batch batch; /* of all images, or: */
};
void lesson_begin(struct lesson *d);
void lesson_part(struct lesson *d, int first, int n);

#endif
