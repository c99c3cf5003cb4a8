/* Where tests find shared data and may write.
 * SPDX-License-Identifier: Apache-2.0 */
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"

const char *test_shared(const char *name)
{
    static char path[4096];
    const char *root = getenv("GRAFT_SHARED");
    snprintf(path, sizeof path, "%s/%s", root ? root : "../shared", name);
    return access(path, R_OK) == 0 ? path : NULL;
}

static char roots[2][64];

static int remove_one(const char *path, const struct stat *st, int flag,
                      struct FTW *ftw)
{
    (void)st, (void)flag, (void)ftw;
    return remove(path);
}

static void remove_roots(void)
{
    for (int i = 0; i < 2; i++)
        if (roots[i][0])
            nftw(roots[i], remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static const char *fresh(char *root, const char *in)
{
    static char path[128];
    static int count;
    if (!root[0]) {
        snprintf(root, sizeof roots[0], "%s/graft-test-XXXXXX", in);
        if (!mkdtemp(root))
            abort();
        if (count == 0)
            atexit(remove_roots);
    }
    snprintf(path, sizeof path, "%s/%d", root, count++);
    if (access(path, F_OK) == 0)
        abort();
    if (mkdir(path, 0777))
        abort();
    return path;
}

const char *test_folder(void)
{
    return fresh(roots[0], "/tmp");
}

const char *test_folder_in_memory(void)
{
    return access("/dev/shm", W_OK) ? test_folder()
                                    : fresh(roots[1], "/dev/shm");
}
