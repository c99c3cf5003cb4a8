/* graft run: raw arrays in, raw arrays out, for whoever compares runtimes.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <string.h>

#include "cli.h"

enum { NAMES = 4096 }; /* bytes for the names before '=' */

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
    int status = GRAFT_OK;
    for (int i = 0; i < out->n && !status; i++) {
        struct graft_array a = graft_session_output(session, i);
        status = graft_npy_write(&a, out->file[i], replace);
    }
    return status;
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
    .group = {{"options", options}, {"everywhere", graft_options_common}},
    .run = run,
};
