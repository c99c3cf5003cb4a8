/* The memory of a fine-tuning: what is planned is what it comes to, and what
 * does not fit is refused before anything is read.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/alloc.h"
#include "base/file.h"
#include "task/little.h"
#include "task/little_deep.h"
#include "task/tune.h"
#include "test.h"

/* Everything up to the report; what was planned, and what it came to, above
 * what other tests have left behind. */
struct height {
    int64_t planned, peak;
    bool keep, tuned;
};

static struct height run(const struct deep_world *w)
{
    struct graft_training t = {.rt = w->rt, .o = &w->o};
    const int64_t before = (int64_t)graft_alloc_stats().live_bytes;
    graft_alloc_peak_reset();
    graft_str_init(&t.source);
    assert_ok(graft_training_open(&t));
    assert_ok(graft_training_list(&t));
    assert_ok(graft_training_features(&t));
    assert_ok(graft_training_solve(&t));
    assert_ok(graft_training_tune(&t));
    assert_ok(graft_training_val(&t));
    struct height h = {t.tune->plan.counted - before,
                       (int64_t)graft_alloc_stats().peak_bytes - before,
                       t.tune->plan.keep, t.tune->tuned};
    graft_training_release(&t);
    graft_report_free(t.report);
    return h;
}

static void close_to_plan(struct height h)
{
    if (10 * h.planned < 9 * h.peak || 10 * h.planned > 11 * h.peak)
        fail_msg("planned %lld bytes, and it came to %lld",
                 (long long)h.planned, (long long)h.peak);
}

/* A network whose memory counts beside that of lists and names: photos of the
 * little world are enough for it. */
static void planned_for(const char *model, const char *unfreeze, int views,
                        const char *optimizer)
{
    struct deep_world w;
    deep_begin(&w, 2, unfreeze);
    w.o.model = model;
    w.o.output = NULL;
    w.o.views = views;
    w.o.tune.optimizer = optimizer;
    w.o.tune.epochs = 1;
    close_to_plan(run(&w));
    deep_end(&w);
}

TEST(task_tune_plan__is_kept_at_the_last_stage)
{
    NEED_SHARED(path, "models/resnet20_cifar10.onnx");
    planned_for(path, "last-stage", 0, NULL);
    planned_for(path, "last-stage", 2, "adamw");
}
TEST(task_tune_plan__is_kept_where_all_is_trained)
{
    NEED_SHARED(path, "models/resnet20_cifar10.onnx");
    planned_for(path, "all", 0, "adamw");
}
TEST(task_tune_plan__is_kept_with_fresh_views)
{
    NEED_SHARED(path, "models/resnet20_cifar10.onnx");
    planned_for(path, "last-stage", GRAFT_VIEWS_FRESH, NULL);
}
TEST(task_tune_plan__is_kept_by_mobilenet)
{
    NEED_SHARED(path, "models/mobilenetv2_bn_backbone.onnx");
    planned_for(path, "last-stage", 0, NULL);
}

/* ---- a limit ------------------------------------------------------------- */

struct heard {
    int features;
};

static int hear(void *ctx, const char *phase, const char *things,
                uint64_t done, uint64_t total)
{
    struct heard *h = ctx;
    (void)things, (void)done, (void)total;
    h->features += !strcmp(phase, "features");
    return 0;
}

static void limited(struct deep_world *w, uint64_t limit)
{
    struct graft_runtime_options o = GRAFT_RUNTIME_OPTIONS;
    o.threads = 2;
    o.cache_dir = little_path(w->folder, "cache");
    o.memory_limit = limit;
    graft_runtime_free(w->rt);
    assert_ok(graft_runtime_new(&w->rt, &o));
}

TEST(task_tune_plan__a_limit_changes_no_byte)
{
    struct deep_world w;
    deep_begin(&w, 2, "name:c3.weight");
    w.o.views = GRAFT_VIEWS_FRESH;
    w.o.augment = "strong";
    w.o.tune.mixup = 0.4;
    struct graft_report *r = deep_train(&w);
    assert_true(r->tuning->tuned);
    assert_true(r->planned_bytes > 0);
    graft_report_free(r);
    limited(&w, graft_alloc_stats().live_bytes + (64 << 20));
    w.o.output = little_path(w.folder, "limited.onnx");
    graft_report_free(deep_train(&w));
    assert_true(little_same(w.out, w.o.output));
    deep_end(&w);
}

TEST(task_tune_plan__rows_that_do_not_fit_are_read_again)
{
    NEED_SHARED(path, "models/resnet20_cifar10.onnx");
    struct deep_world w;
    deep_begin(&w, 2, "last-stage");
    w.o.model = path;
    w.o.output = NULL;
    w.o.views = 5;
    struct height h = run(&w);
    assert_true(h.keep);
    limited(&w, (uint64_t)h.planned + graft_alloc_stats().live_bytes -
                    (1 << 20));
    struct height less = run(&w);
    assert_false(less.keep);
    assert_true(less.peak <= h.planned - (1 << 20));
    deep_end(&w);
}

TEST(task_tune_plan__what_does_not_fit_is_refused_before_work_starts)
{
    struct deep_world w;
    struct graft_report *r = NULL;
    struct heard heard = {0};
    deep_begin(&w, 2, "all");
    w.o.output = NULL;
    struct height h = run(&w);
    w.o.progress = hear;
    w.o.progress_ctx = &heard;
    uint64_t step = (uint64_t)h.planned / 64 + 1, limit = step;
    /* From too little for anything to all that it needs: it runs, or says
     * both numbers before it has read a photo. */
    for (int refused = 0;; limit += step) {
        limited(&w, 0);
        limited(&w, graft_alloc_stats().live_bytes + limit);
        heard.features = 0;
        int status = graft_train(&r, w.rt, &w.o);
        if (!status) {
            assert_true(refused > 0);
            break;
        }
        refused++;
        assert_int_equal(heard.features, 0);
        if (status == GRAFT_ELIMIT &&
            strstr(graft_error_message(), "fine-tuning"))
            assert_non_null(strstr(graft_error_message(), "; the limit is "));
        else
            assert_non_null(strstr(graft_error_message(), "limit"));
        assert_true(limit < 2 * (uint64_t)h.planned);
    }
    graft_report_free(r);
    deep_end(&w);
}
