/* A small random network with stages, a normalisation and a skip connection,
 * for fine-tuning on the little world's pictures.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_TEST_LITTLE_DEEP_H
#define GRAFT_TEST_LITTLE_DEEP_H

#include "base/runtime.h"
#include "graft/classifier.h"

/* image [N,3,16,16] - c1 - Relu (r1) - MaxPool - c2 - norm - Relu (r2) - c3,
 * plus the pool's output, Relu - GlobalAveragePool - Flatten: 8 features, no
 * head. Weights c1.weight, c2.weight, c3.weight [8,.,3,3], norm.scale, .bias,
 * .mean, .var [8]. c3 alone: the pool and r2 cross into it. */
void little_deep_model(struct graft_runtime *rt, const char *path);

/* That network, the little pictures, a place for the result, and options: a
 * probe held back so strongly that it knows nothing, so that every step
 * helps; three epochs of three steps. */
struct deep_world {
    char folder[128];
    const char *model, *data, *out;
    struct graft_runtime *rt;
    struct graft_train_options o;
};
void deep_begin(struct deep_world *w, int threads, const char *unfreeze);
void deep_end(struct deep_world *w);
/* Has to succeed. */
struct graft_report *deep_train(const struct deep_world *w);
/* Stops at that step of fine-tuning, the first is 1, and has to say so. */
void deep_train_until(struct deep_world *w, int step);
/* Steps of fine-tuning in a whole training, which has to succeed. */
int deep_train_counting(struct deep_world *w);
/* Goes on in a runtime of so many threads. */
void deep_threads(struct deep_world *w, int threads);
/* After a training of one thread: those of two and three make its bytes. */
void deep_threads_change_nothing(struct deep_world *w);
/* As deep_train, and fine-tuning has to win, with val gone from the first
 * feature to the beginning of its own phase. */
void deep_train_without_val(struct deep_world *w);

#endif
