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
        &p, graft_kernels_for(rt->isa), true, GRAFT_ROW};
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
        &p, graft_kernels_for(rt->isa), true, GRAFT_ROW};
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
