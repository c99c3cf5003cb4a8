/* A classifier from a backbone and a folder of photos, with a line of
 * progress; what `graft train` does, in one call.
 *
 *     cc train_head.c $(pkg-config --cflags --libs graft) -o train_head
 *     ./train_head resnet18.onnx photos/ tigers.onnx
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include <graft.h>

static int progress(void *ctx, const char *phase, const char *what,
                    uint64_t done, uint64_t total)
{
    (void)ctx;
    if (done == total)
        fprintf(stderr, "%s: %llu %s\n", phase, (unsigned long long)done,
                what);
    return 0; /* anything else: please stop */
}

int main(int argc, char **argv)
{
    struct graft_train_options options = GRAFT_TRAIN_OPTIONS;
    struct graft_report *report = NULL;
    if (argc != 4) {
        fprintf(stderr, "usage: train_head BACKBONE PHOTOS OUT\n");
        return 2;
    }
    options.model = argv[1];
    options.data = argv[2];
    options.output = argv[3];
    options.progress = progress;
    if (graft_train(&report, NULL, &options)) {
        fprintf(stderr, "train_head: %s\n", graft_error_message());
        return 1;
    }
    printf("%d of %d right, 95 %% interval %.3f to %.3f\n", report->correct,
           report->total, report->wilson_low, report->wilson_high);
    for (int i = 0; i < report->n_mistakes && i < 3; i++)
        printf("wrong: %s\n", report->mistakes[i].file);
    graft_report_free(report);
    return 0;
}
