/* The gradient of sum(dy * y) for chosen tensors of a model, by our own
 * kernels, for tests/proof/networks.py to compare:
 *     gradients MODEL X DY NAMES OUT THREADS BATCH [exact]
 * X and DY are inputs and the output's gradients as plain float32, BATCH
 * images after BATCH images; NAMES has a line for each initializer to train,
 * or for the input; OUT gets their gradients one after the other, batch after
 * batch, in the type that this build computes in. Prints what the plan costs:
 *     steps N block BYTES live BYTES scratch BYTES packs BYTES
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/runtime.h"
#include "onnx/onnx.h"
#include "program/program.h"

enum { MOST = 1 << 30 }; /* bytes of a file of numbers */

static void need(int status)
{
    if (!status)
        return;
    fprintf(stderr, "%s\n", graft_error_message());
    exit(1);
}

static void stop(const char *what, const char *name)
{
    fprintf(stderr, "%s '%s'\n", what, name);
    exit(1);
}

struct numbers {
    float *at;
    int64_t n;
};

static struct numbers numbers(const char *path)
{
    uint8_t *data;
    uint64_t size;
    need(graft_file_read(&data, &size, path, MOST));
    return (struct numbers){(float *)(void *)data,
                            (int64_t)(size / sizeof(float))};
}

/* The values that NAMES asks for, and which of them are trained. */
struct asked {
    graft_value_id *value, *train, *want;
    int n, n_train, n_want;
};

static void ask(struct asked *a, const struct graft_model *m, char *line,
                uint64_t size)
{
    const char *past = line + size;
    size_t room = (size_t)m->value.n * sizeof *a->value;
    a->value = graft_malloc(room);
    a->train = graft_malloc(room);
    a->want = graft_malloc(room);
    if (!a->value || !a->train || !a->want)
        stop("no memory for", "names");
    for (char *end; line < past && a->n < m->value.n; line = end + 1) {
        end = memchr(line, '\n', (size_t)(past - line));
        if (!end)
            stop("no end of line in", "NAMES");
        *end = '\0';
        graft_value_id v = graft_value_find(m, line);
        if (v < 0)
            stop("the model has no value", line);
        a->value[a->n++] = v;
        if (m->value.at[v].tensor >= 0)
            a->train[a->n_train++] = v;
        else
            a->want[a->n_want++] = v;
    }
}

static void seed(struct graft_program *p, const float *dy, int64_t n)
{
    struct graft_view d = graft_program_dout(p, 0);
    if (d.data && graft_count(&d) != n)
        stop("an output of another size than", "DY");
    for (int64_t i = 0; d.data && i < n; i++)
        graft_reals(&d)[i] = dy[i];
}

static void put(FILE *f, const real *x, int64_t n)
{
    if (fwrite(x, sizeof *x, (size_t)n, f) != (size_t)n)
        stop("cannot write", "OUT");
}

/* An image interleaves its channels; rows are as ONNX has them. */
static void put_wanted(FILE *f, const struct graft_view *v)
{
    int64_t n = graft_count(v), channels = 1, pixels = 1;
    if (v->fmt.layout == GRAFT_IMAGE) {
        channels = v->shape.dim[1];
        pixels = graft_shape_span(&v->shape, 2, v->shape.rank);
    } else if (v->fmt.layout != GRAFT_ROW) {
        stop("a gradient in layout", graft_layout_name(v->fmt.layout));
    }
    for (int64_t i = 0; i < n; i++) {
        int64_t image = i / (channels * pixels), c = i / pixels % channels;
        put(f, graft_reals(v) + (image * pixels + i % pixels) * channels + c,
            1);
    }
}

static void write_all(FILE *f, struct graft_program *p,
                      const struct graft_selection *s, const real *flat,
                      const struct asked *a)
{
    for (int i = 0, train = 0, want = 0; i < a->n; i++) {
        if (want < a->n_want && a->want[want] == a->value[i]) {
            struct graft_view v = graft_program_din(p, want++);
            put_wanted(f, &v);
            continue;
        }
        const struct graft_selected *one = &s->at[train++];
        put(f, flat + one->offset, one->count);
    }
}

/* Batch after batch: forward, backward, the flat gradient. */
static void run(FILE *f, struct graft_program *p, const struct numbers *x,
                const struct numbers *dy, const struct graft_selection *s,
                const struct asked *a)
{
    int n = graft_program_n_max(p);
    struct graft_view in = graft_program_input(p, 0);
    int64_t each = graft_count(&in), batches = x->n / each;
    if (!batches || x->n % each || dy->n % batches)
        stop("not whole batches in", "X");
    real *flat = graft_alloc_aligned((size_t)(s->size + 1) * sizeof *flat);
    if (!flat)
        stop("no memory for", "the gradient");
    for (int64_t i = 0; i < batches; i++) {
        graft_program_put(p, 0, x->at + i * each, n);
        need(graft_program_forward(p, n));
        seed(p, dy->at + i * (dy->n / batches), dy->n / batches);
        graft_program_backward(p);
        graft_program_finish(p, flat);
        write_all(f, p, s, flat, a);
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
    struct graft_runtime_options o = GRAFT_RUNTIME_OPTIONS;
    struct graft_runtime *rt;
    struct graft_model *m;
    struct graft_store *store;
    struct graft_selection *sel;
    struct graft_program *p;
    struct asked a = {.n = 0};
    uint8_t *names;
    uint64_t size;
    if (argc < 8) {
        fprintf(stderr, "usage: gradients MODEL X DY NAMES OUT THREADS BATCH "
                        "[exact]\n");
        return 2;
    }
    o.threads = (int)strtol(argv[6], NULL, 10);
    o.exact = argc > 8;
    need(graft_runtime_new(&rt, &o));
    need(graft_onnx_open(&m, rt, argv[1]));
    need(graft_file_read(&names, &size, argv[4], MOST));
    ask(&a, m, (char *)names, size);
    struct numbers x = numbers(argv[2]), dy = numbers(argv[3]);
    need(graft_store_new(&store, m, rt));
    need(graft_selection_new(&sel, store, a.train, a.n_train));
    struct graft_compile c = {
        .model = m, .store = store, .train = sel,
        .n_max = (int)strtol(argv[7], NULL, 10), .want_grad = a.want,
        .n_want_grad = a.n_want, .exact = o.exact};
    need(graft_program_new(&p, rt, &c));
    FILE *f = fopen(argv[5], "wb");
    if (!f)
        stop("cannot write", argv[5]);
    run(f, p, &x, &dy, sel, &a);
    if (fclose(f))
        stop("cannot write", argv[5]);
    tell(p);
    graft_program_free(p);
    graft_selection_free(sel);
    graft_store_free(store);
    graft_free(x.at);
    graft_free(dy.at);
    graft_free(names);
    graft_free(a.value);
    graft_free(a.train);
    graft_free(a.want);
    graft_graph_free(m);
    graft_runtime_free(rt);
    return 0;
}
