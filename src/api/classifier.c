/* Using classifiers, as the public headers promise it.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/runtime.h"
#include "task/task.h"

static const struct graft_classify_options none = GRAFT_CLASSIFY_OPTIONS;

static int ready(graft_runtime **rt, const void *wanted, const char *what)
{
    *rt = graft_runtime_or_default(*rt);
    if (!*rt)
        return GRAFT_EMEM;
    return wanted ? GRAFT_OK : graft_fail(GRAFT_EARG, "%s is NULL", what);
}

int graft_predict(graft_runtime *rt, const char *model,
                  const char *const *paths, int n_paths,
                  const struct graft_classify_options *options,
                  graft_prediction_fn *answer, void *ctx)
{
    int status = ready(&rt, paths, "graft_predict: paths");
    if (!status && (!answer || n_paths < 1))
        status = graft_fail(GRAFT_EARG, "graft_predict: no %s",
                            answer ? "photo was named" : "callback");
    return status ? status
                  : graft_task_classify.predict(rt, model, paths, n_paths,
                                                options ? options : &none,
                                                answer, ctx);
}

int graft_evaluate(struct graft_report **out, graft_runtime *rt,
                   const char *model, const char *data,
                   const struct graft_classify_options *options)
{
    int status = ready(&rt, out, "graft_evaluate: out");
    return status ? status
                  : graft_task_classify.evaluate(out, rt, model, data,
                                                 options ? options : &none);
}

int graft_verify(struct graft_report **out, graft_runtime *rt,
                 const char *model, const char *data,
                 const struct graft_classify_options *options)
{
    int status = ready(&rt, out, "graft_verify: out");
    return status ? status
                  : graft_task_classify.verify(out, rt, model, data,
                                               options ? options : &none);
}
