/* Shards: how many images run together, and their gradients, added up where
 * backward writes them: only what reaches parameters is added to, and brought
 * to the parameters' own layout after the last one.
 * SPDX-License-Identifier: Apache-2.0 */
#include "program/program_impl.h"
#include "program/survey.h"

/* ---- how many images ----------------------------------------------------- */

enum {
    FEWEST = 4, MOST = 32,
    WEIGHED = 16,     /* times that weights may outweigh what one image moves:
                         they are read and their gradients written anew for
                         each shard */
    NEAR = 16 << 20   /* bytes that stay in a cache of the third level */
};

/* Bytes that one image makes in nodes that depend on `below`. */
static int64_t moved_by(const struct graft_model *m,
                        const struct graft_survey *s, bool *below)
{
    int64_t bytes = 0;
    for (int i = 0; i < m->node.n; i++) {
        const struct graft_node *node = &m->node.at[i];
        bool any = false;
        for (int k = 0; !node->removed && k < node->n_in; k++)
            any |= node->in[k] >= 0 && below[node->in[k]];
        for (int k = 0; any && k < node->n_out; k++) {
            graft_value_id v = node->out[k];
            if (v < 0)
                continue;
            below[v] = true;
            if (s->value[v].present && s->value[v].per_image)
                bytes += graft_shape_count(&s->value[v].shape) *
                         (int64_t)sizeof(real);
        }
    }
    return bytes;
}

int graft_shard_images(int *out, struct graft_runtime *rt,
                       const struct graft_model *m,
                       const struct graft_selection *train)
{
    struct graft_survey *s = NULL;
    bool *below = graft_calloc((size_t)m->value.n + 1, sizeof *below);
    int status = below ? graft_survey_new(&s, m, rt) : GRAFT_EMEM;
    if (!status) {
        for (int i = 0; i < train->n; i++)
            below[train->at[i].value] = true;
        int64_t weights = train->size * (int64_t)sizeof(real);
        int64_t each = moved_by(m, s, below), n = FEWEST;
        while (n < MOST && (2 * n * each <= NEAR ||
                            2 * n * each <= WEIGHED * weights))
            n *= 2;
        *out = (int)n;
    }
    graft_survey_free(s);
    graft_free(below);
    return status;
}

/* ---- gradients ----------------------------------------------------------- */

void graft_program_accumulate(struct graft_program *p, real *flat, bool first,
                              bool last)
{
    p->more = !first;
    graft_program_backward(p);
    p->more = false;
    if (last)
        graft_program_finish(p, flat);
}
