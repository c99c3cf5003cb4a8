/* The feature cache and the side index: several processes, killed ones, torn
 * and damaged records, full disks, trimming.
 * SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "photo.h"

enum { FLOATS = 37, HEADER = 512, RECORD = 32 + 4 * FLOATS };

static struct graft_cache_key key_of(uint64_t which)
{
    return (struct graft_cache_key){{which, 99}, "net cut 37", FLOATS};
}

static struct graft_cache *open_cache(struct graft_runtime *rt,
                                      uint64_t which)
{
    struct graft_cache *c = NULL;
    struct graft_cache_key key = key_of(which);
    assert_ok(graft_cache_open(&c, rt, &key));
    return c;
}

static void fill(float *x, uint64_t photo)
{
    for (int i = 0; i < FLOATS; i++)
        x[i] = (float)photo * 100 + (float)i;
}

static struct graft_hash photo(uint64_t n)
{
    return graft_hash(&n, sizeof n);
}

static void put(struct graft_cache *c, uint64_t n)
{
    float x[FLOATS];
    fill(x, n);
    assert_ok(graft_cache_put(c, photo(n), n % 3, x));
}

static bool has(struct graft_cache *c, uint64_t n)
{
    float x[FLOATS], want[FLOATS];
    fill(want, n);
    if (!graft_cache_get(c, photo(n), n % 3, x))
        return false;
    assert_memory_equal(x, want, sizeof x);
    return true;
}

static char *store_path(const char *dir, uint64_t which)
{
    char name[64];
    graft_hash_hex(name, key_of(which).hash);
    strncat(name, ".feat", sizeof name - strlen(name) - 1);
    return graft_path_join(dir, name);
}

static off_t size_of(const char *path)
{
    struct stat st;
    return stat(path, &st) ? -1 : st.st_size;
}

TEST(data_cache__keeps_records)
{
    char *dir = graft_path_join(test_folder(), "new/folder");
    struct graft_runtime *rt = photo_runtime(dir, 1);
    struct graft_cache *c = open_cache(rt, 1);
    float x[FLOATS];
    for (uint64_t n = 0; n < 100; n++)
        put(c, n);
    assert_true(has(c, 5)); /* not yet in the file */
    assert_false(has(c, 100));
    assert_false(graft_cache_get(c, photo(5), 9, x)); /* another view */
    graft_cache_close(c);
    c = open_cache(rt, 1);
    for (uint64_t n = 0; n < 100; n++)
        assert_true(has(c, n));
    put(c, 7); /* known: not appended again */
    graft_cache_close(c);
    char *path = store_path(dir, 1);
    assert_int_equal(size_of(path), HEADER + 100 * RECORD);
    c = open_cache(rt, 2); /* another key is another store */
    assert_false(has(c, 5));
    graft_cache_close(c);
    assert_int_equal(photo_warnings, 0);
    graft_runtime_free(rt);
    graft_free(path);
    graft_free(dir);
}

/* A note that differs (another path of the same model) costs nothing. */
TEST(data_cache__about_is_not_part_of_the_key)
{
    char *dir = graft_strdup(test_folder());
    struct graft_runtime *rt = photo_runtime(dir, 1);
    struct graft_cache_key key = key_of(1);
    struct graft_cache *c = open_cache(rt, 1);
    put(c, 3);
    graft_cache_close(c);
    key.about = "called differently";
    assert_ok(graft_cache_open(&c, rt, &key));
    assert_true(has(c, 3));
    graft_cache_close(c);
    graft_runtime_free(rt);
    graft_free(dir);
}

/* ---- processes --------------------------------------------------------------
 */

/* Puts first .. last - 1, flushing now and then. */
static void put_many(struct graft_runtime *rt, uint64_t first, uint64_t last)
{
    struct graft_cache *c = open_cache(rt, 1);
    for (uint64_t n = first; n < last; n++) {
        put(c, n);
        if (n % 7 == 0)
            graft_cache_flush(c);
    }
    graft_cache_close(c);
}

