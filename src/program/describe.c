/* The plan as text, a line a step.
 * SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>

#include "program/program_impl.h"

#define ACT_NAME(code, name) [code] = name,
static const char *const act_names[] = {GRAFT_ACT_LIST(ACT_NAME)};

static void add_value(struct graft_str *out, const struct graft_wvalue *v)
{
    char text[GRAFT_SHAPE_TEXT];
    graft_str_add_safe(out, v->name);
    graft_str_add(out, graft_shape_text(text, &v->info.shape));
    if (v->info.fmt.layout != GRAFT_ROW)
        graft_str_addf(out, ":%s", graft_layout_name(v->info.fmt.layout));
}

static void add_extras(const struct graft_program *p, struct graft_str *out,
                       const struct graft_step *s)
{
    const struct graft_fusion *f = &s->fuse;
    if (s->plan.way)
        graft_str_addf(out, " by %s", s->plan.way);
    if (f->scale)
        graft_str_add(out, " +normalisation");
    if (f->bias >= 0)
        graft_str_add(out, " +bias");
    if (f->residual >= 0) {
        graft_str_add(out, " +");
        graft_str_add_safe(out, p->c.value.at[f->residual].name);
    }
    if (f->act.kind != GRAFT_ACT_NONE)
        graft_str_addf(out, " +%s", act_names[f->act.kind]);
    if (s->param)
        graft_str_add(out, " [parameters]");
    if (s->marked)
        graft_str_add(out, " [backward]");
}

static void add_place(const struct graft_program *p, struct graft_str *out,
                      const struct graft_step *s)
{
    int v = s->out[0];
    if (s->view && p->c.value.at[v].alias >= 0) {
        graft_str_add(out, " (same memory)");
        return;
    }
    if (p->c.value.at[v].info.fmt.batch_stride)
        graft_str_add(out, " (part)");
    int b = p->c.value.at[graft_root(&p->c, v)].buffer;
    if (b >= 0)
        graft_str_addf(out, " @%" PRId64 "+%" PRId64,
                       p->c.buffer.at[b].offset, p->c.buffer.at[b].bytes);
}

int graft_program_describe(const struct graft_program *p,
                           struct graft_str *out)
{
    const struct graft_compiler *c = &p->c;
    int reorders = 0;
    for (int i = 0; i < c->n_inputs; i++) {
        graft_str_add(out, "      input  ");
        add_value(out, &c->value.at[c->input[i]]);
        graft_str_add(out, "\n");
    }
    for (int i = 0; i < c->step.n; i++) {
        const struct graft_step *s = c->step.at[i];
        const struct graft_segment *g = graft_segment_of(c, i);
        if (g->deep && g->first == i)
            graft_str_addf(out, "      %d steps image by image:\n", g->n);
        reorders += s->op == &graft_row_reorder;
        graft_str_addf(out, "%4d  ", i);
        graft_str_add_safe(out, s->name);
        for (int k = 0; k < s->n_in; k++) {
            if (s->in[k] < 0 || graft_is_constant(&c->value.at[s->in[k]]))
                continue;
            graft_str_add(out, " ");
            graft_str_add_safe(out, c->value.at[s->in[k]].name);
        }
        graft_str_add(out, " -> ");
        add_value(out, &c->value.at[s->out[0]]);
        add_extras(p, out, s);
        if (s->macs)
            graft_str_addf(out, " %" PRId64 " MAC", s->macs);
        add_place(p, out, s);
        graft_str_add(out, "\n");
    }
    graft_str_addf(out, "      %d reorders\n", reorders);
    return graft_str_ok(out);
}
