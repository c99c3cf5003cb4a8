/* Which checkpoints of a folder stay, and which one to go on from.
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/io.h"
#include "base/status.h"
#include "base/str.h"
#include "train/checkpoint.h"

#define FIRST "step-"
#define LAST ".ckpt"
enum { DIGITS = 12 };

/* ---- names --------------------------------------------------------------- */

static char *path_of(const char *folder, int64_t step)
{
    struct graft_str s;
    graft_str_init(&s);
    graft_str_addf(&s, "%s/" FIRST "%0*lld" LAST, folder, (int)DIGITS,
                   (long long)step);
    return graft_str_take(&s);
}

/* Number of digits at the front of `s`. */
static size_t digits(const char *s)
{
    return strspn(s, "0123456789");
}

/* The step that a file's name tells; -1: it is another file. */
static int64_t step_of(const char *name)
{
    int64_t step = 0;
    if (strncmp(name, FIRST, strlen(FIRST)))
        return -1;
    name += strlen(FIRST);
    if (digits(name) < DIGITS || digits(name) > 18 ||
        strcmp(name + digits(name), LAST))
        return -1;
    for (; *name >= '0' && *name <= '9'; name++)
        step = step * 10 + (*name - '0');
    return step;
}

/* A temporary of ours (base/writer.c): .NAME.PID.COUNT.tmp */
static bool is_left_over(const char *name)
{
    if (*name != '.')
        return false;
    const char *end = strstr(name, LAST ".");
    if (!end || (strncmp(name + 1, FIRST, strlen(FIRST)) &&
                 strncmp(name, ".best" LAST, strlen(".best" LAST))))
        return false;
    end += strlen(LAST ".");
    size_t pid = digits(end);
    if (!pid || end[pid] != '.')
        return false;
    size_t count = digits(end + pid + 1);
    return count && strcmp(end + pid + 1 + count, ".tmp") == 0;
}

/* ---- listing ------------------------------------------------------------- */

struct listing {
    GRAFT_ARRAY(int64_t) step;  /* newest first */
    GRAFT_ARRAY(char *) left;   /* names of half-written files */
};

static void release(struct listing *l)
{
    for (int i = 0; i < l->left.n; i++)
        graft_free(l->left.at[i]);
    graft_array_release(&l->left);
    graft_array_release(&l->step);
}

static int note(struct listing *l, const char *name)
{
    int64_t step = step_of(name);
    if (step >= 0) {
        if (!graft_push(&l->step))
            return GRAFT_EMEM;
        int at = l->step.n - 1;
        for (; at > 0 && l->step.at[at - 1] < step; at--)
            l->step.at[at] = l->step.at[at - 1];
        l->step.at[at] = step;
    } else if (is_left_over(name)) {
        char **to = graft_push(&l->left);
        if (!to)
            return GRAFT_EMEM;
        *to = graft_strdup(name);
        if (!*to)
            return GRAFT_EMEM;
    }
    return GRAFT_OK;
}

static int list(struct listing *l, const char *folder)
{
    const char *name;
    int more = 0, status = GRAFT_OK;
    DIR *d = graft_io_opendir(folder);
    if (!d && errno == ENOENT)
        return GRAFT_OK;
    if (!d)
        return graft_fail(GRAFT_EIO, "folder '%s' cannot be read: %s", folder,
                          strerror(errno));
    while (!status && (more = graft_io_readdir(d, &name)) > 0)
        status = note(l, name);
    if (!status && more < 0)
        status = graft_fail(GRAFT_EIO, "folder '%s' cannot be read: %s",
                            folder, strerror(errno));
    graft_io_closedir(d);
    return status;
}

/* ---- keeping ------------------------------------------------------------- */

static int write_one(char *path, const struct graft_section *at, int n)
{
    int status = path ? graft_checkpoint_write(path, at, n) : GRAFT_EMEM;
    graft_free(path);
    return status;
}

static int remove_one(char *path)
{
    int status = path ? GRAFT_OK : GRAFT_EMEM;
    if (path && graft_io_unlink(path) && errno != ENOENT)
        status = graft_fail(GRAFT_EIO, "'%s' cannot be removed: %s", path,
                            strerror(errno));
    graft_free(path);
    return status;
}

static int tidy(const char *folder, int kept)
{
    struct listing l = {0};
    int status = list(&l, folder);
    for (int i = kept; !status && i < l.step.n; i++)
        status = remove_one(path_of(folder, l.step.at[i]));
    for (int i = 0; !status && i < l.left.n; i++)
        status = remove_one(graft_path_join(folder, l.left.at[i]));
    release(&l);
    return status;
}

int graft_checkpoint_keep(const char *folder, int64_t step, bool best,
                          const struct graft_section *at, int n)
{
    int status = graft_folder_make(folder);
    if (status)
        return graft_fail_in(status, "checkpoints in '%s'", folder);
    status = write_one(path_of(folder, step), at, n);
    if (!status && best)
        status = write_one(graft_path_join(folder, "best" LAST), at, n);
    return status ? status : tidy(folder, GRAFT_CHECKPOINTS_KEPT);
}

int graft_checkpoint_clear(const char *folder)
{
    int status = tidy(folder, 0);
    if (!status)
        status = remove_one(graft_path_join(folder, "best" LAST));
    if (!status && graft_io_rmdir(folder) && errno != ENOENT &&
        errno != ENOTEMPTY && errno != EEXIST)
        status = graft_fail(GRAFT_EIO, "'%s' cannot be removed: %s", folder,
                            strerror(errno));
    return status;
}

int graft_checkpoint_count(const char *folder)
{
    struct listing l = {0};
    int n = list(&l, folder) ? -1 : l.step.n;
    release(&l);
    return n;
}

int graft_checkpoint_newest(struct graft_checkpoint **out, const char *folder,
                            uint64_t max)
{
    struct listing l = {0};
    char why[GRAFT_MESSAGE_MAX];
    int status = list(&l, folder), first = GRAFT_OK;
    if (!status && !l.step.n)
        status = graft_fail(GRAFT_ENOTFOUND, "folder '%s' has no checkpoint",
                            folder);
    for (int i = 0; !status && i < l.step.n; i++) {
        char *path = path_of(folder, l.step.at[i]);
        int one = path ? graft_checkpoint_read(out, path, max) : GRAFT_EMEM;
        graft_free(path);
        if (!one) {
            first = GRAFT_OK;
            break;
        }
        if (!first) {
            first = one;
            graft_message_save(why);
        }
    }
    release(&l);
    if (!status && first) {
        graft_message_restore(why);
        return first;
    }
    return status;
}
