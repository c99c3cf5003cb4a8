/* What is on a photo? The smallest program on Graft's library:
 *
 *     cc classify.c $(pkg-config --cflags --libs graft) -o classify
 *     ./classify tigers.onnx a.jpg b.jpg
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include <graft.h>

static void show(void *ctx, const struct graft_prediction *p)
{
    (void)ctx;
    if (p->why)
        printf("%s: cannot be read: %s\n", p->file, p->why);
    else
        printf("%s: %s (%.1f %%)\n", p->file, p->label[0],
               100 * p->probability[0]);
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: classify MODEL PHOTO...\n");
        return 2;
    }
    if (graft_predict(NULL, argv[1], (const char *const *)argv + 2, argc - 2,
                      NULL, show, NULL)) {
        fprintf(stderr, "classify: %s\n", graft_error_message());
        return 1;
    }
    return 0;
}
