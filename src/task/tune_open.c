/* The model with a choice of words: opened, and shut again for another one.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/alloc.h"
#include "task/tune.h"

/* The head knows nothing yet; the probe's weights take its place. */
static int start(struct graft_tune *u, bool words_only)
{
    struct graft_training *t = u->t;
    const int64_t d = t->trunk.floats;
    struct graft_probe head = {.classes = t->data->n_classes, .d = d};
    const struct graft_tunable_options o = {
        .path = t->o->model, .cut = t->o->cut, .unfreeze = u->o.unfreeze,
        .freeze = u->o.freeze, .preprocess = &t->extract.preprocess,
        .head = &head, .norms = u->norms, .words_only = words_only,
        .like = u->o.from_scratch || u->norms == GRAFT_NORMS_ADAPT ? t->model
                                                                   : NULL};
    head.weight = graft_calloc((size_t)head.classes, (size_t)d *
                                                     sizeof *head.weight);
    head.bias = graft_calloc((size_t)head.classes, sizeof *head.bias);
    int status = head.weight && head.bias
                     ? graft_tunable_open(&u->u, t->rt, &o) : GRAFT_EMEM;
    graft_free(head.weight);
    graft_free(head.bias);
    return status;
}

int graft_tune_begin(struct graft_tune *u)
{
    int status = start(u, false);
    if (!status)
        status = graft_tune_open_rows(u);
    if (status != GRAFT_EMEM || !u->t->rt->memory_limit)
        return status;
    return graft_fail(GRAFT_ELIMIT, "fine-tuning '%s' needs more memory; the "
                      "limit is %.1f MB (less to unfreeze needs less)",
                      u->t->o->model, 1e-6 * (double)u->t->rt->memory_limit);
}

/* What speaks against the deepest choice of auto, memory apart, speaks against
 * what was asked for: it is no result of a try. */
int graft_tune_check_auto(struct graft_tune *u)
{
    u->o.unfreeze = "all";
    int status = start(u, true);
    u->o.unfreeze = u->t->o->tune.unfreeze;
    graft_tunable_release(&u->u);
    return u->t->rt->memory_limit && status == GRAFT_EMEM ? GRAFT_OK : status;
}

void graft_tune_shut(struct graft_tune *u)
{
    u->decoded += u->extract.decoded;
    graft_cache_close(u->extract.cache);
    graft_extract_release(&u->extract);
    u->extract = (struct graft_extract){0};
    graft_tunable_release(&u->u);
    graft_free(u->x);
    graft_free(u->rows);
    graft_free(u->place);
    graft_free(u->start);
    graft_free(u->start_running);
    graft_free(u->row_of);
    u->x = u->rows = NULL;
    u->place = u->row_of = NULL;
    u->start = u->start_running = NULL;
    graft_alloc_trim(); /* another depth may be opened next */
}

int graft_tune_note_start(struct graft_tune *u)
{
    int64_t size;
    const real *running = graft_program_running(u->u.program, &size);
    size_t bytes = (size_t)u->u.selection->size * sizeof(real);
    u->start = graft_malloc(bytes);
    u->start_running = graft_malloc((size_t)(size + 1) * sizeof(real));
    if (!u->start || !u->start_running)
        return GRAFT_EMEM;
    memcpy(u->start, u->u.selection->master, bytes);
    if (running)
        memcpy(u->start_running, running, (size_t)size * sizeof(real));
    return GRAFT_OK;
}
