/* Parameters as steps read them: packs and plain copies, from the store where
 * programs can share them; and section 1, which fills those that vary.
 * SPDX-License-Identifier: Apache-2.0 */
#include "program/program_impl.h"

static int count_once(struct graft_program *p, const void *pack,
                      int64_t bytes, int64_t *total)
{
    for (int i = 0; i < p->seen.n; i++)
        if (p->seen.at[i] == pack)
            return GRAFT_OK;
    const void **seen = graft_push(&p->seen);
    if (!seen)
        return GRAFT_EMEM;
    *seen = pack;
    *total += bytes;
    return GRAFT_OK;
}

/* r NULL: of a plain copy. */
static struct graft_pack_key key_of(const struct graft_program *p, int v,
                                    const struct graft_step *s, int input,
                                    const struct graft_pack_request *r)
{
    const struct graft_wvalue *value = &p->c.value.at[v];
    struct graft_pack_key key = {.value = v, .kind = "row",
                                 .isa = p->rt->isa};
    key.shape = graft_hash(&value->info.shape, sizeof value->info.shape);
    if (r) {
        key.kind = r->kind->name;
        key.key = r->key;
    } else {
        key.isa = GRAFT_ISA_GENERIC; /* the same for all */
    }
    if (s && input == 1 && s->fuse.scale)
        key.scale = s->fuse.hash;
    return key;
}

/* The bytes a parameter is packed from. */
static struct graft_view source(const struct graft_program *p, int v)
{
    const struct graft_wvalue *value = &p->c.value.at[v];
    if (!value->tensor || value->selected >= 0)
        return graft_value_view(p, v);
    struct graft_view view = graft_tensor_view(value->tensor);
    view.shape = value->info.shape;
    return view;
}

static void fill_pack(const struct graft_program *p, struct graft_step *s,
                      int i, const struct graft_pack_request *r, void *dst)
{
    struct graft_view src = source(p, s->in[i]);
    r->kind->pack(dst, &src, i == 1 ? s->fuse.scale : NULL, r->spec,
                  p->rt->pool);
}

/* A plain copy of an initializer that somebody reads as it is. */
int graft_plain_copy(struct graft_program *p, int v,
                      const struct graft_step *s, int input, void **out)
{
    struct graft_wvalue *value = &p->c.value.at[v];
    struct graft_pack_key key = key_of(p, v, NULL, 0, NULL);
    const real *scale = s && input == 1 ? s->fuse.scale : NULL;
    bool fresh;
    if (scale)
        key.scale = s->fuse.hash;
    size_t bytes = (size_t)graft_value_bytes(value);
    int status = graft_packs_get(graft_store_shared(p->c.store), &key, bytes,
                                 out, &fresh);
    if (status)
        return status;
    if (fresh) {
        struct graft_view src = source(p, v);
        graft_pack_plain(*out, &src, scale);
    }
    return count_once(p, *out, (int64_t)bytes, &p->param_bytes);
}

int graft_get_pack(struct graft_program *p, struct graft_step *s, int i,
                    const struct graft_pack_request *r, void **out)
{
    const struct graft_wvalue *v = &p->c.value.at[s->in[i]];
    bool shared = v->tensor && v->selected < 0, fresh;
    struct graft_pack_key key = key_of(p, s->in[i], s, i, r);
    int status = graft_packs_get(shared ? graft_store_shared(p->c.store)
                                        : &p->packs,
                                 &key, r->bytes, out, &fresh);
    if (!status)
        status = count_once(p, *out, (int64_t)r->bytes, &p->pack_bytes);
    if (status || !fresh)
        return status;
    if (shared) {
        fill_pack(p, s, i, r, *out);
        return GRAFT_OK;
    }
    struct graft_repack *again = graft_push(&p->repack);
    if (!again)
        return GRAFT_EMEM;
    *again = (struct graft_repack){s, i, r, *out, p->varies[s->in[i]]};
    return GRAFT_OK;
}

void graft_program_run_params(struct graft_program *p, bool first)
{
    struct graft_compiler *c = &p->c;
    int at = 0; /* repacks stand in the order of their steps */
    for (int i = 0; i < c->step.n; i++) {
        struct graft_step *s = c->step.at[i];
        for (; at < p->repack.n && p->repack.at[at].step == s; at++) {
            const struct graft_repack *r = &p->repack.at[at];
            if (first || r->varies)
                fill_pack(p, s, r->input, r->request, r->data);
        }
        if (s->param && (first || p->varies[s->out[0]]))
            graft_step_forward(p, s, 0, c->n_max);
    }
}
