/* Gradients of pooling: differences over a grid of attributes and sizes, and
 * what PyTorch does where maxima are equal and windows hang over (numbers of
 * tests/ops/oracle.py).
 * SPDX-License-Identifier: Apache-2.0 */
#include "support/op_case.h"

/* Numbers of which no two are nearer than 1e-4: differences of maxima then
 * meet no kinks. */
enum { MOST = 16381 }; /* a prime */
static double apart[MOST];

static void fill(void)
{
    for (int64_t i = 0; i < MOST; i++)
        apart[i] = (double)(i * 6007 % MOST) * 2 / MOST - 1;
}

struct shape {
    int64_t n, c, h, w;
};

/* k, s, p, d of two axes: height, width; p at the end: e. */
struct window {
    int64_t k[2], s[2], p[2], e[2], d[2], ceil, pads;
};

static int64_t size(const struct window *w, int i, int64_t in)
{
    int64_t reach = (w->k[i] - 1) * w->d[i] + 1;
    int64_t room = in + w->p[i] + w->e[i] - reach, n = room / w->s[i] + 1;
    bool more = w->ceil && room % w->s[i] && n * w->s[i] < in + w->p[i];
    return more ? n + 1 : n;
}

static void check(const char *op, const struct shape *x,
                  const struct window *w)
{
    int64_t pads[] = {w->p[0], w->p[1], w->e[0], w->e[1]};
    bool max = op[0] == 'M';
    struct graft_attr attr[] = {
        OP_INT_LIST("kernel_shape", w->k[0], w->k[1]),
        OP_INT_LIST("strides", w->s[0], w->s[1]),
        OP_INT_LIST("dilations", w->d[0], w->d[1]),
        {.name = "pads", .type = GRAFT_ATTR_INTS, .ints = pads, .n = 4},
        OP_INT("ceil_mode", w->ceil),
        OP_INT("count_include_pad", w->pads), {.name = NULL}};
    if (max)
        attr[5].name = NULL;
    struct op_case c = {
        .op = op, .opset = 22, .attr = attr, .n_max = (int)x->n,
        .step = max ? 2e-5 : 0,
        .in = {OP_X(OP_DIMS(x->n, x->c, x->h, x->w), .reals = apart,
                    .n = x->n * x->c * x->h * x->w)},
        .out = {OP_Y(OP_DIMS(x->n, x->c, size(w, 0, x->h),
                             size(w, 1, x->w)))}};
    op_case_gradient_at(__FILE__, __LINE__, &c);
}

static const struct shape shapes[] = {
    {1, 1, 1, 1}, {2, 16, 5, 7}, {3, 17, 7, 5}, {2, 40, 11, 13}};
static const struct window windows[] = {
    {{1, 1}, {1, 1}, {0, 0}, {0, 0}, {1, 1}, 0, 0},
    {{2, 2}, {2, 2}, {1, 1}, {1, 1}, {1, 1}, 0, 0},
    {{3, 3}, {2, 2}, {1, 1}, {1, 1}, {1, 1}, 0, 1},
    {{3, 3}, {2, 2}, {1, 1}, {1, 1}, {1, 1}, 1, 0},
    {{3, 2}, {1, 3}, {2, 0}, {1, 1}, {1, 1}, 1, 1},
    {{2, 3}, {3, 1}, {1, 2}, {1, 2}, {2, 2}, 0, 0},
    {{3, 3}, {1, 1}, {2, 2}, {2, 2}, {2, 2}, 1, 1},
    {{5, 1}, {3, 4}, {2, 0}, {2, 0}, {1, 1}, 0, 0}};

TEST(ops_pool_back__gradients_by_differences)
{
    static const char *const ops[] = {"MaxPool", "AveragePool"};
    fill();
    for (size_t i = 0; i < sizeof windows / sizeof *windows; i++)
        for (size_t k = 0; k < sizeof shapes / sizeof *shapes; k++)
            for (int o = 0; o < 2; o++)
                if (shapes[k].h > 1 || windows[i].k[0] == 1)
                    check(ops[o], &shapes[k], &windows[i]);
}

