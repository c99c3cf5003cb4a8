/* The progress line: on stderr, only when that is a terminal, at most ten
 * times a second, never wider than it, cleared when anything else is said.
 * SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
enum { LINE = 200 }; /* columns at most, and the final zero */
static struct {
    char phase[32];
    int width;           /* columns drawn; phases and things are ASCII */
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

/* The last column stays free: some terminals wrap behind it. */
static int room(void)
{
    struct winsize size;
    int columns = 80;
    if (!ioctl(STDERR_FILENO, TIOCGWINSZ, &size) && size.ws_col > 0)
        columns = size.ws_col;
    return columns > LINE ? LINE - 1 : columns - 1;
}

/* A terminal that knows no escape sequences is wiped with spaces. */
static bool is_dumb(void)
{
    const char *term = getenv("TERM");
    return !term || !*term || !strcmp(term, "dumb");
}

static void wipe(void)
{
    if (is_dumb())
        fprintf(stderr, "\r%*s\r", line.width, "");
    else
        fputs("\r\033[K", stderr);
}

/* What the phase has done so far, and how long it may take yet. */
static void compose(char text[LINE], const char *phase, const char *what,
                    uint64_t done, uint64_t total, double t)
{
    char of[32] = "", speed[64] = "", end[48] = "";
    double since = t - line.begun;
    double rate = since > 0.5 && done > line.first
                      ? (double)(done - line.first) / since : 0;
    double left = rate > 0 && total > done ? (double)(total - done) / rate : 0;
    if (total)
        snprintf(of, sizeof of, "/%llu", (unsigned long long)total);
    if (rate > 0)
        snprintf(speed, sizeof speed, ", %.*f %s/s", rate < 10, rate, what);
    if (left >= 90)
        snprintf(end, sizeof end, ", %.0f min left", left / 60);
    else if (left > 0)
        snprintf(end, sizeof end, ", %.0f s left", left);
    snprintf(text, LINE, "%s: %llu%s %s%s%s", phase,
             (unsigned long long)done, of, what, speed, end);
}

static void draw(const char *phase, const char *what, uint64_t done,
                 uint64_t total, double t)
{
    char text[LINE];
    int columns = room();
    compose(text, phase, what, done, total, t);
    if (columns < 0)
        columns = 0;
    if (line.visible)
        wipe();
    line.width = (int)strlen(text);
    if (line.width > columns)
        line.width = columns;
    fprintf(stderr, "\r%.*s", line.width, text);
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
        wipe();
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
