/* What an operator is. One row (struct graft_op) holds everything the rest of
 * Graft knows about one operator from one opset version on; rows of several
 * versions share their functions. Rows live in src/ops/op_*.c, one file for
 * each family; the Makefile makes the table of them from the file names.
 *
 * The life of a row's functions, in the order they are called:
 *   parse     attributes -> args                        (may fail)
 *   infer     shapes, dtypes, batch, args from inputs   (may fail)
 *   plan      algorithm, formats, packs, scratch        (may fail)
 *   forward   the work: cannot fail, allocates nothing
 *   backward  gradients: cannot fail, allocates nothing
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_GRAPH_OP_H
#define GRAFT_GRAPH_OP_H

#include "base/pool.h"
#include "base/rng.h"
#include "base/status.h"
#include "graph/model.h"
#include "kernels/act.h"

struct graft_kernels; /* kernels/kernels.h */
struct graft_call;
struct graft_op;

enum { GRAFT_MAX_IN = 64 }; /* more inputs than this only for Concat-like
                               rows: use n_in, never a fixed array */

struct graft_arity {
    int in_min, in_max, out_min, out_max; /* max -1: any number */
};

/* flags */
enum {
    GRAFT_OP_POINTWISE = 1 << 0,    /* out[i] depends on in[i] only */
    GRAFT_OP_ZERO_KEEPING = 1 << 1, /* maps zero lanes to zero (C16 pads) */
    GRAFT_OP_INPLACE = 1 << 2,      /* output may overwrite input 0 when the
                                       sizes agree and nobody else reads it */
    GRAFT_OP_RANDOM = 1 << 3,
    GRAFT_OP_EPILOGUE = 1 << 4,     /* forward honours call->ep */
    GRAFT_OP_DYNAMIC = 1 << 5,      /* true sizes only known when run */
    GRAFT_OP_GRAD_FROM_INPUT = 1 << 6, /* as activation: gradient needs the
                                       input; otherwise the output does */
    GRAFT_OP_HOST = 1 << 7,         /* forward also works on INT64 views, so
                                       shape arithmetic is evaluated with it
                                       while compiling */
    GRAFT_OP_VIEW = 1 << 8,         /* ROW: output 0 has the same bytes as
                                       input 0 (Reshape, Flatten, Identity,
                                       Squeeze, Unsqueeze): no step needed */
    GRAFT_OP_RESIDUAL = 1 << 9,     /* adds two inputs; with equal shapes it
                                       may become an epilogue's residual */
    GRAFT_OP_CHANNEL_WEIGHTS = 1 << 10, /* (Conv) output channel c, dim 1, is
                                       linear in slice c of dim 0 of input 1,
                                       plus element c of input 2 if present:
                                       a normalisation's scale and shift can
                                       be folded into both */
    GRAFT_OP_STRIDED = 1 << 13,     /* forward honours fmt.batch_stride of
                                       values in C16 */
    GRAFT_OP_RETYPES = 1 << 12,     /* (Cast) a float output has the reals of
                                       a float input */
    GRAFT_OP_SHAPED = 1 << 11,      /* (Reshape, Expand) the input known
                                       while compiling is the shape of output
                                       0, its last number the last dimension */
    GRAFT_OP_TOGETHER = 1 << 15,    /* looks at all images of a run at once,
                                       though each has its own result */
    GRAFT_OP_BACK_BLOCKED = 1 << 14 /* backward works over C16 too */
};

/* A value known while compiling: integers (every integer and bool dtype, as
 * int64) or reals. */
struct graft_host {
    enum graft_dtype dtype; /* the ONNX type; floats are held as real */
    struct graft_shape shape;
    int64_t *ints;          /* one of the two */
    real *reals;
};

/* What the compiler knows about a value. */
struct graft_vinfo {
    bool present;             /* false: an optional input left out */
    struct graft_shape shape; /* for n_max images */
    enum graft_dtype dtype;   /* GRAFT_REAL for every float computed; INT64
                                 for host integers; as stored for params */
    int64_t per_image;        /* rows of dim 0 for each image: shape.dim[0] =
                                 per_image * n_max, image i's elements are
                                 contiguous (ROW) and depend on image i only;
                                 0: independent of the batch */
    bool whole_batch;         /* depends on the batch, but not separable by
                                 images: such programs run full batches */
    bool is_param;            /* computed from parameters only */
    bool marked;              /* a gradient will flow through it */
    const struct graft_host *host; /* known value, NULL: none */
    const int64_t *of_batch;  /* for each element e of host: 0: the same for
                                 every batch; f > 0: e is f times the number
                                 of images; GRAFT_BATCH_ODD: the batch
                                 changes it in another way. NULL: all 0 */
    bool shape_of_batch;      /* the batch changes the shape, in another way
                                 than per_image and whole_batch say */
    struct graft_format fmt;
};
enum { GRAFT_BATCH_ODD = -1 };

/* ---- parse --------------------------------------------------------------- */

