/* Sums over images and positions, channel by channel: gradients of biases.
 * SPDX-License-Identifier: Apache-2.0 */
#include "ops/blocked.h"

struct job {
    const real *dy;
    real *db;
    int64_t outer, channels, inner; /* dy: [outer, channels, inner] */
    int64_t image;                  /* C16: reals from image to image */
    const struct graft_kernels *k;
    bool add;
};

static void keep(const struct job *j, int64_t c, double sum)
{
    j->db[c] = (real)(j->add ? (double)j->db[c] + sum : sum);
}

/* A channel is one task: the order of its sum does not depend on threads. */
static void sum_channel(void *ctx, int64_t c, int worker)
{
    const struct job *j = ctx;
    double sum = 0;
    (void)worker;
    for (int64_t o = 0; o < j->outer; o++) {
        const real *dy = j->dy + (o * j->channels + c) * j->inner;
        sum += j->inner > 1 ? j->k->pointwise.sum(j->inner, dy)
               : j->inner   ? (double)*dy
                            : 0;
    }
    keep(j, c, sum);
}

/* So is a block of 16 channels. */
static void sum_block(void *ctx, int64_t b, int worker)
{
    const struct job *j = ctx;
    int64_t left = j->channels - 16 * b, used = left < 16 ? left : 16;
    double sum[16] = {0};
    (void)worker;
    for (int64_t o = 0; o < j->outer; o++) {
        real image[16];
        j->k->lanes.sum(image, j->dy + o * j->image + b * j->inner * 16,
                        j->inner, 1);
        for (int64_t l = 0; l < used; l++)
            sum[l] += (double)image[l];
    }
    for (int64_t l = 0; l < used; l++)
        keep(j, 16 * b + l, sum[l]);
}

void graft_sum_channels(real *db, const struct graft_view *dy, bool add,
                        const struct graft_kernels *k,
                        struct graft_pool *pool)
{
    const struct graft_shape *s = &dy->shape;
    int channel = s->rank >= 3 ? 1 : s->rank - 1;
    struct job j = {graft_reals(dy), db, graft_shape_span(s, 0, channel),
                    s->dim[channel], graft_shape_span(s, channel + 1, s->rank),
                    graft_image_step(dy), k, add};
    if (graft_is_c16(dy)) {
        graft_pool_for(pool, (j.channels + 15) / 16, sum_block, &j);
        return;
    }
    if (dy->fmt.layout == GRAFT_IMAGE) { /* [N, H, W, C] */
        j.outer *= j.inner;
        j.inner = 1;
    }
    graft_pool_for(pool, j.channels, sum_channel, &j);
}
