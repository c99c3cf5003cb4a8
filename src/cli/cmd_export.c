/* graft export: writes a model as it is, or edited, or converted, or with its
 * weights elsewhere.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>

#include "cli.h"

static const struct graft_option options[] = {
    {.name = "output", .letter = 'o', .arg = "FILE", .take = graft_take_text,
     .slot = GRAFT_SLOT(output), .help = "the file to write"},
    {.name = "force", .letter = 'f', .take = graft_take_flag,
     .slot = GRAFT_SLOT(force),
     .help = "replace FILE if it exists; never a file that the model is "
             "read from"},
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

struct changes {
    struct graft_names outputs, renames;
};

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

/* In an order such that messages about what cannot be done use the file's
 * own names. `c` NULL: without conversions, to compare with. */
static int edit(graft_model *m, const struct graft_settings *s,
                const struct changes *e, struct graft_removed *removed,
                struct graft_conversion *c)
{
    int status = set_outputs(m, &e->outputs, removed);
    if (!status && c && s->batch_size.given)
        status = graft_model_set_batch(m, s->batch_size.n, &c->batch);
    for (int i = 0; !status && i < e->renames.n; i++)
        status = rename_one(m, e->renames.at[i], e->renames.is[i]);
    if (!status && s->strip)
        status = graft_model_strip(m, GRAFT_BALLAST_ALL, removed);
    if (!status && c && s->float16)
        status = graft_model_to_float16(m, &c->float16);
    return status;
}

/* The model without conversions beside it, on the same photos. */
static int compare(const graft_model *m, const struct graft_settings *s,
                   const struct changes *e, struct graft_conversion *c)
{
    struct graft_removed twice = {{0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}};
    graft_model *plain = NULL;
    int status = graft_model_open(&plain, s->rt, s->operand[0]);
    if (!status)
        status = edit(plain, s, e, &twice, NULL);
    if (!status)
        status = graft_cli_compare(c, plain, m, s);
    graft_model_free(plain);
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
                 const struct graft_removed *removed,
                 const struct graft_conversion *c, const char *data)
{
    const char *const written[] = {s->output, data};
    tell_removed(removed);
    if (s->strip && !removed->docs.n && !removed->value_infos.n &&
        !removed->metadata.n)
        puts("nothing to strip");
    graft_cli_tell_conversion(c, s);
    for (int i = 0; i < 2 && written[i]; i++) {
        fputs("written ", stdout);
        graft_cli_put(stdout, written[i]);
        fputc('\n', stdout);
    }
}

/* ---- the command --------------------------------------------------------- */

static int check(const struct graft_settings *s, struct changes *e)
{
    struct graft_names *outputs = &e->outputs, *renames = &e->renames;
    if (!s->output)
        return graft_cli_wrong("export wants -o FILE");
    if (s->embed && s->external_data)
        return graft_cli_wrong("--embed and --external-data exclude each "
                               "other");
    int wrong = graft_cli_check_conversion(s);
    if (!wrong)
        wrong = graft_cli_names(outputs, &s->outputs, "outputs");
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
    static struct changes e; /* too large for a stack */
    struct graft_removed removed = {{0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}};
    struct graft_conversion c = {.batch = {0, 0, 0, 0}};
    graft_model *m = NULL;
    char *data = NULL;
    int wrong = check(s, &e);
    if (wrong)
        return wrong;
    const struct graft_save_options o = {.replace = s->force,
                                         .external_data = s->external_data,
                                         .embed = s->embed,
                                         .data_path = &data};
    int status = graft_model_open(&m, s->rt, s->operand[0]);
    if (!status)
        status = edit(m, s, &e, &removed, &c);
    if (!status && s->photos)
        status = compare(m, s, &e, &c);
    if (!status)
        status = graft_model_save(m, s->output, &o);
    if (!status && !s->quiet)
        tell(s, &removed, &c, data);
    graft_encoded_free(data);
    graft_model_free(m);
    return status ? graft_cli_failed(status) : GRAFT_EXIT_DONE;
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
        "Changes are made in this order: outputs, batch, names, stripping,\n"
        "float16. What none of them touches is copied byte for byte; weights\n"
        "that lay beside the model then go inside, unless --external-data\n"
        "says otherwise or they exceed 1.9 GB, which go into FILE.data. In\n"
        "names, '\\,' stands for ',' and '\\=' for '='.\n"
        "\n"
        "Model and data file appear together or not at all. A data file is\n"
        "never changed: with --force, where FILE.data has other contents,\n"
        "the new one is called FILE.HASH.data, and the old one stays until\n"
        "you remove it. Data files are read from the model's folder only,\n"
        "through no links (see --follow-links), and must match the checksum\n"
        "that the model may hold.\n",
    .example = "graft export mobilenetv2.onnx -o same.onnx\n"
               "graft export from-pytorch.onnx -o one-file.onnx --embed\n"
               "graft export net.onnx -o small.onnx --strip \\\n"
               "    --outputs 464 --rename 464=features,input.1=image\n"
               "graft export from-pytorch.onnx -o any.onnx --batch-size "
               "dynamic\n"
               "graft export tigers.onnx -o half.onnx --float16 \\\n"
               "    --photos photos/val\n",
    .min_operands = 1, .max_operands = 1,
    .group = {{"options", options},
              {"changes", edits},
              {"conversions", graft_options_convert},
              {"photos, with --photos", graft_options_pixels},
              {"model", graft_options_model},
              {"everywhere", graft_options_common}},
    .run = run,
};
