/* How much memory taking features needs, and how it needs less.
 * SPDX-License-Identifier: Apache-2.0 */
#include "train/features.h"

static bool may_shrink(const struct graft_extract *x)
{
    return x->batch <= 0 && !x->raw && !graft_model_fixed_batch(x->model);
}

int graft_extract_fit(struct graft_extract *x)
{
    if (!x->rt->memory_limit || x->program || !may_shrink(x))
        return GRAFT_OK;
    int wanted = graft_extract_batch(x), status = graft_extract_compile(x);
    while ((status == GRAFT_ELIMIT || status == GRAFT_EMEM) && x->n_max > 1) {
        graft_extract_release(x);
        x->n_max /= 2;
        status = graft_extract_compile(x);
    }
    if (!status && x->n_max < wanted)
        graft_log(x->rt, GRAFT_LOG_INFO, "%d photo%s at a time, not %d, for "
                  "the memory limit", x->n_max, x->n_max == 1 ? "" : "s",
                  wanted);
    return status;
}

int graft_extract_size(int64_t *bytes, struct graft_extract *x)
{
    struct graft_memory m = {0};
    int status = graft_extract_compile(x);
    if (status)
        return status;
    if (x->program)
        graft_program_memory(x->program, &m);
    *bytes = m.block_bytes + m.scratch_bytes + m.pack_bytes + m.param_bytes;
    if (x->raw)
        *bytes = graft_extract_batch(x) * x->floats * (int64_t)sizeof(float);
    return GRAFT_OK;
}

bool graft_extract_halve(struct graft_extract *x)
{
    if (!may_shrink(x) || graft_extract_batch(x) < 2)
        return false;
    graft_extract_release(x);
    x->n_max /= 2;
    return true;
}

int64_t graft_extract_photos(struct graft_extract *x,
                             const struct graft_load_item *items, int n,
                             bool views)
{
    const struct graft_load_options o = {.preprocess = &x->preprocess,
                                         .exact = x->exact || views};
    return graft_load_room(x->rt, items, n, &o);
}
