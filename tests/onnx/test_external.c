/* External data: sound numbers, and moved in and out. Where it may lie is
 * test_confine.c's.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/file.h"
#include "craft.h"

enum { DATA_BYTES = 16 };
static const float weights[DATA_BYTES / 4] = {1, 2, 3, 4};

static struct graft_str model(const char *location, const char *offset,
                              const char *length, const char *key,
                              const char *value)
{
    struct graft_str t = craft_outside("w", location, offset, length);
    if (key)
        craft_entry(&t, key, value);
    return craft_around(&t);
}

/* A folder with data files. */
static const char *place(void)
{
    static char in[200];
    char b[300];
    snprintf(in, sizeof in, "%s/in", test_folder());
    snprintf(b, sizeof b, "%s/sub", in);
    assert_ok(graft_folder_make(b));
    snprintf(b, sizeof b, "%s/sub/w", in);
    assert_ok(graft_file_write(b, weights, DATA_BYTES, GRAFT_WRITE_NEW));
    snprintf(b, sizeof b, "%s/w", in);
    assert_ok(graft_file_write(b, weights, DATA_BYTES, GRAFT_WRITE_NEW));
    return in;
}

static int parse(struct graft_model **m, struct graft_str f, const char *in)
{
    int status = graft_onnx_parse(m, NULL, f.at, f.n, "crafted", in);
    graft_str_release(&f);
    return status;
}

TEST(onnx_external__good_places)
{
    const char *in = place();
    const struct { const char *at, *offset, *length; float first; } ok[] = {
        {"w", NULL, NULL, 1}, {"w", "0", "8", 1}, {"w", "8", "8", 3},
        {"w", "8", NULL, 3}, {"sub/w", "4", "8", 2},
        {"./w", NULL, NULL, 1}, {"sub//.//w", "4", "8", 2}};
    for (size_t i = 0; i < sizeof ok / sizeof *ok; i++) {
        struct graft_model *m = NULL;
        assert_ok(parse(&m, model(ok[i].at, ok[i].offset, ok[i].length,
                                  i == 0 ? "basepath" : NULL, "/"), in));
        assert_true(m->tensor.at[0].external);
        assert_int_equal(m->blob.n, 2);
        float first;
        memcpy(&first, m->tensor.at[0].data, 4);
        assert_near(first, ok[i].first, 0);
        graft_graph_free(m);
    }
}

TEST(onnx_external__numbers_that_do_not_fit)
{
    const char *in = place();
    const struct { const char *offset, *length, *part; } bad[] = {
        {"17", "8", "begins at byte 17"}, {"12", "8", "only 16"},
        {"12", NULL, "only 16"}, {"0", "17", "wants 17 bytes"},
        {"0", "4", "needs 8 bytes"}, {"0", "12", "needs 8 bytes"},
        {"-1", "8", "offset"}, {"", "8", "offset"}, {" 0", "8", "offset"},
        {"0x0", "8", "offset"}, {"0", "8 ", "length"}, {"1e1", "8", "offset"},
        {"99999999999999999999", "8", "offset"},
        {"18446744073709551608", "8", "offset"},
        {"9223372036854775800", "8", "begins"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct graft_model *m = NULL;
        assert_fails(parse(&m, model("w", bad[i].offset, bad[i].length, NULL,
                                 NULL), in), GRAFT_EFORMAT, bad[i].part);
    }
    struct graft_model *m = NULL;
    assert_fails(parse(&m, model("w", "0", "8", "codec", "zstd"), in),
                 GRAFT_EFORMAT, "unknown key 'codec'");
    assert_fails(parse(&m, model("w", "0", "8", "offset", "x"), in),
                 GRAFT_EFORMAT, "twice the key 'offset'");
    assert_fails(parse(&m, model(NULL, "0", "8", NULL, NULL), in),
                 GRAFT_EFORMAT, "location");
    assert_fails(parse(&m, model("w", NULL, NULL, NULL, NULL), NULL),
                 GRAFT_EARG, "no folder");
}

static void save_and_compare(const struct graft_model *m,
                             const struct graft_onnx_save *options, int blobs)
{
    char path[300];
    struct graft_model *again = NULL;
    snprintf(path, sizeof path, "%s/out.onnx", test_folder());
    assert_ok(graft_onnx_save(m, path, options));
    assert_ok(graft_onnx_open(&again, NULL, path));
    assert_int_equal(again->blob.n, blobs);
    assert_int_equal(again->tensor.n, m->tensor.n);
    for (int i = 0; i < m->tensor.n; i++) {
        const struct graft_tensor *a = &m->tensor.at[i];
        const struct graft_tensor *b = &again->tensor.at[i];
        assert_string_equal(a->name, b->name);
        assert_int_equal(a->bytes, b->bytes);
        assert_memory_equal(a->data, b->data, a->bytes);
    }
    graft_graph_free(again);
}

TEST(onnx_external__inside_and_outside_again)
{
    NEED_SHARED(path, "models/external/squeezenet_torch215.onnx")
    struct graft_model *m = NULL;
    const struct graft_onnx_save embed = {.embed = true};
    const struct graft_onnx_save external = {.external = true};
    assert_ok(graft_onnx_open(&m, NULL, path));
    save_and_compare(m, NULL, 2);
    save_and_compare(m, &embed, 1);
    save_and_compare(m, &external, 2);
    graft_graph_free(m);
    m = NULL;
    NEED_SHARED(inside, "models/squeezenet1.1_imagenet.onnx")
    assert_ok(graft_onnx_open(&m, NULL, inside));
    save_and_compare(m, &external, 2);
    graft_graph_free(m);
}

/* Beside the model it came from, its data file is there already; a name that
 * is the data file's is refused. */
TEST(onnx_external__saved_beside_its_source)
{
    const char *in = place();
    char path[300], other[300];
    struct graft_model *m = NULL;
    const struct graft_onnx_save replace = {.replace = true};
    const struct graft_onnx_save outside = {.external = true};
    struct graft_str f = model("w", "8", "8", NULL, NULL);
    snprintf(path, sizeof path, "%s/a.onnx", in);
    assert_ok(graft_file_write(path, f.at, f.n, GRAFT_WRITE_NEW));
    graft_str_release(&f);
    assert_ok(graft_onnx_open(&m, NULL, path));
    snprintf(other, sizeof other, "%s/b.onnx", in);
    assert_ok(graft_onnx_save(m, other, NULL));
    snprintf(other, sizeof other, "%s/w", in);
    assert_fails(graft_onnx_save(m, other, &replace), GRAFT_EARG, "read from");
    snprintf(other, sizeof other, "%s/w", test_folder());
    assert_fails(graft_onnx_save(m, other, NULL), GRAFT_EARG, "data file");
    assert_false(graft_file_exists(other));
    assert_ok(graft_onnx_save(m, other, &outside));
    graft_graph_free(m);
}
