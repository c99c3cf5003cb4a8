/* Finding near-copies (copies.h).
 * SPDX-License-Identifier: Apache-2.0 */
#include "train/copies.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/status.h"

enum { FEATURES_MIN = 32, LANES = 16 };
#define ALIKE 0.95f
#define WORK_MAX 5e10 /* multiplications: a few seconds */

struct search {
    const int32_t *label;
    const struct graft_hash *photo;
    int64_t n, d;
    float *z;       /* [n][d] standardised, of length 1 */
    int64_t *first; /* of each sample, one that it is a copy of, or itself */
};

/* ---- features ------------------------------------------------------------ */

static void standardise(struct search *s, const float *x)
{
    for (int64_t j = 0; j < s->d; j++) {
        double sum = 0, square = 0;
        for (int64_t i = 0; i < s->n; i++)
            sum += (double)x[i * s->d + j];
        const double mean = sum / (double)s->n;
        for (int64_t i = 0; i < s->n; i++) {
            double c = (double)x[i * s->d + j] - mean;
            square += c * c;
        }
        const double std = sqrt(square / (double)s->n);
        for (int64_t i = 0; i < s->n; i++)
            s->z[i * s->d + j] = std > 0
                ? (float)(((double)x[i * s->d + j] - mean) / std) : 0;
    }
    for (int64_t i = 0; i < s->n; i++) {
        double square = 0;
        float *z = s->z + i * s->d;
        for (int64_t j = 0; j < s->d; j++)
            square += (double)z[j] * (double)z[j];
        for (int64_t j = 0; j < s->d && square > 0; j++)
            z[j] = (float)((double)z[j] / sqrt(square));
    }
}

static float cosine(const float *a, const float *b, int64_t d)
{
    float part[LANES] = {0}, sum = 0;
    int64_t j = 0;
    for (; j + LANES <= d; j += LANES)
        for (int k = 0; k < LANES; k++)
            part[k] += a[j + k] * b[j + k];
    for (; j < d; j++)
        sum += a[j] * b[j];
    for (int k = 0; k < LANES; k++)
        sum += part[k];
    return sum;
}

/* ---- groups -------------------------------------------------------------- */

static int64_t root(int64_t *first, int64_t i)
{
    while (first[i] != i)
        i = first[i] = first[first[i]];
    return i;
}

static void join(struct search *s, int64_t a, int64_t b)
{
    a = root(s->first, a);
    b = root(s->first, b);
    s->first[a > b ? a : b] = a > b ? b : a;
}

static void compare(struct search *s)
{
    for (int64_t i = 0; i < s->n; i++)
        for (int64_t k = i + 1; k < s->n; k++)
            if (s->label[k] == s->label[i] &&
                (graft_hash_equal(s->photo[i], s->photo[k]) ||
                 cosine(s->z + i * s->d, s->z + k * s->d, s->d) > ALIKE))
                join(s, i, k);
}

/* Is a group larger than a tenth of its class (and than one pair)? Then it is
 * not pictures that are alike, but features. */
static bool means_little(struct search *s, int64_t *size)
{
    for (int64_t i = 0; i < s->n; i++)
        size[root(s->first, i)]++;
    for (int64_t i = 0; i < s->n; i++) {
        int64_t all = 0;
        for (int64_t k = 0; size[i] > 2 && k < s->n; k++)
            all += s->label[k] == s->label[i];
        if (size[i] > 2 && size[i] * 10 > all)
            return true;
    }
    return false;
}

static double work(const int32_t *label, int64_t n, int64_t d)
{
    double pairs = 0;
    for (int64_t i = 0; i < n; i++) /* classes stand side by side mostly */
        pairs += (double)(i > 0 && label[i] == label[i - 1]) * (double)n;
    return pairs * (double)d / 2;
}

int graft_near_copies(struct graft_hash *photo, int64_t *found,
                      const float *x, const int32_t *label, int64_t n,
                      int64_t d)
{
    struct search s = {.label = label, .photo = photo, .n = n, .d = d};
    *found = 0;
    if (d < FEATURES_MIN || n < 2 || work(label, n, d) > WORK_MAX)
        return GRAFT_OK;
    s.z = graft_calloc((size_t)n, (size_t)d * sizeof *s.z);
    s.first = graft_calloc((size_t)n, sizeof *s.first);
    int64_t *size = graft_calloc((size_t)n, sizeof *size);
    int status = s.z && s.first && size ? GRAFT_OK : GRAFT_EMEM;
    for (int64_t i = 0; !status && i < n; i++)
        s.first[i] = i;
    if (!status) {
        standardise(&s, x);
        compare(&s);
    }
    if (!status && !means_little(&s, size))
        for (int64_t i = 0; i < n; i++) {
            const int64_t to = root(s.first, i);
            *found += !graft_hash_equal(photo[i], photo[to]);
            photo[i] = photo[to];
        }
    graft_free(s.z);
    graft_free(s.first);
    graft_free(size);
    return status;
}
