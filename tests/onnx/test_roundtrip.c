/* Import then export is the same bytes, and a cut file is no model.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/file.h"
#include "craft.h"
#include "support/build_model.h"
#include "support/suite.h"

#define SUITE "/usr/share/libonnx-testdata/data"

static const char *lacking; /* one of the folder's files that must fail */

static void tell(const char *path, const char *why)
{
    if (lacking && strcmp(graft_path_base(path), lacking) == 0) {
        print_message("refused: %s\n", why);
        lacking = NULL;
    } else {
        fail_msg("%s: %s", path, why);
    }
}

/* All models beneath the folder, at least `least`. */
static void every_model(const char *folder, int least)
{
    struct suite s = {.work = test_folder_in_memory(), .tell = tell};
    const int refused = lacking != NULL;
    suite_round_trip(&s, folder);
    print_message("%d of %d files byte-identical in %s\n", s.same, s.files,
                  folder);
    assert_int_equal(s.same + refused, s.files);
    assert_true(s.files >= least && !lacking);
}

/* Its weights are not there, which is a test of its own below. */
TEST(onnx_roundtrip__every_shared_model)
{
    NEED_SHARED(models, "models")
    char folder[4096];
    snprintf(folder, sizeof folder, "%s", models);
    lacking = "resnet18_graph_only.onnx";
    every_model(folder, 12);
}

TEST(onnx_roundtrip__every_file_of_debians_suite)
{
    if (!graft_file_exists(SUITE)) {
        print_message("needs libonnx-testdata, which is not installed\n");
        skip();
    }
    every_model(SUITE, 1000);
}

TEST(onnx_roundtrip__missing_data_file_is_named)
{
    NEED_SHARED(path, "models/external/resnet18_graph_only.onnx")
    struct graft_model *m = NULL;
    assert_fails(graft_onnx_open(&m, NULL, path), GRAFT_ENOTFOUND,
                 "resnet18.onnx.data");
}

TEST(onnx_roundtrip__cut_every_4_kib)
{
    NEED_SHARED(path, "models/squeezenet1.1_imagenet.onnx")
    uint8_t *bytes = NULL;
    uint64_t n = 0;
    assert_ok(graft_file_read(&bytes, &n, path, UINT64_MAX));
    for (uint64_t i = 0; i < n; i += 4096) {
        struct graft_model *m = NULL;
        int status = graft_onnx_parse(&m, NULL, bytes, i, "cut", NULL);
        assert_int_equal(status, GRAFT_EFORMAT);
        assert_non_null(strstr(graft_error_message(), "'cut'"));
    }
    graft_free(bytes);
}

/* A cut between two fields of the model leaves fewer fields, which is a file;
 * one inside a field never is. */
TEST(onnx_roundtrip__cut_at_every_byte)
{
    struct graft_model *m = NULL;
    uint8_t *bytes = NULL;
    uint64_t n = 0;
    int whole = 0;
    assert_ok(test_build_model(&m, 8, 13));
    assert_ok(graft_onnx_encode(&bytes, &n, m));
    graft_graph_free(m);
    for (uint64_t i = 0; i < n; i++) {
        m = NULL;
        int status = graft_onnx_parse(&m, NULL, bytes, i, "cut", NULL);
        assert_int_equal(status, GRAFT_EFORMAT);
        whole += !strstr(graft_error_message(), "damaged");
    }
    assert_true(whole <= 3); /* empty, and before graph and opset */
    graft_free(bytes);
}

/* Bytes no writer would choose, which travel all the same. */
TEST(onnx_roundtrip__odd_encodings_and_unknown_fields)
{
    struct graft_str g, s, n;
    graft_str_init(&g);
    graft_str_init(&s);
    graft_str_init(&n);
    craft_value(&g, 11, "x");
    craft_value(&g, 12, "y");
    graft_put_text(&n, 1, "x");
    graft_put_text(&n, 2, "y");
    graft_put_text(&n, 4, "Relu");
    graft_put_int(&n, 999, 5);
    /* a length of five bytes */
    graft_put_varint(&g, 1 << 3 | 2);
    uint8_t length[5] = {(uint8_t)(n.n | 0x80), 0x80, 0x80, 0x80, 0};
    graft_str_addn(&g, length, 5);
    graft_str_addn(&g, n.at, n.n);
    graft_str_release(&n);
    graft_put_text(&g, 77, "unknown to us");
    s = craft_file(&g, 8, 13);
    graft_put_text(&s, 1000, "later versions");
    struct graft_model *m = NULL;
    assert_ok(graft_onnx_parse(&m, NULL, s.at, s.n, "odd", NULL));
    uint8_t *bytes = NULL;
    uint64_t size = 0;
    assert_ok(graft_onnx_encode(&bytes, &size, m));
    assert_int_equal(size, s.n);
    assert_memory_equal(bytes, s.at, size);
    graft_free(bytes);
    /* After an edit everything but the edit is still there. */
    assert_ok(graft_edit_metadata(m, "k", "v"));
    assert_ok(graft_onnx_encode(&bytes, &size, m));
    assert_int_equal(size, s.n + 8);
    assert_memory_equal(bytes, s.at, s.n);
    graft_free(bytes);
    graft_graph_free(m);
    graft_str_release(&s);
}

static void looks_like(const void *bytes, size_t n, const char *part)
{
    struct graft_model *m = NULL;
    assert_fails(graft_onnx_parse(&m, NULL, bytes, n, "f", NULL),
                 GRAFT_EFORMAT, part);
}

TEST(onnx_roundtrip__says_what_a_file_is_instead)
{
    looks_like("", 0, "'f' is empty");
    looks_like("PK\3\4archive/data.pkl", 20, "PyTorch file (a zip archive), "
               "not ONNX; export it with torch.onnx.export");
    looks_like("\x1c\0\0\0TFL3", 8, "TensorFlow Lite");
    looks_like("\211HDF\r\n\032\n....", 12, "HDF5");
    looks_like("\377\330\377\340", 4, "JPEG");
    looks_like("\211PNG\r\n\032\n", 8, "PNG");
    looks_like("\12\0\0\0\0\0\0\0{\"a\":[0]}", 18, "safetensors");
    looks_like("Dear reader,\n", 13, "text file");
    looks_like("\200\2}q\0X", 6, "pickle");
    looks_like("\x08\x08\x12\x04TFL3", 8, "no graph");
    struct graft_model *m = NULL;
    assert_fails(graft_onnx_open(&m, NULL, test_folder()), GRAFT_EARG,
                 "is a folder");
}
