/* Activations and unary arithmetic, with the conventions at kinks (PyTorch's,
 * measured).
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "support/op_run.h"

TEST(ops_act__values)
{
    op_case(.op = "Relu", .opset = 13, .n_max = 2,
            .in = {OP_X(OP_DIMS(2, 2), OP_REALS(-1, 0, 2, NAN))},
            .out = {OP_Y(OP_DIMS(2, 2), OP_REALS(0, 0, 2, NAN))});
    op_case(.op = "Sigmoid", .opset = 6,
            .in = {OP_X(OP_DIMS(1, 5), OP_REALS(-1000, -1, 0, 1, 1000))},
            .out = {OP_Y(OP_DIMS(1, 5),
                         OP_REALS(0, 0.268941421369995, 0.5,
                                  0.731058578630005, 1))},
            .tolerance = 1e-6);
    op_case(.op = "HardSigmoid", .opset = 6,
            .in = {OP_X(OP_DIMS(1, 3), OP_REALS(-3, 1, 3))},
            .out = {OP_Y(OP_DIMS(1, 3), OP_REALS(0, 0.7, 1))});
    op_case(.op = "HardSigmoid", .opset = 22,
            .attr = OP_ATTRS(OP_FLOAT("alpha", 0.5f), OP_FLOAT("beta", 0)),
            .in = {OP_X(OP_DIMS(1, 3), OP_REALS(-3, 1, 3))},
            .out = {OP_Y(OP_DIMS(1, 3), OP_REALS(0, 0.5, 1))});
    op_case(.op = "HardSwish", .opset = 14,
            .in = {OP_X(OP_DIMS(1, 4), OP_REALS(-4, -1, 1, 4))},
            .out = {OP_Y(OP_DIMS(1, 4), OP_REALS(0, -1.0 / 3, 2.0 / 3, 4))});
}

TEST(ops_act__clip_in_both_forms)
{
    op_case(.op = "Clip", .opset = 6,
            .attr = OP_ATTRS(OP_FLOAT("min", 0), OP_FLOAT("max", 6)),
            .in = {OP_X(OP_DIMS(1, 4), OP_REALS(-1, 3, 9, NAN))},
            .out = {OP_Y(OP_DIMS(1, 4), OP_REALS(0, 3, 6, NAN))});
    op_case(.op = "Clip", .opset = 10,
            .in = {OP_X(OP_DIMS(1, 2), OP_REALS(-1e30, 3))},
            .out = {OP_Y(OP_DIMS(1, 2), OP_REALS(-1e30, 3))});
    op_case(.op = "Clip", .opset = 11,
            .in = {OP_X(OP_DIMS(1, 3), OP_REALS(-1, 3, 9)), OP_NONE,
                   OP_H(.rank = 0, OP_REALS(6))},
            .out = {OP_Y(OP_DIMS(1, 3), OP_REALS(-1, 3, 6))});
    op_case(.op = "Clip", .opset = 13,
            .in = {OP_X(OP_DIMS(1, 3), OP_REALS(-1, 3, 9)),
                   OP_H(.rank = 0, OP_REALS(2))},
            .out = {OP_Y(OP_DIMS(1, 3), OP_REALS(2, 3, 9))});
    op_case_fails(GRAFT_EUNSUPPORTED, "at run time", .op = "Clip",
                  .opset = 11,
                  .in = {OP_X(OP_DIMS(1, 3)), OP_F(.rank = 0, OP_REALS(1))},
                  .out = {OP_Y(OP_DIMS(1, 3))});
    op_case_fails(GRAFT_ESHAPE, "one number", .op = "Clip", .opset = 11,
                  .in = {OP_X(OP_DIMS(1, 3)), OP_H(OP_DIMS(2))},
                  .out = {OP_Y(OP_DIMS(1, 3))});
    op_case_fails(GRAFT_EFORMAT, "type int, expected float", .op = "Clip",
                  .opset = 6, .attr = OP_ATTRS(OP_INT("min", 0)),
                  .in = {OP_X(OP_DIMS(1, 3))}, .out = {OP_Y(OP_DIMS(1, 3))});
}

static double negative(double x) { return -x; }
static double inverse(double x) { return 1 / x; }
static double leaky(double x) { return x < 0 ? (double)0.01f * x : x; }

static const struct {
    const char *name;
    double low, high;
    double (*f)(double x);
} unary[] = {{"Neg", -2, 2, negative},  {"Abs", -2, 2, fabs},
             {"Sqrt", 0.1, 9, sqrt},    {"Exp", -5, 5, exp},
             {"Log", 0.1, 9, log},      {"Erf", -3, 3, erf},
             {"Tanh", -3, 3, tanh},     {"Reciprocal", 0.2, 3, inverse},
             {"Floor", -5, 5, floor},   {"Ceil", -5, 5, ceil},
             {"LeakyRelu", -2, 2, leaky}};

static void unary_reference(const struct op_case *c, const double *const *in,
                            double *const *out)
{
    int which = 0;
    while (strcmp(unary[which].name, c->op))
        which++;
    for (int64_t i = 0; i < c->in[0].dim[0] * c->in[0].dim[1]; i++)
        out[0][i] = unary[which].f(in[0][i]);
}

TEST(ops_act__unary_functions_agree_with_the_library)
{
    for (size_t i = 0; i < sizeof unary / sizeof *unary; i++) {
        struct op_case c = {
            .op = unary[i].name, .opset = 13, .reference = unary_reference,
            .in = {OP_X(OP_DIMS(2, 10007), .low = unary[i].low,
                        .high = unary[i].high)},
            .out = {OP_Y(OP_DIMS(2, 10007))}, .n_max = 2, .tolerance = 2e-6};
        op_case_at(__FILE__, __LINE__, &c);
    }
    op_case(.op = "Abs", .opset = 13,
            .in = {OP_F(OP_DIMS(3), OP_INTS(-2, 3, INT64_MIN))},
            .out = {OP_Y(OP_DIMS(3), OP_INTS(2, 3, INT64_MIN))});
    op_case(.op = "Neg", .opset = 13,
            .in = {OP_F(OP_DIMS(3), OP_INTS(-2, 3, INT64_MIN))},
            .out = {OP_Y(OP_DIMS(3), OP_INTS(2, -3, INT64_MIN))});
}

/* Maps of 1, 16, 17 and 40 channels, and what is no map. */
static const struct op_value maps[] = {
    OP_X(OP_DIMS(1, 1, 1, 1)), OP_X(OP_DIMS(2, 16, 3, 1)),
    OP_X(OP_DIMS(3, 17, 2, 5)), OP_X(OP_DIMS(2, 40, 7)),
    OP_X(OP_DIMS(3, 5)), OP_X(OP_DIMS(0, 3, 2, 2))};

