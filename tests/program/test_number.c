/* Numbers that a graph takes from the size of its batch: as sizes they may
 * serve any batch, as data only the one they were computed for.
 * SPDX-License-Identifier: Apache-2.0 */
#include "support/net.h"

static int first_size(struct net *n, int x)
{
    int zero = net_ints(n, "zero", (const int64_t[]){0}, 1);
    int shape = net_node(n, "Shape", "shape", NULL, x);
    return net_node(n, "Gather", "size", NULL, shape, zero);
}

/* y = x / N */
static struct net *mean_like(int64_t batch)
{
    struct net *n = net_new(13);
    int x = net_input(n, "x", NET_DIMS(batch, 2));
    int size = first_size(n, x);
    int f = net_node(n, "Cast", "f", NET_ATTRS(NET_INT("to", GRAFT_FLOAT)),
                     size);
    net_output(n, net_node(n, "Div", "y", NULL, x, f));
    return n;
}

static struct graft_program *compile(const struct net *n, int n_max)
{
    struct graft_program *p = NULL;
    struct graft_compile c = {.model = n->m, .n_max = n_max};
    assert_ok(graft_program_new(&p, NULL, &c));
    return p;
}

static int runs(const struct net *n, int n_max, int images)
{
    struct graft_program *p = compile(n, n_max);
    net_fill(p, 0, images);
    int status = graft_program_forward(p, images);
    graft_program_free(p);
    return status;
}

TEST(program_number__size_of_the_batch_in_data_is_for_that_batch)
{
    struct net *n = mean_like(-1);
    struct graft_program *p = compile(n, 4);
    net_fill(p, 0, 4);
    real x = ((real *)graft_program_input(p, 0).data)[0];
    assert_ok(graft_program_forward(p, 4));
    assert_true(((real *)graft_program_output(p, 0).data)[0] == x / 4);
    assert_int_equal(graft_program_output_rows(p, 0), 0);
    graft_program_free(p);
    assert_fails(runs(n, 4, 3), GRAFT_ESHAPE, "'y' depends on the number");
    assert_fails(runs(n, 4, 1), GRAFT_ESHAPE, "must be 4, not 1");
    assert_ok(runs(n, 4, 0));
    assert_ok(runs(n, 1, 1));
    net_free(n);
}

TEST(program_number__size_of_a_stated_batch_is_the_files)
{
    struct net *n = mean_like(3);
    assert_int_equal(graft_model_fixed_batch(n->m), 3);
    struct graft_program *p = compile(n, 3);
    net_fill(p, 0, 2);
    real x = ((real *)graft_program_input(p, 0).data)[3];
    assert_ok(graft_program_forward(p, 2));
    assert_true(((real *)graft_program_output(p, 0).data)[3] == x / 3);
    graft_program_free(p);
    p = NULL;
    struct graft_compile c = {.model = n->m, .n_max = 6};
    assert_fails(graft_program_new(&p, NULL, &c), GRAFT_ESHAPE,
                 "fixes the batch at 3");
    net_free(n);
    n = mean_like(1);
    assert_int_equal(graft_model_fixed_batch(n->m), 1);
    net_free(n);
}

/* y = Reshape(x [N,6], [by * N, ...]) with by computed in the graph. */
static struct net *reshaped(const char *op, int64_t with, int64_t rest)
{
    struct net *n = net_new(13);
    int x = net_input(n, "x", NET_DIMS(-1, 6));
    int size = first_size(n, x);
    int k = net_ints(n, "k", &with, 1), r = net_ints(n, "r", &rest, 1);
    if (op)
        size = net_node(n, op, "sized", NULL, size, k);
    int to = net_node(n, "Concat", "to", NET_ATTRS(NET_INT("axis", 0)),
                      size, r);
    net_output(n, net_node(n, "Reshape", "y", NULL, x, to));
    return n;
}

static int64_t rows_of(struct net *n, int n_max)
{
    struct graft_program *p = compile(n, n_max);
    int64_t rows = graft_program_output_rows(p, 0);
    graft_program_free(p);
    net_free(n);
    return rows;
}

