/* ONNX's own node tests (Debian: libonnx-testdata) through whole programs:
 * every case of one operator that we claim, with tensors of float32, int64,
 * int32 or bool.
 *
 * Programs are fed floats along the batch. So a case's first input is fed, if
 * it is such, and all others are made initializers; cases whose operator
 * takes several batched inputs run a second time with all of these fed.
 * SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/runtime.h"
#include "onnx.pb-c.h"
#include "onnx/onnx.h"
#include "program/program.h"
#include "test.h"

#define SUITE "/usr/share/libonnx-testdata/data/node"
static const double rtol = 1e-3, atol_ = 1e-7; /* the suite's own */

/* Cases of claimed operators that are not run, and why. */
#define TRAINING "the operator in training mode"
#define MASK "the mask of a dropout is asked for"
#define MAXIMA "the indices of maxima are asked for"
#define COMPARES "compares data at run time: integers are computed while "   \
                 "compiling only"
static const struct {
    const char *name, *why;
} excluded[] = {
    {"test_batchnorm_epsilon_training_mode", TRAINING},
    {"test_batchnorm_example_training_mode", TRAINING},
    {"test_training_dropout", TRAINING},
    {"test_training_dropout_default", TRAINING},
    {"test_training_dropout_default_mask", TRAINING},
    {"test_training_dropout_mask", TRAINING},
    {"test_training_dropout_zero_ratio", TRAINING},
    {"test_training_dropout_zero_ratio_mask", TRAINING},
    {"test_dropout_default_mask", MASK},
    {"test_dropout_default_mask_ratio", MASK},
    {"test_maxpool_with_argmax_2d_precomputed_pads", MAXIMA},
    {"test_maxpool_with_argmax_2d_precomputed_strides", MAXIMA},
    {"test_greater", COMPARES},
    {"test_greater_bcast", COMPARES},
    {"test_less", COMPARES},
    {"test_less_bcast", COMPARES},
};

enum { MAX_TENSORS = 16 };

/* One case as it lies on the disk. */
struct suite_case {
    char name[256];
    Onnx__ModelProto *model;
    Onnx__TensorProto *in[MAX_TENSORS], *out[MAX_TENSORS];
    int n_in, n_out;
};

struct tally {
    int cases, other_graphs, old, other_ops, other_types, excluded;
    int run, twice, passed;
};

/* ---- reading ------------------------------------------------------------- */

static uint8_t *read_file(const char *folder, const char *name, uint64_t *size)
{
    char path[600];
    uint8_t *data = NULL;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return graft_file_read(&data, size, path, (uint64_t)1 << 30) ? NULL
                                                                 : data;
}

static int read_tensors(const char *folder, const char *kind,
                        Onnx__TensorProto **out)
{
    int n = 0;
    for (; n < MAX_TENSORS; n++) {
        char name[80];
        uint64_t size;
        snprintf(name, sizeof name, "test_data_set_0/%s_%d.pb", kind, n);
        uint8_t *data = read_file(folder, name, &size);
        if (!data)
            break;
        out[n] = onnx__tensor_proto__unpack(NULL, size, data);
        graft_free(data);
    }
    return n;
}

static void case_open(struct suite_case *c, const char *name)
{
    char folder[400];
    uint64_t size;
    *c = (struct suite_case){.name = ""};
    snprintf(c->name, sizeof c->name, "%s", name);
    snprintf(folder, sizeof folder, SUITE "/%s", name);
    uint8_t *data = read_file(folder, "model.onnx", &size);
    assert_non_null(data);
    c->model = onnx__model_proto__unpack(NULL, size, data);
    graft_free(data);
    assert_non_null(c->model);
    c->n_in = read_tensors(folder, "input", c->in);
    c->n_out = read_tensors(folder, "output", c->out);
}

static void case_close(struct suite_case *c)
{
    onnx__model_proto__free_unpacked(c->model, NULL);
    for (int i = 0; i < c->n_in; i++)
        if (c->in[i])
            onnx__tensor_proto__free_unpacked(c->in[i], NULL);
    for (int k = 0; k < c->n_out; k++)
        if (c->out[k])
            onnx__tensor_proto__free_unpacked(c->out[k], NULL);
}

/* ---- which cases are ours ------------------------------------------------ */

static bool known_type(const Onnx__TensorProto *t)
{
    return t && (t->data_type == GRAFT_FLOAT || t->data_type == GRAFT_INT64 ||
                 t->data_type == GRAFT_INT32 || t->data_type == GRAFT_BOOL);
}

static bool is_tensor(const Onnx__ValueInfoProto *v)
{
    return v->type &&
           v->type->value_case == ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
}

