/* graft eval: how good a classifier is on a folder of photos.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>

#include "cli.h"

static const struct graft_option options[] = {
    {.name = "labels", .arg = "FILE", .take = graft_take_text,
     .slot = GRAFT_SLOT(labels),
     .help = "one class name a line, in the model's order "
             "(default: what the file says)"},
    {.name = "json", .take = graft_take_flag, .slot = GRAFT_SLOT(json),
     .help = "the report as JSON instead of words"},
    {.name = NULL},
};

static int run(struct graft_settings *s)
{
    struct graft_classify_options o = graft_cli_classify(s);
    struct graft_report *r = NULL;
    int status = graft_evaluate(&r, s->rt, s->operand[0], s->operand[1], &o);
    graft_cli_progress_clear();
    if (status)
        return graft_cli_failed(status);
    if (s->json)
        printf("%s\n", r->json);
    else
        graft_cli_report(r, GRAFT_REPORT_EVAL);
    graft_report_free(r);
    return GRAFT_EXIT_DONE;
}

extern const struct graft_command graft_cmd_eval;
const struct graft_command graft_cmd_eval = {
    .name = "eval",
    .summary = "judges a classifier on a folder of photos",
    .usage = "CLASSIFIER PHOTOS [options]",
    .about =
        "Runs a classifier over PHOTOS and reports accuracy with its 95 %\n"
        "interval, confusion matrix, precision, recall and the worst\n"
        "mistakes. Of PHOTOS it judges on val/CLASS if that is there, else\n"
        "on test/CLASS. Of a folder without them it takes the photos that\n"
        "training split off by seed, as the classifier's card says; without\n"
        "such a card it takes all, and warns that they may have been learnt\n"
        "from. Folder names are matched to the classifier's labels.\n",
    .example = "graft eval tigers.onnx photos/\n",
    .min_operands = 2, .max_operands = 2,
    .group = {{"options", options},
              {"model", graft_options_model},
              {"photos", graft_options_pixels},
              {"everywhere", graft_options_common}},
    .run = run,
};
