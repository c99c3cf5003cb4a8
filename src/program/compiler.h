/* The state of a compilation, handed from pass to pass: working values, and
 * steps in the order in which they will run.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_PROGRAM_COMPILER_H
#define GRAFT_PROGRAM_COMPILER_H

#include "base/runtime.h"
#include "kernels/kernels.h"
#include "program/facts.h"
#include "program/packs.h"
#include "program/program.h"

/* A value while compiling and afterwards. The first model->value.n working
 * values are the model's, index = id; passes append others. */
struct graft_wvalue {
    const char *name;
    graft_value_id id;                 /* -1: made by a pass */
    struct graft_vinfo info;           /* info.fmt: how it lies in memory */
    const struct graft_tensor *tensor; /* an initializer's bytes, else NULL */
    int selected;                      /* index into train->at, -1: not */
    struct graft_step *producer;       /* NULL: feed or parameter */
    int n_reads;                       /* by live steps, outputs not counted */
    bool feed, output, wanted;         /* visible: the caller sees it */
    bool seeded;                       /* the caller writes its gradient */
    bool local;     /* only steps of one deep segment see it */
    int alias;      /* value whose memory and gradient this shares, -1; a
                       part of it: info.fmt.first_block, batch_stride */
    int buffer;     /* of its elements, -1: none planned */
    int grad;       /* of its gradient, -1: none */
    void *data;     /* bound: block, parameter copy, master or host */
    real *ddata;
    bool dwritten;  /* while planning gradients: somebody stored already */
};

/* What is done to a step's result while it is stored, and where from. */
struct graft_fusion {
    const real *scale, *shift; /* a folded normalisation, [channels] */
    int channels;
    struct graft_hash hash;    /* of scale: part of the pack's key */
    int bias;                  /* value added per channel, -1 */
    int residual;              /* value added, -1 */
    struct graft_act act;
    uint8_t dbias_mode, dbias_more, dresidual_mode;
};

/* A packed parameter of a step. */
struct graft_packed {
    const struct graft_pack_request *request;
    const struct graft_pack_request *back; /* NULL: none */
    int dpack;                 /* index into compiler->dpack, -1: none */
};

struct graft_step {
    const struct graft_op *op;
    const struct graft_node *node; /* NULL: made by a pass */
    const char *name;              /* operator, for people */
    void *args;
    int n_in, n_out;
    int *in, *out;                 /* working values, -1: absent */
    bool param;                    /* section 1: depends on parameters only */
    bool marked;                   /* section 3 (or 4) undoes it */
    bool dead, view;               /* view: output 0 is input 0's bytes */
    int64_t macs;
    struct graft_fusion fuse;
    /* plan */
    struct graft_plan plan;
    struct graft_packed *packed;   /* per input */
    struct graft_vinfo *pin, *pout;
    /* memory */
    int time, back;                /* when it runs forward, backward */
    int saved, dz;                 /* buffers, -1: none */
    uint32_t saves_in;             /* inputs that backward reads, as bits */
    uint8_t *dmode;                /* per input */
    uint8_t *dmode_more;           /* the same for further shards: gradients
                                      of parameters are added to */
    /* run */
    struct graft_call call;
    struct graft_view *vin, *vout, *vdin, *vdout; /* at n_max */
    struct graft_view *rin, *rout, *rdin, *rdout; /* of one run */
    const void **pack, **back_pack;
    void **dpack;
    struct graft_epilogue ep;
    struct graft_view residual;
};

/* A run of steps walked image range by image range; deep: every worker takes
 * whole images through all of the steps. */
struct graft_segment {
    int first, n;  /* steps */
    int images;    /* at a time; 0: all */
    bool deep;
};

/* A piece of the activation block. */
struct graft_buffer {
    int64_t bytes, offset;
    int first, last;   /* times at which it is live */
    bool local;        /* one image's, in each worker's part of the block */
    const char *name;
};

/* The gradient of one packed form of one parameter. */
struct graft_dpack {
    int value;
    const struct graft_pack_request *request;
    const real *scale; /* factors that packing multiplied in, per slice of
                          dim 0; NULL: none */
    int buffer;
    bool written;
    uint8_t mode;      /* how unpacking writes the gradient of a value of
                          section 1 */
    void *data;
};

struct graft_compiler {
    struct graft_runtime *rt;
    const struct graft_compile *options;
    const struct graft_model *model;
    const struct graft_kernels *kernels;
    struct graft_arena arena;        /* becomes the program's */
    struct graft_facts facts;
    struct graft_store *store;
    GRAFT_ARRAY(struct graft_wvalue) value;
    GRAFT_ARRAY(struct graft_step *) step;
    GRAFT_ARRAY(struct graft_segment) segment;
    GRAFT_ARRAY(struct graft_buffer) buffer;
    GRAFT_ARRAY(struct graft_dpack) dpack;
    int n_max;
    int *input, n_inputs;            /* working values fed, in order */
    int *output, n_outputs;
    int *wanted, n_wanted;           /* gradients asked for */
    int *trained;                    /* per entry of the selection: the value
                                        that its master is, -1: none */
    struct graft_step *loss;         /* NULL: none */
    struct graft_loss_state *loss_state;
    bool skip;                       /* the pass now run is switched off */
    bool no_alias;                   /* tidy was */
    bool blocked;                    /* steps may choose C16 */
    bool training;                   /* there are gradients to compute */
    bool whole_batch;                /* the program always runs n_max */
    int end;                         /* one more than the last time */
    int64_t block_bytes, live_bytes; /* local parts included */
    int64_t local_base, local_bytes; /* where they begin; of each worker */
    int folded, fused;
};

