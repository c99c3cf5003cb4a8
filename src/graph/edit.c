/* Edits that add: tensors, nodes, inputs. What changes is edit_change.c's,
 * what leaves the graph is cut.c's.
 * SPDX-License-Identifier: Apache-2.0 */
#include "graph/edit.h"

#include "base/status.h"
#include "base/str.h"

/* ---- names --------------------------------------------------------------- */

static bool name_used(const struct graft_model *m, const char *name)
{
    return graft_map_get(&m->name, name) >= 0 ||
           graft_map_get(&m->taken, name) >= 0;
}

bool graft_utf8_valid(const char *text)
{
    const unsigned char *p = (const unsigned char *)text;
    while (*p) {
        int n = *p < 0x80 ? 0 : *p >= 0xc2 && *p < 0xe0 ? 1
              : *p >= 0xe0 && *p < 0xf0 ? 2 : *p >= 0xf0 && *p < 0xf5 ? 3 : -1;
        /* Overlong forms, surrogates, and beyond U+10FFFF. */
        bool bad = n < 0 || (*p == 0xe0 && p[1] < 0xa0) ||
                   (*p == 0xed && p[1] > 0x9f) ||
                   (*p == 0xf0 && p[1] < 0x90) ||
                   (*p == 0xf4 && p[1] > 0x8f);
        for (p++; !bad && n > 0; n--)
            bad = (*p++ & 0xc0) != 0x80;
        if (bad)
            return false;
    }
    return true;
}

const char *graft_unique_name(struct graft_model *m, const char *base)
{
    if (!name_used(m, base))
        return graft_arena_strdup(&m->arena, base);
    struct graft_str s;
    graft_str_init(&s);
    for (int i = 1; !graft_str_ok(&s); i++) {
        graft_str_clear(&s);
        graft_str_addf(&s, "%s_%d", base, i);
        if (!name_used(m, s.at))
            break;
    }
    char *name = graft_str_ok(&s) ? NULL : graft_arena_strdup(&m->arena, s.at);
    graft_str_release(&s);
    return name;
}

/* A value of this name that nobody defines yet. */
static int new_value(graft_value_id *out, struct graft_model *m,
                     const char *name)
{
    if (!*name)
        return graft_fail(GRAFT_EARG, "a new value needs a name");
    graft_value_id id = graft_value_find(m, name);
    if (id >= 0 && graft_value_defined(&m->value.at[id]))
        return graft_fail(GRAFT_EARG, "the model has a value '%s' already",
                          name);
    bool old = id >= 0;
    id = graft_value_intern(m, name);
    if (id < 0)
        return id;
    struct graft_value *v = &m->value.at[id];
    v->made = true;
    if (old) {
        v->remade = true;
        v->has_shape = v->renamed = false;
        v->dtype = v->rank = 0;
    }
    *out = id;
    return GRAFT_OK;
}

static int push_id(struct graft_model *m, graft_value_id id)
{
    graft_value_id *at = graft_push(&m->input);
    if (!at)
        return GRAFT_EMEM;
    *at = id;
    m->value.at[id].is_input = true;
    return GRAFT_OK;
}

static int check_id(const struct graft_model *m, graft_value_id id,
                    const char *what)
{
    if (id < 0 || id >= m->value.n)
        return graft_fail(GRAFT_EARG, "%s: the model has %d values, number "
                          "%d is none of them", what, m->value.n, (int)id);
    if (!graft_value_defined(&m->value.at[id]))
        return graft_fail(GRAFT_EARG, "%s: nothing computes '%s'", what,
                          m->value.at[id].name);
    return GRAFT_OK;
}

/* ---- tensors and inputs -------------------------------------------------- */

int graft_edit_tensor(graft_value_id *out, struct graft_model *m,
                      const char *name, int dtype,
                      const struct graft_shape *shape, const void *data)
{
    int64_t count = graft_shape_count(shape), bytes;
    size_t size = graft_dtype_size(dtype);
    if (count < 0 || !size || !graft_mul_size(&bytes, count, (int64_t)size))
        return graft_fail(GRAFT_EARG, "tensor '%s': %s of that shape cannot "
                          "be stored", name, graft_dtype_name(dtype));
    graft_value_id id = -1;
    int status = new_value(&id, m, name);
    if (status)
        return status;
    uint8_t *copy = graft_arena_alloc(&m->arena, (size_t)bytes);
    struct graft_tensor *t = copy ? graft_push(&m->tensor) : NULL;
    if (!t)
        return GRAFT_EMEM;
    if (bytes)
        memcpy(copy, data, (size_t)bytes);
    *t = (struct graft_tensor){
        .name = m->value.at[id].name, .dtype = dtype, .shape = *shape,
        .data = copy, .bytes = (uint64_t)bytes, .span = GRAFT_NO_SPAN,
        .value = id};
    m->value.at[id].tensor = m->tensor.n - 1;
    if (graft_dtype_is_float(dtype))
        m->parameter_count += (uint64_t)count;
    m->edited = true;
    status = graft_edit_shape(m, id, dtype, shape);
    if (!status && m->ir_version < 4)
        status = push_id(m, id);
    if (!status)
        *out = id;
    return status;
}

int graft_edit_input(graft_value_id *out, struct graft_model *m,
                     const char *name, int dtype,
                     const struct graft_dim *dim, int rank)
{
    graft_value_id id = -1;
    int status = new_value(&id, m, name);
    if (!status)
        status = graft_edit_value_type(m, id, dtype, dim, rank);
    if (!status)
        status = push_id(m, id);
    if (status)
        return status;
    m->edited = true;
    *out = id;
    return GRAFT_OK;
}

/* ---- nodes --------------------------------------------------------------- */

