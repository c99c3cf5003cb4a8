/* Files made of very many very small things, each row another kind: what
 * could make reading them slow or large.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_TEST_WORST_H
#define GRAFT_TEST_WORST_H

#include <stdint.h>

#include "base/str.h"

/* Messages written down as text:
 *
 *     1{1'x' 2'%n' 4'Relu'}    field 1, a message: texts in its fields 1, 2, 4
 *     20=7    field 20, the number 7
 *     9*400   field 9, 400 bytes of zero
 *
 * %n in a text: a name that is new with each repetition; %p: the one before
 * (at first: x). */
void worst_put(struct graft_str *s, const char *items, int repetition);

struct worst {
    const char *name;
    int path[6];        /* fields that lead from the model to the message that
                           holds the repetitions; {0}: the model itself */
    const char *begin;  /* stands in that message first */
    const char *each;   /* is repeated */
    const char *graph;  /* stands in the graph then (%n: the last name) */
    const char *model;  /* stands in the model too */
    const char *around; /* stands in the message around that one */
    const char *beyond; /* and in the next one */
};
extern const struct worst worst_inputs[]; /* ended by name NULL */

/* The file of about so many bytes: x -> Relu -> y, and the repetitions.
 * Release it. */
struct graft_str worst_make(const struct worst *w, size_t bytes);

/* CPU seconds and most bytes held since the last start. */
struct worst_cost {
    double seconds;
    uint64_t bytes;
};
void worst_start(void);
struct worst_cost worst_stop(void);

#endif
