/* A card that follows when a value it names gets another name.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/alloc.h"
#include "report/json.h"
#include "task/card.h"

static bool rename_in(json_t *root, const char *where, const char *from,
                      const char *to)
{
    json_t *o = json_object_get(root, where);
    const char *name = json_string_value(json_object_get(o, "name"));
    if (!name || strcmp(name, from))
        return false;
    return json_object_set_new(o, "name", graft_json_text(to)) == 0;
}

int graft_card_rename(char **out, const char *text, const char *from,
                      const char *to)
{
    char *changed = NULL;
    json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    *out = NULL;
    bool any = root && rename_in(root, "input", from, to);
    if (root && rename_in(root, "output", from, to))
        any = true;
    if (!any) { /* also text that is no card: it stays as it is */
        json_decref(root);
        return GRAFT_OK;
    }
    changed = graft_json_write(root, 9); /* gives root back */
    if (!changed)
        return GRAFT_EMEM;
    *out = changed;
    return GRAFT_OK;
}