static int copy_bytes(struct graft_bytes *b, struct graft_arena *a)
{
    const char *copy = graft_arena_strndup(a, (const char *)b->at,
                                           (size_t)b->n);
    b->at = (const uint8_t *)copy;
    return copy ? GRAFT_OK : GRAFT_EMEM;
}

/* *at becomes a copy of count * size bytes; NULL stays NULL. */
static int copy_array(const void **at, struct graft_arena *a, int count,
                      size_t size)
{
    if (!*at)
        return GRAFT_OK;
    void *copy = graft_arena_array(a, (size_t)count, size);
    if (!copy)
        return GRAFT_EMEM;
    memcpy(copy, *at, (size_t)count * size);
    *at = copy;
    return GRAFT_OK;
}

static int copy_tensor(const struct graft_tensor **at, struct graft_arena *a)
{
    const void *copy = *at;
    int status = copy_array(&copy, a, 1, sizeof **at);
    if (status || !copy)
        return status;
    struct graft_tensor *t = (struct graft_tensor *)(uintptr_t)copy;
    const void *data = t->data;
    status = copy_array(&data, a, 1, (size_t)t->bytes);
    t->name = graft_arena_strdup(a, t->name ? t->name : "");
    t->data = data;
    t->span = GRAFT_NO_SPAN;
    t->value = -1;
    *at = t;
    return status || t->name ? status : GRAFT_EMEM;
}

/* Graphs, sparse tensors and the like come from files only. */
static int check_attr(const struct graft_attr *attr)
{
    if (attr->type < GRAFT_ATTR_FLOAT || attr->type > GRAFT_ATTR_STRINGS ||
        attr->type == GRAFT_ATTR_GRAPH ||
        (attr->type == GRAFT_ATTR_TENSOR && !attr->tensor))
        return graft_fail(GRAFT_EARG, "attribute '%s': an edit cannot make "
                          "one of type %d", attr->name, attr->type);
    return GRAFT_OK;
}

int graft_edit_copy_attr(struct graft_attr *attr, struct graft_arena *a)
{
    const void *floats = attr->floats, *ints = attr->ints;
    const void *strings = attr->strings;
    int status = check_attr(attr);
    if (status)
        return status;
    attr->name = graft_arena_strdup(a, attr->name);
    attr->edited = true;
    status = attr->name ? GRAFT_OK : GRAFT_EMEM;
    if (!status)
        status = copy_array(&floats, a, attr->n, sizeof *attr->floats);
    if (!status)
        status = copy_array(&ints, a, attr->n, sizeof *attr->ints);
    if (!status)
        status = copy_array(&strings, a, attr->n, sizeof *attr->strings);
    for (int i = 0; !status && strings && i < attr->n; i++)
        status = copy_bytes((struct graft_bytes *)(uintptr_t)strings + i, a);
    attr->floats = floats;
    attr->ints = ints;
    attr->strings = strings;
    if (!status && attr->s.at)
        status = copy_bytes(&attr->s, a);
    return status ? status : copy_tensor(&attr->tensor, a);
}

static int copy_attrs(struct graft_node *node, struct graft_arena *a,
                      const struct graft_attr *attr)
{
    int n = 0;
    while (attr && attr[n].name)
        n++;
    node->attr = graft_arena_array(a, (size_t)n, sizeof *node->attr);
    if (!node->attr)
        return GRAFT_EMEM;
    node->n_attr = n;
    int status = GRAFT_OK;
    for (int i = 0; !status && i < n; i++) {
        node->attr[i] = attr[i];
        status = graft_edit_copy_attr(&node->attr[i], a);
    }
    return status;
}

static int copy_node(struct graft_node *node, struct graft_model *m,
                     const struct graft_node_spec *spec)
{
    struct graft_arena *a = &m->arena;
    const char *domain = spec->domain ? spec->domain : "";
    *node = (struct graft_node){
        .name = graft_arena_strdup(a, spec->name ? spec->name : ""),
        .op_type = graft_arena_strdup(a, spec->op_type),
        .domain = graft_arena_strdup(
            a, strcmp(domain, "ai.onnx") ? domain : ""),
        .first = spec->first,
        .in = graft_arena_array(a, (size_t)spec->n_in, sizeof *node->in),
        .out = graft_arena_array(a, 1, sizeof *node->out),
        .n_in = spec->n_in, .n_out = 1, .span = GRAFT_NO_SPAN};
    if (!node->name || !node->op_type || !node->domain || !node->in ||
        !node->out)
        return GRAFT_EMEM;
    for (int i = 0; i < spec->n_in; i++)
        node->in[i] = spec->in[i];
    int status = copy_attrs(node, a, spec->attr);
    return status ? status : graft_name_take(m, node->name);
}

int graft_edit_node(graft_value_id *out, struct graft_model *m,
                    const struct graft_node_spec *spec)
{
    struct graft_node node;
    graft_value_id id = -1;
    int status = GRAFT_OK;
    for (int i = 0; !status && i < spec->n_in; i++)
        if (spec->in[i] != -1)
            status = check_id(m, spec->in[i], spec->op_type);
    if (!status)
        status = new_value(&id, m, spec->out_name);
    if (!status)
        status = copy_node(&node, m, spec);
    if (status)
        return status;
    struct graft_node *at = graft_push(&m->node);
    if (!at)
        return GRAFT_EMEM;
    *at = node;
    at->out[0] = id;
    for (int i = 0; i < node.n_in; i++)
        if (node.in[i] >= 0)
            m->value.at[node.in[i]].n_uses++;
    m->value.at[id].node = m->node.n - 1;
    m->edited = true;
    *out = id;
    return GRAFT_OK;
}