/* On all of `maps` with numbers from low to high; kink: no number is nearer
 * to one of these than 1/16. */
static void on_maps(struct op_case *c, double low, double high,
                    const double *kink, int kinks)
{
    double x[1024];
    for (size_t m = 0; m < sizeof maps / sizeof *maps; m++) {
        int64_t n = 1;
        c->in[0] = c->out[0] = maps[m];
        for (int d = 0; d < maps[m].rank; d++)
            n *= maps[m].dim[d];
        for (int64_t i = 0; i < n; i++) {
            x[i] = low + (high - low) * (double)(i * 389 % 1021) / 1021;
            for (int k = 0; k < kinks; k++)
                if (fabs(x[i] - kink[k]) < 0.0625)
                    x[i] = kink[k] + 0.0625;
        }
        c->in[0].reals = x;
        c->in[0].n = n;
        c->n_max = maps[m].dim[0] ? (int)maps[m].dim[0] : 1;
        op_case_gradient_at(__FILE__, __LINE__, c);
    }
}

TEST(ops_act__gradient_away_from_kinks)
{
    static const char *const acts[] = {"Relu", "Sigmoid", "HardSigmoid",
                                       "HardSwish"};
    static const double kink[] = {-3, -2.5, 0, 2.5, 3};
    for (size_t i = 0; i < sizeof acts / sizeof *acts; i++) {
        struct op_case c = {.op = acts[i], .opset = 14};
        on_maps(&c, -4, 4, kink, 5);
    }
    struct op_case swish = {.op = "Swish", .opset = 24,
                            .attr = OP_ATTRS(OP_FLOAT("alpha", 1.5f))};
    on_maps(&swish, -4, 4, NULL, 0);
    struct op_case hard = {.op = "HardSigmoid", .opset = 6,
                           .attr = OP_ATTRS(OP_FLOAT("alpha", 0.5f),
                                            OP_FLOAT("beta", 0.25f))};
    on_maps(&hard, -4, 4, (const double[]){-0.5, 1.5}, 2);
    for (size_t i = 0; i < sizeof unary / sizeof *unary; i++) {
        struct op_case c = {.op = unary[i].name, .opset = 13};
        bool positive = unary[i].low > 0;
        on_maps(&c, positive ? 0.5 : -2, 2,
                (const double[]){-2, -1, 0, 1, 2}, positive ? 0 : 5);
    }
    struct op_case leaky = {.op = "LeakyRelu", .opset = 6,
                            .attr = OP_ATTRS(OP_FLOAT("alpha", 0.25f))};
    on_maps(&leaky, -2, 2, kink + 2, 1);
}

