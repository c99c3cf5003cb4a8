/* The folder of a fine-tuning, NAME.run: checkpoints of its two parts, and
 * going on from them.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/alloc.h"
#include "base/io.h"
#include "task/tune.h"

/* A killed run loses about a second of work, more where writing takes long:
 * it may cost a thirtieth of the time. */
#define KEEP_SECONDS 1.0
#define KEEP_PART 30

/* Folders of checkpoints, the later one first. Short runs take turns at the
 * last two, so that each begins in an empty one while the results before it
 * are still safe. */
static const char *const parts[] = {"final", "try", "try-next"};

static const char *folder_of(const struct graft_tune *u)
{
    return !strcmp(u->part, "final") ? parts[0] : parts[1 + u->state->runs % 2];
}

static char *run_folder(const struct graft_training *t)
{
    return graft_path_beside(t->o->output, ".run");
}

/* ---- what the result depends on ------------------------------------------ */

static struct graft_hash hash_of_photos(const struct graft_tune *u)
{
    struct graft_hash h = graft_hash("photos/1", 8);
    for (int i = 0; i < u->n; i++) {
        const int64_t of[] = {u->label[i], u->item[i].view};
        h = graft_hash_mix(h, u->item[i].hash);
        h = graft_hash_add(h, of, sizeof of);
    }
    return h;
}

static void add_views(struct graft_str *s, const struct graft_tune *u)
{
    const struct graft_train_options *o = u->t->o;
    if (u->fresh)
        graft_str_add(s, "views fresh\n");
    else
        graft_str_addf(s, "views %d\n", o->views);
    graft_str_addf(s, "augment %s\nmixup %.17g\n",
                   o->augment ? o->augment : "crop and flip", u->o.mixup);
}

int graft_tune_recipe(struct graft_str *s, const struct graft_tune *u)
{
    const struct graft_train_options *o = u->t->o;
    char hex[GRAFT_HASH_HEX];
    struct graft_hash h = graft_hash("model/1", 7);
    for (int i = 0; i < u->u.model->blob.n; i++)
        h = graft_hash_add(h, u->u.model->blob.at[i].data,
                           (size_t)u->u.model->blob.at[i].size);
    graft_hash_hex(hex, h);
    add_views(s, u);
    if (!u->extract.raw)
        graft_str_addf(s, "frozen_batch %d\n", u->extract.n_max);
    graft_str_addf(s, "model %s\ncut ", hex);
    graft_str_add_safe(s, u->t->trunk.cut);
    graft_hash_hex(hex, hash_of_photos(u));
    graft_str_addf(s, "\nphotos and views %s\n", hex);
    graft_hash_hex(hex, graft_preprocess_hash(&u->extract.preprocess));
    graft_str_addf(s, "preprocessing %s\ndecode %s\n", hex,
                   u->extract.exact ? "exact" : "fast");
    graft_str_addf(s, "unfreeze %s\nfreeze %s\nbn %s\nfrom_scratch %d\n"
                   "label_smoothing %.17g\nwarmup %.17g\nl2 %.17g\n"
                   "part %s\nwords %s",
                   u->o.from_scratch ? "all" : o->tune.unfreeze,
                   u->o.freeze ? u->o.freeze : "none",
                   graft_norms_name(u->norms), u->o.from_scratch,
                   u->o.label_smoothing, u->o.warmup, o->l2, u->part,
                   u->o.unfreeze);
    return graft_str_ok(s);
}

/* ---- the folder ---------------------------------------------------------- */

int graft_tune_check_folder(const struct graft_training *t)
{
    const struct graft_train_options *o = t->o;
    if (!o->output || !graft_tune_wanted(&o->tune))
        return o->tune.resume
            ? graft_fail(GRAFT_EARG, "to go on, the run's output has to be "
                         "named") : GRAFT_OK;
    char *folder = run_folder(t);
    int status = folder ? GRAFT_OK : GRAFT_EMEM;
    for (size_t i = 0; !status && i < sizeof parts / sizeof *parts; i++) {
        char *sub = graft_path_join(folder, parts[i]);
        int n = sub ? graft_checkpoint_count(sub) : 0;
        if (!sub)
            status = GRAFT_EMEM;
        else if (n < 0)
            status = GRAFT_EIO;
        else if (n && !o->tune.resume && !o->replace)
            status = graft_fail(GRAFT_EEXIST, "'%s' has checkpoints of a run "
                                "that was stopped: --resume goes on from "
                                "them, --force begins anew", folder);
        graft_free(sub);
    }
    graft_free(folder);
    return status;
}

