/* Presets, overrides, words, hash.
 * SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "base/str.h"
#include "data/preprocess.h"

static void words_are(const struct graft_preprocess *p, const char *want)
{
    struct graft_str s;
    graft_str_init(&s);
    graft_preprocess_words(p, &s);
    assert_string_equal(s.at, want);
    graft_str_release(&s);
}

TEST(data_preprocess__presets)
{
    struct graft_preprocess p;
    assert_ok(graft_preprocess_preset(&p, "imagenet", 224, 224));
    words_are(&p, "short side to 256, centre crop 224x224, RGB, (x - "
                  "[123.675, 116.28, 103.53]) / [58.395, 57.12, 57.375]");
    assert_ok(graft_preprocess_preset(&p, "imagenet", 32, 32));
    assert_int_equal(p.resize, 37);
    assert_ok(graft_preprocess_preset(&p, "imagenet", 299, 224));
    assert_int_equal(p.resize, 342); /* covers the longer side */
    assert_ok(graft_preprocess_preset(&p, "tf", 224, 224));
    assert_true(p.mean[0] == 127.5f && p.std[2] == 127.5f);
    assert_ok(graft_preprocess_preset(&p, "cifar", 32, 32));
    assert_int_equal(p.resize, 32);
    assert_near(p.mean[0], 125.307, 1e-4);
    assert_ok(graft_preprocess_preset(&p, "bgr255", 416, 416));
    assert_true(p.bgr && p.mean[0] == 0 && p.std[0] == 1);
    assert_ok(graft_preprocess_preset(&p, "raw255", 8, 8));
    assert_true(!p.bgr && p.std[0] == 1);
    assert_fails(graft_preprocess_preset(&p, "vgg", 8, 8), GRAFT_EARG,
                 "imagenet");
    assert_fails(graft_preprocess_preset(&p, "tf", 0, 8), GRAFT_EARG, "0x8");
}

TEST(data_preprocess__overrides)
{
    static const float mean[] = {1, 2, 3}, zero[] = {1, 0, 1};
    struct graft_preprocess base, p;
    struct graft_preprocess_options o = GRAFT_PREPROCESS_OPTIONS;
    assert_ok(graft_preprocess_preset(&base, "imagenet", 224, 224));
    assert_ok(graft_preprocess_apply(&p, &base, &o));
    assert_memory_equal(&p, &base, sizeof p);
    o.width = o.height = 448;
    o.bgr = 1;
    assert_ok(graft_preprocess_apply(&p, &base, &o));
    assert_int_equal(p.resize, 512);
    assert_true(p.mean[0] == base.mean[2] && p.std[2] == base.std[0]);
    o.fit = "pad";
    o.mean = mean; /* in the input's order: blue first */
    assert_ok(graft_preprocess_apply(&p, &base, &o));
    words_are(&p, "long side to fit 448x448, padded with 0, BGR, (x - "
                  "[1, 2, 3]) / [57.375, 57.12, 58.395]");
    o.preset = "tf";
    o.fit = "squash";
    o.mean = NULL;
    assert_ok(graft_preprocess_apply(&p, &base, &o));
    words_are(&p, "squashed to 448x448, BGR, (x - [127.5, 127.5, 127.5]) / "
                  "[127.5, 127.5, 127.5]");
    o.std = zero;
    assert_fails(graft_preprocess_apply(&p, &base, &o), GRAFT_EARG, "std 0");
    o.std = NULL;
    o.fit = "stretch";
    assert_fails(graft_preprocess_apply(&p, &base, &o), GRAFT_EARG, "squash");
}

TEST(data_preprocess__hash_tells_apart)
{
    struct graft_preprocess a, b;
    assert_ok(graft_preprocess_preset(&a, "imagenet", 224, 224));
    b = a;
    assert_true(graft_hash_equal(graft_preprocess_hash(&a),
                                 graft_preprocess_hash(&b)));
    b.bgr = true;
    assert_false(graft_hash_equal(graft_preprocess_hash(&a),
                                  graft_preprocess_hash(&b)));
    b = a;
    b.std[2] += 1;
    assert_false(graft_hash_equal(graft_preprocess_hash(&a),
                                  graft_preprocess_hash(&b)));
    a.fit = b.fit = GRAFT_FIT_SQUASH; /* which does not look at resize */
    b = a;
    b.resize++;
    assert_true(graft_hash_equal(graft_preprocess_hash(&a),
                                 graft_preprocess_hash(&b)));
}
