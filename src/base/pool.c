/* Workers wait for a job. Each has a share of its tasks, side by side, and
 * when that is done takes from the others'. Tasks that follow each other work
 * on what lies side by side, from step to step of a network: so it is mostly
 * in the cache of who needs it. Who waits looks for some microseconds before
 * it sleeps: steps follow each other faster than a sleeper wakes.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/pool.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/status.h"

enum {
    MAX_THREADS = 1024,
    LINE = 64,        /* bytes of cache */
    JOB = 1 << 12,    /* a gate: workers inside, OPEN, number of the job */
    OPEN = JOB / 2,
    LOOKS = 4000 /* some 50 microseconds */
};

/* Tasks next .. end - 1 are a worker's own. */
struct share {
    _Alignas(LINE) _Atomic int64_t next;
    int64_t end;
};

struct graft_pool {
    int threads;      /* with the caller */
    int started;      /* pthreads that run */
    pthread_t *thread;
    pthread_mutex_t turn;  /* one job at a time */
    pthread_mutex_t lock;  /* for those that sleep */
    pthread_cond_t wake, done;
    int looks;        /* before a sleep */
    _Atomic uint64_t gate; /* to the current job, whose facts follow */
    _Atomic bool stop;
    graft_task_fn *fn;
    void *ctx;
    struct share *share;  /* of each worker */
};

struct worker_start {
    struct graft_pool *pool;
    int worker;
};

/* Which worker of a pool this thread is while it runs a task, else -1. */
static _Thread_local int inside = -1;

static void share_tasks(struct graft_pool *p, int64_t n)
{
    int64_t each = n / p->threads, more = n % p->threads, next = 0;
    for (int w = 0; w < p->threads; w++) {
        p->share[w].next = next;
        next += each + (w < more);
        p->share[w].end = next;
    }
}

static void take_tasks(struct graft_pool *p, int worker)
{
    inside = worker;
    for (int k = 0; k < p->threads; k++) {
        struct share *s = &p->share[(worker + k) % p->threads];
        int64_t end = s->end;
        for (int64_t i = s->next; i < end; i = s->next)
            if ((i = atomic_fetch_add(&s->next, 1)) < end)
                p->fn(p->ctx, i, worker);
    }
    inside = -1;
}