static bool known_types(const struct suite_case *c)
{
    const Onnx__GraphProto *g = c->model->graph;
    bool all = (size_t)c->n_in == g->n_input &&
               (size_t)c->n_out == g->n_output;
    for (size_t i = 0; all && i < g->n_input; i++)
        all = is_tensor(g->input[i]) && known_type(c->in[i]);
    for (size_t k = 0; all && k < g->n_output; k++)
        all = is_tensor(g->output[k]) && known_type(c->out[k]);
    return all;
}

static const struct graft_op *row_of(const struct suite_case *c)
{
    const Onnx__NodeProto *node = c->model->graph->node[0];
    const char *domain = node->domain ? node->domain : "";
    for (size_t i = 0; i < c->model->n_opset_import; i++) {
        const Onnx__OperatorSetIdProto *o = c->model->opset_import[i];
        if (!strcmp(o->domain ? o->domain : "", domain))
            return graft_op_find(domain, node->op_type, o->version);
    }
    return NULL;
}

/* Models below opset 7 are refused by the importer, as documented. */
static bool too_old(const struct suite_case *c)
{
    for (size_t i = 0; i < c->model->n_opset_import; i++) {
        const Onnx__OperatorSetIdProto *o = c->model->opset_import[i];
        if ((!o->domain || !*o->domain) && o->version < 7)
            return true;
    }
    return false;
}

static const char *why_excluded(const char *name)
{
    for (size_t i = 0; i < sizeof excluded / sizeof *excluded; i++)
        if (!strcmp(excluded[i].name, name))
            return excluded[i].why;
    return NULL;
}

/* ---- running one --------------------------------------------------------- */

static void add_initializer(Onnx__GraphProto *g, Onnx__TensorProto *t,
                            const char *name)
{
    free(t->name);
    t->name = strdup(name);
    g->initializer = realloc(g->initializer, (g->n_initializer + 1) *
                                                 sizeof *g->initializer);
    g->initializer[g->n_initializer++] = t;
}

/* Can input i be fed to a program of batch n? */
static bool feedable(const struct suite_case *c, int i, int64_t n)
{
    const Onnx__TensorProto *t = c->in[i];
    return t->data_type == GRAFT_FLOAT && t->n_dims > 0 && t->dims[0] == n &&
           n > 0;
}

/* The case's model with what is not fed as initializers, and for our own use
 * initializers "fed_0".. and "expected_0" that no node reads. */
static struct graft_model *prepare(struct suite_case *c, const bool *fed)
{
    Onnx__GraphProto *g = c->model->graph;
    size_t before = g->n_initializer;
    char name[40];
    for (int i = 0; i < c->n_in; i++) {
        snprintf(name, sizeof name, "fed_%d", i);
        add_initializer(g, c->in[i], fed[i] ? name : g->input[i]->name);
    }
    for (int k = 0; k < c->n_out; k++) {
        snprintf(name, sizeof name, "expected_%d", k);
        add_initializer(g, c->out[k], name);
    }
    size_t size = onnx__model_proto__get_packed_size(c->model);
    uint8_t *bytes = malloc(size);
    onnx__model_proto__pack(c->model, bytes);
    g->n_initializer = before;
    struct graft_model *m = NULL;
    if (graft_onnx_parse(&m, NULL, bytes, size, c->name, NULL))
        m = NULL;
    free(bytes);
    return m;
}

static struct graft_view tensor_named(const struct graft_model *m,
                                      const char *kind, int i)
{
    char name[40];
    snprintf(name, sizeof name, "%s_%d", kind, i);
    graft_value_id v = graft_value_find(m, name);
    assert_true(v >= 0 && m->value.at[v].tensor >= 0);
    return graft_tensor_view(&m->tensor.at[m->value.at[v].tensor]);
}

static bool near(double got, double want)
{
    return got == want || (isnan(got) && isnan(want)) ||
           fabs(got - want) <= atol_ + rtol * fabs(want);
}

/* Message of the first difference of output k, or of none: false. */
static bool differs(struct graft_program *p, const struct graft_model *m,
                    int k, char *why, size_t room)
{
    struct graft_view got = graft_program_output(p, k);
    struct graft_view want = tensor_named(m, "expected", k);
    char a[GRAFT_SHAPE_TEXT], b[GRAFT_SHAPE_TEXT];
    bool ints = graft_dtype_is_int((int)want.fmt.dtype);
    if (!graft_shape_equal(&got.shape, &want.shape) ||
        ints != graft_dtype_is_int((int)got.fmt.dtype)) {
        snprintf(why, room, "output %d is %s %s, expected %s %s", k,
                 graft_dtype_name((int)got.fmt.dtype),
                 graft_shape_text(a, &got.shape),
                 graft_dtype_name((int)want.fmt.dtype),
                 graft_shape_text(b, &want.shape));
        return true;
    }
    for (int64_t i = 0; i < graft_count(&want); i++) {
        real y = 0;
        int64_t n = 0;
        if (ints)
            graft_view_read_ints(&want, i, 1, &n);
        else
            graft_view_read(&want, i, 1, &y);
        double x = ints ? (double)graft_ints(&got)[i]
                        : (double)graft_reals(&got)[i];
        double e = ints ? (double)n : (double)y;
        if (!near(x, e)) {
            snprintf(why, room, "output %d, element %lld: %.9g, expected "
                     "%.9g", k, (long long)i, x, e);
            return true;
        }
    }
    return false;
}

