/* graft export: writes a model as it is, or edited, or with its weights
 * elsewhere.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>

#include "cli.h"

static const struct graft_option options[] = {
    {.name = "output", .letter = 'o', .arg = "FILE", .take = graft_take_text,
     .slot = GRAFT_SLOT(output), .help = "the file to write"},
    {.name = "force", .letter = 'f', .take = graft_take_flag,
     .slot = GRAFT_SLOT(force), .help = "replace FILE if it exists"},
    {.name = "external-data", .take = graft_take_flag,
     .slot = GRAFT_SLOT(external_data),
     .help = "move the weights beside the file, into FILE.data"},
    {.name = "embed", .take = graft_take_flag, .slot = GRAFT_SLOT(embed),
     .help = "move weights that lie beside the model into FILE"},
    {.name = NULL},
};

static const struct graft_option edits[] = {
    {.name = "outputs", .arg = "NAME,...", .take = graft_take_list,
     .slot = GRAFT_SLOT(outputs),
     .help = "make these values the outputs, and leave out what none of them "
             "needs"},
    {.name = "rename", .arg = "OLD=NEW,...", .take = graft_take_list,
     .slot = GRAFT_SLOT(renames),
     .help = "give a value (input, output, weight, ...) or, where no value "
             "is called OLD, a node another name; all that read it follow"},
    {.name = "strip", .take = graft_take_flag, .slot = GRAFT_SLOT(strip),
     .help = "leave out doc strings, value infos, and metadata of nodes, "
             "where exporters write paths and stack traces"},
    {.name = NULL},
};

/* ---- editing ------------------------------------------------------------- */

static int set_outputs(graft_model *m, const struct graft_names *names,
                       struct graft_removed *removed)
{
    return names->n ? graft_model_set_outputs(m, names->at, names->n, removed)
                    : GRAFT_OK;
}

/* The first message is the one to be shown: most names are values'. */
static int rename_one(graft_model *m, const char *from, const char *to)
{
    int status = graft_model_rename(m, from, to);
    if (status != GRAFT_ENOTFOUND)
        return status;
    int node = graft_model_rename_node(m, from, to);
    return node == GRAFT_ENOTFOUND ? graft_model_rename(m, from, to) : node;
}

static int edit(graft_model *m, const struct graft_settings *s,
                const struct graft_names *outputs,
                const struct graft_names *renames,
                struct graft_removed *removed)
{
    int status = set_outputs(m, outputs, removed);
    for (int i = 0; !status && i < renames->n; i++)
        status = rename_one(m, renames->at[i], renames->is[i]);
    if (!status && s->strip)
        status = graft_model_strip(m, GRAFT_BALLAST_ALL, removed);
    return status;
}

/* ---- telling ------------------------------------------------------------- */

static void tell_removed(const struct graft_removed *r)
{
    const struct {
        const struct graft_removed_part *part;
        const char *one, *many;
    } lines[] = {{&r->nodes, "node", "nodes"},
                 {&r->initializers, "weight", "weights"},
                 {&r->docs, "doc string", "doc strings"},
                 {&r->value_infos, "value info", "value infos"},
                 {&r->metadata, "entry of metadata", "entries of metadata"}};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        if (lines[i].part->n)
            printf("left out  %s %s, %s\n",
                   graft_cli_count(lines[i].part->n),
                   lines[i].part->n == 1 ? lines[i].one : lines[i].many,
                   graft_cli_bytes(lines[i].part->bytes));
}

static void tell(const struct graft_settings *s,
                 const struct graft_removed *removed)
{
    tell_removed(removed);
    if (s->strip && !removed->docs.n && !removed->value_infos.n &&
        !removed->metadata.n)
        puts("nothing to strip");
    fputs("written ", stdout);
    graft_cli_put(stdout, s->output);
    fputc('\n', stdout);
}

/* ---- the command --------------------------------------------------------- */

static int check(const struct graft_settings *s, struct graft_names *outputs,
                 struct graft_names *renames)
{
    if (!s->output)
        return graft_cli_wrong("export wants -o FILE");
    if (s->embed && s->external_data)
        return graft_cli_wrong("--embed and --external-data exclude each "
                               "other");
    int wrong = graft_cli_names(outputs, &s->outputs, "outputs");
    if (!wrong)
        wrong = graft_cli_names(renames, &s->renames, "rename");
    for (int i = 0; !wrong && i < outputs->n; i++)
        if (outputs->is[i])
            wrong = graft_cli_wrong("--outputs: '%s=%s' holds '='; a name "
                                    "with one is written '\\='",
                                    outputs->at[i], outputs->is[i]);
    for (int i = 0; !wrong && i < renames->n; i++)
        if (!renames->is[i])
            wrong = graft_cli_wrong("--rename: '%s' is not OLD=NEW",
                                    renames->at[i]);
    return wrong;
}

static int run(struct graft_settings *s)
{
    static struct graft_names outputs, renames; /* too large for a stack */
    struct graft_removed removed = {{0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}};
    graft_model *m = NULL;
    int wrong = check(s, &outputs, &renames);
    if (wrong)
        return wrong;
    const struct graft_save_options o = {.replace = s->force,
                                         .external_data = s->external_data,
                                         .embed = s->embed};
    int status = graft_model_open(&m, s->rt, s->operand[0]);
    if (!status)
        status = edit(m, s, &outputs, &renames, &removed);
    if (!status)
        status = graft_model_save(m, s->output, &o);
    graft_model_free(m);
    if (status)
        return graft_cli_failed(status);
    if (!s->quiet)
        tell(s, &removed);
    return GRAFT_EXIT_DONE;
}

extern const struct graft_command graft_cmd_export;
const struct graft_command graft_cmd_export = {
    .name = "export",
    .summary = "writes a model as it is, or with small changes",
    .usage = "MODEL -o FILE [options]",
    .about =
        "Reads a model and writes it again. Without options every byte stays\n"
        "as it was, fields that Graft does not know included; external data\n"
        "files are copied beside FILE under their own names.\n"
        "\n"
        "Changes are made in this order: outputs, names, stripping. What none\n"
        "of them touches is copied byte for byte; weights that lay beside the\n"
        "model then go inside, unless --external-data says otherwise. In\n"
        "names, '\\,' stands for ',' and '\\=' for '='.\n",
    .example = "graft export mobilenetv2.onnx -o same.onnx\n"
               "graft export from-pytorch.onnx -o one-file.onnx --embed\n"
               "graft export net.onnx -o small.onnx --strip \\\n"
               "    --outputs 464 --rename 464=features,input.1=image\n",
    .min_operands = 1, .max_operands = 1,
    .group = {{"options", options},
              {"changes", edits},
              {"model", graft_options_model},
              {"everywhere", graft_options_common}},
    .run = run,
};
