/* d(loss)/d(weight) of a named tensor, beside what the loss says when the
 * weight is moved a little: (L(w + h) - L(w - h)) / 2h. IMAGES is a NumPy
 * file of float32 as the model's input has it; classes are made up.
 *
 *     cc gradcheck.c $(pkg-config --cflags --libs graft) -o gradcheck
 *     ./gradcheck net.onnx fc.weight images.npy
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include <graft.h>

enum { SHOWN = 8 };

static int loss_at(graft_trainer *t, const struct graft_train_batch *b,
                   const char *name, int64_t i, float w, double *loss)
{
    int status = graft_trainer_set_element(t, name, i, w);
    return status ? status : graft_trainer_loss(t, b, loss, NULL);
}

/* Element i: its gradient, and the difference; the tensor stays as it was. */
static int compare(graft_trainer *t, const struct graft_train_batch *b,
                   const char *name, int64_t i, double gradient)
{
    struct graft_array a;
    double up, down;
    int status = graft_trainer_parameter(&a, t, name);
    if (status)
        return status;
    const float w = a.data[i], above = w + 1e-2f, below = w - 1e-2f;
    status = loss_at(t, b, name, i, above, &up);
    if (!status)
        status = loss_at(t, b, name, i, below, &down);
    if (!status)
        status = graft_trainer_set_element(t, name, i, w);
    if (!status)
        printf("%10lld %14.6g %14.6g\n", (long long)i, gradient,
               (up - down) / ((double)above - (double)below));
    return status;
}

/* Elements that lie evenly in the tensor. */
static int check(graft_trainer *t, const struct graft_train_batch *b,
                 const char *name)
{
    double gradient[SHOWN];
    struct graft_array a;
    int64_t n = 1;
    int status = graft_trainer_gradients(t, b, NULL);
    if (!status)
        status = graft_trainer_gradient(&a, t, name);
    if (status)
        return status;
    for (int d = 0; d < a.rank; d++)
        n *= a.dim[d];
    for (int k = 0; k < SHOWN; k++)
        gradient[k] = (double)a.data[k * n / SHOWN];
    printf("%10s %14s %14s\n", "element", "gradient", "difference");
    for (int k = 0; k < SHOWN && k < n && !status; k++)
        status = compare(t, b, name, k * n / SHOWN, gradient[k]);
    return status;
}

int main(int argc, char **argv)
{
    struct graft_trainer_options o = GRAFT_TRAINER_OPTIONS;
    struct graft_array x = {0};
    graft_model *m = NULL;
    graft_trainer *t = NULL;
    if (argc != 4) {
        fprintf(stderr, "usage: gradcheck MODEL TENSOR IMAGES\n");
        return 2;
    }
    const char *const name = argv[2];
    o.parameters = &name;
    o.n_parameters = 1;
    o.inputs = &x;
    o.n_inputs = 1;
    int status = graft_model_open(&m, NULL, argv[1]);
    if (!status)
        status = graft_npy_read(&x, NULL, argv[3]);
    if (!status)
        status = graft_trainer_new(&t, m, &o);
    int32_t *classes = status ? NULL : calloc((size_t)x.dim[0], 4);
    for (int64_t i = 0; classes && i < x.dim[0]; i++)
        classes[i] = (int32_t)(i % graft_trainer_classes(t));
    struct graft_train_batch b = {&x, 1, classes, NULL, NULL};
    if (!status)
        status = check(t, &b, name);
    if (status)
        fprintf(stderr, "gradcheck: %s\n", graft_error_message());
    free(classes);
    graft_trainer_free(t);
    graft_model_free(m);
    graft_npy_release(&x);
    return status != 0;
}
