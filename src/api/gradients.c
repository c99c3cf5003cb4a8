/* Gradients that a caller asks for: which, and the program that has them.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "api/gradients.h"
#include "api/model_names.h"
#include "base/alloc.h"

/* ---- inputs -------------------------------------------------------------- */

static int set_inputs(graft_gradients *g, const struct graft_array *a, int n)
{
    const size_t room = (size_t)g->model->input.n + 1;
    int64_t images = -1;
    graft_value_id v;
    g->in = graft_calloc(room, sizeof *g->in);
    g->array = graft_calloc(room, sizeof *g->array);
    if (!g->in || !g->array)
        return GRAFT_EMEM;
    for (int at = 0; (v = graft_feed_next(g->model, &at)) >= 0;)
        g->in[g->n_in++].value = v;
    int status = graft_gradients_match(g, a, n);
    for (int k = 0; !status && k < g->n_in; k++) {
        const struct graft_array *from = &a[g->array[k]];
        struct graft_shape *s = &g->in[k].shape;
        status = graft_shape_set(s, from->dim, from->rank);
        if (!status && (s->rank < 1 || s->dim[0] < 1 ||
                        s->dim[0] > INT32_MAX / 2 ||
                        (images >= 0 && s->dim[0] != images)))
            status = graft_fail(GRAFT_ESHAPE, "the array of input '%s' does "
                                "not begin with the batch of all",
                                graft_gradients_name(g, g->in[k].value));
        images = s->dim[0];
    }
    g->images = (int)images;
    return status;
}

/* ---- what is asked for --------------------------------------------------- */

static int list_outputs(graft_gradients *g, const char *const *name, int n)
{
    g->n_out = name ? n : g->model->output.n;
    g->out = graft_calloc((size_t)g->n_out + 1, sizeof *g->out);
    int status = g->out ? GRAFT_OK : GRAFT_EMEM;
    for (int i = 0; !status && i < g->n_out; i++) {
        g->out[i].at = i;
        if (name)
            status = graft_find_value(&g->out[i].value, g->model, name[i]);
        else
            g->out[i].value = g->model->output.at[i];
    }
    return status;
}

static int list_wanted(graft_gradients *g, const char *const *name, int n)
{
    int parameters = 0;
    g->wanted = graft_calloc((size_t)n + 1, sizeof *g->wanted);
    int status = g->wanted ? GRAFT_OK : GRAFT_EMEM;
    if (!status && n < 1)
        status = graft_fail(GRAFT_EARG, "no gradient is asked for");
    for (int i = 0; !status && i < n; i++) {
        struct graft_shown *w = &g->wanted[i];
        status = graft_find_value(&w->value, g->model, name[i]);
        for (int k = 0; !status && k < i; k++)
            if (g->wanted[k].value == w->value)
                status = graft_fail(GRAFT_EARG, "the gradient of '%s' is "
                                    "asked for twice", name[i]);
        if (status)
            break;
        w->parameter = graft_parameter(g->model, w->value) != NULL;
        w->at = w->parameter ? parameters++ : i - parameters;
        g->n_wanted++;
    }
    return status;
}

/* The values of those that are parameters, or that are not. */
static int pick(const graft_gradients *g, bool parameters,
                graft_value_id *out)
{
    int n = 0;
    for (int i = 0; i < g->n_wanted; i++)
        if (g->wanted[i].parameter == parameters)
            out[n++] = g->wanted[i].value;
    return n;
}

/* ---- compiling ----------------------------------------------------------- */

static int compile(graft_gradients *g, graft_value_id *at)
{
    graft_value_id *out = at + g->n_wanted;
    int status = graft_store_new(&g->store, g->model, g->rt);
    if (!status)
        status = graft_selection_new(&g->selection, g->store, at,
                                     pick(g, true, at));
    for (int i = 0; i < g->n_out; i++)
        out[i] = g->out[i].value;
    struct graft_compile c = {
        .model = g->model, .store = g->store, .n_max = g->images,
        .inputs = g->in, .n_inputs = g->n_in, .outputs = out,
        .n_outputs = g->n_out, .want_grad = at,
        .n_want_grad = status ? 0 : pick(g, false, at),
        .train = g->selection, .exact = g->rt->exact};
    if (!status)
        status = graft_program_new(&g->program, g->rt, &c);
    for (int i = 0; !status && i < g->n_wanted; i++)
        if (g->wanted[i].parameter &&
            !graft_program_reaches(g->program, g->wanted[i].at))
            status = graft_fail(GRAFT_EARG, "no output's gradient reaches "
                                "'%s'",
                                graft_gradients_name(g, g->wanted[i].value));
    return status;
}

static int make_room(struct graft_shown *x, const struct graft_shape *shape)
{
    x->shape = *shape;
    x->data = graft_calloc((size_t)graft_shape_count(shape) + 1,
                           sizeof *x->data);
    return x->data ? GRAFT_OK : GRAFT_EMEM;
}

static int make_arrays(graft_gradients *g)
{
    int status = GRAFT_OK;
    for (int i = 0; !status && i < g->n_out; i++) {
        struct graft_view v = graft_program_output(g->program, i);
        status = v.fmt.dtype == GRAFT_REAL
                     ? make_room(&g->out[i], &v.shape)
                     : graft_fail(GRAFT_EUNSUPPORTED, "output '%s' holds no "
                                  "floats",
                                  graft_gradients_name(g, g->out[i].value));
    }
    for (int i = 0; !status && i < g->n_wanted; i++) {
        struct graft_shown *w = &g->wanted[i];
        struct graft_shape shape =
            w->parameter ? graft_selected_shape(g->selection, w->at)
                         : graft_program_din(g->program, w->at).shape;
        status = make_room(w, &shape);
    }
    g->flat = graft_calloc((size_t)g->selection->size + 1, sizeof *g->flat);
    return status || g->flat ? status : GRAFT_EMEM;
}

static int build(graft_gradients *g,
                 const struct graft_gradients_options *o)
{
    int status = g->rt ? set_inputs(g, o->inputs, o->n_inputs) : GRAFT_EMEM;
    if (!status)
        status = list_outputs(g, o->outputs, o->n_outputs);
    if (!status)
        status = list_wanted(g, o->wanted, o->n_wanted);
    if (status)
        return status;
    graft_value_id *at = graft_calloc(
        (size_t)g->n_wanted + (size_t)g->n_out + 1, sizeof *at);
    status = at ? compile(g, at) : GRAFT_EMEM;
    graft_free(at);
    return status ? status : make_arrays(g);
}

int graft_gradients_new(graft_gradients **out, const graft_model *m,
                        const struct graft_gradients_options *options)
{
    graft_gradients *g = graft_calloc(1, sizeof *g);
    if (!g)
        return GRAFT_EMEM;
    g->model = m;
    g->rt = graft_runtime_or_default(m->rt);
    int status = build(g, options);
    if (status) {
        graft_gradients_free(g);
        return status;
    }
    *out = g;
    return GRAFT_OK;
}

void graft_gradients_free(graft_gradients *g)
{
    if (!g)
        return;
    for (int i = 0; g->out && i < g->n_out; i++)
        graft_free(g->out[i].data);
    for (int i = 0; g->wanted && i < g->n_wanted; i++)
        graft_free(g->wanted[i].data);
    graft_program_free(g->program);
    graft_selection_free(g->selection);
    graft_store_free(g->store);
    graft_free(g->flat);
    graft_free(g->in);
    graft_free(g->array);
    graft_free(g->out);
    graft_free(g->wanted);
    graft_free(g);
}
