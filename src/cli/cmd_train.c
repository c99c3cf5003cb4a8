/* graft train: a new head on a backbone, from photos.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <string.h>

#include "cli.h"

static const struct graft_option options[] = {
    {.name = "output", .letter = 'o', .arg = "FILE", .take = graft_take_text,
     .slot = GRAFT_SLOT(output),
     .help = "the classifier to write (default: none, only the report)"},
    {.name = "force", .letter = 'f', .take = graft_take_flag,
     .slot = GRAFT_SLOT(force), .help = "replace FILE if it exists"},
    {.name = "cut", .arg = "VALUE", .take = graft_take_text,
     .slot = GRAFT_SLOT(cut),
     .help = "where the new head is set on, as 'graft inspect' lists them "
             "(default: where the old head begins)"},
    {.name = "seed", .arg = "N", .take = graft_take_seed,
     .slot = GRAFT_SLOT(seed),
     .help = "of split, folds and views: same seed, same bytes (default: 0)"},
    {.name = "views", .arg = "K", .take = graft_take_views,
     .slot = GRAFT_SLOT(views), .max = 1000,
     .help = "also learn from K fixed views of each photo; 'fresh', with "
             "--unfreeze: each epoch draws new ones, and the photos are read "
             "and the frozen part is computed anew each time (default: 0)"},
    {.name = "augment", .arg = "RECIPE", .take = graft_take_choice,
     .slot = GRAFT_SLOT(augment), .choices = "none flip standard strong",
     .help = "how views differ from their photo: none; flip; standard (a "
             "crop of 8 to 100 % of the area, flip, a little colour); strong "
             "(more colour, a box erased in one of four) (default: a crop "
             "of 35 to 100 %, flip)"},
    {.name = "l2", .arg = "X", .take = graft_take_real,
     .slot = GRAFT_SLOT(l2), .max = 1e12,
     .help = "weight of the L2 penalty (default: chosen by "
             "cross-validation inside train)"},
    {.name = "emit", .arg = "WHAT", .take = graft_take_choice,
     .slot = GRAFT_SLOT(emit), .choices = "probabilities logits",
     .help = "what the file gives: probabilities or logits "
             "(default: probabilities)"},
    {.name = "external-data", .take = graft_take_flag,
     .slot = GRAFT_SLOT(external_data),
     .help = "weights beside the file, in FILE.data"},
    {.name = "json", .take = graft_take_flag, .slot = GRAFT_SLOT(json),
     .help = "the report as JSON instead of words"},
    {.name = NULL},
};

static const struct graft_option tuning[] = {
    {.name = "unfreeze", .arg = "WORDS", .take = graft_take_text,
     .slot = GRAFT_SLOT(tune.unfreeze),
     .help = "train the backbone too, as far as WORDS say, joined by commas: "
             "last-stage, stages:N (the last N), all, from:VALUE, "
             "name:PATTERN, bias, norm, scale-shift (as norm, where it was "
             "folded into weights); 'graft inspect --unfreeze WORDS' "
             "shows what that is and costs; or auto, which tries how deep and "
             "at what rate by short runs, and says so (default: none, only "
             "the head)"},
    {.name = "freeze", .arg = "WORDS", .take = graft_take_text,
     .slot = GRAFT_SLOT(tune.freeze),
     .help = "take away from that, in the same words"},
    {.name = "epochs", .arg = "N", .take = graft_take_int,
     .slot = GRAFT_SLOT(tune.epochs), .min = 1, .max = 100000,
     .help = "times each photo is learnt from, at most (default: 15; of "
             "auto as many as make 60 steps)"},
    {.name = "time", .arg = "TIME", .take = graft_take_seconds,
     .slot = GRAFT_SLOT(tune.seconds),
     .help = "such as 90s, 10m, 2h: as few epochs, and tries of auto, as "
             "fit into it (default: any time; auto: 10m)"},
    {.name = "patience", .arg = "N", .take = graft_take_int,
     .slot = GRAFT_SLOT(tune.patience), .min = -1, .max = 100000,
     .help = "end after N epochs that are not better on the held-out photos; "
             "-1: never (default: 5; runs of auto go to their end)"},
    {.name = "optimizer", .arg = "NAME", .take = graft_take_choice,
     .slot = GRAFT_SLOT(tune.optimizer), .choices = "sgd adamw",
     .help = "sgd (with momentum) or adamw (default: sgd)"},
    {.name = "lr", .arg = "X", .take = graft_take_real,
     .slot = GRAFT_SLOT(tune.learning_rate), .max = 1000,
     .help = "highest learning rate; a loss that jumps wants less, one that "
             "hardly falls more (default: 0.001 for sgd, 0.0001 for adamw, "
             "times photos a step / 32)"},
    {.name = "momentum", .arg = "X", .take = graft_take_real,
     .slot = GRAFT_SLOT(tune.momentum), .max = 0.9999,
     .help = "of sgd (default: 0.9)"},
    {.name = "weight-decay", .arg = "X", .take = graft_take_real,
     .slot = GRAFT_SLOT(tune.weight_decay), .max = 1000,
     .help = "pulls weights to 0, not biases and normalisations "
             "(default: 0.0001)"},
    {.name = "schedule", .arg = "NAME", .take = graft_take_choice,
     .slot = GRAFT_SLOT(tune.schedule), .choices = "cosine linear constant",
     .help = "how the rate falls: cosine, linear, constant (default: cosine)"},
    {.name = "warmup", .arg = "X", .take = graft_take_real,
     .slot = GRAFT_SLOT(tune.warmup), .max = 100000,
     .help = "epochs in which the rate grows to its height (default: 1)"},
    {.name = "layer-decay", .arg = "X", .take = graft_take_real,
     .slot = GRAFT_SLOT(tune.layer_decay), .min = 1e-6, .max = 1,
     .help = "rate of each layer as a part of that of the next one nearer "
             "the head (default: 1, all alike)"},
    {.name = "batch-size", .arg = "N", .take = graft_take_int,
     .slot = GRAFT_SLOT(tune.batch_size), .min = 1, .max = 65536,
     .help = "photos a step; memory does not grow with it (default: 32)"},
    {.name = "clip", .arg = "X", .take = graft_take_real,
     .slot = GRAFT_SLOT(tune.clip), .max = 1e12,
     .help = "largest norm of the gradient; 0: any (default: 5)"},
    {.name = "label-smoothing", .arg = "X", .take = graft_take_real,
     .slot = GRAFT_SLOT(tune.label_smoothing), .max = 1,
     .help = "part of each label that is spread over all classes "
             "(default: 0)"},
    {.name = "mixup", .arg = "X", .take = graft_take_real,
     .slot = GRAFT_SLOT(tune.mixup), .max = 100,
     .help = "mix the photos of a step in pairs, and their labels alike, "
             "by parts from Beta(X, X), such as 0.2: their pixels where all "
             "is trained, else what the frozen part makes of them "
             "(default: 0, none)"},
    {.name = "ema", .arg = "X", .take = graft_take_real,
     .slot = GRAFT_SLOT(tune.ema), .max = 0.999999,
     .help = "judge and write an average of the parameters that keeps X of "
             "itself each step, such as 0.99 (default: 0, none)"},
    {.name = "resume", .take = graft_take_flag,
     .slot = GRAFT_SLOT(tune.resume),
     .help = "go on from the checkpoints in FILE's folder NAME.run, to the "
             "bit as if the run had never stopped"},
    {.name = "bn", .arg = "WHAT", .take = graft_take_choice,
     .slot = GRAFT_SLOT(tune.bn), .choices = "frozen stats-frozen train adapt",
     .help = "BatchNormalization: frozen (statistics stay, scale and bias "
             "are trained where WORDS select them), stats-frozen (wherever "
             "what is trained reaches them), train (there statistics of the "
             "batch, and running ones are written; wants hundreds of "
             "photos), adapt (first all statistics are made those of your "
             "training photos, then as frozen; also without --unfreeze) "
             "(default: frozen)"},
    {.name = "from-scratch", .take = graft_take_flag,
     .slot = GRAFT_SLOT(tune.from_scratch),
     .help = "draw all weights anew and train everything, on all photos, for "
             "30 epochs if not told otherwise; implies --unfreeze all and "
             "--bn train; wants thousands of photos"},
    {.name = NULL},
};

static struct graft_train_options wanted(const struct graft_settings *s)
{
    struct graft_train_options o = GRAFT_TRAIN_OPTIONS;
    o.model = s->operand[0];
    o.data = s->operand[1];
    o.output = s->output;
    o.cut = s->cut;
    o.preprocess = graft_cli_preprocess(s);
    o.seed = s->seed;
    o.views = s->views;
    o.l2 = s->l2;
    o.batch = s->batch;
    o.emit_logits = s->emit && !strcmp(s->emit, "logits");
    o.replace = s->force;
    o.external_data = s->external_data;
    o.strict = s->strict;
    o.no_cache = s->no_cache;
    o.decode = s->decode;
    o.tune = s->tune;
    o.augment = s->augment;
    o.progress = s->quiet ? NULL : graft_cli_progress;
    return o;
}

static void what_came(const struct graft_settings *s,
                      const struct graft_report *r)
{
    graft_cli_report(r, GRAFT_REPORT_TRAIN);
    if (!s->output) {
        printf("\nnothing was written: -o FILE keeps the classifier\n");
        return;
    }
    const char *before = "written      ";
    for (const char *p = r->output ? r->output : s->output; *p;) {
        char name[4096];
        size_t n = strcspn(p, "\n");
        snprintf(name, sizeof name, "%.*s", (int)n, p);
        fputs(before, stdout);
        graft_cli_put(stdout, name);
        fputc('\n', stdout);
        p += n + (p[n] == '\n');
        before = "             ";
    }
    fputs("\nnext: graft predict ", stdout);
    graft_cli_put(stdout, s->output);
    fputs(" your.jpg\n", stdout);
}

static int run(struct graft_settings *s)
{
    const bool tunes = s->tune.unfreeze || s->tune.from_scratch;
    if (!tunes && (s->tune.freeze || s->tune.resume))
        return graft_cli_wrong("--%s needs --unfreeze, which says what is "
                               "trained", s->tune.freeze ? "freeze"
                                                         : "resume");
    if (!tunes && s->tune.mixup > 0)
        return graft_cli_wrong("--mixup needs --unfreeze, which says what is "
                               "trained; the head alone has one solution");
    if (!tunes && s->views == GRAFT_VIEWS_FRESH)
        return graft_cli_wrong("--views fresh needs --unfreeze, which says "
                               "what is trained; the head alone learns from "
                               "a fixed number, such as --views 4");
    if (s->tune.resume && !s->output)
        return graft_cli_wrong("--resume needs -o FILE: the checkpoints lie "
                               "beside it");
    struct graft_train_options o = wanted(s);
    struct graft_report *r = NULL;
    int status = graft_train(&r, s->rt, &o);
    graft_cli_progress_clear();
    int signal = graft_cli_signal();
    const bool resumes = tunes && s->output;
    if (status == GRAFT_ECANCELED && signal && (resumes || !s->no_cache)) {
        graft_cli_error(resumes ? "interrupted; the same command with "
                                  "--resume goes on"
                                : "interrupted; features so far are kept, "
                                  "the same command goes on");
        return GRAFT_EXIT_SIGNAL + signal;
    }
    if (status) { /* 3 is for answers, and this is none */
        int code = graft_cli_failed(status);
        return code == GRAFT_EXIT_NO ? GRAFT_EXIT_FAILED : code;
    }
    if (s->json)
        printf("%s\n", r->json);
    else
        what_came(s, r);
    graft_report_free(r);
    return GRAFT_EXIT_DONE;
}

