/* graft cache: what is kept of photos between runs.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <string.h>
#include <time.h>

#include "cli.h"

static const struct graft_option options[] = {
    {.name = "cache", .arg = "DIR", .take = graft_take_text,
     .slot = GRAFT_SLOT(runtime.cache_dir),
     .help = "the folder (default: $GRAFT_CACHE, else graft in "
             "$XDG_CACHE_HOME or ~/.cache)"},
    {.name = NULL},
};

struct total {
    uint64_t bytes;
    int n;
};

static void line(void *ctx, const struct graft_cache_entry *e)
{
    struct total *t = ctx;
    char day[32] = "";
    time_t when = (time_t)e->last_used;
    struct tm tm;
    if (localtime_r(&when, &tm))
        strftime(day, sizeof day, "%Y-%m-%d %H:%M", &tm);
    printf("%8s records  %9s  %s  ", graft_cli_count((int64_t)e->records),
           graft_cli_bytes(e->bytes), day);
    graft_cli_put(stdout, e->about ? e->about : e->name);
    fputc('\n', stdout);
    t->bytes += e->bytes;
    t->n++;
}

static int list(struct graft_settings *s)
{
    struct total t = {0};
    int status = graft_cache_list(s->rt, line, &t);
    if (status)
        return graft_cli_failed(status);
    printf("%d store%s, %s in ", t.n, t.n == 1 ? "" : "s",
           graft_cli_bytes(t.bytes));
    graft_cli_put(stdout, graft_cache_folder(s->rt));
    fputc('\n', stdout);
    return GRAFT_EXIT_DONE;
}

static int clear(struct graft_settings *s)
{
    uint64_t bytes = 0;
    int status = graft_cache_clear(s->rt, &bytes);
    if (status)
        return graft_cli_failed(status);
    printf("%s removed from ", graft_cli_bytes(bytes));
    graft_cli_put(stdout, graft_cache_folder(s->rt));
    fputc('\n', stdout);
    return GRAFT_EXIT_DONE;
}

static int run(struct graft_settings *s)
{
    static const struct {
        const char *name;
        int (*run)(struct graft_settings *s);
    } actions[] = {{"list", list}, {"clear", clear}};
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++)
        if (!strcmp(actions[i].name, s->operand[0]))
            return actions[i].run(s);
    return graft_cli_wrong("cache does not know '%s'; it lists or clears: "
                           "graft cache list|clear", s->operand[0]);
}

extern const struct graft_command graft_cmd_cache;
const struct graft_command graft_cmd_cache = {
    .name = "cache",
    .summary = "lists or clears what is kept of photos between runs",
    .usage = "list|clear [options]",
    .about =
        "Training keeps what the frozen layers made of each photo, so that\n"
        "the next run opens no photo again. 'list' shows the stores, 'clear'\n"
        "removes them and nothing else. Both are safe at any time.\n",
    .example = "graft cache list\n",
    .min_operands = 1, .max_operands = 1,
    .group = {{"options", options}, {"everywhere", graft_options_common}},
    .run = run,
};
