/* Every operator row has a golden case, and every row with a backward a
 * gradient case; the table is in order.
 *
 * GRAFT_GRADIENTS=1 lists how far each gradient is from differences.
 *
 * Cases register the row they run. When rows are missing because only some
 * tests were chosen, the others are run here.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "support/op_case.h"

/* Operators that work in blocks of 16 channels. */
static const char *const blocked[] = {
    "Add", "AveragePool", "BatchNormalization", "Clip", "Concat", "Conv",
    "Div", "GlobalAveragePool", "HardSigmoid", "HardSwish", "MaxPool", "Mul",
    "ReduceMean", "Relu", "Sigmoid", "Slice", "Split", "Sub",
    "Swish"};

static bool is_wanted(const struct graft_op *op, enum op_case_kind kind)
{
    bool listed = false;
    for (size_t i = 0; i < sizeof blocked / sizeof *blocked; i++)
        listed |= !strcmp(blocked[i], op->name);
    return kind == OP_CASE_GRADIENT  ? op->backward != NULL
           : kind == OP_CASE_GRADIENT_BLOCKED
               ? op->flags & GRAFT_OP_BACK_BLOCKED
           : kind == OP_CASE_BLOCKED ? listed
                                     : true;
}

static int missing(enum op_case_kind kind, bool say)
{
    static const char *const names[] = {"golden", "blocked", "gradient",
                                       "blocked gradient"};
    int n = 0;
    for (const struct graft_op *const *op = graft_op_table(); *op; op++) {
        if (!is_wanted(*op, kind) || op_case_seen(*op, kind))
            continue;
        n++;
        if (say)
            print_error("%s since version %d has no %s case\n", (*op)->name,
                        (*op)->since, names[kind]);
    }
    return n;
}

static void run_operator_tests(void)
{
    for (const struct graft_test *t = graft_tests; t->name; t++)
        if (!strncmp(t->name, "ops_", 4) && strncmp(t->name, "ops_rows", 8))
            t->run(NULL);
}

TEST(ops_rows__each_has_a_golden_case)
{
    if (missing(OP_CASE_GOLDEN, false))
        run_operator_tests();
    assert_int_equal(missing(OP_CASE_GOLDEN, true), 0);
}

TEST(ops_rows__each_that_can_has_a_case_in_blocks)
{
    if (missing(OP_CASE_BLOCKED, false))
        run_operator_tests();
    assert_int_equal(missing(OP_CASE_BLOCKED, true), 0);
}

TEST(ops_rows__each_backward_has_a_gradient_case)
{
    if (missing(OP_CASE_GRADIENT, false))
        run_operator_tests();
    assert_int_equal(missing(OP_CASE_GRADIENT, true), 0);
}

/* With GRAFT_GRADIENTS=1: the largest error of each row by differences,
 * relative to the largest gradient of the same input. */
static void list_errors(void)
{
    if (!getenv("GRAFT_GRADIENTS"))
        return;
    for (const struct graft_op *const *op = graft_op_table(); *op; op++) {
        double row = op_case_error(*op, OP_CASE_GRADIENT);
        double c16 = op_case_error(*op, OP_CASE_GRADIENT_BLOCKED);
        print_message("%-20s %3d  ", (*op)->name, (*op)->since);
        if (row >= 0)
            print_message("%8.1e ", row);
        else
            print_message("      no ");
        if (c16 >= 0)
            print_message("%8.1e", c16);
        print_message("\n");
    }
}

TEST(ops_rows__each_blocked_backward_has_a_blocked_gradient_case)
{
    if (missing(OP_CASE_GRADIENT_BLOCKED, false))
        run_operator_tests();
    list_errors();
    assert_int_equal(missing(OP_CASE_GRADIENT_BLOCKED, true), 0);
}

/* Rows of one operator do not overlap; what backward needs is stated. */
TEST(ops_rows__are_consistent)
{
    const struct graft_op *const *table = graft_op_table();
    for (int i = 0; table[i]; i++) {
        const struct graft_op *a = table[i];
        assert_non_null(a->infer);
        assert_non_null(a->forward);
        assert_true(!a->until || a->until >= a->since);
        assert_true((a->backward != NULL) == (a->grad_in != 0));
        if (!a->backward)
            assert_true(!a->saves_in && !a->saves_out);
        assert_true(!(a->grad_in & a->host_in) || a->grad_in == UINT32_MAX);
        for (int j = 0; table[j]; j++)
            if (j != i && !strcmp(a->name, table[j]->name) &&
                !strcmp(a->domain, table[j]->domain))
                assert_true((a->until && a->until < table[j]->since) ||
                            (table[j]->until &&
                             table[j]->until < a->since));
    }
}
