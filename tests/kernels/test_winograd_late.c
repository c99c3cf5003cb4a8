/* Winograd: weights that are transformed in each run give the bits of those
 * that are packed transformed, forward and from behind; and rows that become
 * columns.
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernels/block_back.h"
#include "kernels/block_case.h"

static int best_isa(void)
{
    return (int)graft_runtime_or_default(NULL)->isa;
}

static struct graft_conv conv(int64_t c, int64_t m, int64_t size,
                              int64_t stride)
{
    int64_t out = (size - 1) / stride + 1;
    return (struct graft_conv){
        .c = c, .m = m, .group = 1, .in = {1, size, size},
        .out = {1, out, out}, .kernel = {1, 3, 3},
        .stride = {1, stride, stride}, .dilation = {1, 1, 1},
        .pad = {0, 1, 1}};
}

/* The same images packed both ways. What is compared needs no plain loops:
 * test_winograd.c has them. */
static void check_forward(const struct graft_conv *g, const char *family,
                          int64_t n, const struct graft_kernels *k)
{
    const struct graft_finish none = {.act = {GRAFT_ACT_NONE, 0, 0}};
    struct graft_winograd_plan plan = {
        {graft_winograd_tile_axis(family, g->out[1]),
         graft_winograd_tile_axis(family, g->out[2])}, 100};
    struct graft_block_cut cut, late;
    struct block_case d;
    struct graft_conv few = *g;
    few.m = 1; /* its loops are slow */
    block_make(&d, &few, n);
    graft_free(d.w);
    d.g = *g;
    d.w = block_numbers(g->m * d.weights, 2);
    d.y_step = (g->m + GRAFT_BLOCK) * block_plane(g);
    size_t bytes = (size_t)(n * d.y_step) * sizeof(real);
    real *y = block_get((int64_t)bytes, 1);
    real *other = block_get((int64_t)bytes, 1);
    memset(y, 0xff, bytes);
    memset(other, 0xff, bytes);
    assert_true(graft_winograd_cut_as(&cut, g, n, k, &plan));
    late = cut;
    graft_winograd_late(&late, g, k);
    assert_true(late.late);
    assert_true(late.pack_bytes < cut.pack_bytes / 2);
    block_go(&d, &cut, k, y, 0, n, 1, &none);
    if (isnan(y[0]))
        fail_msg("nothing was written");
    for (int threads = 1; threads <= 3; threads += 2) {
        block_go(&d, &late, k, other, 0, n, threads, &none);
        assert_memory_equal(y, other, bytes);
    }
    graft_free(y);
    graft_free(other);
    block_drop(&d);
}

TEST(kernels_winograd_late__weights_give_the_same_bits)
{
    for (int isa = 0; isa <= best_isa(); isa++) {
        const struct graft_kernels *k = graft_kernels_for(
            (enum graft_isa)isa);
        struct graft_conv g = conv(200, 272, 7, 1); /* no whole panels */
        check_forward(&g, "4", 3, k);
        check_forward(&g, "5", 1, k);
        g = conv(176, 256, 8, 2);
        check_forward(&g, "4/2", 2, k);
    }
}

TEST(kernels_winograd_late__small_weights_are_packed_transformed)
{
    const struct graft_kernels *k = graft_kernels_for(
        (enum graft_isa)best_isa());
    static const int64_t channels[][2] = {{64, 64}, {64, 512}, {512, 64}};
    for (size_t i = 0; i < sizeof channels / sizeof *channels; i++) {
        struct graft_conv g = conv(channels[i][0], channels[i][1], 14, 1);
        struct graft_winograd_plan plan = {
            {graft_winograd_tile_axis("4", 14),
             graft_winograd_tile_axis("4", 14)}, 100};
        struct graft_block_cut cut, late;
        memset(&cut, 0, sizeof cut);
        assert_true(graft_winograd_cut_as(&cut, &g, 2, k, &plan));
        late = cut;
        graft_winograd_late(&late, &g, k);
        bool few = channels[i][1] == 64 || cut.pack_bytes <= 4 << 20;
        assert_int_equal(late.late, !few);
        assert_int_equal(late.pack_bytes == cut.pack_bytes, few);
    }
}

/* dx by weights packed as `varies` says. */
static void back(const struct graft_conv *g, int64_t n, bool varies,
                 const struct graft_kernels *k, const real *dy,
                 const real *w, const real *scale, real *dx, bool *late)
{
    struct graft_block_back b;
    struct graft_pool *pool = NULL;
    graft_block_back_cut(&b, g, n, false, varies, k);
    assert_true(b.phases > 0);
    assert_ok(graft_pool_new(&pool, 2));
    char *pack = block_get((int64_t)b.pack_bytes, 1);
    char *scratch = block_get((int64_t)b.scratch * 2 + 64, 1);
    char *shared = block_get((int64_t)b.shared + 64, 1);
    struct graft_view v = {(void *)(uintptr_t)w, {2, {g->m, g->c * 9}},
                           {.dtype = GRAFT_REAL}};
    memset(pack, 0xff, b.pack_bytes);
    graft_block_back_pack(pack, &v, scale, &b, pool);
    struct graft_block_back_run r = {
        .back = &b, .k = k, .n = n, .dy = dy, .w = (real *)(void *)pack,
        .dy_step = g->m * block_plane(g), .dx = dx,
        .dx_step = g->c * g->in[1] * g->in[2]};
    graft_block_back_data(&r, pool, scratch, b.scratch, shared);
    *late = b.phase[0].cut.late;
    graft_free(pack);
    graft_free(scratch);
    graft_free(shared);
    graft_pool_free(pool);
}

TEST(kernels_winograd_late__the_way_back_gives_the_same_bits)
{
    const struct graft_kernels *k = graft_kernels_for(
        (enum graft_isa)best_isa());
    for (int64_t stride = 1; stride <= 2; stride++) {
        enum { N = 8 };
        struct graft_conv g = conv(256, 256, 14, stride);
        int64_t plane = block_plane(&g), size = N * g.c * 14 * 14;
        real *dy = block_numbers(N * g.m * plane, 3);
        real *w = block_numbers(g.m * g.c * 9, 4);
        real *scale = block_numbers(g.m, 5);
        real *dx = block_get(size, sizeof *dx), *other = block_get(size,
                                                                   sizeof *dx);
        bool first, second;
        back(&g, N, false, k, dy, w, scale, dx, &first);
        back(&g, N, true, k, dy, w, scale, other, &second);
        assert_false(first);
        if (sizeof(real) == sizeof(float) && stride == 1)
            assert_true(second);
        assert_memory_equal(dx, other, (size_t)size * sizeof *dx);
        graft_free(dy);
        graft_free(w);
        graft_free(scale);
        graft_free(dx);
        graft_free(other);
    }
}
