/* What a model's weights are: name, type, shape, bytes, least and largest
 * element and the norm of each.
 *
 *     cc list_weights.c $(pkg-config --cflags --libs graft) -lm \
 *        -o list_weights
 *     ./list_weights mobilenetv2.onnx
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>

#include <graft.h>

enum { AT_ONCE = 1024 };

static void print_shape(const struct graft_tensor_info *t)
{
    printf("[");
    for (int i = 0; i < t->rank; i++)
        printf("%s%lld", i ? "," : "", (long long)t->dims[i]);
    printf("]");
}

/* Texts and complex numbers have no least element: what can be read says
 * graft_tensor_read. */
static void print_range(const struct graft_tensor_info *t)
{
    double part[AT_ONCE], least = INFINITY, most = -INFINITY, squares = 0;
    for (int64_t at = 0; at < t->count; at += AT_ONCE) {
        int64_t n = t->count - at < AT_ONCE ? t->count - at : AT_ONCE;
        if (graft_tensor_read(t, at, n, part)) {
            printf("  (%s)\n", graft_error_message());
            return;
        }
        for (int64_t i = 0; i < n; i++) {
            least = fmin(least, part[i]);
            most = fmax(most, part[i]);
            squares += part[i] * part[i];
        }
    }
    if (t->count > 0)
        printf("  %.6g to %.6g, norm %.6g", least, most, sqrt(squares));
    printf("\n");
}

static int list(const char *path)
{
    graft_model *model = NULL;
    struct graft_model_info *x = NULL;
    uint64_t bytes = 0;
    int status = graft_model_open(&model, NULL, path);
    if (!status)
        status = graft_model_info_new(&x, model);
    for (int i = 0; !status && i < x->graph.n_initializers; i++) {
        const struct graft_tensor_info *t = &x->graph.initializers[i];
        printf("%s  %s ", t->name, t->dtype_name);
        print_shape(t);
        printf("  %llu bytes", (unsigned long long)t->bytes);
        if (t->location)
            printf(" in %s", t->location);
        print_range(t);
        bytes += t->bytes;
    }
    if (!status)
        printf("%d weights, %llu bytes\n", x->graph.n_initializers,
               (unsigned long long)bytes);
    graft_model_info_free(x);
    graft_model_free(model);
    return status;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: list_weights MODEL\n");
        return 2;
    }
    if (list(argv[1])) {
        fprintf(stderr, "list_weights: %s\n", graft_error_message());
        return 1;
    }
    return 0;
}
