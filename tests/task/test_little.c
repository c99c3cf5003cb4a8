/* The little world of task tests, and that it is as told.
 * SPDX-License-Identifier: Apache-2.0 */
#include "task/little.h"

#include <stdio.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/rng.h"
#include "graph/edit.h"
#include "onnx/onnx.h"
#include "test.h"

enum { RING = 32 }; /* paths that a test may hold at a time */
enum { SIDE = 16, FEATURES = 8, OLD_CLASSES = 5, WIDTH = 24, HEIGHT = 20 };

const char *little_path(const char *folder, const char *name)
{
    static char buffer[RING][256];
    static int next;
    char *out = buffer[next++ % RING], text[sizeof buffer[0]];
    snprintf(text, sizeof text, "%s/%s", folder, name);
    return memcpy(out, text, sizeof text);
}

struct graft_runtime *little_runtime(int threads, const char *cache)
{
    struct graft_runtime_options o = GRAFT_RUNTIME_OPTIONS;
    struct graft_runtime *rt = NULL;
    o.threads = threads;
    o.cache_dir = cache;
    assert_ok(graft_runtime_new(&rt, &o));
    return rt;
}

int little_same(const char *a, const char *b)
{
    uint8_t *x = NULL, *y = NULL;
    uint64_t n, m;
    assert_ok(graft_file_read(&x, &n, a, 1 << 24));
    assert_ok(graft_file_read(&y, &m, b, 1 << 24));
    int same = n == m && !memcmp(x, y, (size_t)n);
    graft_free(x);
    graft_free(y);
    return same;
}

/* ---- the network --------------------------------------------------------- */

static graft_value_id weights(struct graft_model *m, const char *name,
                              const struct graft_shape *shape)
{
    float w[FEATURES * 3 * 9];
    int64_t n = graft_shape_count(shape);
    struct graft_rng_key key = graft_rng_key(11, (uint64_t)n);
    for (int64_t i = 0; i < n; i++)
        w[i] = (float)graft_rng_normal(key, (uint64_t)i) * 0.3f;
    graft_value_id id = -1;
    assert_ok(graft_edit_tensor(&id, m, name, GRAFT_FLOAT, shape, w));
    return id;
}

graft_value_id little_node(struct graft_model *m, const char *op,
                           const graft_value_id *in, int n_in,
                           const char *out, const struct graft_attr *attr)
{
    graft_value_id id = -1;
    struct graft_node_spec spec = {.op_type = op, .name = out, .in = in,
                                   .n_in = n_in, .out_name = out,
                                   .attr = attr};
    assert_ok(graft_edit_node(&id, m, &spec));
    return id;
}

/* Flatten, as exporters of one photo write it. */
static graft_value_id reshape(struct graft_model *m, graft_value_id v,
                              int batch)
{
    const int64_t to[] = {batch ? batch : -1, FEATURES};
    graft_value_id in[2] = {v, -1};
    assert_ok(graft_edit_tensor(&in[1], m, "to", GRAFT_INT64,
                                &(struct graft_shape){1, {2}}, to));
    return little_node(m, "Reshape", in, 2, "flat", NULL);
}

static bool has_gemm(enum little_head head)
{
    return head == LITTLE_GEMM || head == LITTLE_SHAPE;
}

static struct graft_dim batch_dim(int batch)
{
    return batch ? (struct graft_dim){.value = batch}
                 : (struct graft_dim){.value = -1, .param = "N"};
}

static void state_output(struct graft_model *m, graft_value_id v,
                         enum little_head head, int batch)
{
    const struct graft_dim dim[4] = {
        batch_dim(batch),
        {.value = has_gemm(head) ? OLD_CLASSES : FEATURES},
        {.value = SIDE}, {.value = SIDE}};
    assert_ok(graft_edit_value_type(m, v, GRAFT_FLOAT, dim,
                                    head == LITTLE_POOL ? 4 : 2));
}

static graft_value_id input(struct graft_model *m, int batch)
{
    const struct graft_dim dim[4] = {batch_dim(batch), {.value = 3},
                                     {.value = SIDE}, {.value = SIDE}};
    graft_value_id id = -1;
    assert_ok(graft_edit_input(&id, m, "image", GRAFT_FLOAT, dim, 4));
    return id;
}

