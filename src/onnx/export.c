/* Export: the walk's elements, counted or written. The graph is walked twice,
 * because its length stands before it.
 * SPDX-License-Identifier: Apache-2.0 */
#include "onnx/export.h"

#include "base/runtime.h"
#include "base/status.h"
#include "onnx/encode.h"

int graft_put_file(struct graft_writer *w, const struct graft_runtime *rt,
                   const void *at, uint64_t n)
{
    enum { AT_ONCE = 1 << 24 };
    const uint8_t *from = at;
    int status = GRAFT_OK;
    while (!status && n) {
        const uint64_t part = n < AT_ONCE ? n : AT_ONCE;
        status = rt ? graft_runtime_check(rt) : GRAFT_OK;
        if (!status)
            status = graft_writer_put(w, from, part);
        from += part;
        n -= part;
    }
    return status;
}

int graft_sink_put(struct graft_sink *s, const void *at, uint64_t n)
{
    if (s->file) {
        int status = graft_put_file(s->file, s->rt, at, n);
        if (status)
            return status;
    } else if (s->memory && n) {
        memcpy(s->memory + s->n, at, (size_t)n);
    }
    s->n += n;
    return GRAFT_OK;
}

static int put_head(struct graft_sink *s, uint32_t field, uint64_t n)
{
    uint8_t head[2 * GRAFT_VARINT_MAX];
    size_t used = graft_varint_bytes(
        head, (uint64_t)field << 3 | GRAFT_WIRE_BYTES);
    used += graft_varint_bytes(head + used, n);
    return graft_sink_put(s, head, used);
}

/* A field, into the sink. */
static int put(void *ctx, const struct graft_element *e)
{
    struct graft_sink *s = ctx;
    int status = e->head ? graft_sink_put(s, e->head, e->n_head)
                         : put_head(s, e->field, e->n);
    for (int i = 0; !status && i < e->n_piece; i++)
        status = graft_sink_put(s, e->piece[i].at, e->piece[i].n);
    return status;
}

struct model_sink {
    struct graft_emit *of_graph; /* a walk of its own: walks nest */
    struct graft_sink *sink;
};

static int put_graph(struct model_sink *t)
{
    struct graft_sink count = {0};
    int status = graft_emit_graph(t->of_graph, put, &count);
    if (!status)
        status = put_head(t->sink, GRAFT_M_GRAPH, count.n);
    if (!status && !t->sink->file && !t->sink->memory)
        t->sink->n += count.n;
    else if (!status)
        status = graft_emit_graph(t->of_graph, put, t->sink);
    return status;
}

static int put_field(void *ctx, const struct graft_element *e)
{
    struct model_sink *t = ctx;
    return e->field == GRAFT_M_GRAPH ? put_graph(t) : put(t->sink, e);
}

int graft_export_model(struct graft_export *x)
{
    struct graft_emit model, graph = {0};
    struct model_sink to = {&graph, &x->sink};
    int status = graft_emit_init(&model, x);
    if (!status)
        status = graft_emit_init(&graph, x);
    if (!status)
        status = graft_emit_model(&model, put_field, &to);
    graft_emit_release(&graph);
    graft_emit_release(&model);
    return status;
}

int graft_export_size(uint64_t *out, const struct graft_export *x)
{
    struct graft_export counter = *x;
    counter.sink = (struct graft_sink){0};
    int status = graft_export_model(&counter);
    if (!status)
        *out = counter.sink.n;
    return status;
}
