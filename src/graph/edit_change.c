/* Edits that change what is there: names, types, contents, attributes. Each
 * does all that can fail first, so that a failed one has changed nothing.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/status.h"
#include "graph/edit.h"

/* ---- names --------------------------------------------------------------- */

static int check_name(const char *name, const char *what)
{
    if (!*name)
        return graft_fail(GRAFT_EARG, "the new name of %s is empty", what);
    if (!graft_utf8_valid(name))
        return graft_fail(GRAFT_EARG, "the new name of %s is not UTF-8, which "
                          "ONNX wants", what);
    return GRAFT_OK;
}

/* The file goes on calling the value by its old name; export follows. */
static int note_old_name(struct graft_model *m, graft_value_id id)
{
    const struct graft_value *v = &m->value.at[id];
    if (v->made || v->renamed)
        return GRAFT_OK;
    struct graft_renamed *r = graft_push(&m->renamed);
    if (!r)
        return GRAFT_EMEM;
    *r = (struct graft_renamed){v->name, id};
    int status = graft_map_put(&m->renamed_at, v->name, m->renamed.n - 1);
    if (status)
        m->renamed.n--;
    return status;
}

static int set_name(struct graft_model *m, graft_value_id id,
                    const char *name)
{
    struct graft_value *v = &m->value.at[id];
    const int before = m->renamed.n;
    int status = note_old_name(m, id);
    if (status)
        return status;
    status = graft_map_put(&m->name, name, id);
    if (status) {
        if (m->renamed.n > before)
            graft_map_forget(&m->renamed_at, v->name);
        m->renamed.n = before;
        return status;
    }
    graft_map_forget(&m->name, v->name);
    v->name = name;
    v->renamed = !v->made;
    if (v->tensor >= 0)
        m->tensor.at[v->tensor].name = name;
    m->edited = true;
    return GRAFT_OK;
}

int graft_edit_rename(struct graft_model *m, graft_value_id id,
                      const char *name)
{
    const char *old = m->value.at[id].name;
    graft_value_id other = graft_value_find(m, name);
    if (other == id)
        return GRAFT_OK;
    int status = check_name(name, old);
    if (status)
        return status;
    if (other >= 0 && graft_value_defined(&m->value.at[other]))
        return graft_fail(GRAFT_EARG, "'%s' cannot be called '%s': the model "
                          "has a value of that name", old, name);
    const char *kept = graft_arena_strdup(&m->arena, name);
    return kept ? set_name(m, id, kept) : GRAFT_EMEM;
}

int graft_edit_rename_node(struct graft_model *m, int32_t index,
                           const char *name)
{
    struct graft_node *node = &m->node.at[index];
    if (strcmp(node->name, name) == 0)
        return GRAFT_OK;
    int status = check_name(name, graft_node_text(node));
    for (int32_t i = 0; !status && i < m->node.n; i++)
        if (!m->node.at[i].removed && !strcmp(m->node.at[i].name, name))
            status = graft_fail(GRAFT_EARG, "%s cannot be called '%s': "
                                "another node is", graft_node_text(node),
                                name);
    const char *kept = status ? NULL : graft_arena_strdup(&m->arena, name);
    if (!status)
        status = kept ? graft_name_take(m, kept) : GRAFT_EMEM;
    if (status)
        return status;
    node->name = kept;
    node->renamed = m->edited = true;
    return GRAFT_OK;
}

/* ---- types --------------------------------------------------------------- */

static bool same_type(const struct graft_value *v, int dtype,
                      const struct graft_dim *dim, int rank)
{
    if (v->dtype != dtype || v->has_shape != (rank >= 0) ||
        (rank >= 0 && v->rank != rank))
        return false;
    for (int i = 0; i < rank; i++)
        if (v->dim[i].value != dim[i].value ||
            !v->dim[i].param != !dim[i].param ||
            (dim[i].param && strcmp(v->dim[i].param, dim[i].param)))
            return false;
    return true;
}