/* One generated row per file pass_NN_name.c (the Makefile writes them). */
struct graft_pass {
    const char *name;
    int (*run)(struct graft_compiler *c);
};
extern const struct graft_pass graft_passes[];

int graft_pass_shapes(struct graft_compiler *c);
int graft_pass_tidy(struct graft_compiler *c);
int graft_pass_mark(struct graft_compiler *c);
int graft_pass_fold(struct graft_compiler *c);
int graft_pass_recognise(struct graft_compiler *c);
int graft_pass_fuse(struct graft_compiler *c);
int graft_pass_plan(struct graft_compiler *c);
int graft_pass_layout(struct graft_compiler *c);
int graft_pass_segment(struct graft_compiler *c);
int graft_pass_memory(struct graft_compiler *c);

/* ---- working with the graph (graph.c) ----------------------------------- */

/* A new value like `like`, in memory of its own; its index, or a status. */
int graft_compiler_value(struct graft_compiler *c, const char *name,
                         const struct graft_vinfo *like);
/* A new step with room for n_in and n_out values (all -1), not yet in the
 * list; NULL: EMEM is set. */
struct graft_step *graft_compiler_step(struct graft_compiler *c,
                                       const struct graft_op *op, int n_in,
                                       int n_out);
/* Puts `s` into the list before position `at`. */
int graft_compiler_insert(struct graft_compiler *c, struct graft_step *s,
                          int at);
/* Removes dead steps, sets producer and n_reads of all values. */
void graft_compiler_link(struct graft_compiler *c);
/* Every live step that reads `from` reads `to` instead. */
void graft_compiler_replace(struct graft_compiler *c, int from, int to);
/* The only step that reads `v`, once, not being seen by the caller; NULL. */
struct graft_step *graft_only_reader(const struct graft_compiler *c, int v);
bool graft_visible(const struct graft_wvalue *v);
/* The value whose memory `v` lies in. */
int graft_root(const struct graft_compiler *c, int v);
/* A parameter: an initializer, a known value or a value of section 1. */
bool graft_is_constant(const struct graft_wvalue *v);
/* "Conv 'features.0'", "Reorder": for messages. */
const char *graft_step_text(const struct graft_step *s);
/* Position of a step in the list. */
int graft_step_index(const struct graft_compiler *c,
                     const struct graft_step *s);
/* A selected parameter's values; NULL for others. */
real *graft_master(const struct graft_compiler *c,
                   const struct graft_wvalue *v);

/* ---- parts of pass 1 (pass_01_shapes.c, crossing.c) --------------------- */

/* What the nodes that the outputs need make of the model's inputs, nothing
 * left out: a fact for each node of the model, and whether it is needed. */
int graft_infer_needed(struct graft_compiler *c, struct graft_fact **fact,
                       bool **live);
/* Makes options->feeds inputs; nodes before them are live no more. */
int graft_cut_at_feeds(struct graft_compiler *c,
                       const struct graft_fact *fact, bool *live);

/* ---- parts of pass 5 (gates.c) ------------------------------------------- */

/* Makes one step of x times a function of x that ends with `last`: Swish, or
 * HardSwish. */
int graft_recognise_gate(struct graft_compiler *c, struct graft_step *last);

/* Multiplies weights by what is trained of them: their channels' factors. */
int graft_scale_weights(struct graft_compiler *c); /* (scale.c) */

/* ---- internal rows (rows.c, loss.c) ------------------------------------- */

extern const struct graft_op graft_row_copy;    /* out 0 = bytes of in 0 */
extern const struct graft_op graft_row_reorder; /* between layouts */
extern const struct graft_op graft_row_scale; /* in 0 times factors of its
                                                 slices, in 1 (scale.c) */

/* Channel `channel` of input `input`. */
struct graft_channel_source {
    int32_t input, channel;
};
struct graft_channel_args {
    struct graft_channel_source **source; /* [output][its channel] */
};
extern const struct graft_op graft_row_channels; /* (row_channels.c) */

struct graft_loss_state {
    int32_t *target;     /* n_max class indices; NULL: rows are given */
    real *row;           /* [n_max][classes]; NULL: indices are */
    double *weight;      /* n_max; NULL: 1/n each */
    double *each;        /* n_max losses */
    double sum;          /* of weight * each */
    int64_t classes;
    int scores;          /* the output */
    int n;               /* images that count in this run */
};
/* The state of a loss on scores of that shape, and its row (loss.c). */
int graft_loss_prepare(struct graft_loss_state **out,
                       const struct graft_op **row, struct graft_compiler *c);

/* ---- parts of the memory pass ------------------------------------------- */

/* Who shares memory with whom (alias.c), and who lies inside whom
 * (parts.c). */
void graft_plan_aliases(struct graft_compiler *c);
void graft_plan_parts(struct graft_compiler *c);
/* dmode of every step and the buffers of gradients (grads.c). */
int graft_plan_gradients(struct graft_compiler *c);
/* Offsets of the buffers; sets block_bytes and live_bytes (arrange.c). */
int graft_arrange(struct graft_compiler *c);
/* Segment of step `at` of the list. */
const struct graft_segment *graft_segment_of(const struct graft_compiler *c,
                                             int at);
/* Index of a new buffer, or a status. */
int graft_compiler_buffer(struct graft_compiler *c, const char *name,
                          int64_t bytes, int first, int last);
/* Makes a buffer live at `time` too. */
void graft_buffer_use(struct graft_buffer *b, int time);
int64_t graft_value_bytes(const struct graft_wvalue *v);

#endif
