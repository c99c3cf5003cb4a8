/* Data sets: forms, classes, splits, hostile trees, sentences.
 * SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include <unistd.h>

#include "photo.h"

static char *fresh(void)
{
    return graft_strdup(test_folder());
}

/* folder/CLASS/NN.png, n of them, from seed `first` on. */
static void fill(const char *folder, const char *class, int first, int n)
{
    for (int i = 0; i < n; i++) {
        char name[256];
        snprintf(name, sizeof name, "%s/%03d.png", class, first + i);
        photo_make(folder, name, first + i);
    }
}

static struct graft_dataset *open_ok(struct graft_runtime *rt,
                                     const char *folder, uint64_t seed)
{
    struct graft_dataset *d = NULL;
    assert_ok(graft_dataset_open(&d, rt, folder, seed));
    return d;
}

static void check_refused(const char *folder, int code, const char *says)
{
    struct graft_dataset *d = NULL;
    struct graft_runtime *rt = photo_runtime(test_folder(), 2);
    assert_fails(graft_dataset_open(&d, rt, folder, 1), code, says);
    assert_null(d);
    graft_runtime_free(rt);
}

TEST(data_dataset__train_val_test)
{
    char *dir = fresh();
    struct graft_runtime *rt = photo_runtime(test_folder(), 2);
    fill(dir, "train/b", 0, 3);
    fill(dir, "train/B", 10, 2);
    fill(dir, "train/a/deep/er", 20, 1);
    fill(dir, "val/a", 30, 2);
    fill(dir, "test/b", 40, 1);
    fill(dir, "notes/x", 50, 1); /* not a part: not used */
    struct graft_dataset *d = open_ok(rt, dir, 0);
    assert_int_equal(d->n_classes, 3);
    assert_string_equal(d->label[0], "B"); /* bytes, not letters */
    assert_string_equal(d->label[1], "a");
    assert_string_equal(d->label[2], "b");
    assert_false(d->split);
    assert_int_equal(graft_dataset_count(d, GRAFT_TRAIN), 6);
    assert_int_equal(graft_dataset_count(d, GRAFT_VAL), 2);
    assert_int_equal(graft_dataset_count(d, GRAFT_TEST), 1);
    assert_string_equal(d->photo.at[0].file, "train/B/010.png");
    assert_string_equal(d->photo.at[2].file, "train/a/deep/er/020.png");
    assert_int_equal(d->photo.at[2].label, 1);
    assert_string_equal(d->photo.at[8].file, "test/b/040.png");
    assert_int_equal(d->skipped.n, 1);
    assert_string_equal(d->skipped.at[0].file, "notes");
    assert_string_equal(d->skipped.at[0].why,
                        "a folder beside train/: not used");
    assert_int_equal(photo_warnings, 1); /* B and b have no photo in val */
    graft_dataset_free(d);
    graft_runtime_free(rt);
    graft_free(dir);
}

/* train without val is split; a class may be called test or train. */
TEST(data_dataset__forms)
{
    char *dir = fresh();
    struct graft_runtime *rt = photo_runtime(test_folder(), 2);
    fill(dir, "train/a", 0, 20);
    fill(dir, "train/b", 50, 20);
    struct graft_dataset *d = open_ok(rt, dir, 0);
    assert_true(d->split);
    assert_int_equal(d->n_classes, 2);
    graft_dataset_free(d);
    graft_free(dir);
    dir = fresh();
    fill(dir, "train", 0, 10);
    fill(dir, "boat", 50, 10);
    fill(dir, "test", 80, 10);
    d = open_ok(rt, dir, 0);
    assert_int_equal(d->n_classes, 3);
    assert_string_equal(d->label[1], "test");
    graft_dataset_free(d);
    graft_runtime_free(rt);
    graft_free(dir);
}

/* ---- split --------------------------------------------------------------- */

static enum graft_part part_of(const struct graft_dataset *d,
                               const char *file)
{
    for (int i = 0; i < d->photo.n; i++)
        if (!strcmp(d->photo.at[i].file, file))
            return d->photo.at[i].part;
    fail_msg("%s is not there", file);
    return GRAFT_TEST;
}

