/* An output has to state its type. What the file does not say, the survey
 * knows: shapes as it infers them, and the element type that floats have in
 * the file (inside Graft they are all computed in float32).
 * SPDX-License-Identifier: Apache-2.0 */
#include "api/model_types.h"

#include "base/runtime.h"
#include "base/status.h"
#include "graph/edit.h"
#include "onnx/onnx.h"
#include "program/program.h"
#include "program/survey.h"

/* ---- the type of elements ------------------------------------------------ */

static const struct graft_attr *attr_of(const struct graft_node *node,
                                        const char *name)
{
    for (int i = 0; i < node->n_attr; i++)
        if (strcmp(node->attr[i].name, name) == 0)
            return &node->attr[i];
    return NULL;
}

/* Float type of what a node computes: what it casts to, else that of its
 * first input that is float. */
static int float_of_node(const struct graft_model *m,
                         const struct graft_node *node, const int *type)
{
    const struct graft_attr *to =
        strcmp(node->op_type, "Cast") == 0 ? attr_of(node, "to") : NULL;
    const struct graft_attr *value = attr_of(node, "value");
    if (to && to->type == GRAFT_ATTR_INT && graft_dtype_is_float((int)to->i))
        return (int)to->i;
    for (int i = 0; i < node->n_in; i++)
        if (node->in[i] >= 0 && graft_dtype_is_float(type[node->in[i]]))
            return type[node->in[i]];
    (void)m;
    return value && value->tensor ? value->tensor->dtype : GRAFT_UNDEFINED;
}

/* For each value its float type, UNDEFINED where it has none or is unknown.
 * Producers stand before their readers. */
static int *float_types(const struct graft_model *m)
{
    int *type = graft_calloc((size_t)m->value.n, sizeof *type);
    for (int i = 0; type && i < m->value.n; i++)
        type[i] = m->value.at[i].dtype;
    for (int i = 0; type && i < m->node.n; i++) {
        const struct graft_node *node = &m->node.at[i];
        int computed = node->removed ? GRAFT_UNDEFINED
                                     : float_of_node(m, node, type);
        for (int k = 0; k < node->n_out; k++)
            if (node->out[k] >= 0 && !type[node->out[k]])
                type[node->out[k]] = computed;
    }
    return type;
}

/* ---- the shape ----------------------------------------------------------- */

/* The batch as the first fed input states it. */
static struct graft_dim batch_of(const struct graft_model *m)
{
    graft_value_id feed = graft_model_feed(m, 0);
    const struct graft_value *v = feed < 0 ? NULL : &m->value.at[feed];
    return v && v->has_shape && v->rank > 0
               ? v->dim[0] : (struct graft_dim){.value = -1};
}

/* Rank, or -1 where a batch of another size might change more than its own
 * dimension. */
static int shape_of(struct graft_dim *dim, const struct graft_model *m,
                    const struct graft_vinfo *info)
{
    const bool fixed = graft_model_fixed_batch(m) > 0;
    const bool apart = info->per_image > 0;
    if (!fixed && !apart && !info->is_param && !info->host)
        return -1;
    if (!fixed && (info->whole_batch || info->shape_of_batch))
        return -1;
    for (int i = 0; i < info->shape.rank; i++)
        dim[i] = (struct graft_dim){.value = info->shape.dim[i]};
    if (apart && !fixed)
        dim[0] = info->per_image == 1 ? batch_of(m)
                                      : (struct graft_dim){.value = -1};
    return info->shape.rank;
}

/* ---- stating ------------------------------------------------------------- */

static int state(struct graft_model *m, graft_value_id id,
                 const struct graft_survey *s, const int *type)
{
    const struct graft_vinfo *info = &s->value[id];
    const struct graft_value *v = &m->value.at[id];
    struct graft_dim dim[GRAFT_MAX_RANK];
    bool is_float = !info->present || graft_dtype_is_float((int)info->dtype);
    int dtype = is_float ? type[id]
              : info->host ? (int)info->host->dtype : (int)info->dtype;
    if (!dtype) {
        const char *why = v->node >= 0 ? s->why_not[v->node] : NULL;
        return graft_fail(GRAFT_ESHAPE, "'%s' cannot become an output: '%s' "
                          "does not state its type, and Graft cannot infer "
                          "it%s%s", v->name, m->path, why ? ": " : "",
                          why ? why : "");
    }
    int rank = info->present ? shape_of(dim, m, info) : -1;
    return graft_edit_value_type(m, id, dtype, dim, rank);
}

int graft_state_types(struct graft_stated_list *list, struct graft_model *m,
                      const graft_value_id *values, int n)
{
    struct graft_survey *s = NULL;
    const bool edited = m->edited;
    int *type = NULL, status = GRAFT_OK;
    *list = (struct graft_stated_list){0};
    for (int i = 0; !status && i < n; i++) {
        if (graft_onnx_states_type(m, values[i]))
            continue;
        if (!s) {
            list->at = graft_calloc((size_t)n, sizeof *list->at);
            type = float_types(m);
            status = list->at && type ? graft_survey_new(&s, m, m->rt)
                                      : GRAFT_EMEM;
        }
        if (status)
            break;
        list->at[list->n++] = (struct graft_stated){values[i],
                                                    m->value.at[values[i]]};
        status = state(m, values[i], s, type);
    }
    graft_survey_free(s);
    graft_free(type);
    if (status) {
        graft_state_back(m, list);
        graft_state_release(list);
        m->edited = edited;
    }
    return status;
}

void graft_state_back(struct graft_model *m,
                      const struct graft_stated_list *list)
{
    for (int i = 0; i < list->n; i++) {
        struct graft_value *v = &m->value.at[list->at[i].id];
        const struct graft_value *was = &list->at[i].was;
        v->dtype = was->dtype;
        v->has_shape = was->has_shape;
        v->dim = was->dim;
        v->rank = was->rank;
        v->retyped = was->retyped;
    }
}

void graft_state_release(struct graft_stated_list *list)
{
    graft_free(list->at);
    *list = (struct graft_stated_list){0};
}
