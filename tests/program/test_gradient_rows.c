/* Gradients through rows of the test's own: a row in IMAGE layout, and one
 * whose packed parameter has a gradient. And rows that have none.
 * SPDX-License-Identifier: Apache-2.0 */
#include "ops/common.h"
#include "support/gradient.h"

static int infer_same(struct graft_infer *f)
{
    return graft_infer_like(f, 0, &f->in[0].shape);
}

static int plan_image(struct graft_plan *p)
{
    p->in_layout[0] = p->out_layout[0] = GRAFT_IMAGE;
    return GRAFT_OK;
}

/* y = x * (1 + channel), in memory as [N, H, W, C]. */
static void weigh(const struct graft_view *from, const struct graft_view *to,
                  bool add)
{
    int64_t channels = from->shape.dim[1];
    assert_int_equal(from->fmt.layout, GRAFT_IMAGE);
    for (int64_t i = 0; i < graft_count(from); i++) {
        real v = graft_reals(from)[i] * (real)(1 + i % channels);
        graft_reals(to)[i] = add ? graft_reals(to)[i] + v : v;
    }
}

static void forward_image(const struct graft_call *c)
{
    weigh(&c->in[0], &c->out[0], false);
}

static void backward_image(const struct graft_call *c)
{
    weigh(&c->dout[0], &c->din[0], c->dmode[0] == GRAFT_ADD);
}

/* y[n][i] = x[n][i] * w[i], with w packed in reverse. */
static void pack_reverse(void *dst, const struct graft_view *src,
                         const real *scale, const void *spec,
                         struct graft_pool *pool)
{
    int64_t n = graft_count(src);
    (void)scale, (void)spec, (void)pool;
    for (int64_t i = 0; i < n; i++)
        graft_view_read(src, i, 1, (real *)dst + (n - 1 - i));
}

static void unpack_reverse(real *dsrc, const void *dpack, const void *spec)
{
    int64_t n = *(const int64_t *)spec;
    for (int64_t i = 0; i < n; i++)
        dsrc[i] = ((const real *)dpack)[n - 1 - i];
}

static const struct graft_pack_kind reverse = {"reverse", pack_reverse,
                                               unpack_reverse};

static int plan_reverse(struct graft_plan *p)
{
    int64_t *n = graft_arena_alloc(p->arena, sizeof *n);
    assert_non_null(n);
    *n = p->in[1].shape.dim[0];
    assert_true(p->in[1].is_param);
    p->packed[1] = true;
    p->pack[1] = (struct graft_pack_request){
        &reverse, n, 1, (size_t)*n * sizeof(real),
        (size_t)*n * sizeof(real)};
    p->chosen = n;
    p->saved = sizeof(real); /* backward expects to find it again */
    return GRAFT_OK;
}

static void forward_reverse(const struct graft_call *c)
{
    int64_t n = *(const int64_t *)c->chosen;
    const real *w = c->pack[1];
    assert_null(c->in[1].data);
    for (int64_t i = 0; i < graft_count(&c->out[0]); i++)
        graft_reals(&c->out[0])[i] =
            graft_reals(&c->in[0])[i] * w[n - 1 - i % n];
    *(real *)c->saved = (real)n;
}

static void backward_reverse(const struct graft_call *c)
{
    int64_t n = *(const int64_t *)c->chosen;
    const real *w = c->pack[1], *dy = graft_reals(&c->dout[0]);
    real *dw = c->dpack[1];
    assert_true(*(const real *)c->saved == (real)n);
    if (c->dmode[1] == GRAFT_STORE)
        memset(dw, 0, (size_t)n * sizeof *dw);
    for (int64_t i = 0; i < graft_count(&c->dout[0]); i++) {
        real d = dy[i] * w[n - 1 - i % n];
        if (c->dmode[0] != GRAFT_SKIP)
            graft_reals(&c->din[0])[i] =
                (c->dmode[0] == GRAFT_ADD ? graft_reals(&c->din[0])[i] : 0) +
                d;
        if (c->dmode[1] != GRAFT_SKIP)
            dw[n - 1 - i % n] += dy[i] * graft_reals(&c->in[0])[i];
    }
}

