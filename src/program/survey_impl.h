/* What the parts of a survey share.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_SURVEY_IMPL_H
#define GRAFT_SURVEY_IMPL_H

#include "program/facts.h"
#include "program/survey.h"

struct graft_surveyor {
    struct graft_survey *s;
    const struct graft_model *m;
    struct graft_facts facts;
    struct graft_fact *fact;  /* per node */
    bool *live;               /* per node: the outputs need it */
    bool *known;              /* per node: evaluated while compiling */
    bool *data;               /* per value: depends on what is fed */
};

int graft_survey_cuts(struct graft_surveyor *x); /* cuts.c */
void graft_survey_head(struct graft_surveyor *x); /* head.c */

/* Elements of a value for one image, and channels after global pooling. */
int64_t graft_survey_features(const struct graft_surveyor *x,
                              graft_value_id v);
int64_t graft_survey_pooled(const struct graft_surveyor *x,
                            graft_value_id v);

#endif
