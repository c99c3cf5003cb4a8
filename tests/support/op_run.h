/* The life of one operator row, step by step: what a program does for a step,
 * with guarded memory. Used by op_case.c.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_TEST_OP_RUN_H
#define GRAFT_TEST_OP_RUN_H

#include "kernels/kernels.h"
#include "support/op_case.h"

struct op_buffer {
    char *data;
    size_t bytes;
};

struct op_run {
    const struct op_case *c;
    const char *file; /* of the case, for messages */
    int line;
    const struct graft_op *op;
    struct graft_arena arena;
    struct graft_model model; /* as empty as parse and infer allow */
    struct graft_node node;
    void *args;
    int n_in, n_out, n_max;
    struct graft_vinfo in[OP_CASE_MAX], out[OP_CASE_MAX];
    double *given[OP_CASE_MAX]; /* inputs' numbers */
    struct graft_epilogue ep;
    struct graft_view residual;
    bool has_ep;
    bool blocked;               /* set before planning: the inputs lie in C16,
                                   and rows may choose it */
    /* plan */
    struct graft_plan plan;
    enum graft_layout layout[2][OP_CASE_MAX];
    struct graft_pack_request pack[OP_CASE_MAX], back_pack[OP_CASE_MAX];
    bool packed[OP_CASE_MAX];
    /* run; buffers hold n_max images in the planned layout */
    struct graft_pool *pool;
    struct graft_view vin[OP_CASE_MAX], vout[OP_CASE_MAX];
    struct graft_view din[OP_CASE_MAX], dout[OP_CASE_MAX];
    void *packs[OP_CASE_MAX], *back_packs[OP_CASE_MAX];
    void *dpacks[OP_CASE_MAX];
    uint8_t dmode[OP_CASE_MAX];
    void *saved, *scratch, *task_scratch;
    GRAFT_ARRAY(struct op_buffer) buffer;
};

/* Reads the case, parses and infers. A status with its message. */
int op_run_infer(struct op_run *r, const struct op_case *c);
/* Plans and allocates. training: backward will run. */
void op_run_plan(struct op_run *r, enum graft_isa isa, int threads,
                 bool training);
void op_run_release(struct op_run *r); /* checks the guards */

void op_run_pack(struct op_run *r);           /* parameters as in vin */
void op_run_forward(struct op_run *r, int n); /* outputs NaN before */
/* Reads vin, vout, dout of n images; writes din (unpacked) where dmode is not
 * SKIP. */
void op_run_backward(struct op_run *r, int n);

/* Does anything lie in C16 after planning? */
bool op_run_is_blocked(const struct op_run *r);
/* Unused lanes of the outputs' n images must be zero. */
void op_run_check_lanes(struct op_run *r);
/* The same of one view; what, i: its name. */
void op_run_check_unused(struct op_run *r, const struct graft_view *v,
                         const char *what, int i);

/* Output k's (a view's) number at a row-major index of n images. */
double op_run_number(const struct graft_view *v, int64_t i);
void op_run_set(const struct graft_view *v, int64_t i, double x);
void op_run_fill(struct op_run *r, const struct graft_view *v, double x);

/* Parts of the above (op_memory.c): memory between guards, which a release
 * checks; OP_RUN_FILL makes NaN, and -1 of integers. */
enum { OP_RUN_FILL = 0xff };
void *op_run_memory(struct op_run *r, size_t bytes);
void op_run_release_memory(struct op_run *r);
size_t op_run_bytes(struct op_run *r, const struct graft_view *v);
void op_run_allocate(struct op_run *r, struct graft_view *v);

#define op_run_fail(r, ...) op_run_fail_(r, __VA_ARGS__)
void op_run_fail_(const struct op_run *r, const char *fmt, ...)
    GRAFT_PRINTF(2, 3) __attribute__((noreturn));

#endif