TEST(data_cache__two_processes_at_once)
{
    enum { N = 600 };
    char *dir = graft_strdup(test_folder()), *path = store_path(dir, 1);
    struct graft_runtime *rt = photo_runtime(dir, 1);
    pid_t child[3];
    for (int i = 0; i < 3; i++) /* overlapping thirds */
        if (!(child[i] = fork())) {
            put_many(rt, (uint64_t)i * N / 4, (uint64_t)(i + 2) * N / 4);
            _exit(0);
        }
    for (int i = 0; i < 3; i++) {
        int status;
        waitpid(child[i], &status, 0);
        assert_int_equal(status, 0);
    }
    struct graft_cache *c = open_cache(rt, 1);
    for (uint64_t n = 0; n < N; n++)
        assert_true(has(c, n));
    /* what one had written, no other wrote again */
    assert_int_equal(size_of(path), HEADER + N * RECORD);
    graft_cache_close(c);
    graft_runtime_free(rt);
    graft_free(path);
    graft_free(dir);
}

TEST(data_cache__killed_writer)
{
    char *dir = graft_strdup(test_folder());
    struct graft_runtime *rt = photo_runtime(dir, 1);
    for (int round = 0; round < 10; round++) {
        pid_t child = fork();
        if (!child) {
            for (uint64_t n = 0;; n += 100)
                put_many(rt, n, n + 100);
        }
        usleep(2000 + 3000 * (useconds_t)round);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        struct graft_cache *c = open_cache(rt, 1);
        uint64_t found = 0;
        while (has(c, found)) /* in order, so no hole is allowed */
            found++;
        put(c, 1000000 + (uint64_t)round);
        graft_cache_close(c);
        c = open_cache(rt, 1);
        assert_true(has(c, 1000000 + (uint64_t)round));
        assert_true(found == 0 || has(c, found - 1));
        graft_cache_close(c);
    }
    assert_int_equal(photo_warnings, 0);
    graft_runtime_free(rt);
    graft_free(dir);
}

/* ---- damage -------------------------------------------------------------- */

TEST(data_cache__torn_tail)
{
    char *dir = graft_strdup(test_folder()), *path = store_path(dir, 1);
    struct graft_runtime *rt = photo_runtime(dir, 1);
    /* cut at every place of header and two records */
    for (off_t cut = 0; cut < HEADER + 2 * RECORD; cut += 13) {
        struct graft_cache *c = open_cache(rt, 1);
        put(c, 0);
        put(c, 1);
        graft_cache_close(c);
        assert_int_equal(truncate(path, cut), 0);
        c = open_cache(rt, 1);
        assert_int_equal(has(c, 0), cut >= HEADER + RECORD);
        assert_false(has(c, 1));
        put(c, 2);
        graft_cache_close(c);
        c = open_cache(rt, 1);
        assert_int_equal(has(c, 0), cut >= HEADER + RECORD);
        assert_true(has(c, 2));
        graft_cache_close(c);
        assert_int_equal((size_of(path) - HEADER) % RECORD, 0);
        unlink(path);
    }
    graft_runtime_free(rt);
    graft_free(path);
    graft_free(dir);
}

static void flip(const char *path, off_t at)
{
    int fd = open(path, O_RDWR);
    uint8_t b;
    assert_int_equal(pread(fd, &b, 1, at), 1);
    b ^= 4;
    assert_int_equal(pwrite(fd, &b, 1, at), 1);
    close(fd);
}

/* A flipped bit anywhere: the record is not there, and can be put again. */
TEST(data_cache__damaged_record)
{
    char *dir = graft_strdup(test_folder()), *path = store_path(dir, 1);
    struct graft_runtime *rt = photo_runtime(dir, 1);
    for (off_t at = 0; at < RECORD; at += 5) {
        struct graft_cache *c = open_cache(rt, 1);
        for (uint64_t n = 0; n < 3; n++)
            put(c, n);
        graft_cache_close(c);
        flip(path, HEADER + RECORD + at);
        c = open_cache(rt, 1);
        assert_true(has(c, 0) && !has(c, 1) && has(c, 2));
        put(c, 1);
        assert_true(has(c, 1));
        graft_cache_close(c);
        c = open_cache(rt, 1);
        assert_true(has(c, 0) && has(c, 1) && has(c, 2));
        graft_cache_close(c);
        unlink(path);
    }
    graft_runtime_free(rt);
    graft_free(path);
    graft_free(dir);
}

/* ---- trouble with the disk --------------------------------------------------
 */

TEST(data_cache__folder_that_cannot_be)
{
    const char *above = test_folder();
    photo_write(above, "file", "x", 1);
    char *dir = graft_path_join(above, "file/cache");
    struct graft_runtime *rt = photo_runtime(dir, 1);
    struct graft_cache *c = open_cache(rt, 1);
    assert_int_equal(photo_warnings, 1);
    put(c, 1);
    assert_false(has(c, 1));
    assert_ok(graft_cache_flush(c));
    assert_ok(graft_cache_trim(c));
    graft_cache_close(c);
    assert_int_equal(photo_warnings, 1);
    graft_runtime_free(rt);
    graft_free(dir);
}

