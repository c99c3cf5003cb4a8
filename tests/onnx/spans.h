/* Two files compared element by element: the fields of the model and of its
 * graph, as bytes.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_TEST_SPANS_H
#define GRAFT_TEST_SPANS_H

#include "base/array.h"
#include "onnx/onnx.h"
#include "onnx/wire.h"
#include "test.h"

enum { SPAN_MODEL, SPAN_GRAPH, SPAN_LEVELS };

struct span_element {
    int level;
    uint32_t number;
    struct graft_wire payload;
    const uint8_t *at; /* with tag and length */
    uint64_t n;
};
struct span_list {
    GRAFT_ARRAY(struct span_element) of;
};

/* Adds the fields of a message; the model's graph is taken apart too. */
static inline void span_collect(struct span_list *to, struct graft_wire w,
                                int level)
{
    struct graft_field f;
    int got;
    while ((got = graft_wire_next(&w, &f)) > 0) {
        if (level == SPAN_MODEL && f.number == 7) {
            span_collect(to, graft_wire_into(&w, &f), SPAN_GRAPH);
            continue;
        }
        struct span_element *e = graft_push(&to->of);
        assert_non_null(e);
        *e = (struct span_element){level, f.number, graft_wire_into(&w, &f),
                                   w.data + f.offset, w.pos - f.offset};
    }
    assert_int_equal(got, 0);
}

static inline bool span_same(const struct span_element *a,
                             const struct span_element *b)
{
    return a->level == b->level && a->number == b->number && a->n == b->n &&
           !memcmp(a->at, b->at, (size_t)a->n);
}

/* What is only in the one file (gone) or only in the other (made), by level
 * and field number; all else is the same bytes in the same order. */
struct span_diff {
    struct span_list gone, made;
    int kept;
};

static inline void span_push(struct span_list *to,
                             const struct span_element *e)
{
    struct span_element *at = graft_push(&to->of);
    assert_non_null(at);
    *at = *e;
}

/* Longest common subsequence, by the table of the lengths of those of all
 * pairs of ends. */
static inline void span_compare(struct span_diff *d, struct graft_wire a,
                                struct graft_wire b)
{
    struct span_list old = {0}, now = {0};
    *d = (struct span_diff){0};
    span_collect(&old, a, SPAN_MODEL);
    span_collect(&now, b, SPAN_MODEL);
    const size_t width = (size_t)now.of.n + 1;
    uint16_t *best = graft_calloc(((size_t)old.of.n + 1) * width,
                                  sizeof *best);
    assert_non_null(best);
    for (int i = old.of.n - 1; i >= 0; i--)
        for (int j = now.of.n - 1; j >= 0; j--) {
            uint16_t *at = &best[(size_t)i * width + (size_t)j];
            at[0] = span_same(&old.of.at[i], &now.of.at[j])
                        ? (uint16_t)(at[width + 1] + 1)
                        : at[width] > at[1] ? at[width] : at[1];
        }
    int i = 0, j = 0;
    while (i < old.of.n || j < now.of.n) {
        const uint16_t *at = &best[(size_t)i * width + (size_t)j];
        if (i < old.of.n && j < now.of.n &&
            span_same(&old.of.at[i], &now.of.at[j])) {
            d->kept++;
            i++;
            j++;
        } else if (j == now.of.n || (i < old.of.n && at[width] >= at[1])) {
            span_push(&d->gone, &old.of.at[i++]);
        } else {
            span_push(&d->made, &now.of.at[j++]);
        }
    }
    graft_free(best);
    graft_array_release(&old.of);
    graft_array_release(&now.of);
}

static inline void span_release(struct span_diff *d)
{
    graft_array_release(&d->gone.of);
    graft_array_release(&d->made.of);
}

static inline int span_count(const struct span_list *l, int level,
                             uint32_t number)
{
    int n = 0;
    for (int i = 0; i < l->of.n; i++)
        n += l->of.at[i].level == level && l->of.at[i].number == number;
    return n;
}

static inline struct graft_wire span_wire(const void *at, uint64_t n)
{
    return (struct graft_wire){at, 0, n, "a file"};
}

#endif
