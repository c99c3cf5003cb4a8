/* One operator row alone, without a program: described here, run and checked
 * by op_case.c.
 *
 *     op_case(.op = "Gather", .opset = 13,
 *             .attr = OP_ATTRS(OP_INT("axis", 1)),
 *             .in = {OP_X(OP_DIMS(1, 3), OP_REALS(7, 8, 9)),
 *                    OP_H(OP_DIMS(2), OP_INTS(-1, 0))},
 *             .out = {OP_Y(OP_DIMS(1, 2), OP_REALS(9, 7))});
 *
 * runs it with the portable and the best kernels on 1 and 3 threads, for
 * n_max images and for one, in place where the row allows that; with guarded
 * memory filled with NaN before. Values without numbers are random.
 *
 *     op_case_gradient(.op = "Mul", .opset = 13, .in = {...}, .out = {...});
 *
 * compares backward with central differences, for STORE, ADD and SKIP, with
 * values in rows and (GRAFT_OP_BACK_BLOCKED) in C16; what the row does not
 * claim in saves_in and saves_out is NaN then. Both also register the row
 * they ran (tests/ops/test_rows.c). At kinks there are no differences: with
 * OP_GRAD(...) an output says what its gradient is, and an input what must
 * come out for it.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_TEST_OP_CASE_H
#define GRAFT_TEST_OP_CASE_H

#include "graph/op.h"
#include "test.h"

enum op_from {
    OP_END,      /* no further value */
    OP_ABSENT,   /* an optional input left out */
    OP_COMPUTED, /* arrives when run: batched where dim 0 allows */
    OP_FIXED,    /* arrives when run, the same for every image */
    OP_PARAM,    /* a parameter: packed when the row wants that */
    OP_HOST      /* known while compiling, like an initializer of shapes */
};

struct op_value {
    enum op_from from;
    int dtype;            /* 0: real; an integer type with ints */
    int rank;
    int64_t dim[GRAFT_MAX_RANK];
    const double *reals;
    const int64_t *ints;
    int64_t n;            /* of reals or ints, to be compared with dim */
    double low, high;     /* range when random; both 0: -1 .. 1 */
    const double *grad;   /* OP_GRAD */
    int64_t n_grad;
};

enum { OP_CASE_MAX = 12 };
struct op_case {
    const char *op, *domain; /* domain NULL: ai.onnx */
    int64_t opset;
    const struct graft_op *row; /* an internal row, its args ready; outputs
                                   are shaped as the case says, by images
                                   as input 0 is */
    void *args;
    const struct graft_attr *attr;
    struct op_value in[OP_CASE_MAX], out[OP_CASE_MAX];
    int n_max;               /* 0: 1 */
    bool whole_batch;        /* output 0 must be whole_batch; with n_max > 1
                                and a batched input it must be by images
                                otherwise */
    /* Expected outputs in place of numbers; in and out as doubles. */
    void (*reference)(const struct op_case *c, const double *const *in,
                      double *const *out);
    /* Epilogue, off when all are zero; residual like output 0. */
    const double *bias, *residual;
    struct graft_act act;
    double step;             /* of differences; 0: op_gradient.c's */
    double tolerance;        /* 0: 1e-5 of max(1, |expected|); gradients: see
                                op_gradient.c */
    uint32_t unwanted;       /* bit i: nobody asks for input i's gradient */
};

#define OP_DIMS(...)                                                        \
    .rank = sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t),             \
    .dim = {__VA_ARGS__}
#define OP_REALS(...)                                                       \
    .reals = (const double[]){__VA_ARGS__},                                 \
    .n = sizeof((double[]){__VA_ARGS__}) / sizeof(double)
#define OP_GRAD(...)                                                        \
    .grad = (const double[]){__VA_ARGS__},                                  \
    .n_grad = sizeof((double[]){__VA_ARGS__}) / sizeof(double)
#define OP_INTS(...)                                                        \
    .dtype = GRAFT_INT64, .ints = (const int64_t[]){__VA_ARGS__},           \
    .n = sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)
#define OP_X(...) {.from = OP_COMPUTED, __VA_ARGS__}
#define OP_F(...) {.from = OP_FIXED, __VA_ARGS__}
#define OP_P(...) {.from = OP_PARAM, __VA_ARGS__}
#define OP_H(...) {.from = OP_HOST, __VA_ARGS__}
#define OP_Y(...) {.from = OP_COMPUTED, __VA_ARGS__}
#define OP_NONE {.from = OP_ABSENT}

#define OP_ATTRS(...) (const struct graft_attr[]){__VA_ARGS__, {.name = NULL}}
#define OP_INT(key, value)                                                  \
    {.name = key, .type = GRAFT_ATTR_INT, .i = value}
#define OP_FLOAT(key, value)                                                \
    {.name = key, .type = GRAFT_ATTR_FLOAT, .f = value}
#define OP_STRING(key, value)                                               \
    {.name = key, .type = GRAFT_ATTR_STRING,                                \
     .s = {(const uint8_t *)value, sizeof value - 1}}
#define OP_INT_LIST(key, ...)                                               \
    {.name = key, .type = GRAFT_ATTR_INTS,                                  \
     .ints = (const int64_t[]){__VA_ARGS__},                                \
     .n = sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)}
#define OP_FLOAT_LIST(key, ...)                                             \
    {.name = key, .type = GRAFT_ATTR_FLOATS,                                \
     .floats = (const float[]){__VA_ARGS__},                                \
     .n = sizeof((float[]){__VA_ARGS__}) / sizeof(float)}

#define op_case(...)                                                        \
    op_case_at(__FILE__, __LINE__, &(struct op_case){__VA_ARGS__})
#define op_case_gradient(...)                                               \
    op_case_gradient_at(__FILE__, __LINE__, &(struct op_case){__VA_ARGS__})
/* parse or infer refuses it so. */
#define op_case_fails(status, part, ...)                                    \
    op_case_fails_at(__FILE__, __LINE__, status, part,                      \
                     &(struct op_case){__VA_ARGS__})

void op_case_at(const char *file, int line, const struct op_case *c);
void op_case_gradient_at(const char *file, int line, const struct op_case *c);
void op_case_fails_at(const char *file, int line, int status,
                      const char *part, const struct op_case *c);

/* Whether a row was checked so in this process. BLOCKED: with values in
 * C16. */
enum op_case_kind {
    OP_CASE_GOLDEN,
    OP_CASE_BLOCKED,
    OP_CASE_GRADIENT,
    OP_CASE_GRADIENT_BLOCKED
};
bool op_case_seen(const struct graft_op *op, enum op_case_kind kind);
void op_case_note(const struct graft_op *op, enum op_case_kind kind);
/* Notes it with an error; the largest one of all cases is kept. */
void op_case_note_error(const struct graft_op *op, enum op_case_kind kind,
                        double error);
double op_case_error(const struct graft_op *op, enum op_case_kind kind);

#endif
