/* JSON helpers.
 * SPDX-License-Identifier: Apache-2.0 */
#include "report/json.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"

static json_t *escaped(const char *s)
{
    struct graft_str text;
    graft_str_init(&text);
    for (const unsigned char *c = (const unsigned char *)s; *c; c++)
        if (*c < 0x80)
            graft_str_addn(&text, c, 1);
        else
            graft_str_addf(&text, "\\x%02x", *c);
    json_t *j = graft_str_ok(&text) ? NULL : json_string(text.at);
    graft_str_release(&text);
    return j;
}

json_t *graft_json_text(const char *s)
{
    if (!s)
        return json_null();
    json_t *j = json_string(s); /* NULL where s is not UTF-8 */
    return j ? j : escaped(s);
}

json_t *graft_json_real(double x)
{
    return isfinite(x) ? json_real(x) : json_null();
}

static int add(const char *buffer, size_t n, void *ctx)
{
    graft_str_addn(ctx, buffer, n);
    return graft_str_ok(ctx) ? -1 : 0;
}

char *graft_json_write(json_t *root, int digits)
{
    struct graft_str text;
    graft_str_init(&text);
    if (!root || json_dump_callback(root, add, &text,
                                    (size_t)JSON_INDENT(2) |
                                    JSON_REAL_PRECISION((size_t)digits)))
        text.failed = 1;
    json_decref(root);
    if (text.failed)
        graft_fail(GRAFT_EMEM, "out of memory for JSON text");
    return graft_str_take(&text);
}
