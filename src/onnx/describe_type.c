/* Types, what is stated of values, entries of metadata.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/status.h"
#include "onnx/describe.h"

#define AT(type, member) offsetof(struct graft_##type##_info, member)

int graft_describe_entry(struct graft_describe *d, void *out,
                         const struct graft_gathered *f)
{
    static const struct graft_slot slots[] = {
        {.number = 1, .how = GRAFT_SLOT_TEXT, .at = AT(entry, key)},
        {.number = 2, .how = GRAFT_SLOT_TEXT, .at = AT(entry, value)},
        {0}};
    return graft_describe_slots(d, out, graft_source_of(f->wire), slots);
}

int graft_describe_opset(struct graft_describe *d, void *out,
                         const struct graft_gathered *f)
{
    static const struct graft_slot slots[] = {
        {.number = 1, .how = GRAFT_SLOT_DOMAIN, .at = AT(opset, domain)},
        {.number = 2, .how = GRAFT_SLOT_INT64, .at = AT(opset, version)},
        {0}};
    return graft_describe_slots(d, out, graft_source_of(f->wire), slots);
}

/* ---- shapes -------------------------------------------------------------- */

static int describe_dim(struct graft_describe *d, void *out,
                        const struct graft_gathered *f)
{
    static const struct graft_slot slots[] = {
        {.number = 1, .how = GRAFT_SLOT_INT64, .at = AT(dim, value)},
        {.number = 3, .how = GRAFT_SLOT_TEXT, .at = AT(dim, denotation)},
        {0}};
    struct graft_dim_info *dim = out;
    struct graft_source from = graft_source_of(f->wire);
    struct graft_gathered g;
    dim->value = -1;
    int status = graft_describe_slots(d, dim, from, slots);
    if (dim->value < 0)
        dim->value = -1;
    while (!status && graft_source_next(&from, &g))
        if (g.number == 2 && g.wire.end > g.wire.pos) {
            dim->symbol = graft_describe_text(d, &g);
            status = dim->symbol ? GRAFT_OK : GRAFT_EMEM;
        }
    return status;
}

static int describe_shape(struct graft_describe *d, void *out,
                          const struct graft_gathered *f)
{
    static const struct graft_slot slots[] = {
        {.number = 1, .how = GRAFT_SLOT_LIST, .at = AT(type, dims),
         .count = AT(type, rank), .size = sizeof(struct graft_dim_info),
         .each = describe_dim},
        {0}};
    if (!f->number) /* absent */
        return GRAFT_OK;
    return graft_describe_slots(d, out, graft_source_of(f->wire), slots);
}

/* ---- types --------------------------------------------------------------- */

/* The members of the message that each kind of type is; what lies inside is
 * written to the same struct graft_type_info. */
static const struct graft_slot tensor_slots[] = {
    {.number = 1, .how = GRAFT_SLOT_INT, .at = AT(type, dtype)},
    {.number = 2, .how = GRAFT_SLOT_INSIDE, .each = describe_shape},
    {0}};
static const struct graft_slot element_slots[] = {
    {.number = 1, .how = GRAFT_SLOT_ONE, .at = AT(type, element),
     .size = sizeof(struct graft_type_info), .each = graft_describe_type},
    {0}};
static const struct graft_slot map_slots[] = {
    {.number = 1, .how = GRAFT_SLOT_INT, .at = AT(type, dtype)},
    {.number = 2, .how = GRAFT_SLOT_ONE, .at = AT(type, element),
     .size = sizeof(struct graft_type_info), .each = graft_describe_type},
    {0}};
static const struct graft_slot opaque_slots[] = {
    {.number = 1, .how = GRAFT_SLOT_TEXT, .at = AT(type, domain)},
    {.number = 2, .how = GRAFT_SLOT_TEXT, .at = AT(type, name)},
    {0}};
static const struct graft_slot *const kind_slots[] = {
    [GRAFT_TYPE_TENSOR] = tensor_slots,
    [GRAFT_TYPE_SEQUENCE] = element_slots,
    [GRAFT_TYPE_MAP] = map_slots,
    [GRAFT_TYPE_OPAQUE] = opaque_slots,
    [GRAFT_TYPE_SPARSE_TENSOR] = tensor_slots,
    [GRAFT_TYPE_OPTIONAL] = element_slots,
};
enum { N_KINDS = sizeof kind_slots / sizeof *kind_slots };

int graft_describe_type(struct graft_describe *d, void *out,
                        const struct graft_gathered *f)
{
    static const struct graft_slot slots[] = {
        {.number = 6, .how = GRAFT_SLOT_TEXT, .at = AT(type, denotation)},
        {0}};
    struct graft_type_info *t = out;
    struct graft_source from = graft_source_of(f->wire);
    struct graft_gathered g;
    t->domain = t->name = "";
    t->rank = -1;
    int status = graft_describe_slots(d, t, from, slots);
    while (!status && graft_source_next(&from, &g))
        if (g.number < N_KINDS && kind_slots[g.number]) {
            t->kind = (enum graft_type_kind)g.number;
            status = graft_describe_slots(d, t, graft_source_of(g.wire),
                                          kind_slots[g.number]);
        }
    t->dtype_name = graft_dtype_name(t->dtype);
    if (t->dtype >= 0 && t->dtype < GRAFT_DTYPE_COUNT)
        return status;
    /* Of an unknown type it is in a buffer of the thread. */
    t->dtype_name = graft_arena_strdup(&d->shell->arena, t->dtype_name);
    return status || t->dtype_name ? status : GRAFT_EMEM;
}

int graft_describe_value(struct graft_describe *d, void *out,
                         const struct graft_gathered *f)
{
    static const struct graft_slot slots[] = {
        {.number = 1, .how = GRAFT_SLOT_TEXT, .at = AT(value, name)},
        {.number = 2, .how = GRAFT_SLOT_INSIDE, .at = AT(value, type),
         .each = graft_describe_type},
        {.number = 3, .how = GRAFT_SLOT_TEXT, .at = AT(value, doc)},
        {.number = 4, .how = GRAFT_SLOT_LIST, .at = AT(value, metadata),
         .count = AT(value, n_metadata),
         .size = sizeof(struct graft_entry_info),
         .each = graft_describe_entry},
        {0}};
    return graft_describe_slots(d, out, graft_source_of(f->wire), slots);
}
