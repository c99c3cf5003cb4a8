/* From a whole model to its trunk: everything up to the cut, with features
 * as the only output.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/alloc.h"
#include "graph/edit.h"
#include "program/survey.h"
#include "task/classify.h"

/* ---- the cut ------------------------------------------------------------- */

static const char *why_no_cut(const struct graft_model *m, const char *name)
{
    graft_value_id v = graft_value_find(m, name);
    return v < 0 ? "there is none of this name"
         : m->value.at[v].tensor >= 0 ? "it is a weight"
         : v == graft_model_feed(m, 0) ? "it is the model's input"
                                       : "something goes around it";
}

static int no_such_cut(const struct graft_model *m,
                       const struct graft_survey *s, const char *name)
{
    struct graft_str list;
    graft_str_init(&list);
    for (int i = s->n_cuts > 5 ? s->n_cuts - 5 : 0; i < s->n_cuts; i++)
        graft_str_addf(&list, "%s'%s'", list.n ? ", " : "",
                       m->value.at[s->cut[i].value].name);
    int status = graft_fail(
        GRAFT_ENOTFOUND, "'%s' is no value that '%s' can be cut at: %s; of "
        "the %d there are, the last are %s", name, m->path,
        why_no_cut(m, name), s->n_cuts, list.n ? list.at : "none");
    graft_str_release(&list);
    return status;
}

static int find_cut(graft_value_id *out, const struct graft_model *m,
                    const struct graft_survey *s, const char *name)
{
    if (!name) {
        *out = s->head_input;
        return s->head_input >= 0 ? GRAFT_OK
            : graft_fail(GRAFT_EUNSUPPORTED, "'%s': no place for a new head "
                         "was found", m->path);
    }
    graft_value_id v = graft_value_find(m, name);
    for (int i = 0; v >= 0 && i < s->n_cuts; i++)
        if (s->cut[i].value == v) {
            *out = v;
            return GRAFT_OK;
        }
    return no_such_cut(m, s, name);
}

/* Behind a node that cannot run no shape is known. */
static bool has_cut_that_runs(const struct graft_survey *s)
{
    bool found = false;
    for (int i = 0; i < s->n_cuts; i++)
        found |= s->value[s->cut[i].value].present;
    return found;
}

/* Why the value's shape is not known: the first node before it that cannot
 * run. */
static int cannot_run(const struct graft_model *m,
                      const struct graft_survey *s, graft_value_id cut)
{
    bool *live = graft_calloc((size_t)m->node.n + 1, sizeof *live);
    if (!live)
        return GRAFT_EMEM;
    graft_mark_ancestors(m, &cut, 1, live);
    int i = 0;
    while (i < m->node.n &&
           !(live[i] && !m->node.at[i].removed && s->why_not[i]))
        i++;
    int status = i < m->node.n
        ? graft_fail(GRAFT_EUNSUPPORTED, "'%s' cannot run up to '%s': %s%s",
                     m->path, m->value.at[cut].name, s->why_not[i],
                     has_cut_that_runs(s) ? " (--cut takes an earlier "
                         "place; graft inspect lists them)" : "")
        : GRAFT_OK;
    graft_free(live);
    return status;
}

static int check_cut(const struct graft_model *m,
                     const struct graft_survey *s, graft_value_id cut)
{
    int status = cannot_run(m, s, cut);
    if (status)
        return status;
    const struct graft_vinfo *v = &s->value[cut];
    if (!v->present || v->shape.rank < 2 ||
        !graft_dtype_is_float((int)v->dtype))
        return graft_fail(GRAFT_ESHAPE, "'%s' in '%s' is not made of "
                          "features: %s", m->value.at[cut].name, m->path,
                          v->present ? "it needs float elements and at least "
                                       "2 dimensions"
                                     : "its shape is not known");
    if (v->is_param)
        return graft_fail(GRAFT_ESHAPE, "'%s' in '%s' does not depend on the "
                          "photo", m->value.at[cut].name, m->path);
    return GRAFT_OK;
}

/* ---- pooling ------------------------------------------------------------- */

static int append(graft_value_id *v, struct graft_model *m, const char *op,
                  const char *base, const struct graft_attr *attr)
{
    const char *name = graft_unique_name(m, base);
    if (!name)
        return GRAFT_EMEM;
    graft_value_id in = *v;
    struct graft_node_spec spec = {.op_type = op, .name = name, .in = &in,
                                   .n_in = 1, .out_name = name,
                                   .attr = attr};
    return graft_edit_node(v, m, &spec);
}

/* [N, C, H, W] -> [N, C]; [N, ...] -> [N, all]; [N, C] stays. */
static int flatten(struct graft_trunk *t, struct graft_model *m,
                   const struct graft_shape *shape)
{
    static const struct graft_attr axis[] = {
        {.name = "axis", .type = GRAFT_ATTR_INT, .i = 1}, {0}};
    int status = GRAFT_OK;
    t->floats = shape->rank == 4 ? shape->dim[1]
                                 : graft_shape_span(shape, 1, shape->rank);
    if (shape->rank == 4)
        status = append(&t->features, m, "GlobalAveragePool", "graft_pool",
                        NULL);
    if (!status && shape->rank != 2)
        status = append(&t->features, m, "Flatten", "graft_features", axis);
    return status;
}

int graft_trunk_make(struct graft_trunk *out, struct graft_model *m,
                     struct graft_runtime *rt, const char *name)
{
    struct graft_survey *s = NULL;
    struct graft_trunk t = {.features = -1};
    int status = graft_survey_new(&s, m, rt);
    if (!status)
        status = find_cut(&t.features, m, s, name);
    if (!status)
        status = check_cut(m, s, t.features);
    if (!status) {
        t.cut = graft_strdup(m->value.at[t.features].name);
        status = t.cut ? GRAFT_OK : GRAFT_EMEM;
    }
    if (!status)
        status = flatten(&t, m, &s->value[t.features].shape);
    if (!status)
        status = graft_edit_outputs(m, &t.features, 1);
    graft_survey_free(s);
    if (status) {
        graft_free(t.cut);
        return status;
    }
    *out = t;
    return GRAFT_OK;
}