TEST(ops_act__gradient_of_clip)
{
    static const double kink[] = {-1, 0, 2, 6};
    struct op_case six = {.op = "Clip", .opset = 6,
                          .attr = OP_ATTRS(OP_FLOAT("min", 0),
                                           OP_FLOAT("max", 6))};
    on_maps(&six, -2, 8, kink, 4);
    struct op_case upper = {.op = "Clip", .opset = 10,
                            .attr = OP_ATTRS(OP_FLOAT("max", 2))};
    on_maps(&upper, -2, 8, kink, 4);
    struct op_case both = {.op = "Clip", .opset = 13,
                           .in = {[1] = OP_H(.rank = 0, OP_REALS(-1)),
                                  [2] = OP_H(.rank = 0, OP_REALS(2))}};
    on_maps(&both, -3, 4, kink, 4);
    struct op_case lower = {.op = "Clip", .opset = 11,
                            .in = {[1] = OP_H(.rank = 0, OP_REALS(0))}};
    on_maps(&lower, -3, 4, kink, 4);
}

/* The derivative that the kernel gives at x, dy = 1. */
static double slope(enum graft_act_kind kind, double a, double b, double x)
{
    const struct graft_kernels *k = graft_kernels_for(GRAFT_ISA_GENERIC);
    struct graft_act act = {kind, (real)a, (real)b};
    real in = (real)x, out, dy = 1, dx;
    k->pointwise.act[kind](act, 1, &in, &out);
    k->pointwise.act_back[kind](act, 1, graft_act_from_input(kind) ? &in
                                                                   : &out,
                                &dy, &dx);
    return (double)dx;
}

TEST(ops_act__gradient_at_kinks_is_pytorchs)
{
    assert_near(slope(GRAFT_ACT_RELU, 0, 0, 0), 0, 0);
    assert_near(slope(GRAFT_ACT_CLIP, 0, 6, 0), 0, 0); /* relu6 */
    assert_near(slope(GRAFT_ACT_CLIP, 0, 6, 6), 0, 0);
    assert_near(slope(GRAFT_ACT_CLIP, -1, 1, -1), 1, 0); /* clamp */
    assert_near(slope(GRAFT_ACT_CLIP, -1, 1, 1), 1, 0);
    assert_near(slope(GRAFT_ACT_HARDSIGMOID, 1.0 / 6, 0.5, 3.0001), 0, 0);
    assert_near(slope(GRAFT_ACT_HARDSIGMOID, 0.25, 0.5, 2), 0, 0);
    assert_near(slope(GRAFT_ACT_HARDSIGMOID, 0.25, 0.5, -2), 0, 0);
    assert_near(slope(GRAFT_ACT_HARDSWISH, 0, 0, -3), -0.5, 1e-6);
    assert_near(slope(GRAFT_ACT_HARDSWISH, 0, 0, 3), 1.5, 1e-6);
}

