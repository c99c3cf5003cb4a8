/* Any file of 1 MB is read within 2 seconds and 8 times its size + 64 MiB,
 * and looked at (shapes, cuts, plan) in a time and memory of its own.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "graft/edit.h"
#include "graft/model.h"
#include "support/worst.h"
#include "test.h"

/* A sanitizer takes its own time: less to read, more seconds. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SLOWER = 20, BYTES = 1 << 17 };
#else
enum { SLOWER = 1, BYTES = 1 << 20 };
#endif

static const double import_seconds = 2.0 * SLOWER;
static const double inspect_seconds = 4.0 * SLOWER;
static const uint64_t inspect_bytes = UINT64_C(640) << 20;

/* What was found worst so far. */
struct most {
    const char *slow, *large;
    double seconds;
    uint64_t bytes;
};

static void keep_most(struct most *m, const char *name, struct worst_cost c)
{
    if (c.seconds >= m->seconds) {
        m->seconds = c.seconds;
        m->slow = name;
    }
    if (c.bytes >= m->bytes) {
        m->bytes = c.bytes;
        m->large = name;
    }
}

static void say(const char *what, const struct most *m)
{
    print_message("worst to %s: %.3f s CPU (%s); %.1f MB held (%s)\n",
                  what, m->seconds, m->slow, (double)m->bytes / 1e6,
                  m->large);
}

/* Refused for what it is, in a sentence about this file. */
static void check_refusal(const char *name, int status)
{
    if (status == GRAFT_EMEM || !strstr(graft_error_message(), "(memory)"))
        fail_msg("%s: status %d, '%s'", name, status, graft_error_message());
}

static void check_cost(const char *what, const char *name,
                       struct worst_cost c, double seconds, uint64_t bytes)
{
    if (c.seconds > seconds || c.bytes > bytes)
        fail_msg("to %s '%s' takes %.3f s and %.1f MB", what, name,
                 c.seconds, (double)c.bytes / 1e6);
}

static void import_and_inspect(const struct worst *w, struct most *import,
                               struct most *inspect)
{
    graft_model *m = NULL;
    struct graft_inspection *x = NULL;
    struct graft_str s = worst_make(w, BYTES);
    /* Those of one large tensor have a size of their own. */
    assert_true(s.n > BYTES / 2 && s.n <= 1 << 20);
    worst_start();
    int status = graft_model_parse(&m, NULL, s.at, s.n);
    struct worst_cost c = worst_stop();
    check_cost("read", w->name, c, import_seconds,
               8 * s.n + (UINT64_C(64) << 20));
    keep_most(import, w->name, c);
    if (status) {
        check_refusal(w->name, status);
        assert_null(m);
    } else {
        worst_start();
        assert_ok(graft_inspect(&x, m, 1));
        c = worst_stop();
        check_cost("inspect", w->name, c, inspect_seconds, inspect_bytes);
        keep_most(inspect, w->name, c);
    }
    graft_inspection_free(x);
    graft_model_free(m);
    graft_str_release(&s);
}

TEST(api_bounds__any_file_of_1_mb)
{
    struct most import = {0}, inspect = {0};
    int n = 0;
    for (const struct worst *w = worst_inputs; w->name; w++, n++)
        import_and_inspect(w, &import, &inspect);
    print_message("%d kinds of very many small things, %d KiB each\n", n,
                  BYTES >> 10);
    say("import", &import);
    say("inspect", &inspect);
}

