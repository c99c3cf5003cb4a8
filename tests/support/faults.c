/* Every allocation and every file operation fails once (see faults.h).
 * SPDX-License-Identifier: Apache-2.0 */
#include "support/faults.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/io.h"
#include "support/snapshot.h"
#include "test.h"

enum { MEMORY = GRAFT_IO_NONE, FIRST_POINTS = 40, POINTS_MAX = 200000 };

static const char *const kind_name[GRAFT_IO_FAULTS] = {
    [MEMORY] = "no memory", [GRAFT_IO_EIO] = "EIO",
    [GRAFT_IO_ENOSPC] = "ENOSPC", [GRAFT_IO_EMFILE] = "EMFILE",
    [GRAFT_IO_EAGAIN] = "EAGAIN", [GRAFT_IO_EINTR] = "EINTR",
    [GRAFT_IO_SHORT] = "short transfer"};

/* One way of failing, and what came of it. */
struct trial {
    const struct fault_work *w;
    int kind; /* enum graft_io_fault, or MEMORY */
    int forever;
    uint64_t nth;
    struct snapshot before, after; /* of an undisturbed run */
    int status;
    bool reached, unlink_failed;
};

static void wrong(const struct trial *t, const char *what, const char *name)
{
    fail_msg("%s: %s at call %llu%s: status %d, '%s': %s %s", t->w->name,
             kind_name[t->kind], (unsigned long long)t->nth,
             t->forever ? " and all after" : "", t->status,
             graft_error_message(), what, name);
}

static int descriptors(void)
{
    int n = 0;
    DIR *d = opendir("/proc/self/fd");
    while (d && readdir(d))
        n++;
    if (d)
        closedir(d);
    return n;
}

/* ---- what is left in the folder ------------------------------------------ */

static bool is_temporary(const char *name)
{
    size_t n = strlen(name);
    return n > 4 && !strcmp(name + n - 4, ".tmp");
}

static bool varies(const struct fault_work *w, const char *name)
{
    for (int i = 0; w->varies && w->varies[i]; i++) {
        size_t n = strlen(w->varies[i]);
        if (!strncmp(w->varies[i], name, n) &&
            (!name[n] || w->varies[i][n - 1] == '/'))
            return true;
    }
    return false;
}

/* Has a temporary these bytes? */
static bool kept_aside(const struct snapshot *now,
                       const struct snapshot_file *f)
{
    for (int i = 0; i < now->n; i++)
        if (is_temporary(now->file[i].name) &&
            snapshot_same(&now->file[i], f))
            return true;
    return false;
}

static void check_files(const struct trial *t)
{
    const struct snapshot *want = t->status ? &t->before : &t->after;
    struct snapshot now;
    bool lenient = t->status && (t->forever || t->unlink_failed);
    snapshot_take(&now, t->w->folder, t->w->loose);
    for (int i = 0; i < want->n; i++) {
        const struct snapshot_file *f = &want->file[i];
        const struct snapshot_file *is = snapshot_find(&now, f->name);
        if (snapshot_same(f, is) ||
            (is && !t->status && varies(t->w, f->name)) ||
            (lenient && kept_aside(&now, f)))
            continue;
        wrong(t, t->status ? "an old file is lost:" : "not complete:",
              f->name);
    }
    for (int i = 0; i < now.n; i++) {
        const struct snapshot_file *f = &now.file[i];
        if (snapshot_find(want, f->name) ||
            (t->unlink_failed && (is_temporary(f->name) || t->status)) ||
            (lenient && is_temporary(f->name)))
            continue;
        wrong(t, "left behind:", f->name);
    }
    snapshot_release(&now);
}

/* ---- what it said -------------------------------------------------------- */

static bool names_a_file(const struct trial *t)
{
    const char *said = graft_error_message();
    const struct snapshot *s[] = {&t->before, &t->after};
    for (int k = 0; k < 2; k++)
        for (int i = 0; i < s[k]->n; i++) {
            const char *slash = strrchr(s[k]->file[i].name, '/');
            if (strstr(said, slash ? slash + 1 : s[k]->file[i].name))
                return true;
        }
    return strstr(said, t->w->folder) != NULL;
}

