/* Lists of names in options: "a,b", "a=b,c=d".
 * SPDX-License-Identifier: Apache-2.0 */
#include "cli.h"

struct reader {
    struct graft_names *out;
    size_t used;
    const char *option;
};

static int put(struct reader *r, char c)
{
    if (r->used == GRAFT_CLI_ROOM)
        return graft_cli_wrong("--%s: the names are too long", r->option);
    r->out->room[r->used++] = c;
    return 0;
}

/* One name, or two with '=' between them; *word then stands at the comma or
 * the end. */
static int item(struct reader *r, const char **word)
{
    struct graft_names *out = r->out;
    const char *p = *word;
    int wrong = 0;
    if (out->n == GRAFT_CLI_NAMES)
        return graft_cli_wrong("--%s: more than %d names", r->option,
                               GRAFT_CLI_NAMES);
    out->at[out->n] = out->room + r->used;
    out->is[out->n] = NULL;
    for (; !wrong && *p && *p != ','; p++) {
        if (*p == '=' && !out->is[out->n]) {
            wrong = put(r, '\0');
            out->is[out->n] = out->room + r->used;
            continue;
        }
        if (*p == '\\' && p[1])
            p++;
        wrong = put(r, *p);
    }
    if (!wrong)
        wrong = put(r, '\0');
    *word = p;
    if (!wrong && (!*out->at[out->n] ||
                   (out->is[out->n] && !*out->is[out->n])))
        wrong = graft_cli_wrong("--%s: a name is empty", r->option);
    out->n++;
    return wrong;
}

int graft_cli_names(struct graft_names *out,
                    const struct graft_text_list *from, const char *option)
{
    struct reader r = {.out = out, .option = option};
    out->n = 0;
    for (int i = 0; i < from->n; i++) {
        const char *p = from->at[i];
        for (;;) {
            int wrong = item(&r, &p);
            if (wrong)
                return wrong;
            if (!*p)
                break;
            p++; /* the comma */
        }
    }
    return 0;
}