TEST(data_dataset__adding_photos_moves_none)
{
    enum { N = 120 };
    char *dir = fresh();
    struct graft_runtime *rt = photo_runtime(test_folder(), 2);
    fill(dir, "cat", 0, N);
    fill(dir, "tiger", 500, N);
    struct graft_dataset *a = open_ok(rt, dir, 7);
    int val = graft_dataset_count(a, GRAFT_VAL);
    assert_in_range(val, 2 * N / 5 - 20, 2 * N / 5 + 20);
    fill(dir, "cat", 1000, 30);
    fill(dir, "lion", 2000, 10);
    struct graft_dataset *b = open_ok(rt, dir, 7);
    for (int i = 0; i < a->photo.n; i++)
        assert_int_equal(part_of(b, a->photo.at[i].file),
                         a->photo.at[i].part);
    struct graft_dataset *c = open_ok(rt, dir, 8); /* another seed */
    int moved = 0;
    for (int i = 0; i < a->photo.n; i++)
        moved += part_of(c, a->photo.at[i].file) != a->photo.at[i].part;
    assert_in_range(moved, 30, 150);
    graft_dataset_free(a);
    graft_dataset_free(b);
    graft_dataset_free(c);
    graft_runtime_free(rt);
    graft_free(dir);
}

/* Whatever the seed, each class keeps something to train on, and copies of
 * one photo stay together. */
TEST(data_dataset__small_classes_and_copies)
{
    char *dir = fresh();
    struct graft_runtime *rt = photo_runtime(test_folder(), 1);
    fill(dir, "one", 0, 1);
    fill(dir, "two", 10, 2);
    photo_make(dir, "two/copy.png", 10);
    for (uint64_t seed = 0; seed < 40; seed++) {
        struct graft_dataset_options o = {.seed = seed, .any_use = true};
        struct graft_dataset *d = NULL;
        assert_ok(graft_dataset_open_with(&d, rt, dir, &o));
        assert_int_equal(part_of(d, "one/000.png"), GRAFT_TRAIN);
        assert_int_equal(part_of(d, "two/010.png"),
                         part_of(d, "two/copy.png"));
        graft_dataset_free(d);
    }
    graft_runtime_free(rt);
    graft_free(dir);
}

/* One photo of a class is never judged by, so two classes of one are too
 * few. */
TEST(data_dataset__too_few_to_judge_by)
{
    char *dir = fresh();
    fill(dir, "a", 0, 1);
    fill(dir, "b", 1, 1);
    check_refused(dir, GRAFT_EDATA, "too few photos: none of 2 fell to the "
                                    "part to judge by; add photos or make "
                                    "val/");
    graft_free(dir);
}

static char last_warning[256];
static void keep_warning(void *ctx, enum graft_log_level level,
                         const char *text)
{
    (void)ctx;
    photo_warnings += level == GRAFT_LOG_WARNING;
    snprintf(last_warning, sizeof last_warning, "%s", text);
}

/* However many classes have no photo in val, it is one line. */
TEST(data_dataset__unjudged_classes_in_one_line)
{
    enum { CLASSES = 1001 };
    char *dir = fresh();
    struct graft_runtime *rt = photo_runtime(test_folder(), 1);
    struct graft_dataset_options o = {.any_use = false};
    struct graft_dataset *d = NULL;
    rt->log = keep_warning;
    fill(dir, "val/a", 0, 1);
    fill(dir, "train/a", 10, 1);
    fill(dir, "train/b", 20, 1);
    assert_ok(graft_dataset_open_with(&d, rt, dir, &o));
    assert_string_equal(last_warning,
                        "1 of 2 classes has no photo to judge by (b)");
    graft_dataset_free(d);
    for (int i = 0; i < CLASSES - 2; i++) {
        char class[32];
        snprintf(class, sizeof class, "train/c%04d", i);
        fill(dir, class, 30, 1);
    }
    photo_warnings = 0;
    d = NULL;
    assert_ok(graft_dataset_open_with(&d, rt, dir, &o));
    assert_int_equal(photo_warnings, 1);
    assert_string_equal(last_warning, "1,000 of 1,001 classes have no photo "
                                      "to judge by (b, c0000, c0001, ...)");
    graft_dataset_free(d);
    graft_runtime_free(rt);
    graft_free(dir);
}

/* ---- warm runs --------------------------------------------------------------
 */

/* Replaces what is in the file, keeping all that stat() says. */
static void replace_content(const char *folder, const char *name)
{
    struct stat st;
    char *path = graft_path_join(folder, name);
    assert_int_equal(stat(path, &st), 0);
    int fd = open(path, O_WRONLY);
    assert_true(fd >= 0);
    for (off_t i = 0; i < st.st_size; i++)
        assert_int_equal(pwrite(fd, "x", 1, i), 1);
    struct timespec t[2] = {st.st_atim, st.st_mtim};
    assert_int_equal(futimens(fd, t), 0);
    close(fd);
    graft_free(path);
}

