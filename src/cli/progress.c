/* The progress line: on stderr, only when that is a terminal, at most ten
 * times a second, cleared when anything else is said.
 * SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
    char phase[32];
    double begun, drawn; /* seconds */
    uint64_t first;      /* things done when the phase was first seen */
    bool visible;
} line;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static bool on_terminal(void)
{
    static int known = -1;
    if (known < 0)
        known = isatty(STDERR_FILENO) == 1;
    return known == 1;
}

static void draw(const char *phase, const char *what, uint64_t done,
                 uint64_t total, double t)
{
    double since = t - line.begun;
    double rate = since > 0 && done > line.first
                      ? (double)(done - line.first) / since : 0;
    fprintf(stderr, "\r\033[K%s: %llu", phase, (unsigned long long)done);
    if (total)
        fprintf(stderr, "/%llu", (unsigned long long)total);
    fprintf(stderr, " %s", what);
    if (rate > 0 && since > 0.5)
        fprintf(stderr, ", %.*f %s/s", rate < 10 ? 1 : 0, rate, what);
    if (rate > 0 && since > 0.5 && total > done) {
        double left = (double)(total - done) / rate;
        if (left >= 90)
            fprintf(stderr, ", %.0f min left", left / 60);
        else
            fprintf(stderr, ", %.0f s left", left);
    }
    fflush(stderr);
    line.visible = true;
}

int graft_cli_progress(void *ctx, const char *phase, const char *what,
                       uint64_t done, uint64_t total)
{
    (void)ctx;
    if (!on_terminal())
        return 0;
    pthread_mutex_lock(&lock);
    double t = now();
    if (strncmp(phase, line.phase, sizeof line.phase - 1)) {
        snprintf(line.phase, sizeof line.phase, "%s", phase);
        line.begun = t;
        line.first = done;
    }
    if (t - line.drawn >= 0.1) {
        line.drawn = t;
        draw(phase, what, done, total, t);
    }
    pthread_mutex_unlock(&lock);
    return 0;
}

void graft_cli_progress_clear(void)
{
    pthread_mutex_lock(&lock);
    if (line.visible) {
        fputs("\r\033[K", stderr);
        fflush(stderr);
        line.visible = false;
    }
    pthread_mutex_unlock(&lock);
}

void graft_cli_log(void *ctx, enum graft_log_level level, const char *text)
{
    const struct graft_settings *s = ctx;
    if (level == GRAFT_LOG_INFO && s->quiet)
        return;
    graft_cli_error("%s%s", level == GRAFT_LOG_WARNING ? "warning: " : "",
                    text);
}
