/* A model and its data file: whoever opens the model's name finds the whole
 * old pair or the whole new one, whenever saving ends.
 * SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "base/io.h"
#include "base/runtime.h"
#include "craft.h"
#include "graph/edit.h"
#include "support/build_model.h"

static const struct graft_onnx_save fresh = {.external = true};
static const struct graft_onnx_save again = {.external = true,
                                             .replace = true};
enum { SMALL = 500, LARGE = 30000 }; /* floats */

/* x -> Add small -> Add large -> y, all elements `value`. */
static struct graft_model *model(double value)
{
    struct graft_model *m = NULL;
    const struct graft_dim any = {-1, "n"};
    graft_value_id x, small, large, y;
    assert_ok(graft_graph_new(&m, NULL));
    m->ir_version = 10;
    assert_ok(graft_edit_opset(m, "", 20));
    assert_ok(graft_edit_input(&x, m, "x", GRAFT_FLOAT, &any, 1));
    small = test_build_tensor(m, "small", (int64_t[]){SMALL}, 1, 0);
    large = test_build_tensor(m, "large", (int64_t[]){LARGE}, 1, 0);
    for (int i = 0; i < m->tensor.n; i++) {
        const struct graft_tensor *t = &m->tensor.at[i];
        float *at = (float *)(uintptr_t)t->data;
        for (uint64_t k = 0; k < t->bytes / sizeof *at; k++)
            at[k] = (float)value;
    }
    y = test_build_node(m, "Add", "s", (graft_value_id[]){x, small}, 2, NULL);
    y = test_build_node(m, "Mul", "y", (graft_value_id[]){y, large}, 2, NULL);
    assert_ok(graft_edit_value_type(m, y, GRAFT_FLOAT, &any, 1));
    assert_ok(graft_edit_outputs(m, &y, 1));
    return m;
}

static int save(double value, const char *path,
                const struct graft_onnx_save *o)
{
    struct graft_model *m = model(value);
    int status = graft_onnx_save(m, path, o);
    graft_graph_free(m);
    return status;
}

/* The value that every element has; fails when they differ. */
static double value_at(const char *path)
{
    struct graft_model *m = NULL;
    double first = 0;
    assert_ok(graft_onnx_open(&m, NULL, path));
    for (int i = 0; i < m->tensor.n; i++) {
        const struct graft_view v = graft_tensor_view(&m->tensor.at[i]);
        for (int64_t k = 0; k < graft_count(&v); k++) {
            real x;
            graft_view_read(&v, k, 1, &x);
            first = i || k ? first : (double)x;
            assert_near((double)x, first, 0);
        }
    }
    graft_graph_free(m);
    return first;
}

static int entries(const char *folder)
{
    int n = 0;
    DIR *d = opendir(folder);
    assert_non_null(d);
    while (readdir(d))
        n++;
    closedir(d);
    return n - 2;
}

static const char *in(const char *folder, const char *name)
{
    static char path[2][400];
    static int turn;
    turn = !turn;
    snprintf(path[turn], sizeof path[turn], "%s/%s", folder, name);
    return path[turn];
}

static const char *data_name(const char *path)
{
    static char name[200];
    struct graft_model *m = NULL;
    assert_ok(graft_onnx_open(&m, NULL, path));
    assert_int_equal(m->blob.n, 2);
    snprintf(name, sizeof name, "%s", m->blob.at[1].name);
    graft_graph_free(m);
    return name;
}

TEST(onnx_pair__laid_out_for_mapping)
{
    char path[300];
    struct graft_model *m = NULL;
    snprintf(path, sizeof path, "%s/a.onnx", test_folder());
    assert_ok(save(3, path, &fresh));
    assert_ok(graft_onnx_open(&m, NULL, path));
    assert_string_equal(m->blob.at[1].name, "a.onnx.data");
    assert_non_null(m->blob.at[1].checksum);
    assert_int_equal(strlen(m->blob.at[1].checksum), 40);
    const uint8_t *base = m->blob.at[1].data;
    assert_int_equal(m->tensor.at[0].data - base, 0);
    assert_int_equal(m->tensor.at[1].data - base, 4096);
    assert_int_equal(m->blob.at[1].size, 4096 + LARGE * 4);
    graft_graph_free(m);
}

