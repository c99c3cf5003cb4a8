/* Figures of a report, and its JSON.
 * SPDX-License-Identifier: Apache-2.0 */
#include <jansson.h>
#include <math.h>

#include "base/alloc.h"
#include "report/report.h"
#include "test.h"

static char *labels[] = {"cat", "lion", "tiger"};

/* p = 58/59, z = 1.959963984540054, by the formula:
 *   (p + z^2/2n -+ z sqrt(p(1-p)/n + z^2/4n^2)) / (1 + z^2/n) */
TEST(report_report__interval_is_wilsons)
{
    double low, high;
    graft_wilson(58, 59, &low, &high);
    assert_near(low, 0.910043, 1e-6);
    assert_near(high, 0.997002, 1e-6);
    graft_wilson(5, 10, &low, &high);
    assert_near(low, 0.236593, 1e-6);
    assert_near(high, 0.763407, 1e-6);
    graft_wilson(10, 10, &low, &high);
    assert_near(low, 0.722467, 1e-6);
    assert_near(high, 1, 0);
    graft_wilson(0, 10, &low, &high);
    assert_near(low, 0, 0);
    assert_near(high, 1 - 0.722467, 1e-6);
    graft_wilson(0, 0, &low, &high);
    assert_true(isnan(low) && isnan(high));
}

static struct graft_report *judged(void)
{
    static const struct {
        const char *file;
        int truth;
        double p[3];
    } photo[] = {
        {"cat/1", 0, {.8, .1, .1}},   {"cat/2", 0, {.1, .2, .7}},
        {"cat/\xff!", 0, {.05, .05, .9}}, {"tiger/1", 2, {0, 0, 1}},
        {"tiger/2", 2, {.7, .3, 0}},  {"tiger/0", 2, {.7, .2, .1}},
        {"tiger/4", 2, {.2, .4, .4}}, /* a tie: the first is said */
    };
    struct graft_report *r = NULL;
    assert_ok(graft_report_new(&r, labels, 3));
    for (size_t i = 0; i < sizeof photo / sizeof *photo; i++)
        assert_ok(graft_report_judge(r, photo[i].file, photo[i].truth,
                                     photo[i].p));
    graft_report_conclude(r);
    return r;
}

TEST(report_report__counts_right_and_wrong)
{
    struct graft_report *r = judged();
    assert_int_equal(r->correct, 2);
    assert_int_equal(r->total, 7);
    assert_near(r->accuracy, 2 / 7.0, 1e-12);
    assert_int_equal(r->confusion[0 * 3 + 2], 2);
    assert_int_equal(r->confusion[2 * 3 + 0], 2);
    assert_int_equal(r->confusion[2 * 3 + 1], 1);
    assert_near(r->precision[0], 1 / 3.0, 1e-12);
    assert_near(r->recall[0], 1 / 3.0, 1e-12);
    assert_near(r->precision[1], 0, 0);
    assert_true(isnan(r->recall[1])); /* no lion was shown */
    double loss = -(log(.8) + log(.1) + log(.05) + log(1) + log(1e-15) +
                    log(.1) + log(.4)) / 7;
    assert_near(r->log_loss, loss, 1e-12);
    graft_report_free(r);
}

TEST(report_report__worst_mistakes_come_first)
{
    struct graft_report *r = judged();
    const char *order[] = {"cat/\xff!", "cat/2", "tiger/0", "tiger/2",
                           "tiger/4"};
    assert_int_equal(r->n_mistakes, 5);
    for (int i = 0; i < 5; i++)
        assert_string_equal(r->mistakes[i].file, order[i]);
    assert_int_equal(r->mistakes[4].said, 1);
    graft_report_free(r);
}

TEST(report_report__nothing_judged_is_not_a_number)
{
    struct graft_report *r = NULL;
    assert_ok(graft_report_new(&r, labels, 3));
    assert_true(isnan(r->accuracy) && isnan(r->wilson_low));
    assert_true(isnan(r->log_loss) && isnan(r->precision[0]));
    assert_ok(graft_report_set_json(r));
    assert_non_null(strstr(r->json, "\"accuracy\": null"));
    graft_report_free(r);
}

static json_t *at(json_t *root, const char *object, const char *key)
{
    json_t *x = json_object_get(json_object_get(root, object), key);
    if (!x)
        fail_msg("no %s.%s", object, key);
    return x;
}

TEST(report_report__json_has_the_documented_keys)
{
    struct graft_report *r = judged();
    assert_ok(graft_report_skip(r, "cat/x.gif", "a GIF image"));
    assert_ok(graft_report_phase(r, "open", 0.25));
    r->cut = graft_strdup("features");
    r->verdict = graft_strdup("claimed 3 of 7, measured 2 of 7");
    r->claimed_correct = 3;
    assert_ok(graft_report_set_json(r));
    json_t *j = json_loads(r->json, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(j);
    assert_string_equal(json_string_value(json_object_get(j, "schema")),
                        "graft-report/1");
    assert_int_equal(json_integer_value(at(j, "val", "correct")), 2);
    assert_int_equal(json_integer_value(at(j, "val", "total")), 7);
    json_t *worst = json_array_get(at(j, "val", "mistakes"), 0);
    assert_string_equal(json_string_value(json_object_get(worst, "file")),
                        "cat/\\xff!");
    assert_string_equal(json_string_value(json_object_get(worst, "said")),
                        "tiger");
    assert_int_equal(json_array_size(at(j, "val", "confusion")), 3);
    assert_string_equal(json_string_value(at(j, "train", "cut")),
                        "features");
    assert_true(json_is_null(at(j, "cv", "log_loss")));
    assert_int_equal(json_integer_value(at(j, "claim", "correct")), 3);
    json_t *skip = json_array_get(json_object_get(j, "skipped"), 0);
    assert_string_equal(json_string_value(json_object_get(skip, "why")),
                        "a GIF image");
    json_t *lion = json_array_get(json_object_get(j, "classes"), 1);
    assert_true(json_is_null(json_object_get(lion, "recall")));
    assert_non_null(json_object_get(j, "peak_bytes"));
    assert_non_null(json_object_get(j, "seconds"));
    json_decref(j);
    graft_report_free(r);
}
