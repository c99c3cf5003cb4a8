/* Reports: building, freeing, and as JSON.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_REPORT_REPORT_H
#define GRAFT_REPORT_REPORT_H

#include "graft/train.h"

/* A report with room for its classes; labels are copied. */
int graft_report_new(struct graft_report **out, char *const *labels,
                     int n_classes);
int graft_report_skip(struct graft_report *r, const char *file,
                      const char *why);
int graft_report_phase(struct graft_report *r, const char *name,
                       double seconds);

/* Adds one judged photo: truth (-1: a class that the model does not have)
 * against the class probabilities p [n_classes]. The class said is the one
 * of the largest, the first of equals. */
int graft_report_judge(struct graft_report *r, const char *file, int truth,
                       const double *p);
/* After the last one: accuracy, interval, precision, recall, mean log-loss;
 * mistakes sorted worst first (by p_said, then by file name). */
void graft_report_conclude(struct graft_report *r);

/* Wilson's score interval for `correct` of `total`, 95 %; NaN for none. */
void graft_wilson(int correct, int total, double *low, double *high);

struct json_t;
/* `object` with that text as well, where there is one; what cannot be stored
 * takes the object with it. */
struct json_t *graft_report_note(struct json_t *object, const char *name,
                                 const char *text);
/* r->tuning as an object for report and card. */
struct json_t *graft_report_tuning(const struct graft_report *r);

/* Sets r->json (graft/train.h lists the keys). */
int graft_report_set_json(struct graft_report *r);

#endif
