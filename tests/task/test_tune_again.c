/* Fine-tuning that is stopped, killed, or short of memory: the same bytes come
 * out of it.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/alloc.h"
#include "base/file.h"
#include "task/little.h"
#include "task/little_deep.h"
#include "task/tune.h"
#include "test.h"

/* ---- rows that do not fit ------------------------------------------------ */

/* The masters after a run up to val, n of them; graft_free them. */
static real *trained(const struct deep_world *w, bool forget, int64_t *n)
{
    struct graft_training t = {.rt = w->rt, .o = &w->o};
    graft_str_init(&t.source);
    assert_ok(graft_training_open(&t));
    assert_ok(graft_training_list(&t));
    assert_ok(graft_training_features(&t));
    assert_true(t.tune->plan.keep);
    if (forget) {
        graft_free(t.tune->x);
        t.tune->x = NULL;
        t.tune->plan.keep = false;
    }
    assert_ok(graft_training_solve(&t));
    assert_ok(graft_training_tune(&t));
    assert_true(t.tune->tuned);
    *n = t.tune->u.selection->size;
    size_t bytes = (size_t)*n * sizeof(real);
    real *out = graft_malloc(bytes);
    memcpy(out, t.tune->u.selection->master, bytes);
    graft_training_release(&t);
    graft_report_free(t.report);
    return out;
}

/* Rows that do not fit come from the cache, are computed anew, or are pixels
 * of photos read again. */
static void fetched_is_the_same(const char *unfreeze, bool no_cache)
{
    struct deep_world w;
    int64_t n, m;
    deep_begin(&w, 2, unfreeze);
    w.o.output = NULL;
    w.o.no_cache = no_cache;
    real *kept = trained(&w, false, &n), *fetched = trained(&w, true, &m);
    assert_int_equal(n, m);
    assert_memory_equal(kept, fetched, (size_t)n * sizeof *kept);
    graft_free(kept);
    graft_free(fetched);
    deep_end(&w);
}

TEST(task_tune_again__rows_come_from_the_cache_each_time)
{
    fetched_is_the_same("name:c3.weight", false);
}
TEST(task_tune_again__rows_are_computed_each_time)
{
    fetched_is_the_same("name:c3.weight", true);
}
TEST(task_tune_again__pixels_are_decoded_each_time)
{
    fetched_is_the_same("all", false);
}

/* ---- stopping and going on ----------------------------------------------- */

/* The log without what the clock says. */
static uint64_t log_hash(const char *path)
{
    uint8_t *text = NULL;
    uint64_t n = 0, h = 1469598103934665603u;
    assert_ok(graft_file_read(&text, &n, path, 1 << 20));
    bool timed = false;
    for (uint64_t i = 0; i < n; i++) {
        timed |= n - i > 7 && (!memcmp(text + i, "seconds", 7) ||
                               !memcmp(text + i, "photos_", 7));
        timed &= text[i] != '\n';
        h = timed ? h : (h ^ text[i]) * 1099511628211u;
    }
    graft_free(text);
    return h;
}

/* More epochs than were asked for at first: it goes on where it ended. */
TEST(task_tune_again__epochs_may_be_added)
{
    struct deep_world w;
    deep_begin(&w, 2, "last-stage");
    w.o.tune.schedule = "constant";
    w.o.tune.warmup = 0;
    w.o.tune.epochs = 4;
    graft_report_free(deep_train(&w));
    w.o.output = little_path(w.folder, "later.onnx");
    w.o.tune.epochs = 2;
    deep_train_until(&w, 3); /* an epoch of the try */
    w.o.tune.epochs = 4;
    w.o.tune.resume = true;
    struct graft_report *r = deep_train(&w);
    assert_int_equal(r->tuning->epochs, 4);
    graft_report_free(r);
    assert_true(little_same(w.out, w.o.output));
    deep_end(&w);
}

TEST(task_tune_again__to_resume_is_never_to_have_stopped)
{
    struct deep_world w;
    deep_begin(&w, 2, "last-stage");
    w.o.tune.ema = 0.5;
    graft_report_free(deep_train(&w));
    uint64_t log = log_hash(little_path(w.folder, "out.run/log.jsonl"));
    struct graft_report *r = NULL;
    const int after[] = {1, 4, 9, 11}; /* 3 steps an epoch, 9 of the try */
    for (int i = 0; i < 4; i++) {
        char name[16], folder[32];
        snprintf(name, sizeof name, "o%d.onnx", i);
        snprintf(folder, sizeof folder, "o%d.run/log.jsonl", i);
        w.o.output = little_path(w.folder, name);
        w.o.tune.resume = false;
        deep_train_until(&w, after[i]);
        assert_false(graft_file_exists(w.o.output));
        assert_fails(graft_train(&r, w.rt, &w.o), GRAFT_EEXIST, "--resume");
        w.o.tune.resume = true;
        w.o.tune.momentum = 0.5;
        assert_fails(graft_train(&r, w.rt, &w.o), GRAFT_EMISMATCH,
                     "momentum");
        w.o.tune.momentum = -1;
        w.o.seed = 1; /* another fifth is held out */
        assert_fails(graft_train(&r, w.rt, &w.o), GRAFT_EMISMATCH, "seed");
        w.o.seed = 0;
        deep_threads(&w, 1 + i % 3);
        graft_report_free(deep_train(&w));
        assert_true(little_same(w.out, w.o.output));
        assert_true(log == log_hash(little_path(w.folder, folder)));
    }
    deep_end(&w);
}
