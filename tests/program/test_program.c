/* Running a small residual network: the same bits however it is run, memory
 * as announced, and failures that leave nothing behind.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>

#include "base/runtime.h"
#include "program/compiler.h"
#include "support/net.h"

enum { N_MAX = 7, CLASSES = 5 };

static struct graft_program *compile_with(const struct net *n,
                                          struct graft_runtime *rt,
                                          struct graft_compile c)
{
    struct graft_program *p = NULL;
    c.model = n->m;
    if (!c.n_max)
        c.n_max = N_MAX;
    assert_ok(graft_program_new(&p, rt, &c));
    return p;
}

static void run(struct graft_program *p, int first, int count, real *out)
{
    net_fill(p, first, count);
    assert_ok(graft_program_forward(p, count));
    struct graft_view y = graft_program_output(p, 0);
    memcpy(out, y.data, (size_t)(count * CLASSES) * sizeof *out);
}

TEST(program_program__few_images_are_a_prefix_of_many)
{
    struct net *n = net_residual();
    struct graft_program *p = compile_with(n, NULL, (struct graft_compile){0});
    real all[N_MAX * CLASSES], few[N_MAX * CLASSES];
    run(p, 0, N_MAX, all);
    for (int count = 0; count < N_MAX; count++) {
        run(p, 0, count, few);
        assert_memory_equal(few, all,
                            (size_t)(count * CLASSES) * sizeof *all);
    }
    assert_true(all[0] != all[CLASSES]);
    graft_program_free(p);
    net_free(n);
}

TEST(program_program__a_photo_does_not_depend_on_its_batch)
{
    struct net *n = net_residual();
    struct graft_program *p = compile_with(n, NULL, (struct graft_compile){0});
    real all[N_MAX * CLASSES], one[CLASSES];
    run(p, 0, N_MAX, all);
    for (int i = 0; i < N_MAX; i++) {
        run(p, i, 1, one);
        assert_memory_equal(one, all + i * CLASSES, sizeof one);
    }
    graft_program_free(p);
    net_free(n);
}

TEST(program_program__threads_do_not_change_bits)
{
    struct net *n = net_residual();
    real first[N_MAX * CLASSES], other[N_MAX * CLASSES];
    for (int threads = 1; threads <= 3; threads++) {
        struct graft_runtime *rt = net_runtime(threads);
        struct graft_program *p =
            compile_with(n, rt, (struct graft_compile){0});
        run(p, 0, N_MAX, threads == 1 ? first : other);
        if (threads > 1)
            assert_memory_equal(first, other, sizeof first);
        graft_program_free(p);
        graft_runtime_free(rt);
    }
    net_free(n);
}

TEST(program_program__image_ranges_do_not_change_bits)
{
    struct net *n = net_residual();
    real first[N_MAX * CLASSES], other[N_MAX * CLASSES];
    for (int images = 0; images <= 3; images++) {
        struct graft_program *p = compile_with(
            n, NULL, (struct graft_compile){.segment_images = images});
        run(p, 0, N_MAX, images ? other : first);
        if (images)
            assert_memory_equal(first, other, sizeof first);
        graft_program_free(p);
    }
    net_free(n);
}

/* Folding, fusing and kernels of other layouts round differently; tidying
 * only moves data. */
TEST(program_program__each_pass_off_changes_nothing_but_rounding)
{
    static const struct {
        const char *pass;
        double tolerance; /* of the largest score; 0: same bits */
    } off[] = {{"tidy", 0}, {"layout", 1e-5}, {"fuse", 1e-6},
               {"fold", 1e-5}, {"segment", 0}};
    struct net *n = net_residual();
    real want[N_MAX * CLASSES], got[N_MAX * CLASSES];
    struct graft_program *p = compile_with(n, NULL, (struct graft_compile){0});
    struct graft_memory on, m;
    graft_program_memory(p, &on);
    run(p, 0, N_MAX, want);
    graft_program_free(p);
    assert_true(on.folded >= 6 && on.fused >= 6);
    double top = 0;
    for (int i = 0; i < N_MAX * CLASSES; i++)
        top = fmax(top, fabs((double)want[i]));
    assert_int_equal(graft_pass_bit("memory"), 0);
    for (size_t k = 0; k < sizeof off / sizeof *off; k++) {
        uint64_t bit = graft_pass_bit(off[k].pass);
        assert_true(bit != 0);
        p = compile_with(n, NULL, (struct graft_compile){.skip_passes = bit});
        graft_program_memory(p, &m);
        run(p, 0, N_MAX, got);
        for (int i = 0; i < N_MAX * CLASSES; i++)
            assert_near(got[i], want[i], off[k].tolerance * top);
        /* it did have an effect */
        assert_true(m.steps != on.steps || m.block_bytes != on.block_bytes);
        graft_program_free(p);
    }
    net_free(n);
}