/* What the index knows is not opened: nobody sees that it is text now. */
TEST(data_dataset__warm_run_opens_no_file)
{
    char *dir = fresh();
    struct graft_runtime *rt = photo_runtime(test_folder(), 2);
    fill(dir, "a", 0, 10);
    fill(dir, "b", 20, 10);
    photo_write(dir, "b/words.jpg", "not a photo", 11);
    struct graft_dataset *cold = open_ok(rt, dir, 1);
    assert_int_equal(cold->photo.n, 20);
    assert_int_equal(cold->skipped.n, 1);
    for (int i = 0; i < 20; i++)
        replace_content(dir, cold->photo.at[i].file);
    replace_content(dir, "b/words.jpg");
    struct graft_dataset *warm = open_ok(rt, dir, 1);
    assert_int_equal(warm->photo.n, 20);
    assert_int_equal(warm->skipped.n, 1);
    assert_string_equal(warm->skipped.at[0].why, "it is text, not a photo");
    for (int i = 0; i < 20; i++)
        assert_int_equal(warm->photo.at[i].part, cold->photo.at[i].part);
    struct graft_dataset_options o = {.seed = 1, .no_index = true};
    struct graft_dataset *d = NULL;
    assert_fails(graft_dataset_open_with(&d, rt, dir, &o), GRAFT_EDATA,
                 "no photo among 21 files");
    graft_dataset_free(cold);
    graft_dataset_free(warm);
    graft_runtime_free(rt);
    graft_free(dir);
}

TEST(data_dataset__index_of_somebody_else)
{
    char *dir = fresh(), *cache = fresh(), have[8] = "";
    struct graft_runtime *rt = photo_runtime(cache, 2);
    fill(dir, "a", 0, 10);
    fill(dir, "b", 20, 10);
    photo_write(cache, "files.idx", "mine", 4);
    struct graft_dataset *d = open_ok(rt, dir, 1);
    assert_int_equal(d->photo.n, 20);
    assert_int_equal(photo_warnings, 1);
    char *path = graft_path_join(cache, "files.idx");
    int fd = open(path, O_RDONLY);
    assert_int_equal(read(fd, have, sizeof have), 4);
    assert_string_equal(have, "mine");
    close(fd);
    graft_dataset_free(d);
    graft_runtime_free(rt);
    graft_free(path);
    graft_free(cache);
    graft_free(dir);
}

/* ---- hostile trees ------------------------------------------------------- */

static const struct graft_skip *skipped(const struct graft_dataset *d,
                                        const char *file)
{
    for (int i = 0; i < d->skipped.n; i++)
        if (!strcmp(d->skipped.at[i].file, file))
            return &d->skipped.at[i];
    fail_msg("%s was not skipped", file);
    return NULL;
}

static void link_to(const char *dir, const char *name, const char *to)
{
    char *path = graft_path_join(dir, name);
    assert_int_equal(symlink(to, path), 0);
    graft_free(path);
}

TEST(data_dataset__hostile_tree)
{
    char *dir = fresh(), *pipe = graft_path_join(dir, "a/pipe.jpg");
    struct graft_runtime *rt = photo_runtime(test_folder(), 2);
    fill(dir, "a", 0, 3);
    fill(dir, "b", 10, 3);
    assert_int_equal(mkfifo(pipe, 0666), 0);
    link_to(dir, "a/loop", "..");
    link_to(dir, "a/self", "self");
    link_to(dir, "a/gone.jpg", "nowhere.jpg");
    link_to(dir, "b/linked.png", "../a/000.png");
    link_to(dir, "c", "b"); /* a class by link */
    photo_make(dir, "a/new\nline.png", 30);
    photo_make(dir, "a/\xff\xfe.png", 31);
    photo_make(dir, "a/.hidden.png", 32);
    photo_make(dir, "loose.png", 33);
    photo_write(dir, "a/x.gif", "GIF89a\1\0\1\0", 10);
    photo_write(dir, "a/empty.jpg", "", 0);
    photo_write(dir, "readme.txt", "hello", 5);
    struct graft_dataset_options o = {.any_use = true}; /* so few photos */
    struct graft_dataset *d = NULL;
    assert_ok(graft_dataset_open_with(&d, rt, dir, &o));
    assert_int_equal(d->n_classes, 3);
    assert_int_equal(d->photo.n, 5 + 4 + 4);
    part_of(d, "a/new\nline.png");
    part_of(d, "a/\xff\xfe.png");
    part_of(d, "c/linked.png");
    assert_non_null(strstr(skipped(d, "a/pipe.jpg")->why, "pipe"));
    assert_non_null(strstr(skipped(d, "a/self")->why, "cannot be opened"));
    assert_non_null(strstr(skipped(d, "a/gone.jpg")->why, "No such file"));
    assert_non_null(strstr(skipped(d, "a/x.gif")->why, "GIF"));
    assert_non_null(strstr(skipped(d, "a/empty.jpg")->why, "empty"));
    assert_non_null(strstr(skipped(d, "loose.png")->why, "no class"));
    assert_non_null(strstr(skipped(d, "a/loop")->why, "around it"));
    graft_dataset_free(d);
    graft_runtime_free(rt);
    graft_free(pipe);
    graft_free(dir);
}

