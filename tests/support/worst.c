/* Very many very small things (see worst.h).
 * SPDX-License-Identifier: Apache-2.0 */
#include "support/worst.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/alloc.h"
#include "onnx/encode.h"
#include "test.h"

/* ---- messages from text -------------------------------------------------- */

/* Short names: digits of base 32. */
static void put_name(struct graft_str *s, int i)
{
    if (i < 0) {
        graft_str_add(s, "x");
        return;
    }
    for (unsigned u = (unsigned)i + 1; u; u /= 32)
        graft_str_addn(s, &"0123456789ABCDEFGHIJKLMNOPQRSTUV"[u % 32], 1);
}

static const char *put_text(struct graft_str *s, uint32_t field,
                            const char *at, int i)
{
    struct graft_str t;
    graft_str_init(&t);
    for (; *at != '\''; at++) {
        if (*at != '%') {
            graft_str_addn(&t, at, 1);
            continue;
        }
        at++;
        put_name(&t, *at == 'n' ? i : i - 1);
    }
    graft_put_bytes(s, field, t.at, t.n);
    graft_str_release(&t);
    return at + 1;
}

static const char *put_items(struct graft_str *s, const char *at, int i);

static const char *put_message(struct graft_str *s, uint32_t field,
                               const char *at, int i)
{
    struct graft_str inner;
    graft_str_init(&inner);
    at = put_items(&inner, at, i);
    graft_put_bytes(s, field, inner.at, inner.n);
    graft_str_release(&inner);
    return at + 1;
}

static const char *put_zeros(struct graft_str *s, uint32_t field,
                             const char *at)
{
    char *end, zero = 0;
    long n = strtol(at, &end, 10);
    graft_put_head(s, field, (uint64_t)n);
    while (n-- > 0)
        graft_str_addn(s, &zero, 1);
    return end;
}

/* Up to the end of the text or the '}' of the message. */
static const char *put_items(struct graft_str *s, const char *at, int i)
{
    while (*at && *at != '}') {
        if (*at == ' ') {
            at++;
            continue;
        }
        char *end;
        uint32_t field = (uint32_t)strtoul(at, &end, 10);
        at = end + 1;
        if (*end == '{') {
            at = put_message(s, field, at, i);
        } else if (*end == '\'') {
            at = put_text(s, field, at, i);
        } else if (*end == '*') {
            at = put_zeros(s, field, at);
        } else {
            graft_put_int(s, field, strtol(at, &end, 10));
            at = end;
        }
    }
    return at;
}

void worst_put(struct graft_str *s, const char *items, int repetition)
{
    put_items(s, items, repetition);
}

/* ---- files --------------------------------------------------------------- */

static void wrap(struct graft_str *s, int field)
{
    struct graft_str outer;
    graft_str_init(&outer);
    graft_put_bytes(&outer, (uint32_t)field, s->at, s->n);
    graft_str_release(s);
    *s = outer;
}

#define FLOAT_1 "2{1{1=1 2{1{1=1}}}}"

static void put_graph(struct graft_str *g, const struct worst *w, int last)
{
    worst_put(g, "11{1'x'" FLOAT_1 "} 1{1'x' 2'y' 4'Relu'} "
                 "12{1'y'" FLOAT_1 "}", 0);
    if (w->graph)
        worst_put(g, w->graph, last);
}

struct graft_str worst_make(const struct worst *w, size_t bytes)
{
    struct graft_str s, rest;
    int i = 0, depth = 0;
    graft_str_init(&s);
    graft_str_init(&rest);
    worst_put(&s, w->begin ? w->begin : "", 0);
    while (s.n + 250 < bytes)
        worst_put(&s, w->each, i++);
    while (depth < 6 && w->path[depth])
        depth++;
    if (w->path[0] != 7)
        put_graph(&rest, w, i - 1);
    for (int k = depth - 1; k >= 0; k--) {
        if (w->path[0] == 7 && k == 0)
            put_graph(&s, w, i - 1);
        wrap(&s, w->path[k]);
        if (k == depth - 1 && w->around)
            worst_put(&s, w->around, 0);
        if (k == depth - 2 && w->beyond)
            worst_put(&s, w->beyond, 0);
    }
    if (w->path[0] != 7) {
        wrap(&rest, 7);
        graft_str_addn(&s, rest.at, rest.n);
    }
    graft_str_release(&rest);
    worst_put(&s, "1=10 8{1'' 2=20}", 0);
    if (w->model)
        worst_put(&s, w->model, 0);
    assert_ok(graft_str_ok(&s));
    return s;
}

/* ---- measuring ----------------------------------------------------------- */

static clock_t started;
static uint64_t held;

void worst_start(void)
{
    graft_alloc_peak_reset();
    held = graft_alloc_stats().live_bytes;
    started = clock();
}

struct worst_cost worst_stop(void)
{
    return (struct worst_cost){
        .seconds = (double)(clock() - started) / CLOCKS_PER_SEC,
        .bytes = graft_alloc_stats().peak_bytes - held};
}