TEST(program_program__a_run_allocates_nothing)
{
    struct net *n = net_residual();
    struct graft_program *p = compile_with(n, NULL, (struct graft_compile){0});
    real out[N_MAX * CLASSES];
    run(p, 0, N_MAX, out);
    uint64_t calls = graft_alloc_stats().calls;
    run(p, 3, N_MAX - 1, out);
    graft_program_params(p);
    assert_int_equal(graft_alloc_stats().calls, calls);
    graft_program_free(p);
    net_free(n);
}

TEST(program_program__block_is_close_to_what_lives_at_once)
{
    struct net *n = net_residual();
    struct graft_memory m;
    struct graft_program *p = compile_with(n, NULL, (struct graft_compile){0});
    graft_program_memory(p, &m);
    assert_true(m.live_bytes > 0 && m.block_bytes >= m.live_bytes);
    assert_true((double)m.block_bytes <= 1.10 * (double)m.live_bytes);
    graft_program_free(p);
    net_free(n);
}

TEST(program_program__memory_limit_is_kept)
{
    struct net *n = net_residual();
    struct graft_runtime *rt = net_runtime(1);
    struct graft_program *p = NULL;
    struct graft_compile c = {.model = n->m, .n_max = N_MAX};
    rt->memory_limit = graft_alloc_stats().live_bytes + (1 << 16);
    assert_fails(graft_program_new(&p, rt, &c), GRAFT_ELIMIT, "limit");
    assert_null(p);
    graft_runtime_free(rt);
    net_free(n);
}

TEST(program_program__programs_of_one_store_share_packs)
{
    struct net *n = net_residual();
    struct graft_store *s = NULL;
    assert_ok(graft_store_new(&s, n->m, NULL));
    struct graft_program *p =
        compile_with(n, NULL, (struct graft_compile){.store = s});
    int64_t bytes = graft_store_bytes(s);
    int packs = graft_store_packs(s);
    struct graft_program *q =
        compile_with(n, NULL, (struct graft_compile){.store = s});
    assert_true(bytes > 0);
    assert_int_equal(graft_store_bytes(s), bytes);
    assert_int_equal(graft_store_packs(s), packs);
    real a[N_MAX * CLASSES], b[N_MAX * CLASSES];
    run(p, 0, N_MAX, a);
    graft_program_free(p);
    run(q, 0, N_MAX, b);
    assert_memory_equal(a, b, sizeof a);
    graft_program_free(q);
    graft_store_free(s);
    net_free(n);
}

/* Every allocation of a compilation fails once; nothing may leak. */
TEST(program_program__survives_every_failed_allocation)
{
    struct net *n = net_residual();
    struct graft_runtime *rt = net_runtime(1);
    struct graft_compile c = {.model = n->m, .n_max = 2};
    uint64_t before = graft_alloc_stats().live_bytes;
    int status = GRAFT_EMEM, nth = 0;
    while (status) {
        struct graft_program *p = NULL;
        graft_alloc_fail_at((uint64_t)++nth, 0);
        status = graft_program_new(&p, rt, &c);
        graft_alloc_fail_at(0, 0);
        assert_true(status == GRAFT_OK || status == GRAFT_EMEM);
        assert_true((status == GRAFT_OK) == (p != NULL));
        graft_program_free(p);
        assert_int_equal(graft_alloc_stats().live_bytes, before);
    }
    assert_true(nth > 10);
    graft_runtime_free(rt);
    net_free(n);
}

TEST(program_program__describes_its_steps)
{
    struct net *n = net_residual();
    struct graft_program *p = compile_with(n, NULL, (struct graft_compile){0});
    struct graft_str text;
    graft_str_init(&text);
    assert_ok(graft_program_describe(p, &text));
    assert_non_null(strstr(text.at, "Conv x"));
    assert_non_null(strstr(text.at, "+normalisation"));
    assert_non_null(strstr(text.at, "+relu"));
    assert_non_null(strstr(text.at, "Gemm flat -> scores[7,5]"));
    assert_null(strstr(text.at, "Gather")); /* evaluated while compiling */
    graft_str_release(&text);
    graft_program_free(p);
    net_free(n);
}

/* Pairs of images become one row and are split again: n_max are always
 * computed, what was not fed counts as zero, the first n come back. */
TEST(program_program__mixed_batches_are_padded)
{
    struct net *n = net_new(13);
    int x = net_input(n, "x", NET_DIMS(4, 3));
    int pairs = net_ints(n, "pairs", (const int64_t[]){2, 6}, 2);
    int back = net_ints(n, "back", (const int64_t[]){4, 3}, 2);
    int w = net_random(n, "w", NET_DIMS(6, 6));
    int y = net_node(n, "Reshape", "p", NULL, x, pairs);
    y = net_node(n, "MatMul", "m", NULL, y, w);
    net_output(n, net_node(n, "Reshape", "y", NULL, y, back));
    assert_int_equal(graft_model_fixed_batch(n->m), 4);
    struct graft_program *p = NULL;
    struct graft_compile c = {.model = n->m, .n_max = 4};
    assert_ok(graft_program_new(&p, NULL, &c));
    real first[4 * 3];
    net_fill(p, 0, 3);
    assert_ok(graft_program_forward(p, 4));
    struct graft_view out = graft_program_output(p, 0);
    memcpy(first, out.data, sizeof first);
    assert_ok(graft_program_forward(p, 3));
    assert_memory_equal(first, out.data, sizeof first);
    graft_program_free(p);
    net_free(n);
}

