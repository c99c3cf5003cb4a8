/* Edits through the public interface: names found, questions asked, then
 * graph/edit.h. Each undoes what it did when a later step fails.
 * SPDX-License-Identifier: Apache-2.0 */
#include "graft/edit.h"

#include "api/model_names.h"
#include "api/model_types.h"
#include "base/status.h"
#include "graph/edit.h"
#include "onnx/onnx.h"
#include "task/card.h"

/* ---- names --------------------------------------------------------------- */

/* The one live entry with Graft's card; -1: none, or several. */
static int card_entry(const struct graft_model *m)
{
    int found = -1;
    for (int i = 0; i < m->metadata.n; i++) {
        const struct graft_metadata *e = &m->metadata.at[i];
        if (e->removed || strcmp(e->key, "graft"))
            continue;
        if (found >= 0)
            return -1;
        found = i;
    }
    return found;
}

/* The card names the value too; *old is the entry that was exchanged, or
 * -1. */
static int rename_in_card(int *old, struct graft_model *m, const char *from,
                          const char *to)
{
    char *text = NULL;
    int i = card_entry(m);
    *old = -1;
    if (i < 0)
        return GRAFT_OK;
    int status = graft_card_rename(&text, m->metadata.at[i].value, from, to);
    if (!status && text)
        status = graft_edit_metadata(m, "graft", text);
    if (!status && text)
        *old = i;
    graft_free(text);
    return status;
}

int graft_model_rename(graft_model *m, const char *value,
                       const char *new_name)
{
    graft_value_id id = -1;
    bool used = false, edited = m->edited;
    int card = -1;
    int status = graft_find_value(&id, m, value);
    if (status || strcmp(value, new_name) == 0)
        return status;
    status = graft_onnx_mentions(&used, m, new_name);
    if (!status && used)
        status = graft_fail(GRAFT_EARG, "'%s' cannot be called '%s': a "
                            "subgraph has a value of that name", value,
                            new_name);
    if (!status)
        status = rename_in_card(&card, m, value, new_name);
    if (!status)
        status = graft_edit_rename(m, id, new_name);
    if (status && card >= 0) {
        m->metadata.n--;
        m->metadata.at[card].removed = false;
        m->edited = edited;
    }
    return status;
}

int graft_model_rename_node(graft_model *m, const char *node,
                            const char *new_name)
{
    int32_t i = -1;
    int status = graft_find_node(&i, m, node);
    return status ? status : graft_edit_rename_node(m, i, new_name);
}

/* ---- outputs ------------------------------------------------------------- */

static struct graft_removed_part live_nodes(const struct graft_model *m)
{
    struct graft_removed_part p = {0};
    for (int i = 0; i < m->node.n; i++)
        if (!m->node.at[i].removed) {
            p.n++;
            p.bytes += m->node.at[i].span.length;
        }
    return p;
}

static struct graft_removed_part live_tensors(const struct graft_model *m)
{
    struct graft_removed_part p = {0};
    for (int i = 0; i < m->tensor.n; i++)
        if (!m->tensor.at[i].removed) {
            p.n++;
            p.bytes += m->tensor.at[i].bytes;
        }
    return p;
}

static void add_difference(struct graft_removed_part *to,
                           struct graft_removed_part before,
                           struct graft_removed_part now)
{
    to->n += before.n - now.n;
    to->bytes += before.bytes - now.bytes;
}

static int set_outputs(struct graft_model *m, const graft_value_id *ids,
                       int n, struct graft_removed *removed)
{
    const struct graft_removed_part nodes = live_nodes(m);
    const struct graft_removed_part tensors = live_tensors(m);
    struct graft_stated_list stated;
    const bool edited = m->edited;
    int status = graft_state_types(&stated, m, ids, n);
    if (status)
        return status;
    status = graft_edit_outputs(m, ids, n);
    if (status) {
        graft_state_back(m, &stated);
        m->edited = edited;
    }
    graft_state_release(&stated);
    if (!status && removed) {
        add_difference(&removed->nodes, nodes, live_nodes(m));
        add_difference(&removed->initializers, tensors, live_tensors(m));
    }
    return status;
}

int graft_model_set_outputs(graft_model *m, const char *const *values, int n,
                            struct graft_removed *removed)
{
    graft_value_id *ids = NULL;
    int status = graft_find_values(&ids, m, values, n);
    if (!status)
        status = set_outputs(m, ids, n, removed);
    graft_free(ids);
    return status;
}

int graft_model_add_outputs(graft_model *m, const char *const *values, int n)
{
    graft_value_id *ids = NULL, *all = NULL;
    const int old = m->output.n;
    int status = n < 0 ? graft_fail(GRAFT_EARG, "%d outputs", n)
                       : graft_find_values(&ids, m, values, n);
    if (!status) {
        all = graft_calloc((size_t)old + (size_t)n, sizeof *all);
        status = all ? GRAFT_OK : GRAFT_EMEM;
    }
    if (!status) {
        for (int i = 0; i < old; i++)
            all[i] = m->output.at[i];
        for (int i = 0; i < n; i++)
            all[old + i] = ids[i];
        status = set_outputs(m, all, old + n, NULL);
    }
    graft_free(ids);
    graft_free(all);
    return status;
}

