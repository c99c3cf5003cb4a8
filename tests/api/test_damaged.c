/* Small models cut at every byte and with every bit flipped: each is refused
 * in one clear sentence, or is a valid model within limits, which is then
 * looked at, inspected and written.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "graft/edit.h"
#include "graft/graph.h"
#include "graft/model.h"
#include "support/sentence.h"
#include "support/small_models.h"
#include "support/worst.h"
#include "test.h"

/* One thread: what others hold for the next task would count as held. */
static graft_runtime *one_thread(void)
{
    struct graft_runtime_options o = GRAFT_RUNTIME_OPTIONS;
    graft_runtime *rt = NULL;
    o.threads = 1;
    assert_ok(graft_runtime_new(&rt, &o));
    return rt;
}

struct tally {
    graft_runtime *rt;
    int tried, refused, valid, compiled;
    struct worst_cost most;
};

static void keep_most(struct tally *t, struct worst_cost c)
{
    if (c.seconds > t->most.seconds)
        t->most.seconds = c.seconds;
    if (c.bytes > t->most.bytes)
        t->most.bytes = c.bytes;
}

static void say(const char *what, int which, const struct tally *t)
{
    print_message("%s of '%s': %d tried, %d refused, %d valid (%d of them "
                  "compile); at most %.3f s CPU, %.1f MB\n", what,
                  test_small_model_name(which), t->tried, t->refused,
                  t->valid, t->compiled, t->most.seconds,
                  (double)t->most.bytes / 1e6);
}

/* What was read can be described, inspected and written, and what is written
 * then is read to be the same bytes again. */
static void use(struct tally *t, const graft_model *m)
{
    struct graft_model_info *info = NULL;
    struct graft_inspection *x = NULL;
    graft_model *again = NULL;
    void *a = NULL, *b = NULL;
    uint64_t na = 0, nb = 0;
    assert_ok(graft_model_info_new(&info, m));
    graft_model_info_free(info);
    worst_start();
    assert_ok(graft_inspect(&x, m, 2));
    keep_most(t, worst_stop());
    t->compiled += x->has_plan;
    if (!x->has_plan)
        test_sentence(x->why_no_plan);
    graft_inspection_free(x);
    assert_ok(graft_model_encode(&a, &na, m));
    assert_ok(graft_model_parse(&again, t->rt, a, na));
    assert_ok(graft_model_encode(&b, &nb, again));
    assert_true(na == nb && !memcmp(a, b, na));
    graft_encoded_free(a);
    graft_encoded_free(b);
    graft_model_free(again);
}

static void try_bytes(struct tally *t, const void *bytes, uint64_t n)
{
    graft_model *m = NULL;
    uint64_t live = graft_alloc_stats().live_bytes;
    worst_start();
    int status = graft_model_parse(&m, t->rt, bytes, n);
    struct worst_cost c = worst_stop();
    assert_true(c.bytes <= 8 * n + (UINT64_C(64) << 20));
    keep_most(t, c);
    t->tried++;
    if (status) {
        assert_null(m);
        assert_int_not_equal(status, GRAFT_EMEM);
        test_sentence_about("(memory)", graft_error_message());
        t->refused++;
    } else {
        use(t, m);
        t->valid++;
    }
    graft_model_free(m);
    assert_true(graft_alloc_stats().live_bytes == live);
}

TEST(api_damaged__models_themselves)
{
    graft_runtime *rt = one_thread();
    for (int i = 0; i < TEST_SMALL_MODELS; i++) {
        struct tally t = {.rt = rt};
        struct graft_str f = test_small_model(i);
        try_bytes(&t, f.at, f.n);
        assert_int_equal(t.valid, 1);
        assert_int_equal(t.compiled, i > 0);
        print_message("model '%s': %llu bytes\n", test_small_model_name(i),
                      (unsigned long long)f.n);
        graft_str_release(&f);
    }
    graft_runtime_free(rt);
}

TEST(api_damaged__cut_at_every_byte)
{
    graft_runtime *rt = one_thread();
    for (int i = 0; i < TEST_SMALL_MODELS; i++) {
        struct tally t = {.rt = rt};
        struct graft_str f = test_small_model(i);
        for (uint64_t n = 0; n < f.n; n++) {
            /* alone, so that sanitizers see what is read behind the end */
            uint8_t *bytes = malloc(n ? n : 1);
            assert_non_null(bytes);
            memcpy(bytes, f.at, n);
            try_bytes(&t, bytes, n);
            free(bytes);
        }
        graft_str_release(&f);
        say("cut at every byte", i, &t);
    }
    graft_runtime_free(rt);
}

TEST(api_damaged__every_bit_flipped)
{
    graft_runtime *rt = one_thread();
    for (int i = 0; i < TEST_SMALL_MODELS; i++) {
        struct tally t = {.rt = rt};
        struct graft_str f = test_small_model(i);
        for (uint64_t k = 0; k < 8 * f.n; k++) {
            f.at[k / 8] = (char)(f.at[k / 8] ^ 1 << k % 8);
            try_bytes(&t, f.at, f.n);
            f.at[k / 8] = (char)(f.at[k / 8] ^ 1 << k % 8);
        }
        graft_str_release(&f);
        say("every bit flipped", i, &t);
    }
    graft_runtime_free(rt);
}
