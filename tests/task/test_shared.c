/* The figures that are promised, on real backbones and real photos.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/runtime.h"
#include "graft/classifier.h"
#include "task/little.h"
#include "test.h"

static void reaches(const char *model, const char *data, const char *preset,
                    int correct, int total)
{
    char folder[128], backbone[256], photos[256];
    const char *at = test_shared(model);
    snprintf(backbone, sizeof backbone, "%s", at ? at : "");
    at = test_shared(data);
    snprintf(photos, sizeof photos, "%s", at ? at : "");
    memcpy(folder, test_folder(), sizeof folder);
    struct graft_runtime *rt = little_runtime(2, folder);
    struct graft_train_options o = GRAFT_TRAIN_OPTIONS;
    struct graft_report *r = NULL, *again = NULL;
    o.model = backbone;
    o.data = photos;
    o.output = little_path(folder, "out.onnx");
    o.preprocess.preset = preset;
    assert_ok(graft_train(&r, rt, &o));
    print_message("%s on %s: %d of %d\n", model, data, r->correct, r->total);
    assert_int_equal(r->total, total);
    assert_true(r->correct >= correct);
    assert_ok(graft_verify(&again, rt, o.output, photos, NULL));
    graft_report_free(r);
    graft_report_free(again);
    graft_runtime_free(rt);
}

TEST(task_shared__cats_and_tigers_by_mobilenetv2)
{
    NEED_SHARED(path, "models/mobilenetv2_imagenet_gemm.onnx");
    (void)path;
    reaches("models/mobilenetv2_imagenet_gemm.onnx", "data/cat_tiger", "tf",
            58, 59);
}

TEST(task_shared__cats_and_tigers_by_squeezenet)
{
    NEED_SHARED(path, "models/squeezenet1.1_imagenet.onnx");
    (void)path;
    reaches("models/squeezenet1.1_imagenet.onnx", "data/cat_tiger", NULL, 56,
            59);
}

TEST(task_shared__cats_and_tigers_by_what_pytorch_exports)
{
    NEED_SHARED(path, "models/external/squeezenet_torch215.onnx");
    (void)path;
    reaches("models/external/squeezenet_torch215.onnx", "data/cat_tiger",
            NULL, 56, 59);
}

TEST(task_shared__ants_and_bees_by_mobilenetv2)
{
    NEED_SHARED(path, "models/mobilenetv2_imagenet_gemm.onnx");
    (void)path;
    reaches("models/mobilenetv2_imagenet_gemm.onnx", "data/hymenoptera_data",
            "tf", 143, 153);
}