/* Files may not grow beyond 4 KiB: as a full disk. */
static void full_disk(struct graft_runtime *rt)
{
    struct rlimit limit = {4096, 4096};
    struct graft_cache *c = open_cache(rt, 1);
    signal(SIGXFSZ, SIG_IGN);
    if (setrlimit(RLIMIT_FSIZE, &limit))
        _exit(9);
    for (uint64_t n = 0; n < 100; n++) {
        float x[FLOATS];
        fill(x, n);
        if (graft_cache_put(c, photo(n), n % 3, x) || graft_cache_flush(c))
            _exit(8);
    }
    graft_cache_close(c);
    _exit(photo_warnings);
}

TEST(data_cache__full_disk)
{
    char *dir = graft_strdup(test_folder()), *path = store_path(dir, 1);
    struct graft_runtime *rt = photo_runtime(dir, 1);
    int status;
    pid_t child = fork();
    if (!child)
        full_disk(rt);
    waitpid(child, &status, 0);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 1); /* one warning */
    enum { FIT = (4096 - HEADER) / RECORD };
    assert_int_equal(size_of(path), HEADER + FIT * RECORD);
    struct graft_cache *c = open_cache(rt, 1);
    for (uint64_t n = 0; n < FIT; n++)
        assert_true(has(c, n));
    graft_cache_close(c);
    graft_runtime_free(rt);
    graft_free(path);
    graft_free(dir);
}

TEST(data_cache__store_removed_meanwhile)
{
    char *dir = graft_strdup(test_folder()), *path = store_path(dir, 1);
    struct graft_runtime *rt = photo_runtime(dir, 1);
    struct graft_cache *c = open_cache(rt, 1);
    put(c, 1);
    assert_ok(graft_cache_flush(c));
    unlink(path);
    assert_true(has(c, 1)); /* it is still open here */
    put(c, 2);
    assert_ok(graft_cache_flush(c));
    assert_true(has(c, 2));
    assert_false(has(c, 1));
    graft_cache_close(c);
    c = open_cache(rt, 1);
    assert_true(has(c, 2));
    graft_cache_close(c);
    graft_runtime_free(rt);
    graft_free(path);
    graft_free(dir);
}

/* ---- the folder ---------------------------------------------------------- */

struct seen {
    int n;
    uint64_t records, bytes;
    char first[64];
};

static void see(void *ctx, const struct graft_cache_entry *e)
{
    struct seen *s = ctx;
    if (s->n++ == 0)
        snprintf(s->first, sizeof s->first, "%s", e->name);
    s->records += e->records;
    s->bytes += e->bytes;
}

TEST(data_cache__trim_list_clear)
{
    enum { EACH = 20, STORES = 4 };
    char *dir = graft_strdup(test_folder());
    struct graft_runtime *rt = photo_runtime(dir, 1);
    photo_write(dir, "notes.feat", "mine", 4); /* nobody else's business */
    for (uint64_t k = 0; k < STORES; k++) {
        struct graft_cache *c = open_cache(rt, k);
        for (uint64_t n = 0; n < EACH; n++)
            put(c, n);
        graft_cache_close(c);
        char *path = store_path(dir, k);
        struct timespec t[2] = {{.tv_sec = 1000 + (time_t)k},
                                {.tv_sec = 1000 + (time_t)k}};
        utimensat(AT_FDCWD, path, t, 0);
        graft_free(path);
    }
    struct graft_cache *c = open_cache(rt, 0); /* used just now */
    struct seen all = {0};
    assert_ok(graft_cache_each(rt, see, &all));
    assert_int_equal(all.records, STORES * EACH);
    uint64_t store = HEADER + EACH * RECORD;
    rt->cache_max = all.bytes - store; /* one has to go: the oldest, 1 */
    assert_ok(graft_cache_trim(c));
    char *gone = store_path(dir, 1), *stays = store_path(dir, 2);
    assert_int_equal(size_of(gone), -1);
    assert_int_equal(size_of(stays), store);
    rt->cache_max = 1; /* the open one stays */
    assert_ok(graft_cache_trim(c));
    assert_int_equal(size_of(stays), -1);
    assert_true(has(c, 0));
    graft_cache_close(c);
    uint64_t freed = 0;
    assert_ok(graft_cache_remove_all(rt, &freed));
    assert_in_range(freed, store, store + 1000);
    struct seen none = {0};
    assert_ok(graft_cache_each(rt, see, &none));
    assert_int_equal(none.n, 0);
    char *mine = graft_path_join(dir, "notes.feat");
    assert_int_equal(size_of(mine), 4);
    graft_free(mine);
    graft_free(gone);
    graft_free(stays);
    graft_runtime_free(rt);
    graft_free(dir);
}

