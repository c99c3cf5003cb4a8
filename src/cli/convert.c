/* What graft export converts, batch and weights, and how it is told.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>

#include "cli.h"

const struct graft_option graft_options_convert[] = {
    {.name = "batch-size", .arg = "N|dynamic", .take = graft_take_batch,
     .slot = GRAFT_SLOT(batch_size),
     .help = "the batch of the model's inputs: a number, or dynamic for any; "
             "constants in Reshape, Expand and Slice follow, and random "
             "images prove it. A model that needs its batch is refused by "
             "the name of the node (default: the batch that it has)"},
    {.name = "float16", .take = graft_take_flag, .slot = GRAFT_SLOT(float16),
     .help = "store large weights as float16, half their size; computing "
             "stays float32. A tensor with a weight beyond 65504 keeps "
             "float32"},
    {.name = "photos", .arg = "FOLDER", .take = graft_take_text,
     .slot = GRAFT_SLOT(photos),
     .help = "run the model as it was and as it becomes on these photos, "
             "before anything is written, and say how far apart the answers "
             "are"},
    {.name = NULL},
};

int graft_cli_check_conversion(const struct graft_settings *s)
{
    const bool pixels = s->preset || s->extent.width || s->fit ||
                        s->mean.given || s->std.given || s->bgr || s->rgb ||
                        s->decode || s->strict;
    if (s->photos && !s->float16 && !s->batch_size.given)
        return graft_cli_wrong("--photos measures what --float16 or "
                               "--batch-size do; neither is given");
    if (s->batch && !s->photos)
        return graft_cli_wrong("--batch is how many of --photos are run at a "
                               "time; a model's own batch is --batch-size");
    if (pixels && !s->photos)
        return graft_cli_wrong("options about photos count only with "
                               "--photos FOLDER");
    return 0;
}

int graft_cli_compare(struct graft_conversion *c, const graft_model *was,
                      const graft_model *is, const struct graft_settings *s)
{
    const struct graft_classify_options o = graft_cli_classify(s);
    int status = graft_compare(&c->compared, was, is, s->photos, &o);
    graft_cli_progress_clear();
    return status;
}

/* ---- telling ------------------------------------------------------------- */

static void put_batch(int batch)
{
    if (batch == GRAFT_BATCH_DYNAMIC)
        fputs("dynamic", stdout);
    else
        printf("%d", batch);
}

static const char *s_of(int64_t n)
{
    return n == 1 ? "" : "s";
}

static void tell_batch(const struct graft_batch_change *b)
{
    fputs("batch     ", stdout);
    put_batch(b->after);
    if (b->before == b->after) {
        puts(", as it was");
        return;
    }
    fputs(", was ", stdout);
    put_batch(b->before);
    printf("; %d constant%s and %d type%s follow\n", b->constants,
           s_of(b->constants), b->types, s_of(b->types));
}

static void tell_float16(const struct graft_float16_change *f)
{
    if (!f->tensors) {
        printf("float16   no tensor changed: none of float32 is %s\n",
               f->too_large_count ? "without a weight beyond 65504"
                                  : "large and neither input nor output");
    } else {
        printf("float16   %s tensor%s, %s instead of %s\n",
               graft_cli_count(f->tensors), s_of(f->tensors),
               graft_cli_bytes(f->bytes_after),
               graft_cli_bytes(f->bytes_before));
        printf("          rounded by %.2g %% (root mean square), at most by "
               "%.2g in ", 100 * f->relative, f->largest);
        graft_cli_name(stdout, f->worst);
        putchar('\n');
    }
    if (f->lost)
        printf("          %s weight%s too small for float16: 0 now\n",
               graft_cli_count(f->lost), s_of(f->lost));
    if (f->too_large_count) {
        printf("          %s tensor%s with a weight beyond 65504 stay%s "
               "float32: ", graft_cli_count(f->too_large_count),
               s_of(f->too_large_count), f->too_large_count == 1 ? "s" : "");
        graft_cli_name(stdout, f->too_large);
        puts(f->too_large_count == 1 ? "" : ", ...");
    }
}

static void tell_compared(const struct graft_comparison *c)
{
    printf("measured  on %s photo%s: answers up to %.2g apart, on average "
           "%.2g (the largest is %.3g)\n", graft_cli_count(c->photos),
           s_of(c->photos), c->largest, c->mean, c->scale);
    if (c->classes)
        printf("          %s of them with another best class\n",
               c->changed ? graft_cli_count(c->changed) : "none");
    if (c->skipped)
        printf("          %s could not be read\n",
               graft_cli_count(c->skipped));
}

void graft_cli_tell_conversion(const struct graft_conversion *c,
                               const struct graft_settings *s)
{
    if (s->batch_size.given)
        tell_batch(&c->batch);
    if (s->float16)
        tell_float16(&c->float16);
    if (s->photos)
        tell_compared(&c->compared);
    else if (s->float16)
        puts("measured  no: give photos (--photos FOLDER) to see how far the "
             "answers move");
}
