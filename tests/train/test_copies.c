/* Near-copies are found by their features, and only they.
 * SPDX-License-Identifier: Apache-2.0 */
#include "train/copies.h"

#include "base/rng.h"
#include "test.h"

enum { N = 60, D = 64 };

struct photos {
    float x[N][D];
    int32_t label[N];
    struct graft_hash photo[N];
};

/* Two classes side by side, everything at random. */
static void make(struct photos *p)
{
    struct graft_rng_key key = graft_rng_key(3, 4);
    for (int i = 0; i < N; i++) {
        p->label[i] = i >= N / 2;
        p->photo[i] = graft_hash(&i, sizeof i);
        for (int j = 0; j < D; j++)
            p->x[i][j] = 2 + (float)graft_rng_normal(key,
                                                     (uint64_t)(i * D + j));
    }
}

static void copy(struct photos *p, int from, int to, float noise)
{
    struct graft_rng_key key = graft_rng_key(5, (uint64_t)to);
    for (int j = 0; j < D; j++)
        p->x[to][j] = p->x[from][j] +
                      noise * (float)graft_rng_normal(key, (uint64_t)j);
}

TEST(train_copies__near_copies_share_a_photo)
{
    static struct photos p, was;
    int64_t found = -1;
    make(&p);
    copy(&p, 3, 17, 0.1f);
    copy(&p, 3, 29, 0.1f);
    copy(&p, 40, 41, 0.05f);
    copy(&p, 5, 55, 0.05f); /* of another class */
    was = p;
    assert_int_equal(graft_near_copies(p.photo, &found, p.x[0], p.label, N,
                                       D), 0);
    assert_int_equal(found, 3);
    for (int i = 0; i < N; i++) {
        int of = i == 17 || i == 29 ? 3 : i == 41 ? 40 : i;
        assert_true(graft_hash_equal(p.photo[i], was.photo[of]));
    }
}

TEST(train_copies__nothing_is_found_where_it_means_little)
{
    static struct photos p;
    int64_t found = -1;
    make(&p);
    for (int i = 1; i < 6; i++) /* a fifth of the class */
        copy(&p, 0, i, 0.01f);
    assert_int_equal(graft_near_copies(p.photo, &found, p.x[0], p.label, N,
                                       D), 0);
    assert_int_equal(found, 0);
    make(&p);
    copy(&p, 3, 17, 0);
    assert_int_equal(graft_near_copies(p.photo, &found, p.x[0], p.label, N,
                                       16), 0);
    assert_int_equal(found, 0); /* too few features */
}