void little_model(struct graft_runtime *rt, const char *path, int ir,
                  int batch, enum little_head head)
{
    static const int64_t kernel[] = {3, 3}, pads[] = {1, 1, 1, 1};
    static const struct graft_attr conv[] = {
        {.name = "kernel_shape", .type = GRAFT_ATTR_INTS, .ints = kernel,
         .n = 2},
        {.name = "pads", .type = GRAFT_ATTR_INTS, .ints = pads, .n = 4},
        {0}};
    static const struct graft_attr trans_b[] = {
        {.name = "transB", .type = GRAFT_ATTR_INT, .i = 1}, {0}};
    const struct graft_shape w = {4, {FEATURES, 3, 3, 3}};
    const struct graft_shape fc = {2, {OLD_CLASSES, FEATURES}};
    struct graft_model *m = NULL;
    assert_ok(graft_graph_new(&m, rt));
    m->ir_version = ir;
    assert_ok(graft_edit_opset(m, "", 13));
    graft_value_id in[2] = {input(m, batch), weights(m, "conv.weight", &w)};
    graft_value_id v = little_node(m, "Conv", in, 2, "conv", conv);
    v = little_node(m, "Relu", &v, 1, "relu", NULL);
    if (head != LITTLE_POOL) {
        v = little_node(m, "GlobalAveragePool", &v, 1, "pool", NULL);
        v = head == LITTLE_SHAPE ? reshape(m, v, batch)
                                 : little_node(m, "Flatten", &v, 1, "flat",
                                               NULL);
    }
    if (has_gemm(head)) {
        graft_value_id pair[2] = {v, weights(m, "fc.weight", &fc)};
        v = little_node(m, "Gemm", pair, 2, "scores", trans_b);
    }
    state_output(m, v, head, batch);
    assert_ok(graft_edit_outputs(m, &v, 1));
    assert_ok(graft_onnx_save(m, path, NULL));
    graft_graph_free(m);
}

/* ---- the pictures -------------------------------------------------------- */

static void put32(uint8_t *at, uint32_t x)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(x >> 8 * i);
}

/* A 24-bit BMP: header of 54 bytes, rows from below, blue first. Each pixel
 * is noise, brighter in the class's own colour. */
static void photo(const char *path, int red, int number)
{
    uint8_t bmp[54 + WIDTH * HEIGHT * 3] = {'B', 'M'};
    struct graft_rng_key key = graft_rng_key(5, (uint64_t)(2 * number + red));
    put32(bmp + 2, sizeof bmp);
    put32(bmp + 10, 54);
    put32(bmp + 14, 40);
    put32(bmp + 18, WIDTH);
    put32(bmp + 22, HEIGHT);
    bmp[26] = 1;
    bmp[28] = 24;
    for (int i = 0; i < WIDTH * HEIGHT * 3; i++) {
        int own = i % 3 == (red ? 2 : 0);
        bmp[54 + i] = (uint8_t)(graft_rng_below(key, (uint64_t)i, 120) +
                                (own ? 110 : 20));
    }
    assert_ok(graft_file_write(path, bmp, sizeof bmp, GRAFT_WRITE_NEW));
}

void little_photos(const char *folder, const char *name, int red, int first,
                   int n)
{
    char path[320];
    assert_ok(graft_folder_make(little_path(folder, name)));
    for (int i = first; i < first + n; i++) {
        snprintf(path, sizeof path, "%s/%s/%03d.bmp", folder, name, i);
        photo(path, red, i);
    }
}

void little_data(const char *folder)
{
    little_photos(folder, "train/red", 1, 0, 12);
    little_photos(folder, "train/blue", 0, 0, 12);
    little_photos(folder, "val/red", 1, 100, 5);
    little_photos(folder, "val/blue", 0, 100, 5);
}

TEST(task_little__the_world_is_as_told)
{
    char folder[128];
    memcpy(folder, test_folder(), sizeof folder);
    struct graft_runtime *rt = little_runtime(1, folder);
    const char *path = little_path(folder, "a.onnx");
    struct graft_model *m = NULL;
    little_model(rt, path, 3, 0, LITTLE_GEMM);
    assert_ok(graft_onnx_open(&m, rt, path));
    assert_int_equal(m->ir_version, 3);
    assert_int_equal(m->input.n, 3); /* the image and two weights */
    graft_graph_free(m);
    little_data(folder);
    assert_true(graft_file_exists(little_path(folder, "val/red/104.bmp")));
    assert_false(little_same(little_path(folder, "val/red/104.bmp"),
                             little_path(folder, "val/red/103.bmp")));
    graft_runtime_free(rt);
}
