/* Loading: the same bytes for any number of threads, reasons for what cannot
 * be read.
 * SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "kernels/kernels.h"
#include "photo.h"

enum { SIDE = 12, FLOATS = 3 * SIDE * SIDE, PHOTOS = 9, VIEWS = 3,
       ITEMS = PHOTOS * VIEWS };

static char names[PHOTOS][16];

static const char *photos(void)
{
    const char *folder = test_folder();
    for (int i = 0; i < PHOTOS; i++) {
        snprintf(names[i], sizeof names[i], "%d.jpg", i);
        photo_make(folder, names[i], i);
    }
    return folder;
}

static void load(struct graft_load_item *items, float *dst, int n,
                 const char *folder, int threads)
{
    struct graft_preprocess p;
    struct graft_runtime *rt = photo_runtime(folder, threads);
    assert_ok(graft_preprocess_preset(&p, "imagenet", SIDE, SIDE));
    struct graft_load_options o = {
        &p, graft_kernels_for(rt->isa), true, GRAFT_ROW, NULL};
    assert_ok(graft_load(rt, items, n, dst, FLOATS, &o));
    graft_runtime_free(rt);
}

TEST(data_load__threads_do_not_matter)
{
    static float first[ITEMS * FLOATS], again[ITEMS * FLOATS];
    struct graft_load_item items[ITEMS];
    const char *folder = photos();
    for (int threads = 1; threads <= 7; threads += threads < 3 ? 1 : 4) {
        memset(items, 0, sizeof items);
        for (int i = 0; i < ITEMS; i++) {
            items[i].root = folder;
            items[i].file = names[i / VIEWS];
            items[i].view = i % VIEWS;
            items[i].seed = 3;
        }
        load(items, threads == 1 ? first : again, ITEMS, folder, threads);
        for (int i = 0; i < ITEMS; i++) {
            assert_false(items[i].failed);
            assert_true(graft_hash_equal(items[i].hash,
                                         items[i / VIEWS * VIEWS].hash));
            assert_int_equal(items[i].id.size > 0, 1);
        }
        if (threads > 1)
            assert_memory_equal(first, again, sizeof first);
    }
    /* views differ from the plain one and from each other */
    assert_memory_not_equal(first, first + FLOATS, FLOATS * sizeof *first);
    assert_memory_not_equal(first + FLOATS, first + 2 * FLOATS,
                            FLOATS * sizeof *first);
}

/* A photo alone or among others, its views side by side or apart. */
TEST(data_load__company_does_not_matter)
{
    static float together[3 * FLOATS], alone[FLOATS];
    const char *folder = photos();
    struct graft_load_item items[3] = {
        {.root = folder, .file = names[0], .view = 1, .seed = 1},
        {.root = folder, .file = names[1], .view = 0},
        {.root = folder, .file = names[0], .view = 2, .seed = 1}};
    struct graft_load_item one = items[2];
    load(items, together, 3, folder, 2);
    load(&one, alone, 1, folder, 1);
    assert_memory_equal(alone, together + 2 * FLOATS, sizeof alone);
}

TEST(data_load__reasons)
{
    static float x[4 * FLOATS];
    const char *folder = photos();
    photo_write(folder, "empty.jpg", "", 0);
    photo_write(folder, "text.jpg", "not at all", 10);
    struct graft_load_item items[4] = {
        {.root = folder, .file = "empty.jpg"},
        {.root = folder, .file = "text.jpg"},
        {.root = folder, .file = "missing.jpg"},
        {.root = folder, .file = names[0]}};
    load(items, x, 4, folder, 2);
    assert_true(items[0].failed && items[0].by_content);
    assert_string_equal(items[0].why, "it is empty (0 bytes)");
    assert_true(items[1].failed && items[1].by_content);
    assert_string_equal(items[1].why, "it is text, not a photo");
    assert_true(items[2].failed && !items[2].by_content);
    assert_string_equal(items[2].why, "it cannot be opened: No such file or "
                                      "directory");
    assert_false(items[3].failed);
}

TEST(data_load__a_pipe_does_not_block)
{
    static float x[FLOATS];
    const char *folder = photos();
    char *pipe = graft_path_join(folder, "pipe.jpg");
    assert_int_equal(mkfifo(pipe, 0666), 0);
    struct graft_load_item item = {.root = folder, .file = "pipe.jpg"};
    load(&item, x, 1, folder, 1);
    assert_true(item.failed && !item.by_content);
    assert_string_equal(item.why, "it is not a regular file");
    graft_free(pipe);
}

TEST(data_load__cancel_and_memory)
{
    static float x[FLOATS];
    const char *folder = photos();
    struct graft_preprocess p;
    struct graft_load_item item = {.root = folder, .file = names[0]};
    struct graft_runtime *rt = photo_runtime(folder, 1);
    assert_ok(graft_preprocess_preset(&p, "imagenet", SIDE, SIDE));
    struct graft_load_options o = {
        &p, graft_kernels_for(rt->isa), true, GRAFT_ROW, NULL};
    graft_runtime_cancel(rt);
    assert_fails(graft_load(rt, &item, 1, x, FLOATS, &o), GRAFT_ECANCELED,
                 "cancel");
    graft_runtime_reset(rt);
    uint64_t live = graft_alloc_stats().live_bytes;
    int status = GRAFT_EMEM;
    for (uint64_t nth = 1; status == GRAFT_EMEM; nth++) {
        graft_alloc_fail_at(nth, 0);
        status = graft_load(rt, &item, 1, x, FLOATS, &o);
        graft_alloc_fail_at(0, 0);
        assert_int_equal(graft_alloc_stats().live_bytes, live);
    }
    assert_int_equal(status, GRAFT_OK);
    assert_false(item.failed);
    graft_runtime_free(rt);
}

