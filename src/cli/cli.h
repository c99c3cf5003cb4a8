/* The program's own frame: commands and options are rows of tables; parsing,
 * help texts and hints are made from the rows.
 *
 * A command is one file cmd_NAME.c that defines graft_cmd_NAME. Nothing here
 * sees more of Graft than include/ shows.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_CLI_H
#define GRAFT_CLI_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "graft.h"

/* What the process tells its caller. */
enum {
    GRAFT_EXIT_DONE = 0,
    GRAFT_EXIT_FAILED = 1,
    GRAFT_EXIT_USAGE = 2,
    GRAFT_EXIT_NO = 3,      /* a check was made; the answer is no */
    GRAFT_EXIT_SIGNAL = 128 /* + number of the signal: 130, 143 */
};

enum { GRAFT_CLI_LIST_MAX = 64 };

struct graft_triple {
    bool given;
    float at[3];
};
struct graft_text_list {
    const char *at[GRAFT_CLI_LIST_MAX];
    int n;
};
struct graft_extent {
    int width, height; /* 0: not given */
};
struct graft_batch_size {
    bool given;
    int n; /* GRAFT_BATCH_DYNAMIC: any */
};

/* All that options can set; each command uses its part. */
struct graft_settings {
    const char **operand; /* in argv; n_operands of them */
    int n_operands;
    bool help, quiet, json, plan, no_cache, strict, force, external_data;
    bool embed, strip, float16;
    struct graft_runtime_options runtime;
    const char *preset, *fit, *decode, *cut, *output, *labels, *emit;
    const char *photos;
    struct graft_batch_size batch_size;
    struct graft_triple mean, std;
    struct graft_extent extent;
    bool bgr, rgb;
    uint64_t seed;
    double l2;
    int views, batch, top, repeats;
    const char *augment;
    struct graft_tune_options tune;
    struct graft_text_list outputs; /* of run and export */
    struct graft_text_list renames;
    graft_runtime *rt;              /* made by main, after the options */
};

/* An option. `arg` NULL: a flag, `take` then gets text NULL. `take` stores
 * into `slot` or leaves a message by graft_cli_wrong and returns
 * GRAFT_EXIT_USAGE. */
struct graft_option {
    const char *name; /* without "--"; NULL ends a table */
    char letter;      /* 0: none */
    const char *arg;
    int (*take)(void *slot, const char *text, const struct graft_option *o);
    size_t slot;      /* offset in struct graft_settings */
    double min, max;  /* of numbers */
    const char *choices; /* of words: "crop squash pad" */
    const char *help; /* with the default in it; wrapped when shown */
};

enum { GRAFT_CLI_GROUPS = 7 };
struct graft_option_group {
    const char *title;
    const struct graft_option *options;
};

struct graft_command {
    const char *name;
    const char *summary;  /* half a line, for graft --help */
    const char *usage;    /* operands and options, after "graft NAME " */
    const char *about;    /* what it does, for --help; lines end with \n */
    const char *example;
    const char *exit_notes; /* more about exit codes, NULL: the usual ones */
    int min_operands, max_operands; /* max -1: any number */
    struct graft_option_group group[GRAFT_CLI_GROUPS]; /* title NULL ends */
    int (*run)(struct graft_settings *s); /* gives the exit code */
};
extern const struct graft_command *const graft_cmd_table[];

/* ---- options.c, take.c, names.c, parse.c: from argv to settings ---------- */

extern const struct graft_option graft_options_common[];
extern const struct graft_option graft_options_model[];
extern const struct graft_option graft_options_pixels[];
extern const struct graft_option graft_options_cache[];

#define GRAFT_SLOT(member) offsetof(struct graft_settings, member)

int graft_take_flag(void *, const char *, const struct graft_option *);
int graft_take_text(void *, const char *, const struct graft_option *);
int graft_take_list(void *, const char *, const struct graft_option *);
int graft_take_choice(void *, const char *, const struct graft_option *);
int graft_take_int(void *, const char *, const struct graft_option *);
int graft_take_seed(void *, const char *, const struct graft_option *);
int graft_take_real(void *, const char *, const struct graft_option *);
int graft_take_bytes(void *, const char *, const struct graft_option *);
int graft_take_extent(void *, const char *, const struct graft_option *);
int graft_take_triple(void *, const char *, const struct graft_option *);
int graft_take_seconds(void *, const char *, const struct graft_option *);
int graft_take_batch(void *, const char *, const struct graft_option *);
int graft_take_views(void *, const char *, const struct graft_option *);

