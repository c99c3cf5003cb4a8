/* The card: what a file that Graft made says about itself. One JSON object,
 * schema "graft-card/1", in metadata_props["graft"] and in NAME.json.
 *
 *   schema, task ("classify"), labels[] (in the order of the outputs)
 *   input      .name .shape[]          output  .name .shape[] .kind
 *                                              ("probabilities" or "logits")
 *   preprocess .words and, in numbers: .width .height .fit (crop, squash,
 *              pad) .resize (crop: length of the short side before it)
 *              .channels .order (rgb, bgr, grey) .mean[] .std[] (of pixels
 *              0..255, in the input's order) .pad_value .formula .resampling
 *   accuracy   .correct .total .value .wilson_low .wilson_high .log_loss
 *              .part ("val") .split ("folder", or "seed": 20 % of each class
 *              by a hash of seed and content) .decode ("fast", "exact") .how
 *   training   .photos .samples .views .cut .features .solver .l2
 *              .cv_folds .cv_log_loss .cv_accuracy, and where a recipe of
 *              views was named, .augment
 *   tune       only after fine-tuning: as in the report (graft/train.h)
 *   seed, versions .graft
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_TASK_CARD_H
#define GRAFT_TASK_CARD_H

#include "data/preprocess.h"
#include "graph/model.h"

/* What of a card is read again. */
struct graft_card {
    char **labels;
    int n_labels;
    struct graft_preprocess preprocess;
    char *output;          /* name of the value with the answers */
    bool logits;
    int correct, total;    /* claimed */
    bool split_by_seed;
    bool exact;            /* decode */
    uint64_t seed;
    char *task;            /* "classify" in what this version makes */
    double accuracy, log_loss; /* claimed; NaN: null in the card */
};

/* From JSON text; GRAFT_EFORMAT naming the key that is missing or wrong. */
int graft_card_parse(struct graft_card **out, const char *text);
/* Of a model: *out NULL when it has none. */
int graft_card_of(struct graft_card **out, const struct graft_model *m);
void graft_card_free(struct graft_card *c);

extern const char *const graft_fit_names[]; /* by enum graft_fit; NULL ends */

/* A card to be written. */
struct graft_card_facts {
    const struct graft_report *report;
    const struct graft_preprocess *preprocess;
    const struct graft_value *input, *output;
    bool logits, exact;
};
int graft_card_write(char **out, const struct graft_card_facts *f);

/* The card `text` after its input or output `from` got the name `to`
 * (graft_free it); NULL: it names neither so, or is no card. */
int graft_card_rename(char **out, const char *text, const char *from,
                      const char *to);
/* Makes the card in the model's metadata, if there is one, say that the batch
 * is `dim`. */
int graft_card_set_batch(struct graft_model *m, const struct graft_dim *dim);

#endif
