/* Mutations that know ONNX: fields are removed, doubled, moved and made up,
 * numbers go to their bounds, names and operators change places; lengths
 * around a change are always right.
 * SPDX-License-Identifier: Apache-2.0 */
#include "mutate.h"

#include <string.h>

static struct tree tree, other;

/* ---- choosing ------------------------------------------------------------ */

struct field *fuzz_choose(const struct tree *t, rng *r, fuzz_fits *fit)
{
    for (int tries = 0; tries < 32 && t->n; tries++) {
        struct field *f = t->list[fuzz_below(r, (size_t)t->n)];
        if (!fit || fit(f))
            return f;
    }
    size_t start = fuzz_below(r, (size_t)t->n);
    for (int i = 0; i < t->n; i++) {
        struct field *f = t->list[(start + (size_t)i) % (size_t)t->n];
        if (!fit || fit(f))
            return f;
    }
    return NULL;
}

struct field *fuzz_behind(const struct field *parent, rng *r)
{
    size_t n = 0;
    for (struct field *c = parent->child; c; c = c->next)
        n++;
    n = fuzz_below(r, n + 1);
    struct field *c = n ? parent->child : NULL;
    while (n > 1 && c) {
        c = c->next;
        n--;
    }
    return c;
}

uint64_t fuzz_boundary(rng *r)
{
    static const uint64_t bounds[] = {
        0, 1, 2, 3, 4, 7, 8, 16, 64, 127, 128, 255, 256, 4096, 65535, 65536,
        1 << 20, INT32_MAX, UINT64_C(1) << 31, UINT32_MAX,
        UINT64_C(1) << 32, UINT64_C(1) << 40, UINT64_C(1) << 62, INT64_MAX,
        UINT64_C(1) << 63, UINT64_MAX, UINT64_MAX - 1, UINT64_MAX - 2,
        (uint64_t)INT32_MIN};
    if (fuzz_below(r, 3) == 0)
        return fuzz_below(r, 10);
    return bounds[fuzz_below(r, sizeof bounds / sizeof *bounds)];
}

bool fuzz_is_message(const struct field *f)
{
    return f->type != NULL;
}

bool fuzz_is_text(const struct field *f)
{
    return f->wire == 2 && !f->type && f->say &&
           f->say->type == PROTOBUF_C_TYPE_STRING;
}

/* ---- all ----------------------------------------------------------------- */

static mutation *any_mutation(rng *r)
{
    mutation *const *from = fuzz_below(r, 5) < 3 ? fuzz_wire_mutations
                                                 : fuzz_onnx_mutations;
    size_t n = 0;
    while (from[n])
        n++;
    return from[fuzz_below(r, n)];
}

size_t fuzz_mutate_onnx(uint8_t *data, size_t size, size_t max,
                        unsigned seed)
{
    rng r = {seed};
    if (!tree_parse(&tree, data, size))
        return 0;
    int done = 0, wanted = 1 + (int)fuzz_below(&r, 4);
    for (int tries = 0; done < wanted && tries < 20 && tree.n; tries++) {
        done += any_mutation(&r)(&tree, &r);
        tree_list(&tree);
    }
    /* Leaves point into data, so the new bytes are gathered elsewhere. */
    static uint8_t out[TREE_BYTES];
    size_t n = tree_write(&tree, out, max < sizeof out ? max : sizeof out);
    memcpy(data, out, n);
    return n;
}

size_t fuzz_cross_onnx(const uint8_t *a, size_t n_a, const uint8_t *b,
                       size_t n_b, uint8_t *out, size_t max, unsigned seed)
{
    rng r = {seed};
    if (!tree_parse(&tree, a, n_a) || !tree_parse(&other, b, n_b))
        return 0;
    for (size_t n = 1 + fuzz_below(&r, 4); n; n--) {
        struct field *f = fuzz_choose(&other, &r, NULL);
        struct field *to = &tree.pool[0];
        for (int tries = 0; tries < 50 && to->type != f->parent->type;
             tries++)
            to = tree.list[fuzz_below(&r, (size_t)tree.n)];
        struct field *copy = tree_clone(&tree, f);
        if (to->type == f->parent->type && copy)
            tree_put(to, fuzz_behind(to, &r), copy);
    }
    return tree_write(&tree, out, max);
}
