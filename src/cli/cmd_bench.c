/* graft bench: how fast a model runs on this machine.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>

#include "cli.h"

static const struct graft_option options[] = {
    {.name = "batch-size", .arg = "N", .take = graft_take_int,
     .slot = GRAFT_SLOT(batch), .min = 1, .max = 4096,
     .help = "photos at a time (default: what the file fixes, else 16)"},
    {.name = "repeat", .arg = "R", .take = graft_take_int,
     .slot = GRAFT_SLOT(repeats), .min = 1, .max = 100000,
     .help = "runs to measure, after some to warm up (default: about three "
             "seconds' worth, 5 at least, 3 of slow ones)"},
    {.name = "size", .arg = "WxH", .take = graft_take_extent,
     .slot = GRAFT_SLOT(extent),
     .help = "size of the input in pixels (default: the file's, else "
             "224x224)"},
    {.name = "plan", .take = graft_take_flag, .slot = GRAFT_SLOT(plan),
     .help = "also list the steps of the plan"},
    {.name = "json", .take = graft_take_flag, .slot = GRAFT_SLOT(json),
     .help = "everything but the steps as one JSON object; its keys are "
             "listed in graft/bench.h"},
    {.name = NULL},
};

static void speed(const struct graft_timing *t)
{
    double ms = 1e3 * t->seconds_median;
    int digits = ms < 10 ? 3 : ms < 100 ? 2 : 1;
    printf("speed        %.*f photos/s, %.*f ms each\n",
           t->images_per_second < 100, t->images_per_second, digits,
           ms / t->batch);
    printf("time         %.*f ms a batch (median of %d; half of them %.*f to "
           "%.*f, all %.*f to %.*f)\n", digits, ms, t->repeats,
           digits, 1e3 * t->seconds_q1, digits, 1e3 * t->seconds_q3,
           digits, 1e3 * t->seconds_min, digits, 1e3 * t->seconds_max);
    printf("start        %.2f s to plan and to pack weights\n",
           t->seconds_compile);
}

static void memory(const struct graft_timing *t)
{
    printf("memory       activations %s (largest sum alive: %s),\n"
           "             scratch %s, packed weights %s\n",
           graft_cli_bytes((uint64_t)t->arena_bytes),
           graft_cli_bytes((uint64_t)t->live_bytes),
           graft_cli_bytes((uint64_t)t->scratch_bytes),
           graft_cli_bytes((uint64_t)t->packed_bytes));
    printf("             the whole process %s at most\n",
           graft_cli_bytes(t->peak_bytes));
}

static void in_words(const struct graft_settings *s,
                     const struct graft_timing *t)
{
    fputs("model        ", stdout);
    graft_cli_put(stdout, s->operand[0]);
    printf("\nbatch        %d photo%s", t->batch, t->batch == 1 ? "" : "s");
    if (t->fixed_batch)
        printf(" (the file fixes it at %d)", t->fixed_batch);
    printf("\nthreads      %d, %s\n", t->threads, t->isa);
    speed(t);
    memory(t);
    printf("plan         %d steps\n", t->steps);
    if (s->plan) {
        fputc('\n', stdout);
        graft_cli_lines(stdout, t->plan_text);
    }
}

static int run(struct graft_settings *s)
{
    graft_model *m = NULL;
    struct graft_timing *t = NULL;
    struct graft_bench_options o = GRAFT_BENCH_OPTIONS;
    o.batch = s->batch;
    o.repeats = s->repeats;
    o.width = s->extent.width;
    o.height = s->extent.height;
    o.progress = s->quiet ? NULL : graft_cli_progress;
    int status = graft_model_open(&m, s->rt, s->operand[0]);
    if (!status)
        status = graft_bench(&t, m, &o);
    graft_cli_progress_clear();
    if (!status && s->json)
        printf("%s\n", t->json);
    else if (!status)
        in_words(s, t);
    graft_timing_free(t);
    graft_model_free(m);
    return status ? graft_cli_failed(status) : GRAFT_EXIT_DONE;
}

extern const struct graft_command graft_cmd_bench;
const struct graft_command graft_cmd_bench = {
    .name = "bench",
    .summary = "how fast a model runs on this machine",
    .usage = "MODEL [options]",
    .about =
        "Runs the forward pass of the whole model on made-up input, again\n"
        "and again, and says how many photos a second that makes, how far\n"
        "the runs lie apart, and what memory is planned. Reading photos is\n"
        "not part of it.\n",
    .example = "graft bench mobilenetv2.onnx\n"
               "graft bench mobilenetv2.onnx --batch-size 1 --threads 1\n",
    .min_operands = 1, .max_operands = 1,
    .group = {{"options", options}, {"everywhere", graft_options_common}},
    .run = run,
};
