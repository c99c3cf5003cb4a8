/* Statistics of the photos to train on: those that a slow and simple way
 * finds, one normalisation after the other.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "base/alloc.h"
#include "data/preprocess.h"
#include "support/net.h"
#include "task/little.h"
#include "task/little_deep.h"
#include "task/norms.h"
#include "train/features.h"

enum { PHOTOS = 24, PIXELS = 3 * 12 * 12 };

static const struct graft_preprocess to_pixels = {
    .width = 12, .height = 12, .channels = 3, .fit = GRAFT_FIT_SQUASH,
    .mean = {120, 110, 100}, .std = {50, 60, 70}};

static struct graft_dataset *photos(struct graft_runtime *rt,
                                    const char *folder)
{
    struct graft_dataset *data = NULL;
    little_data(folder);
    assert_ok(graft_dataset_open(&data, rt, folder, 0));
    return data;
}

/* Pixels of the photos to train on, [PHOTOS][PIXELS]. */
static float *pixels(struct graft_runtime *rt, const struct graft_model *m,
                     const struct graft_dataset *d)
{
    struct graft_extract x = {.rt = rt, .model = m, .raw = true,
                              .value = graft_model_feed(m, 0),
                              .preprocess = to_pixels, .floats = PIXELS};
    struct graft_load_item item[PHOTOS];
    int n = 0;
    memset(item, 0, sizeof item);
    for (int i = 0; i < d->photo.n; i++)
        if (d->photo.at[i].part == GRAFT_TRAIN) {
            item[n].root = d->root;
            item[n++].file = d->photo.at[i].file;
        }
    assert_int_equal(n, PHOTOS);
    float *out = graft_malloc(PHOTOS * PIXELS * sizeof *out);
    assert_ok(graft_extract_rows(&x, item, n, out));
    graft_extract_release(&x);
    return out;
}

/* What value v is for all photos together, as the model is now. */
static struct graft_program *run(struct graft_model *m, graft_value_id v,
                                 const float *x)
{
    struct graft_program *p = NULL;
    const struct graft_compile c = {.model = m, .n_max = PHOTOS,
                                    .outputs = &v, .n_outputs = 1};
    assert_ok(graft_program_new(&p, NULL, &c));
    graft_program_put(p, 0, x, PHOTOS);
    assert_ok(graft_program_forward(p, PHOTOS));
    return p;
}

/* Gives the statistics of one normalisation's input to its tensors. */
static void set_statistics(struct graft_model *m,
                           const struct graft_node *node, const float *x)
{
    struct graft_program *p = run(m, node->in[0], x);
    const struct graft_view v = graft_program_output(p, 0);
    const int64_t channels = v.shape.dim[1];
    const int64_t area = graft_shape_span(&v.shape, 2, v.shape.rank);
    float mean[64], var[64];
    assert_true(channels <= 64);
    for (int64_t c = 0; c < channels; c++) {
        double sum = 0, square = 0, n = (double)(PHOTOS * area);
        for (int64_t i = 0; i < PHOTOS * area; i++)
            sum += (double)graft_reals(&v)[(i / area * channels + c) * area +
                                           i % area];
        for (int64_t i = 0; i < PHOTOS * area; i++) {
            double d = (double)graft_reals(&v)[(i / area * channels + c) *
                                                   area + i % area] - sum / n;
            square += d * d;
        }
        mean[c] = (float)(sum / n);
        var[c] = (float)(square / n);
    }
    graft_program_free(p);
    const struct graft_shape s = {1, {channels}};
    assert_ok(graft_edit_contents(m, m->value.at[node->in[3]].tensor,
                                  GRAFT_FLOAT, &s, mean));
    assert_ok(graft_edit_contents(m, m->value.at[node->in[4]].tensor,
                                  GRAFT_FLOAT, &s, var));
}

static void compare(const struct graft_model *a, const struct graft_model *b)
{
    assert_int_equal(a->tensor.n, b->tensor.n);
    for (int i = 0; i < a->tensor.n; i++) {
        const struct graft_tensor *s = &a->tensor.at[i], *t = &b->tensor.at[i];
        assert_int_equal(s->bytes, t->bytes);
        for (uint64_t k = 0; s->dtype == GRAFT_FLOAT && k < s->bytes; k += 4) {
            float x, y;
            memcpy(&x, s->data + k, 4);
            memcpy(&y, t->data + k, 4);
            assert_near((double)x, (double)y,
                        2e-5 * (1 + fabs((double)y)));
        }
    }
}