/* Training keeps more: the bound holds there too. */
TEST(program_program__block_of_a_training_program)
{
    enum { WIDTH = 64, LAYERS = 12 };
    char name[3][16];
    struct net *n = net_new(13);
    graft_value_id train[LAYERS];
    int y = net_input(n, "x", NET_DIMS(-1, WIDTH));
    for (int i = 0; i < LAYERS; i++) {
        for (int k = 0; k < 3; k++) {
            snprintf(name[k], sizeof name[k], "%c%d", "wgr"[k], i);
        }
        train[i] = net_random(n, name[0], NET_DIMS(WIDTH, WIDTH));
        int g = net_node(n, "Gemm", name[1], NULL, y, train[i]);
        g = net_node(n, i % 2 ? "Relu" : "HardSwish", name[2], NULL, g);
        snprintf(name[0], sizeof name[0], "sum%d", i);
        y = i % 3 ? g : net_node(n, "Add", name[0], NULL, g, y);
    }
    n->m->opset.at[0].version = 14;
    net_output(n, y);
    struct graft_store *s = NULL;
    struct graft_selection *t = NULL;
    struct graft_memory m;
    assert_ok(graft_store_new(&s, n->m, NULL));
    assert_ok(graft_selection_new(&t, s, train, LAYERS));
    struct graft_program *p = compile_with(
        n, NULL, (struct graft_compile){.n_max = 64, .store = s, .train = t});
    graft_program_memory(p, &m);
    assert_true((double)m.block_bytes <= 1.10 * (double)m.live_bytes);
    uint64_t calls = graft_alloc_stats().calls;
    real *flat = graft_malloc((size_t)t->size * sizeof *flat);
    assert_non_null(flat);
    graft_program_params(p);
    assert_ok(graft_program_forward(p, 60));
    graft_program_backward(p);
    graft_program_finish(p, flat);
    assert_int_equal(graft_alloc_stats().calls, calls + 1); /* flat itself */
    graft_free(flat);
    graft_program_free(p);
    graft_selection_free(t);
    graft_store_free(s);
    net_free(n);
}

/* A pass makes a value like another one: that one may move meanwhile. */
TEST(program_program__a_value_made_like_another_is_like_it)
{
    struct graft_compiler c = {0};
    struct graft_vinfo first = {.present = true, .per_image = 3,
                                .shape = {.rank = 2, .dim = {6, 5}},
                                .dtype = GRAFT_REAL};
    assert_int_equal(graft_compiler_value(&c, "first", &first), 0);
    for (int i = 1; i < 600; i++) {
        void *wall = graft_malloc(64); /* growing has to move the array */
        int v = graft_compiler_value(&c, "next", &c.value.at[0].info);
        graft_free(wall);
        assert_int_equal(v, i);
        assert_true(graft_shape_equal(&c.value.at[v].info.shape,
                                      &first.shape));
        assert_int_equal(c.value.at[v].info.per_image, 3);
    }
    graft_array_release(&c.value);
}

/* A node that leaves out its first output and computes a later one. */
TEST(program_program__first_output_left_out)
{
    struct net *n = net_new(13);
    int x = net_input(n, "x", NET_DIMS(-1, 4));
    int w = net_random(n, "w", NET_DIMS(8, 40));
    int s = net_node(n, "Split", "s", NULL, w);
    int t = net_node(n, "Identity", "t", NULL, w);
    struct graft_node *split = &n->m->node.at[n->m->value.at[s].node];
    graft_value_id both[] = {-1, t}; /* t becomes the second part */
    n->m->node.at[n->m->value.at[t].node].removed = true;
    n->m->value.at[t].node = n->m->value.at[s].node;
    n->m->value.at[s].node = -1;
    split->out = both;
    split->n_out = 2;
    net_output(n, net_node(n, "MatMul", "y", NULL, x, t));
    struct graft_program *p = NULL;
    struct graft_compile c = {.model = n->m, .n_max = 2};
    assert_ok(graft_program_new(&p, NULL, &c));
    struct graft_str text;
    graft_str_init(&text);
    assert_ok(graft_program_describe(p, &text));
    assert_non_null(strstr(text.at, "left out"));
    graft_program_params(p);
    assert_ok(graft_program_forward(p, 2));
    graft_str_release(&text);
    graft_program_free(p);
    net_free(n);
}
