/* String builder.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"

static char empty[1];

void graft_str_init(struct graft_str *s)
{
    *s = (struct graft_str){.at = empty};
}

void graft_str_release(struct graft_str *s)
{
    if (s->at != empty)
        graft_free(s->at);
    graft_str_init(s);
}

void graft_str_clear(struct graft_str *s)
{
    s->n = 0;
    if (s->at != empty)
        s->at[0] = '\0';
}

/* Makes room for n more bytes and a NUL. */
static int reserve(struct graft_str *s, size_t n)
{
    if (s->failed)
        return GRAFT_EMEM;
    if (n < s->cap - s->n)
        return GRAFT_OK;
    size_t cap = s->cap ? s->cap : 64;
    while (cap - s->n <= n && cap <= SIZE_MAX / 4)
        cap *= 2;
    char *p = cap - s->n <= n ? NULL
                              : graft_realloc(s->cap ? s->at : NULL, cap);
    if (!p) {
        s->failed = 1;
        return graft_fail_mem(n);
    }
    if (!s->cap)
        p[0] = '\0';
    s->at = p;
    s->cap = cap;
    return GRAFT_OK;
}

void graft_str_addn(struct graft_str *s, const void *bytes, size_t n)
{
    if (reserve(s, n))
        return;
    memcpy(s->at + s->n, bytes, n);
    s->n += n;
    s->at[s->n] = '\0';
}

void graft_str_add(struct graft_str *s, const char *text)
{
    graft_str_addn(s, text, strlen(text));
}

void graft_str_addf(struct graft_str *s, const char *fmt, ...)
{
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n >= 0 && reserve(s, (size_t)n) == 0) {
        vsnprintf(s->at + s->n, s->cap - s->n, fmt, again);
        s->n += (size_t)n;
    }
    va_end(again);
}

void graft_str_add_safe(struct graft_str *s, const char *text)
{
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c < 0x20 || c == 0x7f)
            graft_str_addf(s, "\\x%02x", c);
        else
            graft_str_addn(s, text, 1);
    }
}

int graft_str_ok(const struct graft_str *s)
{
    return s->failed ? GRAFT_EMEM : GRAFT_OK;
}

char *graft_str_take(struct graft_str *s)
{
    char *p = s->failed ? NULL : s->cap ? s->at : graft_strdup("");
    if (s->failed && s->at != empty)
        graft_free(s->at);
    graft_str_init(s);
    return p;
}
