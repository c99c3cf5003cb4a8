/* Gradients that a caller asks for: forward, seeds, backward, by name.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "api/gradients.h"

/* ---- arrays -------------------------------------------------------------- */

const char *graft_gradients_name(const graft_gradients *g, graft_value_id v)
{
    return g->model->value.at[v].name;
}

int graft_gradients_match(const graft_gradients *g,
                          const struct graft_array *a, int n)
{
    for (int k = 0; k < g->n_in; k++) {
        const char *name = graft_gradients_name(g, g->in[k].value);
        int nameless = 0;
        g->array[k] = -1;
        for (int i = 0; i < n; i++) {
            bool is = a[i].name ? !strcmp(a[i].name, name) : nameless++ == k;
            if (is && g->array[k] < 0)
                g->array[k] = i;
        }
        if (g->array[k] < 0)
            return graft_fail(GRAFT_ENOTFOUND, "no array for input '%s'",
                              name);
    }
    return n == g->n_in ? GRAFT_OK
                        : graft_fail(GRAFT_EARG, "%d arrays for %d inputs", n,
                                     g->n_in);
}

/* ---- running ------------------------------------------------------------- */

static void copy_out(struct graft_shown *x, const real *from)
{
    const int64_t n = graft_shape_count(&x->shape);
    for (int64_t i = 0; i < n; i++)
        x->data[i] = (float)from[i];
}

int graft_gradients_forward(graft_gradients *g,
                            const struct graft_array *inputs, int n_inputs)
{
    int status = graft_runtime_check(g->rt);
    if (!status)
        status = graft_gradients_match(g, inputs, n_inputs);
    for (int k = 0; !status && k < g->n_in; k++) {
        const struct graft_array *a = &inputs[g->array[k]];
        struct graft_shape s;
        status = graft_shape_set(&s, a->dim, a->rank);
        if (!status && (!a->data || !graft_shape_equal(&s, &g->in[k].shape)))
            status = graft_fail(GRAFT_ESHAPE, "the array of input '%s' has "
                                "another shape than was compiled for",
                                graft_gradients_name(g, g->in[k].value));
    }
    if (status)
        return status;
    for (int i = 0; i < graft_program_n_inputs(g->program); i++)
        for (int k = 0; k < g->n_in; k++)
            if (g->in[k].value == graft_program_input_id(g->program, i))
                graft_program_put(g->program, i, inputs[g->array[k]].data,
                                  g->images);
    status = graft_program_forward(g->program, g->images);
    g->ran = !status;
    for (int i = 0; !status && i < g->n_out; i++) {
        struct graft_view v = graft_program_output(g->program, i);
        copy_out(&g->out[i], graft_reals(&v));
    }
    return status;
}

/* The output that seed i is for; negative: a status. */
static int seeded(const graft_gradients *g, const struct graft_array *seeds,
                  int i)
{
    struct graft_shape s;
    int k = 0;
    if (!seeds[i].name)
        k = i;
    else
        while (k < g->n_out &&
               strcmp(seeds[i].name, graft_gradients_name(g, g->out[k].value)))
            k++;
    if (k >= g->n_out)
        return graft_fail(GRAFT_ENOTFOUND, "no output for seed %d%s%s", i + 1,
                          seeds[i].name ? ", " : "",
                          seeds[i].name ? seeds[i].name : "");
    int status = graft_shape_set(&s, seeds[i].dim, seeds[i].rank);
    if (!status &&
        (!seeds[i].data || !graft_shape_equal(&s, &g->out[k].shape)))
        status = graft_fail(GRAFT_ESHAPE, "the seed of output '%s' has "
                            "another shape than it",
                            graft_gradients_name(g, g->out[k].value));
    return status ? status : k;
}

/* NULL: nothing asked for depends on that output. */
static void seed(const graft_gradients *g, int k, const float *from)
{
    struct graft_view d = graft_program_dout(g->program, k);
    const int64_t n = graft_shape_count(&g->out[k].shape);
    for (int64_t i = 0; d.data && i < n; i++)
        graft_reals(&d)[i] = from ? (real)from[i] : 0;
}

int graft_gradients_backward(graft_gradients *g,
                             const struct graft_array *seeds, int n_seeds)
{
    if (!g->ran)
        return graft_fail(GRAFT_EARG, "backward follows a forward of its "
                          "own");
    for (int i = 0; i < n_seeds; i++) {
        int status = seeded(g, seeds, i);
        if (status < 0)
            return status;
    }
    for (int k = 0; k < g->n_out; k++)
        seed(g, k, NULL);
    for (int i = 0; i < n_seeds; i++)
        seed(g, seeded(g, seeds, i), seeds[i].data);
    g->ran = false;
    graft_program_backward(g->program);
    graft_program_finish(g->program, g->flat);
    for (int i = 0; i < g->n_wanted; i++) {
        struct graft_shown *w = &g->wanted[i];
        struct graft_view d = w->parameter
                                  ? (struct graft_view){0}
                                  : graft_program_din(g->program, w->at);
        copy_out(w, w->parameter
                        ? g->flat + g->selection->at[w->at].offset
                        : graft_reals(&d));
    }
    return GRAFT_OK;
}

/* ---- by name ------------------------------------------------------------- */

static int show(struct graft_array *out, const graft_gradients *g,
                const struct graft_shown *x, int n, const char *name,
                const char *what)
{
    int i = 0;
    while (i < n && strcmp(name, graft_gradients_name(g, x[i].value)))
        i++;
    if (i == n)
        return graft_fail(GRAFT_ENOTFOUND, "'%s' is not among the %s", name,
                          what);
    *out = (struct graft_array){.name = graft_gradients_name(g, x[i].value),
                                .data = x[i].data, .rank = x[i].shape.rank};
    for (int d = 0; d < out->rank; d++)
        out->dim[d] = x[i].shape.dim[d];
    return GRAFT_OK;
}

int graft_gradients_output(struct graft_array *out, const graft_gradients *g,
                           const char *name)
{
    return show(out, g, g->out, g->n_out, name, "outputs");
}

int graft_gradients_get(struct graft_array *out, const graft_gradients *g,
                        const char *name)
{
    return show(out, g, g->wanted, g->n_wanted, name,
                "gradients that were asked for");
}

int graft_gradients_set(graft_gradients *g, const char *name,
                        const float *data)
{
    for (int i = 0; i < g->n_wanted; i++) {
        const struct graft_shown *w = &g->wanted[i];
        if (!w->parameter || strcmp(name, graft_gradients_name(g, w->value)))
            continue;
        const struct graft_selected *at = &g->selection->at[w->at];
        for (int64_t e = 0; e < at->count; e++)
            g->selection->master[at->offset + e] = (real)data[e];
        graft_program_params(g->program);
        g->ran = false;
        return GRAFT_OK;
    }
    return graft_fail(GRAFT_ENOTFOUND, "'%s' is not among the parameters "
                      "whose gradients were asked for", name);
}
