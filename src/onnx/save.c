/* Saving: which files, in which form, and never onto what the model was read
 * from. All files appear, or none.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"
#include "base/status.h"
#include "base/str.h"
#include "onnx/export.h"
#include "onnx/onnx.h"

/* protobuf ends at 2 GiB; a little below, weights go outside by themselves. */
static const uint64_t inside_max = 1900000000;
enum { DATA_ALIGN = 64 };

/* ---- never onto the source ----------------------------------------------- */

static int check_source(const struct graft_model *m, const char *target)
{
    bool same = false;
    int status = m->blob.n ? graft_file_same(&same, m->path, target)
                           : GRAFT_OK;
    for (int i = 1; !same && !status && i < m->blob.n; i++) {
        char *source = graft_path_join(m->items->folder, m->blob.at[i].name);
        status = source ? graft_file_same(&same, source, target) : GRAFT_EMEM;
        graft_free(source);
    }
    if (same)
        return graft_fail(GRAFT_EARG, "'%s' is a file that the model was read "
                          "from; choose another name", target);
    return status;
}

/* ---- a set of files ------------------------------------------------------ */

struct files {
    const struct graft_model *m;
    const char *path; /* the model's */
    enum graft_write_mode mode;
    struct graft_writers *set;
};

static int add_file(struct graft_writer **out, struct files *fs,
                    const char *path)
{
    int status = check_source(fs->m, path);
    return status ? status : graft_writers_add(out, fs->set, path, fs->mode);
}

/* ---- untouched ----------------------------------------------------------- */

/* The copy would be the file itself: it lies where it has to. */
static int is_there(bool *out, const struct graft_model *m,
                    const struct graft_blob *b, const char *path)
{
    char *source = graft_path_join(m->items->folder, b->name);
    int status = source ? graft_file_same(out, source, path) : GRAFT_EMEM;
    graft_free(source);
    return status;
}

static int copy_to(struct files *fs, const struct graft_blob *b,
                   const char *path)
{
    struct graft_writer *w = NULL;
    char *inner = graft_path_folder(path);
    int status = inner ? GRAFT_OK : GRAFT_EMEM;
    if (!status && strchr(b->name, '/'))
        status = graft_folder_make(inner);
    graft_free(inner);
    if (!status && strcmp(path, fs->path) == 0)
        return graft_fail(GRAFT_EARG, "'%s' is also the name of the model's "
                          "data file; choose another one", path);
    if (!status)
        status = add_file(&w, fs, path);
    return status ? status : graft_writer_put(w, b->data, b->size);
}

static int copy_data(struct files *fs, const char *folder,
                     const struct graft_blob *b)
{
    bool there = false;
    char *path = graft_path_join(folder, b->name);
    int status = path ? is_there(&there, fs->m, b, path) : GRAFT_EMEM;
    if (!status && !there)
        status = copy_to(fs, b, path);
    graft_free(path);
    return status;
}

static int copy_all(struct files *fs)
{
    const struct graft_model *m = fs->m;
    struct graft_writer *w = NULL;
    char *folder = graft_path_folder(fs->path);
    int status = folder ? add_file(&w, fs, fs->path) : GRAFT_EMEM;
    if (!status)
        status = graft_writer_put(w, m->blob.at[0].data, m->blob.at[0].size);
    for (int i = 1; !status && i < m->blob.n; i++)
        status = copy_data(fs, folder, &m->blob.at[i]);
    graft_free(folder);
    return status;
}

/* ---- written anew -------------------------------------------------------- */

/* A tensor in a node would need the node written anew. */
static int check_nodes(const struct graft_model *m)
{
    int outside = m->items ? m->items->external.n : 0;
    for (int i = 0; i < m->tensor.n; i++)
        outside -= m->tensor.at[i].external;
    if (!outside)
        return GRAFT_OK;
    return graft_fail(GRAFT_EUNSUPPORTED, "'%s' has %d tensors in nodes and "
                      "functions that keep their data in another file, and a "
                      "changed model is not written with such", m->path,
                      outside);
}

static int plan_data(struct graft_export *x)
{
    const struct graft_model *m = x->m;
    uint64_t at = 0;
    x->data_offset = graft_calloc((size_t)m->tensor.n,
                                  sizeof *x->data_offset);
    if (!x->data_offset)
        return GRAFT_EMEM;
    for (int i = 0; i < m->tensor.n; i++) {
        const struct graft_tensor *t = &m->tensor.at[i];
        x->data_offset[i] = UINT64_MAX;
        if (t->removed || !t->data || t->bytes <= GRAFT_OUTSIDE_FROM)
            continue;
        at = (at + DATA_ALIGN - 1) / DATA_ALIGN * DATA_ALIGN;
        x->data_offset[i] = at;
        at += t->bytes;
    }
    return GRAFT_OK;
}

