/* Readers of a node's attributes. Each remembers that the attribute was asked
 * for, so that one which nobody knows is refused, never skipped.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "graph/op.h"

enum { MAX_ATTRS = 64 }; /* bits of graft_parse.read */

static const char *type_name(int type)
{
    static const char *const names[] = {
        "undefined", "float", "int", "string", "tensor", "graph", "floats",
        "ints", "strings", "tensors", "graphs", "sparse_tensor",
        "sparse_tensors", "type_proto", "type_protos"};
    if (type < 0 || (size_t)type >= sizeof names / sizeof *names)
        return "unknown";
    return names[type];
}

/* The attribute, marked as read; NULL: absent. */
static const struct graft_attr *ask(struct graft_parse *p, const char *name)
{
    for (int i = 0; i < p->node->n_attr && i < MAX_ATTRS; i++)
        if (!strcmp(p->node->attr[i].name, name)) {
            p->read |= (uint64_t)1 << i;
            return &p->node->attr[i];
        }
    return NULL;
}

/* *out: the attribute, NULL when absent; fails when it has another type. */
static int ask_typed(struct graft_parse *p, const char *name, int type,
                     const struct graft_attr **out)
{
    const struct graft_attr *a = ask(p, name);
    if (a && a->ref_name)
        return graft_fail(GRAFT_EUNSUPPORTED, "%s: attribute '%s' refers to "
                          "a function's attribute '%.180s'",
                          graft_node_text(p->node), name, a->ref_name);
    if (a && a->type != type)
        return graft_fail(GRAFT_EFORMAT, "%s: attribute '%s' has type %s, "
                          "expected %s", graft_node_text(p->node), name,
                          type_name(a->type), type_name(type));
    *out = a;
    return GRAFT_OK;
}

int graft_attr_int(struct graft_parse *p, const char *name, int64_t fallback,
                   int64_t *out)
{
    const struct graft_attr *a;
    int status = ask_typed(p, name, GRAFT_ATTR_INT, &a);
    if (!status)
        *out = a ? a->i : fallback;
    return status;
}

int graft_attr_float(struct graft_parse *p, const char *name, float fallback,
                     float *out)
{
    const struct graft_attr *a;
    int status = ask_typed(p, name, GRAFT_ATTR_FLOAT, &a);
    if (!status)
        *out = a ? a->f : fallback;
    return status;
}

int graft_attr_ints(struct graft_parse *p, const char *name,
                    const int64_t **out, int *n)
{
    static const int64_t none = 0; /* present but empty: not NULL */
    const struct graft_attr *a;
    int status = ask_typed(p, name, GRAFT_ATTR_INTS, &a);
    if (status)
        return status;
    *n = a ? a->n : 0;
    *out = a ? a->ints ? a->ints : &none : NULL;
    return GRAFT_OK;
}

int graft_attr_floats(struct graft_parse *p, const char *name,
                      const float **out, int *n)
{
    static const float none = 0;
    const struct graft_attr *a;
    int status = ask_typed(p, name, GRAFT_ATTR_FLOATS, &a);
    if (status)
        return status;
    *n = a ? a->n : 0;
    *out = a ? a->floats ? a->floats : &none : NULL;
    return GRAFT_OK;
}

int graft_attr_string(struct graft_parse *p, const char *name,
                      const char *fallback, const char **out)
{
    const struct graft_attr *a;
    int status = ask_typed(p, name, GRAFT_ATTR_STRING, &a);
    if (status)
        return status;
    if (!a) {
        *out = fallback;
        return GRAFT_OK;
    }
    if (memchr(a->s.at, '\0', a->s.n))
        return graft_fail(GRAFT_EFORMAT, "%s: attribute '%s' contains a zero "
                          "byte", graft_node_text(p->node), name);
    *out = (const char *)a->s.at;
    return GRAFT_OK;
}

int graft_attr_tensor(struct graft_parse *p, const char *name,
                      const struct graft_tensor **out)
{
    const struct graft_attr *a;
    int status = ask_typed(p, name, GRAFT_ATTR_TENSOR, &a);
    if (status)
        return status;
    if (a && (!a->tensor || a->tensor->refusal))
        return graft_fail(GRAFT_EUNSUPPORTED, "%s: attribute '%s': %s",
                          graft_node_text(p->node), name,
                          a->tensor ? a->tensor->refusal : "no tensor");
    *out = a ? a->tensor : NULL;
    return GRAFT_OK;
}

bool graft_attr_has(struct graft_parse *p, const char *name)
{
    return ask(p, name) != NULL;
}

void graft_attr_ignore(struct graft_parse *p, const char *name)
{
    ask(p, name);
}

int graft_attrs_check(const struct graft_parse *p)
{
    for (int i = 0; i < p->node->n_attr; i++)
        if (i >= MAX_ATTRS || !(p->read >> i & 1))
            return graft_fail(GRAFT_EUNSUPPORTED, "%s: attribute '%.180s' is "
                              "not known in opset version %lld",
                              graft_node_text(p->node), p->node->attr[i].name,
                              (long long)p->opset);
    return GRAFT_OK;
}
