/* What a writer refuses to replace, and how it says so.
 * SPDX-License-Identifier: Apache-2.0 */
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "test.h"

TEST(base_writer__never_replaces_a_device_or_a_pipe)
{
    const char *folder = test_folder();
    char *pipe_path = graft_path_join(folder, "pipe");
    assert_non_null(pipe_path);
    assert_int_equal(mkfifo(pipe_path, 0600), 0);
    assert_fails(graft_file_write(pipe_path, "x", 1, GRAFT_WRITE_REPLACE),
                 GRAFT_EARG, "is a device, pipe or socket");
    struct stat st;
    assert_int_equal(lstat(pipe_path, &st), 0);
    assert_true(S_ISFIFO(st.st_mode));
    graft_free(pipe_path);
}

TEST(base_writer__replaces_a_link_and_leaves_its_target)
{
    const char *folder = test_folder();
    char *target = graft_path_join(folder, "target");
    char *name = graft_path_join(folder, "name");
    assert_non_null(target);
    assert_non_null(name);
    assert_ok(graft_file_write(target, "old", 3, GRAFT_WRITE_NEW));
    assert_int_equal(symlink("target", name), 0);
    assert_ok(graft_file_write(name, "newer", 5, GRAFT_WRITE_REPLACE));
    uint8_t *data = NULL;
    uint64_t n = 0;
    assert_ok(graft_file_read(&data, &n, target, 100));
    assert_int_equal(n, 3);
    graft_free(data);
    graft_free(target);
    graft_free(name);
}

TEST(base_writer__says_that_the_folder_is_missing)
{
    const char *folder = test_folder();
    char *path = graft_path_join(folder, "absent/x");
    assert_non_null(path);
    assert_fails(graft_file_write(path, "x", 1, GRAFT_WRITE_NEW), GRAFT_EIO,
                 "its folder does not exist");
    graft_free(path);
}