struct graft_parse {
    const struct graft_model *model;
    const struct graft_node *node;
    int64_t opset;          /* of the node's domain */
    void *args;             /* op->args_size zeroed bytes, to be filled */
    struct graft_arena *arena; /* for arrays that args points to */
    uint64_t read;          /* bit i: attribute i was asked for */
};

/* Readers of attributes. A missing attribute gives the default; a wrong type
 * is an error naming the node. After parse the compiler refuses a node with
 * an attribute nobody read. */
int graft_attr_int(struct graft_parse *p, const char *name, int64_t fallback,
                   int64_t *out);
int graft_attr_float(struct graft_parse *p, const char *name, float fallback,
                     float *out);
/* *out NULL when absent; borrowed from the model. */
int graft_attr_ints(struct graft_parse *p, const char *name,
                    const int64_t **out, int *n);
int graft_attr_floats(struct graft_parse *p, const char *name,
                      const float **out, int *n);
int graft_attr_string(struct graft_parse *p, const char *name,
                      const char *fallback, const char **out);
int graft_attr_tensor(struct graft_parse *p, const char *name,
                      const struct graft_tensor **out);
bool graft_attr_has(struct graft_parse *p, const char *name);
/* Marks attributes as known and without meaning for us (doc strings of old
 * exporters, Dropout's seed). */
void graft_attr_ignore(struct graft_parse *p, const char *name);
/* GRAFT_EUNSUPPORTED naming the first attribute nobody asked for. */
int graft_attrs_check(const struct graft_parse *p);

/* ---- infer --------------------------------------------------------------- */

struct graft_infer {
    const struct graft_op *op;
    const struct graft_model *model;
    const struct graft_node *node;
    int64_t opset;
    int n_max;
    void *args;                /* from parse; may be completed from inputs */
    struct graft_arena *arena;
    const struct graft_vinfo *in;  /* n_in entries */
    int n_in;
    struct graft_vinfo *out;       /* n_out entries, zeroed: to be filled */
    int n_out;
    int64_t *known_left;       /* elements that may still be made known while
                                  compiling; NULL: no limit */
};

/* Known integers of input i (axes, shapes, ...). Absent: *out NULL, *n 0.
 * Present but not known while compiling: GRAFT_EUNSUPPORTED. */
int graft_infer_ints(const struct graft_infer *f, int i, const char *what,
                     const int64_t **out, int *n);
/* A known scalar real of input i; absent: fallback. */
int graft_infer_scalar(const struct graft_infer *f, int i, const char *what,
                       double fallback, double *out);
/* Sets out[k] to `shape`, dtype of in[0], and derives batch facts: if in[0]
 * is batched and dim 0 is a multiple of n_max the output is, otherwise it is
 * whole_batch. For rows that keep images apart in row-major order. */
int graft_infer_like(struct graft_infer *f, int k,
                     const struct graft_shape *shape);
/* How dimension d of a value follows the batch, as in of_batch. */
int64_t graft_batch_factor(const struct graft_vinfo *v, int d);
/* numpy broadcasting of all inputs into out[0]; batch facts combined: a
 * batched input must not be broadcast along dim 0 of the result and keeps its
 * place, else whole_batch. */
int graft_infer_broadcast(struct graft_infer *f);
/* graft_shape_set; a failure names the node. */
int graft_infer_shape(const struct graft_infer *f, struct graft_shape *out,
                      const int64_t *dim, int rank);
/* graft_fail with the node's text in front. */
int graft_infer_fail(const struct graft_infer *f, int status,
                     const char *fmt, ...) GRAFT_PRINTF(3, 4);

/* ---- activations and epilogues ------------------------------------------- */

/* struct graft_act: kernels/act.h */

/* Done to an EPILOGUE row's result z while storing it:
 *   y = act(z + bias[c] + residual)
 * c is the output channel: dim 1 for rank >= 3 (Conv), the last dim else.
 * In C16 y may lie where the residual does: each element of it is read before
 * y's is stored there, and only for that. */
struct graft_epilogue {
    const real *bias;                   /* [C], NULL: none */
    const struct graft_view *residual;  /* shape of the output, NULL: none */
    struct graft_act act;
};

/* ---- plan ---------------------------------------------------------------- */

/* How a parameter is rearranged for a kernel. `src` is a dense ROW view of
 * the parameter (any float dtype, any alignment: read it with
 * graft_view_read). Packed gradients go back the same way. `spec` is the
 * row's own description (arena). */
struct graft_pack_kind {
    const char *name; /* part of the store's key with `key` below */
    /* scale: [dim 0] factors folded into the parameter, NULL: none */
    void (*pack)(void *dst, const struct graft_view *src, const real *scale,
                 const void *spec, struct graft_pool *pool);
    /* dsrc (aligned real ROW) STORE = unpack(dpack); NULL: no gradient */
    void (*unpack)(real *dsrc, const void *dpack, const void *spec);
};

struct graft_pack_request {
    const struct graft_pack_kind *kind; /* NULL: plain aligned real ROW copy
                                           (or the parameter in place) */
    const void *spec;
    uint64_t key;     /* hash of spec: equal keys and kinds pack alike */
    size_t bytes;     /* of the packed form */
    size_t dbytes;    /* of the packed gradient; 0: none */
};