static bool among(graft_value_id id, const graft_value_id *ids, int n)
{
    for (int i = 0; i < n; i++)
        if (ids[i] == id)
            return true;
    return false;
}

int graft_model_remove_outputs(graft_model *m, const char *const *values,
                               int n, struct graft_removed *removed)
{
    graft_value_id *ids = NULL, *left = NULL;
    int status = graft_find_values(&ids, m, values, n), kept = 0;
    for (int i = 0; !status && i < n; i++)
        if (!m->value.at[ids[i]].is_output)
            status = graft_fail(GRAFT_EARG, "'%s' is no output of '%s'",
                                values[i], m->path);
    if (!status) {
        left = graft_calloc((size_t)m->output.n, sizeof *left);
        status = left ? GRAFT_OK : GRAFT_EMEM;
    }
    for (int i = 0; !status && i < m->output.n; i++)
        if (!among(m->output.at[i], ids, n))
            left[kept++] = m->output.at[i];
    if (!status)
        status = set_outputs(m, left, kept, removed);
    graft_free(ids);
    graft_free(left);
    return status;
}

/* ---- contents ------------------------------------------------------------ */

int graft_model_set_initializer(graft_model *m, const char *name,
                                const void *data, uint64_t bytes)
{
    int32_t i = -1;
    int status = graft_find_initializer(&i, m, name);
    if (status)
        return status;
    const struct graft_tensor *t = &m->tensor.at[i];
    if (!t->refusal && bytes != t->bytes)
        return graft_fail(GRAFT_EARG, "'%s' has %llu bytes of elements, %llu "
                          "were given", name, (unsigned long long)t->bytes,
                          (unsigned long long)bytes);
    const struct graft_shape shape = t->shape; /* *t is written to */
    return graft_edit_contents(m, i, t->dtype, &shape, data);
}

int graft_model_set_metadata(graft_model *m, const char *key,
                             const char *value)
{
    if (!*key || !graft_utf8_valid(key) || (value && !graft_utf8_valid(value)))
        return graft_fail(GRAFT_EARG, "metadata '%s': keys and values have to "
                          "be UTF-8, and keys not empty", key);
    return graft_edit_metadata(m, key, value);
}

int graft_model_set_doc(graft_model *m, const char *text)
{
    return graft_edit_doc(m, -1, text);
}

int graft_model_set_node_doc(graft_model *m, const char *node,
                             const char *text)
{
    int32_t i = -1;
    int status = graft_find_node(&i, m, node);
    return status ? status : graft_edit_doc(m, i, text);
}

/* ---- ballast ------------------------------------------------------------- */

_Static_assert((int)GRAFT_BALLAST_DOCS == (int)GRAFT_STRIP_DOC &&
               (int)GRAFT_BALLAST_VALUE_INFOS ==
                   (int)GRAFT_STRIP_VALUE_INFO &&
               (int)GRAFT_BALLAST_METADATA == (int)GRAFT_STRIP_METADATA,
               "the bits are handed on");

static void add_part(struct graft_removed_part *to,
                     const struct graft_onnx_part *now,
                     const struct graft_onnx_part *before)
{
    to->n += now->n - before->n;
    to->bytes += now->bytes - before->bytes;
}

int graft_model_strip(graft_model *m, unsigned ballast,
                      struct graft_removed *removed)
{
    struct graft_onnx_part before[3] = {{0}}, now[3] = {{0}};
    const unsigned old = m->strip;
    if (ballast & ~(unsigned)GRAFT_BALLAST_ALL)
        return graft_fail(GRAFT_EARG, "%u is no kind of ballast", ballast);
    int status = graft_onnx_stripped(&before[0], &before[1], &before[2], m);
    m->strip |= ballast; /* to count; the edit itself cannot fail */
    if (!status)
        status = graft_onnx_stripped(&now[0], &now[1], &now[2], m);
    m->strip = old;
    if (status)
        return status;
    graft_edit_strip(m, ballast);
    if (removed) {
        add_part(&removed->docs, &now[0], &before[0]);
        add_part(&removed->value_infos, &now[1], &before[1]);
        add_part(&removed->metadata, &now[2], &before[2]);
    }
    return GRAFT_OK;
}

/* ---- in memory ----------------------------------------------------------- */

int graft_model_encode(void **out, uint64_t *size, const graft_model *m)
{
    uint8_t *bytes = NULL;
    int status = graft_onnx_encode(&bytes, size, m);
    if (!status)
        *out = bytes;
    return status;
}

void graft_encoded_free(void *bytes)
{
    graft_free(bytes);
}
