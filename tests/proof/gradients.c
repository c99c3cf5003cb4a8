/* The gradient of sum(dy * y) for chosen tensors of a model, by its own
 * kernels, for tests/proof/networks.py to compare:
 *     gradients MODEL X DY NAMES OUT THREADS [exact]
 * X and DY are the input and the output's gradient as plain float32; NAMES
 * has a line for each initializer to train, or for the input; OUT gets their
 * gradients one after the other, as float64. Prints what the plan costs:
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

static void seed(struct graft_program *p, const struct numbers *dy)
{
    struct graft_view d = graft_program_dout(p, 0);
    if (d.data && graft_count(&d) != dy->n)
        stop("an output of another size than", "DY");
    for (int64_t i = 0; d.data && i < dy->n; i++)
        graft_reals(&d)[i] = dy->at[i];
}

static void put(FILE *f, double x)
{
    if (fwrite(&x, sizeof x, 1, f) != 1)
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
        put(f, graft_reals(v)[(image * pixels + i % pixels) * channels + c]);
    }
}

static void write_all(const char *path, struct graft_program *p,
                      const struct graft_selection *s, const real *flat,
                      const struct asked *a)
{
    FILE *f = fopen(path, "wb");
    if (!f)
        stop("cannot write", path);
    for (int i = 0, train = 0, want = 0; i < a->n; i++) {
        if (want < a->n_want && a->want[want] == a->value[i]) {
            struct graft_view v = graft_program_din(p, want++);
            put_wanted(f, &v);
            continue;
        }
        const struct graft_selected *one = &s->at[train++];
        for (int64_t k = 0; k < one->count; k++)
            put(f, flat[one->offset + k]);
    }
    if (fclose(f))
        stop("cannot write", path);
}

/* n images in one go: forward, backward, the flat gradient. */
static void run(struct graft_program *p, int n, const struct numbers *x,
                const struct numbers *dy, real *flat)
{
    struct graft_memory mem;
    graft_program_put(p, 0, x->at, n);
    need(graft_program_forward(p, n));
    seed(p, dy);
    graft_program_backward(p);
    graft_program_finish(p, flat);
    graft_program_memory(p, &mem);
    printf("steps %d block %lld live %lld scratch %lld packs %lld\n",
           mem.steps, (long long)mem.block_bytes, (long long)mem.live_bytes,
           (long long)mem.scratch_bytes, (long long)mem.pack_bytes);
}

/* Images in X: all but the first dimension are the file's. */
static int images(const struct graft_model *m, const struct numbers *x)
{
    graft_value_id v = graft_model_feed(m, 0);
    int64_t each = 1;
    for (int i = 1; v >= 0 && i < m->value.at[v].rank; i++)
        each *= m->value.at[v].dim[i].value;
    if (each < 1 || x->n % each)
        stop("not whole images in", "X");
    return (int)(x->n / each);
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
    if (argc < 7) {
        fprintf(stderr,
                "usage: gradients MODEL X DY NAMES OUT THREADS [exact]\n");
        return 2;
    }
    o.threads = (int)strtol(argv[6], NULL, 10);
    o.exact = argc > 7;
    need(graft_runtime_new(&rt, &o));
    need(graft_onnx_open(&m, rt, argv[1]));
    need(graft_file_read(&names, &size, argv[4], MOST));
    ask(&a, m, (char *)names, size);
    struct numbers x = numbers(argv[2]), dy = numbers(argv[3]);
    int n = images(m, &x);
    need(graft_store_new(&store, m, rt));
    need(graft_selection_new(&sel, store, a.train, a.n_train));
    struct graft_compile c = {
        .model = m, .store = store, .n_max = n, .train = sel,
        .want_grad = a.want, .n_want_grad = a.n_want, .exact = o.exact};
    need(graft_program_new(&p, rt, &c));
    real *flat = graft_alloc_aligned((size_t)sel->size * sizeof *flat +
                                     sizeof *flat);
    if (!flat)
        stop("no memory for", "the gradient");
    run(p, n, &x, &dy, flat);
    write_all(argv[5], p, sel, flat, &a);
    graft_free(flat);
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