/* Fills *s from the words behind the command's name; reorders argv so that
 * operands stand together. 0 or GRAFT_EXIT_USAGE, said on stderr. */
int graft_cli_parse(struct graft_settings *s, const struct graft_command *c,
                    int argc, const char **argv);
/* The words "a,b" or "a=b,c=d" of an option that may be repeated, taken
 * apart. A backslash takes the character behind it as it is. 0 or
 * GRAFT_EXIT_USAGE. */
enum { GRAFT_CLI_NAMES = 256, GRAFT_CLI_ROOM = 32768 };
struct graft_names {
    const char *at[GRAFT_CLI_NAMES];
    const char *is[GRAFT_CLI_NAMES]; /* what follows '='; NULL: no '=' */
    int n;
    char room[GRAFT_CLI_ROOM];
};
int graft_cli_names(struct graft_names *out,
                    const struct graft_text_list *from, const char *option);
/* 0, or GRAFT_EXIT_USAGE for "-", which elsewhere means standard output. */
int graft_cli_check_output(const char *file);
/* The options as the library wants them. */
struct graft_preprocess_options
graft_cli_preprocess(const struct graft_settings *s);
struct graft_classify_options
graft_cli_classify(const struct graft_settings *s);

/* ---- convert.c: what export converts -------------------------------------
 */

extern const struct graft_option graft_options_convert[];
struct graft_conversion {
    struct graft_batch_change batch;
    struct graft_float16_change float16;
    struct graft_comparison compared;
};
/* Options that make no sense together: GRAFT_EXIT_USAGE. */
int graft_cli_check_conversion(const struct graft_settings *s);
/* Runs both on --photos; the library's status. */
int graft_cli_compare(struct graft_conversion *c, const graft_model *was,
                      const graft_model *is, const struct graft_settings *s);
void graft_cli_tell_conversion(const struct graft_conversion *c,
                               const struct graft_settings *s);

/* ---- unfreezing.c: inspect --unfreeze --------------------------------------
 */

extern const struct graft_option graft_options_unfreeze[];
/* The first option given that means something only beside --unfreeze; NULL:
 * none. */
const char *graft_cli_needs_unfreeze(const struct graft_settings *s);
int graft_cli_unfreezing(const struct graft_settings *s);

/* ---- help.c -------------------------------------------------------------- */

void graft_cli_help(FILE *to);
void graft_cli_help_command(FILE *to, const struct graft_command *c);
const struct graft_command *graft_cli_command(const char *name);
/* The word of `words` (ended by NULL) nearest to `word`, NULL: none near. */
const char *graft_cli_nearest(const char *word, const char *const *words);

/* ---- text.c ---------------------------------------------------------------
 * Names come from files and folders: what is printed of them cannot move the
 * terminal's cursor. */

/* One line "graft: ..." on stderr, after the progress line is cleared. */
void graft_cli_error(const char *fmt, ...)
    __attribute__((format(printf, 1, 2)));
/* The same with " (see graft --help)", returning GRAFT_EXIT_USAGE. */
int graft_cli_wrong(const char *fmt, ...)
    __attribute__((format(printf, 1, 2)));
/* The library's message, and the exit code that its status means. */
int graft_cli_failed(int status);
void graft_cli_put(FILE *to, const char *text);  /* made harmless */
void graft_cli_lines(FILE *to, const char *text); /* the same, line by line */
/* The same in exactly `width` columns, cut with "..." when longer; width < 0:
 * flush right. */
void graft_cli_cell(FILE *to, const char *text, int width);
/* The same whole, or with "..." in the middle when longer than 60 columns;
 * of a path only the last name is shortened. */
void graft_cli_name(FILE *to, const char *text);
void graft_cli_path(FILE *to, const char *path);
int graft_cli_columns(const char *text);
void graft_cli_json_string(FILE *to, const char *text);
/* "14.2 MB", in one of four buffers that take turns. */
const char *graft_cli_bytes(uint64_t bytes);
const char *graft_cli_count(int64_t n); /* "3,504,872" */

/* ---- progress.c, report.c, main.c ---------------------------------------- */

graft_progress_fn graft_cli_progress; /* draws only on a terminal */
void graft_cli_progress_clear(void);
void graft_cli_log(void *ctx, enum graft_log_level level, const char *text);

enum graft_report_kind { GRAFT_REPORT_TRAIN, GRAFT_REPORT_EVAL };
void graft_cli_report(const struct graft_report *r,
                      enum graft_report_kind kind);
/* 0, or the number of the signal that asked us to end. */
int graft_cli_signal(void);

#endif
