/* One walk over a message decides what becomes of each field. Depth is
 * bounded: the scan refused more than GRAFT_ONNX_DEPTH levels.
 * SPDX-License-Identifier: Apache-2.0 */
#include "onnx/rewrite.h"

#include "base/status.h"
#include "onnx/export.h"

/* ---- what stands where --------------------------------------------------- */

enum act { KEEP, ENTER, NAME, DOC, INFO, META };
struct rule {
    uint8_t act, kind; /* enum graft_message of an entered payload */
};
#define INTO(k) {ENTER, GRAFT_MSG_##k}

/* By kind and field number; see proto/onnx.proto. Value infos are entered as
 * values where they stay. */
static const struct rule rules[GRAFT_MSG_COUNT][32] = {
    [GRAFT_MSG_MODEL] = {[6] = {DOC, 0}, [7] = INTO(GRAPH),
                         [20] = INTO(TRAINING), [25] = INTO(FUNCTION)},
    [GRAFT_MSG_GRAPH] = {[1] = INTO(NODE), [5] = INTO(INITIALIZER),
                         [10] = {DOC, 0}, [11] = INTO(VALUE),
                         [12] = INTO(VALUE), [13] = {INFO, GRAFT_MSG_VALUE},
                         [14] = INTO(ANNOTATION),
                         [15] = INTO(SPARSE_INITIALIZER), [16] = {META, 0}},
    [GRAFT_MSG_NODE] = {[1] = {NAME, 0}, [2] = {NAME, 0}, [5] = INTO(ATTR),
                        [6] = {DOC, 0}, [9] = {META, 0},
                        [10] = INTO(DEVICES)},
    [GRAFT_MSG_ATTR] = {[5] = INTO(TENSOR), [6] = INTO(GRAPH),
                        [10] = INTO(TENSOR), [11] = INTO(GRAPH),
                        [13] = {DOC, 0}, [22] = INTO(SPARSE),
                        [23] = INTO(SPARSE)},
    [GRAFT_MSG_VALUE] = {[1] = {NAME, 0}, [3] = {DOC, 0}, [4] = {META, 0}},
    [GRAFT_MSG_TENSOR] = {[12] = {DOC, 0}, [16] = {META, 0}},
    [GRAFT_MSG_INITIALIZER] = {[8] = {NAME, 0}, [12] = {DOC, 0},
                               [16] = {META, 0}},
    [GRAFT_MSG_SPARSE] = {[1] = INTO(TENSOR), [2] = INTO(TENSOR)},
    [GRAFT_MSG_SPARSE_INITIALIZER] = {[1] = INTO(INITIALIZER),
                                      [2] = INTO(TENSOR)},
    [GRAFT_MSG_ANNOTATION] = {[1] = {NAME, 0}, [2] = INTO(QUANT_ENTRY)},
    [GRAFT_MSG_QUANT_ENTRY] = {[2] = {NAME, 0}},
    [GRAFT_MSG_DEVICES] = {[2] = INTO(SHARDING)},
    [GRAFT_MSG_SHARDING] = {[1] = {NAME, 0}},
    [GRAFT_MSG_TRAINING] = {[1] = INTO(GRAPH), [2] = INTO(GRAPH),
                            [3] = INTO(BINDING), [4] = INTO(BINDING)},
    [GRAFT_MSG_BINDING] = {[1] = {NAME, 0}, [2] = {NAME, 0}},
    [GRAFT_MSG_FUNCTION] = {[7] = INTO(NODE), [8] = {DOC, 0},
                            [11] = INTO(ATTR), [12] = {INFO,
                                                       GRAFT_MSG_VALUE},
                            [14] = {META, 0}},
};
#undef INTO

static struct rule rule_of(enum graft_message in, uint32_t field)
{
    return field < 32 ? rules[in][field] : (struct rule){KEEP, 0};
}

enum graft_message graft_message_of(enum graft_message in, uint32_t field)
{
    return (enum graft_message)rule_of(in, field).kind;
}

bool graft_rewrite_drops(struct graft_rewrite *w, enum graft_message in,
                         uint32_t field, uint64_t bytes)
{
    struct graft_dropped *count[] = {
        [DOC] = &w->doc, [INFO] = &w->value_info, [META] = &w->metadata};
    static const unsigned flag[] = {[DOC] = GRAFT_STRIP_DOC,
                                    [INFO] = GRAFT_STRIP_VALUE_INFO,
                                    [META] = GRAFT_STRIP_METADATA};
    enum act act = (enum act)rule_of(in, field).act;
    if (act < DOC || !(w->m->strip & flag[act]))
        return false;
    count[act]->n++;
    count[act]->bytes += bytes;
    return true;
}