/* Before a depth is open it can be any: no more numbers than the file has
 * bytes, and the head's. */
static uint64_t largest(const struct graft_tune *u)
{
    uint64_t numbers = (uint64_t)(u->t->data->n_classes *
                                  (u->t->trunk.floats + 1));
    for (int i = 0; i < u->t->model->blob.n; i++)
        numbers += (uint64_t)u->t->model->blob.at[i].size;
    if (u->u.selection)
        numbers = (uint64_t)u->u.selection->size;
    return (GRAFT_STATES_MAX + 2) * numbers * sizeof(real) +
           u->state_bytes + ((uint64_t)1 << 24);
}

/* Where the line that begins like `line`, up to its first blank, stands. */
static const char *same_name(const char *text, size_t n, const char *line)
{
    const size_t name = strcspn(line, " ") + 1;
    for (size_t i = 0; i + name <= n; i++)
        if ((!i || text[i - 1] == '\n') && !strncmp(text + i, line, name))
            return text + i;
    return NULL;
}

/* Views come before all else that the learner compares: with other ones there
 * are other numbers of photos, which would be named in their place. */
static int same_views(const struct graft_tune *u,
                      const struct graft_checkpoint *c)
{
    const struct graft_section *then = graft_checkpoint_find(c, "options");
    const size_t n = then ? (size_t)then->bytes : 0;
    struct graft_str now;
    graft_str_init(&now);
    add_views(&now, u);
    int status = graft_str_ok(&now);
    for (const char *p = now.at; !status && *p; p = strchr(p, '\n') + 1) {
        const size_t k = strcspn(p, "\n");
        const char *was = n ? same_name(then->data, n, p) : NULL;
        const size_t left = was ? n - (size_t)(was - (char *)then->data) : 0;
        size_t m = 0;
        while (m < left && was[m] != '\n')
            m++;
        if (was && (m != k || strncmp(was, p, k)))
            status = graft_fail(GRAFT_EMISMATCH, "checkpoint '%s' was made "
                                "with '%.*s', now it is '%.*s'", c->path,
                                (int)m, was, (int)k, p);
    }
    graft_str_release(&now);
    return status;
}

static bool is_possible(const struct graft_tune_state *x)
{
    bool good = x->planned >= 1 && x->planned <= GRAFT_EPOCHS_MAX &&
                x->judged >= 0 && x->judged <= GRAFT_EPOCHS_MAX &&
                x->best_epoch >= 0 && x->best_epoch <= x->judged &&
                x->log_bytes >= 0 && x->csv_bytes >= 0 && x->elapsed >= 0 &&
                x->stages >= 0 && x->runs >= 0 && x->runs <= GRAFT_TRIES_MAX &&
                x->way >= 0 && x->way < GRAFT_TUNE_WAYS;
    for (int i = 0; good && i < x->runs; i++) {
        const struct graft_short_run *r = &x->run[i];
        good = r->depth >= 0 && r->depth < GRAFT_DEPTHS && r->rate >= 0 &&
               r->rate < GRAFT_RATES && r->why >= 0 &&
               r->why < GRAFT_UNTRIED_END && r->held >= 0;
    }
    return good;
}

static const char *const ways[GRAFT_TUNE_WAYS] = {
    "words after 'unfreeze'", "'unfreeze auto'", "'from_scratch'"};

/* Our own part of a checkpoint, needed before there is a learner. */
static int peek(struct graft_tune *u, const struct graft_checkpoint *c,
                bool if_later)
{
    const struct graft_section *s = graft_checkpoint_find(c, "extra");
    struct graft_tune_state x;
    if (!s || s->bytes != u->state_bytes)
        return graft_fail(GRAFT_EMISMATCH, "checkpoint '%s' was made with "
                          "other photos than are here now", c->path);
    memcpy(&x, s->data, sizeof x);
    if (!is_possible(&x))
        return graft_fail(GRAFT_EFORMAT, "checkpoint '%s' is damaged: its "
                          "numbers are impossible", c->path);
    if (x.way != u->state->way)
        return graft_fail(GRAFT_EMISMATCH, "checkpoint '%s' was made with "
                          "%s, now it is %s", c->path, ways[x.way],
                          ways[u->state->way]);
    if (if_later && x.runs <= u->state->runs)
        return GRAFT_OK;
    memcpy(u->state, s->data, (size_t)s->bytes);
    if (!(u->o.seconds > 0) && !u->automatic)
        u->state->planned = u->o.epochs;
    u->before = u->state->elapsed;
    return GRAFT_OK;
}

