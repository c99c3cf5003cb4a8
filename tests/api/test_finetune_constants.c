/* Parameters that do not lie in initializers: inside Constant nodes, behind
 * Identity, Transpose and Cast, read by several nodes. They are listed,
 * trained, and written where they were.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "graft/edit.h"
#include "graft/finetune.h"
#include "support/gradient.h"
#include "onnx/onnx.h"

enum { IMAGES = 6, CLASSES = 3, PIXELS = 3 * 5 * 5 };

/* A tensor in a Constant node. */
static int constant(struct net *n, const char *name, const int64_t *dim,
                    int rank)
{
    int w = net_random(n, "tmp", dim, rank);
    const struct graft_attr value = {.name = "value",
                                     .type = GRAFT_ATTR_TENSOR,
                                     .tensor = graft_parameter(n->m, w)};
    assert_ok(graft_edit_rename(n->m, w, graft_unique_name(n->m, "unused")));
    return net_node_of(n, "Constant", name, NET_ATTRS(value), NULL, 0);
}

/* conv - relu - conv with the first one's weights transposed - pool - two
 * products with the same matrix. */
static struct net *net_constants(graft_value_id *train)
{
    struct net *n = net_new(13);
    int x = net_input(n, "x", NET_DIMS(-1, 3, 5, 5));
    int w = train[0] = constant(n, "w", NET_DIMS(17, 3, 1, 1));
    int b = train[1] = constant(n, "b", NET_DIMS(17));
    int m = train[2] = constant(n, "m", NET_DIMS(3, 3));
    int v = train[3] = net_random(n, "v", NET_DIMS(3));
    int a = net_node(n, "Conv", "a", NULL, x,
                     net_node(n, "Identity", "w.same", NULL, w),
                     net_node(n, "Cast", "b.cast",
                              NET_ATTRS(NET_INT("to", GRAFT_FLOAT)), b));
    int t = net_node(n, "Transpose", "w.t",
                     NET_ATTRS(NET_INTS("perm", 1, 0, 2, 3)), w);
    a = net_node(n, "Conv", "c", NULL, net_node(n, "Sigmoid", "s", NULL, a),
                 t);
    a = net_node(n, "Flatten", "flat", NULL,
                 net_node(n, "GlobalAveragePool", "pool", NULL, a));
    int same = net_node(n, "Identity", "m.same", NULL, m);
    a = net_node(n, "Gemm", "h", NULL, a, m, v);
    a = net_node(n, "MatMul", "g", NULL, net_node(n, "Tanh", "t", NULL, a),
                 same);
    a = net_node(n, "Add", "scores", NULL, a, v);
    const struct graft_dim dim[] = {{-1, "N"}, {CLASSES, NULL}};
    assert_ok(graft_edit_value_type(n->m, a, GRAFT_FLOAT, dim, 2));
    net_output(n, a);
    return n;
}

TEST(api_finetune_constants__gradients)
{
    struct gradient_check k = {.n_train = 4, .loss = true};
    k.net = net_constants(k.train);
    gradient_check_all(&k);
}

static void same_scores(const struct net *n, const struct graft_array *x,
                        const float *want)
{
    void *bytes = NULL;
    uint64_t size = 0;
    graft_model *back = NULL;
    graft_session *s = NULL;
    const char *out = "scores";
    assert_ok(graft_model_encode(&bytes, &size, n->m));
    assert_ok(graft_model_parse(&back, NULL, bytes, size));
    assert_int_equal(back->node.n, n->m->node.n);
    assert_int_equal(back->tensor.n, n->m->tensor.n);
    assert_ok(graft_session_new(&s, back, x, 1, &out, 1));
    assert_ok(graft_session_run(s, x, 1));
    for (int i = 0; i < IMAGES * CLASSES; i++)
        assert_near(graft_session_output(s, 0).data[i], want[i], 1e-5);
    graft_session_free(s);
    graft_model_free(back);
    graft_encoded_free(bytes);
}

