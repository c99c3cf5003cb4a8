/* Options that several commands share.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>

#include "cli.h"

const struct graft_option graft_options_common[] = {
    {.name = "threads", .arg = "N", .take = graft_take_int,
     .slot = GRAFT_SLOT(runtime.threads), .min = 1, .max = 1024,
     .help = "threads to work with (default: one for each processor); "
             "results do not depend on it"},
    {.name = "memory-limit", .arg = "SIZE", .take = graft_take_bytes,
     .slot = GRAFT_SLOT(runtime.memory_limit),
     .help = "refuse to plan for more memory than this, e.g. 900M "
             "(default: no limit)"},
    {.name = "mem", .arg = "SIZE", .take = graft_take_bytes,
     .slot = GRAFT_SLOT(runtime.memory_limit),
     .help = "--memory-limit for short"},
    {.name = "isa", .arg = "SET", .take = graft_take_choice,
     .slot = GRAFT_SLOT(runtime.isa), .choices = "generic avx2 avx512",
     .help = "instructions to use: generic, avx2 or avx512 "
             "(default: the best this machine has)"},
    {.name = "exact", .take = graft_take_flag,
     .slot = GRAFT_SLOT(runtime.exact),
     .help = "convolutions as plain sums of products, without the faster ways "
             "that round a little more"},
    {.name = "quiet", .letter = 'q', .take = graft_take_flag,
     .slot = GRAFT_SLOT(quiet),
     .help = "no progress line, no notes; warnings and errors stay"},
    {.name = "help", .letter = 'h', .take = graft_take_flag,
     .slot = GRAFT_SLOT(help), .help = "this text"},
    {.name = NULL},
};

const struct graft_option graft_options_model[] = {
    {.name = "follow-links", .arg = "ROOT", .take = graft_take_text,
     .slot = GRAFT_SLOT(runtime.links_root),
     .help = "data files that a model names may be links, as in caches, if "
             "the real file lies beneath ROOT (default: links are refused)"},
    {.name = NULL},
};

const struct graft_option graft_options_pixels[] = {
    {.name = "preprocess", .arg = "PRESET", .take = graft_take_choice,
     .slot = GRAFT_SLOT(preset), .choices = "imagenet tf raw255 cifar bgr255",
     .help = "how pixels become numbers: imagenet (mean and deviation of "
             "ImageNet), tf (-1 to 1), raw255 (0 to 255), cifar (as "
             "imagenet, whole picture), bgr255 (0 to 255, blue first) "
             "(default: what the file says, else imagenet)"},
    {.name = "size", .arg = "WxH", .take = graft_take_extent,
     .slot = GRAFT_SLOT(extent),
     .help = "size of the model's input in pixels (default: the model's)"},
    {.name = "fit", .arg = "HOW", .take = graft_take_choice,
     .slot = GRAFT_SLOT(fit), .choices = "crop squash pad",
     .help = "crop the middle, squash the sides, or pad around "
             "(default: the preset's, mostly crop)"},
    {.name = "mean", .arg = "A,B,C", .take = graft_take_triple,
     .slot = GRAFT_SLOT(mean), .min = -1e30,
     .help = "subtracted from pixels of 0 to 255, per channel; one number "
             "counts for all"},
    {.name = "std", .arg = "A,B,C", .take = graft_take_triple,
     .slot = GRAFT_SLOT(std), .min = 1e-6,
     .help = "then divided by this, per channel; one number counts for all"},
    {.name = "bgr", .take = graft_take_flag, .slot = GRAFT_SLOT(bgr),
     .help = "the model wants blue first"},
    {.name = "rgb", .take = graft_take_flag, .slot = GRAFT_SLOT(rgb),
     .help = "the model wants red first"},
    {.name = "decode", .arg = "HOW", .take = graft_take_choice,
     .slot = GRAFT_SLOT(decode), .choices = "fast exact",
     .help = "fast takes a JPEG at 1/2, 1/4 or 1/8 of its size while the "
             "short side stays twice what is needed; exact takes every pixel "
             "(default: what the file says, else fast)"},
    {.name = "batch", .arg = "N", .take = graft_take_int,
     .slot = GRAFT_SLOT(batch), .min = 1, .max = 4096,
     .help = "photos at a time (default: chosen)"},
    {.name = "strict", .take = graft_take_flag, .slot = GRAFT_SLOT(strict),
     .help = "a photo that cannot be read ends the work "
             "(default: it is named and skipped)"},
    {.name = NULL},
};

const struct graft_option graft_options_cache[] = {
    {.name = "cache", .arg = "DIR", .take = graft_take_text,
     .slot = GRAFT_SLOT(runtime.cache_dir),
     .help = "where features are kept (default: $GRAFT_CACHE, else "
             "graft in $XDG_CACHE_HOME or ~/.cache)"},
    {.name = "cache-max", .arg = "SIZE", .take = graft_take_bytes,
     .slot = GRAFT_SLOT(runtime.cache_max),
     .help = "most bytes kept there, oldest go first (default: 8G)"},
    {.name = "no-cache", .take = graft_take_flag,
     .slot = GRAFT_SLOT(no_cache), .help = "neither read nor keep features"},
    {.name = NULL},
};

struct graft_preprocess_options
graft_cli_preprocess(const struct graft_settings *s)
{
    struct graft_preprocess_options p = GRAFT_PREPROCESS_OPTIONS;
    p.preset = s->preset;
    p.width = s->extent.width;
    p.height = s->extent.height;
    p.fit = s->fit;
    p.mean = s->mean.given ? s->mean.at : NULL;
    p.std = s->std.given ? s->std.at : NULL;
    p.bgr = s->bgr ? 1 : s->rgb ? 0 : -1;
    return p;
}

struct graft_classify_options
graft_cli_classify(const struct graft_settings *s)
{
    struct graft_classify_options o = GRAFT_CLASSIFY_OPTIONS;
    o.preprocess = graft_cli_preprocess(s);
    o.labels = s->labels;
    o.top = s->top;
    o.batch = s->batch;
    o.strict = s->strict;
    o.decode = s->decode;
    o.progress = s->quiet ? NULL : graft_cli_progress;
    return o;
}
