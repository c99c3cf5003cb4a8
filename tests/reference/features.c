/* Features of photos as training sees them, for comparison with others:
 *     features MODEL VALUE WIDTHxHEIGHT PRESET PHOTO... > floats
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/runtime.h"
#include "data/data.h"
#include "kernels/kernels.h"
#include "onnx/onnx.h"
#include "program/program.h"

static void need(int status)
{
    if (!status)
        return;
    fprintf(stderr, "features: %s\n", graft_error_message());
    exit(1);
}

static void one(struct graft_runtime *rt, struct graft_program *p,
                const struct graft_preprocess *pre, const char *path)
{
    struct graft_view in = graft_program_input(p, 0);
    struct graft_view out = graft_program_output(p, 0);
    struct graft_load_item item = {.root = *path == '/' ? "/" : ".",
                                   .file = path};
    struct graft_load_options o = {.preprocess = pre,
                                   .kernels = graft_kernels_for(rt->isa),
                                   .exact = true,
                                   .layout = in.fmt.layout};
    int n_max = graft_program_n_max(p);
    int64_t count = graft_count(&out) / n_max;
    need(graft_load(rt, &item, 1, in.data, graft_count(&in) / n_max, &o));
    if (item.failed) {
        fprintf(stderr, "features: %s: %s\n", path, item.why);
        exit(1);
    }
    need(graft_program_forward(p, 1));
    if (fwrite(out.data, sizeof(float), (size_t)count, stdout) !=
        (size_t)count)
        exit(1);
}

int main(int argc, char **argv)
{
    struct graft_model *m = NULL;
    struct graft_program *p = NULL;
    struct graft_preprocess pre;
    int width = 0, height = 0;
    if (argc < 6 || sscanf(argv[3], "%dx%d", &width, &height) != 2) {
        fprintf(stderr, "usage: features MODEL VALUE WxH PRESET PHOTO...\n");
        return 2;
    }
    struct graft_runtime *rt = graft_runtime_or_default(NULL);
    need(graft_onnx_open(&m, rt, argv[1]));
    graft_value_id cut = graft_value_find(m, argv[2]);
    int fixed = graft_model_fixed_batch(m);
    struct graft_compile c = {.model = m, .n_max = fixed ? fixed : 1,
                              .outputs = &cut, .n_outputs = 1};
    need(graft_program_new(&p, rt, &c));
    graft_program_params(p);
    need(graft_preprocess_preset(&pre, argv[4], width, height));
    for (int i = 5; i < argc; i++)
        one(rt, p, &pre, argv[i]);
    graft_program_free(p);
    graft_graph_free(m);
    return fflush(stdout) ? 1 : 0;
}
