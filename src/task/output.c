/* The four files of a training: the model, and beside it card, labels and
 * report.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/alloc.h"
#include "onnx/onnx.h"
#include "task/classify.h"

/* ---- names --------------------------------------------------------------- */

/* "a/tigers.onnx" and ".json" -> "a/tigers.json". */
char *graft_path_beside(const char *path, const char *end)
{
    size_t n = strlen(path);
    if (n > 5 && !strcmp(path + n - 5, ".onnx") && path[n - 6] != '/')
        n -= 5;
    struct graft_str s;
    graft_str_init(&s);
    graft_str_addn(&s, path, n);
    graft_str_add(&s, end);
    return graft_str_take(&s);
}

int graft_outputs_init(struct graft_outputs *f, const char *path,
                       bool replace, bool external)
{
    struct graft_str data;
    *f = (struct graft_outputs){
        .model = graft_strdup(path),
        .card = graft_path_beside(path, ".json"),
        .labels = graft_path_beside(path, ".labels.txt"),
        .report = graft_path_beside(path, ".report.json"),
        .mode = replace ? GRAFT_WRITE_REPLACE : GRAFT_WRITE_NEW,
        .external = external};
    graft_str_init(&data);
    graft_str_addf(&data, "%s.data", path);
    f->data = graft_str_take(&data);
    return f->model && f->card && f->labels && f->report && f->data
               ? GRAFT_OK : GRAFT_EMEM;
}

void graft_outputs_release(struct graft_outputs *f)
{
    graft_free(f->model);
    graft_free(f->card);
    graft_free(f->labels);
    graft_free(f->report);
    graft_free(f->data);
}

/* ---- checking beforehand ------------------------------------------------- */

/* None of the files the model was read from may be written over. */
static int check_source(const char *path, const struct graft_model *m)
{
    bool same = false;
    int status = graft_file_same(&same, path, m->path);
    if (!status && same)
        return graft_fail(GRAFT_EARG, "'%s' is the model itself; the output "
                          "needs another name", path);
    char *folder = status ? NULL : graft_path_folder(m->path);
    if (!status && !folder)
        status = GRAFT_EMEM;
    for (int i = 1; !status && i < m->blob.n; i++) {
        char *data = graft_path_join(folder, m->blob.at[i].name);
        status = data ? graft_file_same(&same, path, data) : GRAFT_EMEM;
        if (!status && same)
            status = graft_fail(GRAFT_EARG, "'%s' holds the model's weights; "
                                "the output needs another name", path);
        graft_free(data);
    }
    graft_free(folder);
    return status;
}

int graft_outputs_check(const struct graft_outputs *f,
                        const struct graft_model *m)
{
    const char *const paths[] = {f->model, f->card, f->labels, f->report,
                                 f->external ? f->data : NULL};
    int status = GRAFT_OK;
    for (size_t i = 0; !status && i < sizeof paths / sizeof *paths; i++) {
        struct graft_writer *w = NULL;
        if (!paths[i])
            continue;
        status = check_source(paths[i], m);
        if (!status)
            status = graft_writer_new(&w, paths[i], f->mode);
        graft_writer_free(w);
    }
    return status;
}

/* ---- writing ------------------------------------------------------------- */

static char *label_lines(const struct graft_report *r)
{
    struct graft_str s;
    graft_str_init(&s);
    for (int i = 0; i < r->n_classes; i++)
        graft_str_addf(&s, "%s\n", r->labels[i]);
    return graft_str_take(&s);
}

static int add_text(struct graft_writers *set, const char *path,
                    const char *text, bool line_end,
                    enum graft_write_mode mode)
{
    struct graft_writer *w = NULL;
    int status = graft_writers_add(&w, set, path, mode);
    if (!status)
        status = graft_writer_put(w, text, strlen(text));
    if (!status && line_end)
        status = graft_writer_put(w, "\n", 1);
    return status;
}

static int list_files(struct graft_report *r, const struct graft_outputs *f,
                      const char *data)
{
    struct graft_str s;
    graft_str_init(&s);
    graft_str_addf(&s, "%s\n", f->model);
    if (data)
        graft_str_addf(&s, "%s\n", data);
    graft_str_addf(&s, "%s\n%s\n%s", f->card, f->labels, f->report);
    r->output = graft_str_take(&s);
    return r->output ? GRAFT_OK : GRAFT_EMEM;
}

int graft_outputs_write(const struct graft_outputs *f, struct graft_model *m,
                        struct graft_report *r, const char *card)
{
    struct graft_writers set = {{0}};
    char *data = NULL;
    const struct graft_onnx_save o = {
        .replace = f->mode == GRAFT_WRITE_REPLACE, .external = f->external,
        .data_path = &data};
    char *lines = label_lines(r);
    int status = lines ? graft_onnx_save_into(&set, m, f->model, &o)
                       : GRAFT_EMEM;
    if (!status)
        status = list_files(r, f, data);
    if (!status)
        status = add_text(&set, f->card, card, true, f->mode);
    if (!status)
        status = add_text(&set, f->labels, lines, false, f->mode);
    if (!status)
        status = add_text(&set, f->report, r->json, true, f->mode);
    if (!status)
        status = graft_writers_commit(&set);
    graft_writers_release(&set);
    graft_free(lines);
    graft_free(data);
    return status;
}
