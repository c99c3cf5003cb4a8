/* Files that a model names: beneath its folder only, and not by detours; with
 * links beneath a root that the user vouches for.
 * SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/file.h"
#include "base/runtime.h"
#include "craft.h"

static const float weights[4] = {1, 2, 3, 4};
static char base[200], in[220]; /* the model's folder is base/in */

static const char *path_of(const char *name)
{
    static char path[2][600];
    static int turn;
    turn = !turn;
    snprintf(path[turn], sizeof path[turn], "%s/%s", base, name);
    return path[turn];
}

static void put(const char *name)
{
    assert_ok(graft_file_write(path_of(name), weights, sizeof weights,
                               GRAFT_WRITE_NEW));
}

static void link_to(const char *name, const char *target)
{
    assert_int_equal(symlink(target, path_of(name)), 0);
}

static void make_socket(const char *name)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    snprintf(a.sun_path, sizeof a.sun_path, "%.100s", path_of(name));
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    close(fd);
}

static void make_place(void)
{
    snprintf(base, sizeof base, "%s", test_folder());
    snprintf(in, sizeof in, "%s/in", base);
    assert_ok(graft_folder_make(path_of("in/sub")));
    put("outside");
    put("in/w");
    put("in/sub/w");
    put("in/twin");
    assert_int_equal(link(path_of("in/twin"), path_of("in/hard")), 0);
    assert_int_equal(link(path_of("outside"), path_of("in/theirs")), 0);
    link_to("in/link", "../outside");
    link_to("in/near", "w");
    link_to("in/up", "..");
    link_to("in/sub/up", "../..");
    link_to("in/here", ".");
    link_to("in/loop", "loop");
    link_to("in/dangling", "nowhere");
    link_to("in/zero", "/dev/zero");
    link_to("in/sub/top", "/");
    assert_int_equal(mkfifo(path_of("in/fifo"), 0666), 0);
    make_socket("in/socket");
}

/* The model whose weights are there, opened beneath `folder`. */
static int open_at(const char *location, const char *folder,
                   struct graft_runtime *rt)
{
    struct graft_model *m = NULL;
    struct graft_str t = craft_outside("w", location, NULL, NULL);
    struct graft_str f = craft_around(&t);
    int status = graft_onnx_parse(&m, rt, f.at, f.n, "crafted", folder);
    if (!status)
        assert_memory_equal(m->tensor.at[0].data, weights, 8);
    graft_graph_free(m);
    graft_str_release(&f);
    return status;
}

#define LINK "is a symbolic link; copy the real file there"
#define HARD "2 hard links"
#define OUT "leads out of its folder"
#define FOLDER "a folder"
static const struct { const char *location, *part; } refused[] = {
    {"../outside", OUT},
    {"sub/../../outside", OUT},
    {"sub/../w", OUT},
    {"./../outside", OUT},
    {"..", OUT},
    {"w/..", OUT},
    {"/etc/passwd", "is an absolute path"},
    {"//w", "is an absolute path"},
    {"/proc/self/fd/0", "is an absolute path"},
    {"..\\outside", "backslash"},
    {"sub\\w", "backslash"},
    {"", "no 'location'"},
    {".", FOLDER},
    {"./", FOLDER},
    {"w/", FOLDER},
    {"w/.", FOLDER},
    {"sub", "'sub' is a folder, not a regular file"},
    {"sub/", FOLDER},
    {"w/x", "'w' is a file, not a folder"},
    {"link", "'link' " LINK},
    {"near", "'near' " LINK},
    {"up/outside", "'up' " LINK},
    {"here/w", "'here' " LINK},
    {"sub/top/etc/passwd", "'top' " LINK},
    {"loop", "'loop' " LINK},
    {"dangling", "'dangling' " LINK},
    {"zero", "'zero' " LINK},
    {"hard", HARD},
    {"theirs", HARD},
    {"fifo", "'fifo' is a FIFO, not a regular file"},
    {"socket", "'socket' is a socket, not a regular file"},
    {"missing", "'missing' is not in folder"},
    {"sub/missing", "copy it there"},
    {"nowhere/missing", "'nowhere/missing' is not in folder"},
    {"file:///etc/passwd", "is not in folder"},
    {"~/w", "is not in folder"},
    {"%2e%2e/outside", "is not in folder"},
    {"#../outside", "is not in folder"},
    {"w#/../../outside", OUT},
    {"sub/up/outside", "'up' " LINK},
};

