/* The engine of describing: a table says which field becomes which member.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/status.h"
#include "onnx/describe.h"

/* ---- fields -------------------------------------------------------------- */

struct graft_source graft_source_of(struct graft_wire w)
{
    return (struct graft_source){.wire = w};
}

bool graft_source_next(struct graft_source *s, struct graft_gathered *f)
{
    struct graft_field field;
    if (s->list) {
        if (s->next == s->n)
            return false;
        *f = s->list[s->next++];
        return true;
    }
    if (graft_wire_next(&s->wire, &field) <= 0) /* import has seen it all */
        return false;
    *f = (struct graft_gathered){
        .number = field.number, .index = -1, .value = field.value,
        .wire = graft_wire_into(&s->wire, &field)};
    return true;
}

/* ---- what becomes of them ------------------------------------------------ */

const char *graft_describe_text(struct graft_describe *d,
                                const struct graft_gathered *f)
{
    return graft_arena_strndup(&d->shell->arena,
                               (const char *)f->wire.data + f->wire.pos,
                               (size_t)(f->wire.end - f->wire.pos));
}

int graft_describe_room(void **out, int *n_out, struct graft_describe *d,
                        int64_t n, size_t size)
{
    *out = NULL;
    *n_out = 0;
    if (n < 0)
        return (int)n;
    if (n > INT32_MAX)
        return graft_fail(GRAFT_ELIMIT, "'%s': a list has %lld elements",
                          d->im.file, (long long)n);
    if (n == 0)
        return GRAFT_OK;
    *out = graft_arena_array(&d->shell->arena, (size_t)n, size);
    *n_out = *out ? (int)n : 0;
    return *out ? GRAFT_OK : GRAFT_EMEM;
}

static int put_text(struct graft_describe *d, void *member,
                    const struct graft_gathered *f)
{
    const char *text = graft_describe_text(d, f);
    if (!text)
        return GRAFT_EMEM;
    memcpy(member, &text, sizeof text);
    return GRAFT_OK;
}

static int put_domain(struct graft_describe *d, void *member,
                      const struct graft_gathered *f)
{
    static const char ours[] = "ai.onnx";
    const size_t n = sizeof ours - 1;
    if (f->wire.end - f->wire.pos == n &&
        !memcmp(f->wire.data + f->wire.pos, ours, n))
        return GRAFT_OK;
    return put_text(d, member, f);
}

static int put_int(struct graft_describe *d, void *member,
                   const struct graft_gathered *f)
{
    (void)d;
    int x = (int32_t)(uint32_t)f->value;
    memcpy(member, &x, sizeof x);
    return GRAFT_OK;
}

static int put_int64(struct graft_describe *d, void *member,
                     const struct graft_gathered *f)
{
    (void)d;
    memcpy(member, &f->value, sizeof f->value);
    return GRAFT_OK;
}

/* Those that need nothing of the table but the member. */
static graft_describe_fn *const simple[] = {
    [GRAFT_SLOT_TEXT] = put_text, [GRAFT_SLOT_DOMAIN] = put_domain,
    [GRAFT_SLOT_INT] = put_int, [GRAFT_SLOT_INT64] = put_int64,
};
enum { N_SIMPLE = sizeof simple / sizeof *simple };

/* ---- lists --------------------------------------------------------------- */

static int read_list(struct graft_describe *d, char *out,
                     struct graft_source from, const struct graft_slot *slot)
{
    const bool texts = slot->how == GRAFT_SLOT_TEXTS;
    const size_t size = texts ? sizeof(const char *) : slot->size;
    struct graft_source count = from;
    struct graft_gathered f;
    int64_t n = 0;
    int length;
    void *list;
    while (graft_source_next(&count, &f))
        n += f.number == slot->number;
    int status = graft_describe_room(&list, &length, d, n, size);
    char *to = list;
    while (!status && to && graft_source_next(&from, &f))
        if (f.number == slot->number) {
            status = texts ? put_text(d, to, &f) : slot->each(d, to, &f);
            to += size;
        }
    memcpy(out + slot->at, &list, sizeof list);
    memcpy(out + slot->count, &length, sizeof length);
    return status;
}

static int read_one(struct graft_describe *d, char *member,
                    const struct graft_slot *slot,
                    const struct graft_gathered *f)
{
    void *one = graft_arena_array(&d->shell->arena, 1, slot->size);
    if (!one)
        return GRAFT_EMEM;
    memcpy(member, &one, sizeof one);
    return slot->each(d, one, f);
}

/* What a member is when its field is absent. */
static int prepare(struct graft_describe *d, char *member,
                   const struct graft_slot *slot)
{
    static const char *const nothing = "";
    const struct graft_gathered empty = {
        .index = -1,
        .wire = {.data = (const uint8_t *)nothing, .file = d->im.file}};
    if (slot->how == GRAFT_SLOT_TEXT || slot->how == GRAFT_SLOT_DOMAIN)
        memcpy(member, &nothing, sizeof nothing);
    return slot->how == GRAFT_SLOT_INSIDE ? slot->each(d, member, &empty)
                                          : GRAFT_OK;
}

static const struct graft_slot *slot_of(const struct graft_slot *slots,
                                        uint32_t number)
{
    while (slots->number && slots->number != number)
        slots++;
    return slots->number ? slots : NULL;
}

int graft_describe_slots(struct graft_describe *d, void *out,
                         struct graft_source from,
                         const struct graft_slot *slots)
{
    char *members = out;
    struct graft_source again = from;
    struct graft_gathered f;
    int status = GRAFT_OK;
    for (const struct graft_slot *s = slots; !status && s->number; s++)
        status = s->how == GRAFT_SLOT_TEXTS || s->how == GRAFT_SLOT_LIST
                     ? read_list(d, members, again, s)
                     : prepare(d, members + s->at, s);
    while (!status && graft_source_next(&from, &f)) {
        const struct graft_slot *s = slot_of(slots, f.number);
        if (s && (int)s->how < (int)N_SIMPLE)
            status = simple[s->how](d, members + s->at, &f);
        else if (s && s->how == GRAFT_SLOT_INSIDE)
            status = s->each(d, members + s->at, &f);
        else if (s && s->how == GRAFT_SLOT_ONE)
            status = read_one(d, members + s->at, s, &f);
    }
    return status;
}
