/* Import, then everything that looks at a model: survey, shapes, memory plan,
 * report; and a run and another batch, when that is tiny.
 * SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include <string.h>

#include "base/alloc.h"
#include "graft/convert.h"
#include "graft/graph.h"
#include "graft/model.h"
#include "tensor/shape.h"

enum {
    TINY_BYTES = 1 << 20, TINY_MACS = 1 << 18, TINY_READS = 1 << 20,
    MAX_INPUTS = 8
};

/* Zeros, ones, and numbers with a fraction, by position. */
static float *numbers(int64_t n)
{
    float *x = graft_malloc((size_t)n * sizeof *x);
    for (int64_t i = 0; x && i < n; i++)
        x[i] = (float)(i % 5) / 2 - 0.5f;
    return x;
}

/* An array for input `io`, one image; false: not for us. */
static bool fill(struct graft_array *a, const struct graft_io *io)
{
    int64_t n = 1;
    a->name = io->name;
    a->rank = io->rank;
    for (int i = 0; i < io->rank; i++) {
        a->dim[i] = io->dim[i] < 0 ? 1 : io->dim[i];
        if (a->dim[i] > TINY_BYTES || (n *= a->dim[i]) > TINY_BYTES)
            return false;
    }
    a->data = io->rank < 0 ? NULL : numbers(n);
    return a->data != NULL;
}

static void look(const struct graft_array *a)
{
    double sum = 0;
    int64_t n = 1;
    for (int i = 0; i < a->rank; i++)
        n *= a->dim[i];
    for (int64_t i = 0; i < n; i++)
        sum += (double)a->data[i];
    fuzz_check(sum == sum || sum != sum, "outputs can be read");
}

static void run(const graft_model *m, const struct graft_inspection *x)
{
    struct graft_array in[MAX_INPUTS] = {{0}};
    graft_session *s = NULL;
    bool ready = x->n_inputs <= MAX_INPUTS;
    for (int i = 0; ready && i < x->n_inputs; i++)
        ready = fill(&in[i], &x->inputs[i]);
    if (ready) {
        int status = graft_session_new(&s, m, in, x->n_inputs, NULL, 0);
        fuzz_status(status);
        if (!status) {
            status = graft_session_run(s, in, x->n_inputs);
            fuzz_status(status);
        }
        for (int i = 0; !status && i < graft_session_n_outputs(s); i++) {
            struct graft_array out = graft_session_output(s, i);
            look(&out);
        }
    }
    graft_session_free(s);
    for (int i = 0; i < MAX_INPUTS; i++)
        graft_free((void *)(uintptr_t)in[i].data);
}

/* How often an element is read, at most: once for each input of each node,
 * in windows as often as the kernel is large. */
static int64_t reads(const graft_model *m)
{
    struct graft_model_info *x = NULL;
    int64_t n = 0;
    if (graft_model_info_new(&x, m))
        return TINY_READS;
    for (int i = 0; i < x->graph.n_nodes; i++) {
        const struct graft_node_info *node = &x->graph.nodes[i];
        n += 1 + node->n_inputs;
        for (int k = 0; k < node->n_attributes; k++) {
            const struct graft_attribute_info *a = &node->attributes[k];
            int64_t taps = !strcmp(a->name, "kernel_shape") && a->ints;
            for (int d = 0; taps && d < a->n; d++)
                if (!graft_mul_size(&taps, taps, a->ints[d]))
                    taps = TINY_READS;
            n += taps < TINY_READS ? taps : TINY_READS;
        }
    }
    graft_model_info_free(x);
    return n < TINY_READS ? n : TINY_READS;
}

/* Plans are for a batch or two, runs for as many as the file says. */
static int64_t images(const struct graft_inspection *x)
{
    int64_t most = 1;
    for (int i = 0; i < x->n_inputs; i++)
        if (x->inputs[i].rank > 0 && x->inputs[i].dim[0] > most)
            most = x->inputs[i].dim[0];
    return most < TINY_BYTES ? most : TINY_BYTES;
}

static bool is_tiny(const graft_model *m, const struct graft_inspection *x)
{
    return x->has_plan && x->macs <= TINY_MACS / images(x) &&
           x->activation_bytes <= TINY_BYTES &&
           x->scratch_bytes <= TINY_BYTES && x->packed_bytes <= TINY_BYTES &&
           x->parameter_bytes <= TINY_BYTES &&
           (x->activation_bytes + x->parameter_bytes) * reads(m) <=
               4 * TINY_READS / images(x);
}

/* The model made for another batch is one that is read again. */
static void rebatch(graft_model *m, size_t n)
{
    struct graft_batch_change change = {0};
    int status = graft_model_set_batch(m, (int64_t)(n % 4), &change);
    fuzz_status(status);
    if (!status)
        fuzz_read_again(m);
}

/* Looks at a model; what was found, NULL: nothing could be. */
static struct graft_inspection *inspect(const graft_model *m, size_t size)
{
    struct graft_inspection *x = NULL;
    int status = graft_inspect(&x, m, 1 + (int)(size % 2));
    fuzz_status(status);
    fuzz_check((status == 0) == (x != NULL), "a failure finds nothing");
    fuzz_check(!x || x->has_plan || x->why_no_plan, "no plan has a reason");
    return x;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint64_t most =
        FUZZ_MEMORY + 64 * (uint64_t)size + (UINT64_C(256) << 20);
    graft_model *m = NULL;
    struct graft_runtime *rt = fuzz_runtime();
    struct fuzz_span s = fuzz_begin();
    if (graft_model_parse(&m, rt, data, size))
        return 0;
    struct graft_inspection *x = inspect(m, size);
    fuzz_end(&s, most, false);
    if (x && is_tiny(m, x)) {
        run(m, x);
        if (size % 3 == 0)
            rebatch(m, size);
    }
    graft_inspection_free(x);
    graft_model_free(m);
    fuzz_end_memory(&s, most, true);
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max,
                               unsigned seed)
{
    size_t n = seed % 8 ? fuzz_mutate_onnx(data, size, max, seed) : 0;
    return n ? n : LLVMFuzzerMutate(data, size, max);
}

size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t n_a,
                                 const uint8_t *b, size_t n_b, uint8_t *out,
                                 size_t max, unsigned seed)
{
    return fuzz_cross_onnx(a, n_a, b, n_b, out, max, seed);
}