/* A link may lead to photos kept elsewhere, never to what it is part of. */
TEST(data_dataset__link_to_a_folder_around_it)
{
    const char *around = "a link to a folder around it";
    char *dir = fresh(), *set = graft_path_join(dir, "in/set");
    struct graft_runtime *rt = photo_runtime(test_folder(), 1);
    fill(dir, "beside", 50, 2);
    fill(dir, "kept/far/away", 60, 3);
    fill(set, "cat", 0, 6);
    fill(set, "tiger", 20, 6);
    link_to(set, "cat/up", "../..");
    link_to(set, "cat/top", "/");
    link_to(set, "tiger/set", "../../set");
    link_to(set, "tiger/far", "../../../kept/far");
    link_to(dir, "kept/far/away/back", "../..");
    link_to(dir, "kept/far/away/in", "../../../in");
    struct graft_dataset *d = open_ok(rt, set, 0);
    assert_int_equal(d->photo.n, 6 + 6 + 3);
    assert_int_equal(d->skipped.n, 5);
    assert_string_equal(skipped(d, "cat/up")->why, around);
    assert_string_equal(skipped(d, "cat/top")->why, around);
    assert_string_equal(skipped(d, "tiger/set")->why, around);
    assert_string_equal(skipped(d, "tiger/far/away/back")->why, around);
    assert_string_equal(skipped(d, "tiger/far/away/in")->why, around);
    graft_dataset_free(d);
    char *cat = graft_path_join(set, "cat");
    const char *paths[] = {cat};
    d = NULL;
    assert_ok(graft_dataset_of_paths(&d, rt, paths, 1));
    assert_int_equal(d->photo.n, 6);
    assert_int_equal(d->skipped.n, 2);
    assert_string_equal(d->skipped.at[0].why, around);
    graft_dataset_free(d);
    link_to(set, "out", ".."); /* would be a class */
    check_refused(set, GRAFT_EDATA, "class 'out' has no photos; 'out' is "
                                    "none: a link to a folder around it");
    graft_runtime_free(rt);
    graft_free(cat);
    graft_free(set);
    graft_free(dir);
}

/* ---- sentences ----------------------------------------------------------- */

TEST(data_dataset__refuses_with_a_sentence)
{
    char *dir = fresh();
    check_refused("/nowhere/at/all", GRAFT_ENOTFOUND, "cannot be opened");
    check_refused(dir, GRAFT_EDATA, "no photos and no folders");
    photo_write(dir, "net.onnx", "\x08\x07", 2);
    char *model = graft_path_join(dir, "net.onnx");
    check_refused(model, GRAFT_EDATA, "MODEL and PHOTOS swapped");
    graft_free(model);
    photo_make(dir, "p.jpg", 1);
    char *photo = graft_path_join(dir, "p.jpg");
    check_refused(photo, GRAFT_EDATA, "is a file; expected is a folder");
    graft_free(photo);
    check_refused(dir, GRAFT_EDATA, "1 photo but no class folders");
    fill(dir, "cat", 0, 3);
    check_refused(dir, GRAFT_EDATA, "one class only, 'cat'");
    photo_write(dir, "dog/x.txt", "woof", 4);
    check_refused(dir, GRAFT_EDATA, "class 'dog' has no photos; 'dog/x.txt' "
                                    "is none: it is text");
    graft_free(dir);
    dir = fresh();
    photo_write(dir, "cat/a.txt", "a", 1);
    check_refused(dir, GRAFT_EDATA, "no photo among 1 file; the first, "
                                    "'cat/a.txt': it is text");
    graft_free(dir);
    dir = fresh();
    fill(dir, "train/a", 0, 2);
    fill(dir, "train/b", 5, 2);
    fill(dir, "val/c", 9, 1);
    check_refused(dir, GRAFT_EDATA, "class 'c' has photos to check with");
    graft_free(dir);
    dir = fresh();
    fill(dir, "val/a", 0, 2);
    fill(dir, "val/b", 5, 2);
    check_refused(dir, GRAFT_EDATA, "nothing to train on");
    struct graft_runtime *rt = photo_runtime(test_folder(), 1);
    struct graft_dataset_options o = {.any_use = true};
    struct graft_dataset *d;
    assert_ok(graft_dataset_open_with(&d, rt, dir, &o));
    assert_int_equal(graft_dataset_count(d, GRAFT_VAL), 4);
    graft_dataset_free(d);
    graft_runtime_free(rt);
    graft_free(dir);
}