TEST(onnx_confine__places_outside)
{
    make_place();
    assert_ok(open_at("w", in, NULL));
    assert_ok(open_at("sub/w", in, NULL));
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        if (open_at(refused[i].location, in, NULL) == 0)
            fail_msg("'%s' was opened", refused[i].location);
        const char *said = graft_error_message();
        if (!strstr(said, refused[i].part) || !strstr(said, "tensor 'w'") ||
            !strstr(said, "'crafted'"))
            fail_msg("'%s': %s", refused[i].location, said);
    }
    char name[400];
    print_message("%zu places refused\n", sizeof refused / sizeof *refused);
    memset(name, 'a', sizeof name);
    name[300] = '\0';
    assert_fails(open_at(name, in, NULL), GRAFT_EIO, "aaa");
}

/* A zero byte in the name; and a model that lies at the root of everything. */
TEST(onnx_confine__names_cut_short_and_proc)
{
    make_place();
    struct graft_model *m = NULL;
    struct graft_str t = craft_outside("w", "w0/../../outside", NULL, NULL);
    struct graft_str f = craft_around(&t);
    for (size_t i = 0; i + 3 < f.n; i++)
        if (!memcmp(f.at + i, "w0/.", 4))
            f.at[i + 1] = '\0';
    assert_fails(graft_onnx_parse(&m, NULL, f.at, f.n, "crafted", in),
                 GRAFT_EFORMAT, "zero byte");
    graft_str_release(&f);
    assert_fails(open_at("proc/self/environ", "/", NULL), GRAFT_EARG,
                 "'self' " LINK);
    assert_true(open_at("proc/1/environ", "/", NULL) < 0);
    assert_fails(open_at("dev/zero", "/", NULL), GRAFT_EARG,
                 "'zero' is a device");
}

/* A model named without a folder lies in one all the same. */
TEST(onnx_confine__current_folder)
{
    make_place();
    static const char *const locations[] = {"w", "../outside", "link",
                                            "up/outside", "sub/top/dev/zero"};
    int here = open(".", O_RDONLY | O_DIRECTORY);
    assert_true(here >= 0);
    for (size_t i = 0; i < sizeof locations / sizeof *locations; i++) {
        struct graft_model *m = NULL;
        struct graft_str t = craft_outside("w", locations[i], NULL, NULL);
        struct graft_str f = craft_around(&t);
        assert_ok(graft_file_write(path_of("in/a.onnx"), f.at, f.n,
                                   GRAFT_WRITE_REPLACE));
        assert_int_equal(chdir(in), 0);
        int status = graft_onnx_open(&m, NULL, "a.onnx");
        assert_int_equal(fchdir(here), 0);
        assert_int_equal(status, i ? GRAFT_EARG : GRAFT_OK);
        graft_graph_free(m);
        graft_str_release(&f);
    }
    close(here);
}

/* Data files keep the names that the model gives them, so these must not lead
 * out of the folder that is written to either. */
TEST(onnx_confine__written_through_no_link)
{
    make_place();
    struct graft_model *m = NULL;
    struct graft_str t = craft_outside("w", "sub/w", NULL, NULL);
    struct graft_str f = craft_around(&t);
    assert_ok(graft_onnx_parse(&m, NULL, f.at, f.n, "crafted", in));
    graft_str_release(&f);
    assert_ok(graft_folder_make(path_of("to")));
    assert_ok(graft_folder_make(path_of("theirs")));
    link_to("to/sub", "../theirs");
    assert_fails(graft_onnx_save(m, path_of("to/a.onnx"), NULL), GRAFT_EARG,
                 "sub' is a symbolic link");
    assert_false(graft_file_exists(path_of("theirs/w")));
    assert_false(graft_file_exists(path_of("to/a.onnx")));
    assert_int_equal(unlink(path_of("to/sub")), 0);
    assert_ok(graft_folder_make(path_of("to/sub")));
    link_to("to/sub/w", "../../theirs/w");
    assert_fails(graft_onnx_save(m, path_of("to/a.onnx"), NULL), GRAFT_EARG,
                 "sub/w' exists");
    assert_false(graft_file_exists(path_of("theirs/w")));
    assert_int_equal(unlink(path_of("to/sub/w")), 0);
    assert_ok(graft_onnx_save(m, path_of("to/a.onnx"), NULL));
    graft_graph_free(m);
}

