/* The pool runs each task once, whatever the number of threads.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdatomic.h>

#include "base/pool.h"
#include "test.h"

enum { TASKS = 1000 };

struct tally {
    struct graft_pool *pool;
    _Atomic int runs[TASKS];
    _Atomic int bad_worker, nested;
    int threads;
};

static void inner(void *ctx, int64_t i, int worker)
{
    struct tally *t = ctx;
    (void)i;
    if (worker < 0 || worker >= t->threads)
        t->bad_worker++;
    t->nested++;
}

static void task(void *ctx, int64_t i, int worker)
{
    struct tally *t = ctx;
    t->runs[i]++;
    if (worker < 0 || worker >= t->threads)
        t->bad_worker++;
    if (i % 100 == 0)
        graft_pool_for(t->pool, 3, inner, t);
}

TEST(base_pool__runs_each_task_once)
{
    for (int threads = 1; threads <= 7; threads += 2) {
        struct tally t = {.threads = threads};
        assert_ok(graft_pool_new(&t.pool, threads));
        for (int round = 0; round < 50; round++)
            graft_pool_for(t.pool, TASKS, task, &t);
        for (int i = 0; i < TASKS; i++)
            assert_int_equal(t.runs[i], 50);
        assert_int_equal(t.bad_worker, 0);
        assert_int_equal(t.nested, 50 * (TASKS / 100) * 3);
        graft_pool_free(t.pool);
    }
}

TEST(base_pool__refuses_senseless_sizes)
{
    struct graft_pool *p = NULL;
    assert_fails(graft_pool_new(&p, 0), GRAFT_EARG, "0 threads");
    assert_null(p);
}

/* Short jobs, one after the other: workers come late, or not at all. */
TEST(base_pool__short_jobs_are_done_when_it_returns)
{
    enum { JOBS = 20000, FEW = 3 };
    struct tally t = {.threads = 7};
    assert_ok(graft_pool_new(&t.pool, t.threads));
    for (int job = 1; job <= JOBS; job++) {
        graft_pool_for(t.pool, FEW, task, &t);
        for (int i = 0; i < FEW; i++)
            assert_int_equal(t.runs[i], job);
    }
    assert_int_equal(t.bad_worker, 0);
    graft_pool_free(t.pool);
}
