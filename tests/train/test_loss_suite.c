/* ONNX's own cases of SoftmaxCrossEntropyLoss and NegativeLogLikelihoodLoss
 * (Debian: libonnx-testdata) through the losses that are compiled in: a loss
 * on scores [N, C, d1, ...] is one on N d1 ... rows of C, its weights and the
 * classes it ignores are weights of rows.
 * SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <math.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/file.h"
#include "onnx.pb-c.h"
#include "support/net.h"

#define SUITE "/usr/share/libonnx-testdata/data/node"

struct loss_case {
    char name[200];
    Onnx__ModelProto *model;
    Onnx__TensorProto *in[3], *out[2]; /* scores, classes, weights */
    int64_t rows, classes, places;     /* N d1 ..., C, d1 ... */
    bool ignores, mean, sum;
    int64_t ignored;
};

static uint8_t *read_part(const char *name, const char *part, uint64_t *size)
{
    char path[500];
    uint8_t *data = NULL;
    snprintf(path, sizeof path, SUITE "/%s/%s", name, part);
    return graft_file_read(&data, size, path, 1 << 26) ? NULL : data;
}

static Onnx__TensorProto *tensor(const char *name, const char *kind, int k)
{
    char part[80];
    uint64_t size;
    snprintf(part, sizeof part, "test_data_set_0/%s_%d.pb", kind, k);
    uint8_t *data = read_part(name, part, &size);
    Onnx__TensorProto *t =
        data ? onnx__tensor_proto__unpack(NULL, size, data) : NULL;
    graft_free(data);
    return t;
}

static void read_attributes(struct loss_case *c, const Onnx__NodeProto *node)
{
    c->mean = true;
    for (size_t i = 0; i < node->n_attribute; i++) {
        const Onnx__AttributeProto *a = node->attribute[i];
        if (strcmp(a->name, "ignore_index") == 0) {
            c->ignores = true;
            c->ignored = a->i;
        } else if (strcmp(a->name, "reduction") == 0) {
            c->mean = a->s.data[0] == 'm';
            c->sum = a->s.data[0] == 's';
        }
    }
}

static void open_case(struct loss_case *c, const char *name)
{
    uint64_t size;
    memset(c, 0, sizeof *c);
    snprintf(c->name, sizeof c->name, "%s", name);
    uint8_t *data = read_part(name, "model.onnx", &size);
    assert_non_null(data);
    c->model = onnx__model_proto__unpack(NULL, size, data);
    graft_free(data);
    for (int k = 0; k < 3; k++)
        c->in[k] = tensor(name, "input", k);
    for (int k = 0; k < 2; k++)
        c->out[k] = tensor(name, "output", k);
    assert_true(c->in[0] && c->in[1] && c->out[0]);
    read_attributes(c, c->model->graph->node[0]);
    c->classes = c->in[0]->dims[1];
    c->places = 1;
    for (size_t d = 2; d < c->in[0]->n_dims; d++)
        c->places *= c->in[0]->dims[d];
    c->rows = c->in[0]->dims[0] * c->places;
}

static void close_case(struct loss_case *c)
{
    onnx__model_proto__free_unpacked(c->model, NULL);
    for (int k = 0; k < 3; k++)
        if (c->in[k])
            onnx__tensor_proto__free_unpacked(c->in[k], NULL);
    for (int k = 0; k < 2; k++)
        if (c->out[k])
            onnx__tensor_proto__free_unpacked(c->out[k], NULL);
}

static double float_at(const Onnx__TensorProto *t, int64_t i)
{
    float x;
    memcpy(&x, t->raw_data.data + 4 * i, sizeof x);
    return (double)x;
}

static int64_t class_at(const struct loss_case *c, int64_t row)
{
    if (c->in[1]->data_type == GRAFT_INT32) {
        int32_t x;
        memcpy(&x, c->in[1]->raw_data.data + 4 * row, sizeof x);
        return x;
    }
    int64_t x;
    memcpy(&x, c->in[1]->raw_data.data + 8 * row, sizeof x);
    return x;
}

/* Weights of rows, and what they are divided by. */
static void set_rows(const struct loss_case *c, struct graft_program *p)
{
    struct graft_view x = graft_program_input(p, 0);
    double *weight = graft_program_weights(p), all = 0;
    for (int64_t r = 0; r < c->rows; r++) {
        int64_t image = r / c->places, place = r % c->places;
        for (int64_t k = 0; k < c->classes; k++)
            graft_reals(&x)[r * c->classes + k] = (real)float_at(
                c->in[0],
                (image * c->classes + k) * c->places + place);
        int64_t class = class_at(c, r);
        bool counts = !c->ignores || class != c->ignored;
        weight[r] = !counts ? 0 : c->in[2] ? float_at(c->in[2], class) : 1;
        graft_program_targets(p)[r] = counts ? (int32_t)class : 0;
        all += weight[r];
    }
    for (int64_t r = 0; c->mean && r < c->rows; r++)
        weight[r] /= all;
}

static void check(const struct loss_case *c, struct graft_program *p)
{
    const double *each = graft_program_losses(p);
    const double *weight = graft_program_weights(p);
    for (int64_t r = 0; !c->mean && !c->sum && r < c->rows; r++) {
        double got = weight[r] != 0 ? weight[r] * each[r] : 0;
        if (!(fabs(got - float_at(c->out[0], r)) <= 1e-4))
            fail_msg("%s: row %d: %g, want %g", c->name, (int)r, got,
                     float_at(c->out[0], r));
    }
    if (!c->mean && !c->sum)
        return;
    double got = graft_program_loss(p), want = float_at(c->out[0], 0);
    if (!(fabs(got - want) <= 1e-4 * (1 + fabs(want))))
        fail_msg("%s: %g, want %g", c->name, got, want);
}

static void run_case(const char *name, enum graft_loss_kind kind)
{
    struct loss_case c;
    struct graft_program *p = NULL;
    open_case(&c, name);
    struct net *n = net_new(13);
    int x = net_input(n, "x", NET_DIMS(-1, c.classes));
    net_output(n, net_node(n, "Identity", "y", NULL, x));
    struct graft_loss loss = {.kind = kind, .weighted = true,
                              .logits = n->m->output.at[0]};
    struct graft_compile o = {.model = n->m, .n_max = (int)c.rows,
                              .loss = &loss};
    assert_ok(graft_program_new(&p, NULL, &o));
    set_rows(&c, p);
    assert_ok(graft_program_forward(p, (int)c.rows));
    check(&c, p);
    graft_program_free(p);
    net_free(n);
    close_case(&c);
}

/* "..._expanded" cases are graphs of other operators. */
static void run_all(const char *prefix, enum graft_loss_kind kind, int least)
{
    DIR *d = opendir(SUITE);
    int cases = 0;
    if (!d) {
        print_message("needs Debian's libonnx-testdata\n");
        skip();
    }
    for (struct dirent *e; (e = readdir(d));) {
        size_t n = strlen(e->d_name);
        if (strncmp(e->d_name, prefix, strlen(prefix)) ||
            (n > 9 && strcmp(e->d_name + n - 9, "_expanded") == 0))
            continue;
        run_case(e->d_name, kind);
        cases++;
    }
    closedir(d);
    print_message("%d cases of %s\n", cases, prefix);
    assert_true(cases >= least);
}

TEST(train_loss__softmax_cross_entropy_as_onnx_has_it)
{
    run_all("test_sce_", GRAFT_LOSS_SOFTMAX_CE, 30);
}

TEST(train_loss__negative_log_likelihood_as_onnx_has_it)
{
    run_all("test_nllloss_", GRAFT_LOSS_NLL, 15);
}
