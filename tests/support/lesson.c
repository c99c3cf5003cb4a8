/* The network and the batch of support/lesson.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "support/lesson.h"

#include <math.h>

float lesson_wave(int64_t i, int phase_times_2, double scale)
{
    return (float)(scale * sin(1.7 * (double)i + 0.5 * phase_times_2));
}

struct net *lesson_net(void)
{
    struct net *n = net_new(13);
    const struct graft_attr *b = NET_ATTRS(NET_INT("transB", 1));
    int x = net_input(n, "x", NET_DIMS(-1, LESSON_IN));
    int w1 = net_random(n, "1.weight", NET_DIMS(LESSON_HIDDEN, LESSON_IN));
    int b1 = net_random(n, "1.bias", NET_DIMS(LESSON_HIDDEN));
    int w2 = net_random(n, "2.weight", NET_DIMS(LESSON_CLASSES, LESSON_HIDDEN));
    int b2 = net_random(n, "2.bias", NET_DIMS(LESSON_CLASSES));
    int h = net_node(n, "Gemm", "h", b, x, w1, b1);
    h = net_node(n, "Relu", "r", NULL, h);
    h = net_node(n, "Gemm", "scores", b, h, w2, b2);
    h = net_node(n, "Softmax", "y", NET_ATTRS(NET_INT("axis", 1)), h);
    const struct graft_dim dim[] = {{-1, "N"}, {LESSON_CLASSES, NULL}};
    assert_ok(graft_edit_value_type(n->m, h, GRAFT_FLOAT, dim, 2));
    net_output(n, h);
    return n;
}

void lesson_part(struct lesson *d, int first, int n)
{
    d->array = (struct graft_array){.name = "x", .rank = 2,
                                    .data = d->x + first * LESSON_IN,
                                    .dim = {n, LESSON_IN}};
    d->batch = (struct graft_train_batch){.inputs = &d->array, .n_inputs = 1,
                                          .classes = d->label + first};
}

void lesson_begin(struct lesson *d)
{
    for (int i = 0; i < LESSON_IMAGES * LESSON_IN; i++)
        d->x[i] = lesson_wave(i, 1, 1);
    for (int i = 0; i < LESSON_IMAGES; i++)
        d->label[i] = i % LESSON_CLASSES;
    lesson_part(d, 0, LESSON_IMAGES);
}