int graft_edit_value_type(struct graft_model *m, graft_value_id v, int dtype,
                          const struct graft_dim *dim, int rank)
{
    if (v < 0 || v >= m->value.n || rank < -1 || rank > GRAFT_MAX_RANK)
        return graft_fail(GRAFT_EARG, "value %d cannot get rank %d", (int)v,
                          rank);
    if (same_type(&m->value.at[v], dtype, dim, rank))
        return GRAFT_OK;
    const int n = rank < 0 ? 0 : rank;
    struct graft_dim *copy = graft_arena_array(&m->arena, (size_t)n,
                                               sizeof *copy);
    if (!copy)
        return GRAFT_EMEM;
    for (int i = 0; i < n; i++) {
        copy[i] = dim[i];
        if (dim[i].param) {
            copy[i].param = graft_arena_strdup(&m->arena, dim[i].param);
            if (!copy[i].param)
                return GRAFT_EMEM;
        }
    }
    struct graft_value *value = &m->value.at[v];
    value->dtype = dtype;
    value->has_shape = rank >= 0;
    value->dim = copy;
    value->rank = n;
    value->retyped = m->edited = true;
    return GRAFT_OK;
}

int graft_edit_shape(struct graft_model *m, graft_value_id v, int dtype,
                     const struct graft_shape *shape)
{
    struct graft_dim dim[GRAFT_MAX_RANK];
    for (int i = 0; i < shape->rank; i++)
        dim[i] = (struct graft_dim){.value = shape->dim[i]};
    return graft_edit_value_type(m, v, dtype, dim, shape->rank);
}

/* ---- contents ------------------------------------------------------------ */

int graft_edit_contents(struct graft_model *m, int32_t index, int dtype,
                        const struct graft_shape *shape, const void *data)
{
    struct graft_tensor *t = &m->tensor.at[index];
    const int64_t count = graft_shape_count(shape);
    const size_t size = graft_dtype_size(dtype);
    int64_t bytes;
    if (t->refusal)
        return graft_fail(GRAFT_EUNSUPPORTED, "'%s' cannot get new contents: "
                          "%s", t->name, t->refusal);
    if (count < 0 || !size || !graft_mul_size(&bytes, count, (int64_t)size))
        return graft_fail(GRAFT_EARG, "'%s': %s of that shape cannot be "
                          "stored", t->name, graft_dtype_name(dtype));
    uint8_t *copy = graft_arena_alloc(&m->arena, (size_t)bytes);
    if (!copy)
        return GRAFT_EMEM;
    if (bytes)
        memcpy(copy, data, (size_t)bytes);
    if (dtype != t->dtype || !graft_shape_equal(shape, &t->shape)) {
        int status = graft_edit_shape(m, t->value, dtype, shape);
        if (status)
            return status;
        t->reshaped = true;
        t->dtype = dtype;
        t->shape = *shape;
    }
    t->data = copy;
    t->bytes = (uint64_t)bytes;
    t->external = false;
    t->replaced = m->edited = true;
    graft_model_recount(m);
    return GRAFT_OK;
}

int graft_edit_node_input(struct graft_model *m, int32_t index, int k,
                          graft_value_id v)
{
    struct graft_node *node = &m->node.at[index];
    if (k < 0 || k >= node->n_in || v < 0 || v >= m->value.n ||
        !graft_value_defined(&m->value.at[v]))
        return graft_fail(GRAFT_EARG, "%s: input %d cannot become value %d",
                          graft_node_text(node), k, (int)v);
    graft_value_id *in = graft_arena_array(&m->arena, (size_t)node->n_in,
                                           sizeof *in);
    if (!in)
        return GRAFT_EMEM;
    memcpy(in, node->in, (size_t)node->n_in * sizeof *in);
    in[k] = v;
    if (!node->in_file)
        node->in_file = node->in;
    node->in = in;
    m->edited = true;
    graft_model_recount(m);
    return GRAFT_OK;
}

int graft_edit_attr(struct graft_model *m, int32_t index,
                    const struct graft_attr *attr)
{
    struct graft_node *node = &m->node.at[index];
    struct graft_attr copy = *attr;
    int k = 0;
    while (k < node->n_attr && strcmp(node->attr[k].name, attr->name))
        k++;
    int status = graft_edit_copy_attr(&copy, &m->arena);
    if (status)
        return status;
    struct graft_attr *all = graft_arena_array(
        &m->arena, (size_t)node->n_attr + 1, sizeof *all);
    if (!all)
        return GRAFT_EMEM;
    if (node->n_attr)
        memcpy(all, node->attr, (size_t)node->n_attr * sizeof *all);
    node->n_attr += k == node->n_attr;
    all[k] = copy;
    node->attr = all; /* an undo still has the old ones */
    m->edited = true;
    return GRAFT_OK;
}
