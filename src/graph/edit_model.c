/* Edits of the model's own fields: opsets, metadata, doc strings, and what
 * export leaves out.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/status.h"
#include "graph/edit.h"

int graft_edit_opset(struct graft_model *m, const char *domain,
                     int64_t version)
{
    if (version < 1)
        return graft_fail(GRAFT_EARG, "opset %lld does not exist",
                          (long long)version);
    if (strcmp(domain, "ai.onnx") == 0)
        domain = "";
    struct graft_opset *o = NULL;
    for (int i = 0; i < m->opset.n && !o; i++)
        if (strcmp(m->opset.at[i].domain, domain) == 0)
            o = &m->opset.at[i];
    const char *kept = o ? o->domain : graft_arena_strdup(&m->arena, domain);
    if (!o && kept)
        o = graft_push(&m->opset);
    if (!o)
        return GRAFT_EMEM;
    if (o->version != version)
        *o = (struct graft_opset){kept, version, GRAFT_NO_SPAN};
    m->edited = true;
    return GRAFT_OK;
}

int graft_edit_metadata(struct graft_model *m, const char *key,
                        const char *value)
{
    int old = m->metadata.n;
    if (value) {
        struct graft_metadata e = {
            .key = graft_arena_strdup(&m->arena, key),
            .value = graft_arena_strdup(&m->arena, value),
            .span = GRAFT_NO_SPAN};
        struct graft_metadata *at =
            e.key && e.value ? graft_push(&m->metadata) : NULL;
        if (!at)
            return GRAFT_EMEM;
        *at = e;
    }
    for (int i = 0; i < old; i++)
        if (strcmp(m->metadata.at[i].key, key) == 0)
            m->metadata.at[i].removed = true;
    m->edited = true;
    return GRAFT_OK;
}

int graft_edit_doc(struct graft_model *m, int32_t node, const char *text)
{
    if (!graft_utf8_valid(text))
        return graft_fail(GRAFT_EARG, "a doc string has to be UTF-8");
    const char *kept = graft_arena_strdup(&m->arena, text);
    if (!kept)
        return GRAFT_EMEM;
    if (node < 0)
        m->doc = kept;
    else
        m->node.at[node].doc = kept;
    m->edited = true;
    return GRAFT_OK;
}

void graft_edit_strip(struct graft_model *m, unsigned what)
{
    m->strip |= what;
    m->edited = true;
    if (!(what & GRAFT_STRIP_DOC))
        return;
    m->doc = NULL;
    for (int i = 0; i < m->node.n; i++)
        m->node.at[i].doc = NULL;
}
