/* Checkpoint files: round trip, damage, folders, faults.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/io.h"
#include "support/faults.h"
#include "test.h"
#include "train/checkpoint.h"


static const uint8_t numbers[] = {1, 2, 3, 4, 5, 6, 7};

static struct graft_section list[] = {
    {"numbers", numbers, sizeof numbers}, {"empty", "", 0},
    {"options", "a 1\nb 2\n", 8}};
enum { LIST = 3 };

static char *path_in(const char *folder)
{
    static char path[4400];
    snprintf(path, sizeof path, "%s/state.ckpt", folder);
    return path;
}

TEST(train_checkpoint__round_trip)
{
    char *path = path_in(test_folder_in_memory());
    struct graft_checkpoint *c = NULL;
    assert_ok(graft_checkpoint_write(path, list, LIST));
    assert_ok(graft_checkpoint_write(path, list, LIST)); /* replaces */
    assert_ok(graft_checkpoint_read(&c, path, 1 << 20));
    assert_int_equal(c->n, LIST);
    uint8_t back[sizeof numbers];
    assert_ok(graft_checkpoint_copy(c, "numbers", back, sizeof back));
    assert_memory_equal(back, numbers, sizeof back);
    assert_int_equal(graft_checkpoint_find(c, "empty")->bytes, 0);
    assert_null(graft_checkpoint_find(c, "other"));
    assert_fails(graft_checkpoint_copy(c, "other", back, 7), GRAFT_EMISMATCH,
                 "'other'");
    assert_fails(graft_checkpoint_copy(c, "numbers", back, 6),
                 GRAFT_EMISMATCH, "7 bytes");
    graft_checkpoint_free(c);
    assert_fails(graft_checkpoint_read(&c, path, 100), GRAFT_ELIMIT, path);
}

/* Each byte changed, each length cut off: refused, never believed. */
TEST(train_checkpoint__any_damage_is_seen)
{
    char *path = path_in(test_folder_in_memory());
    uint8_t *file = NULL;
    uint64_t n = 0;
    assert_ok(graft_checkpoint_write(path, list, LIST));
    assert_ok(graft_file_read(&file, &n, path, 1 << 20));
    for (uint64_t i = 0; i < 2 * n + 1; i++) {
        struct graft_checkpoint *c = NULL;
        uint64_t size = i < n ? n : i < 2 * n ? i - n : n + 1;
        uint8_t *copy = graft_calloc(1, (size_t)n + 1);
        assert_non_null(copy);
        memcpy(copy, file, (size_t)n);
        if (i < n)
            copy[i] ^= 0x10;
        assert_ok(graft_file_write(path, copy, size, GRAFT_WRITE_REPLACE));
        assert_fails(graft_checkpoint_read(&c, path, 1 << 20), GRAFT_EFORMAT,
                     path);
        graft_free(copy);
    }
    graft_free(file);
}

TEST(train_checkpoint__another_version_is_named)
{
    char *path = path_in(test_folder_in_memory());
    uint8_t *file = NULL;
    uint64_t n = 0;
    struct graft_checkpoint *c = NULL;
    assert_ok(graft_checkpoint_write(path, list, LIST));
    assert_ok(graft_file_read(&file, &n, path, 1 << 20));
    file[8] = 9;
    assert_ok(graft_file_write(path, file, n, GRAFT_WRITE_REPLACE));
    assert_fails(graft_checkpoint_read(&c, path, 1 << 20), GRAFT_EFORMAT,
                 "version 9");
    graft_free(file);
}

/* ---- folders ------------------------------------------------------------- */

static bool exists(const char *folder, const char *name)
{
    char path[4300];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return graft_file_exists(path);
}

