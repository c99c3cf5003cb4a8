/* Splitting val off train: a photo's side depends on the seed and its own
 * content and on nothing else, by a threshold and not by rank, so adding
 * photos moves no other. The share of a class is therefore 20 % on average
 * only (of 120 photos 24, with a deviation of 4).
 *
 * The one exception: a class whose photos would all go to val keeps them in
 * train, since without any it could not be learnt. Then, and where val is
 * the user's own, a class may have no photo to judge by.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/status.h"
#include "base/str.h"
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

int graft_dataset_split(struct graft_dataset *d,
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
    graft_free(t);
    return GRAFT_OK;
}

/* ---- what cannot be judged -------------------------------------------------
 */

/* 1234567 -> "1,234,567" */
static void add_count(struct graft_str *s, int n)
{
    char digits[16];
    snprintf(digits, sizeof digits, "%d", n);
    for (size_t i = 0, left = strlen(digits); left > 0; i++, left--) {
        if (i && left % 3 == 0)
            graft_str_add(s, ",");
        graft_str_addn(s, digits + i, 1);
    }
}

static bool is_unjudged(const struct tally *t)
{
    return t->train && !t->val;
}

/* "2 of 1,000 classes have no photo to judge by (ant, bee)" */
static int warn(const struct graft_dataset *d, struct graft_runtime *rt,
                const struct tally *t, int unjudged)
{
    enum { SHOWN = 3 };
    struct graft_str s;
    int shown = 0;
    graft_str_init(&s);
    add_count(&s, unjudged);
    graft_str_add(&s, " of ");
    add_count(&s, d->n_classes);
    graft_str_addf(&s, " class%s %s no photo to judge by (",
                   d->n_classes == 1 ? "" : "es",
                   unjudged == 1 ? "has" : "have");
    for (int c = 0; c < d->n_classes && shown < SHOWN; c++)
        if (is_unjudged(&t[c]))
            graft_str_addf(&s, "%s%s", shown++ ? ", " : "", d->label[c]);
    graft_str_add(&s, unjudged > SHOWN ? ", ...)" : ")");
    int status = graft_str_ok(&s);
    if (!status)
        graft_log(rt, GRAFT_LOG_WARNING, "%s", s.at);
    graft_str_release(&s);
    return status;
}

int graft_dataset_warn_unjudged(const struct graft_dataset *d,
                                struct graft_runtime *rt)
{
    struct tally *t = graft_calloc((size_t)d->n_classes, sizeof *t);
    int unjudged = 0;
    if (!t)
        return GRAFT_EMEM;
    for (int i = 0; i < d->photo.n; i++) {
        const struct graft_photo *p = &d->photo.at[i];
        t[p->label].train += p->part == GRAFT_TRAIN;
        t[p->label].val += p->part == GRAFT_VAL;
    }
    for (int c = 0; c < d->n_classes; c++)
        unjudged += is_unjudged(&t[c]);
    int status = unjudged ? warn(d, rt, t, unjudged) : GRAFT_OK;
    graft_free(t);
    return status;
}
