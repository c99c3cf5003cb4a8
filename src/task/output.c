/* The four files of a training: the model, and beside it card, labels and
 * report.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "onnx/onnx.h"
#include "task/classify.h"

/* ---- names --------------------------------------------------------------- */

/* "a/tigers.onnx" and ".json" -> "a/tigers.json". */
static char *beside(const char *path, const char *end)
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
        .model = graft_strdup(path), .card = beside(path, ".json"),
        .labels = beside(path, ".labels.txt"),
        .report = beside(path, ".report.json"),
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

static bool same_file(const char *a, const char *b)
{
    struct stat x, y;
    return !stat(a, &x) && !stat(b, &y) && x.st_dev == y.st_dev &&
           x.st_ino == y.st_ino;
}

/* None of the files the model was read from may be written over. */
static int check_source(const char *path, const struct graft_model *m)
{
    if (same_file(path, m->path))
        return graft_fail(GRAFT_EARG, "'%s' is the model itself; the output "
                          "needs another name", path);
    char *folder = graft_path_folder(m->path);
    int status = folder ? GRAFT_OK : GRAFT_EMEM;
    for (int i = 1; !status && i < m->blob.n; i++) {
        char *data = graft_path_join(folder, m->blob.at[i].name);
        if (!data)
            status = GRAFT_EMEM;
        else if (same_file(path, data))
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

/* Complete but for its rename. */
static int prepare(struct graft_writer **w, const char *path,
                   const char *text, bool line_end,
                   enum graft_write_mode mode)
{
    int status = graft_writer_new(w, path, mode);
    if (!status)
        status = graft_writer_put(*w, text, strlen(text));
    if (!status && line_end)
        status = graft_writer_put(*w, "\n", 1);
    if (!status)
        status = graft_writer_finish(*w);
    return status;
}

static int list_files(struct graft_report *r, const struct graft_outputs *f)
{
    struct graft_str s;
    graft_str_init(&s);
    graft_str_addf(&s, "%s\n", f->model);
    if (f->external)
        graft_str_addf(&s, "%s\n", f->data);
    graft_str_addf(&s, "%s\n%s\n%s", f->card, f->labels, f->report);
    r->output = graft_str_take(&s);
    return r->output ? GRAFT_OK : GRAFT_EMEM;
}

int graft_outputs_write(const struct graft_outputs *f, struct graft_model *m,
                        struct graft_report *r, const char *card)
{
    struct graft_writer *w[3] = {NULL, NULL, NULL};
    char *lines = label_lines(r);
    int status = lines ? list_files(r, f) : GRAFT_EMEM;
    if (!status)
        status = prepare(&w[0], f->card, card, true, f->mode);
    if (!status)
        status = prepare(&w[1], f->labels, lines, false, f->mode);
    if (!status)
        status = prepare(&w[2], f->report, r->json, true, f->mode);
    if (!status) {
        struct graft_onnx_save o = {
            .replace = f->mode == GRAFT_WRITE_REPLACE,
            .external = f->external, .embed = !f->external};
        status = graft_onnx_save(m, f->model, &o);
    }
    for (int i = 0; i < 3; i++) {
        if (!status)
            status = graft_writer_commit(w[i]);
        graft_writer_free(w[i]);
    }
    graft_free(lines);
    return status;
}