TEST(api_finetune_constants__are_written_where_they_were)
{
    static const char *const names[] = {"w", "b", "m", "v"};
    graft_value_id id[4];
    struct net *n = net_constants(id);
    struct graft_trainer_options o = GRAFT_TRAINER_OPTIONS;
    graft_trainer *t = NULL;
    float pixels[IMAGES * PIXELS], scores[IMAGES * CLASSES], first[2];
    const int32_t classes[IMAGES] = {0, 1, 2, 2, 1, 0};
    struct graft_array x = {.name = "x", .data = pixels, .rank = 4,
                            .dim = {IMAGES, 3, 5, 5}};
    struct graft_train_batch b = {.inputs = &x, .n_inputs = 1,
                                  .classes = classes};
    for (int i = 0; i < IMAGES * PIXELS; i++)
        pixels[i] = (float)sin(1.7 * i);
    assert_ok(graft_trainer_new(&t, n->m, &o));
    assert_int_equal(graft_trainer_n_parameters(t), 4);
    for (int k = 0; k < 4; k++) {
        struct graft_array a;
        assert_ok(graft_trainer_parameter(&a, t, names[k]));
        assert_string_equal(a.name, names[k]);
        memcpy(first, k ? first : a.data, sizeof first);
    }
    for (int i = 0; i < 5; i++)
        assert_ok(graft_trainer_step(t, &b, NULL));
    assert_ok(graft_trainer_loss(t, &b, NULL, scores));
    assert_ok(graft_trainer_store(t, n->m, false));
    const struct graft_tensor *w = graft_parameter(n->m, id[0]);
    assert_true(memcmp(w->data, first, sizeof first) != 0);
    same_scores(n, &x, scores);
    graft_trainer_free(t);
    net_free(n);
}

/* A store that fails half-way leaves the model as it was. */
TEST(api_finetune_constants__all_or_nothing)
{
    graft_value_id id[4];
    struct net *n = net_constants(id);
    struct net *other = net_new(13);
    struct graft_trainer_options o = GRAFT_TRAINER_OPTIONS;
    graft_trainer *t = NULL;
    int x = net_input(other, "x", NET_DIMS(-1, 3, 5, 5));
    int w = constant(other, "w", NET_DIMS(17, 3, 1, 1));
    net_output(other, net_node(other, "Add", "y", NULL,
                               net_node(other, "Conv", "c", NULL, x, w),
                               constant(other, "b", NET_DIMS(17, 1, 1))));
    uint8_t before[17 * 3 * 4];
    memcpy(before, graft_parameter(other->m, w)->data, sizeof before);
    assert_ok(graft_trainer_new(&t, n->m, &o));
    assert_ok(graft_trainer_set_element(t, "w", 3, 7));
    assert_fails(graft_trainer_store(t, other->m, false), GRAFT_ESHAPE,
                 "'b' has another type or shape");
    assert_memory_equal(before, graft_parameter(other->m, w)->data,
                        sizeof before);
    graft_trainer_free(t);
    net_free(other);
    net_free(n);
}

/* What is computed from parameters has its gradient once, behind the last of
 * several shards. */
TEST(api_finetune_constants__shards_add_up)
{
    float pixels[IMAGES * PIXELS];
    const int32_t classes[IMAGES] = {0, 1, 2, 2, 1, 0};
    struct graft_array x = {.name = "x", .data = pixels, .rank = 4,
                            .dim = {IMAGES, 3, 5, 5}};
    struct graft_train_batch b = {.inputs = &x, .n_inputs = 1,
                                  .classes = classes};
    for (int i = 0; i < IMAGES * PIXELS; i++)
        pixels[i] = (float)sin(1.7 * i);
    for (int scale = 0; scale < 2; scale++) {
        graft_value_id id[4];
        struct net *n = net_constants(id);
        struct graft_trainer_options o = GRAFT_TRAINER_OPTIONS;
        graft_trainer *t[2] = {NULL, NULL};
        if (scale)
            o.unfreeze = "scale-shift";
        for (int k = 0; k < 2; k++) {
            o.shard = k ? 1 : IMAGES;
            assert_ok(graft_trainer_new(&t[k], n->m, &o));
            for (int twice = 0; twice < 2; twice++)
                assert_ok(graft_trainer_gradients(t[k], &b, NULL));
        }
        for (int p = 0; p < graft_trainer_n_parameters(t[0]); p++) {
            struct graft_array g[2];
            for (int k = 0; k < 2; k++)
                assert_ok(graft_trainer_gradient(
                    &g[k], t[k], graft_trainer_name(t[k], p)));
            int64_t all = 1;
            for (int d = 0; d < g[0].rank; d++)
                all *= g[0].dim[d];
            for (int64_t i = 0; i < all; i++)
                assert_near(g[0].data[i], g[1].data[i], 1e-6);
        }
        graft_trainer_free(t[0]);
        graft_trainer_free(t[1]);
        net_free(n);
    }
}
