/* Import: a file's bytes to struct graft_model; here the model's own fields
 * and the way in, import_graph.c reads the graph.
 * SPDX-License-Identifier: Apache-2.0 */
#include "onnx/import.h"

#include "base/file.h"
#include "base/runtime.h"
#include "base/status.h"
#include "onnx/onnx.h"

typedef long long ll;

/* What this version of Graft knows: up to onnx 1.23. Below, the meaning of
 * files differs (no typed attributes, no opset import). Operators of any
 * version are read; which of them run is program/facts.c's to say. */
enum { IR_MIN = 3, IR_MAX = 14 };
/* Far more than any file has; each node looks its own up. */
enum { MAX_OPSETS = 1024 };

/* Field numbers of ModelProto. */
enum { M_GRAPH = 7, M_OPSET = 8, M_METADATA = 14, M_TRAINING = GRAFT_M_TRAINING,
       M_FUNCTIONS = 25, M_CONFIGURATION = 26 };

uint64_t graft_import_max(const struct graft_runtime *rt)
{
    uint64_t held = graft_alloc_stats().live_bytes;
    if (!rt || !rt->memory_limit)
        return UINT64_C(1) << 46;
    return rt->memory_limit > held ? rt->memory_limit - held : 0;
}

/* ---- the model's own fields ---------------------------------------------- */

static int read_opset(struct graft_import *im, struct graft_item *item)
{
    struct graft_model *m = im->m;
    Onnx__OperatorSetIdProto *p = NULL;
    int status = graft_unpack(&p, im, &onnx__operator_set_id_proto__descriptor,
                              graft_item_span(item), 0);
    if (status)
        return status;
    const char *domain = p->domain ? p->domain : "";
    domain = graft_import_text(im, strcmp(domain, "ai.onnx") ? domain : "");
    int64_t version = p->version;
    graft_unpack_free(im, p);
    if (!domain)
        return GRAFT_EMEM;
    if (version < 1)
        return graft_fail(GRAFT_EFORMAT, "'%s' imports version %lld of the "
                          "operators of '%.180s'; versions begin at 1",
                          im->file, (ll)version, *domain ? domain : "ai.onnx");
    for (int i = 0; i < m->opset.n; i++)
        if (!strcmp(m->opset.at[i].domain, domain) &&
            m->opset.at[i].version == version) {
            item->index = i; /* said twice, harmlessly */
            return GRAFT_OK;
        }
    if (graft_opset_of(m, domain))
        return graft_fail(GRAFT_EFORMAT, "'%s' imports versions %lld and %lld "
                          "of the operators of '%.180s'", im->file,
                          (ll)graft_opset_of(m, domain), (ll)version,
                          *domain ? domain : "ai.onnx");
    if (m->opset.n == MAX_OPSETS)
        return graft_fail(GRAFT_ELIMIT, "'%s' imports over %d operator sets",
                          im->file, MAX_OPSETS);
    struct graft_opset *o = graft_push(&m->opset);
    if (!o)
        return GRAFT_EMEM;
    *o = (struct graft_opset){domain, version, graft_item_span(item)};
    item->index = m->opset.n - 1;
    return GRAFT_OK;
}

static int read_metadata(struct graft_import *im, struct graft_item *item)
{
    Onnx__StringStringEntryProto *p = NULL;
    int status = graft_unpack(&p, im,
                              &onnx__string_string_entry_proto__descriptor,
                              graft_item_span(item), 0);
    if (status)
        return status;
    struct graft_metadata *e = graft_push(&im->m->metadata);
    if (e) {
        e->key = graft_import_text(im, p->key);
        e->value = graft_import_text(im, p->value);
        e->span = graft_item_span(item);
        item->index = im->m->metadata.n - 1;
    }
    status = e && e->key && e->value ? GRAFT_OK : GRAFT_EMEM;
    graft_unpack_free(im, p);
    return status;
}

