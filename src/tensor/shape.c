/* Shapes and checked sizes.
 * SPDX-License-Identifier: Apache-2.0 */
#include "tensor/shape.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/status.h"

bool graft_mul_size(int64_t *out, int64_t a, int64_t b)
{
    return a >= 0 && b >= 0 && !__builtin_mul_overflow(a, b, out);
}

bool graft_add_size(int64_t *out, int64_t a, int64_t b)
{
    return a >= 0 && b >= 0 && !__builtin_add_overflow(a, b, out);
}

int64_t graft_shape_count(const struct graft_shape *s)
{
    int64_t n = 1;
    bool zero = false;
    for (int i = 0; i < s->rank; i++) {
        zero |= s->dim[i] == 0;
        if (s->dim[i] < 0)
            return -1;
        if (s->dim[i] && !graft_mul_size(&n, n, s->dim[i]))
            return -1;
    }
    return zero ? 0 : n;
}

int64_t graft_shape_span(const struct graft_shape *s, int first, int last)
{
    int64_t n = 1;
    for (int i = first; i < last; i++)
        n *= s->dim[i];
    return n;
}

bool graft_shape_equal(const struct graft_shape *a,
                       const struct graft_shape *b)
{
    return a->rank == b->rank &&
           memcmp(a->dim, b->dim, (size_t)a->rank * sizeof *a->dim) == 0;
}

int graft_shape_set(struct graft_shape *out, const int64_t *dim, int rank)
{
    if (rank < 0 || rank > GRAFT_MAX_RANK)
        return graft_fail(GRAFT_ELIMIT, "rank %d; at most %d dimensions are "
                          "supported", rank, GRAFT_MAX_RANK);
    struct graft_shape s = {.rank = rank};
    for (int i = 0; i < rank; i++)
        s.dim[i] = dim[i];
    if (graft_shape_count(&s) < 0) {
        char text[GRAFT_SHAPE_TEXT];
        return graft_fail(GRAFT_ESHAPE, "shape %s is negative or too large",
                          graft_shape_text(text, &s));
    }
    *out = s;
    return GRAFT_OK;
}

bool graft_shape_broadcast(struct graft_shape *out,
                           const struct graft_shape *a,
                           const struct graft_shape *b)
{
    struct graft_shape s = {.rank = a->rank > b->rank ? a->rank : b->rank};
    for (int i = 1; i <= s.rank; i++) {
        int64_t x = i <= a->rank ? a->dim[a->rank - i] : 1;
        int64_t y = i <= b->rank ? b->dim[b->rank - i] : 1;
        if (x != y && x != 1 && y != 1)
            return false;
        s.dim[s.rank - i] = x == 1 ? y : x;
    }
    *out = s;
    return graft_shape_count(out) >= 0;
}

const char *graft_shape_text(char out[GRAFT_SHAPE_TEXT],
                             const struct graft_shape *s)
{
    size_t n = 0;
    out[n++] = '[';
    for (int i = 0; i < s->rank && n < GRAFT_SHAPE_TEXT - 24; i++)
        n += (size_t)snprintf(out + n, GRAFT_SHAPE_TEXT - n, "%s%" PRId64,
                              i ? "," : "", s->dim[i]);
    out[n++] = ']';
    out[n] = '\0';
    return out;
}

int graft_axis(int64_t axis, int rank)
{
    if (axis < -rank || axis >= rank)
        return -1;
    return (int)(axis < 0 ? axis + rank : axis);
}
