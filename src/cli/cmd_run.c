/* graft run: raw arrays in, raw arrays out, for whoever compares runtimes.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>

#include "cli.h"

enum {
    NAMES = 4096,  /* bytes for the names before '=' */
    FOLDER = 4096  /* bytes of a path */
};

static const struct graft_option options[] = {
    {.name = "output", .letter = 'o', .arg = "[VALUE=]FILE",
     .take = graft_take_list, .slot = GRAFT_SLOT(outputs),
     .help = "where an output goes; may be given several times. VALUE may "
             "be any value of the model (default: its outputs in order)"},
    {.name = "force", .letter = 'f', .take = graft_take_flag,
     .slot = GRAFT_SLOT(force), .help = "replace files that exist"},
    {.name = NULL},
};

/* Words "name=file" and "file" taken apart; names are kept in `room`. */
struct named {
    const char *name[GRAFT_CLI_LIST_MAX]; /* NULL: by position */
    const char *file[GRAFT_CLI_LIST_MAX];
    int n;
    char room[NAMES];
};

static int split(struct named *out, const char *const *words, int n)
{
    size_t used = 0;
    for (int i = 0; i < n; i++) {
        const char *equals = strchr(words[i], '=');
        size_t length = equals ? (size_t)(equals - words[i]) : 0;
        out->name[i] = NULL;
        out->file[i] = length ? equals + 1 : words[i];
        if (!length)
            continue;
        if (used + length + 1 > NAMES)
            return graft_cli_wrong("the names before '=' are too long");
        memcpy(out->room + used, words[i], length);
        out->room[used + length] = '\0';
        out->name[i] = out->room + used;
        used += length + 1;
    }
    out->n = n;
    return 0;
}

static int read_inputs(struct graft_array *a, const struct named *in,
                       graft_runtime *rt)
{
    int status = GRAFT_OK;
    for (int i = 0; i < in->n && !status; i++) {
        status = graft_npy_read(&a[i], rt, in->file[i]);
        a[i].name = in->name[i];
    }
    return status;
}

static int write_outputs(const graft_session *session,
                         const struct named *out, bool replace)
{
    struct graft_array a[GRAFT_CLI_LIST_MAX];
    for (int i = 0; i < out->n; i++)
        a[i] = graft_session_output(session, i);
    return graft_npy_write_all(a, out->file, out->n, replace);
}

/* ---- which files are one ------------------------------------------------- */

static bool same_inode(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

static const char *base(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static bool stat_folder(struct stat *st, const char *path)
{
    char folder[FOLDER];
    size_t n = (size_t)(base(path) - path);
    if (n >= sizeof folder)
        return false;
    memcpy(folder, n ? path : ".", n ? n : 1);
    folder[n ? n : 1] = '\0';
    return stat(folder, st) == 0;
}

/* Also of files that are not there yet: the same name in one folder. */
static bool same_file(const char *a, const char *b)
{
    struct stat x, y;
    if (!strcmp(a, b))
        return true;
    if (!stat(a, &x) && !stat(b, &y) && same_inode(&x, &y))
        return true;
    return !strcmp(base(a), base(b)) && stat_folder(&x, a) &&
           stat_folder(&y, b) && same_inode(&x, &y);
}

/* Said before the work: no output may be lost, and nothing that is read. */
static int check_files(const char *model, const struct named *in,
                       const struct named *out)
{
    for (int i = 0; i < out->n; i++) {
        const char *file = out->file[i];
        int code = graft_cli_check_output(file);
        if (code)
            return code;
        if (same_file(file, model))
            return graft_cli_wrong("-o %s would replace the model", file);
        for (int k = 0; k < in->n; k++)
            if (same_file(file, in->file[k]))
                return graft_cli_wrong("-o %s would replace an input", file);
        for (int k = 0; k < i; k++)
            if (same_file(file, out->file[k]))
                return graft_cli_wrong("two -o name one file: %s and %s",
                                       out->file[k], file);
    }
    return 0;
}

/* Without names, -o FILE are the model's outputs in order. */
static int output_names(const char **names, const struct named *out,
                        const graft_model *m, bool *by_position)
{
    int named = 0;
    for (int i = 0; i < out->n; i++) {
        names[i] = out->name[i];
        named += out->name[i] != NULL;
    }
    *by_position = named == 0;
    if (named && named < out->n)
        return graft_cli_wrong("either every -o names a value or none does");
    int has = graft_model_n_outputs(m);
    if (!named && out->n > has)
        return graft_cli_wrong("the model has %d output%s, but there are %d "
                               "-o", has, has == 1 ? "" : "s", out->n);
    return 0;
}

static int work(struct graft_settings *s, const struct named *in,
                const struct named *out, struct graft_array *a)
{
    graft_model *m = NULL;
    graft_session *session = NULL;
    const char *names[GRAFT_CLI_LIST_MAX];
    bool by_position = false;
    int code = GRAFT_EXIT_DONE;
    int status = graft_model_open(&m, s->rt, s->operand[0]);
    if (!status)
        status = read_inputs(a, in, s->rt);
    if (!status)
        code = output_names(names, out, m, &by_position);
    if (!status && !code)
        status = graft_session_new(&session, m, a, in->n,
                                   by_position ? NULL : names,
                                   by_position ? 0 : out->n);
    if (!status && !code)
        status = graft_session_run(session, a, in->n);
    if (!status && !code)
        status = write_outputs(session, out, s->force);
    graft_session_free(session);
    graft_model_free(m);
    return status ? graft_cli_failed(status) : code;
}

static int run(struct graft_settings *s)
{
    struct named in, out;
    struct graft_array a[GRAFT_CLI_LIST_MAX];
    memset(a, 0, sizeof a);
    if (!s->outputs.n)
        return graft_cli_wrong("run wants -o FILE");
    if (s->n_operands - 1 > GRAFT_CLI_LIST_MAX)
        return graft_cli_wrong("run takes at most %d inputs",
                               GRAFT_CLI_LIST_MAX);
    int code = split(&in, s->operand + 1, s->n_operands - 1);
    if (!code)
        code = split(&out, s->outputs.at, s->outputs.n);
    if (!code)
        code = check_files(s->operand[0], &in, &out);
    if (!code)
        code = work(s, &in, &out, a);
    for (int i = 0; i < GRAFT_CLI_LIST_MAX; i++)
        graft_npy_release(&a[i]);
    return code;
}

extern const struct graft_command graft_cmd_run;
const struct graft_command graft_cmd_run = {
    .name = "run",
    .summary = "runs a model on NumPy arrays",
    .usage = "MODEL [INPUT=]in.npy... -o [VALUE=]out.npy [options]",
    .about =
        "Reads arrays of float32 in NumPy's format, runs the model on them,\n"
        "and writes what comes out. Plain file names stand for the model's\n"
        "inputs and outputs in order; what stands before a '=' is the name\n"
        "of an input or value.\n",
    .example = "graft run mobilenetv2.onnx in.npy -o out.npy\n"
               "graft run net.onnx x=a.npy y=b.npy -o features=f.npy\n",
    .min_operands = 2, .max_operands = -1,
    .group = {{"options", options},
              {"model", graft_options_model},
              {"everywhere", graft_options_common}},
    .run = run,
};
