/* A string builder. Out of memory is sticky: keep adding, ask once at the
 * end with graft_str_ok(). `at` is always a valid C string.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_BASE_STR_H
#define GRAFT_BASE_STR_H

#include <stddef.h>

#include "base/status.h"

struct graft_str {
    char *at; /* NUL-terminated; "" when empty, also after a failure */
    size_t n, cap;
    int failed;
};

void graft_str_init(struct graft_str *s);
void graft_str_release(struct graft_str *s);
void graft_str_clear(struct graft_str *s);
void graft_str_add(struct graft_str *s, const char *text);
void graft_str_addn(struct graft_str *s, const void *bytes, size_t n);
void graft_str_addf(struct graft_str *s, const char *fmt, ...)
    GRAFT_PRINTF(2, 3);

/* Text from files for people: control characters become \xNN, so that a name
 * cannot move the terminal's cursor. */
void graft_str_add_safe(struct graft_str *s, const char *text);

/* 0, or GRAFT_EMEM when any addition failed. */
int graft_str_ok(const struct graft_str *s);

/* Hands the string over (graft_free it); NULL when an addition failed. The
 * builder is empty afterwards. */
char *graft_str_take(struct graft_str *s);

#endif
