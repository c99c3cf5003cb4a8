/* Rows of values known while compiling (Constant, ConstantOfShape, Shape,
 * Size, Range), Cast, comparisons and Where.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "support/op_case.h"

/* A tensor attribute of rank 1, or of rank 0 with n < 0. */
static struct graft_tensor tensor(int dtype, const void *data, int n,
                                  size_t bytes)
{
    struct graft_tensor t = {.name = "t", .dtype = dtype, .data = data,
                             .bytes = bytes, .value = -1};
    t.shape.rank = n >= 0;
    t.shape.dim[0] = n >= 0 ? n : 0;
    return t;
}

static struct graft_attr tensor_attr(const struct graft_tensor *t)
{
    return (struct graft_attr){.name = "value", .type = GRAFT_ATTR_TENSOR,
                               .tensor = t};
}

TEST(ops_constant__all_forms)
{
    const float reals[] = {1.5f, -2};
    const int32_t ints[] = {-7, 8};
    struct graft_tensor r = tensor(GRAFT_FLOAT, reals, 2, sizeof reals);
    struct graft_tensor i = tensor(GRAFT_INT32, ints, 2, sizeof ints);
    op_case(.op = "Constant", .opset = 9, .attr = OP_ATTRS(tensor_attr(&r)),
            .out = {OP_Y(OP_DIMS(2), OP_REALS(1.5, -2))});
    op_case(.op = "Constant", .opset = 13, .attr = OP_ATTRS(tensor_attr(&i)),
            .out = {OP_Y(OP_DIMS(2), OP_INTS(-7, 8))});
    op_case(.op = "Constant", .opset = 12,
            .attr = OP_ATTRS(OP_FLOAT("value_float", 2.5f)),
            .out = {OP_Y(.rank = 0, OP_REALS(2.5))});
    op_case(.op = "Constant", .opset = 12,
            .attr = OP_ATTRS(OP_FLOAT_LIST("value_floats", 1, 2)),
            .out = {OP_Y(OP_DIMS(2), OP_REALS(1, 2))});
    op_case(.op = "Constant", .opset = 12,
            .attr = OP_ATTRS(OP_INT("value_int", INT64_MAX)),
            .out = {OP_Y(.rank = 0, OP_INTS(INT64_MAX))});
    op_case(.op = "Constant", .opset = 12,
            .attr = OP_ATTRS(OP_INT_LIST("value_ints", 3, 4)),
            .out = {OP_Y(OP_DIMS(2), OP_INTS(3, 4))});
    op_case_fails(GRAFT_EUNSUPPORTED, "no value", .op = "Constant",
                  .opset = 9, .attr = OP_ATTRS(OP_INT("value_int", 1)),
                  .out = {OP_Y(.rank = 0)});
    op_case_fails(GRAFT_EUNSUPPORTED, "'value_int' is not known",
                  .op = "Constant", .opset = 13,
                  .attr = OP_ATTRS(OP_INT("value_int", 1),
                                   OP_FLOAT("value_float", 1)),
                  .out = {OP_Y(.rank = 0)});
}

