/* How fast a model runs on this machine: what to ask before choosing a
 * backbone.
 *
 *     struct graft_timing *t;
 *     if (graft_bench(&t, model, NULL)) return complain();
 *     printf("%.1f images/s\n", t->images_per_second);
 *     graft_timing_free(t);
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_BENCH_H
#define GRAFT_BENCH_H

#include "graft/model.h"

#ifdef __cplusplus
extern "C" {
#endif

struct graft_bench_options {
    int batch;         /* images a run, 1 to 4096; 0: the file's, else 16.
                          Other than a batch fixed by the file: in groups of
                          that size */
    int repeats;       /* runs measured, up to 100000; 0: about three
                          seconds' worth, 5 at least (3 of slow ones) */
    int width, height; /* where the file leaves them open; 0: 224 */
    graft_progress_fn *progress;
    void *progress_ctx;
};
#define GRAFT_BENCH_OPTIONS {0, 0, 0, 0, NULL, NULL}

struct graft_timing {
    const char *model;         /* file name, without folder */
    const char *version, *isa; /* of Graft; "avx512" */
    int threads, batch;
    int fixed_batch;           /* that the file fixes; 0: any */
    int warmups, repeats;      /* runs before, runs measured */
    double images_per_second;  /* batch / seconds_median */
    double seconds_median, seconds_min, seconds_max; /* of a run */
    double seconds_q1, seconds_q3; /* half of the runs lie between them */
    double seconds_compile;    /* plan made, weights packed */
    int64_t arena_bytes;       /* planned for activations */
    int64_t live_bytes;        /* largest sum of them alive at one step */
    int64_t scratch_bytes, packed_bytes;
    uint64_t peak_bytes;       /* graft_peak_memory() */
    int steps;                 /* of the plan */
    const char *plan_text;     /* them, a line each */
    const char *json;          /* all but plan_text as one JSON object: keys
                                  are these names, "schema" is
                                  "graft-bench/1" */
};
/* Runs the forward pass of the whole model on made-up input, first unmeasured
 * to warm up. Free with graft_timing_free; it borrows nothing. options NULL:
 * defaults. */
GRAFT_API int graft_bench(struct graft_timing **out, const graft_model *m,
                          const struct graft_bench_options *options);
GRAFT_API void graft_timing_free(struct graft_timing *t);

#ifdef __cplusplus
}
#endif
#endif
