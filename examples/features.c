/* The numbers behind a photo's class: runs a model up to any value and
 * prints the first of them. Input: a NumPy file of float32.
 *
 *     cc features.c $(pkg-config --cflags --libs graft) -o features
 *     ./features mobilenetv2.onnx 464 in.npy
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include <graft.h>

static int run(const char *path, const char *value, const char *file)
{
    graft_model *model = NULL;
    graft_session *session = NULL;
    struct graft_array in = {0};
    int status = graft_model_open(&model, NULL, path);
    if (!status)
        status = graft_npy_read(&in, NULL, file);
    if (!status)
        status = graft_session_new(&session, model, &in, 1, &value, 1);
    if (!status)
        status = graft_session_run(session, &in, 1);
    if (!status) {
        struct graft_array out = graft_session_output(session, 0);
        int64_t n = 1;
        for (int i = 0; i < out.rank; i++)
            n *= out.dim[i];
        for (int64_t i = 0; i < n && i < 8; i++)
            printf("%g\n", (double)out.data[i]);
    }
    graft_session_free(session);
    graft_npy_release(&in);
    graft_model_free(model);
    return status;
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: features MODEL VALUE in.npy\n");
        return 2;
    }
    if (run(argv[1], argv[2], argv[3])) {
        fprintf(stderr, "features: %s\n", graft_error_message());
        return 1;
    }
    return 0;
}
