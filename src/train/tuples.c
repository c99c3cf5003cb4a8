/* Rows of the feature cache into a program (tuples.h).
 * SPDX-License-Identifier: Apache-2.0 */
#include "train/tuples.h"

#include "base/rng.h"

/* Streams of the seed: views of epoch e have number VIEWS + e. */
#define VIEWS ((uint64_t)2 << 40)

int64_t graft_tuples_row(const struct graft_tuples *t, int64_t photo,
                         int64_t epoch)
{
    if (t->views < 2)
        return photo;
    struct graft_rng_key key = graft_rng_key(t->seed,
                                             VIEWS + (uint64_t)epoch);
    return photo * t->views +
           (int64_t)graft_rng_below(key, (uint64_t)photo,
                                    (uint64_t)t->views);
}

void graft_targets_fill(const struct graft_shard *s, const int32_t *label,
                        double smoothing, const double *class_weight)
{
    const int64_t classes = graft_program_classes(s->program);
    real *row = graft_program_target_rows(s->program);
    int32_t *index = graft_program_targets(s->program);
    double *weight = graft_program_weights(s->program);
    const real off = (real)(smoothing / (double)classes);
    const real on = (real)(1 - smoothing + smoothing / (double)classes);
    for (int i = 0; i < s->n; i++) {
        const int32_t class = label[s->index[i]];
        if (index)
            index[i] = class;
        for (int64_t c = 0; row && c < classes; c++)
            row[i * classes + c] = c == class ? on : off;
        if (weight && class_weight)
            weight[i] *= class_weight[class];
    }
}

/* Input i of the program is crossing value k: where that begins in a row. */
static int64_t place(const struct graft_crossing *x,
                     const struct graft_program *p, int i, int64_t *count)
{
    int64_t at = 0;
    int k = 0;
    for (; k < x->n - 1 && x->value[k] != graft_program_input_id(p, i); k++)
        at += x->count[k];
    *count = x->count[k];
    return at;
}

int graft_tuples_fill(void *ctx, const struct graft_shard *s)
{
    const struct graft_tuples *t = ctx;
    const struct graft_crossing *x = t->crossing;
    for (int i = 0; i < graft_program_n_inputs(s->program); i++) {
        int64_t count, at = place(x, s->program, i, &count);
        for (int k = 0; k < s->n; k++) {
            int64_t row = s->judging
                              ? s->index[k] * t->views
                              : graft_tuples_row(t, s->index[k], s->epoch);
            graft_program_put_at(s->program, i,
                                 t->row + row * x->floats + at, k, 1);
        }
    }
    graft_targets_fill(s, t->label, s->judging ? 0 : t->smoothing,
                       t->class_weight);
    return GRAFT_OK;
}
