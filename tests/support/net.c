/* Small networks for tests (net.h).
 * SPDX-License-Identifier: Apache-2.0 */
#include "support/net.h"

#include <math.h>
#include <stdio.h>

#include "base/rng.h"
#include "base/runtime.h"

struct net *net_new(int64_t opset)
{
    struct net *n = graft_calloc(1, sizeof *n);
    assert_non_null(n);
    assert_ok(graft_graph_new(&n->m, NULL));
    n->m->ir_version = 8;
    assert_ok(graft_edit_opset(n->m, "", opset));
    return n;
}

void net_free(struct net *n)
{
    graft_graph_free(n->m);
    graft_free(n);
}

int net_input(struct net *n, const char *name, const int64_t *dim, int rank)
{
    struct graft_dim d[GRAFT_MAX_RANK];
    graft_value_id v;
    for (int i = 0; i < rank; i++)
        d[i] = (struct graft_dim){dim[i], dim[i] < 0 ? "N" : NULL};
    assert_ok(graft_edit_input(&v, n->m, name, GRAFT_FLOAT, d, rank));
    return v;
}

static int tensor(struct net *n, const char *name, const int64_t *dim,
                  int rank, double low, double high)
{
    struct graft_shape s;
    graft_value_id v;
    assert_ok(graft_shape_set(&s, dim, rank));
    int64_t count = graft_shape_count(&s);
    float *at = graft_malloc((size_t)(count + 1) * sizeof *at);
    assert_non_null(at);
    struct graft_rng_key key = graft_rng_key(77, n->seed++);
    for (int64_t i = 0; i < count; i++)
        at[i] = (float)(low + (high - low) *
                                  graft_rng_unit(key, (uint64_t)i));
    assert_ok(graft_edit_tensor(&v, n->m, name, GRAFT_FLOAT, &s, at));
    graft_free(at);
    return v;
}

int net_random(struct net *n, const char *name, const int64_t *dim, int rank)
{
    double slice = 1;
    for (int i = rank > 1; i < rank; i++)
        slice *= (double)dim[i];
    double scale = 1 / sqrt(rank > 1 ? slice : 4);
    return tensor(n, name, dim, rank, -scale, scale);
}

int net_positive(struct net *n, const char *name, int64_t count)
{
    return tensor(n, name, &count, 1, 0.5, 1.5);
}

int net_ints(struct net *n, const char *name, const int64_t *at, int count)
{
    struct graft_shape s = {.rank = 1, .dim = {count}};
    graft_value_id v;
    assert_ok(graft_edit_tensor(&v, n->m, name, GRAFT_INT64, &s, at));
    return v;
}

int net_node_of(struct net *n, const char *op, const char *name,
                const struct graft_attr *attr, const int *in, int n_in)
{
    struct graft_node_spec s = {.op_type = op, .name = name, .in = in,
                                .n_in = n_in, .out_name = name,
                                .attr = attr};
    graft_value_id v;
    assert_ok(graft_edit_node(&v, n->m, &s));
    return v;
}

void net_output(struct net *n, int v)
{
    assert_ok(graft_edit_outputs(n->m, &v, 1));
}

static const char *text(struct net *n, const char *name, const char *suffix)
{
    char s[80];
    snprintf(s, sizeof s, "%s.%s", name, suffix);
    char *copy = graft_arena_strdup(&n->m->arena, s);
    assert_non_null(copy);
    return copy;
}

int net_conv(struct net *n, const char *name, int x, int64_t from, int64_t to,
             int64_t kernel, bool norm, bool relu)
{
    int64_t pad = kernel / 2;
    int w = net_random(n, text(n, name, "w"),
                       NET_DIMS(to, from, kernel, kernel));
    int b = net_random(n, text(n, name, "b"), NET_DIMS(to));
    const struct graft_attr *a =
        NET_ATTRS(NET_INTS("pads", pad, pad, pad, pad));
    int y = net_node(n, "Conv", text(n, name, "conv"), a, x, w, b);
    if (norm) {
        int s = net_positive(n, text(n, name, "scale"), to);
        int t = net_random(n, text(n, name, "shift"), NET_DIMS(to));
        int mean = net_random(n, text(n, name, "mean"), NET_DIMS(to));
        int var = net_positive(n, text(n, name, "var"), to);
        y = net_node(n, "BatchNormalization", text(n, name, "norm"), NULL, y,
                     s, t, mean, var);
    }
    return relu ? net_node(n, "Relu", text(n, name, "relu"), NULL, y) : y;
}

struct net *net_residual(void)
{
    struct net *n = net_new(13);
    int x = net_input(n, "x", NET_DIMS(-1, 3, 12, 12));
    int a = net_conv(n, "stem", x, 3, 16, 3, true, true);
    int b = net_conv(n, "b1", a, 16, 16, 3, true, true);
    b = net_conv(n, "b2", b, 16, 16, 3, true, false);
    a = net_node(n, "Relu", "join1", NULL,
                 net_node(n, "Add", "sum1", NULL, b, a));
    int c = net_conv(n, "c1", a, 16, 24, 3, true, true);
    c = net_conv(n, "c2", c, 24, 24, 3, true, false);
    int d = net_conv(n, "skip", a, 16, 24, 1, true, false);
    a = net_node(n, "Relu", "join2", NULL,
                 net_node(n, "Add", "sum2", NULL, c, d));
    a = net_node(n, "Identity", "same", NULL, a);
    a = net_node(n, "GlobalAveragePool", "pool", NULL, a);
    /* the old exporters' flatten */
    int shape = net_node(n, "Shape", "shape", NULL, a);
    int zero = net_ints(n, "zero", (const int64_t[]){0}, 1);
    int rest = net_ints(n, "rest", (const int64_t[]){-1}, 1);
    int batch = net_node(n, "Gather", "batch", NULL, shape, zero);
    int want = net_node(n, "Concat", "want", NET_ATTRS(NET_INT("axis", 0)),
                        batch, rest);
    a = net_node(n, "Reshape", "flat", NULL, a, want);
    int w = net_random(n, "fc.w", NET_DIMS(5, 24));
    int bias = net_random(n, "fc.b", NET_DIMS(5));
    net_output(n, net_node(n, "Gemm", "scores",
                           NET_ATTRS(NET_INT("transB", 1)), a, w, bias));
    return n;
}

void net_fill(struct graft_program *p, int first, int count)
{
    for (int k = 0; k < graft_program_n_inputs(p); k++) {
        struct graft_view v = graft_program_input(p, k);
        int64_t size = graft_shape_span(&v.shape, 1, v.shape.rank);
        bool image = v.fmt.layout == GRAFT_IMAGE;
        int64_t channels = image ? v.shape.dim[1] : 1;
        int64_t pixels = size / channels;
        for (int i = 0; i < count; i++) {
            struct graft_rng_key key =
                graft_rng_key(5, (uint64_t)(first + i));
            real *to = graft_reals(&v) + i * size;
            for (int64_t c = 0; c < channels; c++)
                for (int64_t e = 0; e < pixels; e++)
                    to[e * channels + c] =
                        (real)(2 * graft_rng_unit(key, (uint64_t)(
                                                            c * pixels + e)) -
                               1);
        }
    }
}

struct graft_runtime *net_runtime(int threads)
{
    struct graft_runtime_options o = GRAFT_RUNTIME_OPTIONS;
    struct graft_runtime *rt = NULL;
    o.threads = threads;
    assert_ok(graft_runtime_new(&rt, &o));
    return rt;
}
