/* Stratified folds by content.
 * SPDX-License-Identifier: Apache-2.0 */
#include "train/folds.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/rng.h"
#include "base/status.h"

struct sample {
    int32_t label;
    uint64_t draw;
    struct graft_hash photo;
    int64_t at; /* its place in the caller's list */
};

static int three_way(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int by_class_then_draw(const void *pa, const void *pb)
{
    const struct sample *a = pa, *b = pb;
    if (a->label != b->label)
        return a->label < b->label ? -1 : 1;
    int order = three_way(a->draw, b->draw);
    if (!order)
        order = three_way(a->photo.hi, b->photo.hi);
    return order ? order : three_way(a->photo.lo, b->photo.lo);
}

static int same_photo(const struct sample *a, const struct sample *b)
{
    return a->label == b->label && graft_hash_equal(a->photo, b->photo);
}

/* Different photos in the class that starts at s[i]; *end: one after it. */
static int photos_of_class(const struct sample *s, int64_t i, int64_t n,
                           int64_t *end)
{
    int photos = 1;
    int64_t k = i + 1;
    for (; k < n && s[k].label == s[i].label; k++)
        photos += !same_photo(&s[k], &s[k - 1]);
    *end = k;
    return photos;
}

static void deal(int *fold, int folds, const struct sample *s, int64_t n)
{
    int next = 0; /* runs on from class to class: folds stay of equal size */
    for (int64_t i = 0, end; i < n; i = end) {
        int photos = photos_of_class(s, i, n, &end);
        for (int64_t k = i; k < end; k++) {
            if (photos < 2) {
                fold[s[k].at] = -1;
                continue;
            }
            if (k > i && !same_photo(&s[k], &s[k - 1]))
                next = (next + 1) % folds;
            fold[s[k].at] = next;
        }
        if (photos >= 2)
            next = (next + 1) % folds;
    }
}

int graft_folds(int *fold, int *folds, const int32_t *label,
                const struct graft_hash *photo, int64_t n,
                uint64_t seed)
{
    struct sample *s = graft_calloc((size_t)n, sizeof *s);
    if (!s)
        return GRAFT_EMEM;
    for (int64_t i = 0; i < n; i++)
        s[i] = (struct sample){
            .label = label[i], .photo = photo[i], .at = i,
            .draw = graft_rng_u64(graft_rng_key(seed, photo[i].hi),
                                  photo[i].lo)};
    qsort(s, (size_t)n, sizeof *s, by_class_then_draw);
    int most = 0, usable = 0;
    for (int64_t i = 0, end; i < n; i = end) {
        int photos = photos_of_class(s, i, n, &end);
        most = photos > most ? photos : most;
        usable += photos >= 2;
    }
    *folds = usable < 2 ? 0 : *folds < most ? *folds : most;
    if (*folds)
        deal(fold, *folds, s, n);
    graft_free(s);
    return GRAFT_OK;
}