static void pause_a_little(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* A worker may still join the job of this gate, which follows `seen`. */
static bool is_open(uint64_t gate, uint64_t seen)
{
    return (gate & OPEN) && gate / JOB != seen;
}

/* Joins the job after `seen`: its number; 0: no job will come. */
static uint64_t join_job(struct graft_pool *p, uint64_t seen)
{
    for (uint64_t gate;;) {
        for (int i = 0; i < p->looks && !is_open(p->gate, seen) && !p->stop;
             i++)
            pause_a_little();
        if (!is_open(p->gate, seen) && !p->stop) {
            pthread_mutex_lock(&p->lock);
            while (!p->stop && !is_open(p->gate, seen))
                pthread_cond_wait(&p->wake, &p->lock);
            pthread_mutex_unlock(&p->lock);
        }
        if (p->stop)
            return 0;
        gate = p->gate;
        while (is_open(gate, seen))
            if (atomic_compare_exchange_weak(&p->gate, &gate, gate + 1))
                return gate / JOB;
    }
}

static void leave_job(struct graft_pool *p)
{
    if ((atomic_fetch_sub(&p->gate, 1) & (JOB - 1)) != 1)
        return; /* others are in it, or the caller is */
    pthread_mutex_lock(&p->lock);
    pthread_cond_signal(&p->done);
    pthread_mutex_unlock(&p->lock);
}

/* Who has not joined by now is not waited for: nothing is left to do. */
static void close_job(struct graft_pool *p)
{
    atomic_fetch_and(&p->gate, ~(uint64_t)OPEN);
    for (int i = 0; i < p->looks && p->gate % JOB; i++)
        pause_a_little();
    if (p->gate % JOB == 0)
        return;
    pthread_mutex_lock(&p->lock);
    while (p->gate % JOB)
        pthread_cond_wait(&p->done, &p->lock);
    pthread_mutex_unlock(&p->lock);
}

static void *worker_main(void *arg)
{
    struct worker_start start = *(struct worker_start *)arg;
    struct graft_pool *p = start.pool;
    graft_free(arg);
    for (uint64_t seen = 0; (seen = join_job(p, seen)) != 0;) {
        take_tasks(p, start.worker);
        leave_job(p);
    }
    return NULL;
}

static int start_worker(struct graft_pool *p)
{
    struct worker_start *s = graft_malloc(sizeof *s);
    if (!s)
        return GRAFT_EMEM;
    *s = (struct worker_start){.pool = p, .worker = p->started + 1};
    int err = pthread_create(&p->thread[p->started], NULL, worker_main, s);
    if (err) {
        graft_free(s);
        return graft_fail(GRAFT_ELIMIT, "thread %d of %d could not be "
                          "started (error %d)", p->started + 2, p->threads,
                          err);
    }
    p->started++;
    return GRAFT_OK;
}

int graft_pool_new(struct graft_pool **out, int threads)
{
    if (threads < 1 || threads > MAX_THREADS)
        return graft_fail(GRAFT_EARG, "%d threads; 1 to %d are possible",
                          threads, MAX_THREADS);
    struct graft_pool *p = graft_calloc(1, sizeof *p);
    if (!p)
        return GRAFT_EMEM;
    p->threads = threads;
    /* Where threads share processors, looking only keeps others from work. */
    p->looks = threads <= sysconf(_SC_NPROCESSORS_ONLN) ? LOOKS : 0;
    pthread_mutex_init(&p->turn, NULL);
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->wake, NULL);
    pthread_cond_init(&p->done, NULL);
    int status = GRAFT_OK;
    p->thread = graft_calloc((size_t)threads, sizeof *p->thread);
    p->share = graft_calloc((size_t)threads, sizeof *p->share);
    if (!p->thread || !p->share)
        status = GRAFT_EMEM;
    while (!status && p->started < threads - 1)
        status = start_worker(p);
    if (status) {
        graft_pool_free(p);
        return status;
    }
    *out = p;
    return GRAFT_OK;
}

void graft_pool_free(struct graft_pool *p)
{
    if (!p)
        return;
    pthread_mutex_lock(&p->lock);
    p->stop = true;
    pthread_cond_broadcast(&p->wake);
    pthread_mutex_unlock(&p->lock);
    for (int i = 0; i < p->started; i++)
        pthread_join(p->thread[i], NULL);
    pthread_cond_destroy(&p->wake);
    pthread_cond_destroy(&p->done);
    pthread_mutex_destroy(&p->lock);
    pthread_mutex_destroy(&p->turn);
    graft_free(p->share);
    graft_free(p->thread);
    graft_free(p);
}

int graft_pool_threads(const struct graft_pool *p)
{
    return p ? p->threads : 1;
}

static void run_here(int64_t n, graft_task_fn *fn, void *ctx)
{
    int worker = inside < 0 ? 0 : inside;
    for (int64_t i = 0; i < n; i++)
        fn(ctx, i, worker);
}

void graft_pool_for(struct graft_pool *p, int64_t n, graft_task_fn *fn,
                    void *ctx)
{
    if (!p || inside >= 0 || n <= 1 || p->threads == 1) {
        run_here(n, fn, ctx);
        return;
    }
    pthread_mutex_lock(&p->turn);
    pthread_mutex_lock(&p->lock);
    p->fn = fn;
    p->ctx = ctx;
    share_tasks(p, n);
    p->gate = (p->gate / JOB + 1) * JOB + OPEN; /* after what it is about */
    pthread_cond_broadcast(&p->wake);
    pthread_mutex_unlock(&p->lock);
    take_tasks(p, 0);
    close_job(p);
    pthread_mutex_unlock(&p->turn);
}
