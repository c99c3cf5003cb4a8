/* Gives a model's only output another name, and prints which inputs and
 * outputs it has then.
 *
 *     cc rename_output.c $(pkg-config --cflags --libs graft) \
 *        -o rename_output
 *     ./rename_output mobilenetv2.onnx logits renamed.onnx
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include <graft.h>

static void print(const char *what, const struct graft_value_info *v, int n)
{
    for (int i = 0; i < n; i++) {
        const struct graft_type_info *t = &v[i].type;
        printf("%s %s %s [", what, v[i].name, t->dtype_name);
        for (int k = 0; k < t->rank; k++) {
            const struct graft_dim_info *d = &t->dims[k];
            printf("%s", k ? "," : "");
            if (d->value >= 0)
                printf("%lld", (long long)d->value);
            else
                printf("%s", d->symbol ? d->symbol : "?");
        }
        printf("]\n");
    }
}

static int print_ends(const graft_model *model)
{
    struct graft_model_info *x = NULL;
    int status = graft_model_info_new(&x, model);
    if (!status) {
        print("input ", x->graph.inputs, x->graph.n_inputs);
        print("output", x->graph.outputs, x->graph.n_outputs);
    }
    graft_model_info_free(x);
    return status;
}

static int rename_output(graft_model *model, const char *name)
{
    struct graft_model_info *x = NULL;
    int status = graft_model_info_new(&x, model);
    if (!status && !x->graph.n_outputs) {
        fprintf(stderr, "rename_output: the model has no outputs\n");
        graft_model_info_free(x);
        return 1; /* said already */
    }
    if (!status && x->graph.n_outputs != 1)
        fprintf(stderr, "the model has %d outputs; the first is renamed\n",
                x->graph.n_outputs);
    /* The description stays as it was while the model changes. */
    if (!status)
        status = graft_model_rename(model, x->graph.outputs[0].name, name);
    graft_model_info_free(x);
    return status;
}

int main(int argc, char **argv)
{
    graft_model *model = NULL;
    if (argc != 4) {
        fprintf(stderr, "usage: rename_output MODEL NAME OUT.onnx\n");
        return 2;
    }
    int status = graft_model_open(&model, NULL, argv[1]);
    if (!status)
        status = rename_output(model, argv[2]);
    if (!status)
        status = graft_model_save(model, argv[3], NULL);
    if (!status)
        status = print_ends(model);
    if (status < 0)
        fprintf(stderr, "rename_output: %s\n", graft_error_message());
    graft_model_free(model);
    return status ? 1 : 0;
}
