/* graft predict: what is on these photos?
 * SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <string.h>

#include "cli.h"

static const struct graft_option options[] = {
    {.name = "top", .arg = "K", .take = graft_take_int,
     .slot = GRAFT_SLOT(top), .min = 1, .max = 100000,
     .help = "name the K best classes (default: 1)"},
    {.name = "labels", .arg = "FILE", .take = graft_take_text,
     .slot = GRAFT_SLOT(labels),
     .help = "one class name a line, in the model's order "
             "(default: what the file says)"},
    {.name = "json", .take = graft_take_flag, .slot = GRAFT_SLOT(json),
     .help = "one JSON object a line"},
    {.name = NULL},
};

struct answers {
    const struct graft_settings *s;
    int given, missed;
    bool missed_named; /* one that the user named, not one in a folder */
};

static void in_words(const struct graft_prediction *p)
{
    graft_cli_put(stdout, p->file);
    for (int i = 0; i < p->n; i++) {
        fputs(i ? ", " : ": ", stdout);
        graft_cli_name(stdout, p->label[i]);
        printf(" %.1f %%", 100 * p->probability[i]);
    }
    fputc('\n', stdout);
}

static void in_json(const struct graft_prediction *p)
{
    fputs("{\"file\": ", stdout);
    graft_cli_json_string(stdout, p->file);
    if (p->why) {
        fputs(", \"error\": ", stdout);
        graft_cli_json_string(stdout, p->why);
    } else {
        fputs(", \"classes\": [", stdout);
        for (int i = 0; i < p->n; i++) {
            printf("%s{\"index\": %d, \"label\": ", i ? ", " : "",
                   p->class_index[i]);
            graft_cli_json_string(stdout, p->label[i]);
            printf(", \"probability\": %.9g}", p->probability[i]);
        }
        fputc(']', stdout);
    }
    fputs("}\n", stdout);
}

static bool was_named(const struct graft_settings *s, const char *file)
{
    for (int i = 1; i < s->n_operands; i++)
        if (!strcmp(s->operand[i], file))
            return true;
    return false;
}

static void answer(void *ctx, const struct graft_prediction *p)
{
    struct answers *a = ctx;
    graft_cli_progress_clear();
    if (p->why) {
        a->missed++;
        a->missed_named |= was_named(a->s, p->file);
        if (!a->s->json)
            graft_cli_error("%s: %s", p->file, p->why);
    } else {
        a->given++;
    }
    if (a->s->json)
        in_json(p);
    else if (!p->why)
        in_words(p);
    /* Nobody reads any more: the other photos need not be looked at. */
    if (ferror(stdout))
        graft_runtime_cancel(a->s->rt);
}

static int run(struct graft_settings *s)
{
    struct graft_classify_options o = graft_cli_classify(s);
    struct answers a = {.s = s};
    int status = graft_predict(s->rt, s->operand[0], s->operand + 1,
                               s->n_operands - 1, &o, answer, &a);
    graft_cli_progress_clear();
    if (status == GRAFT_ECANCELED && ferror(stdout))
        return GRAFT_EXIT_FAILED; /* main says why, where it must be said */
    if (status)
        return graft_cli_failed(status);
    return a.missed_named || (a.missed && !a.given) ? GRAFT_EXIT_FAILED
                                                    : GRAFT_EXIT_DONE;
}

extern const struct graft_command graft_cmd_predict;
const struct graft_command graft_cmd_predict = {
    .name = "predict",
    .summary = "says what is on photos",
    .usage = "CLASSIFIER PHOTO|FOLDER... [options]",
    .about =
        "Runs a classifier on photos and on all photos in folders, in the\n"
        "order given, one line each. What cannot be read is named on\n"
        "standard error and passed over.\n",
    .example = "graft predict tigers.onnx a.jpg folder/\n"
               "graft predict tigers.onnx --json --top 3 a.jpg\n",
    .exit_notes = "1 also when a photo named on the command line could not "
                  "be read",
    .min_operands = 2, .max_operands = -1,
    .group = {{"options", options},
              {"model", graft_options_model},
              {"photos", graft_options_pixels},
              {"everywhere", graft_options_common}},
    .run = run,
};
