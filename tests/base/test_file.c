/* Files are read whole or refused, and written whole or not at all.
 * SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "test.h"

static char *path_in(const char *folder, const char *name)
{
    char *p = graft_path_join(folder, name);
    assert_non_null(p);
    return p;
}

static int entries(const char *folder)
{
    int n = 0;
    DIR *d = opendir(folder);
    assert_non_null(d);
    while (readdir(d))
        n++;
    closedir(d);
    return n - 2; /* . and .. */
}

TEST(base_file__round_trip)
{
    const char *folder = test_folder();
    char *p = path_in(folder, "a.bin");
    static uint8_t big[200001];
    for (size_t i = 0; i < sizeof big; i++)
        big[i] = (uint8_t)(i * 7);
    assert_ok(graft_file_write(p, big, sizeof big, GRAFT_WRITE_NEW));
    uint8_t *back = NULL;
    uint64_t n = 0;
    assert_ok(graft_file_read(&back, &n, p, sizeof big));
    assert_int_equal(n, sizeof big);
    assert_memory_equal(back, big, sizeof big);
    graft_free(back);
    assert_fails(graft_file_read(&back, &n, p, 10), GRAFT_ELIMIT, "200001");
    assert_int_equal(entries(folder), 1);
    graft_free(p);
}

TEST(base_file__new_never_replaces)
{
    const char *folder = test_folder();
    char *p = path_in(folder, "a");
    assert_ok(graft_file_write(p, "one", 3, GRAFT_WRITE_NEW));
    assert_fails(graft_file_write(p, "two", 3, GRAFT_WRITE_NEW),
                 GRAFT_EEXIST, "exists");
    assert_ok(graft_file_write(p, "three", 5, GRAFT_WRITE_REPLACE));
    /* A file that appears while we write stays too. */
    char *q = path_in(folder, "b");
    struct graft_writer *w = NULL;
    assert_ok(graft_writer_new(&w, q, GRAFT_WRITE_NEW));
    assert_ok(graft_writer_put(w, "mine", 4));
    assert_ok(graft_file_write(q, "theirs", 6, GRAFT_WRITE_NEW));
    assert_fails(graft_writer_commit(w), GRAFT_EEXIST, "exists");
    graft_writer_free(w);
    uint8_t *back = NULL;
    uint64_t n = 0;
    assert_ok(graft_file_read(&back, &n, q, 100));
    assert_int_equal(n, 6);
    graft_free(back);
    assert_int_equal(entries(folder), 2);
    graft_free(p);
    graft_free(q);
}

TEST(base_file__abandoned_write_leaves_nothing)
{
    const char *folder = test_folder();
    char *p = path_in(folder, "a");
    struct graft_writer *w = NULL;
    assert_ok(graft_writer_new(&w, p, GRAFT_WRITE_NEW));
    assert_ok(graft_writer_put(w, "x", 1));
    graft_writer_free(w);
    assert_int_equal(entries(folder), 0);
    graft_free(p);
}

TEST(base_file__refuses_what_is_not_a_file)
{
    const char *folder = test_folder();
    uint8_t *back = NULL;
    uint64_t n;
    assert_fails(graft_file_read(&back, &n, folder, 1 << 20), GRAFT_EARG,
                 "is a folder");
    char *fifo = path_in(folder, "fifo");
    assert_int_equal(mkfifo(fifo, 0600), 0);
    assert_fails(graft_file_read(&back, &n, fifo, 1 << 20), GRAFT_EARG,
                 "not a regular file");
    assert_fails(graft_file_read(&back, &n, "/nowhere/x", 1 << 20),
                 GRAFT_ENOTFOUND, "/nowhere/x");
    assert_fails(graft_file_write(folder, "x", 1, GRAFT_WRITE_REPLACE),
                 GRAFT_EARG, "is a folder");
    assert_fails(graft_file_write("/nowhere/x", "x", 1, GRAFT_WRITE_NEW),
                 GRAFT_EIO, "/nowhere/x");
    assert_fails(graft_folder_make(""), GRAFT_EARG, "without a name");
    assert_null(back);
    graft_free(fifo);
}

TEST(base_file__beneath_stays_beneath)
{
    const char *folder = test_folder();
    char *sub = path_in(folder, "sub/deep");
    assert_ok(graft_folder_make(sub));
    char *inside = path_in(sub, "w.data"), *outside = path_in(folder, "up");
    assert_ok(graft_file_write(inside, "weights", 7, GRAFT_WRITE_NEW));
    assert_ok(graft_file_write(outside, "secret", 6, GRAFT_WRITE_NEW));
    char *base = path_in(folder, "sub");
    char *link_file = path_in(base, "link"), *link_dir = path_in(base, "dir");
    char *hard = path_in(base, "hard"), *fifo = path_in(base, "fifo");
    assert_int_equal(symlink("deep/w.data", link_file), 0);
    assert_int_equal(symlink("deep", link_dir), 0);
    assert_int_equal(link(outside, hard), 0);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    uint8_t *back = NULL;
    uint64_t n;
    assert_ok(graft_file_read_beneath(&back, &n, base, "deep/w.data", 100));
    assert_int_equal(n, 7);
    graft_free(back);
    back = NULL;
    static const char *const bad[] = {
        "", "/etc/passwd", "../up", "deep/../../up", "deep/",
        "deep\\w.data", "link", "dir/w.data", "hard", "fifo", "deep", "..",
        ".", "absent", "deep/absent",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (graft_file_read_beneath(&back, &n, base, bad[i], 100) == 0)
            fail_msg("'%s' was read", bad[i]);
        assert_null(back);
    }
    char *all[] = {sub, inside, outside, base, link_file, link_dir, hard,
                   fifo};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        graft_free(all[i]);
}
