/* Bytes in pieces.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/status.h"
#include "onnx/encode.h"
#include "onnx/rewrite.h"

void graft_pieces_clear(struct graft_pieces *p)
{
    if (p->made)
        graft_arena_release(&p->arena);
    p->made = false;
    p->list.n = 0;
    p->n = 0;
}

void graft_pieces_release(struct graft_pieces *p)
{
    graft_arena_release(&p->arena);
    graft_array_release(&p->list);
    *p = (struct graft_pieces){0};
}

int graft_pieces_add(struct graft_pieces *p, const void *at, uint64_t n)
{
    struct graft_piece *piece = graft_push(&p->list);
    if (!piece)
        return GRAFT_EMEM;
    *piece = (struct graft_piece){at, n};
    p->n += n;
    return GRAFT_OK;
}

int graft_pieces_copy(struct graft_pieces *p, const void *at, uint64_t n)
{
    char *copy = graft_arena_strndup(&p->arena, at, (size_t)n);
    p->made = true;
    return copy ? graft_pieces_add(p, copy, n) : GRAFT_EMEM;
}

int graft_pieces_head(struct graft_pieces *p, uint32_t field, uint64_t n)
{
    uint8_t head[2 * GRAFT_VARINT_MAX];
    size_t used = graft_varint_bytes(
        head, (uint64_t)field << 3 | GRAFT_WIRE_BYTES);
    used += graft_varint_bytes(head + used, n);
    return graft_pieces_copy(p, head, used);
}

const uint8_t *graft_pieces_flat(const struct graft_pieces *p,
                                 struct graft_arena *a)
{
    uint8_t *all = graft_arena_alloc(a, (size_t)p->n);
    uint64_t at = 0;
    for (int i = 0; all && i < p->list.n; i++) {
        if (p->list.at[i].n)
            memcpy(all + at, p->list.at[i].at, (size_t)p->list.at[i].n);
        at += p->list.at[i].n;
    }
    return all;
}
