/* Whole networks against ONNX Runtime's outputs: within 1e-4 of the largest
 * output, whatever the number of threads, alone or in a batch.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/runtime.h"
#include "onnx/onnx.h"
#include "support/net.h"
#include "support/npy.h"

static const char *shared(const char *format, const char *name)
{
    char path[300];
    snprintf(path, sizeof path, format, name);
    return test_shared(path);
}

/* Puts an [N,3,H,W] array into input 0 from image `first` on. */
static void feed(struct graft_program *p, const struct npy *x, int first)
{
    struct graft_view v = graft_program_input(p, 0);
    int64_t size = graft_shape_span(&x->shape, 1, x->shape.rank);
    int64_t channels = x->shape.dim[1], pixels = size / channels;
    bool image = v.fmt.layout == GRAFT_IMAGE;
    for (int64_t n = 0; n < x->shape.dim[0]; n++)
        for (int64_t i = 0; i < size; i++) {
            int64_t to = image ? i % pixels * channels + i / pixels : i;
            graft_reals(&v)[(first + n) * size + to] =
                (real)x->data[n * size + i];
        }
}

static void compare(const struct graft_view *y, const struct npy *want)
{
    double top = 0, worst = 0;
    for (int64_t i = 0; i < want->count; i++) {
        double w = (double)want->data[i];
        double d = fabs((double)graft_reals(y)[i] - w);
        top = fabs(w) > top ? fabs(w) : top;
        worst = d > worst || isnan(d) ? d : worst;
    }
    if (!(worst <= 1e-4 * top))
        fail_msg("worst difference %g, largest output %g", worst, top);
}

/* What a program holds is what its plan announced, within 5 %; the rest is
 * its own book-keeping, which small networks may have 2 MB of. */
static void check_announced(const struct graft_memory *m, uint64_t held)
{
    double said = (double)(m->block_bytes + m->scratch_bytes +
                           m->pack_bytes + m->param_bytes);
    double off = (double)held - said;
    if (off < -0.05 * said || off > 0.05 * said + 2e6)
        fail_msg("%.0f bytes announced, %.0f held", said, (double)held);
}

/* A model on one input and its expected output, in batches of `batch`, the
 * images of the file last. */
static void check_pair(const char *model, const char *in, const char *out,
                       int batch)
{
    struct graft_model *m = NULL;
    struct graft_program *p = NULL;
    struct graft_memory memory;
    struct npy x = npy_read(in), want = npy_read(out);
    assert_ok(graft_onnx_open(&m, NULL, model));
    uint64_t before = graft_alloc_stats().live_bytes;
    int images = (int)x.shape.dim[0];
    struct graft_compile c = {.model = m,
                              .n_max = batch > images ? batch : images};
    assert_ok(graft_program_new(&p, NULL, &c));
    feed(p, &x, c.n_max - images);
    assert_ok(graft_program_forward(p, c.n_max));
    struct graft_view y = graft_program_output(p, 0);
    y.data = graft_reals(&y) +
             (c.n_max - images) * (graft_count(&y) / c.n_max);
    compare(&y, &want);
    graft_program_memory(p, &memory);
    check_announced(&memory, graft_alloc_stats().live_bytes - before);
    if ((double)memory.block_bytes > 1.10 * (double)memory.live_bytes)
        fail_msg("block of %lld bytes for %lld live ones",
                 (long long)memory.block_bytes,
                 (long long)memory.live_bytes);
    graft_program_free(p);
    graft_graph_free(m);
    npy_release(&x);
    npy_release(&want);
}

static void check_model(const char *folder, const char *model,
                        const char *golden, int batch)
{
    char path[3][400];
    const char *found;
    const char *const formats[] = {folder, "models/golden/%s.in.npy",
                                   "models/golden/%s.out.npy"};
    const char *const names[] = {model, golden, golden};
    for (int i = 0; i < 3; i++) {
        found = shared(formats[i], names[i]);
        if (!found) {
            print_message("needs ../shared/models for %s\n", model);
            skip();
        }
        snprintf(path[i], sizeof path[i], "%s", found ? found : "");
    }
    check_pair(path[0], path[1], path[2], batch);
}

