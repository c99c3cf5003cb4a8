/* Finding names, and the nearest one to a name that is not there.
 * SPDX-License-Identifier: Apache-2.0 */
#include "api/model_names.h"

#include "base/status.h"

/* ---- the nearest --------------------------------------------------------- */

enum { LONGEST = 120 }; /* longer names are no candidates for a slip */

/* Levenshtein's distance: insertions, deletions and substitutions, 1 each. */
static int distance(const char *a, const char *b)
{
    int row[LONGEST + 1];
    const size_t n = strlen(a), m = strlen(b);
    if (n > LONGEST || m > LONGEST)
        return LONGEST;
    for (size_t j = 0; j <= m; j++)
        row[j] = (int)j;
    for (size_t i = 1; i <= n; i++) {
        int corner = row[0]; /* d[i-1][j-1] */
        row[0] = (int)i;
        for (size_t j = 1; j <= m; j++) {
            int change = corner + (a[i - 1] != b[j - 1]);
            int add = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            corner = row[j];
            row[j] = change < add ? change : add;
        }
    }
    return row[m];
}

struct nearest {
    const char *to, *best;
    int least;
};

static void consider(struct nearest *x, const char *name)
{
    const size_t n = strlen(x->to);
    int d = distance(x->to, name);
    /* The beginning of a long name is a good hint too. */
    if (n > 2 && d > 1 && strncmp(name, x->to, n) == 0)
        d = 1;
    if (*name && d < x->least) {
        x->least = d;
        x->best = name;
    }
}

static struct nearest nearest_to(const char *name)
{
    /* What is farther than half of it is no hint. */
    return (struct nearest){.to = name, .least = 2 + (int)strlen(name) / 2};
}

static int unknown(const struct graft_model *m, const char *what,
                   const struct nearest *x)
{
    return x->best ? graft_fail(GRAFT_ENOTFOUND, "'%s' has no %s '%s'; the "
                                "nearest is '%s'", m->path, what, x->to,
                                x->best)
                   : graft_fail(GRAFT_ENOTFOUND, "'%s' has no %s '%s'",
                                m->path, what, x->to);
}

/* ---- finding ------------------------------------------------------------- */

int graft_find_value(graft_value_id *out, const struct graft_model *m,
                     const char *name)
{
    graft_value_id id = graft_value_find(m, name);
    if (id >= 0 && graft_value_defined(&m->value.at[id])) {
        *out = id;
        return GRAFT_OK;
    }
    struct nearest x = nearest_to(name);
    for (int i = 0; i < m->value.n; i++)
        if (graft_value_defined(&m->value.at[i]))
            consider(&x, m->value.at[i].name);
    return unknown(m, "value", &x);
}

int graft_find_values(graft_value_id **out, const struct graft_model *m,
                      const char *const *names, int n)
{
    graft_value_id *ids =
        graft_calloc(n > 0 ? (size_t)n : 1, sizeof *ids);
    int status = ids ? GRAFT_OK : GRAFT_EMEM;
    for (int i = 0; !status && i < n; i++)
        status = graft_find_value(&ids[i], m, names[i]);
    if (status) {
        graft_free(ids);
        return status;
    }
    *out = ids;
    return GRAFT_OK;
}

int graft_find_node(int32_t *out, const struct graft_model *m,
                    const char *name)
{
    struct nearest x = nearest_to(name);
    int32_t found = -1;
    int n = 0;
    for (int32_t i = 0; i < m->node.n; i++) {
        const struct graft_node *node = &m->node.at[i];
        if (node->removed)
            continue;
        if (*name && strcmp(node->name, name) == 0) {
            found = i;
            n++;
        }
    }
    if (n > 1)
        return graft_fail(GRAFT_EARG, "'%s' has %d nodes '%s'", m->path, n,
                          name);
    for (int32_t i = 0; !n && i < m->node.n; i++)
        if (!m->node.at[i].removed)
            consider(&x, m->node.at[i].name);
    if (!n)
        return unknown(m, "node", &x);
    *out = found;
    return GRAFT_OK;
}

int graft_find_initializer(int32_t *out, const struct graft_model *m,
                           const char *name)
{
    graft_value_id id = graft_value_find(m, name);
    if (id >= 0 && m->value.at[id].tensor >= 0) {
        *out = m->value.at[id].tensor;
        return GRAFT_OK;
    }
    struct nearest x = nearest_to(name);
    for (int i = 0; i < m->tensor.n; i++)
        if (!m->tensor.at[i].removed)
            consider(&x, m->tensor.at[i].name);
    return unknown(m, "initializer", &x);
}

int graft_find_parameter(graft_value_id *out, const struct graft_model *m,
                         const char *name)
{
    int32_t tensor;
    *out = graft_value_find(m, name);
    return *out >= 0 && graft_parameter(m, *out)
               ? GRAFT_OK
               : graft_find_initializer(&tensor, m, name);
}