TEST(ops_constant__of_shape_and_range)
{
    const int64_t seven = 7;
    struct graft_tensor t = tensor(GRAFT_INT64, &seven, 1, sizeof seven);
    op_case(.op = "ConstantOfShape", .opset = 9,
            .attr = OP_ATTRS(tensor_attr(&t)),
            .in = {OP_H(OP_DIMS(2), OP_INTS(2, 1))},
            .out = {OP_Y(OP_DIMS(2, 1), OP_INTS(7, 7))});
    op_case(.op = "ConstantOfShape", .opset = 21,
            .in = {OP_H(OP_DIMS(1), OP_INTS(2))},
            .out = {OP_Y(OP_DIMS(2), OP_REALS(0, 0))});
    op_case(.op = "Range", .opset = 11,
            .in = {OP_H(.rank = 0, OP_INTS(10)), OP_H(.rank = 0, OP_INTS(4)),
                   OP_H(.rank = 0, OP_INTS(-3))},
            .out = {OP_Y(OP_DIMS(2), OP_INTS(10, 7))});
    op_case(.op = "Range", .opset = 11,
            .in = {OP_H(.rank = 0, OP_REALS(0)), OP_H(.rank = 0, OP_REALS(1)),
                   OP_H(.rank = 0, OP_REALS(0.4))},
            .out = {OP_Y(OP_DIMS(3), OP_REALS(0, 0.4, 0.8))});
    op_case_fails(GRAFT_ELIMIT, "elements", .op = "ConstantOfShape",
                  .opset = 9,
                  .in = {OP_H(OP_DIMS(2), OP_INTS(1 << 20, 1 << 20))},
                  .out = {OP_Y(OP_DIMS(1))});
    op_case_fails(GRAFT_ESHAPE, "negative", .op = "ConstantOfShape",
                  .opset = 9, .in = {OP_H(OP_DIMS(1), OP_INTS(-1))},
                  .out = {OP_Y(OP_DIMS(1))});
    op_case_fails(GRAFT_ELIMIT, "by 0", .op = "Range", .opset = 11,
                  .in = {OP_H(.rank = 0, OP_INTS(1)),
                         OP_H(.rank = 0, OP_INTS(4)),
                         OP_H(.rank = 0, OP_INTS(0))},
                  .out = {OP_Y(OP_DIMS(1))});
}

TEST(ops_constant__shape_is_known)
{
    op_case(.op = "Shape", .opset = 13, .n_max = 2,
            .in = {OP_X(OP_DIMS(2, 3, 4))},
            .out = {OP_Y(OP_DIMS(3), OP_INTS(2, 3, 4))});
    op_case(.op = "Shape", .opset = 15,
            .attr = OP_ATTRS(OP_INT("start", -2)),
            .in = {OP_X(OP_DIMS(2, 3, 4))},
            .out = {OP_Y(OP_DIMS(2), OP_INTS(3, 4))});
    op_case(.op = "Shape", .opset = 15,
            .attr = OP_ATTRS(OP_INT("start", 1), OP_INT("end", -1)),
            .in = {OP_X(OP_DIMS(2, 3, 4))},
            .out = {OP_Y(OP_DIMS(1), OP_INTS(3))});
    op_case(.op = "Shape", .opset = 19,
            .attr = OP_ATTRS(OP_INT("start", 2), OP_INT("end", 1)),
            .in = {OP_X(OP_DIMS(2, 3, 4))},
            .out = {OP_Y(OP_DIMS(0), .dtype = GRAFT_INT64)});
    op_case(.op = "Size", .opset = 13, .in = {OP_X(OP_DIMS(2, 3, 4))},
            .out = {OP_Y(.rank = 0, OP_INTS(24))});
}

TEST(ops_cast__between_integers_and_reals)
{
    op_case(.op = "Cast", .opset = 9,
            .attr = OP_ATTRS(OP_INT("to", GRAFT_INT64)),
            .in = {OP_X(OP_DIMS(1, 5), OP_REALS(2.7, -2.7, NAN, 1e30,
                                                -1e30))},
            .out = {OP_Y(OP_DIMS(1, 5), OP_INTS(2, -2, 0, INT64_MAX,
                                                INT64_MIN))});
    op_case(.op = "Cast", .opset = 13,
            .attr = OP_ATTRS(OP_INT("to", GRAFT_INT32)),
            .in = {OP_F(OP_DIMS(2), OP_INTS(5, ((int64_t)1 << 32) - 1))},
            .out = {OP_Y(OP_DIMS(2), OP_INTS(5, -1))});
    op_case(.op = "Cast", .opset = 19,
            .attr = OP_ATTRS(OP_INT("to", GRAFT_BOOL), OP_INT("saturate", 1)),
            .in = {OP_X(OP_DIMS(1, 3), OP_REALS(0, 0.5, NAN))},
            .out = {OP_Y(OP_DIMS(1, 3), OP_INTS(0, 1, 1))});
    op_case(.op = "Cast", .opset = 24,
            .attr = OP_ATTRS(OP_INT("to", GRAFT_FLOAT),
                             OP_STRING("round_mode", "up")),
            .in = {OP_F(OP_DIMS(2), OP_INTS(5, -3))},
            .out = {OP_Y(OP_DIMS(2), OP_REALS(5, -3))});
    op_case(.op = "Cast", .opset = 13,
            .attr = OP_ATTRS(OP_INT("to", GRAFT_FLOAT)),
            .in = {OP_X(OP_DIMS(1, 2), OP_REALS(5, -3))},
            .out = {OP_Y(OP_DIMS(1, 2), OP_REALS(5, -3))});
    op_case_fails(GRAFT_EUNSUPPORTED, "cast to string", .op = "Cast",
                  .opset = 13,
                  .attr = OP_ATTRS(OP_INT("to", 8)),
                  .in = {OP_X(OP_DIMS(1))}, .out = {OP_Y(OP_DIMS(1))});
}