TEST(program_number__sizes_may_grow_with_the_batch)
{
    assert_int_equal(rows_of(reshaped(NULL, 0, -1), 4), 1);
    assert_int_equal(rows_of(reshaped("Mul", 2, -1), 4), 2);
    assert_int_equal(rows_of(reshaped("Mul", 2, 3), 4), 2);
    assert_int_equal(rows_of(reshaped("Min", 1000, -1), 4), 1);
    assert_int_equal(rows_of(reshaped("Max", 1, -1), 4), 1);
}

/* All are [4, 6] for four images, and something else for fewer. */
TEST(program_number__sizes_that_grow_otherwise_are_for_one_batch)
{
    assert_int_equal(rows_of(reshaped("Max", 4, -1), 4), 0);
    assert_int_equal(rows_of(reshaped("Min", 2, -1), 2), 1);
    assert_int_equal(rows_of(reshaped("Min", 4, -1), 8), 0);
    struct net *n = net_new(13); /* N * N rows */
    int x = net_input(n, "x", NET_DIMS(-1, 16));
    int size = first_size(n, x);
    int rest = net_ints(n, "rest", (const int64_t[]){-1}, 1);
    int square = net_node(n, "Mul", "square", NULL, size, size);
    int to = net_node(n, "Concat", "to", NET_ATTRS(NET_INT("axis", 0)),
                      square, rest);
    net_output(n, net_node(n, "Reshape", "y", NULL, x, to));
    assert_int_equal(rows_of(n, 4), 0);
}

TEST(program_number__a_constant_size_fixes_an_open_batch)
{
    struct net *n = net_new(13);
    int x = net_input(n, "x", NET_DIMS(-1, 6));
    int to = net_ints(n, "to", (const int64_t[]){4, -1}, 2);
    net_output(n, net_node(n, "Reshape", "y", NULL, x, to));
    assert_ok(runs(n, 4, 4));
    assert_fails(runs(n, 4, 3), GRAFT_ESHAPE, "'y' depends on the number");
    net_free(n);
}

/* Other sizes than the batch's are plain numbers, wherever they go. */
TEST(program_number__other_sizes_may_be_data)
{
    struct net *n = net_new(13);
    int x = net_input(n, "x", NET_DIMS(-1, 6));
    int one = net_ints(n, "one", (const int64_t[]){1}, 1);
    int shape = net_node(n, "Shape", "shape", NULL, x);
    int size = net_node(n, "Gather", "size", NULL, shape, one);
    int f = net_node(n, "Cast", "f", NET_ATTRS(NET_INT("to", GRAFT_FLOAT)),
                     size);
    int root = net_node(n, "Sqrt", "root", NULL, f);
    net_output(n, net_node(n, "Div", "y", NULL, x, root));
    assert_ok(runs(n, 4, 3));
    assert_int_equal(rows_of(n, 4), 1);
}

TEST(program_number__slices_up_to_the_batch_are_for_one_batch)
{
    struct net *n = net_new(13);
    int x = net_input(n, "x", NET_DIMS(-1, 6));
    int size = first_size(n, x);
    int zero = net_ints(n, "from", (const int64_t[]){0}, 1);
    int one = net_ints(n, "axis", (const int64_t[]){1}, 1);
    net_output(n, net_node(n, "Slice", "y", NULL, x, zero, size, one));
    assert_fails(runs(n, 4, 3), GRAFT_ESHAPE, "'y' depends on the number");
    assert_int_equal(rows_of(n, 4), 0);
}

TEST(program_number__a_number_as_output_is_for_one_batch)
{
    struct net *n = net_new(13);
    int x = net_input(n, "x", NET_DIMS(1, 6));
    int size = first_size(n, x);
    int f = net_node(n, "Cast", "f", NET_ATTRS(NET_INT("to", GRAFT_FLOAT)),
                     size);
    const graft_value_id both[] = {net_node(n, "Relu", "y", NULL, x), f};
    assert_ok(graft_edit_outputs(n->m, both, 2));
    assert_int_equal(graft_model_fixed_batch(n->m), 1);
    struct graft_program *p = NULL;
    struct graft_compile c = {.model = n->m, .n_max = 2};
    assert_fails(graft_program_new(&p, NULL, &c), GRAFT_ESHAPE,
                 "'f' depends on it");
    net_free(n);
}
