/* Folds are even in every class and follow the content, not the order.
 * SPDX-License-Identifier: Apache-2.0 */
#include "test.h"
#include "train/folds.h"

enum { N = 60 };

static void fill(int32_t *label, struct graft_hash *photo, int views)
{
    for (int i = 0; i < N; i++) {
        int64_t content = i / views;
        label[i] = (int32_t)(content % 3);
        photo[i] = graft_hash(&content, sizeof content);
    }
}

TEST(train_folds__are_even_in_every_class)
{
    int32_t label[N];
    struct graft_hash photo[N];
    int fold[N], folds = 5, count[3][5] = {{0}};
    fill(label, photo, 1);
    assert_ok(graft_folds(fold, &folds, label, photo, N, 1));
    assert_int_equal(folds, 5);
    for (int i = 0; i < N; i++)
        count[label[i]][fold[i]]++;
    for (int c = 0; c < 3; c++)
        for (int k = 0; k < 5; k++)
            assert_int_equal(count[c][k], 4);
}

TEST(train_folds__follow_content_and_seed_not_order)
{
    int32_t label[N], other_label[N];
    struct graft_hash photo[N], other_photo[N];
    int fold[N], other[N], folds = 5, moved = 0;
    fill(label, photo, 1);
    assert_ok(graft_folds(fold, &folds, label, photo, N, 1));
    for (int i = 0; i < N; i++) {
        other_label[i] = label[N - 1 - i];
        other_photo[i] = photo[N - 1 - i];
    }
    assert_ok(graft_folds(other, &folds, other_label, other_photo, N, 1));
    for (int i = 0; i < N; i++)
        assert_int_equal(other[i], fold[N - 1 - i]);
    assert_ok(graft_folds(other, &folds, label, photo, N, 2));
    for (int i = 0; i < N; i++)
        moved += other[i] != fold[i];
    assert_true(moved > N / 3);
}

TEST(train_folds__keep_views_of_a_photo_together)
{
    int32_t label[N];
    struct graft_hash photo[N];
    int fold[N], folds = 5;
    fill(label, photo, 4);
    assert_ok(graft_folds(fold, &folds, label, photo, N, 1));
    for (int i = 0; i < N; i++)
        assert_int_equal(fold[i], fold[i / 4 * 4]);
}

TEST(train_folds__never_hold_out_the_only_photo_of_a_class)
{
    const int32_t label[] = {0, 0, 0, 1, 1, 2};
    struct graft_hash photo[6];
    int fold[6], folds = 5;
    for (int64_t i = 0; i < 6; i++)
        photo[i] = graft_hash(&i, sizeof i);
    assert_ok(graft_folds(fold, &folds, label, photo, 6, 1));
    assert_int_equal(folds, 3);
    assert_int_equal(fold[5], -1);
    assert_true(fold[3] != fold[4] && fold[3] >= 0 && fold[4] >= 0);
    folds = 5;
    assert_ok(graft_folds(fold, &folds, label + 1, photo + 1, 2, 1));
    assert_int_equal(folds, 0); /* one class: nothing to tell apart */
}