TEST(train_checkpoint__the_last_three_and_the_best_stay)
{
    char folder[4200];
    snprintf(folder, sizeof folder, "%s/state", test_folder_in_memory());
    struct graft_checkpoint *c = NULL;
    assert_fails(graft_checkpoint_newest(&c, folder, 1 << 20),
                 GRAFT_ENOTFOUND, folder);
    for (int step = 8; step <= 12; step++) {
        assert_ok(graft_checkpoint_keep(folder, step, step == 9, list,
                                        LIST));
        assert_ok(graft_file_write(path_in(folder), "x", 1,
                                   GRAFT_WRITE_REPLACE)); /* is left alone */
    }
    assert_false(exists(folder, "step-000000000009.ckpt"));
    assert_true(exists(folder, "step-000000000010.ckpt"));
    assert_true(exists(folder, "step-000000000012.ckpt"));
    assert_true(exists(folder, "best.ckpt"));
    assert_true(exists(folder, "state.ckpt"));
    /* what a killed run left half written goes, other temporaries stay */
    char left[4300];
    snprintf(left, sizeof left, "%s/.step-000000000013.ckpt.77.3.tmp",
             folder);
    assert_ok(graft_file_write(left, "x", 1, GRAFT_WRITE_REPLACE));
    snprintf(left, sizeof left, "%s/.mine.77.3.tmp", folder);
    assert_ok(graft_file_write(left, "x", 1, GRAFT_WRITE_REPLACE));
    assert_ok(graft_checkpoint_keep(folder, 14, false, list, LIST));
    assert_false(exists(folder, ".step-000000000013.ckpt.77.3.tmp"));
    assert_true(exists(folder, ".mine.77.3.tmp"));
}

TEST(train_checkpoint__a_damaged_newest_one_is_passed_over)
{
    char folder[4200], path[4300];
    snprintf(folder, sizeof folder, "%s/state", test_folder_in_memory());
    struct graft_checkpoint *c = NULL;
    assert_ok(graft_checkpoint_keep(folder, 1, false, list, 1));
    assert_ok(graft_checkpoint_keep(folder, 2, false, list, LIST));
    snprintf(path, sizeof path, "%s/step-000000000002.ckpt", folder);
    assert_ok(graft_file_write(path, "GRAFT", 5, GRAFT_WRITE_REPLACE));
    assert_ok(graft_checkpoint_newest(&c, folder, 1 << 20));
    assert_int_equal(c->n, 1);
    graft_checkpoint_free(c);
    snprintf(path, sizeof path, "%s/step-000000000001.ckpt", folder);
    assert_ok(graft_file_write(path, "GRAFT", 5, GRAFT_WRITE_REPLACE));
    assert_fails(graft_checkpoint_newest(&c, folder, 1 << 20), GRAFT_EFORMAT,
                 "step-000000000002");
}

/* ---- faults -------------------------------------------------------------- */

static int write_again(void *ctx)
{
    return graft_checkpoint_write(ctx, list, LIST);
}

static int read_again(void *ctx)
{
    struct graft_checkpoint *c = NULL;
    int status = graft_checkpoint_read(&c, ctx, 1 << 20);
    graft_checkpoint_free(c);
    return status;
}

TEST(train_checkpoint__the_old_one_survives_every_fault)
{
    const char *folder = test_folder_in_memory();
    char *path = path_in(folder);
    assert_ok(graft_checkpoint_write(path, list, 1));
    struct fault_work w = {.name = "checkpoint", .folder = folder,
                           .run = write_again, .ctx = path};
    fault_every_point(&w);
    w.run = read_again;
    fault_every_point(&w);
}

/* Whatever fails, the folder always has a checkpoint to go on from. */
static int keep_more(void *ctx)
{
    struct graft_checkpoint *c = NULL;
    int status = GRAFT_OK;
    for (int step = 5; !status && step < 8; step++)
        status = graft_checkpoint_keep(ctx, step, step == 6, list, LIST);
    if (!status)
        status = graft_checkpoint_newest(&c, ctx, 1 << 20);
    graft_checkpoint_free(c);
    return status;
}

TEST(train_checkpoint__a_folder_survives_every_fault)
{
    const char *folder = test_folder_in_memory();
    char in[4200];
    snprintf(in, sizeof in, "%s/state", folder);
    assert_ok(graft_checkpoint_keep(in, 4, false, list, LIST));
    struct fault_work w = {.name = "checkpoints", .folder = folder,
                           .run = keep_more, .ctx = in,
                           .loose = "state"};
    fault_every_point(&w);
}
