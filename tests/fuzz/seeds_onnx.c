/* Models to begin with: the small network of the tests, a node of every
 * operator, and each message of the format with all its fields.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/alloc.h"
#include "base/status.h"
#include "onnx.pb-c.h"
#include "onnx/encode.h"
#include "onnx/onnx.h"
#include "seeds.h"
#include "support/build_model.h"
#include "graph/op.h"

extern const struct graft_op *const graft_op_files[];

static void put(const char *name, const void *data, size_t n)
{
    seed_put("import", name, data, n);
    seed_put("inspect", name, data, n);
}

static void put_model(const char *name, const struct graft_model *m)
{
    uint8_t *data = NULL;
    uint64_t n = 0;
    seed_ok(graft_onnx_encode(&data, &n, m));
    put(name, data, (size_t)n);
    graft_free(data);
}

static void networks(void)
{
    static const struct { int64_t ir, opset; } rows[] = {
        {3, 7}, {4, 9}, {7, 12}, {8, 13}, {9, 18}, {10, 21}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char name[32];
        struct graft_model *m = NULL;
        seed_ok(test_build_model(&m, rows[i].ir, rows[i].opset));
        if (i % 2)
            seed_ok(graft_edit_metadata(m, "graft", "{}"));
        snprintf(name, sizeof name, "net-%d.onnx", (int)rows[i].opset);
        put_model(name, m);
        graft_graph_free(m);
    }
}

/* A node that reads x, then as many small parameters as it needs. */
static void operator(const struct graft_op *op)
{
    static const struct graft_dim dim[] = {{1, NULL}, {3, NULL}, {4, NULL},
                                           {4, NULL}};
    struct graft_model *m = NULL;
    graft_value_id in[GRAFT_MAX_IN];
    char name[96];
    int64_t opset = op->since < 7 ? 7 : op->since;
    int n = op->arity.in_min < 1 && op->arity.in_max ? 1 : op->arity.in_min;
    if (n > 8 || *op->domain)
        return;
    seed_ok(graft_graph_new(&m, NULL));
    m->ir_version = 8;
    seed_ok(graft_edit_opset(m, "", opset));
    seed_ok(graft_edit_input(&in[0], m, "x", GRAFT_FLOAT, dim, 4));
    for (int i = 1; i < n; i++) {
        snprintf(name, sizeof name, "w%d", i);
        in[i] = test_build_tensor(m, name, (int64_t[]){3, 3, 1, 1},
                                  i == 1 ? 4 : 1, 1);
    }
    graft_value_id y = test_build_node(m, op->name, "y", in, n, NULL);
    if (y >= 0 && !graft_edit_value_type(m, y, GRAFT_FLOAT, dim, 4) &&
        !graft_edit_outputs(m, &y, 1)) {
        snprintf(name, sizeof name, "op-%s-%d.onnx", op->name, (int)opset);
        put_model(name, m);
    }
    graft_graph_free(m);
}

/* ---- every field of the format ------------------------------------------- */

static void fill(struct graft_str *s, const ProtobufCMessageDescriptor *type,
                 int depth)
{
    for (unsigned i = 0; i < type->n_fields; i++) {
        const ProtobufCFieldDescriptor *f = &type->fields[i];
        struct graft_str inner;
        graft_str_init(&inner);
        bool message = f->type == PROTOBUF_C_TYPE_MESSAGE;
        bool text = f->type == PROTOBUF_C_TYPE_STRING ||
                    f->type == PROTOBUF_C_TYPE_BYTES;
        bool real32 = f->type == PROTOBUF_C_TYPE_FLOAT;
        bool real64 = f->type == PROTOBUF_C_TYPE_DOUBLE;
        if (message && depth)
            fill(&inner, f->descriptor, depth - 1);
        if (text)
            graft_str_add(&inner, "x");
        if (message || text) {
            graft_put_bytes(s, f->id, inner.at, inner.n);
        } else if (real32 || real64) {
            graft_put_varint(s, f->id << 3 | (real32 ? 5 : 1));
            graft_str_addn(s, &"\0\0\0\0\0\0\xf0\x3f"[real32 ? 4 : 0],
                           real32 ? 4 : 8);
        } else {
            graft_put_int(s, f->id, 1);
        }
        graft_str_release(&inner);
    }
}

static void whole_format(void)
{
    for (int depth = 1; depth <= 4; depth++) {
        char name[32];
        struct graft_str s;
        graft_str_init(&s);
        fill(&s, &onnx__model_proto__descriptor, depth);
        snprintf(name, sizeof name, "format-%d.onnx", depth);
        put(name, s.at, s.n);
        graft_str_release(&s);
    }
}

void seed_models(void)
{
    enum { WORDS = 400 };
    const char *words[WORDS + 1] = {"location", "offset", "length", "data.bin",
                                    "graft", "com.microsoft", "ai.onnx"};
    size_t n = 7;
    networks();
    whole_format();
    for (size_t i = 0; graft_op_files[i]; i++)
        for (const struct graft_op *op = graft_op_files[i]; op->name; op++) {
            operator(op);
            if (n < WORDS && strcmp(words[n - 1], op->name))
                words[n++] = op->name;
        }
    words[n] = NULL;
    seed_words("import", words);
    seed_words("inspect", words);
}