static int read_head(struct graft_import *im)
{
    const uint64_t others =
        GRAFT_FIELD(6) | GRAFT_FIELD(M_GRAPH) | GRAFT_FIELD(M_OPSET) |
        GRAFT_FIELD(M_METADATA) | GRAFT_FIELD(M_TRAINING) |
        GRAFT_FIELD(M_FUNCTIONS) | GRAFT_FIELD(M_CONFIGURATION);
    struct graft_model *m = im->m;
    struct graft_span whole = {0, 0, m->blob.at[0].size};
    Onnx__ModelProto *p = NULL;
    int status = graft_unpack(&p, im, &onnx__model_proto__descriptor, whole,
                              others);
    if (status)
        return status;
    m->ir_version = p->ir_version;
    m->producer_name = graft_import_text(im, p->producer_name);
    m->producer_version = graft_import_text(im, p->producer_version);
    if (!m->producer_name || !m->producer_version)
        status = GRAFT_EMEM;
    else if (m->ir_version < IR_MIN || m->ir_version > IR_MAX)
        status = graft_fail(GRAFT_EUNSUPPORTED, "'%s' has IR version %lld; "
                            "Graft reads IR version %d to %d", im->file,
                            (ll)m->ir_version, IR_MIN, IR_MAX);
    graft_unpack_free(im, p);
    return status;
}

static int read_model(struct graft_import *im)
{
    int status = read_head(im);
    for (int i = 0; !status && i < im->items->model.n; i++) {
        struct graft_item *item = &im->items->model.at[i];
        if (item->number == M_OPSET)
            status = read_opset(im, item);
        else if (item->number == M_METADATA)
            status = read_metadata(im, item);
    }
    im->items->n_opset = im->m->opset.n;
    if (!status && !im->m->opset.n)
        return graft_fail(GRAFT_EFORMAT, "'%s' does not say which operators "
                          "it uses (no opset_import)", im->file);
    return status;
}

/* ---- entry --------------------------------------------------------------- */

static bool has_graph(const struct graft_items *items)
{
    for (int i = 0; i < items->model.n; i++)
        if (items->model.at[i].number == M_GRAPH)
            return true;
    return false;
}

static void free_items(struct graft_items *items)
{
    graft_items_free(items);
}

static int read_all(struct graft_import *im)
{
    struct graft_model *m = im->m;
    const struct graft_blob *file = &m->blob.at[0];
    int status = graft_sniff(file->data, file->size, im->file);
    if (!status)
        status = graft_scan(&m->items, file->data, file->size, im->file);
    if (status)
        return status;
    m->items_free = free_items;
    im->items = m->items;
    if (!has_graph(im->items))
        return graft_fail(GRAFT_EFORMAT, "'%s' holds no graph: it is not an "
                          "ONNX model", im->file);
    if (im->folder) {
        im->items->folder = graft_strdup(im->folder);
        if (!im->items->folder)
            return GRAFT_EMEM;
    }
    status = read_model(im);
    return status ? status : graft_import_graph(im);
}

/* Takes `data` over, also on failure. */
static int import(struct graft_model **out, struct graft_runtime *rt,
                  uint8_t *data, uint64_t size, const char *name,
                  const char *folder)
{
    struct graft_model *m = NULL;
    int status = graft_graph_new(&m, rt);
    struct graft_blob *b = status ? NULL : graft_push(&m->blob);
    if (!b) {
        graft_free(data);
        graft_graph_free(m);
        return GRAFT_EMEM;
    }
    b->data = data;
    b->size = size;
    b->name = graft_strdup(graft_path_base(name));
    graft_free(m->path);
    m->path = graft_strdup(name);
    struct graft_import im = {.m = m, .file = name, .folder = folder};
    status = b->name && m->path ? read_all(&im) : GRAFT_EMEM;
    graft_free(im.scratch);
    if (status) {
        graft_graph_free(m);
        return status;
    }
    *out = m;
    return GRAFT_OK;
}

int graft_onnx_open(struct graft_model **out, struct graft_runtime *rt,
                    const char *path)
{
    uint8_t *data = NULL;
    uint64_t size = 0;
    char *folder = graft_path_folder(path);
    int status = folder ? graft_file_read(&data, &size, path,
                                          graft_import_max(rt))
                        : GRAFT_EMEM;
    if (!status)
        status = import(out, rt, data, size, path, folder);
    graft_free(folder);
    return status;
}

int graft_onnx_parse(struct graft_model **out, struct graft_runtime *rt,
                     const void *data, uint64_t size, const char *name,
                     const char *folder)
{
    uint8_t *copy = graft_malloc((size_t)size);
    if (!copy)
        return GRAFT_EMEM;
    if (size)
        memcpy(copy, data, (size_t)size);
    return import(out, rt, copy, size, name ? name : "(memory)", folder);
}
