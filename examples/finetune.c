/* Fine-tuning with a loop of one's own: the weights that match a pattern, on
 * arrays. IMAGES is a NumPy file of float32 as the model's input has it (dim
 * 0: photos, up to 65536), LABELS one with a class index for each.
 *
 *     cc finetune.c $(pkg-config --cflags --libs graft) -o finetune
 *     ./finetune net.onnx 'layer4.*' images.npy labels.npy tuned.onnx
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include <graft.h>

enum { BATCH = 32, EPOCHS = 10, IMAGES = 65536 };

static int train(graft_trainer *t, const struct graft_array *x,
                 const struct graft_array *y)
{
    static int32_t label[IMAGES];
    int64_t each = 1, n = x->dim[0] < IMAGES ? x->dim[0] : IMAGES;
    int status = 0;
    for (int d = 1; d < x->rank; d++)
        each *= x->dim[d];
    for (int64_t i = 0; i < n; i++)
        label[i] = i < y->dim[0] ? (int32_t)y->data[i] : -1;
    for (int epoch = 0; epoch < EPOCHS && !status; epoch++) {
        double loss, sum = 0;
        for (int64_t i = 0; i < n && !status; i += BATCH) {
            struct graft_array part = *x;
            struct graft_train_batch b = {&part, 1, label + i, NULL, NULL};
            part.data = x->data + i * each;
            part.dim[0] = n - i < BATCH ? n - i : BATCH;
            status = graft_trainer_step(t, &b, &loss);
            sum += status ? 0 : loss * (double)part.dim[0];
        }
        if (!status)
            printf("epoch %d: loss %.4f\n", epoch + 1, sum / (double)n);
    }
    return status;
}

int main(int argc, char **argv)
{
    struct graft_trainer_options o = GRAFT_TRAINER_OPTIONS;
    struct graft_array x = {0}, y = {0};
    graft_model *m = NULL;
    graft_trainer *t = NULL;
    if (argc != 6) {
        fprintf(stderr, "usage: finetune MODEL WEIGHTS IMAGES LABELS OUT\n");
        return 2;
    }
    const char *const weights = argv[2];
    o.parameters = &weights;
    o.n_parameters = 1;
    o.inputs = &x;
    o.n_inputs = 1;
    int status = graft_model_open(&m, NULL, argv[1]);
    if (!status && !(status = graft_npy_read(&x, NULL, argv[3])))
        status = graft_npy_read(&y, NULL, argv[4]);
    if (!status && !(status = graft_trainer_new(&t, m, &o)))
        status = train(t, &x, &y);
    if (!status && !(status = graft_trainer_store(t, m, false)))
        status = graft_model_save(m, argv[5], NULL);
    if (status)
        fprintf(stderr, "finetune: %s\n", graft_error_message());
    graft_trainer_free(t);
    graft_model_free(m);
    graft_npy_release(&x);
    graft_npy_release(&y);
    return status != 0;
}
