/* graft verify: does a file keep what it claims?
 * SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>

#include "cli.h"

static const struct graft_option options[] = {
    {.name = "json", .take = graft_take_flag, .slot = GRAFT_SLOT(json),
     .help = "the report as JSON instead of words"},
    {.name = NULL},
};

static int run(struct graft_settings *s)
{
    struct graft_classify_options o = graft_cli_classify(s);
    struct graft_report *r = NULL;
    int status = graft_verify(&r, s->rt, s->operand[0], s->operand[1], &o);
    graft_cli_progress_clear();
    if (r && s->json)
        printf("%s\n", r->json);
    else if (r)
        graft_cli_report(r, GRAFT_REPORT_EVAL);
    if (!status && r && !s->json) {
        fputs("\nverified     ", stdout);
        graft_cli_put(stdout, r->verdict ? r->verdict : "");
        fputc('\n', stdout);
    }
    graft_report_free(r);
    return status ? graft_cli_failed(status) : GRAFT_EXIT_DONE;
}

extern const struct graft_command graft_cmd_verify;
const struct graft_command graft_cmd_verify = {
    .name = "verify",
    .summary = "checks that a file keeps the accuracy it claims",
    .usage = "CLASSIFIER PHOTOS [options]",
    .about =
        "Reloads a classifier that Graft wrote, computes its accuracy anew\n"
        "on the same photos, and compares that with what the file says of\n"
        "itself (metadata entry \"graft\").\n",
    .example = "graft verify tigers.onnx photos/\n",
    .exit_notes = "3 the file does not keep what it claims",
    .min_operands = 2, .max_operands = 2,
    .group = {{"options", options},
              {"model", graft_options_model},
              {"photos", graft_options_pixels},
              {"everywhere", graft_options_common}},
    .run = run,
};
