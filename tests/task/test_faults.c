/* A whole training while every allocation and file operation fails in turn,
 * with the cache: folders, photos, model, index, features, and four files.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "graft/cache.h"
#include "graft/classifier.h"
#include "support/faults.h"
#include "task/little.h"
#include "test.h"

struct job {
    char folder[200];
    const char *model, *data, *out;
    struct graft_runtime *rt;
    struct graft_train_options o;
};

/* Two classes of six photos each; everything in one folder. */
static void begin(struct job *j)
{
    snprintf(j->folder, sizeof j->folder, "%s", test_folder_in_memory());
    assert_ok(graft_folder_make(little_path(j->folder, "cache")));
    j->rt = little_runtime(1, little_path(j->folder, "cache"));
    j->model = graft_strdup(little_path(j->folder, "backbone.onnx"));
    j->data = graft_strdup(little_path(j->folder, "data"));
    j->out = graft_strdup(little_path(j->folder, "out.onnx"));
    little_model(j->rt, j->model, 8, 0, LITTLE_GEMM);
    little_photos(j->data, "red", 1, 0, 6);
    little_photos(j->data, "blue", 0, 0, 6);
    j->o = (struct graft_train_options)GRAFT_TRAIN_OPTIONS;
    j->o.model = j->model;
    j->o.data = j->data;
    j->o.output = j->out;
    j->o.strict = true;
    usleep(60000); /* the index takes no file that changed just now */
}

static void end(struct job *j)
{
    graft_free((void *)j->model);
    graft_free((void *)j->data);
    graft_free((void *)j->out);
    graft_runtime_free(j->rt);
}

static int train(void *ctx)
{
    const struct job *j = ctx;
    struct graft_report *r = NULL;
    int status = graft_train(&r, j->rt, &j->o);
    assert_int_equal(r != NULL, !status);
    graft_report_free(r);
    return status;
}

/* A photo that cannot be read is answered with a reason. */
struct answers {
    int n, whys;
    char why[300];
};

static void answer(void *ctx, const struct graft_prediction *p)
{
    struct answers *a = ctx;
    a->n++;
    a->whys += p->why != NULL;
    if (p->why)
        snprintf(a->why, sizeof a->why, "'%s': %s", p->file, p->why);
}

static int predict(void *ctx)
{
    const struct job *j = ctx;
    struct answers a = {0};
    int status = graft_predict(j->rt, j->out, &j->data, 1, NULL, answer, &a);
    if (status)
        return status;
    assert_true(a.n == 12 || a.whys);
    if (strstr(a.why, "memory"))
        return graft_fail(GRAFT_EMEM, "%s", a.why);
    return a.whys ? graft_fail(GRAFT_EIO, "%s", a.why) : GRAFT_OK;
}

static void count(void *ctx, const struct graft_cache_entry *e)
{
    *(uint64_t *)ctx += e->records;
}

static int list_cache(void *ctx)
{
    const struct job *j = ctx;
    uint64_t records = 0;
    return graft_cache_list(j->rt, count, &records);
}

static void every_point(const char *name, struct job *j, int (*run)(void *),
                        const char *loose, int every)
{
    /* A record that could not be read is computed and appended again. */
    static const char *const varies[] = {"out.report.json", "cache/", NULL};
    struct fault_work w = {.name = name, .folder = j->folder, .run = run,
                           .ctx = j, .varies = varies, .loose = loose,
                           .every = every};
    fault_every_point(&w);
}

TEST(task_faults__training_to_new_files)
{
    struct job j;
    begin(&j);
    every_point("training", &j, train, "cache", 23);
    end(&j);
}

TEST(task_faults__training_over_old_files)
{
    struct job j;
    static const char *const old[] = {"out.onnx", "out.json",
                                      "out.labels.txt", "out.report.json"};
    begin(&j);
    for (int i = 0; i < 4; i++)
        assert_ok(graft_file_write(little_path(j.folder, old[i]), old[i], 5,
                                   GRAFT_WRITE_NEW));
    j.o.replace = true;
    j.o.external_data = true;
    every_point("training over old files", &j, train, "cache", 29);
    end(&j);
}

TEST(task_faults__using_and_listing)
{
    struct job j;
    begin(&j);
    assert_ok(train(&j));
    assert_int_equal(unlink(j.out), 0);
    j.o.replace = true;
    every_point("training from a full cache", &j, train, NULL, 17);
    assert_ok(train(&j));
    every_point("predicting photos", &j, predict, NULL, 11);
    every_point("listing the cache", &j, list_cache, NULL, 1);
    end(&j);
}