TEST(onnx_pair__data_files_are_never_changed)
{
    const char *folder = test_folder();
    char path[300], kept[300], hashed[200];
    snprintf(path, sizeof path, "%s/a.onnx", folder);
    snprintf(kept, sizeof kept, "%s/old.onnx", folder);
    assert_ok(save(1, path, &fresh));
    assert_fails(save(1, path, &fresh), GRAFT_EEXIST, "a.onnx");
    assert_ok(save(1, path, &again)); /* the same bytes: the same file */
    assert_int_equal(entries(folder), 2);
    assert_int_equal(link(path, kept), 0);
    assert_ok(save(2, path, &again));
    assert_near(value_at(path), 2, 0);
    assert_near(value_at(kept), 1, 0);
    snprintf(hashed, sizeof hashed, "%s", data_name(path));
    assert_int_equal(strlen(hashed), strlen("a.onnx.0123456789abcdef.data"));
    assert_ok(save(2, path, &again));
    assert_string_equal(data_name(path), hashed);
    assert_ok(save(1, path, &again));
    assert_string_equal(data_name(path), "a.onnx.data");
    assert_int_equal(entries(folder), 4); /* both data files, both models */
    /* One that was made by others is neither used nor changed. */
    assert_ok(graft_file_write(in(folder, hashed), "x", 1,
                               GRAFT_WRITE_REPLACE));
    assert_fails(save(2, path, &again), GRAFT_EARG, hashed);
    assert_near(value_at(path), 1, 0);
}

/* What a killed save leaves: the data alone, which serves when it is right. */
TEST(onnx_pair__data_that_stands_alone)
{
    const char *folder = test_folder();
    char path[300], data[320];
    snprintf(path, sizeof path, "%s/a.onnx", folder);
    snprintf(data, sizeof data, "%s.data", path);
    assert_ok(save(1, path, &fresh));
    assert_int_equal(unlink(path), 0);
    assert_ok(save(1, path, &fresh));
    assert_near(value_at(path), 1, 0);
    assert_int_equal(unlink(path), 0);
    assert_fails(save(2, path, &fresh), GRAFT_EEXIST, "other contents");
    assert_int_equal(entries(folder), 1); /* nothing else was written */
    assert_ok(save(2, path, &again));
    assert_int_equal(entries(folder), 3);
    /* A link in its place would not be opened again. */
    assert_int_equal(rename(data, in(folder, "real")), 0);
    assert_int_equal(symlink("real", data), 0);
    assert_fails(save(1, in(folder, "a.onnx"), &fresh), GRAFT_EEXIST, "a.onnx");
    assert_ok(save(1, path, &again));
    assert_near(value_at(path), 1, 0);
}

/* Everything that changes the disk fails from the n-th call on: the disk is
 * then as if we had been killed there. */
static void killed_everywhere(double old, const struct graft_onnx_save *first,
                              const struct graft_onnx_save *second)
{
    int before = 0, after = 0;
    for (uint64_t n = 1;; n++) {
        char path[300];
        snprintf(path, sizeof path, "%s/a.onnx", test_folder());
        if (first)
            assert_ok(save(old, path, first));
        struct graft_model *m = model(2);
        graft_io_fail_at(GRAFT_IO_EIO, n, 1);
        int status = graft_onnx_save(m, path, second);
        bool done = graft_io_stats().calls < n;
        graft_io_fail_at(GRAFT_IO_NONE, 0, 0);
        graft_graph_free(m);
        if (!first && !graft_file_exists(path)) {
            assert_true(status < 0);
            before++;
            continue;
        }
        double found = value_at(path);
        assert_true(found == 2 || (first && found == old));
        before += found != 2;
        after += found == 2;
        if (!status)
            assert_near(found, 2, 0);
        if (done)
            break;
    }
    print_message("%d points with the old pair, %d with the new\n", before,
                  after);
    assert_true((before > 5 || old == 2) && after > 0);
}