struct graft_plan {
    const struct graft_op *op;
    const struct graft_node *node; /* NULL for internal steps */
    const void *args;
    int n_max;
    bool exact;              /* forbid algorithms that round more */
    bool training;           /* backward will run on this step */
    bool blocked;            /* C16 may be chosen; in[i].fmt.layout says how
                                the inputs lie before any reordering */
    const struct graft_kernels *k;
    struct graft_arena *arena;
    const struct graft_vinfo *in, *out;
    int n_in, n_out;
    const struct graft_epilogue *ep; /* what will be fused; NULL: nothing */
    /* to be filled; the defaults are: ROW everywhere, no pack, no scratch,
     * op->forward and op->backward */
    enum graft_layout *in_layout, *out_layout; /* wanted, per value */
    struct graft_pack_request *pack; /* per input; params only */
    bool *packed;            /* per input: true = use pack[i]; such an input
                                arrives as call->pack[i], in[i].data is NULL */
    struct graft_pack_request *back_pack; /* per packed input: a form that
                                only backward reads, call->back_pack[i]; kind
                                NULL: none */
    void *chosen;            /* for call->chosen; arena */
    const char *way;         /* the algorithm, for people; NULL: the row has
                                but one */
    size_t scratch;          /* bytes per call */
    size_t task_scratch;     /* bytes per worker: graft_call_scratch() */
    size_t saved;            /* bytes kept from forward to backward */
    void (*forward)(const struct graft_call *);
    void (*backward)(const struct graft_call *);
};

/* ---- run ----------------------------------------------------------------- */

enum graft_dmode { GRAFT_SKIP, GRAFT_STORE, GRAFT_ADD };

struct graft_call {
    const void *args, *chosen;
    int n;                       /* images in this run; views follow it */
    int n_in, n_out;
    const struct graft_view *in, *out;   /* out is written by forward */
    const struct graft_view *din, *dout; /* backward only; din[i].data NULL
                                            when dmode[i] is SKIP */
    const uint8_t *dmode;        /* per input, enum graft_dmode */
    const void *const *pack;     /* per input, NULL: not packed */
    const void *const *back_pack;
    void *const *dpack;          /* per input packed gradient, dmode says how */
    void *saved, *scratch;
    char *task_scratch;          /* worker w's part: graft_call_scratch */
    size_t task_stride;
    const struct graft_kernels *k;
    struct graft_pool *pool;     /* NULL: run in this thread */
    struct graft_rng_key key;    /* RANDOM rows: of the whole program */
    int64_t first;               /* and the number of the first image */
    const struct graft_epilogue *ep; /* NULL: none */
    const real *running;         /* normalisation by the batch: means, then
                                    variances to use in its place; NULL: its
                                    own */
    real *found;                 /* with those, where its own go all the same;
                                    NULL: nobody asks */
};

static inline void *graft_call_scratch(const struct graft_call *c, int worker)
{
    return c->task_scratch + (size_t)worker * c->task_stride;
}

/* ---- the row ------------------------------------------------------------- */

struct graft_op {
    const char *name, *domain;   /* domain "" = ai.onnx */
    int since;                   /* first opset version of this row */
    int until;                   /* last one, 0: still valid */
    struct graft_arity arity;
    unsigned flags;
    uint32_t saves_in, saves_out; /* bit i: backward reads input/output i
                                     (bit 31: it and all after) */
    uint8_t saves_for[4];        /* of input i, i < 4, in saves_in: bit j:
                                    it is read for the gradient of input j
                                    only; 0: for any */
    uint32_t host_in;            /* bit i: input i must be known while
                                    compiling and is not passed to forward */
    uint32_t grad_in;            /* bit i: backward can produce din[i] */
    size_t args_size;
    int (*parse)(struct graft_parse *);   /* NULL: no attributes */
    int (*infer)(struct graft_infer *);
    int (*plan)(struct graft_plan *);     /* NULL: the defaults */
    void (*forward)(const struct graft_call *);
    void (*backward)(const struct graft_call *); /* NULL: no gradient */
    /* Optional facts: */
    int64_t (*macs)(const struct graft_infer *); /* multiply-adds, n_max */
    struct graft_act (*act)(const void *args);   /* it is this activation */
    /* y = scale[c] x + shift[c] per channel (dim 1), from parameters only:
     * BatchNormalization with frozen statistics. params[i] are inputs
     * 1.. as real arrays. */
    void (*affine)(const void *args, const real *const *params, int64_t c,
                   real *scale, real *shift);
};

/* Row for an operator at an opset version. NULL: none, and the message (not a
 * failure yet) says what would be supported: return GRAFT_EUNSUPPORTED. */
const struct graft_op *graft_op_find(const char *domain, const char *name,
                                     int64_t opset);
/* saves_in of a backward that gives the gradients of inputs `asked` (bits)
 * alone. */
uint32_t graft_op_saves(const struct graft_op *op, uint32_t asked);
/* All rows, for tests and listings; ended by NULL. */
const struct graft_op *const *graft_op_table(void);

#endif
