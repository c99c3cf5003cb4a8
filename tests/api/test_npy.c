/* NumPy files are written whole or not at all, several of them together.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/alloc.h"
#include "base/file.h"
#include "graft/model.h"
#include "support/faults.h"
#include "test.h"

struct job {
    char folder[200], path[2][300];
    bool replace;
};

static int write_both(void *ctx)
{
    const struct job *j = ctx;
    static float data[3000] = {1, 2, 3};
    const struct graft_array a[2] = {
        {.rank = 2, .dim = {30, 100}, .data = data},
        {.rank = 1, .dim = {3}, .data = data}};
    const char *const paths[2] = {j->path[0], j->path[1]};
    return graft_npy_write_all(a, paths, 2, j->replace);
}

static int read_one(void *ctx)
{
    const struct job *j = ctx;
    struct graft_array back = {0};
    int status = graft_npy_read(&back, NULL, j->path[0]);
    if (!status)
        assert_true(back.rank == 2 && back.dim[1] == 100 &&
                    back.data[2] == 3);
    graft_npy_release(&back);
    return status;
}

static void every_point(const char *name, struct job *j, int (*run)(void *))
{
    struct fault_work w = {.name = name, .folder = j->folder, .run = run,
                           .ctx = j};
    fault_every_point(&w);
}

TEST(api_npy__any_allocation_and_file_operation_may_fail)
{
    struct job j = {.replace = false};
    const char *folder = test_folder_in_memory();
    snprintf(j.folder, sizeof j.folder, "%s", folder);
    for (int i = 0; i < 2; i++)
        snprintf(j.path[i], sizeof j.path[i], "%s/%d.npy", folder, i);
    every_point("two arrays written", &j, write_both);
    assert_ok(graft_file_write(j.path[1], "old", 3, GRAFT_WRITE_NEW));
    j.replace = true;
    every_point("two arrays written over one", &j, write_both);
    assert_ok(write_both(&j));
    every_point("an array read", &j, read_one);
}
