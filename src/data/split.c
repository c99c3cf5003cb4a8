/* Splitting val off train: a photo's side depends on the seed and its own
 * content and on nothing else, by a threshold and not by rank, so adding
 * photos moves no other. The share of a class is therefore 20 % on average
 * only (of 120 photos 24, with a deviation of 4).
 *
 * The one exception: a class whose photos would all go to val keeps them in
 * train, since without any it could not be learnt.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/status.h"
#include "data/tree.h"

#define VAL_SHARE 0.2

static bool is_val(struct graft_hash content, uint64_t seed)
{
    uint64_t bits = graft_hash_add(content, &seed, sizeof seed).lo;
    return (double)(bits >> 11) * 0x1p-53 < VAL_SHARE;
}

struct tally {
    int train, val;
};

int graft_dataset_split(struct graft_dataset *d, struct graft_runtime *rt,
                        const struct graft_hash *hashes, uint64_t seed)
{
    struct tally *t = graft_calloc((size_t)d->n_classes, sizeof *t);
    if (!t)
        return GRAFT_EMEM;
    for (int i = 0; i < d->photo.n; i++) {
        struct graft_photo *p = &d->photo.at[i];
        if (p->part != GRAFT_TRAIN)
            continue;
        bool val = is_val(hashes[i], seed);
        p->part = val ? GRAFT_VAL : GRAFT_TRAIN;
        *(val ? &t[p->label].val : &t[p->label].train) += 1;
    }
    for (int i = 0; i < d->photo.n; i++) {
        struct graft_photo *p = &d->photo.at[i];
        if (p->part == GRAFT_VAL && !t[p->label].train)
            p->part = GRAFT_TRAIN;
    }
    for (int c = 0; c < d->n_classes; c++)
        if (!t[c].train != !t[c].val)
            graft_log(rt, GRAFT_LOG_WARNING, "class '%s' has %d photos, none "
                      "of which fell to validation: nothing can be said of "
                      "it", d->label[c], t[c].train + t[c].val);
    graft_free(t);
    return GRAFT_OK;
}
