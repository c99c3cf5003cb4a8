/* A fine-tuning while every allocation and file operation fails in turn: with
 * its logs and checkpoints, and going on from whatever was left.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/alloc.h"
#include "base/file.h"
#include "graft/classifier.h"
#include "support/faults.h"
#include "task/little.h"
#include "task/little_deep.h"
#include "test.h"

struct job {
    struct graft_runtime *rt;
    struct graft_train_options o;
};

static int train(void *ctx)
{
    const struct job *j = ctx;
    struct graft_report *r = NULL;
    int status = graft_train(&r, j->rt, &j->o);
    assert_int_equal(r != NULL, !status);
    graft_report_free(r);
    return status;
}

static void survives(const char *name, const char *unfreeze, const char *bn,
                     bool from_scratch, int every)
{
    static const char *const varies[] = {"out.report.json", NULL};
    char folder[200];
    struct job j = {.o = GRAFT_TRAIN_OPTIONS};
    snprintf(folder, sizeof folder, "%s", test_folder_in_memory());
    j.rt = little_runtime(1, little_path(folder, "cache"));
    j.o.model = graft_strdup(little_path(folder, "backbone.onnx"));
    j.o.data = graft_strdup(little_path(folder, "data"));
    j.o.output = graft_strdup(little_path(folder, "out.onnx"));
    little_deep_model(j.rt, j.o.model);
    little_photos(j.o.data, "red", 1, 0, 6);
    little_photos(j.o.data, "blue", 0, 0, 6);
    j.o.strict = j.o.no_cache = true;
    j.o.l2 = 100;
    j.o.tune.unfreeze = unfreeze;
    j.o.tune.bn = bn;
    j.o.tune.from_scratch = from_scratch;
    j.o.tune.epochs = 2;
    j.o.tune.learning_rate = 0.02;
    j.o.tune.resume = true;
    struct fault_work w = {.name = name, .folder = folder,
                           .run = train, .ctx = &j, .varies = varies,
                           .loose = "out.run", .every = every};
    fault_every_point(&w);
    graft_free((void *)j.o.model);
    graft_free((void *)j.o.data);
    graft_free((void *)j.o.output);
    graft_runtime_free(j.rt);
}

TEST(task_tune_faults__every_failure_is_survived)
{
    survives("fine-tuning", "name:c3.weight", NULL, false, 61);
}
TEST(task_tune_faults__with_statistics_that_follow)
{
    survives("statistics that follow", "name:c2.weight", "train", false, 211);
}
TEST(task_tune_faults__with_statistics_adapted)
{
    survives("statistics adapted", "name:c3.weight", "adapt", false, 211);
}
TEST(task_tune_faults__from_scratch)
{
    survives("from scratch", NULL, NULL, true, 211);
}
TEST(task_tune_faults__of_auto)
{
    survives("--unfreeze auto", "auto", NULL, false, 997);
}