static bool run_fed(struct graft_program *p, const struct graft_model *m,
                    const bool *fed, int n_in, int n_max, char *why,
                    size_t room)
{
    for (int i = 0, k = 0; i < n_in; i++) {
        if (!fed[i])
            continue;
        struct graft_view t = tensor_named(m, "fed", i);
        struct graft_view to = graft_program_input(p, k++);
        graft_view_read(&t, 0, graft_count(&t), graft_reals(&to));
    }
    if (graft_program_forward(p, n_max)) {
        snprintf(why, room, "%s", graft_error_message());
        return false;
    }
    for (int k = 0; k < graft_program_n_outputs(p); k++)
        if (differs(p, m, k, why, room))
            return false;
    return true;
}

static bool run_as(struct suite_case *c, const bool *fed, char *why,
                   size_t room)
{
    struct graft_program *p = NULL;
    struct graft_model *m = prepare(c, fed);
    struct graft_compile o = {.model = m, .n_max = 1};
    bool ok = false;
    for (int i = 0; i < c->n_in; i++)
        if (fed[i])
            o.n_max = (int)c->in[i]->dims[0];
    if (!m || graft_program_new(&p, NULL, &o))
        snprintf(why, room, "%s", graft_error_message());
    else
        ok = run_fed(p, m, fed, c->n_in, o.n_max, why, room);
    graft_program_free(p);
    graft_graph_free(m);
    return ok;
}

/* Operators whose further inputs are weights, never computed. */
static bool takes_weights(const char *op)
{
    static const char *const ops[] = {"Conv", "Gemm", "BatchNormalization",
                                      "Clip", "Pad", "Dropout"};
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
        if (!strcmp(op, ops[i]))
            return true;
    return false;
}

static void run_case(struct suite_case *c, struct tally *t)
{
    bool fed[MAX_TENSORS] = {false};
    char why[400] = "";
    int64_t n = c->n_in && c->in[0]->n_dims ? c->in[0]->dims[0] : 0;
    int more = 0;
    t->run++;
    if (c->n_in)
        fed[0] = feedable(c, 0, n);
    bool ok = run_as(c, fed, why, sizeof why);
    for (int i = 1; fed[0] && i < c->n_in; i++)
        more += fed[i] = feedable(c, i, n);
    if (ok && more && !takes_weights(c->model->graph->node[0]->op_type)) {
        t->twice++;
        ok = run_as(c, fed, why, sizeof why);
    }
    t->passed += ok;
    if (!ok)
        print_error("%s: %s\n", c->name, why);
}

static void judge(struct suite_case *c, struct tally *t)
{
    const Onnx__GraphProto *g = c->model->graph;
    t->cases++;
    if (g->n_node != 1)
        t->other_graphs++;
    else if (too_old(c))
        t->old++;
    else if (!row_of(c))
        t->other_ops++;
    else if (!known_types(c))
        t->other_types++;
    else if (why_excluded(c->name))
        t->excluded++;
    else
        run_case(c, t);
}

static int hidden(const struct dirent *d)
{
    return d->d_name[0] != '.';
}

TEST(conformance_node_suite__claimed_operators_agree)
{
    struct dirent **list;
    struct tally t = {0};
    int n = scandir(SUITE, &list, hidden, alphasort);
    if (n < 0) {
        print_message("needs libonnx-testdata (%s), which is not here\n",
                      SUITE);
        skip();
    }
    for (int i = 0; i < n; i++) {
        struct suite_case c;
        case_open(&c, list[i]->d_name);
        judge(&c, &t);
        case_close(&c);
        free(list[i]);
    }
    free(list);
    print_message("%d cases: %d of several nodes, %d below opset 7, %d of "
                  "operators not claimed, %d of other types, %d excluded; "
                  "run %d (%d in two ways), passed %d\n", t.cases,
                  t.other_graphs, t.old, t.other_ops, t.other_types,
                  t.excluded, t.run, t.twice, t.passed);
    for (size_t i = 0; i < sizeof excluded / sizeof *excluded; i++)
        print_message("excluded: %s: %s\n", excluded[i].name,
                      excluded[i].why);
    assert_true(t.run > 250);
    assert_int_equal(t.excluded, sizeof excluded / sizeof *excluded);
    assert_int_equal(t.passed, t.run);
}
