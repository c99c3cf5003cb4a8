/* The gradient of sum(dy * y) for chosen tensors of a model, by our own
 * kernels, for tests/proof/networks.py to compare:
 *     gradients X DY OUT MODEL NAMES THREADS BATCH [exact] [batchnorm]
 * X and DY are inputs and the output's gradients as plain float32, BATCH
 * images after BATCH images; OUT gets for each of those batches the gradients
 * of NAMES (proof.h) one after the other, and with `batchnorm` the running
 * statistics after it, all in the type that this build computes in. Prints
 * what the plan costs, and what statistics there are:
 *     steps N block BYTES live BYTES scratch BYTES packs BYTES
 *     norm MEAN VAR CHANNELS COUNT
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "proof/proof.h"

static void seed(struct graft_program *p, const float *dy, int64_t n)
{
    struct graft_view d = graft_program_dout(p, 0);
    if (d.data && graft_count(&d) != n)
        proof_stop("an output of another size than", "DY");
    for (int64_t i = 0; d.data && i < n; i++)
        graft_reals(&d)[i] = dy[i];
}

/* An image interleaves its channels; rows are as ONNX has them. */
static void put_wanted(FILE *f, const struct graft_view *v)
{
    int64_t n = graft_count(v), channels = 1, pixels = 1;
    if (v->fmt.layout == GRAFT_IMAGE) {
        channels = v->shape.dim[1];
        pixels = graft_shape_span(&v->shape, 2, v->shape.rank);
    } else if (v->fmt.layout != GRAFT_ROW) {
        proof_stop("a gradient in layout",
                   graft_layout_name(v->fmt.layout));
    }
    for (int64_t i = 0; i < n; i++) {
        int64_t image = i / (channels * pixels), c = i / pixels % channels;
        proof_put(f, graft_reals(v) +
                         (image * pixels + i % pixels) * channels + c, 1);
    }
}

static void write_all(FILE *f, const struct proof *a, struct graft_program *p,
                      const real *flat)
{
    int64_t size = 0;
    const real *running = graft_program_running(p, &size);
    for (int i = 0, train = 0, want = 0; i < a->n; i++) {
        if (want < a->n_want && a->want[want] == a->value[i]) {
            struct graft_view v = graft_program_din(p, want++);
            put_wanted(f, &v);
            continue;
        }
        const struct graft_selected *one = &a->sel->at[train++];
        proof_put(f, flat + one->offset, one->count);
    }
    if (running)
        proof_put(f, running, size);
}

/* Batch after batch: forward, backward, the flat gradient. */
static void run(FILE *f, const struct proof *a, struct graft_program *p,
                const struct proof_numbers *x,
                const struct proof_numbers *dy)
{
    int n = graft_program_n_max(p);
    struct graft_view in = graft_program_input(p, 0);
    int64_t each = graft_count(&in), batches = x->n / each;
    if (!batches || x->n % each || dy->n % batches)
        proof_stop("not whole batches in", "X");
    real *flat = graft_alloc_aligned((size_t)(a->sel->size + 1) *
                                     sizeof *flat);
    if (!flat)
        proof_stop("no memory for", "the gradient");
    for (int64_t i = 0; i < batches; i++) {
        graft_program_put(p, 0, x->at + i * each, n);
        proof_need(graft_program_forward(p, n));
        graft_program_absorb(p);
        seed(p, dy->at + i * (dy->n / batches), dy->n / batches);
        graft_program_backward(p);
        graft_program_finish(p, flat);
        write_all(f, a, p, flat);
    }
    graft_free(flat);
}

static void tell(const struct graft_program *p)
{
    struct graft_memory mem;
    graft_program_memory(p, &mem);
    printf("steps %d block %lld live %lld scratch %lld packs %lld\n",
           mem.steps, (long long)mem.block_bytes, (long long)mem.live_bytes,
           (long long)mem.scratch_bytes, (long long)mem.pack_bytes);
}

int main(int argc, char **argv)
{
    struct proof a;
    struct graft_program *p;
    if (argc < 8) {
        fprintf(stderr, "usage: gradients X DY OUT MODEL NAMES THREADS BATCH "
                        "[exact] [batchnorm]\n");
        return 2;
    }
    proof_open(&a, argv + 4, argc - 4);
    struct proof_numbers x = proof_numbers(argv[1]);
    struct proof_numbers dy = proof_numbers(argv[2]);
    proof_need(graft_program_new(&p, a.rt, &a.compile));
    FILE *f = proof_create(argv[3]);
    run(f, &a, p, &x, &dy);
    if (fclose(f))
        proof_stop("cannot write", argv[3]);
    tell(p);
    proof_tell_norms(&a, p);
    graft_program_free(p);
    graft_free(x.at);
    graft_free(dy.at);
    proof_close(&a);
    return 0;
}
