/* The one thread pool: decode, resize and compute share it.
 *
 * Work is cut into tasks by the caller, by shape and never by the number of
 * threads; the pool only decides who does which task when. So results are the
 * same bits for any number of threads.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_BASE_POOL_H
#define GRAFT_BASE_POOL_H

#include <stdint.h>

struct graft_pool;

/* threads >= 1 counts the caller: 1 starts no thread. */
int graft_pool_new(struct graft_pool **out, int threads);
void graft_pool_free(struct graft_pool *p);
int graft_pool_threads(const struct graft_pool *p); /* NULL: 1 */

/* Runs fn(ctx, i, worker) for i = 0 .. n-1, each once, and returns when all
 * are done. worker is 0 .. threads-1, unique among those running at the same
 * time (0: the caller): an index for scratch memory. A call from inside a
 * task, or with pool NULL, runs in the calling thread with that task's worker
 * number (NULL: 0). Calls from several threads take turns. */
typedef void graft_task_fn(void *ctx, int64_t i, int worker);
void graft_pool_for(struct graft_pool *p, int64_t n, graft_task_fn *fn,
                    void *ctx);

#endif