TEST(ops_cast__comparisons_and_where)
{
    op_case(.op = "Equal", .opset = 13,
            .in = {OP_F(OP_DIMS(2, 1), OP_INTS(1, 2)),
                   OP_F(OP_DIMS(2), OP_INTS(2, 1))},
            .out = {OP_Y(OP_DIMS(2, 2), OP_INTS(0, 1, 1, 0))});
    op_case(.op = "Greater", .opset = 9, .n_max = 2,
            .in = {OP_X(OP_DIMS(2, 2), OP_REALS(1, 2, 3, NAN)),
                   OP_P(.rank = 0, OP_REALS(1.5))},
            .out = {OP_Y(OP_DIMS(2, 2), OP_INTS(0, 1, 1, 0))});
    op_case(.op = "Less", .opset = 9,
            .in = {OP_F(OP_DIMS(2), OP_INTS(1, 2)),
                   OP_F(OP_DIMS(2), OP_INTS(2, 2))},
            .out = {OP_Y(OP_DIMS(2), OP_INTS(1, 0))});
    op_case(.op = "And", .opset = 7,
            .in = {OP_F(OP_DIMS(2), OP_INTS(1, 1)),
                   OP_F(OP_DIMS(2), OP_INTS(0, 1))},
            .out = {OP_Y(OP_DIMS(2), OP_INTS(0, 1))});
    op_case(.op = "Or", .opset = 7,
            .in = {OP_F(OP_DIMS(2), OP_INTS(0, 1)),
                   OP_F(OP_DIMS(1), OP_INTS(0))},
            .out = {OP_Y(OP_DIMS(2), OP_INTS(0, 1))});
    op_case(.op = "Not", .opset = 1,
            .in = {OP_F(OP_DIMS(2), OP_INTS(0, 1))},
            .out = {OP_Y(OP_DIMS(2), OP_INTS(1, 0))});
    op_case(.op = "Where", .opset = 9,
            .in = {OP_F(OP_DIMS(2, 1), OP_INTS(1, 0)),
                   OP_P(OP_DIMS(2), OP_REALS(1, 2)),
                   OP_P(.rank = 0, OP_REALS(9))},
            .out = {OP_Y(OP_DIMS(2, 2), OP_REALS(1, 2, 9, 9))});
    op_case(.op = "Where", .opset = 16,
            .in = {OP_F(OP_DIMS(2), OP_INTS(1, 0)),
                   OP_F(OP_DIMS(1), OP_INTS(5)),
                   OP_F(OP_DIMS(2), OP_INTS(6, 7))},
            .out = {OP_Y(OP_DIMS(2), OP_INTS(5, 7))});
    op_case_fails(GRAFT_ESHAPE, "types", .op = "Where", .opset = 9,
                  .in = {OP_F(OP_DIMS(1)), OP_F(OP_DIMS(1)),
                         OP_F(OP_DIMS(1))},
                  .out = {OP_Y(OP_DIMS(1))});
}

TEST(ops_cast__gradient_between_reals)
{
    op_case_gradient(.op = "Cast", .opset = 13,
                     .attr = OP_ATTRS(OP_INT("to", GRAFT_FLOAT)),
                     .in = {OP_X(OP_DIMS(1, 2))},
                     .out = {OP_Y(OP_DIMS(1, 2))});
    op_case_gradient(.op = "Cast", .opset = 19,
                     .attr = OP_ATTRS(OP_INT("to", GRAFT_DOUBLE)),
                     .in = {OP_X(OP_DIMS(1, 2))},
                     .out = {OP_Y(OP_DIMS(1, 2))});
}
