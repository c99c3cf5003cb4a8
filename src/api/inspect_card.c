/* Inspection: what a file that Graft wrote says about itself, and which pixels
 * a model wants.
 * SPDX-License-Identifier: Apache-2.0 */
#include "api/inspect.h"
#include "base/status.h"
#include "base/str.h"
#include "data/preprocess.h"
#include "graph/model.h"
#include "task/card.h"

/* What training would assume where no card says it. */
static int preset(struct graft_preprocess *p, const struct graft_model *m)
{
    graft_value_id feed = graft_model_feed(m, 0);
    const struct graft_value *v = feed < 0 ? NULL : &m->value.at[feed];
    bool image = v && v->has_shape && v->rank == 4;
    int64_t h = image ? v->dim[2].value : -1;
    int64_t w = image ? v->dim[3].value : -1;
    return graft_preprocess_preset(p, "imagenet",
                                   w > 0 && w <= 8192 ? (int)w : 224,
                                   h > 0 && h <= 8192 ? (int)h : 224);
}

static int pixels(struct graft_inspected *t,
                  const struct graft_preprocess *p, const char *source)
{
    struct graft_str words;
    graft_str_init(&words);
    graft_preprocess_words(p, &words);
    int status = graft_str_ok(&words);
    if (!status) {
        t->x.preprocess = graft_arena_strdup(&t->arena, words.at);
        t->x.preprocess_source = source;
        if (!t->x.preprocess)
            status = GRAFT_EMEM;
    }
    graft_str_release(&words);
    return status;
}

static int classes(struct graft_inspected *t, const struct graft_card *c)
{
    const char **label = graft_arena_array(&t->arena, (size_t)c->n_labels + 1,
                                           sizeof *label);
    if (!label)
        return GRAFT_EMEM;
    for (int i = 0; i < c->n_labels; i++) {
        label[i] = graft_arena_strdup(&t->arena, c->labels[i]);
        if (!label[i])
            return GRAFT_EMEM;
    }
    t->x.labels = label;
    t->x.n_labels = c->n_labels;
    t->x.claimed_correct = c->correct;
    t->x.claimed_total = c->total;
    return GRAFT_OK;
}

int graft_inspect_card(struct graft_inspected *t, const struct graft_model *m)
{
    struct graft_card *card = NULL;
    struct graft_preprocess p;
    int status = graft_card_of(&card, m);
    if (status == GRAFT_EMEM)
        return status;
    if (!status && card) {
        status = pixels(t, &card->preprocess, "the file says so");
        if (!status)
            status = classes(t, card);
        graft_card_free(card);
        return status;
    }
    status = preset(&p, m);
    return status ? status
                  : pixels(t, &p, "preset imagenet, since the file does not "
                                  "say; --preprocess changes it");
}
