/* What compiling refuses, by name; and what it does not look at.
 * SPDX-License-Identifier: Apache-2.0 */
#include "support/net.h"

static int compile(const struct net *n, struct graft_compile c)
{
    struct graft_program *p = NULL;
    c.model = n->m;
    if (!c.n_max)
        c.n_max = 2;
    int status = graft_program_new(&p, NULL, &c);
    assert_true(!status == (p != NULL));
    graft_program_free(p);
    return status;
}

TEST(program_refusals__unsupported_operator_only_where_it_is_needed)
{
    struct net *n = net_new(13);
    int x = net_input(n, "x", NET_DIMS(-1, 3));
    int a = net_node(n, "Relu", "a", NULL, x);
    int b = net_node(n, "FancyThing", "strange", NULL, a);
    const graft_value_id both[] = {a, b};
    assert_ok(graft_edit_outputs(n->m, both, 2));
    assert_fails(compile(n, (struct graft_compile){0}), GRAFT_EUNSUPPORTED,
                 "FancyThing");
    assert_non_null(strstr(graft_error_message(), "strange"));
    assert_ok(compile(n, (struct graft_compile){.outputs = &a,
                                                .n_outputs = 1}));
    net_free(n);
}

TEST(program_refusals__unknown_attribute)
{
    struct net *n = net_new(13);
    int x = net_input(n, "x", NET_DIMS(-1, 3));
    net_output(n, net_node(n, "Relu", "a", NET_ATTRS(NET_INT("odd", 1)), x));
    assert_fails(compile(n, (struct graft_compile){0}), GRAFT_EUNSUPPORTED,
                 "odd");
    net_free(n);
}

/* Files of any opset are read; what an operator meant then, or will mean, is
 * known for some versions only. */
TEST(program_refusals__versions_outside)
{
    const struct { int opset; const char *part; } cases[] = {
        {6, "opset 6; Graft runs opset 7 to 28"}, {29, "opset 29"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct net *n = net_new(cases[i].opset);
        int x = net_input(n, "x", NET_DIMS(-1, 3));
        net_output(n, net_node(n, "Relu", "a", NULL, x));
        assert_fails(compile(n, (struct graft_compile){0}),
                     GRAFT_EUNSUPPORTED, cases[i].part);
        net_free(n);
    }
}

TEST(program_refusals__open_dimension_needs_a_size)
{
    struct net *n = net_new(13);
    int x = net_input(n, "x", NET_DIMS(-1, 3, -1, -1));
    net_output(n, net_node(n, "Relu", "a", NULL, x));
    assert_fails(compile(n, (struct graft_compile){0}), GRAFT_ESHAPE,
                 "dimension 2");
    struct graft_input_dims d = {x, {4, {1, 3, 5, 6}}};
    assert_ok(compile(n, (struct graft_compile){.inputs = &d,
                                                .n_inputs = 1}));
    d.shape.dim[1] = 4;
    assert_fails(compile(n, (struct graft_compile){.inputs = &d,
                                                   .n_inputs = 1}),
                 GRAFT_ESHAPE, "size 3");
    net_free(n);
}

static struct net *fixed(bool by_shape)
{
    struct net *n = net_new(13);
    int x = net_input(n, "x", NET_DIMS(4, 3, 2, 2));
    int want = by_shape
                   ? net_ints(n, "want", (const int64_t[]){4, 12}, 2)
                   : net_ints(n, "want", (const int64_t[]){0, -1}, 2);
    net_output(n, net_node(n, "Reshape", "flat", NULL, x, want));
    return n;
}

TEST(program_refusals__batch_other_than_the_files)
{
    struct net *n = fixed(true);
    assert_int_equal(graft_model_fixed_batch(n->m), 4);
    assert_ok(compile(n, (struct graft_compile){.n_max = 4}));
    assert_fails(compile(n, (struct graft_compile){.n_max = 6}),
                 GRAFT_ESHAPE, "the file states 4");
    net_free(n);
    n = fixed(false);
    assert_int_equal(graft_model_fixed_batch(n->m), 0);
    assert_ok(compile(n, (struct graft_compile){.n_max = 6}));
    net_free(n);
}

TEST(program_refusals__senseless_options)
{
    struct net *n = fixed(false);
    int none = 999;
    assert_fails(compile(n, (struct graft_compile){.n_max = -1}), GRAFT_EARG,
                 "batch");
    assert_fails(compile(n, (struct graft_compile){.outputs = &none,
                                                   .n_outputs = 1}),
                 GRAFT_EARG, "999");
    struct graft_compile c = {.want_grad = &n->m->output.at[0],
                              .n_want_grad = 1, .n_max = 4};
    assert_ok(compile(n, c));
    net_free(n);
}

TEST(program_refusals__more_images_than_planned)
{
    struct net *n = fixed(false);
    struct graft_program *p = NULL;
    struct graft_compile c = {.model = n->m, .n_max = 3};
    assert_ok(graft_program_new(&p, NULL, &c));
    assert_fails(graft_program_forward(p, 4), GRAFT_EARG, "at most 3");
    assert_fails(graft_program_forward(p, -1), GRAFT_EARG, "-1");
    assert_ok(graft_program_forward(p, 0));
    graft_program_free(p);
    net_free(n);
}

TEST(program_refusals__batch_of_two_thousand_million)
{
    struct net *n = net_new(13);
    int x = net_input(n, "x", NET_DIMS(INT32_MAX, 3));
    net_output(n, net_node(n, "Relu", "y", NULL, x));
    assert_int_equal(graft_model_fixed_batch(n->m), 0);
    net_free(n);
}