/* A cache of the kind that links names to contents. */
static struct graft_runtime *make_cache(const char *root)
{
    struct graft_runtime *rt = NULL;
    struct graft_runtime_options o = GRAFT_RUNTIME_OPTIONS;
    o.threads = 1;
    o.links_root = root;
    assert_ok(graft_runtime_new(&rt, &o));
    return rt;
}

static void make_hub(void)
{
    make_place();
    assert_ok(graft_folder_make(path_of("hub/m/blobs")));
    assert_ok(graft_folder_make(path_of("hub/m/snapshots/1/onnx")));
    put("hub/m/blobs/abc");
    link_to("hub/m/snapshots/1/w", "../../blobs/abc");
    link_to("hub/m/snapshots/1/onnx/w", "../../../blobs/abc");
    link_to("hub/m/snapshots/1/absolute", path_of("hub/m/blobs/abc"));
    link_to("hub/m/snapshots/1/twice", "w");
    link_to("hub/m/snapshots/1/escape", "../../../../outside");
    link_to("hub/m/snapshots/1/folder", "../../blobs");
    link_to("hub/m/snapshots/1/device", "/dev/zero");
    link_to("hub/m/snapshots/1/gone", "../../blobs/none");
    link_to("hub/m/snapshots/1/loop", "loop");
    link_to("hub/m/snapshots/1/prefix", "../../../../hub2/x");
    assert_ok(graft_folder_make(path_of("hub2")));
    put("hub2/x");
    assert_int_equal(mkfifo(path_of("hub/m/snapshots/1/fifo"), 0666), 0);
    assert_int_equal(link(path_of("hub/m/blobs/abc"),
                          path_of("hub/m/snapshots/1/hard")), 0);
}

TEST(onnx_confine__links_beneath_a_root)
{
    make_hub();
    const char *ok[] = {"w", "onnx/w", "absolute", "twice", "folder/abc",
                        "hard"};
    const struct { const char *location, *part; } bad[] = {
        {"escape", "not beneath '"}, {"device", "not beneath '"},
        {"prefix", "not beneath '"}, {"gone", "is not in folder"},
        {"folder", "is a folder"}, {"fifo", "is a FIFO"},
        {"../1/w", OUT}, {"/etc/passwd", "absolute"}, {"loop", "loop"}};
    const char *roots[] = {"hub", "hub/", "hub/m", "in/../hub"};
    char folder[300], root[300];
    snprintf(folder, sizeof folder, "%s", path_of("hub/m/snapshots/1"));
    assert_true(open_at("w", folder, NULL) < 0);
    for (size_t r = 0; r < sizeof roots / sizeof *roots; r++) {
        snprintf(root, sizeof root, "%s", path_of(roots[r]));
        struct graft_runtime *rt = make_cache(root);
        for (size_t i = 0; i < sizeof ok / sizeof *ok; i++)
            assert_ok(open_at(ok[i], folder, rt));
        for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
            if (open_at(bad[i].location, folder, rt) == 0 ||
                !strstr(graft_error_message(), bad[i].part))
                fail_msg("'%s': %s", bad[i].location, graft_error_message());
        assert_fails(open_at("w", in, rt), GRAFT_EARG, "not beneath");
        graft_runtime_free(rt);
    }
    struct graft_runtime *rt = make_cache("/");
    assert_ok(open_at("escape", folder, rt));
    assert_fails(open_at("device", folder, rt), GRAFT_EARG, "is a device");
    graft_runtime_free(rt);
    rt = make_cache(path_of("nowhere"));
    assert_fails(open_at("w", folder, rt), GRAFT_EARG, "nowhere");
    graft_runtime_free(rt);
}