TEST(onnx_pair__killed_at_any_call)
{
    const struct graft_onnx_save inside = {0};
    const struct graft_onnx_save inside_again = {.replace = true};
    killed_everywhere(1, NULL, &fresh);
    killed_everywhere(1, &fresh, &again);
    killed_everywhere(2, &fresh, &again);
    killed_everywhere(1, &inside, &again);
    killed_everywhere(1, &fresh, &inside_again);
}

TEST(onnx_pair__torn_apart)
{
    const char *folder = test_folder();
    char path[300], data[320];
    struct graft_model *m = NULL;
    snprintf(path, sizeof path, "%s/a.onnx", folder);
    snprintf(data, sizeof data, "%s.data", path);
    assert_ok(save(1, path, &fresh));
    assert_ok(save(2, in(folder, "b.onnx"), &fresh));
    assert_int_equal(rename(in(folder, "b.onnx.data"), data), 0);
    assert_fails(graft_onnx_open(&m, NULL, path), GRAFT_EFORMAT,
                 "'a.onnx.data' has other contents");
}

/* Above the limit weights go outside by themselves. */
TEST(onnx_pair__by_itself_above_the_limit)
{
    const char *folder = test_folder();
    char path[300], *data = NULL;
    struct graft_onnx_save o = {.inside_max = 4 * LARGE, .data_path = &data};
    snprintf(path, sizeof path, "%s/a.onnx", folder);
    assert_ok(save(1, path, &o));
    assert_non_null(strstr(data, "a.onnx.data"));
    graft_free(data);
    data = NULL;
    assert_near(value_at(path), 1, 0);
    assert_string_equal(data_name(path), "a.onnx.data");
    o.embed = true;
    assert_fails(save(1, in(folder, "b.onnx"), &o), GRAFT_ELIMIT,
                 "write external data");
    o = (struct graft_onnx_save){.inside_max = 5 * LARGE,
                                 .data_path = &data};
    assert_ok(save(1, in(folder, "b.onnx"), &o));
    assert_null(data);
    assert_int_equal(entries(folder), 3);
}

/* An untouched pair keeps its names, so what stands there decides. */
TEST(onnx_pair__copied_where_others_stand)
{
    const char *from = NULL;
    char source[300], folder[200];
    struct graft_model *m = NULL;
    const struct graft_onnx_save copy = {.replace = true};
    from = test_folder();
    snprintf(source, sizeof source, "%s/a.onnx", from);
    assert_ok(save(1, source, &fresh));
    assert_ok(graft_onnx_open(&m, NULL, source));
    snprintf(folder, sizeof folder, "%s", test_folder());
    assert_ok(graft_onnx_save(m, in(folder, "b.onnx"), NULL));
    assert_ok(graft_onnx_save(m, in(folder, "b.onnx"), &copy));
    assert_ok(graft_onnx_save(m, in(folder, "c.onnx"), NULL));
    assert_int_equal(entries(folder), 3);
    assert_ok(save(2, in(folder, "d.onnx"), &fresh));
    assert_int_equal(rename(in(folder, "d.onnx.data"),
                            in(folder, "a.onnx.data")), 0);
    assert_fails(graft_onnx_save(m, in(folder, "b.onnx"), &copy),
                 GRAFT_EARG, "a.onnx.data' exists with other contents");
    graft_graph_free(m);
}

TEST(onnx_pair__cancelled_leaves_nothing)
{
    const struct graft_onnx_save ways[] = {
        {.replace = false}, {.external = true}, {.embed = true}};
    const char *from = test_folder();
    char source[300];
    struct graft_runtime *rt = NULL;
    struct graft_model *m = NULL;
    snprintf(source, sizeof source, "%s/a.onnx", from);
    assert_ok(save(1, source, &fresh));
    assert_ok(graft_runtime_new(&rt, NULL));
    assert_ok(graft_onnx_open(&m, rt, source));
    for (int i = 0; i < 3; i++) {
        const char *to = test_folder();
        graft_runtime_cancel(rt);
        assert_fails(graft_onnx_save(m, in(to, "b.onnx"), &ways[i]),
                     GRAFT_ECANCELED, "cancelled");
        assert_int_equal(entries(to), 0);
        graft_runtime_reset(rt);
        assert_ok(graft_onnx_save(m, in(to, "b.onnx"), &ways[i]));
    }
    graft_graph_free(m);
    graft_runtime_free(rt);
}