/* ---- names --------------------------------------------------------------- */

int graft_rewrite_init(struct graft_rewrite *w, const struct graft_model *m,
                       struct graft_pieces *out)
{
    *w = (struct graft_rewrite){.m = m, .out = out};
    w->hidden = graft_calloc((size_t)m->renamed.n, sizeof *w->hidden);
    return w->hidden ? GRAFT_OK : GRAFT_EMEM;
}

void graft_rewrite_release(struct graft_rewrite *w)
{
    graft_free(w->hidden);
    w->hidden = NULL;
}

/* Index into m->renamed of the name at these bytes; -1: none; negative
 * beyond that: a status. */
static int renamed_index(struct graft_rewrite *w, const uint8_t *at,
                         uint64_t n)
{
    char key[256];
    const char *text = key;
    if (!w->m->renamed.n)
        return -1;
    if (n < sizeof key) {
        memcpy(key, at, (size_t)n);
        key[n] = '\0';
    } else {
        text = graft_arena_strndup(&w->out->arena, (const char *)at,
                                   (size_t)n);
        w->out->made = true;
        if (!text)
            return GRAFT_EMEM;
    }
    return graft_map_get(&w->m->renamed_at, text);
}

/* The value's name today; NULL: the file's own holds. */
static int name_now(const char **out, struct graft_rewrite *w,
                    const uint8_t *at, uint64_t n)
{
    int i = w->functions ? -1 : renamed_index(w, at, n);
    *out = NULL;
    if (i < -1)
        return i;
    if (i >= 0 && !w->hidden[i])
        *out = w->m->value.at[w->m->renamed.at[i].value].name;
    if (*out && !strcmp(*out, w->m->renamed.at[i].from))
        *out = NULL; /* it got its old name back */
    if (w->wanted && w->depth && !w->functions) {
        const char *now = *out ? *out : (const char *)at;
        size_t length = *out ? strlen(*out) : (size_t)n;
        w->found |= strlen(w->wanted) == length &&
                    !memcmp(w->wanted, now, length);
    }
    return GRAFT_OK;
}

/* Adds `by` to the count of every renamed name that this graph defines for
 * itself: what reads such a name in here does not mean ours. */
static int hide(struct graft_rewrite *w, struct graft_wire in,
                enum graft_message kind, int by)
{
    struct graft_field f;
    while (graft_wire_next(&in, &f) > 0) {
        struct graft_wire inner = graft_wire_into(&in, &f);
        enum graft_message of = graft_message_of(kind, f.number);
        bool defines = (kind == GRAFT_MSG_NODE && f.number == 2) ||
                       (kind == GRAFT_MSG_VALUE && f.number == 1) ||
                       (kind == GRAFT_MSG_INITIALIZER && f.number == 8);
        bool holds = (kind == GRAFT_MSG_GRAPH &&
                      (f.number == 1 || f.number == 5 || f.number == 11 ||
                       f.number == 15)) ||
                     (kind == GRAFT_MSG_SPARSE_INITIALIZER && f.number == 1);
        int i = defines ? renamed_index(w, in.data + f.payload, f.length)
                        : -1;
        int status = holds ? hide(w, inner, of, by) : GRAFT_OK;
        if (i < -1 || status)
            return i < -1 ? i : status;
        if (i >= 0)
            w->hidden[i] += by;
    }
    return GRAFT_OK;
}

/* ---- the walk ------------------------------------------------------------ */

struct walk {
    struct graft_rewrite *w;
    struct graft_wire in;
    struct graft_field f;
    enum graft_message kind;
    uint64_t from;  /* bytes from here to f.offset are not written yet */
    bool changed;
};

/* What stands before this field is written; its own bytes are not. */
static int flush(struct walk *k)
{
    int status = graft_pieces_add(k->w->out, k->in.data + k->from,
                                  k->f.offset - k->from);
    k->from = k->in.pos;
    k->changed = true;
    return status;
}

static int do_name(struct walk *k)
{
    const char *now;
    int status = name_now(&now, k->w, k->in.data + k->f.payload,
                          k->f.length);
    if (status || !now)
        return status;
    status = flush(k);
    if (!status)
        status = graft_pieces_head(k->w->out, k->f.number, strlen(now));
    return status ? status
                  : graft_pieces_add(k->w->out, now, strlen(now));
}

