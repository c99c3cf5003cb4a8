/* Models through the public interface: the handle is the model itself.
 * SPDX-License-Identifier: Apache-2.0 */
#include "graft/graph.h"

#include "base/runtime.h"
#include "graph/model.h"
#include "onnx/onnx.h"

int graft_model_open(graft_model **out, graft_runtime *rt, const char *path)
{
    rt = graft_runtime_or_default(rt);
    if (!rt)
        return GRAFT_EMEM;
    return graft_onnx_open(out, rt, path);
}

int graft_model_parse(graft_model **out, graft_runtime *rt, const void *data,
                      uint64_t size)
{
    rt = graft_runtime_or_default(rt);
    if (!rt)
        return GRAFT_EMEM;
    return graft_onnx_parse(out, rt, data, size, "(memory)", NULL);
}

void graft_model_free(graft_model *m)
{
    graft_graph_free(m);
}

int graft_model_save(const graft_model *m, const char *path,
                     const struct graft_save_options *options)
{
    struct graft_onnx_save o = {0};
    char *data = NULL;
    if (options) {
        o.replace = options->replace;
        o.external = options->external_data;
        o.embed = options->embed;
        o.data_path = options->data_path ? &data : NULL;
    }
    if (o.external && o.embed)
        return graft_fail(GRAFT_EARG, "external_data and embed exclude each "
                          "other");
    int status = graft_onnx_save(m, path, &o);
    if (!status && o.data_path)
        *options->data_path = data;
    else
        graft_free(data);
    return status;
}

int64_t graft_model_ir_version(const graft_model *m)
{
    return m->ir_version;
}

int64_t graft_model_opset(const graft_model *m)
{
    return graft_opset_of(m, "");
}

int graft_model_n_outputs(const graft_model *m)
{
    return m->output.n;
}

const char *graft_model_metadata(const graft_model *m, const char *key)
{
    return graft_metadata_get(m, key);
}

int graft_model_info_new(struct graft_model_info **out, const graft_model *m)
{
    return graft_onnx_describe(out, m);
}

void graft_model_info_free(struct graft_model_info *x)
{
    graft_onnx_describe_free(x);
}
