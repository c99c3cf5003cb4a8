/* Gradients of a network against central differences. Meant for the build
 * that computes in double, where differences are good to nine digits; in
 * float they only show gross mistakes.
 *
 *     struct gradient_check k = {.net = n, .train = {w}, .n_train = 1};
 *     gradient_check_all(&k);        with each pass off once; frees the net
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_TEST_GRADIENT_H
#define GRAFT_TEST_GRADIENT_H

#include "support/net.h"

struct gradient_check {
    struct net *net;
    graft_value_id train[8], want[8];
    bool scale[8];  /* of train: factors only */
    int n_train, n_want;
    bool loss;      /* softmax cross-entropy; else sum of seed * output */
    uint64_t skip;
    graft_find_op *find;
};

void gradient_check(const struct gradient_check *k);
void gradient_check_all(struct gradient_check *k);
/* Epilogues fused when it is compiled for training. */
int gradient_fused(const struct gradient_check *k);

#endif
