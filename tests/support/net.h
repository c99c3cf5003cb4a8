/* Small networks built by edits, for tests of programs.
 *
 *     struct net *n = net_new(13);
 *     int x = net_input(n, "x", NET_DIMS(-1, 3, 8, 8));
 *     int w = net_random(n, "w", NET_DIMS(4, 3, 3, 3));
 *     int y = net_node(n, "Conv", "y", NET_ATTRS(...), x, w);
 *     net_output(n, y);
 *
 * Failures end the test; net_free frees all.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_TEST_NET_H
#define GRAFT_TEST_NET_H

#include "graph/edit.h"
#include "program/program.h"
#include "test.h"

struct net {
    struct graft_model *m;
    uint64_t seed; /* of the next random tensor */
};

#define NET_DIMS(...)                                                       \
    (const int64_t[]){__VA_ARGS__},                                         \
        (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t))
#define NET_ATTRS(...) (const struct graft_attr[]){__VA_ARGS__, {.name = NULL}}
#define NET_INT(key, value)                                                 \
    {.name = key, .type = GRAFT_ATTR_INT, .i = value}
#define NET_FLOAT(key, value)                                               \
    {.name = key, .type = GRAFT_ATTR_FLOAT, .f = value}
#define NET_INTS(key, ...)                                                  \
    {.name = key, .type = GRAFT_ATTR_INTS,                                  \
     .ints = (const int64_t[]){__VA_ARGS__},                                \
     .n = sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)}

struct net *net_new(int64_t opset);
void net_free(struct net *n);
/* A float input; a dimension of -1 is symbolic. */
int net_input(struct net *n, const char *name, const int64_t *dim, int rank);
/* Uniform in -0.5 .. 0.5, scaled by 2 / sqrt(elements of a dim-0 slice). */
int net_random(struct net *n, const char *name, const int64_t *dim, int rank);
/* Uniform in 0.5 .. 1.5: variances, scales. */
int net_positive(struct net *n, const char *name, int64_t count);
int net_ints(struct net *n, const char *name, const int64_t *at, int count);
/* A node of up to 5 inputs; -1 ends the list or leaves one out. */
int net_node_of(struct net *n, const char *op, const char *name,
                const struct graft_attr *attr, const int *in, int n_in);
#define net_node(n, op, name, attr, ...)                                    \
    net_node_of(n, op, name, attr, (const int[]){__VA_ARGS__},              \
                (int)(sizeof((int[]){__VA_ARGS__}) / sizeof(int)))
void net_output(struct net *n, int v);

/* Convolution 3x3 (pad 1) or 1x1, with or without normalisation and Relu. */
int net_conv(struct net *n, const char *name, int x, int64_t from, int64_t to,
             int64_t kernel, bool norm, bool relu);
/* A small residual network [N,3,12,12] -> scores [N,5]. */
struct net *net_residual(void);

/* Fills the program's inputs with images first .. first+count-1 of a fixed
 * random sequence. */
void net_fill(struct graft_program *p, int first, int count);
struct graft_runtime *net_runtime(int threads);

#endif
