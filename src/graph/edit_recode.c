/* An edit that stores a parameter as another type.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/status.h"
#include "base/str.h"
#include "graph/edit.h"

/* A free name: the value's with something behind it. */
static const char *name_after(struct graft_model *m, graft_value_id v,
                              const char *suffix)
{
    struct graft_str s;
    graft_str_init(&s);
    graft_str_addf(&s, "%s_%s", m->value.at[v].name, suffix);
    const char *name = graft_str_ok(&s) ? NULL : graft_unique_name(m, s.at);
    graft_str_release(&s);
    return name;
}

/* Nothing defines the value any more. */
static void undefine(struct graft_model *m, graft_value_id id)
{
    struct graft_value *v = &m->value.at[id];
    if (v->tensor >= 0)
        m->tensor.at[v->tensor].removed = true;
    if (v->node >= 0)
        m->node.at[v->node].removed = true;
    v->tensor = v->node = -1;
    if (!v->is_input)
        return;
    v->is_input = false;
    int kept = 0;
    for (int i = 0; i < m->input.n; i++)
        if (m->input.at[i] != id)
            m->input.at[kept++] = m->input.at[i];
    m->input.n = kept;
}

int graft_edit_recode(struct graft_model *m, graft_value_id v,
                      const struct graft_shape *shape, int to, int from,
                      const void *data)
{
    const struct graft_attr attr[] = {
        {.name = "to", .type = GRAFT_ATTR_INT, .i = from}, {0}};
    const struct graft_value was = m->value.at[v];
    graft_value_id stored = -1, same = -1;
    const char *name = name_after(m, v, graft_dtype_name(to));
    const char *node = name ? name_after(m, v, "cast") : NULL;
    int status = node ? graft_edit_tensor(&stored, m, name, to, shape, data)
                      : GRAFT_EMEM;
    if (status)
        return status;
    undefine(m, v);
    const struct graft_node_spec spec = {
        .op_type = "Cast", .name = node, .in = &stored, .n_in = 1,
        .out_name = was.name, .attr = attr, .first = true};
    status = graft_edit_node(&same, m, &spec);
    if (status)
        return status;
    struct graft_value *is = &m->value.at[v];
    const int32_t producer = is->node;
    *is = was; /* what the file says of it still holds */
    is->tensor = -1;
    is->node = producer;
    is->is_input = false;
    return GRAFT_OK;
}
