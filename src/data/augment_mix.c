/* What augmentation does to finished inputs: erasing a box, mixing two.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "data/augment.h"

#define TWO_PI 6.283185307179586

/* ---- erasing ------------------------------------------------------------- */

/* Two normal numbers from one counter (Box-Muller on its two halves; the
 * first is moved off zero). */
static void two_normals(float out[2], struct graft_rng_key key, uint64_t i)
{
    uint64_t bits = graft_rng_u64(key, i);
    double u = ((double)(bits >> 32) + 0.5) * 0x1p-32;
    double v = (double)(uint32_t)bits * 0x1p-32;
    double r = sqrt(-2 * log(u));
    out[0] = (float)(r * cos(TWO_PI * v));
    out[1] = (float)(r * sin(TWO_PI * v));
}

/* Numbers counted along the box, row by row, colours innermost. */
void graft_erase_box(float *dst, bool planar, int channels, int width,
                     int height, const struct graft_erase *e)
{
    int64_t plane = planar ? (int64_t)width * height : 1;
    int64_t step = planar ? 1 : channels, n = (int64_t)e->width * channels;
    for (int y = 0; y < e->height; y++) {
        float *row = dst + ((int64_t)(e->y + y) * width + e->x) * step;
        for (int64_t i = 0; i < n; i++) {
            int64_t at = y * n + i;
            float v[2] = {0, 0};
            if (e->noise)
                two_normals(v, e->key, (uint64_t)at / 2);
            row[i / channels * step + i % channels * plane] = v[at % 2];
        }
    }
}

/* ---- mixup --------------------------------------------------------------- */

/* log of a number from Gamma(alpha, 1): Marsaglia and Tsang, "A simple method
 * for generating gamma variables" (2000), at alpha + 1, times U^(1/alpha);
 * the logarithm, as that power may be too small for a double. Counters: the
 * normal of try t takes 2t and 2t + 1 of `normals`. */
static double log_gamma(struct graft_rng_key normals,
                        struct graft_rng_key units, double alpha)
{
    double d = alpha + 1 - 1.0 / 3, c = 1 / sqrt(9 * d);
    double power = log(1 - graft_rng_unit(units, 0)) / alpha;
    for (uint64_t t = 0;; t++) {
        double x = graft_rng_normal(normals, t), v = 1 + c * x;
        v = v * v * v;
        double u = 1 - graft_rng_unit(units, 1 + t);
        if (v > 0 && log(u) < x * x / 2 + d - d * v + d * log(v))
            return log(d * v) + power;
    }
}

/* Keys of their own, which no photo's views have. */
static struct graft_rng_key key_of(uint64_t seed, uint64_t pair,
                                   uint64_t purpose)
{
    static const char name[] = "mixup";
    uint64_t of[2] = {pair, purpose};
    return graft_rng_key(seed, graft_hash_add(graft_hash(name, sizeof name),
                                              of, sizeof of).lo);
}

/* A / (A + B) of two numbers from Gamma(alpha, 1). */
double graft_mixup_lambda(uint64_t seed, uint64_t pair, double alpha)
{
    if (!(alpha > 0))
        return 1;
    double a = log_gamma(key_of(seed, pair, 0), key_of(seed, pair, 1), alpha);
    double b = log_gamma(key_of(seed, pair, 2), key_of(seed, pair, 3), alpha);
    return 1 / (1 + exp(b - a));
}

double graft_mixup(float *a, float *b, int64_t n, uint64_t seed,
                   uint64_t pair, double alpha)
{
    double lambda = graft_mixup_lambda(seed, pair, alpha);
    const float p = (float)lambda, q = 1 - p;
    for (int64_t i = 0; p < 1 && i < n; i++) {
        float x = a[i], y = b[i];
        a[i] = p * x + q * y;
        b[i] = p * y + q * x;
    }
    return p;
}
