/* What a fine-tuning tells of itself: log.jsonl, metrics.csv, and a line for
 * each epoch. Files that cannot be written cost a warning, not the run.
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/io.h"
#include "task/tune.h"

void graft_tune_warn(struct graft_tune *u)
{
    if (!u->warned)
        graft_log(u->t->rt, GRAFT_LOG_WARNING, "%s; this changes no result",
                  graft_error_message());
    u->warned = true;
}

double graft_tune_elapsed(const struct graft_tune *u)
{
    return u->before + graft_clock() - u->t->started;
}

/* ---- files --------------------------------------------------------------- */

/* Opened to go on at byte *at, or at its end before that; what a stopped run
 * wrote after its last checkpoint is written again. */
static int open_at(struct graft_tune *u, const char *name, int64_t *at)
{
    struct stat st;
    char *path = graft_path_join(u->folder, name);
    if (!path)
        return -1;
    int fd = graft_io_open(path, O_WRONLY | O_CREAT);
    bool known = fd >= 0 && !graft_io_fstat(fd, &st);
    if (known && st.st_size < *at)
        *at = (int64_t)st.st_size;
    if (fd >= 0 && (!known || graft_io_truncate(fd, (uint64_t)*at))) {
        graft_io_close(fd);
        fd = -1;
    }
    if (fd < 0) {
        graft_fail(GRAFT_EIO, "'%s' cannot be written: %s", path,
                   strerror(errno));
        graft_tune_warn(u);
    }
    graft_free(path);
    return fd;
}

static void append(struct graft_tune *u, int fd, int64_t *at,
                   const struct graft_str *s)
{
    if (fd < 0 || s->failed)
        return;
    if (graft_io_pwrite(fd, s->at, s->n, (uint64_t)*at)) {
        graft_fail(GRAFT_EIO, "a log in '%s' cannot be written: %s",
                   u->folder, strerror(errno));
        graft_tune_warn(u);
        return;
    }
    *at += (int64_t)s->n;
}

int graft_tune_open_log(struct graft_tune *u)
{
    static const char head[] = "part,epoch,epochs,loss,held_out_log_loss,"
                               "probe_log_loss,photos_per_second\n";
    if (!u->folder || u->logging)
        return GRAFT_OK;
    u->logging = true;
    u->log = open_at(u, "log.jsonl", &u->state->log_bytes);
    u->csv = open_at(u, "metrics.csv", &u->state->csv_bytes);
    if (u->csv >= 0 && !u->state->csv_bytes) {
        struct graft_str s;
        graft_str_init(&s);
        graft_str_add(&s, head);
        append(u, u->csv, &u->state->csv_bytes, &s);
        graft_str_release(&s);
    }
    return GRAFT_OK;
}

void graft_tune_log_step(struct graft_tune *u,
                         const struct graft_step_record *r)
{
    struct graft_str line, s;
    if (u->log < 0)
        return;
    graft_str_init(&line);
    graft_str_init(&s);
    graft_step_record_line(&line, r);
    if (!graft_str_ok(&line))
        graft_str_addf(&s, "{\"part\": \"%s\", %s\n", u->part, line.at + 1);
    append(u, u->log, &u->state->log_bytes, &s);
    graft_str_release(&line);
    graft_str_release(&s);
}

/* ---- epochs -------------------------------------------------------------- */

static double speed(const struct graft_tune *u)
{
    return u->state->seconds > 0 ? u->state->images / u->state->seconds : 0;
}

static void add_real(struct graft_str *s, const char *name, double x)
{
    if (isfinite(x))
        graft_str_addf(s, ", \"%s\": %.9g", name, x);
}

static void write_epoch(struct graft_tune *u, double held, double probe)
{
    const struct graft_learner *l = u->learner;
    struct graft_str s;
    graft_str_init(&s);
    graft_str_addf(&s, "{\"part\": \"%s\", \"epoch_ended\": %lld, "
                   "\"epochs\": %lld", u->part, (long long)l->epoch,
                   (long long)l->options.epochs);
    add_real(&s, "loss", u->state->epoch_loss);
    add_real(&s, "held_out_log_loss", held);
    if (isfinite(held))
        add_real(&s, "probe_log_loss", probe);
    add_real(&s, "photos_per_second", speed(u));
    graft_str_add(&s, "}\n");
    append(u, u->log, &u->state->log_bytes, &s);
    graft_str_release(&s);
    graft_str_init(&s);
    graft_str_addf(&s, "%s,%lld,%lld,%.9g,", u->part, (long long)l->epoch,
                   (long long)l->options.epochs, u->state->epoch_loss);
    if (isfinite(held))
        graft_str_addf(&s, "%.9g,%.9g", held, probe);
    else
        graft_str_add(&s, ",");
    graft_str_addf(&s, ",%.4g\n", speed(u));
    append(u, u->csv, &u->state->csv_bytes, &s);
    graft_str_release(&s);
}

void graft_tune_log_epoch(struct graft_tune *u, double held)
{
    const struct graft_learner *l = u->learner;
    const double probe = graft_tune_probe_mean(u);
    const long long left = (long long)(l->options.epochs - l->epoch);
    char judged[96] = "";
    if (isfinite(held))
        snprintf(judged, sizeof judged, ", held-out log-loss %.4g (probe "
                 "%.4g)", held, probe);
    double seconds = speed(u) > 0 ? (double)left *
                         (double)l->options.n_images / speed(u) : 0;
    graft_log(u->t->rt, GRAFT_LOG_INFO, "%s: epoch %lld of %lld, loss "
              "%.4g%s, %.1f photos/s, %.0f s left", u->part,
              (long long)l->epoch, (long long)l->options.epochs,
              u->state->epoch_loss, judged, speed(u), seconds);
    write_epoch(u, held, probe);
}
