/* A card that follows when the model's batch changes.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "graph/edit.h"
#include "report/json.h"
#include "task/card.h"

/* The first size of what is `where`; false: it is not listed there, or is
 * another than the batch was. */
static bool set_first(json_t *root, const char *where,
                      const struct graft_dim *dim)
{
    json_t *shape = json_object_get(json_object_get(root, where), "shape");
    if (!json_array_size(shape))
        return false;
    return json_array_set_new(shape, 0, dim->value >= 0
                                            ? json_integer(dim->value)
                                            : graft_json_text(dim->param)) ==
           0;
}

int graft_card_set_batch(struct graft_model *m, const struct graft_dim *dim)
{
    const char *text = graft_metadata_get(m, "graft");
    json_t *root = text ? json_loads(text, JSON_REJECT_DUPLICATES, NULL)
                        : NULL;
    bool any = root && set_first(root, "input", dim);
    if (root && set_first(root, "output", dim))
        any = true;
    if (!any) { /* also text that is no card: it stays as it is */
        json_decref(root);
        return GRAFT_OK;
    }
    char *changed = graft_json_write(root, 9); /* gives root back */
    int status = changed ? graft_edit_metadata(m, "graft", changed)
                         : GRAFT_EMEM;
    graft_free(changed);
    return status;
}