TEST(data_dataset__of_paths)
{
    char *dir = fresh();
    struct graft_runtime *rt = photo_runtime(test_folder(), 2);
    fill(dir, "sub/z", 0, 2);
    photo_make(dir, "sub/a.png", 5);
    photo_make(dir, "first.png", 6);
    photo_write(dir, "sub/t.txt", "text", 4);
    char *one = graft_path_join(dir, "first.png");
    char *two = graft_path_join(dir, "sub");
    const char *paths[] = {two, one, "/nowhere.jpg"};
    struct graft_dataset *d = NULL;
    assert_fails(graft_dataset_of_paths(&d, rt, paths, 3), GRAFT_ENOTFOUND,
                 "/nowhere.jpg");
    assert_null(d);
    assert_ok(graft_dataset_of_paths(&d, rt, paths, 2));
    assert_int_equal(d->photo.n, 4);
    assert_int_equal(d->skipped.n, 1);
    assert_non_null(strstr(d->photo.at[0].file, "sub/a.png"));
    assert_non_null(strstr(d->photo.at[2].file, "sub/z/001.png"));
    assert_string_equal(d->photo.at[3].file, one);
    assert_int_equal(d->photo.at[3].label, -1);
    char *again = graft_path_join(d->root, d->photo.at[3].file);
    assert_string_equal(again, one);
    graft_free(again);
    graft_dataset_free(d);
    graft_runtime_free(rt);
    graft_free(one);
    graft_free(two);
    graft_free(dir);
}

TEST(data_dataset__of_paths_with_nothing_in_them)
{
    char *dir = fresh(), *other = fresh();
    struct graft_runtime *rt = photo_runtime(test_folder(), 1);
    const char *paths[] = {dir, other};
    struct graft_dataset *d = NULL;
    char says[256];
    snprintf(says, sizeof says, "no photos in '%s'", dir);
    assert_fails(graft_dataset_of_paths(&d, rt, paths, 1), GRAFT_EDATA, says);
    assert_fails(graft_dataset_of_paths(&d, rt, paths, 2), GRAFT_EDATA,
                 "and 1 more");
    assert_null(d);
    photo_write(other, "t.txt", "text", 4);
    assert_ok(graft_dataset_of_paths(&d, rt, paths, 2));
    assert_int_equal(d->skipped.n, 1);
    graft_dataset_free(d);
    graft_runtime_free(rt);
    graft_free(other);
    graft_free(dir);
}

TEST(data_dataset__any_allocation_may_fail)
{
    char *dir = fresh(), *cache = graft_path_join(dir, "cache");
    struct graft_runtime *rt = photo_runtime(cache, 1);
    char *photos = graft_path_join(dir, "photos");
    fill(photos, "a", 0, 2);
    fill(photos, "b", 5, 2);
    photo_write(photos, "b/t.txt", "text", 4);
    uint64_t live = graft_alloc_stats().live_bytes;
    int status = GRAFT_EMEM;
    for (uint64_t nth = 1; status == GRAFT_EMEM; nth++) {
        struct graft_dataset *d = NULL;
        graft_alloc_fail_at(nth, 0);
        status = graft_dataset_open(&d, rt, photos, 0);
        graft_alloc_fail_at(0, 0);
        graft_dataset_free(d);
        assert_int_equal(graft_alloc_stats().live_bytes, live);
    }
    assert_int_equal(status, GRAFT_OK);
    graft_runtime_free(rt);
    graft_free(photos);
    graft_free(cache);
    graft_free(dir);
}
