/* An inspection as one JSON object; keys are the names of the fields.
 * SPDX-License-Identifier: Apache-2.0 */
#include "api/inspect.h"
#include "base/alloc.h"
#include "report/json.h"

static json_t *text(const char *s)
{
    return graft_json_text(s);
}

static json_t *dims(int rank, const int64_t *dim, const char *const *symbol)
{
    if (rank < 0)
        return json_null();
    json_t *list = json_array();
    for (int i = 0; i < rank; i++)
        json_array_append_new(list, dim[i] >= 0 || !symbol
                                        ? json_integer(dim[i])
                                        : text(symbol[i]));
    return list;
}

static json_t *ends(const struct graft_io *io, int n)
{
    json_t *list = json_array();
    for (int i = 0; i < n; i++)
        json_array_append_new(list, json_pack(
            "{so so so}", "name", text(io[i].name), "dtype",
            text(io[i].dtype), "shape",
            dims(io[i].rank, io[i].dim, io[i].symbol)));
    return list;
}

static json_t *operators(const struct graft_inspection *x)
{
    json_t *list = json_array();
    for (int i = 0; i < x->n_ops; i++)
        json_array_append_new(list, json_pack(
            "{so so si si so}", "op_type", text(x->ops[i].op_type), "domain",
            text(x->ops[i].domain), "nodes", x->ops[i].nodes, "runs",
            x->ops[i].runs, "why_not", text(x->ops[i].why_not)));
    return list;
}

static json_t *cuts(const struct graft_inspection *x)
{
    json_t *list = json_array();
    for (int i = 0; i < x->n_cuts; i++)
        json_array_append_new(list, json_pack(
            "{so so sI sI sI}", "value", text(x->cuts[i].value), "shape",
            dims(x->cuts[i].rank, x->cuts[i].dim, NULL), "features",
            (json_int_t)x->cuts[i].features, "macs",
            (json_int_t)x->cuts[i].macs, "parameters_behind",
            (json_int_t)x->cuts[i].parameters_behind));
    return list;
}

static json_t *head(const struct graft_inspection *x)
{
    if (!x->head_node)
        return json_null();
    return json_pack("{so so so sI sI}", "node", text(x->head_node),
                     "op_type", text(x->head_op), "input",
                     text(x->head_input), "features",
                     (json_int_t)x->head_features, "classes",
                     (json_int_t)x->head_classes);
}

static json_t *plan(const struct graft_inspection *x)
{
    if (!x->has_plan)
        return json_pack("{so}", "why_not", text(x->why_no_plan));
    return json_pack("{si sI sI sI sI}", "batch", x->plan_batch,
                     "activation_bytes", (json_int_t)x->activation_bytes,
                     "live_bytes", (json_int_t)x->live_bytes,
                     "scratch_bytes", (json_int_t)x->scratch_bytes,
                     "packed_bytes", (json_int_t)x->packed_bytes);
}

static json_t *labels(const struct graft_inspection *x)
{
    if (!x->labels)
        return json_null();
    json_t *list = json_array();
    for (int i = 0; i < x->n_labels; i++)
        json_array_append_new(list, text(x->labels[i]));
    return list;
}

static json_t *claimed(const struct graft_inspection *x)
{
    return x->claimed_total > 0
               ? json_pack("{si si}", "correct", x->claimed_correct, "total",
                           x->claimed_total)
               : json_null();
}

static json_t *all(const struct graft_inspection *x)
{
    json_t *j = json_pack(
        "{si sI sI so so so so so si si sI sI sI si so so so so so so so so}",
        "schema", 1, "ir_version", (json_int_t)x->ir_version, "opset",
        (json_int_t)x->opset, "producer", text(x->producer), "graph",
        text(x->graph), "inputs", ends(x->inputs, x->n_inputs), "outputs",
        ends(x->outputs, x->n_outputs), "operators", operators(x), "nodes",
        x->nodes, "unsupported_nodes", x->unsupported_nodes, "parameters",
        (json_int_t)x->parameters, "parameter_bytes",
        (json_int_t)x->parameter_bytes, "macs", (json_int_t)x->macs,
        "fixed_batch", x->fixed_batch, "head", head(x), "default_cut",
        text(x->head_input), "cuts", cuts(x), "preprocess",
        text(x->preprocess), "preprocess_source",
        text(x->preprocess_source), "labels", labels(x),
        "claimed_accuracy", claimed(x), "plan", plan(x));
    return j;
}

int graft_inspect_json(struct graft_inspected *t)
{
    char *out = graft_json_write(all(&t->x), 17);
    t->x.json = out ? graft_arena_strdup(&t->arena, out) : NULL;
    graft_free(out);
    return t->x.json ? GRAFT_OK : GRAFT_EMEM;
}