static int write_data(const struct graft_export *x, struct graft_writer *w)
{
    static const uint8_t zero[DATA_ALIGN];
    int status = GRAFT_OK;
    for (int i = 0; !status && i < x->m->tensor.n; i++) {
        const struct graft_tensor *t = &x->m->tensor.at[i];
        if (x->data_offset[i] == UINT64_MAX)
            continue;
        status = graft_writer_put(w, zero,
                                  x->data_offset[i] - graft_writer_size(w));
        if (!status)
            status = graft_writer_put(w, t->data, t->bytes);
    }
    return status;
}

static int write_outside(struct files *fs, struct graft_export *x)
{
    struct graft_str s;
    struct graft_writer *w = NULL;
    graft_str_init(&s);
    graft_str_addf(&s, "%s.data", fs->path);
    x->data_name = graft_path_base(s.at);
    int status = graft_str_ok(&s);
    if (!status)
        status = plan_data(x);
    if (!status)
        status = add_file(&w, fs, s.at);
    if (!status)
        status = write_data(x, w);
    if (!status)
        status = graft_export_model(x);
    graft_free(x->data_offset);
    graft_str_release(&s);
    return status;
}

static int write_anew(struct files *fs, const struct graft_onnx_save *o)
{
    struct graft_export x = {.m = fs->m};
    uint64_t size = 0;
    int status = check_nodes(fs->m);
    if (!status)
        status = graft_export_size(&size, &x);
    if (!status && o->embed && size > inside_max)
        status = graft_fail(GRAFT_ELIMIT, "'%s' would have %llu bytes, which "
                            "one ONNX file cannot hold; write external data",
                            fs->path, (unsigned long long)size);
    if (!status)
        status = add_file(&x.sink.file, fs, fs->path);
    if (status)
        return status;
    if (o->external || size > inside_max)
        return write_outside(fs, &x);
    return graft_export_model(&x);
}

/* ---- entry --------------------------------------------------------------- */

int graft_onnx_save_into(struct graft_writers *set,
                         const struct graft_model *m, const char *path,
                         const struct graft_onnx_save *options)
{
    struct graft_onnx_save o = {0};
    if (options)
        o = *options;
    if (o.embed && o.external)
        return graft_fail(GRAFT_EARG, "weights can be inside the file or "
                          "outside, not both");
    struct files fs = {.m = m, .path = path, .set = set,
                       .mode = o.replace ? GRAFT_WRITE_REPLACE
                                         : GRAFT_WRITE_NEW};
    bool untouched = m->blob.n && !m->edited && !o.external &&
                     (!o.embed || m->blob.n == 1);
    return untouched ? copy_all(&fs) : write_anew(&fs, &o);
}

int graft_onnx_save(const struct graft_model *m, const char *path,
                    const struct graft_onnx_save *options)
{
    struct graft_writers set = {{0}};
    int status = graft_onnx_save_into(&set, m, path, options);
    if (!status)
        status = graft_writers_commit(&set);
    graft_writers_release(&set);
    return status;
}

int graft_onnx_encode(uint8_t **out, uint64_t *size,
                      const struct graft_model *m)
{
    struct graft_export x = {.m = m};
    uint64_t n = 0;
    int status = check_nodes(m);
    if (!status)
        status = graft_export_size(&n, &x);
    if (!status && n > INT32_MAX)
        status = graft_fail(GRAFT_ELIMIT, "the model has %llu bytes, more "
                            "than one protobuf message holds",
                            (unsigned long long)n);
    if (status)
        return status;
    if (m->blob.n == 1 && !m->edited)
        n = m->blob.at[0].size;
    uint8_t *memory = graft_malloc((size_t)n);
    if (!memory)
        return GRAFT_EMEM;
    x.sink.memory = memory;
    if (m->blob.n == 1 && !m->edited)
        memcpy(memory, m->blob.at[0].data, (size_t)n);
    else
        status = graft_export_model(&x);
    if (status) {
        graft_free(memory);
        return status;
    }
    *out = memory;
    *size = n;
    return GRAFT_OK;
}
