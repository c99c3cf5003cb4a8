/* What a program contains.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_PROGRAM_IMPL_H
#define GRAFT_PROGRAM_IMPL_H

#include "program/compiler.h"

/* A pack to be filled again when section 1 runs. */
struct graft_repack {
    struct graft_step *step;
    int input;
    const struct graft_pack_request *request;
    void *data;
    bool varies;          /* with the selection; else once */
};

/* A normalisation by the batch. */
struct graft_norm_step {
    struct graft_step *step;
    int64_t offset;       /* in running */
    real *found;          /* the batch's; saved for backward, or arena */
};

/* One worker's call of a step on one image. */
struct graft_frame {
    struct graft_view *in, *out, residual;
    struct graft_epilogue ep;
    struct graft_call call;
};

struct graft_program {
    struct graft_compile options;  /* the compiler's, lists not kept */
    struct graft_compiler c;
    struct graft_runtime *rt;
    struct graft_store *own_store; /* NULL: the caller's is used */
    struct graft_packs packs;      /* of selected and computed parameters */
    char *block, *scratch;
    size_t call_scratch, task_scratch; /* sizes; task: of one worker */
    size_t deep_scratch;           /* of a call in a deep segment */
    struct graft_frame *frame;     /* per worker; NULL: no deep segment */
    GRAFT_ARRAY(struct graft_repack) repack;
    GRAFT_ARRAY(const void *) seen; /* packs counted below */
    int64_t pack_bytes, param_bytes;
    bool *varies;                  /* per value: depends on the selection */
    int n;                         /* images of the last forward */
    bool more;                     /* backward of a further shard: gradients
                                      of parameters are added to */
    struct graft_rng_key key;      /* graft_program_random */
    int64_t first;
    GRAFT_ARRAY(struct graft_norm_step) norm;
    real *running;                 /* of them all; NULL: none */
    int64_t running_size;
    bool rested;                   /* what section 1 computes is gone */
};

#if defined(__SANITIZE_ADDRESS__)
enum { GRAFT_CHECKED = 1 }; /* builds that look at everything (check.c) */
#else
enum { GRAFT_CHECKED = 0 };
#endif
/* Ends the process where a forward call left unused lanes that are not
 * zero. */
void graft_check_lanes(const struct graft_call *c);

/* Running statistics of a bound program (statistics.c). */
int graft_program_bind_norms(struct graft_program *p);

/* Memory, packs, views and calls of a compiled program (bind.c). */
int graft_program_bind(struct graft_program *p);
/* Input i of step s in the form `r`; one that varies is filled later
 * (bind_packs.c). */
int graft_get_pack(struct graft_program *p, struct graft_step *s, int i,
                   const struct graft_pack_request *r, void **out);
/* An initializer that is read as it is, by input `input` of s (NULL: by
 * others). */
int graft_plain_copy(struct graft_program *p, int v,
                     const struct graft_step *s, int input, void **out);
/* What block and scratch hold from the beginning: nothing that may be read. */
void graft_program_blank(struct graft_program *p);
/* Section 1; the first time everything, then what the selection changes. */
void graft_program_run_params(struct graft_program *p, bool first);

/* Runs step s for images first .. first+n-1 (run.c). */
void graft_step_forward(struct graft_program *p, struct graft_step *s,
                        int first, int n);
void graft_step_backward(struct graft_program *p, struct graft_step *s,
                         int n);
/* Undoes a step's epilogue for its first n images (epilogue.c): dy, at
 * s->rdout[0], becomes dz; the bias's and residual's gradients are written. */
void graft_epilogue_undo(struct graft_program *p, struct graft_step *s,
                         int n);

/* A value as a view at n_max, and its gradient. */
struct graft_view graft_value_view(const struct graft_program *p, int v);
struct graft_view graft_gradient_view(const struct graft_program *p, int v);
/* The view of images first .. first+n-1 of value v. */
struct graft_view graft_image_range(const struct graft_program *p, int v,
                                    struct graft_view view, int first,
                                    int n);

#endif
