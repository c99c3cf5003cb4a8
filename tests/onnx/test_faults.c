/* Import and export while every allocation and file operation fails in turn.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/file.h"
#include "onnx/onnx.h"
#include "support/build_model.h"
#include "support/faults.h"
#include "test.h"

struct job {
    char folder[200], in[300], out[300];
    struct graft_onnx_save save;
    bool edit;
    struct graft_model *m; /* to be saved, when it is not opened first */
};

/* A second output, and weights large enough to go into a file of their own. */
static void add_output(struct graft_model *m)
{
    const struct graft_dim dim[] = {{-1, "N"}, {300, NULL}};
    graft_value_id in[2] = {graft_value_find(m, "features"), -1};
    in[1] = test_build_tensor(m, "big", (int64_t[]){4, 300}, 2, 0.1);
    graft_value_id out[2] = {m->output.at[0], -1};
    out[1] = test_build_node(m, "MatMul", "more", in, 2, NULL);
    assert_ok(graft_edit_value_type(m, out[1], GRAFT_FLOAT, dim, 2));
    assert_ok(graft_edit_outputs(m, out, 2));
}

/* "in.onnx", with its weights in "in.onnx.data" if external. */
static void begin(struct job *j, bool external)
{
    struct graft_model *m = NULL;
    const struct graft_onnx_save save = {.external = external};
    *j = (struct job){.edit = false};
    snprintf(j->folder, sizeof j->folder, "%s", test_folder_in_memory());
    snprintf(j->in, sizeof j->in, "%s/in.onnx", j->folder);
    snprintf(j->out, sizeof j->out, "%s/out.onnx", j->folder);
    assert_ok(test_build_model(&m, 10, 13));
    add_output(m);
    assert_ok(graft_edit_metadata(m, "key", "old"));
    assert_ok(graft_onnx_save(m, j->in, &save));
    graft_graph_free(m);
}

/* Something else stands where it will be written. */
static void put_old(const struct job *j)
{
    char path[320];
    assert_ok(graft_file_write(j->out, "old model", 9, GRAFT_WRITE_NEW));
    snprintf(path, sizeof path, "%s.data", j->out);
    assert_ok(graft_file_write(path, "old data", 8, GRAFT_WRITE_NEW));
}

static int open_only(void *ctx)
{
    const struct job *j = ctx;
    struct graft_model *m = NULL;
    int status = graft_onnx_open(&m, NULL, j->in);
    assert_int_equal(m != NULL, !status);
    graft_graph_free(m);
    return status;
}

/* Cut, renamed, with new metadata and a new tensor. */
static int change(struct graft_model *m)
{
    const struct graft_shape shape = {1, {2}};
    const float two[2] = {1, 2};
    graft_value_id y = graft_value_find(m, "more"), w = -1;
    int status = graft_edit_outputs(m, &y, 1);
    if (!status)
        status = graft_edit_tensor(&w, m, "two", GRAFT_FLOAT, &shape, two);
    if (!status)
        status = graft_edit_metadata(m, "key", "new");
    return status ? status : graft_edit_rename(m, y, "embedding");
}

static int open_and_save(void *ctx)
{
    const struct job *j = ctx;
    struct graft_model *m = NULL;
    int status = graft_onnx_open(&m, NULL, j->in);
    if (!status && j->edit)
        status = change(m);
    if (!status)
        status = graft_onnx_save(m, j->out, &j->save);
    graft_graph_free(m);
    return status;
}

static void every_point(const char *name, struct job *j, int (*run)(void *))
{
    struct fault_work w = {.name = name, .folder = j->folder, .run = run,
                           .ctx = j};
    fault_every_point(&w);
}

TEST(onnx_faults__import)
{
    struct job j;
    begin(&j, false);
    every_point("import of one file", &j, open_only);
    begin(&j, true);
    every_point("import with external data", &j, open_only);
}

TEST(onnx_faults__export_to_a_new_path)
{
    struct job j;
    begin(&j, false);
    every_point("export, untouched", &j, open_and_save);
    j.edit = true;
    every_point("export, edited", &j, open_and_save);
    j.save.external = true;
    every_point("export, edited, external data", &j, open_and_save);
    begin(&j, true);
    every_point("export of a pair, untouched", &j, open_and_save);
    j.save.embed = j.edit = true;
    every_point("export of a pair as one file", &j, open_and_save);
}

TEST(onnx_faults__export_over_old_files)
{
    struct job j;
    begin(&j, false);
    put_old(&j);
    j.edit = j.save.replace = true;
    every_point("export over a file", &j, open_and_save);
    j.save.external = true;
    every_point("export over a pair", &j, open_and_save);
    begin(&j, true);
    put_old(&j);
    j.save.replace = true;
    every_point("export of a pair over a file", &j, open_and_save);
}
