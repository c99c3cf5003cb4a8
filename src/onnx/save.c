/* Saving: which files, in which form, and never onto what the model was read
 * from. All files appear, or none.
 *
 * A data file is never changed once it stands: what a model names has the
 * same bytes before and after, so whoever opens the model's name finds the
 * whole old pair or the whole new one, even when we are killed in between.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"
#include "base/io.h"
#include "base/status.h"
#include "base/str.h"
#include "onnx/export.h"
#include "onnx/onnx.h"

/* protobuf ends at 2 GiB; a little below, weights go outside by themselves. */
static const uint64_t inside_max = 1900000000, embed_max = INT32_MAX;

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
    struct graft_onnx_save options;
};

static int add_file(struct graft_writer **out, struct files *fs,
                    const char *path)
{
    int status = check_source(fs->m, path);
    return status ? status : graft_writers_add(out, fs->set, path, fs->mode);
}

/* ---- untouched ----------------------------------------------------------- */

static int copy_to(struct files *fs, const struct graft_blob *b,
                   const char *path)
{
    struct graft_writer *w = NULL;
    char *inner = graft_path_folder(path);
    int status = inner ? GRAFT_OK : GRAFT_EMEM;
    if (!status && strchr(b->name, '/'))
        status = graft_folder_make(inner);
    graft_free(inner);
    if (!status)
        status = add_file(&w, fs, path);
    return status ? status : graft_put_file(w, fs->m->rt, b->data, b->size);
}

/* The name of a data file is the model's, so a link among its folders may
 * lead anywhere; here somebody chose `folder` only. */
static int check_way(const char *folder, const char *name)
{
    struct stat st;
    int status = GRAFT_OK;
    char *path = graft_path_join(folder, name);
    if (!path)
        return GRAFT_EMEM;
    char *from = path + strlen(path) - strlen(name);
    for (char *s = strchr(from, '/'); !status && s; s = strchr(s + 1, '/')) {
        *s = '\0';
        if (graft_io_lstat(path, &st) == 0 && S_ISLNK(st.st_mode))
            status = graft_fail(GRAFT_EARG, "'%s' is a symbolic link, and no "
                                "data file is written through one", path);
        *s = '/';
    }
    graft_free(path);
    return status;
}

/* Its name stands in the model, so no other one can be chosen. */
static int copy_data(struct files *fs, const char *folder,
                     const struct graft_blob *b)
{
    enum graft_stands stands = GRAFT_STANDS_NOTHING;
    char *path = graft_path_join(folder, b->name);
    int status = path ? check_way(folder, b->name) : GRAFT_EMEM;
    if (!status && strcmp(path, fs->path) == 0)
        status = graft_fail(GRAFT_EARG, "'%s' is also the name of the model's "
                            "data file; choose another one", path);
    if (!status)
        status = graft_data_blob_stands(&stands, path, b);
    if (!status && stands == GRAFT_STANDS_OTHER)
        status = graft_fail(GRAFT_EARG, "'%s' exists with other contents, "
                            "and the model must have its data file under "
                            "this name: remove it, or choose another folder, "
                            "or write the weights anew (--embed, "
                            "--external-data)", path);
    if (!status && stands == GRAFT_STANDS_NOTHING)
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
        status = graft_put_file(w, m->rt, m->blob.at[0].data,
                                m->blob.at[0].size);
    for (int i = 1; !status && i < m->blob.n; i++)
        status = copy_data(fs, folder, &m->blob.at[i]);
    graft_free(folder);
    return status;
}

/* ---- written anew -------------------------------------------------------- */

static int put_bytes(void *sink, const void *at, uint64_t n)
{
    return graft_sink_put(sink, at, n);
}

/* FILE.data; where such a file stands with other contents, the old FILE may
 * need it, and a name made of the contents is taken. */
static int name_data(char **out, bool *there, struct files *fs,
                     const struct graft_data_file *d)
{
    enum graft_stands stands = GRAFT_STANDS_NOTHING;
    struct graft_str s;
    graft_str_init(&s);
    graft_str_addf(&s, "%s.data", fs->path);
    int status = graft_str_ok(&s);
    if (!status)
        status = graft_data_file_stands(&stands, s.at, d);
    if (!status && stands == GRAFT_STANDS_OTHER &&
        fs->mode == GRAFT_WRITE_REPLACE) {
        graft_str_clear(&s);
        graft_str_addf(&s, "%s.%.16s.data", fs->path, d->checksum);
        status = graft_str_ok(&s);
        if (!status)
            status = graft_data_file_stands(&stands, s.at, d);
    }
    if (!status && stands == GRAFT_STANDS_OTHER)
        status = fs->mode == GRAFT_WRITE_REPLACE
                     ? graft_fail(GRAFT_EARG, "'%s' exists already, with other "
                                  "contents than its name says: remove it",
                                  s.at)
                     : graft_fail(GRAFT_EEXIST, "'%s' exists already, with "
                                  "other contents", s.at);
    *there = stands == GRAFT_STANDS_SAME;
    if (!status)
        *out = graft_str_take(&s);
    graft_str_release(&s);
    return status || *out ? status : GRAFT_EMEM;
}

static int write_data(struct files *fs, const struct graft_data_file *d,
                      const char *path)
{
    struct graft_sink sink = {.rt = fs->m->rt};
    int status = add_file(&sink.file, fs, path);
    return status ? status : graft_data_file_walk(d, fs->m, put_bytes, &sink);
}

static int write_outside(struct files *fs, struct graft_export *x)
{
    struct graft_data_file d = {0};
    char *path = NULL;
    bool there = false;
    int status = graft_data_file_plan(&d, fs->m);
    if (!status && d.bytes)
        status = name_data(&path, &there, fs, &d);
    if (!status && d.bytes) {
        d.name = graft_path_base(path);
        x->data = &d;
    }
    if (!status)
        status = graft_export_model(x);
    if (!status && x->data && !there)
        status = write_data(fs, &d, path);
    graft_data_file_release(&d);
    if (!status && fs->options.data_path)
        *fs->options.data_path = path;
    else
        graft_free(path);
    return status;
}

static int write_anew(struct files *fs)
{
    const struct graft_onnx_save *o = &fs->options;
    const uint64_t most = o->inside_max ? o->inside_max
                          : o->embed    ? embed_max
                                        : inside_max;
    struct graft_export x = {.m = fs->m, .gathers = true,
                             .sink = {.rt = fs->m->rt}};
    uint64_t size = 0;
    int status = graft_export_size(&size, &x);
    if (!status && o->embed && size > most)
        status = graft_fail(GRAFT_ELIMIT, "'%s' would have %llu bytes, which "
                            "one ONNX file cannot hold; write external data",
                            fs->path, (unsigned long long)size);
    if (!status)
        status = add_file(&x.sink.file, fs, fs->path);
    if (status)
        return status;
    return o->external || size > most ? write_outside(fs, &x)
                                      : graft_export_model(&x);
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
    struct files fs = {.m = m, .path = path, .set = set, .options = o,
                       .mode = o.replace ? GRAFT_WRITE_REPLACE
                                         : GRAFT_WRITE_NEW};
    bool untouched = m->blob.n && !m->edited && !o.external &&
                     (!o.embed || m->blob.n == 1);
    return untouched ? copy_all(&fs) : write_anew(&fs);
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
    struct graft_export x = {.m = m, .gathers = true};
    uint64_t n = 0;
    int status = graft_export_size(&n, &x);
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