/* The same through whole rows, in rows and C16 and with all kernels. */
#define KINK(name, version, attrs, x, dx)                                   \
    op_case_gradient(.op = name, .opset = version, .attr = attrs,           \
                     .in = {OP_X(OP_DIMS(1, 5, 1), OP_REALS x,              \
                                 OP_GRAD dx)},                              \
                     .out = {OP_Y(OP_DIMS(1, 5, 1), OP_GRAD(1, 2, 3, 4,     \
                                                            5))})

TEST(ops_act__rows_at_kinks)
{
    KINK("Relu", 14, NULL, (-1, 0, 1, 2, 0), (0, 0, 3, 4, 0));
    KINK("LeakyRelu", 6, OP_ATTRS(OP_FLOAT("alpha", 0.25f)),
         (-1, 0, 1, 2, 0), (0.25, 0.5, 3, 4, 1.25));
    KINK("Abs", 13, NULL, (-1, 0, 1, 2, 0), (-1, 0, 3, 4, 0));
    KINK("HardSigmoid", 6, OP_ATTRS(OP_FLOAT("alpha", 0.25f)),
         (-2, 2, 1, 0, 3), (0, 0, 0.75, 1, 0));
    KINK("HardSwish", 14, NULL, (-3, 3, 0, 4, -4), (-0.5, 3, 1.5, 4, 0));
    KINK("Clip", 6, OP_ATTRS(OP_FLOAT("min", 0), OP_FLOAT("max", 6)),
         (0, 6, 3, 7, -1), (0, 0, 3, 0, 0));
    KINK("Clip", 6, OP_ATTRS(OP_FLOAT("min", -1), OP_FLOAT("max", 1)),
         (-1, 1, 0, 2, -2), (1, 2, 3, 0, 0));
    KINK("Floor", 13, NULL, (-1, 0, 0.5, 1, 2), (0, 0, 0, 0, 0));
    KINK("Ceil", 13, NULL, (-1, 0, 0.5, 1, 2), (0, 0, 0, 0, 0));
}

/* In C16 the lanes beyond the last channel are zero after any activation. */
TEST(ops_act__keeps_padded_lanes_zero)
{
    static const char *const names[] = {"Relu", "Sigmoid", "HardSigmoid",
                                        "HardSwish", "Exp", "Tanh"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        real x[2 * 32 * 4], y[2 * 32 * 4];
        for (int e = 0; e < 2 * 32 * 4; e++)
            x[e] = e / (16 * 4) % 2 && e % 16 >= 4 ? 0 : (real)0.5;
        struct graft_view in = {x, {4, {2, 20, 2, 2}},
                                {GRAFT_REAL, GRAFT_C16, 0, 0, 0}};
        struct graft_view out = in;
        out.data = y;
        struct op_case c = {.op = names[i], .opset = 14,
                            .in = {OP_X(OP_DIMS(2, 20, 2, 2))},
                            .out = {OP_Y(OP_DIMS(2, 20, 2, 2))}};
        struct op_run r = {.file = __FILE__, .line = __LINE__};
        assert_ok(op_run_infer(&r, &c));
        r.op->forward(&(struct graft_call){
            .args = r.args, .n = 2, .n_in = 1, .n_out = 1, .in = &in,
            .out = &out, .k = graft_kernels_for(GRAFT_ISA_GENERIC)});
        for (int e = 0; e < 2 * 32 * 4; e++)
            if (x[e] == 0)
                assert_true(y[e] == 0);
            else
                assert_true(y[e] > 0);
        op_run_release(&r);
    }
}
