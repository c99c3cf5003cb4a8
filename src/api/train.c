/* Training, as the public headers promise it.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/runtime.h"
#include "task/task.h"
#include "task/tunable.h"

int graft_train(struct graft_report **out, graft_runtime *rt,
                const struct graft_train_options *options)
{
    rt = graft_runtime_or_default(rt);
    if (!rt)
        return GRAFT_EMEM;
    if (!out || !options)
        return graft_fail(GRAFT_EARG, "graft_train: no %s",
                          out ? "options" : "place for the report");
    return graft_task_classify.train(out, rt, options);
}

int graft_inspect_train(struct graft_unfreezing **out, graft_runtime *rt,
                        const struct graft_train_options *options)
{
    rt = graft_runtime_or_default(rt);
    if (!rt)
        return GRAFT_EMEM;
    if (!out || !options || !options->model)
        return graft_fail(GRAFT_EARG, "graft_inspect_train: no %s",
                          !out ? "place for the answer"
                               : options ? "model" : "options");
    if (!options->tune.unfreeze && !options->tune.from_scratch)
        return graft_fail(GRAFT_EARG, "graft_inspect_train: unfreeze says "
                          "what is trained");
    return graft_tunable_cost(out, rt, options);
}

int graft_inspect_unfreeze(struct graft_unfreezing **out, graft_runtime *rt,
                           const char *model, const char *cut,
                           const char *unfreeze, const char *freeze,
                           int batch)
{
    struct graft_train_options o = GRAFT_TRAIN_OPTIONS;
    if (!model || !unfreeze)
        return graft_fail(GRAFT_EARG, "graft_inspect_unfreeze: no %s",
                          model ? "words" : "model");
    o.model = model;
    o.cut = cut;
    o.tune.unfreeze = unfreeze;
    o.tune.freeze = freeze;
    o.tune.batch_size = batch;
    return graft_inspect_train(out, rt, &o);
}
