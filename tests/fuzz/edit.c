/* Edits by chance: one that fails has changed nothing; what one that works
 * leaves is read again and written as it was.
 * SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include <string.h>

#include "base/alloc.h"
#include "graft/convert.h"
#include "graft/edit.h"
#include "graft/graph.h"
#include "onnx/onnx.h"

enum { MOST_EDITS = 4, MOST_NAMES = 3 };

struct scene {
    struct graft_model *m;
    const struct graft_graph_info *g;
    struct fuzz_random r;
};

/* A name of something that is there. */
static const char *a_value(struct scene *s)
{
    const struct graft_graph_info *g = s->g;
    switch (fuzz_below(&s->r, 4)) {
    case 0:
        if (g->n_initializers)
            return g->initializers[fuzz_below(&s->r, (size_t)
                                              g->n_initializers)].name;
        break;
    case 1:
        if (g->n_inputs)
            return g->inputs[fuzz_below(&s->r, (size_t)g->n_inputs)].name;
        break;
    case 2:
        if (g->n_outputs)
            return g->outputs[fuzz_below(&s->r, (size_t)g->n_outputs)].name;
        break;
    default:
        break;
    }
    if (!g->n_nodes)
        return "none";
    const struct graft_node_info *n =
        &g->nodes[fuzz_below(&s->r, (size_t)g->n_nodes)];
    return n->n_outputs
               ? n->outputs[fuzz_below(&s->r, (size_t)n->n_outputs)]
               : "none";
}

static const char *a_node(struct scene *s)
{
    size_t n = (size_t)s->g->n_nodes;
    return n ? s->g->nodes[fuzz_below(&s->r, n)].name : "none";
}

/* A name for something, now and then one that cannot be. */
static const char *new_name(struct scene *s)
{
    static const char *const some[] = {
        "new", "other", "a/b:0", "x", "y", "\xc3\xa9", "\xff", "",
    };
    size_t k = fuzz_below(&s->r, 10);
    return k < 8 ? some[k] : a_value(s);
}

static int rename_value(struct scene *s)
{
    const char *from = a_value(s);
    return graft_model_rename(s->m, from, new_name(s));
}

static int rename_node(struct scene *s)
{
    const char *from = a_node(s);
    return graft_model_rename_node(s->m, from, new_name(s));
}

static int set_outputs(struct scene *s)
{
    const char *names[MOST_NAMES];
    struct graft_removed removed = {0};
    int n = 1 + (int)fuzz_below(&s->r, MOST_NAMES);
    for (int i = 0; i < n; i++)
        names[i] = a_value(s);
    return graft_model_set_outputs(s->m, names, n, &removed);
}

static int add_outputs(struct scene *s)
{
    const char *name = a_value(s);
    return graft_model_add_outputs(s->m, &name, 1);
}

static int remove_outputs(struct scene *s)
{
    const char *name = a_value(s);
    return graft_model_remove_outputs(s->m, &name, 1, NULL);
}

static int set_initializer(struct scene *s)
{
    size_t n = (size_t)s->g->n_initializers;
    if (!n)
        return 0;
    const struct graft_tensor_info *t =
        &s->g->initializers[fuzz_below(&s->r, n)];
    uint64_t bytes = t->bytes + (fuzz_below(&s->r, 8) ? 0 : 1);
    if (bytes > 1 << 20)
        return 0;
    void *zeros = graft_calloc((size_t)bytes + 1, 1);
    int status =
        zeros ? graft_model_set_initializer(s->m, t->name, zeros, bytes) : 0;
    graft_free(zeros);
    return status;
}

static int set_metadata(struct scene *s)
{
    const char *key = new_name(s);
    return graft_model_set_metadata(s->m, key, fuzz_below(&s->r, 4)
                                                   ? new_name(s) : NULL);
}

static int set_doc(struct scene *s)
{
    return graft_model_set_doc(s->m, new_name(s));
}

static int set_node_doc(struct scene *s)
{
    const char *node = a_node(s);
    return graft_model_set_node_doc(s->m, node, new_name(s));
}

static int strip(struct scene *s)
{
    struct graft_removed removed = {0};
    return graft_model_strip(s->m, (unsigned)fuzz_below(&s->r, 9), &removed);
}

static int to_float16(struct scene *s)
{
    struct graft_float16_change change = {0};
    return graft_model_to_float16(s->m, &change);
}

static int (*const edits[])(struct scene *) = {
    rename_value, rename_node, set_outputs, add_outputs, remove_outputs,
    set_initializer, set_metadata, set_doc, set_node_doc, strip, to_float16,
};

struct bytes {
    uint8_t *at;
    uint64_t n;
};

static struct bytes encoded(const struct graft_model *m)
{
    struct bytes b = {NULL, 0};
    fuzz_check(graft_onnx_encode(&b.at, &b.n, m) == 0, "a model is encoded");
    return b;
}

static bool same(const struct bytes *a, const struct bytes *b)
{
    return a->n == b->n && !memcmp(a->at, b->at, (size_t)a->n);
}

void fuzz_read_again(const struct graft_model *m)
{
    struct graft_model *again = NULL;
    struct bytes first = encoded(m);
    int status = graft_onnx_parse(&again, fuzz_runtime(), first.at, first.n,
                                  "again", NULL);
    fuzz_check(status == 0, "an edited model is read again");
    struct bytes second = encoded(again);
    fuzz_check(same(&first, &second), "and is written as it was");
    graft_graph_free(again);
    graft_free(first.at);
    graft_free(second.at);
}

static void edit_once(struct graft_model *m, struct fuzz_random *r)
{
    struct graft_model_info *x = NULL;
    int status = graft_model_info_new(&x, m);
    fuzz_status(status);
    if (status)
        return;
    fuzz_describe(x);
    struct scene s = {m, &x->graph, *r};
    size_t which = fuzz_below(&s.r, sizeof edits / sizeof *edits);
    struct bytes before = encoded(m);
    status = edits[which](&s);
    fuzz_status(status);
    struct bytes after = encoded(m);
    fuzz_check(status == 0 || same(&before, &after),
               "an edit that fails has changed nothing");
    graft_free(before.at);
    graft_free(after.at);
    graft_model_info_free(x);
    *r = s.r;
}

void fuzz_edit(struct graft_model *m, uint64_t seed)
{
    struct fuzz_random r = {seed};
    int n = 1 + (int)fuzz_below(&r, MOST_EDITS);
    for (int i = 0; i < n; i++)
        edit_once(m, &r);
    fuzz_read_again(m);
}
