/* What the fuzz targets share. Each fuzz_*.c is a libFuzzer target:
 * LLVMFuzzerTestOneInput takes bytes from the world and calls abort() when
 * the library breaks a promise; crashes are the sanitizers' to find.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_FUZZ_FUZZ_H
#define GRAFT_FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct graft_runtime;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max,
                               unsigned seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t n_a,
                                 const uint8_t *b, size_t n_b, uint8_t *out,
                                 size_t max, unsigned seed);

/* One thread, and FUZZ_MEMORY bytes for models and plans. */
#define FUZZ_MEMORY (64u << 20)
struct graft_runtime *fuzz_runtime(void);

/* Bytes of a file that stands for `data`, as a path, until the next call. */
const char *fuzz_file(const uint8_t *data, size_t size);
/* A folder to write in ($GRAFT_FUZZ_FOLDER), NULL: none was given. */
const char *fuzz_folder(void);

/* Says `what` and aborts unless `ok`. */
void fuzz_check(bool ok, const char *what);
/* The status is one of ours, and a failure has left a message. */
void fuzz_status(int status);

/* Around a call that is to be bounded: at most 2 s of processor time, and
 * memory of `bytes` above what was held before. fuzz_end also checks that
 * what was allocated between them is free again, if `released`. */
struct fuzz_span {
    uint64_t held, most, time;
};
struct fuzz_span fuzz_begin(void);
void fuzz_end(const struct fuzz_span *s, uint64_t bytes, bool released);
/* The same for work that takes its own time. */
void fuzz_end_memory(const struct fuzz_span *s, uint64_t bytes,
                     bool released);

/* Numbers for mutators (splitmix64, by Sebastiano Vigna; public domain). */
struct fuzz_random {
    uint64_t state;
};
static inline uint64_t fuzz_next(struct fuzz_random *r)
{
    uint64_t z = r->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}
static inline size_t fuzz_below(struct fuzz_random *r, size_t n)
{
    return n ? (size_t)(fuzz_next(r) % n) : 0;
}

/* Reads all of a description. */
struct graft_model_info;
void fuzz_describe(const struct graft_model_info *x);
/* Describes and edits a model a few times, as `seed` has it, and reads what
 * comes of it; the edits' promises are kept. */
struct graft_model;
void fuzz_edit(struct graft_model *m, uint64_t seed);
/* What is written of an edited model is read and written again. */
void fuzz_read_again(const struct graft_model *m);

/* A mutation and a crossing that know ONNX (mutate.c); 0: nothing came of
 * it. */
size_t fuzz_mutate_onnx(uint8_t *data, size_t size, size_t max,
                        unsigned seed);
size_t fuzz_cross_onnx(const uint8_t *a, size_t n_a, const uint8_t *b,
                       size_t n_b, uint8_t *out, size_t max, unsigned seed);

#endif