TEST(ops_pool_back__every_version_and_number_of_axes)
{
    static const int max[] = {7, 8, 10, 11, 12, 22};
    static const int mean[] = {7, 10, 11, 19, 22};
    fill();
    for (int i = 0; i < 6; i++)
        op_case_gradient(.op = "MaxPool", .opset = max[i], .step = 2e-5,
                         .attr = OP_ATTRS(OP_INT_LIST("kernel_shape", 3, 3)),
                         .in = {OP_X(OP_DIMS(1, 3, 5, 4), .reals = apart,
                                     .n = 60)},
                         .out = {OP_Y(OP_DIMS(1, 3, 3, 2))});
    for (int i = 0; i < 5; i++)
        op_case_gradient(.op = "AveragePool", .opset = mean[i],
                         .attr = OP_ATTRS(OP_INT_LIST("kernel_shape", 3, 3)),
                         .in = {OP_X(OP_DIMS(1, 3, 5, 4))},
                         .out = {OP_Y(OP_DIMS(1, 3, 3, 2))});
    op_case_gradient(.op = "MaxPool", .opset = 12, .step = 2e-5, .n_max = 2,
                     .attr = OP_ATTRS(OP_INT_LIST("kernel_shape", 3),
                                      OP_INT_LIST("strides", 2)),
                     .in = {OP_X(OP_DIMS(2, 18, 7), .reals = apart,
                                 .n = 252)},
                     .out = {OP_Y(OP_DIMS(2, 18, 3))});
    op_case_gradient(.op = "MaxPool", .opset = 12, .step = 2e-5,
                     .attr = OP_ATTRS(OP_INT_LIST("kernel_shape", 2, 1, 2),
                                      OP_INT_LIST("pads", 1, 0, 0, 0, 0, 1)),
                     .in = {OP_X(OP_DIMS(1, 3, 3, 2, 3), .reals = apart,
                                 .n = 54)},
                     .out = {OP_Y(OP_DIMS(1, 3, 3, 2, 3))});
    op_case_gradient(.op = "AveragePool", .opset = 12,
                     .attr = OP_ATTRS(OP_INT_LIST("kernel_shape", 2, 1, 2),
                                      OP_INT_LIST("strides", 1, 2, 1)),
                     .in = {OP_X(OP_DIMS(2, 3, 3, 2, 3))},
                     .out = {OP_Y(OP_DIMS(2, 3, 2, 1, 2))}, .n_max = 2);
}

TEST(ops_pool_back__no_images)
{
    op_case_gradient(.op = "MaxPool", .opset = 12,
                     .attr = OP_ATTRS(OP_INT_LIST("kernel_shape", 2, 2)),
                     .in = {OP_X(OP_DIMS(0, 3, 4, 4))},
                     .out = {OP_Y(OP_DIMS(0, 3, 3, 3))});
    op_case_gradient(.op = "GlobalAveragePool", .opset = 7,
                     .in = {OP_X(OP_DIMS(0, 3, 4, 4))},
                     .out = {OP_Y(OP_DIMS(0, 3, 1, 1))});
}

TEST(ops_pool_back__global_average)
{
    for (size_t k = 0; k < sizeof shapes / sizeof *shapes; k++) {
        const struct shape *x = &shapes[k];
        struct op_case c = {
            .op = "GlobalAveragePool", .opset = k % 2 ? 1 : 22,
            .n_max = (int)x->n, .in = {OP_X(OP_DIMS(x->n, x->c, x->h, x->w))},
            .out = {OP_Y(OP_DIMS(x->n, x->c, 1, 1))}};
        op_case_gradient_at(__FILE__, __LINE__, &c);
    }
}

/* ---- as PyTorch ---------------------------------------------------------- */

TEST(ops_pool_back__the_first_of_equal_maxima_as_pytorch)
{
    op_case_gradient(
        .op = "MaxPool", .opset = 12,
        .attr = OP_ATTRS(OP_INT_LIST("kernel_shape", 3, 3),
                         OP_INT_LIST("strides", 2, 2),
                         OP_INT_LIST("pads", 1, 1, 1, 1),
                         OP_INT("ceil_mode", 1)),
        .in = {OP_X(OP_DIMS(1, 1, 4, 5),
                    OP_REALS(0, 1, 1, 0, 2, 1, 0, 1, 2, 2, 0, 0, 0, 0, 0, 1,
                             1, 0, 0, 0),
                    OP_GRAD(0, 1, 0, 0, 3, 4, 0, 0, 13, 0, 0, 0, 0, 0, 0, 7,
                            8, 0, 9, 0))},
        .out = {OP_Y(OP_DIMS(1, 1, 3, 3),
                     OP_GRAD(1, 2, 3, 4, 5, 6, 7, 8, 9))});
}