#define MODEL "models/%s.onnx"
#define EXTERNAL "models/external/%s.onnx"

TEST(program_golden__squeezenet)
{
    check_model(MODEL, "squeezenet1.1_imagenet", "squeezenet1.1_imagenet", 3);
}

TEST(program_golden__squeezenet_as_pytorch_exports_it_today)
{
    check_model(EXTERNAL, "squeezenet_torch215", "squeezenet1.1_imagenet", 1);
}

TEST(program_golden__mobilenetv2_gemm)
{
    check_model(MODEL, "mobilenetv2_imagenet_gemm",
                "mobilenetv2_imagenet_gemm", 2);
}

TEST(program_golden__mobilenetv2_bn_backbone)
{
    check_model(MODEL, "mobilenetv2_bn_backbone", "mobilenetv2_bn_backbone",
                2);
}

TEST(program_golden__mobilenetv3_small)
{
    check_model(MODEL, "mobilenetv3_small_dequant",
                "mobilenetv3_small_dequant", 2);
}

TEST(program_golden__resnet50v2_stage3_backbone)
{
    check_model(MODEL, "resnet50v2_stage3_backbone",
                "resnet50v2_stage3_backbone", 1);
}

TEST(program_golden__resnet20_cifar10)
{
    check_model(MODEL, "resnet20_cifar10", "resnet20_cifar10", 16);
}

TEST(program_golden__shufflenet_torch215)
{
    check_model(EXTERNAL, "shufflenet_v2_x0_5_torch215",
                "shufflenet_v2_x0_5_torch215", 2);
}

TEST(program_golden__squeezenet_test_vectors)
{
    char model[400], in[400], out[400], name[100];
    NEED_SHARED(path, "models/squeezenet1.1_imagenet.onnx");
    snprintf(model, sizeof model, "%s", path ? path : "");
    for (int i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "models/testvec_squeezenet1.1/%d/"
                 "input_0.npy", i);
        NEED_SHARED(from, name);
        snprintf(in, sizeof in, "%s", from ? from : "");
        snprintf(name, sizeof name, "models/testvec_squeezenet1.1/%d/"
                 "output_0.npy", i);
        NEED_SHARED(to, name);
        snprintf(out, sizeof out, "%s", to ? to : "");
        check_pair(model, in, out, 1);
    }
}

/* Bits for 1, 2 and 3 threads, and for a photo alone or among others. */
TEST(program_golden__bits_do_not_depend_on_threads_or_company)
{
    NEED_SHARED(path, "models/mobilenetv2_imagenet_gemm.onnx");
    struct graft_model *m = NULL;
    assert_ok(graft_onnx_open(&m, NULL, path));
    enum { BATCH = 3 };
    real *want = NULL;
    int64_t count = 0;
    for (int threads = 1; threads <= 3; threads++) {
        struct graft_runtime *rt = net_runtime(threads);
        struct graft_program *p = NULL;
        struct graft_compile c = {.model = m, .n_max = BATCH};
        assert_ok(graft_program_new(&p, rt, &c));
        net_fill(p, 0, BATCH);
        assert_ok(graft_program_forward(p, BATCH));
        struct graft_view y = graft_program_output(p, 0);
        count = graft_count(&y);
        size_t bytes = (size_t)count * sizeof *want;
        if (!want) {
            want = graft_malloc(bytes);
            assert_non_null(want);
            memcpy(want, y.data, bytes);
        }
        assert_memory_equal(want, y.data, bytes);
        net_fill(p, BATCH - 1, 1);
        assert_ok(graft_program_forward(p, 1));
        assert_memory_equal(want + count / BATCH * (BATCH - 1), y.data,
                            bytes / BATCH);
        graft_program_free(p);
        graft_runtime_free(rt);
    }
    graft_free(want);
    graft_graph_free(m);
}