TEST(data_cache__largest_size)
{
    char *dir = graft_strdup(test_folder()), *path = store_path(dir, 1);
    struct graft_runtime *rt = photo_runtime(dir, 1);
    rt->cache_max = 2000;
    struct graft_cache *c = open_cache(rt, 1);
    for (uint64_t n = 0; n < 50; n++) {
        put(c, n);
        assert_ok(graft_cache_flush(c));
    }
    graft_cache_close(c);
    assert_in_range(size_of(path), 2000 - RECORD, 2000);
    assert_int_equal(photo_warnings, 1);
    graft_runtime_free(rt);
    graft_free(path);
    graft_free(dir);
}

/* ---- the side index ---------------------------------------------------------
 */

TEST(data_cache__side_index)
{
    char *dir = graft_strdup(test_folder()), why[GRAFT_WHY_MAX];
    struct graft_runtime *rt = photo_runtime(dir, 1);
    struct graft_cache *c = open_cache(rt, 1);
    struct graft_hash h;
    photo_write(dir, "a.jpg", "aaaa", 4);
    photo_write(dir, "b.jpg", "bbbb", 4);
    char *a = graft_path_join(dir, "a.jpg"), *b = graft_path_join(dir,
                                                                  "b.jpg");
    assert_false(graft_cache_file_hash(c, a, &h));
    assert_false(graft_cache_file_hash(c, "/nowhere", &h));
    assert_ok(graft_cache_note_file(c, a, photo(1)));
    assert_ok(graft_cache_note_failure(c, b, "it is text"));
    graft_cache_close(c);
    c = open_cache(rt, 2); /* shared by all stores */
    assert_true(graft_cache_file_hash(c, a, &h));
    assert_true(graft_hash_equal(h, photo(1)));
    assert_false(graft_cache_file_failure(c, a, why));
    assert_false(graft_cache_file_hash(c, b, &h));
    assert_true(graft_cache_file_failure(c, b, why));
    assert_string_equal(why, "it is text");
    photo_write(dir, "a.jpg", "aaab", 4); /* rewritten: another inode */
    assert_false(graft_cache_file_hash(c, a, &h));
    /* just changed: its next change might not show */
    assert_int_equal(utimensat(AT_FDCWD, a, NULL, 0), 0);
    assert_ok(graft_cache_note_file(c, a, photo(2)));
    assert_false(graft_cache_file_hash(c, a, &h));
    photo_age(a);
    assert_ok(graft_cache_note_file(c, a, photo(2)));
    assert_true(graft_cache_file_hash(c, a, &h));
    graft_cache_close(c);
    graft_runtime_free(rt);
    graft_free(a);
    graft_free(b);
    graft_free(dir);
}

/* Records behind a damaged one are found again. */
TEST(data_cache__side_index_damaged)
{
    enum { N = 12, UNIT = 64 };
    char *dir = graft_strdup(test_folder());
    char *path = graft_path_join(dir, "files.idx");
    for (off_t at = 0; at < UNIT * N; at += 17) {
        struct graft_runtime *rt = photo_runtime(dir, 1);
        struct graft_files *f;
        int found = 0;
        unlink(path);
        assert_ok(graft_files_open(&f, rt));
        for (uint64_t i = 0; i < N; i++) {
            struct graft_file_id id = {1, i, 2, 3};
            assert_ok(graft_files_note(f, &id, photo(i),
                                       i % 3 ? NULL : "of no use"));
        }
        graft_files_close(f);
        flip(path, UNIT + at);
        assert_ok(graft_files_open(&f, rt));
        for (uint64_t i = 0; i < N; i++) {
            struct graft_file_id id = {1, i, 2, 3};
            struct graft_hash h;
            enum graft_known k = graft_files_look(f, &id, &h, NULL);
            assert_true(k == GRAFT_UNKNOWN || (k == GRAFT_NO_PHOTO) ==
                                                  (i % 3 == 0));
            if (k == GRAFT_IS_PHOTO)
                assert_true(graft_hash_equal(h, photo(i)));
            found += k != GRAFT_UNKNOWN;
        }
        assert_true(found >= N - 1);
        graft_files_close(f);
        graft_runtime_free(rt);
    }
    graft_free(path);
    graft_free(dir);
}

