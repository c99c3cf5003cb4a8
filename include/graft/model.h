/* Models: open, look at, save, run.
 *
 *     graft_model *m = NULL;
 *     struct graft_inspection *x = NULL;
 *     int status = graft_model_open(&m, NULL, "net.onnx");
 *     if (!status)
 *         status = graft_inspect(&x, m, 0);
 *     if (!status)
 *         printf("%lld parameters, %s\n", (long long)x->parameters,
 *                x->has_plan ? "runs" : x->why_no_plan);
 *     if (status)
 *         puts(graft_error_message());
 *     graft_inspection_free(x);
 *     graft_model_free(m);
 *
 * Where to look
 *   everything in a file, as structs        graft/graph.h
 *   other names, outputs, contents          graft/edit.h
 *   another batch, weights of half the size graft/convert.h
 *   a model of one's own on arrays          sessions, below
 *
 * Rules
 * - A file is read as if somebody had made it to do harm: it is a valid model
 *   or is refused in one sentence that names the file, the byte or the node,
 *   and the reason. Reading takes at most 8 times its size + 64 MiB of memory,
 *   and two seconds for any file of 1 MB. Weights are held once.
 * - A graph with operators that Graft does not know opens, can be walked,
 *   edited and saved. Only running it is refused, by name.
 * - What was not edited is saved byte for byte, unknown fields included.
 * - Out-parameters are set only on success; start with NULL and free always
 *   (every ..._free takes NULL).
 * - Several threads may read one model at a time. Nobody may use it while it
 *   is edited.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_MODEL_H
#define GRAFT_MODEL_H

#include <stdbool.h>

#include "graft/runtime.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct graft_model graft_model;

/* Opens an ONNX file with its external data (beneath its folder only, through
 * no link unless the runtime has a links_root). Free with graft_model_free.
 * The runtime must outlive the model; the files are read whole and closed. */
GRAFT_API int graft_model_open(graft_model **out, graft_runtime *rt,
                               const char *path);
/* The same from memory, which is copied. External data is refused. */
GRAFT_API int graft_model_parse(graft_model **out, graft_runtime *rt,
                                const void *data, uint64_t size);
GRAFT_API void graft_model_free(graft_model *m);

struct graft_save_options {
    bool replace;       /* an existing file may be replaced */
    bool external_data; /* weights beside the file, in FILE.data */
    bool embed;         /* weights that came as external data go inside */
    char **data_path;   /* receives where the weights went (free with
                           graft_encoded_free), NULL: no FILE.data was made;
                           NULL here: nobody asks */
};
/* Writes the model atomically; an untouched one byte for byte as it came
 * (external data files are copied beside it under their own names). Of a
 * changed one weights lie inside, above 1.9 GB beside the file. A data file
 * is never changed: where FILE.data exists with other contents and may be
 * replaced, the new one is FILE.HASH.data, and the old one stays. Never onto
 * the file it was read from. options NULL: all false. */
GRAFT_API int graft_model_save(const graft_model *m, const char *path,
                               const struct graft_save_options *options);

GRAFT_API int64_t graft_model_ir_version(const graft_model *m);
GRAFT_API int64_t graft_model_opset(const graft_model *m); /* ai.onnx */
GRAFT_API int graft_model_n_outputs(const graft_model *m);
/* Value of a metadata_props entry, NULL: none. Borrowed. */
GRAFT_API const char *graft_model_metadata(const graft_model *m,
                                           const char *key);

/* ---- looking ---------------------------------------------------------------
 */

struct graft_io {            /* a graph input or output */
    const char *name, *dtype;
    int rank;                /* -1: not stated */
    int64_t dim[8];          /* -1: symbolic */
    const char *symbol[8];   /* NULL: none */
};
struct graft_op_use {
    const char *op_type, *domain;
    int nodes, runs;         /* how many there are, how many of them run */
    const char *why_not;     /* of the first that does not, NULL: all run */
};
struct graft_cut_info {
    const char *value;       /* exactly what --cut takes */
    int rank;
    int64_t dim[8];          /* for one image */
    int64_t features;        /* after pooling, what a head would see */
    int64_t macs;            /* multiply-adds up to here, one image */
    int64_t parameters_behind;
};
struct graft_inspection {
    int64_t ir_version, opset;
    const char *producer, *graph;
    const struct graft_io *inputs, *outputs;
    int n_inputs, n_outputs;
    const struct graft_op_use *ops;
    int n_ops, unsupported_nodes, nodes;
    int64_t parameters, parameter_bytes, macs;
    int fixed_batch;         /* 0: any */
    const char *head_node;   /* NULL: none, a backbone without classifier */
    const char *head_op, *head_input;
    int64_t head_features, head_classes;
    const struct graft_cut_info *cuts;
    int n_cuts;
    const char *preprocess;  /* in words, and where from */
    const char *preprocess_source;
    bool has_plan;           /* the model compiles; else why_no_plan */
    const char *why_no_plan;
    int plan_batch;
    int64_t activation_bytes, live_bytes, scratch_bytes, packed_bytes;
    const char *plan_text;   /* steps, a line each (NULL: no plan) */
    const char *json;        /* all of this as one JSON object */
    const char *const *labels; /* of a file that Graft wrote, in the order of
                                  its outputs; NULL: none */
    int n_labels;
    int claimed_correct, claimed_total; /* held-out photos, as it says itself;
                                           0, 0: nothing */
};
/* `batch`: for the memory plan; 0: 16. Free with graft_inspection_free; it
 * borrows nothing. */
GRAFT_API int graft_inspect(struct graft_inspection **out,
                            const graft_model *m, int batch);
GRAFT_API void graft_inspection_free(struct graft_inspection *x);

/* ---- running ---------------------------------------------------------------
 */

typedef struct graft_session graft_session;

struct graft_array {         /* dense, row-major float32 */
    const char *name;
    const float *data;
    int rank;
    int64_t dim[8];
};
/* Reads a NumPy file (.npy, format 1 or 2, float32, C order); name is set to
 * NULL. Release with graft_npy_release (one all zero is fine). */
GRAFT_API int graft_npy_read(struct graft_array *out, graft_runtime *rt,
                               const char *path);
GRAFT_API void graft_npy_release(struct graft_array *a);
/* Writes one atomically; an existing file only with `replace`. */
GRAFT_API int graft_npy_write(const struct graft_array *a, const char *path,
                                bool replace);
/* The same for array i to paths[i]: all are complete on the disk before the
 * first appears. Paths that name one file twice are the caller's mistake. */
GRAFT_API int graft_npy_write_all(const struct graft_array *a,
                                  const char *const *paths, int n,
                                  bool replace);

/* Arrays are matched to inputs by name, those with name NULL by position.
 * Compiles a model for inputs of these shapes (dim 0: the batch). `outputs`:
 * value names, NULL: the model's own. The model must outlive the session. */
GRAFT_API int graft_session_new(graft_session **out, const graft_model *m,
                                const struct graft_array *inputs,
                                int n_inputs, const char *const *outputs,
                                int n_outputs);
GRAFT_API void graft_session_free(graft_session *s);
/* Runs on the data of `inputs`, shaped as given to _new. */
GRAFT_API int graft_session_run(graft_session *s,
                                const struct graft_array *inputs,
                                int n_inputs);
GRAFT_API int graft_session_n_outputs(const graft_session *s);
/* Output k of the last run; borrowed until the next one. */
GRAFT_API struct graft_array graft_session_output(const graft_session *s,
                                                  int k);

#ifdef __cplusplus
}
#endif
#endif