static void check_said(const struct trial *t)
{
    if (t->status && (t->kind == GRAFT_IO_EINTR || t->kind == GRAFT_IO_SHORT))
        wrong(t, "this must lead to success", "");
    if (t->status > 0 || (t->status && !*graft_error_message()))
        wrong(t, "an error has a status and a message", "");
    if (t->status && t->kind == MEMORY &&
        (t->status != GRAFT_EMEM ||
         !strstr(graft_error_message(), "memory")))
        wrong(t, "not said that memory is missing", "");
    if (t->status && t->kind != MEMORY && !names_a_file(t))
        wrong(t, "no file is named", "");
}

/* ---- trials -------------------------------------------------------------- */

static void disturb(struct trial *t)
{
    uint64_t calls = graft_alloc_stats().calls;
    graft_fail(GRAFT_OK, "%s", "");
    if (t->kind == MEMORY)
        graft_alloc_fail_at(t->nth, t->forever);
    else
        graft_io_fail_at((enum graft_io_fault)t->kind, t->nth, t->forever);
    t->status = t->w->run(t->w->ctx);
    struct graft_io_stats io = graft_io_stats();
    graft_alloc_fail_at(0, 0);
    graft_io_fail_at(GRAFT_IO_NONE, 0, 0);
    calls = t->kind == MEMORY ? graft_alloc_stats().calls - calls : io.calls;
    t->reached = calls >= t->nth;
    t->unlink_failed = t->kind != MEMORY && io.unlink_failed;
}

static void undisturbed(const struct trial *t)
{
    int status = t->w->run(t->w->ctx);
    if (status)
        wrong(t, "the next run fails:", graft_error_message());
}

/* False: the work ends before its nth such call. */
static bool try_point(struct trial *t)
{
    uint64_t live = graft_alloc_stats().live_bytes;
    int open_before = descriptors();
    disturb(t);
    if (graft_alloc_stats().live_bytes != live)
        wrong(t, "memory is still held", "");
    if (descriptors() != open_before)
        wrong(t, "a descriptor is still open", "");
    if (!t->reached && t->status)
        wrong(t, "undisturbed, and fails", "");
    check_said(t);
    check_files(t);
    if (t->w->loose && t->reached) {
        snapshot_restore(&t->before, t->w->folder, NULL);
        undisturbed(t);
    }
    snapshot_restore(&t->before, t->w->folder, t->w->loose);
    return t->reached;
}

static uint64_t try_all(struct trial *t, int every)
{
    uint64_t tried = 0;
    for (t->nth = 1; t->nth < POINTS_MAX && try_point(t); tried++)
        t->nth += t->nth < FIRST_POINTS ? 1 : (uint64_t)every;
    if (t->nth >= POINTS_MAX)
        wrong(t, "does not come to an end", "");
    return tried;
}

static int stride(const struct fault_work *w)
{
    const char *points = getenv("GRAFT_POINTS");
    int every = w->every > 1 ? w->every : 1;
#if defined(__SANITIZE_ADDRESS__)
    every *= 7;
#endif
    return points && !strcmp(points, "all") ? 1 : every;
}

void fault_every_point(const struct fault_work *w)
{
    struct trial t = {.w = w};
    uint64_t tried[2] = {0, 0};
    int every = stride(w);
    snapshot_take(&t.before, w->folder, w->loose);
    for (int i = 0; i < 2; i++) { /* the first run may make shared things */
        snapshot_restore(&t.before, w->folder, w->loose);
        undisturbed(&t);
    }
    snapshot_take(&t.after, w->folder, w->loose);
    snapshot_restore(&t.before, w->folder, w->loose);
    for (t.kind = MEMORY; t.kind < GRAFT_IO_FAULTS; t.kind++)
        for (t.forever = 0; t.forever < 2; t.forever++)
            tried[t.kind != MEMORY] += try_all(&t, every);
    print_message("points: %s: %llu allocations and %llu file operations "
                  "made to fail%s\n", w->name, (unsigned long long)tried[0],
                  (unsigned long long)tried[1],
                  every > 1 ? " (a sample; GRAFT_POINTS=all)" : "");
    snapshot_release(&t.before);
    snapshot_release(&t.after);
}
