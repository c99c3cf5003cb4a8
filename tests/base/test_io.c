/* Files under failing system calls: whole, or as before.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/file.h"
#include "support/faults.h"
#include "test.h"

static const char *in(const char *folder, const char *name)
{
    static char path[8][300];
    static int turn;
    turn = (turn + 1) % 8;
    snprintf(path[turn], sizeof path[0], "%s/%s", folder, name);
    return path[turn];
}

static void keep(char folder[200])
{
    snprintf(folder, 200, "%s", test_folder_in_memory());
}

TEST(base_io__a_call_fails_as_asked)
{
    char f[200];
    keep(f);
    const char *path = in(f, "a");
    assert_ok(graft_file_write(path, "abcdefgh", 8, GRAFT_WRITE_NEW));
    char have[8];
    struct stat st;
    graft_io_fail_at(GRAFT_IO_EIO, 2, 0);
    assert_int_equal(graft_io_stat(path, &st), 0);
    assert_int_equal(graft_io_stat(path, &st), -1);
    assert_int_equal(errno, EIO);
    assert_int_equal(graft_io_stat(path, &st), 0);
    assert_int_equal(graft_io_stats().calls, 3);
    /* A reader's troubles are others than a writer's. */
    graft_io_fail_at(GRAFT_IO_ENOSPC, 1, 1);
    int fd = graft_io_open(path, O_RDONLY);
    assert_true(fd >= 0);
    assert_int_equal(graft_io_read(fd, have, 8), 8);
    assert_int_equal(graft_io_stats().calls, 0);
    assert_int_equal(graft_io_open(in(f, "b"), O_WRONLY | O_CREAT), -1);
    assert_int_equal(errno, ENOSPC);
    for (int forever = 0; forever < 2; forever++) {
        graft_io_fail_at(GRAFT_IO_EINTR, 1, forever);
        assert_int_equal(graft_io_pread(fd, have, 8, 0), 8);
        graft_io_fail_at(GRAFT_IO_SHORT, 1, forever);
        assert_int_equal(graft_io_pread(fd, have, 8, 0), 8);
        assert_int_equal(graft_io_stats().calls, forever ? 4 : 2);
        assert_memory_equal(have, "abcdefgh", 8);
    }
    graft_io_fail_at(GRAFT_IO_NONE, 0, 0);
    assert_int_equal(graft_io_pread(fd, have, 8, 5), 3); /* the end */
    assert_int_equal(graft_io_close(fd), 0);
}

/* ---- one file, and several ----------------------------------------------- */

struct job {
    char folder[200];
    enum graft_write_mode mode;
};

static int write_one(void *ctx)
{
    const struct job *j = ctx;
    static const uint8_t data[70000] = {1, 2, 3};
    return graft_file_write(in(j->folder, "one"), data, sizeof data, j->mode);
}

static int write_three(void *ctx)
{
    const struct job *j = ctx;
    static const char *const names[] = {"one", "two", "three"};
    struct graft_writers set = {{0}};
    struct graft_writer *w = NULL;
    int status = GRAFT_OK;
    for (int i = 0; !status && i < 3; i++) {
        status = graft_writers_add(&w, &set, in(j->folder, names[i]),
                                   j->mode);
        if (!status)
            status = graft_writer_put(w, names[i], 3);
    }
    if (!status)
        status = graft_writers_commit(&set);
    graft_writers_release(&set);
    return status;
}

static int read_one(void *ctx)
{
    const struct job *j = ctx;
    uint8_t *data = NULL;
    uint64_t n = 0;
    int status = graft_file_read(&data, &n, in(j->folder, "one"), 1 << 20);
    if (!status)
        assert_true(n == 8 && !memcmp(data, "old one", 8));
    graft_free(data);
    return status;
}

static int read_beneath(void *ctx)
{
    const struct job *j = ctx;
    uint8_t *data = NULL;
    uint64_t n = 0;
    int status = graft_file_read_beneath(&data, &n, j->folder, "sub/two",
                                         1 << 20);
    if (!status)
        assert_true(n == 8 && !memcmp(data, "old two", 8));
    graft_free(data);
    return status;
}

static void begin(struct job *j, enum graft_write_mode mode)
{
    keep(j->folder);
    j->mode = mode;
    if (mode == GRAFT_WRITE_NEW)
        return;
    assert_ok(graft_file_write(in(j->folder, "one"), "old one", 8,
                               GRAFT_WRITE_NEW));
    assert_ok(graft_file_write(in(j->folder, "two"), "old two", 8,
                               GRAFT_WRITE_NEW));
}

static void every_point(const char *name, struct job *j,
                        int (*run)(void *ctx))
{
    struct fault_work w = {.name = name, .folder = j->folder, .run = run,
                           .ctx = j};
    fault_every_point(&w);
}

TEST(base_io__a_file_written_at_any_failure)
{
    struct job j;
    begin(&j, GRAFT_WRITE_NEW);
    every_point("a new file", &j, write_one);
    begin(&j, GRAFT_WRITE_REPLACE);
    every_point("a file replaced", &j, write_one);
}

TEST(base_io__files_appear_together_at_any_failure)
{
    struct job j;
    begin(&j, GRAFT_WRITE_NEW);
    every_point("three new files", &j, write_three);
    begin(&j, GRAFT_WRITE_REPLACE);
    every_point("two files replaced and a new one", &j, write_three);
}

TEST(base_io__a_file_read_at_any_failure)
{
    struct job j;
    begin(&j, GRAFT_WRITE_REPLACE);
    every_point("a file read", &j, read_one);
    assert_ok(graft_folder_make(in(j.folder, "sub")));
    assert_ok(graft_file_write(in(j.folder, "sub/two"), "old two", 8,
                               GRAFT_WRITE_NEW));
    every_point("a file read beneath a folder", &j, read_beneath);
}
