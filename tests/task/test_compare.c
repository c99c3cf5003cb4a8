/* Two models on the same photos: what is counted, and what is refused.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "base/alloc.h"
#include "base/file.h"
#include "graft/convert.h"
#include "graft/edit.h"
#include "onnx/onnx.h"
#include "support/faults.h"
#include "task/little.h"
#include "test.h"

struct pair {
    char folder[128];
    const char *model, *data;
    struct graft_runtime *rt;
    graft_model *a, *b;
};

/* The same little model twice, and 5 + 4 photos, one of them torn. */
static void begin(struct pair *p, enum little_head head)
{
    memcpy(p->folder, test_folder(), sizeof p->folder);
    p->rt = little_runtime(2, p->folder);
    p->model = graft_strdup(little_path(p->folder, "m.onnx"));
    p->data = graft_strdup(little_path(p->folder, "photos"));
    little_model(p->rt, p->model, 8, 0, head);
    little_photos(p->data, "red", 1, 0, 5);
    little_photos(p->data, "blue", 0, 0, 4);
    p->a = p->b = NULL;
    assert_ok(graft_model_open(&p->a, p->rt, p->model));
    assert_ok(graft_model_open(&p->b, p->rt, p->model));
}

static void end(struct pair *p)
{
    graft_model_free(p->a);
    graft_model_free(p->b);
    graft_free((void *)p->model);
    graft_free((void *)p->data);
    graft_runtime_free(p->rt);
}

/* b's weight w becomes times * w + plus. */
static void change(struct pair *p, const char *weight, float times,
                   float plus)
{
    const struct graft_tensor *t = NULL;
    for (int i = 0; i < p->b->tensor.n; i++)
        if (!strcmp(p->b->tensor.at[i].name, weight))
            t = &p->b->tensor.at[i];
    assert_non_null(t);
    float *x = graft_malloc((size_t)t->bytes);
    memcpy(x, t->data, (size_t)t->bytes);
    for (uint64_t i = 0; i < t->bytes / sizeof *x; i++)
        x[i] = times * x[i] + plus;
    assert_ok(graft_model_set_initializer(p->b, weight, x, t->bytes));
    graft_free(x);
}

TEST(task_compare__the_same_is_no_difference)
{
    struct pair p;
    struct graft_comparison c;
    begin(&p, LITTLE_GEMM);
    assert_ok(graft_compare(&c, p.a, p.b, p.data, NULL));
    assert_int_equal(c.photos, 9);
    assert_int_equal(c.skipped, 0);
    assert_int_equal(c.classes, 5);
    assert_int_equal(c.values, 45);
    assert_int_equal(c.changed, 0);
    assert_true(c.largest == 0 && c.mean == 0 && c.scale > 0);
    end(&p);
}

/* Batches of 1, 2, 4, 9 and 16 count the same. */
TEST(task_compare__differences_are_measured_whatever_the_batch)
{
    static const int batch[] = {1, 2, 4, 9, 16};
    struct graft_classify_options o = GRAFT_CLASSIFY_OPTIONS;
    struct graft_comparison first, c;
    struct pair p;
    begin(&p, LITTLE_GEMM);
    change(&p, "fc.weight", 1, 0.125f);
    for (int i = 0; i < 5; i++) {
        o.batch = batch[i];
        assert_ok(graft_compare(&c, p.a, p.b, p.data, &o));
        assert_true(c.largest > 0 && c.mean > 0 && c.mean <= c.largest);
        if (!i)
            first = c;
        assert_true(fabs(c.largest - first.largest) < 1e-5);
        assert_true(fabs(c.mean - first.mean) < 1e-5);
        assert_int_equal(c.changed, first.changed);
        assert_int_equal(c.photos, 9);
    }
    end(&p);
}

TEST(task_compare__another_best_class_is_counted)
{
    struct pair p;
    struct graft_comparison c;
    begin(&p, LITTLE_GEMM);
    change(&p, "fc.weight", -1, 0); /* the best one is the worst now */
    assert_ok(graft_compare(&c, p.a, p.b, p.data, NULL));
    assert_int_equal(c.changed, 9);
    assert_true(fabs(c.largest - 2 * c.scale) < 1e-5 * c.scale);
    change(&p, "fc.weight", 0, NAN);
    assert_ok(graft_compare(&c, p.a, p.b, p.data, NULL));
    assert_true(isnan(c.largest)); /* not hidden by numbers after it */
    end(&p);
}

TEST(task_compare__maps_have_no_best_class)
{
    struct pair p;
    struct graft_comparison c;
    begin(&p, LITTLE_POOL);
    assert_ok(graft_compare(&c, p.a, p.b, p.data, NULL));
    assert_int_equal(c.classes, 0);
    assert_true(c.values > 9 * 8);
    end(&p);
}

TEST(task_compare__photos_that_cannot_be_read)
{
    struct graft_classify_options o = GRAFT_CLASSIFY_OPTIONS;
    struct graft_comparison c;
    struct graft_writer *w = NULL;
    struct pair p;
    begin(&p, LITTLE_GEMM);
    assert_ok(graft_writer_new(&w, little_path(p.data, "red/torn.bmp"),
                               GRAFT_WRITE_NEW));
    assert_ok(graft_writer_put(w, "BM torn", 7));
    assert_ok(graft_writer_commit(w));
    graft_writer_free(w);
    assert_ok(graft_compare(&c, p.a, p.b, p.data, NULL));
    assert_int_equal(c.photos, 9);
    assert_int_equal(c.skipped, 1);
    o.strict = true;
    assert_fails(graft_compare(&c, p.a, p.b, p.data, &o), GRAFT_EDATA,
                 "torn.bmp");
    assert_ok(graft_folder_make(little_path(p.folder, "empty")));
    assert_fails(graft_compare(&c, p.a, p.b, little_path(p.folder, "empty"),
                               NULL), GRAFT_EDATA, "empty");
    end(&p);
}

TEST(task_compare__other_shapes_are_refused)
{
    struct pair p;
    struct graft_comparison c;
    const char *relu = "relu";
    begin(&p, LITTLE_GEMM);
    assert_ok(graft_model_set_outputs(p.b, &relu, 1, NULL));
    assert_fails(graft_compare(&c, p.a, p.b, p.data, NULL), GRAFT_ESHAPE,
                 "5 elements");
    end(&p);
}

static int compare(void *ctx)
{
    struct pair *p = ctx;
    struct graft_classify_options o = GRAFT_CLASSIFY_OPTIONS;
    struct graft_comparison c;
    o.strict = true;
    return graft_compare(&c, p->a, p->b, p->data, &o);
}

TEST(task_compare__every_failure_is_an_error)
{
    struct pair p;
    begin(&p, LITTLE_GEMM);
    const struct fault_work w = {.name = "comparing", .folder = p.folder,
                                 .run = compare, .ctx = &p};
    fault_every_point(&w);
    end(&p);
}
