/* Rows of several values: each photo's and view's are what the program gives,
 * the values one after the other, also when they come from the cache.
 * SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#include "base/file.h"
#include "base/runtime.h"
#include "support/net.h"
#include "train/features.h"

enum { PHOTOS = 5, VIEWS = 2, ROWS = PHOTOS * VIEWS };

/* A BMP of 20x16 in which `seed` tells photos apart. */
static void make_photo(const char *folder, int seed)
{
    enum { W = 20, H = 16, SIZE = 54 + 3 * W * H };
    uint8_t file[SIZE] = {'B', 'M'};
    static const struct {
        int at, value;
    } head[] = {{2, SIZE}, {10, 54}, {14, 40}, {18, W}, {22, H}, {26, 1},
                {28, 24}};
    for (size_t i = 0; i < sizeof head / sizeof *head; i++)
        for (int k = 0; k < (head[i].at < 26 ? 4 : 2); k++)
            file[head[i].at + k] = (uint8_t)(head[i].value >> 8 * k);
    for (int i = 54; i < SIZE; i++)
        file[i] = (uint8_t)(i * (seed + 3) + i / 60 * 7);
    char path[4300];
    snprintf(path, sizeof path, "%s/%d.bmp", folder, seed);
    assert_ok(graft_file_write(path, file, SIZE, GRAFT_WRITE_NEW));
    /* what was just written may change unseen: not known by its time */
    const struct timespec old[2] = {{.tv_sec = 1000000000 + seed},
                                    {.tv_sec = 1000000000 + seed}};
    assert_int_equal(utimensat(AT_FDCWD, path, old, 0), 0);
}

static struct graft_runtime *runtime_in(const char *folder)
{
    struct graft_runtime_options o = GRAFT_RUNTIME_OPTIONS;
    struct graft_runtime *rt = NULL;
    char cache[4300];
    snprintf(cache, sizeof cache, "%s/cache", folder);
    o.threads = 2;
    o.cache_dir = cache;
    assert_ok(graft_runtime_new(&rt, &o));
    return rt;
}

static void extract_from(struct graft_extract *x, struct graft_runtime *rt,
                         const struct net *n, const graft_value_id *value,
                         int count)
{
    *x = (struct graft_extract){.rt = rt, .model = n->m, .batch = 4,
                                .phase = "features"};
    x->value = value[0];
    if (count > 1) {
        x->values = value;
        x->n_values = count;
    }
    assert_ok(graft_preprocess_preset(&x->preprocess, "imagenet", 12, 12));
}

static void rows(struct graft_extract *x, int64_t floats, const char *folder,
                 float *to)
{
    static char name[ROWS][16];
    struct graft_load_item item[ROWS];
    memset(item, 0, sizeof item);
    for (int i = 0; i < ROWS; i++) {
        snprintf(name[i], sizeof name[i], "%d.bmp", i / VIEWS);
        item[i].root = folder;
        item[i].file = name[i];
        item[i].view = i % VIEWS;
        item[i].seed = 3;
    }
    x->floats = floats;
    assert_ok(graft_extract_rows(x, item, ROWS, to));
    for (int i = 0; i < ROWS; i++)
        assert_false(item[i].failed);
}

TEST(train_features__several_values_in_a_row)
{
    enum { A = 24, B = 16 * 12 * 12, BOTH = A + B };
    static float a[ROWS * A], b[ROWS * B], both[ROWS * BOTH];
    static float again[ROWS * BOTH];
    const char *folder = test_folder();
    for (int i = 0; i < PHOTOS; i++)
        make_photo(folder, i);
    struct net *n = net_residual();
    struct graft_runtime *rt = runtime_in(folder);
    const graft_value_id value[2] = {graft_value_find(n->m, "flat"),
                                     graft_value_find(n->m, "join1")};
    struct graft_extract x;
    struct graft_hash one, two, other;
    extract_from(&x, rt, n, value, 1);
    rows(&x, A, folder, a);
    assert_ok(graft_features_key(&one, &x));
    graft_extract_release(&x);
    extract_from(&x, rt, n, value + 1, 1);
    rows(&x, B, folder, b);
    graft_extract_release(&x);
    extract_from(&x, rt, n, value, 2);
    x.floats = BOTH;
    assert_ok(graft_features_key(&two, &x));
    struct graft_cache_key key = {two, "two values", BOTH};
    assert_ok(graft_cache_open(&x.cache, rt, &key));
    rows(&x, BOTH, folder, both);
    assert_int_equal(x.decoded, ROWS);
    for (int i = 0; i < ROWS; i++) {
        assert_memory_equal(both + i * BOTH, a + i * A, A * sizeof *a);
        assert_memory_equal(both + i * BOTH + A, b + i * B, B * sizeof *b);
    }
    rows(&x, BOTH, folder, again); /* without opening a photo */
    assert_int_equal(x.decoded, ROWS);
    assert_memory_equal(both, again, sizeof both);
    assert_false(graft_hash_equal(one, two));
    const graft_value_id turned[2] = {value[1], value[0]};
    x.values = turned;
    assert_ok(graft_features_key(&other, &x));
    assert_false(graft_hash_equal(two, other));
    graft_cache_close(x.cache);
    graft_extract_release(&x);
    graft_runtime_free(rt);
    net_free(n);
}
