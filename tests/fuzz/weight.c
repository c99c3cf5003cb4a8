/* One mutation of its own: a graph input becomes an initializer, or gets one,
 * with small numbers in it. Nodes of the suite take axes, shapes and weights
 * as inputs; few would compile without.
 * SPDX-License-Identifier: Apache-2.0 */
#include "mutate.h"

#include <string.h>

#include "onnx.pb-c.h"

enum { MOST = 4096 }; /* elements */

/* Bytes of an element, 0: not made here. */
static size_t element(uint64_t dtype)
{
    static const uint8_t bytes[] = {0, 4, 1, 1, 2, 2, 4, 8, 0, 1, 2, 8};
    return dtype < sizeof bytes ? bytes[dtype] : 0;
}

static uint8_t *numbers(struct tree *t, rng *r,
                        uint64_t dtype, size_t count)
{
    static const float reals[] = {0, 1, -1, 0.5f, 2, 3};
    size_t bytes = element(dtype);
    uint8_t *at = tree_room(t, count * bytes);
    for (size_t i = 0; at && i < count; i++) {
        int64_t k = (int64_t)fuzz_below(r, 7) - 2;
        float x = reals[fuzz_below(r, 6)];
        double y = (double)x;
        const void *from = dtype == 1 ? (void *)&x
                           : dtype == 11 ? (void *)&y : (void *)&k;
        memcpy(at + i * bytes, from, bytes);
    }
    return at;
}

static bool put_number(struct tree *t, struct field *tensor, uint32_t number,
                       uint64_t value)
{
    struct field *f = tree_new(t, number, 0);
    if (f) {
        f->value = value;
        tree_put(tensor, NULL, f);
    }
    return f != NULL;
}

static bool put_bytes(struct tree *t, struct field *tensor, uint32_t number,
                      const uint8_t *at, size_t n)
{
    struct field *f = tree_new(t, number, 2);
    if (f) {
        f->at = at;
        f->n = n;
        tree_put(tensor, NULL, f);
    }
    return f != NULL;
}

/* Dimensions of a TensorShapeProto, last to first; their product, 0: no. */
static size_t put_dims(struct tree *t, struct field *tensor,
                       const struct field *shape, rng *r)
{
    size_t count = 1;
    const struct field *dims[8];
    int rank = 0;
    for (const struct field *d = shape->child; d; d = d->next)
        if (d->number == 1 && rank < 8)
            dims[rank++] = d;
    for (int i = rank; i-- > 0;) {
        const struct field *v = tree_child(dims[i], 1);
        uint64_t n = v && v->wire == 0 ? v->value : 1 + fuzz_below(r, 4);
        if (n > MOST || (count *= (size_t)n) > MOST ||
            !put_number(t, tensor, 1, n))
            return 0;
    }
    return count;
}

bool fuzz_make_weight(struct tree *t, struct field *input,
                       rng *r)
{
    struct field *f = input ? tree_child(input, 2) : NULL;
    struct field *name = input ? tree_child(input, 1) : NULL;
    f = f ? tree_child(f, 1) : NULL;
    struct field *dtype = f ? tree_child(f, 1) : NULL;
    struct field *shape = f ? tree_child(f, 2) : NULL;
    struct field *tensor = tree_new(t, 5, 2);
    if (!name || !dtype || !shape || !shape->type || !tensor ||
        !element(dtype->value))
        return false;
    tensor->type = &onnx__tensor_proto__descriptor;
    size_t count = put_dims(t, tensor, shape, r);
    uint8_t *at = count ? numbers(t, r, dtype->value, count) : NULL;
    if (!at || !put_number(t, tensor, 2, dtype->value) ||
        !put_bytes(t, tensor, 8, name->at, name->n) ||
        !put_bytes(t, tensor, 9, at, count * element(dtype->value)))
        return false;
    tree_put(input->parent, input, tensor);
    if (fuzz_below(r, 4))
        tree_cut(input);
    return true;
}