/* What a file says in JSON is looked at by inspection. */
TEST(api_bounds__any_card_of_1_mb)
{
    static const char *const each[] = {
        "[", "{\"a\":", "[[[[],", "{\"labels\":[\"a\"],", "{}", "1e9,",
        "\"\\u0001\"", "{\"a\":[1,2,{\"b\":null}]},"};
    struct most inspect = {0};
    for (size_t i = 0; i < sizeof each / sizeof *each; i++) {
        graft_model *m = NULL;
        struct graft_inspection *x = NULL;
        struct graft_str file = worst_make(&worst_inputs[1], 1000), card;
        graft_str_init(&card);
        graft_str_add(&card, i > 2 ? "{\"graft\":[" : "");
        while (card.n < BYTES)
            graft_str_add(&card, each[i]);
        assert_ok(graft_model_parse(&m, NULL, file.at, file.n));
        assert_ok(graft_model_set_metadata(m, "graft", card.at));
        graft_str_release(&file);
        worst_start();
        assert_ok(graft_inspect(&x, m, 1));
        struct worst_cost c = worst_stop();
        check_cost("inspect", each[i], c, inspect_seconds, inspect_bytes);
        keep_most(&inspect, each[i], c);
        graft_inspection_free(x);
        graft_model_free(m);
        graft_str_release(&card);
    }
    say("inspect, in its card", &inspect);
}

/* Weights are the size of a real model: little may come on top. */
TEST(api_bounds__real_models_take_64_mib_more_than_their_size)
{
    NEED_SHARED(models, "models")
    static const char *const names[] = {
        "mobilenetv2_bn_backbone", "mobilenetv2_imagenet_gemm",
        "mobilenetv3_small_dequant", "resnet20_cifar10",
        "resnet50v2_stage3_backbone", "squeezenet1.1_imagenet",
        "external/shufflenet_v2_x0_5_torch215", "external/unet_sedgen",
        "external/squeezenet_torch215", "external/yolox_nano_coco_416"};
    char folder[4000], path[4200];
    struct most over = {0};
    snprintf(folder, sizeof folder, "%s", models);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        graft_model *m = NULL;
        struct stat file, data;
        uint64_t size = 0;
        snprintf(path, sizeof path, "%s/%s.onnx.data", folder, names[i]);
        if (!stat(path, &data))
            size = (uint64_t)data.st_size;
        path[strlen(path) - 5] = 0;
        assert_int_equal(stat(path, &file), 0);
        size += (uint64_t)file.st_size;
        worst_start();
        assert_ok(graft_model_open(&m, NULL, path));
        struct worst_cost c = worst_stop();
        graft_model_free(m);
        check_cost("read", names[i], c, 1e9, size + (UINT64_C(64) << 20));
        c.bytes = c.bytes > size ? c.bytes - size : 0;
        keep_most(&over, names[i], c);
    }
    say("read, a real model, beyond its size", &over);
}

/* Under a limit either it is done within, or it fails for lack of memory;
 * more is never held. */
TEST(api_bounds__a_memory_limit_is_kept)
{
    enum { SMALL = 1 << 18 };
    int done = 0, refused = 0, short_of = 0;
    for (const struct worst *w = worst_inputs; w->name; w++) {
        struct graft_str s = worst_make(w, SMALL);
        for (uint64_t room = 1 << 16; room <= 1 << 24; room <<= 4) {
            struct graft_runtime_options o = GRAFT_RUNTIME_OPTIONS;
            graft_runtime *rt = NULL;
            graft_model *m = NULL;
            o.threads = 1;
            o.memory_limit = graft_alloc_stats().live_bytes + room;
            assert_ok(graft_runtime_new(&rt, &o));
            worst_start();
            int status = graft_model_parse(&m, rt, s.at, s.n);
            assert_true(worst_stop().bytes <= room);
            if (status == GRAFT_EMEM)
                assert_non_null(strstr(graft_error_message(), "memory"));
            done += !status;
            short_of += status == GRAFT_EMEM;
            refused += status && status != GRAFT_EMEM;
            graft_model_free(m);
            graft_runtime_free(rt);
        }
        graft_str_release(&s);
    }
    assert_true(done > 50 && refused > 10 && short_of > 100);
    print_message("%d reads done within a limit, %d models refused, %d reads "
                  "short of memory\n", done, refused, short_of);
}