/* `graft cache list` tells how many files the index knows. */
TEST(data_cache__side_index_is_counted)
{
    char *dir = graft_strdup(test_folder());
    struct graft_runtime *rt = photo_runtime(dir, 1);
    struct graft_files *f;
    assert_ok(graft_files_open(&f, rt));
    for (uint64_t i = 0; i < 9; i++) {
        struct graft_file_id id = {1, i % 7, 2, (int64_t)i};
        assert_ok(graft_files_note(f, &id, photo(i),
                                   i % 3 ? NULL : "of no use"));
    }
    graft_files_close(f);
    struct seen all = {0};
    assert_ok(graft_cache_each(rt, see, &all));
    assert_int_equal(all.n, 1);
    assert_int_equal(all.records, 7);
    graft_runtime_free(rt);
    graft_free(dir);
}

/* ---- other people's files ------------------------------------------------ */

static void check_text(const char *path, const char *text)
{
    char have[64] = "";
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0);
    assert_int_equal(read(fd, have, sizeof have - 1), strlen(text));
    assert_string_equal(have, text);
    close(fd);
}

/* A file that has a name of ours but was not written by us is neither
 * written nor removed; all goes on without it. */
TEST(data_cache__file_of_somebody_else)
{
    const char *text = "my own list of files\n";
    char *dir = graft_strdup(test_folder()), *path = store_path(dir, 1);
    char *index = graft_path_join(dir, "files.idx");
    struct graft_runtime *rt = photo_runtime(dir, 1);
    photo_write(dir, "files.idx", text, strlen(text));
    photo_write(dir, graft_path_base(path), text, strlen(text));
    struct graft_cache *c = open_cache(rt, 1);
    put(c, 1);
    assert_ok(graft_cache_note_file(c, path, photo(1)));
    graft_cache_close(c);
    assert_int_equal(photo_warnings, 1); /* the index warns elsewhere */
    rt->cache_max = 1;
    c = open_cache(rt, 2);
    put(c, 2);
    assert_ok(graft_cache_trim(c));
    graft_cache_close(c);
    struct seen all = {0};
    assert_ok(graft_cache_each(rt, see, &all));
    assert_in_range(all.n, 0, 1);
    assert_ok(graft_cache_remove_all(rt, NULL));
    check_text(index, text);
    check_text(path, text);
    graft_runtime_free(rt);
    graft_free(index);
    graft_free(path);
    graft_free(dir);
}

/* It came while we had ours open: found out before it is emptied. */
TEST(data_cache__file_replaced_by_somebody_else)
{
    char *dir = graft_strdup(test_folder()), *path = store_path(dir, 1);
    struct graft_runtime *rt = photo_runtime(dir, 1);
    struct graft_cache *c = open_cache(rt, 1);
    put(c, 1);
    unlink(path);
    photo_write(dir, graft_path_base(path), "hello", 5);
    graft_cache_close(c);
    check_text(path, "hello");
    assert_int_equal(photo_warnings, 1);
    graft_runtime_free(rt);
    graft_free(path);
    graft_free(dir);
}

TEST(data_cache__any_allocation_may_fail)
{
    char *dir = graft_strdup(test_folder());
    struct graft_runtime *rt = photo_runtime(dir, 1);
    struct graft_cache_key key = key_of(1);
    float x[FLOATS];
    fill(x, 1);
    uint64_t live = graft_alloc_stats().live_bytes;
    int status = GRAFT_EMEM;
    for (uint64_t nth = 1; status == GRAFT_EMEM; nth++) {
        struct graft_cache *c = NULL;
        graft_alloc_fail_at(nth, 0);
        status = graft_cache_open(&c, rt, &key);
        if (!status)
            status = graft_cache_put(c, photo(nth), 0, x);
        if (!status)
            status = graft_cache_flush(c);
        graft_alloc_fail_at(0, 0);
        graft_cache_close(c);
        assert_int_equal(graft_alloc_stats().live_bytes, live);
    }
    assert_int_equal(status, GRAFT_OK);
    graft_runtime_free(rt);
    graft_free(dir);
}