static void adapted_is_what_is_found(uint64_t room, int threads)
{
    char folder[128];
    memcpy(folder, test_folder(), sizeof folder);
    struct graft_runtime *rt = little_runtime(threads,
                                              little_path(folder, "cache"));
    struct graft_dataset *d = photos(rt, little_path(folder, "data"));
    struct net *a = net_residual(), *b = net_residual();
    float *x = pixels(rt, b->m, d);
    int norms = 0;
    for (int i = 0; i < b->m->node.n; i++)
        if (graft_is_norm(&b->m->node.at[i])) {
            set_statistics(b->m, &b->m->node.at[i], x);
            norms++;
        }
    assert_true(norms >= 3);
    struct graft_adapt o = {.rt = rt, .model = a->m, .preprocess = &to_pixels,
                            .data = d, .room = room};
    assert_ok(graft_adapt(&o));
    assert_int_equal(o.normalisations, norms);
    assert_int_equal(o.photos, PHOTOS);
    compare(a->m, b->m);
    graft_free(x);
    net_free(a);
    net_free(b);
    graft_dataset_free(d);
    graft_runtime_free(rt);
}

TEST(task_adapt__finds_each_normalisation_s_own_statistics)
{
    adapted_is_what_is_found(0, 2);
}
TEST(task_adapt__reads_photos_again_where_memory_is_short)
{
    adapted_is_what_is_found(1, 1);
    adapted_is_what_is_found(PHOTOS * PIXELS * 4, 7);
}

/* A convolution of each channel by itself, and a normalisation. */
static int each_channel(struct net *n, const char *const name[2], int x,
                        int64_t channels)
{
    int w = net_random(n, name[0], NET_DIMS(channels, 1, 3, 3));
    int y = net_node(n, "Conv", name[1],
                     NET_ATTRS(NET_INTS("pads", 1, 1, 1, 1),
                               NET_INT("group", channels)), x, w);
    return net_node(n, "Relu", "each_relu", NULL,
                    net_conv(n, "after", y, channels, channels, 1, true,
                             false));
}

/* Convolutions that would work in blocks of channels, or in rows where their
 * input comes in rows. */
static struct net *net_narrow(void)
{
    static const char *const name[2] = {"each_w", "each_conv"};
    struct net *n = net_new(13);
    int x = net_input(n, "x", NET_DIMS(-1, 3, 12, 12));
    int a = net_conv(n, "stem", x, 3, 32, 3, true, true);
    a = each_channel(n, name, a, 32);
    a = net_conv(n, "thin", a, 32, 16, 1, true, false);
    a = net_conv(n, "wide", a, 16, 96, 1, true, true);
    a = net_conv(n, "last", a, 96, 24, 1, true, true);
    a = net_node(n, "GlobalAveragePool", "pool", NULL, a);
    a = net_node(n, "Flatten", "flat", NULL, a);
    const struct graft_dim d[] = {{-1, "N"}, {.value = 24}};
    assert_ok(graft_edit_value_type(n->m, a, GRAFT_FLOAT, d, 2));
    net_output(n, a);
    return n;
}

static struct net *adapted_within(uint64_t room)
{
    char folder[128];
    memcpy(folder, test_folder(), sizeof folder);
    struct graft_runtime *rt = little_runtime(2, little_path(folder, "cache"));
    struct graft_dataset *d = photos(rt, little_path(folder, "data"));
    struct net *a = net_narrow();
    struct graft_adapt o = {.rt = rt, .model = a->m, .preprocess = &to_pixels,
                            .data = d, .room = room};
    assert_ok(graft_adapt(&o));
    graft_dataset_free(d);
    graft_runtime_free(rt);
    return a;
}

/* With less memory the network is walked in fewer pieces. */
TEST(task_adapt__memory_changes_no_bit)
{
    struct net *all = adapted_within(0);
    const uint64_t pixels_fit = PHOTOS * PIXELS * 4;
    for (uint64_t room = 1; room <= 9 * pixels_fit; room += 2 * pixels_fit) {
        struct net *some = adapted_within(room);
        for (int i = 0; i < all->m->tensor.n; i++)
            assert_memory_equal(all->m->tensor.at[i].data,
                                some->m->tensor.at[i].data,
                                all->m->tensor.at[i].bytes);
        net_free(some);
    }
    net_free(all);
}

TEST(task_adapt__no_normalisation_is_refused)
{
    struct deep_world w;
    struct graft_report *r = NULL;
    deep_begin(&w, 1, NULL);
    w.o.model = little_path(w.folder, "plain.onnx");
    little_model(w.rt, w.o.model, 8, 0, LITTLE_GEMM);
    w.o.tune.bn = "adapt";
    assert_fails(graft_train(&r, w.rt, &w.o), GRAFT_EARG, "folded");
    deep_end(&w);
}
