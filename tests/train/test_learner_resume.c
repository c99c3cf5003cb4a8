/* A learner that is stopped or killed goes on as if it had not been.
 * SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/school.h"

/* Stopped after any step, in the middle of epochs too, and gone on with in
 * another process with other threads: as if it had never stopped. */
TEST(train_learner_resume__resuming_is_never_stopping)
{
    char path[4200];
    snprintf(path, sizeof path, "%s/s.ckpt", test_folder_in_memory());
    for (int k = 0; k < 3; k++) {
        struct school a, b, c;
        school_optimize(&a, 1, &school_optimizers[k]);
        school_learn_to(&a, 15);
        for (int stop = 0; stop <= 15; stop += 1 + stop % 3) {
            struct graft_checkpoint *file = NULL;
            school_optimize(&b, 2, &school_optimizers[k]);
            school_learn_to(&b, stop);
            graft_learner_judge(b.l, 0.25);
            assert_ok(graft_learner_save(b.l, path));
            school_close(&b);
            school_optimize(&c, 3, &school_optimizers[k]);
            assert_ok(graft_checkpoint_read(
                &file, path, graft_learner_state_max(c.l)));
            assert_ok(graft_learner_restore(c.l, file));
            graft_checkpoint_free(file);
            assert_int_equal(c.l->best_step, stop);
            assert_true(c.l->best == 0.25);
            school_learn_to(&c, 15);
            school_same_state(&a, &c);
            for (int i = stop; i < 15; i++)
                assert_true(a.loss[i] == c.loss[i]);
            school_close(&c);
        }
        school_close(&a);
    }
}

TEST(train_learner_resume__other_options_are_named)
{
    char path[4200];
    snprintf(path, sizeof path, "%s/s.ckpt", test_folder_in_memory());
    struct school a, b;
    struct graft_checkpoint *file = NULL;
    school_optimize(&a, 1, &school_optimizers[0]);
    school_learn_to(&a, 4);
    assert_ok(graft_learner_save(a.l, path));
    assert_ok(graft_checkpoint_read(&file, path, 1 << 24));
    for (int k = 0; k < 5; k++) {
        school_open(&b, 1, k == 3 ? 8 : 4);
        struct graft_learner_options o = school_recipe(&b);
        o.optimizer = school_optimizers[0];
        o.ema_decay = 0.9;
        o.clip_norm = 0.5;
        o.seed += k == 0;
        o.optimizer.momentum = k == 1 ? 0.8 : 0.9;
        o.recipe = k == 2 ? "label_smoothing 0.1" : NULL;
        o.epochs = k == 4 ? 50 : 5;
        school_attend(&b, &o);
        real before = b.s->master[0];
        static const char *const part[] = {
            "'seed 9', now it is 'seed 10'", "now it is 'momentum 0.8",
            "label_smoothing", "'shard 4', now it is 'shard 8'", NULL};
        if (part[k]) {
            assert_fails(graft_learner_restore(b.l, file), GRAFT_EMISMATCH,
                         part[k]);
            assert_true(b.s->master[0] == before);
            assert_int_equal(b.l->step, 0);
        } else {
            assert_ok(graft_learner_restore(b.l, file));
            assert_int_equal(b.l->step, 4);
        }
        school_close(&b);
    }
    graft_checkpoint_free(file);
    school_close(&a);
}

/* ---- killed -------------------------------------------------------------- */

enum { LONG = 30000, KILLS = 200 };

/* Goes on from the folder's newest checkpoint, and after each step keeps one
 * and then says so. */
static void work_until_killed(const char *folder, _Atomic int64_t *said)
{
    struct school s;
    struct graft_checkpoint *c = NULL;
    school_open(&s, 1, 4);
    struct graft_learner_options o = school_recipe(&s);
    o.epochs = LONG / 3;
    o.schedule.total_steps = LONG;
    school_attend(&s, &o);
    if (!graft_checkpoint_newest(&c, folder, 1 << 24)) {
        if (graft_learner_restore(s.l, c))
            _exit(2);
        graft_checkpoint_free(c);
    }
    while (!graft_learner_done(s.l)) {
        if (graft_learner_step(s.l) ||
            graft_learner_keep(s.l, folder, s.l->step % 7 == 0))
            _exit(3);
        *said = s.l->step;
        usleep(300); /* steps are few and long in life */
    }
    _exit(0);
}

TEST(train_learner_resume__killed_at_any_moment)
{
    char folder[4200];
    snprintf(folder, sizeof folder, "%s/state", test_folder_in_memory());
    _Atomic int64_t *said = mmap(NULL, sizeof *said, PROT_READ | PROT_WRITE,
                                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(said != MAP_FAILED);
    int killed = 0, status = 0;
    for (int k = 0; k < KILLS && !(WIFEXITED(status) && k); k++) {
        int64_t before = *said;
        pid_t child = fork();
        assert_true(child >= 0);
        if (!child)
            work_until_killed(folder, said);
        /* let it begin, then anything up to some steps */
        for (int i = 0; i < 2000 && *said == before; i++)
            usleep(50);
        usleep((unsigned)(k * 7919 % 1500));
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, &status, 0), child);
        killed += WIFSIGNALED(status);
        if (WIFEXITED(status))
            assert_int_equal(WEXITSTATUS(status), 0);
        struct graft_checkpoint *c = NULL;
        uint64_t number[7];
        if (!*said && graft_checkpoint_newest(&c, folder, 1 << 24))
            continue; /* killed before the first one */
        graft_checkpoint_free(c);
        c = NULL;
        assert_ok(graft_checkpoint_newest(&c, folder, 1 << 24));
        assert_ok(graft_checkpoint_copy(c, "numbers", number,
                                        sizeof number));
        assert_true((int64_t)number[0] >= *said);
        graft_checkpoint_free(c);
    }
    assert_true(killed > KILLS / 2);
    /* and at last as if nothing had happened */
    struct school a, b;
    struct graft_checkpoint *c = NULL;
    struct graft_learner_options o;
    school_open(&a, 1, 4);
    school_open(&b, 2, 4);
    for (int k = 0; k < 2; k++) {
        struct school *s = k ? &b : &a;
        o = school_recipe(s);
        o.epochs = LONG / 3;
        o.schedule.total_steps = LONG;
        school_attend(s, &o);
    }
    assert_ok(graft_checkpoint_newest(&c, folder, 1 << 24));
    assert_ok(graft_learner_restore(b.l, c));
    graft_checkpoint_free(c);
    print_message("killed %d times in %d steps\n", killed, (int)b.l->step);
    school_learn_to(&b, b.l->step + 10);
    school_learn_to(&a, b.l->step);
    assert_memory_equal(a.s->master, b.s->master,
                        (size_t)a.s->size * sizeof(real));
    munmap((void *)said, sizeof *said);
    school_close(&a);
    school_close(&b);
}