static int look_in(struct graft_tune *u, const char *part, const char **found)
{
    struct graft_checkpoint *c = NULL;
    char *sub = graft_path_join(u->folder, part);
    int status = sub ? GRAFT_OK : GRAFT_EMEM;
    if (!status && graft_checkpoint_count(sub) > 0) {
        status = graft_checkpoint_newest(&c, sub, largest(u));
        const int32_t before = u->state->runs;
        if (!status)
            status = same_views(u, c);
        if (!status)
            status = peek(u, c, *found != NULL);
        if (!status && (!*found || u->state->runs > before))
            *found = part;
    }
    graft_checkpoint_free(c);
    graft_free(sub);
    return status;
}

static int clear(struct graft_tune *u, const char *part)
{
    char *sub = graft_path_join(u->folder, part);
    int status = sub ? graft_checkpoint_clear(sub) : GRAFT_EMEM;
    graft_free(sub);
    return status;
}

int graft_tune_folder(struct graft_tune *u, const char **found)
{
    int status = GRAFT_OK;
    *found = NULL;
    if (!u->t->o->output)
        return GRAFT_OK;
    u->folder = run_folder(u->t);
    if (!u->folder)
        return GRAFT_EMEM;
    for (size_t i = 0; !status && i < sizeof parts / sizeof *parts; i++)
        if (u->o.resume && (!*found || *found == parts[1]))
            status = look_in(u, parts[i], found);
        else if (!u->o.resume)
            status = clear(u, parts[i]);
    if (!status && graft_folder_make(u->folder)) {
        graft_tune_warn(u);
        graft_free(u->folder);
        u->folder = NULL;
    }
    if (!status && u->o.resume)
        graft_log(u->t->rt, GRAFT_LOG_INFO, *found ? "goes on in '%s'"
                  : "'%s' has no checkpoint: starts at the beginning",
                  u->folder ? u->folder : "");
    return status;
}

/* ---- checkpoints --------------------------------------------------------- */

int graft_tune_restore(struct graft_tune *u)
{
    struct graft_checkpoint *c = NULL;
    char *sub = graft_path_join(u->folder, folder_of(u));
    int status = sub ? graft_checkpoint_newest(&c, sub, largest(u))
                     : GRAFT_EMEM;
    if (!status)
        status = graft_learner_restore(u->learner, c);
    if (!status)
        status = peek(u, c, false);
    graft_checkpoint_free(c);
    graft_free(sub);
    return status;
}

static int clear_others(struct graft_tune *u)
{
    int status = GRAFT_OK;
    for (size_t i = 0; !status && i < sizeof parts / sizeof *parts; i++)
        if (parts[i] != folder_of(u))
            status = clear(u, parts[i]);
    return status;
}

int graft_tune_keep(struct graft_tune *u, bool at_once)
{
    double t = graft_clock();
    if (!u->folder || (!at_once && (t - u->kept < KEEP_SECONDS ||
                                    t - u->kept < KEEP_PART * u->keeping)))
        return GRAFT_OK;
    u->state->elapsed = graft_tune_elapsed(u);
    char *sub = graft_path_join(u->folder, folder_of(u));
    int status = sub ? graft_learner_keep(u->learner, sub, false)
                     : GRAFT_EMEM;
    graft_free(sub);
    if (!status && !u->tried) {
        u->tried = true; /* what runs before it came to is in this one */
        status = clear_others(u);
    }
    u->kept = graft_clock();
    u->keeping = u->kept - t;
    if (status && status != GRAFT_EMEM && status != GRAFT_EMISMATCH) {
        graft_tune_warn(u);
        return GRAFT_OK;
    }
    return status;
}

void graft_tune_done(struct graft_tune *u)
{
    for (size_t i = 0; u->folder && i < sizeof parts / sizeof *parts; i++)
        if (clear(u, parts[i]))
            graft_tune_warn(u);
}

void graft_tune_close(struct graft_tune *u)
{
    if (u->log >= 0)
        graft_io_close(u->log);
    if (u->csv >= 0)
        graft_io_close(u->csv);
    u->log = u->csv = -1;
}