extern const struct graft_command graft_cmd_train;
const struct graft_command graft_cmd_train = {
    .name = "train",
    .summary = "trains a new head on a backbone, from photos",
    .usage = "MODEL PHOTOS -o FILE [options]",
    .about =
        "Freezes the backbone MODEL (an ONNX file), puts a new head on it,\n"
        "trains that on the folder PHOTOS, and writes one ONNX file that\n"
        "every runtime runs. PHOTOS holds one folder for each class, or\n"
        "train/ and val/ (and test/) with such folders inside. Without val/,\n"
        "about a fifth of each class is split off, by seed and content (a\n"
        "small class may get none); nothing is chosen on those photos.\n"
        "test/ is left alone; where there is no val/, graft eval judges on\n"
        "it. Beside FILE.onnx appear FILE.json (what the file says about\n"
        "itself), FILE.labels.txt and FILE.report.json.\n"
        "\n"
        "With --unfreeze, layers of the backbone are trained as well, from\n"
        "the head's solution on. A fifth of the training photos decides how\n"
        "many epochs are best and whether they beat the plain head; if they\n"
        "do, all are learnt from, and if not, the plain head is written.\n"
        "--unfreeze auto chooses layers and rate on some training photos and\n"
        "decides on others; a head without mistakes is left as it is.\n"
        "\n"
        "With --from-scratch only the network's form is taken from MODEL: its\n"
        "weights are drawn anew, and all of them are trained on all photos.\n"
        "That wants thousands of photos; with fewer, a backbone that was\n"
        "trained before does far better.\n",
    .example = "graft train resnet18.onnx photos/ -o tigers.onnx\n"
               "graft train resnet18.onnx photos/ -o t.onnx --views 4 "
               "--fit squash\n"
               "graft train resnet18.onnx photos/ -o t.onnx "
               "--unfreeze last-stage\n"
               "graft train resnet18.onnx photos/ -o t.onnx --unfreeze auto "
               "--time 5m\n"
               "graft train resnet18.onnx photos/ -o t.onnx --bn adapt\n"
               "graft train resnet18.onnx photos/ -o t.onnx "
               "--from-scratch --time 2h\n",
    .min_operands = 2, .max_operands = 2,
    .group = {{"options", options},
              {"fine-tuning", tuning},
              {"model", graft_options_model},
              {"photos", graft_options_pixels},
              {"feature cache", graft_options_cache},
              {"everywhere", graft_options_common}},
    .run = run,
};