/* ---- augmentation -------------------------------------------------------- */

static void load_as(struct graft_load_item *items, float *dst, int n,
                    const char *folder, int threads,
                    const struct graft_augment *a)
{
    struct graft_preprocess p;
    struct graft_runtime *rt = photo_runtime(folder, threads);
    assert_ok(graft_preprocess_preset(&p, "imagenet", SIDE, SIDE));
    struct graft_load_options o = {.preprocess = &p, .augment = a,
                                   .kernels = graft_kernels_for(rt->isa)};
    assert_ok(graft_load(rt, items, n, dst, FLOATS, &o));
    for (int i = 0; i < n; i++)
        assert_false(items[i].failed);
    graft_runtime_free(rt);
}

static void fill(struct graft_load_item *items, const char *folder,
                 uint64_t seed, int first_view)
{
    memset(items, 0, ITEMS * sizeof *items);
    for (int i = 0; i < ITEMS; i++) {
        items[i].root = folder;
        items[i].file = names[i / VIEWS];
        items[i].view = first_view + i % VIEWS;
        items[i].seed = seed;
    }
}

/* Fresh views: those of an epoch are the same whenever they are loaded and on
 * however many threads, and other epochs and seeds have others. */
TEST(data_load__fresh_views)
{
    static float first[ITEMS * FLOATS], again[ITEMS * FLOATS];
    struct graft_load_item items[ITEMS];
    struct graft_augment a;
    const char *folder = photos();
    assert_ok(graft_augment_named(&a, "strong"));
    for (int threads = 1; threads <= 3; threads++) {
        fill(items, folder, 3, 100);
        load_as(items, threads == 1 ? first : again, ITEMS, folder, threads,
                &a);
        if (threads > 1)
            assert_memory_equal(first, again, sizeof first);
    }
    fill(items, folder, 3, 103);
    load_as(items, again, ITEMS, folder, 1, &a);
    for (int i = 0; i < ITEMS; i++)
        assert_memory_not_equal(first + i * FLOATS, again + i * FLOATS,
                                FLOATS * sizeof *first);
    fill(items, folder, 4, 100);
    load_as(items, again, ITEMS, folder, 1, &a);
    for (int i = 0; i < ITEMS; i++)
        assert_memory_not_equal(first + i * FLOATS, again + i * FLOATS,
                                FLOATS * sizeof *first);
}

/* The recipe that changes nothing, and view 0 of any. */
TEST(data_load__augmented_plainly)
{
    static float plain[ITEMS * FLOATS], x[ITEMS * FLOATS];
    struct graft_load_item items[ITEMS];
    struct graft_augment none, strong;
    const char *folder = photos();
    assert_ok(graft_augment_named(&none, "none"));
    assert_ok(graft_augment_named(&strong, "strong"));
    fill(items, folder, 3, 0);
    for (int i = 0; i < ITEMS; i++)
        items[i].view = 0;
    load_as(items, plain, ITEMS, folder, 1, NULL);
    load_as(items, x, ITEMS, folder, 1, &strong);
    assert_memory_equal(plain, x, sizeof x);
    fill(items, folder, 3, 1);
    load_as(items, x, ITEMS, folder, 1, &none);
    assert_memory_equal(plain, x, sizeof x);
}

static void large_photo(const char *folder)
{
    struct graft_str s;
    uint8_t *rgb = photo_smooth(640, 400, 1);
    graft_str_init(&s);
    stbi_write_jpg_to_func(photo_add, &s, 640, 400, 3, rgb, 90);
    photo_write(folder, "large.jpg", s.at, s.n);
    graft_str_release(&s);
    graft_free(rgb);
}

/* A JPEG that may be decoded smaller: a view's size is its own affair, not
 * that of the views beside it, and a close crop gets its pixels. */
TEST(data_load__decoded_as_a_view_needs)
{
    enum { N = 12 };
    static float together[N * FLOATS], alone[FLOATS];
    struct graft_load_item items[N], one;
    struct graft_augment a;
    const char *folder = test_folder();
    bool seen[641] = {false};
    int sizes = 0;
    large_photo(folder);
    assert_ok(graft_augment_named(&a, "standard"));
    a.scale[0] = 0.001;
    a.scale[1] = 0.1;
    for (int i = 0; i < N; i++)
        items[i] = (struct graft_load_item){
            .root = folder, .file = "large.jpg", .view = i, .seed = 1};
    load_as(items, together, N, folder, 1, &a);
    for (int i = 0; i < N; i++) {
        one = (struct graft_load_item){
            .root = folder, .file = "large.jpg", .view = i, .seed = 1};
        load_as(&one, alone, 1, folder, 1, &a);
        assert_memory_equal(alone, together + i * FLOATS, sizeof alone);
        assert_int_equal(one.width, items[i].width);
        sizes += !seen[one.width];
        seen[one.width] = true;
    }
    if (!strncmp(graft_image_numerics(), "turbojpeg", 9))
        assert_true(sizes > 2 && seen[80]);
}
