/* What the files of mutations share.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_FUZZ_MUTATE_H
#define GRAFT_FUZZ_MUTATE_H

#include "fuzz.h"
#include "tree.h"

typedef struct fuzz_random rng;

/* A change of a tree; false: it found nothing to change. */
typedef bool mutation(struct tree *t, rng *r);
extern mutation *const fuzz_wire_mutations[]; /* end with NULL */
extern mutation *const fuzz_onnx_mutations[];

typedef bool fuzz_fits(const struct field *f);
/* A field for which `fits`, all the same likely; NULL: there is none. */
struct field *fuzz_choose(const struct tree *t, rng *r, fuzz_fits *fits);
/* A child to put something behind; NULL: to the front. */
struct field *fuzz_behind(const struct field *parent, rng *r);
/* Numbers at which something ends or begins. */
uint64_t fuzz_boundary(rng *r);
bool fuzz_is_message(const struct field *f);
bool fuzz_is_text(const struct field *f);

/* `input`, a ValueInfoProto of a graph's inputs (NULL: there is none),
 * becomes an initializer or gets one. */
bool fuzz_make_weight(struct tree *t, struct field *input, rng *r);

#endif