/* Index of a tensor that is to be gathered; -1: it is not. */
static int far_index(const struct graft_rewrite *w,
                     const struct graft_wire *in, enum graft_message kind)
{
    const bool tensor = kind == GRAFT_MSG_TENSOR ||
                        kind == GRAFT_MSG_INITIALIZER;
    if (!w->gathers || !tensor || in->data != w->m->blob.at[0].data)
        return -1;
    int i = graft_items_external(w->m->items, in->pos);
    return i < w->m->items->external.n &&
                   w->m->items->external.at[i].offset == in->pos ? i : -1;
}

static int rewrite_inner(struct graft_rewrite *w, struct graft_wire in,
                         enum graft_message kind, bool *changed)
{
    const bool graph = kind == GRAFT_MSG_GRAPH;
    const bool function = kind == GRAFT_MSG_FUNCTION;
    const bool hides = graph && !w->functions && w->m->renamed.n;
    const int far = far_index(w, &in, kind);
    if (far >= 0) {
        *changed = true;
        return graft_rewrite_far(w, in, kind, far);
    }
    int status = hides ? hide(w, in, kind, 1) : GRAFT_OK;
    w->depth += graph;
    w->functions += function;
    if (!status)
        status = graft_rewrite(w, in, kind, NULL, 0, changed);
    w->functions -= function;
    w->depth -= graph;
    if (!status && hides)
        status = hide(w, in, kind, -1);
    return status;
}

/* The head is made once the length is known, in a place kept free for it. */
static int do_enter(struct walk *k, enum graft_message kind)
{
    struct graft_pieces *out = k->w->out;
    const struct walk before = *k;
    const int n = out->list.n;
    const uint64_t bytes = out->n;
    bool changed = false;
    int status = flush(k);
    const int place = out->list.n;
    if (!status)
        status = graft_pieces_add(out, "", 0);
    const uint64_t start = out->n;
    if (!status)
        status = rewrite_inner(k->w, graft_wire_into(&k->in, &k->f), kind,
                               &changed);
    if (status)
        return status;
    if (!changed) {
        out->list.n = n;
        out->n = bytes;
        *k = before;
        return GRAFT_OK;
    }
    status = graft_pieces_head(out, k->f.number, out->n - start);
    if (!status)
        out->list.at[place] = out->list.at[--out->list.n];
    return status;
}

static int do_field(struct walk *k)
{
    struct rule r = rule_of(k->kind, k->f.number);
    if (k->f.type != GRAFT_WIRE_BYTES || r.act == KEEP)
        return GRAFT_OK;
    if (graft_rewrite_drops(k->w, k->kind, k->f.number,
                            k->in.pos - k->f.offset))
        return flush(k);
    if (r.act == NAME)
        return do_name(k);
    return r.kind ? do_enter(k, (enum graft_message)r.kind) : GRAFT_OK;
}

static int put_patch(struct graft_rewrite *w, struct graft_patch *p)
{
    if (p->used || !p->n)
        return GRAFT_OK;
    p->used = true;
    return graft_pieces_add(w->out, p->bytes, p->n);
}

static struct graft_patch *patch_for(struct graft_patch *patch, int n,
                                     uint32_t field, int ordinal)
{
    for (int i = 0; i < n; i++)
        if (patch[i].field == field &&
            (patch[i].ordinal < 0 || patch[i].ordinal == ordinal))
            return &patch[i];
    return NULL;
}

int graft_rewrite(struct graft_rewrite *w, struct graft_wire in,
                  enum graft_message kind, struct graft_patch *patch,
                  int n_patch, bool *changed)
{
    struct walk k = {.w = w, .in = in, .kind = kind, .from = in.pos};
    int seen[32] = {0}, got, status = GRAFT_OK;
    while (!status && (got = graft_wire_next(&k.in, &k.f)) != 0) {
        if (got < 0)
            return got;
        int ordinal = k.f.number < 32 ? seen[k.f.number]++ : 0;
        struct graft_patch *p = patch_for(patch, n_patch, k.f.number,
                                          ordinal);
        status = p ? flush(&k) : do_field(&k);
        if (!status && p)
            status = put_patch(w, p);
    }
    for (int i = 0; !status && i < n_patch; i++)
        k.changed |= patch[i].n && !patch[i].used;
    if (!status && k.changed) /* the end stands behind the last field */
        status = graft_pieces_add(w->out, k.in.data + k.from,
                                  k.in.end - k.from);
    for (int i = 0; !status && i < n_patch; i++)
        status = put_patch(w, &patch[i]);
    *changed = k.changed;
    return status;
}
