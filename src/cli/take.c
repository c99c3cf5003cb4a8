/* Values of options: each taker reads one word strictly, to its last
 * character, and says what it expected.
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

int graft_take_flag(void *slot, const char *text,
                    const struct graft_option *o)
{
    (void)text, (void)o;
    *(bool *)slot = true;
    return 0;
}

int graft_take_text(void *slot, const char *text,
                    const struct graft_option *o)
{
    if (!*text)
        return graft_cli_wrong("--%s: the value is empty", o->name);
    *(const char **)slot = text;
    return 0;
}

int graft_take_list(void *slot, const char *text,
                    const struct graft_option *o)
{
    struct graft_text_list *list = slot;
    if (!*text)
        return graft_cli_wrong("--%s: the value is empty", o->name);
    if (list->n == GRAFT_CLI_LIST_MAX)
        return graft_cli_wrong("--%s: given more than %d times", o->name,
                               GRAFT_CLI_LIST_MAX);
    list->at[list->n++] = text;
    return 0;
}

int graft_take_choice(void *slot, const char *text,
                      const struct graft_option *o)
{
    size_t n = strlen(text);
    for (const char *p = o->choices; *p; p += strspn(p, " ")) {
        size_t length = strcspn(p, " ");
        if (n == length && !strncmp(p, text, n)) {
            *(const char **)slot = text;
            return 0;
        }
        p += length;
    }
    return graft_cli_wrong("--%s: '%s' is not one of: %s", o->name, text,
                           o->choices);
}

static int whole(long long *out, const char *text)
{
    char *end;
    errno = 0;
    *out = strtoll(text, &end, 10);
    return *text && !strchr(" \t\n+", *text) && !*end && !errno;
}

int graft_take_int(void *slot, const char *text,
                   const struct graft_option *o)
{
    long long v;
    if (!whole(&v, text) || (double)v < o->min || (double)v > o->max)
        return graft_cli_wrong("--%s: '%s' is not a whole number from %.0f "
                               "to %.0f", o->name, text, o->min, o->max);
    *(int *)slot = (int)v;
    return 0;
}

int graft_take_batch(void *slot, const char *text,
                     const struct graft_option *o)
{
    struct graft_batch_size *b = slot;
    long long v = GRAFT_BATCH_DYNAMIC;
    if (strcmp(text, "dynamic") &&
        (!whole(&v, text) || v < 1 || v > GRAFT_BATCH_MAX))
        return graft_cli_wrong("--%s: '%s' is neither 'dynamic' nor a whole "
                               "number from 1 to %d", o->name, text,
                               (int)GRAFT_BATCH_MAX);
    *b = (struct graft_batch_size){true, (int)v};
    return 0;
}

int graft_take_views(void *slot, const char *text,
                     const struct graft_option *o)
{
    long long v = GRAFT_VIEWS_FRESH;
    if (strcmp(text, "fresh") &&
        (!whole(&v, text) || v < 0 || (double)v > o->max))
        return graft_cli_wrong("--%s: '%s' is neither 'fresh' nor a whole "
                               "number from 0 to %.0f", o->name, text,
                               o->max);
    *(int *)slot = (int)v;
    return 0;
}

int graft_take_seed(void *slot, const char *text,
                    const struct graft_option *o)
{
    char *end;
    errno = 0;
    unsigned long long v = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || errno)
        return graft_cli_wrong("--%s: '%s' is not a whole number from 0 to "
                               "18446744073709551615", o->name, text);
    *(uint64_t *)slot = v;
    return 0;
}

/* A finite decimal number; stops at *end. */
static bool number(double *out, const char *text, char **end)
{
    if (!strchr("0123456789.-", *text) || !*text)
        return false;
    errno = 0;
    *out = strtod(text, end);
    return *end != text && !errno && isfinite(*out);
}

int graft_take_real(void *slot, const char *text,
                    const struct graft_option *o)
{
    double v;
    char *end;
    if (!number(&v, text, &end) || *end || v < o->min || v > o->max)
        return graft_cli_wrong("--%s: '%s' is not a number from %g to %g",
                               o->name, text, o->min, o->max);
    *(double *)slot = v;
    return 0;
}

int graft_take_bytes(void *slot, const char *text,
                     const struct graft_option *o)
{
    static const char units[] = "KMGTkmgt";
    double v, scale = 1;
    char *end;
    if (!number(&v, text, &end) || v < 0)
        goto wrong;
    const char *unit = *end ? strchr(units, *end) : NULL;
    if (unit) {
        scale = (double)(1ull << (10 * ((unit - units) % 4 + 1)));
        end++;
    }
    if (unit && *end == 'i')
        end++;
    if (*end == 'B')
        end++;
    v *= scale;
    if (*end || v < 1 || v > 1e18)
        goto wrong;
    *(uint64_t *)slot = (uint64_t)v;
    return 0;
wrong:
    return graft_cli_wrong("--%s: '%s' is not a size such as 900M or 1.5G",
                           o->name, text);
}

int graft_take_seconds(void *slot, const char *text,
                       const struct graft_option *o)
{
    static const struct { char unit; double seconds; } units[] = {
        {'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
    double v, scale = 1;
    char *end;
    bool ok = number(&v, text, &end) && v > 0;
    for (size_t i = 0; ok && i < sizeof units / sizeof *units; i++)
        if (*end == units[i].unit) {
            scale = units[i].seconds;
            end++;
            break;
        }
    if (!ok || *end || v * scale > 1e9)
        return graft_cli_wrong("--%s: '%s' is not a time such as 90s, 10m or "
                               "2h", o->name, text);
    *(double *)slot = v * scale;
    return 0;
}

int graft_take_extent(void *slot, const char *text,
                      const struct graft_option *o)
{
    struct graft_extent e;
    char *end;
    errno = 0;
    long w = strtol(text, &end, 10), h = w;
    bool ok = *text >= '0' && *text <= '9' && !errno;
    if (ok && *end == 'x' && end[1] >= '0' && end[1] <= '9')
        h = strtol(end + 1, &end, 10);
    if (!ok || *end || errno || w < 1 || h < 1 || w > 16384 || h > 16384)
        return graft_cli_wrong("--%s: '%s' is not a size such as 224 or "
                               "320x240 (at most 16384)", o->name, text);
    e.width = (int)w;
    e.height = (int)h;
    *(struct graft_extent *)slot = e;
    return 0;
}

int graft_take_triple(void *slot, const char *text,
                      const struct graft_option *o)
{
    struct graft_triple t = {.given = true};
    const char *p = text;
    for (int i = 0; i < 3; i++) {
        double v;
        char *end;
        bool ok = number(&v, p, &end) && fabs(v) <= 1e30 && v >= o->min;
        if (ok && i == 0 && !*end) { /* one for all */
            t.at[0] = t.at[1] = t.at[2] = (float)v;
            break;
        }
        if (!ok || *end != (i < 2 ? ',' : '\0'))
            return graft_cli_wrong(
                o->min > 0 ? "--%s: '%s' is not three numbers above 0, such "
                             "as 58.395,57.12,57.375, or one for all channels"
                           : "--%s: '%s' is not three numbers such as "
                             "123.675,116.28,103.53, or one for all channels",
                o->name, text);
        t.at[i] = (float)v;
        p = end + 1;
    }
    *(struct graft_triple *)slot = t;
    return 0;
}