static const struct graft_op test_rows[] = {
    {.name = "TestImage", .domain = "", .since = 1, .arity = {1, 1, 1, 1},
     .grad_in = 1, .infer = infer_same, .plan = plan_image,
     .forward = forward_image, .backward = backward_image},
    {.name = "TestPacked", .domain = "", .since = 1, .arity = {2, 2, 1, 1},
     .saves_in = 1, .grad_in = 3, .infer = infer_same, .plan = plan_reverse,
     .forward = forward_reverse, .backward = backward_reverse},
    {.name = "TestStuck", .domain = "", .since = 1, .arity = {1, 1, 1, 1},
     .infer = infer_same, .forward = graft_same_forward}};

static const struct graft_op *find(const char *domain, const char *name,
                                   int64_t opset)
{
    for (size_t i = 0; i < sizeof test_rows / sizeof *test_rows; i++)
        if (strcmp(test_rows[i].name, name) == 0)
            return &test_rows[i];
    return graft_op_find(domain, name, opset);
}

TEST(program_gradient_rows__through_reorders)
{
    struct gradient_check k = {.net = net_new(13), .n_train = 1, .n_want = 1,
                      .find = find};
    struct net *n = k.net;
    int x = k.want[0] = net_input(n, "x", NET_DIMS(-1, 3, 2, 2));
    int w = k.train[0] = net_random(n, "w", NET_DIMS(3, 2, 2));
    int a = net_node(n, "Mul", "a", NULL, x, w);
    int i = net_node(n, "TestImage", "i", NULL, a);
    i = net_node(n, "TestImage", "j", NULL, i);
    net_output(n, net_node(n, "Add", "y", NULL, i, a));
    gradient_check_all(&k);
}

/* Trained and computed parameters, one pack in two steps. */
TEST(program_gradient_rows__of_packed_parameters)
{
    struct gradient_check k = {.net = net_new(13), .n_train = 2, .find = find};
    struct net *n = k.net;
    int x = net_input(n, "x", NET_DIMS(-1, 4));
    int w = k.train[0] = net_random(n, "w", NET_DIMS(4));
    int u = k.train[1] = net_random(n, "u", NET_DIMS(4));
    int wu = net_node(n, "Mul", "wu", NULL, w, u);
    int a = net_node(n, "TestPacked", "a", NULL, x, w);
    a = net_node(n, "Sigmoid", "s", NULL, a);
    a = net_node(n, "TestPacked", "b", NULL, a, w);
    a = net_node(n, "TestPacked", "c", NULL, a, wu);
    int plain = net_node(n, "Add", "plain", NULL, a, w);
    net_output(n, net_node(n, "Add", "y", NULL, plain, wu));
    gradient_check(&k);
    k.skip = graft_pass_bit("fuse");
    gradient_check(&k);
    net_free(n);
}

TEST(program_gradient_rows__refuses_what_has_none)
{
    struct net *n = net_new(13);
    struct graft_program *p = NULL;
    int x = net_input(n, "x", NET_DIMS(-1, 4));
    int w = net_random(n, "w", NET_DIMS(4));
    int a = net_node(n, "Mul", "a", NULL, x, w);
    net_output(n, net_node(n, "TestStuck", "stair", NULL, a));
    struct graft_compile c = {.model = n->m, .n_max = 2, .find_op = find};
    assert_ok(graft_program_new(&p, NULL, &c));
    graft_program_free(p);
    p = NULL;
    c.want_grad = &a;
    c.n_want_grad = 1;
    assert_fails(graft_program_new(&p, NULL, &c), GRAFT_EUNSUPPORTED,
                 "stair");
    graft_value_id other = x;
    c.outputs = &a;
    c.n_outputs = 1;
    c.want_grad = &other;
    assert_ok(graft_program_new(&p, NULL, &c));
    graft_program_free(p);
    net_free(n);
}
