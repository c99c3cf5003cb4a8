/* graft export: writes a model as it is, or with its weights elsewhere.
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

static int run(struct graft_settings *s)
{
    if (!s->output)
        return graft_cli_wrong("export wants -o FILE");
    if (s->embed && s->external_data)
        return graft_cli_wrong("--embed and --external-data exclude each "
                               "other");
    graft_model *m = NULL;
    const struct graft_save_options o = {.replace = s->force,
                                         .external_data = s->external_data,
                                         .embed = s->embed};
    int status = graft_model_open(&m, s->rt, s->operand[0]);
    if (!status)
        status = graft_model_save(m, s->output, &o);
    graft_model_free(m);
    if (status)
        return graft_cli_failed(status);
    if (!s->quiet) {
        fputs("written ", stdout);
        graft_cli_put(stdout, s->output);
        fputc('\n', stdout);
    }
    return GRAFT_EXIT_DONE;
}

extern const struct graft_command graft_cmd_export;
const struct graft_command graft_cmd_export = {
    .name = "export",
    .summary = "writes a model as it is, byte for byte",
    .usage = "MODEL -o FILE [options]",
    .about =
        "Reads a model and writes it again. Without options every byte stays\n"
        "as it was, fields that Graft does not know included; external data\n"
        "files are copied beside FILE under their own names.\n",
    .example = "graft export mobilenetv2.onnx -o same.onnx\n"
               "graft export from-pytorch.onnx -o one-file.onnx --embed\n",
    .min_operands = 1, .max_operands = 1,
    .group = {{"options", options},
              {"model", graft_options_model},
              {"everywhere", graft_options_common}},
    .run = run,
};
