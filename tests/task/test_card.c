/* Cards: what is written is read again, and hostile ones are refused.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "report/report.h"
#include "task/card.h"
#include "test.h"

static char *written(void)
{
    static char *labels[] = {"cat", "h\xc3\xa4user", "tiger"};
    static struct graft_dim in[] = {{.value = -1, .param = "N"}, {.value = 3},
                                    {.value = 32}, {.value = 48}};
    static struct graft_dim out[] = {{.value = -1, .param = "N"},
                                     {.value = 3}};
    struct graft_value input = {.name = "x", .dim = in, .rank = 4};
    struct graft_value output = {.name = "y", .dim = out, .rank = 2};
    struct graft_preprocess p;
    assert_ok(graft_preprocess_preset(&p, "imagenet", 48, 32));
    p.bgr = true;
    struct graft_report *r = NULL;
    assert_ok(graft_report_new(&r, labels, 3));
    r->correct = 41;
    r->total = 59;
    r->seed = UINT64_MAX - 1;
    r->split_from_train = 1;
    struct graft_card_facts f = {.report = r, .preprocess = &p,
                                 .input = &input, .output = &output,
                                 .logits = true, .exact = true};
    char *text = NULL;
    assert_ok(graft_card_write(&text, &f));
    graft_report_free(r);
    return text;
}

TEST(task_card__is_read_as_it_was_written)
{
    char *text = written();
    struct graft_card *c = NULL;
    struct graft_preprocess p;
    assert_ok(graft_preprocess_preset(&p, "imagenet", 48, 32));
    p.bgr = true;
    assert_ok(graft_card_parse(&c, text));
    assert_int_equal(c->n_labels, 3);
    assert_string_equal(c->labels[1], "h\xc3\xa4user");
    struct graft_hash a = graft_preprocess_hash(&p);
    struct graft_hash b = graft_preprocess_hash(&c->preprocess);
    assert_true(graft_hash_equal(a, b)); /* every number, to the bit */
    assert_string_equal(c->output, "y");
    assert_true(c->logits && c->exact && c->split_by_seed);
    assert_int_equal(c->correct, 41);
    assert_int_equal(c->total, 59);
    assert_true(c->seed == UINT64_MAX - 1);
    graft_card_free(c);
    graft_free(text);
}

/* The card with the first `from` replaced by `to`. */
static char *changed(const char *from, const char *to)
{
    char *text = written();
    char *at = strstr(text, from);
    if (!at)
        fail_msg("no %s in the card", from);
    size_t head = (size_t)(at - text), n = strlen(text);
    char *out = graft_malloc(n + strlen(to) + 1);
    assert_non_null(out);
    memcpy(out, text, head);
    memcpy(out + head, to, strlen(to));
    memcpy(out + head + strlen(to), at + strlen(from),
           n - head - strlen(from) + 1);
    graft_free(text);
    return out;
}

TEST(task_card__hostile_json_is_refused_by_name)
{
    static const struct {
        const char *from, *to, *says;
        int code;
    } row[] = {
        {"graft-card/1", "graft-card/9", "graft-card/9", GRAFT_EUNSUPPORTED},
        {"\"cat\"", "7", "labels", GRAFT_EFORMAT},
        {"\"labels\": [", "\"labels\": 3, \"more\": [", "labels",
         GRAFT_EFORMAT},
        {"\"width\": 48", "\"width\": 0", "width", GRAFT_EFORMAT},
        {"\"width\": 48", "\"width\": 1e9", "width", GRAFT_EFORMAT},
        {"\"width\": 48", "\"width\": 99999999999", "width", GRAFT_EFORMAT},
        {"\"fit\": \"crop\"", "\"fit\": \"cut\"", "fit", GRAFT_EFORMAT},
        {"\"resize\": ", "\"resize\": 0, \"x\": ", "resize", GRAFT_EFORMAT},
        {"\"order\": \"bgr\"", "\"order\": null", "order", GRAFT_EFORMAT},
        {"\"std\": [", "\"std\": [0, ", "std", GRAFT_EFORMAT},
        {"\"mean\": [", "\"mean\": {}, \"mean2\": [", "mean", GRAFT_EFORMAT},
        {"\"kind\": \"logits\"", "\"kind\": \"guesses\"", "kind",
         GRAFT_EFORMAT},
        {"\"correct\": 41", "\"correct\": 60", "correct", GRAFT_EFORMAT},
        {"\"split\": \"seed\"", "\"split\": []", "split", GRAFT_EFORMAT},
        {"\"preprocess\": {", "\"preprocess\": 1, \"x\": {", "preprocess",
         GRAFT_EFORMAT},
        {"\"task\"", "\"schema\"", "duplicate", GRAFT_EFORMAT},
        {"{", "[", "line", GRAFT_EFORMAT},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        char *text = changed(row[i].from, row[i].to);
        struct graft_card *c = NULL;
        assert_fails(graft_card_parse(&c, text), row[i].code, row[i].says);
        assert_null(c);
        graft_free(text);
    }
    struct graft_card *c = NULL;
    assert_fails(graft_card_parse(&c, "[]"), GRAFT_EFORMAT, "object");
    assert_fails(graft_card_parse(&c, ""), GRAFT_EFORMAT, "line");
}
