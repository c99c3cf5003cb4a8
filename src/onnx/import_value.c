/* ValueInfoProto: a value's name and stated type.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/status.h"
#include "onnx/import.h"

static int set_dims(struct graft_dim *dim, struct graft_import *im,
                    const Onnx__TensorShapeProto *shape)
{
    for (size_t i = 0; i < shape->n_dim; i++) {
        const Onnx__TensorShapeProto__Dimension *d = shape->dim[i];
        dim[i].value = -1;
        if (d->value_case ==
            ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE)
            dim[i].value = d->dim_value < 0 ? -1 : d->dim_value;
        else if (d->value_case ==
                     ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM &&
                 d->dim_param && *d->dim_param) {
            dim[i].param = graft_import_text(im, d->dim_param);
            if (!dim[i].param)
                return GRAFT_EMEM;
        }
    }
    return GRAFT_OK;
}

static int set_type(struct graft_import *im, graft_value_id id,
                    const Onnx__TypeProto *type)
{
    if (!type || type->value_case != ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE)
        return GRAFT_OK;
    struct graft_value *v = &im->m->value.at[id];
    const Onnx__TypeProto__Tensor *t = type->tensor_type;
    v->dtype = t->elem_type;
    if (!t->shape)
        return GRAFT_OK;
    if (t->shape->n_dim > INT32_MAX)
        return graft_fail(GRAFT_ELIMIT, "'%s': '%.180s' has rank %zu", im->file,
                          v->name, t->shape->n_dim);
    v->dim = graft_arena_array(&im->m->arena, t->shape->n_dim,
                               sizeof *v->dim);
    if (!v->dim)
        return GRAFT_EMEM;
    v->has_shape = true;
    v->rank = (int)t->shape->n_dim;
    return set_dims(v->dim, im, t->shape);
}

int graft_import_value(graft_value_id *out, struct graft_import *im,
                       struct graft_span span)
{
    Onnx__ValueInfoProto *p = NULL;
    int status = graft_unpack(&p, im, &onnx__value_info_proto__descriptor,
                              span, GRAFT_FIELD(3) | GRAFT_FIELD(4));
    if (status)
        return status;
    const char *name = p->name ? p->name : "";
    graft_value_id id = -1;
    if (!*name)
        status = graft_fail(GRAFT_EFORMAT, "'%s': the value at byte %llu has "
                            "no name", im->file,
                            (unsigned long long)span.offset);
    else
        id = graft_value_intern(im->m, name);
    if (!status && id < 0)
        status = id;
    if (!status)
        status = set_type(im, id, p->type);
    graft_unpack_free(im, p);
    if (!status)
        *out = id;
    return status;
}
