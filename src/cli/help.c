/* Help texts, made from the tables, and the nearest word to a mistyped one.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cli.h"

/* ---- the nearest word ---------------------------------------------------- */

static int least(int a, int b, int c)
{
    int ab = a < b ? a : b;
    return ab < c ? ab : c;
}

/* Optimal string alignment: insertions, deletions, substitutions and swaps of
 * neighbours, each 1. */
static int distance(const char *a, const char *b)
{
    enum { MAX = 40 };
    int d[MAX + 1][MAX + 1];
    int n = (int)strlen(a), m = (int)strlen(b);
    if (n > MAX || m > MAX)
        return MAX;
    for (int i = 0; i <= n; i++)
        d[i][0] = i;
    for (int j = 0; j <= m; j++)
        d[0][j] = j;
    for (int i = 1; i <= n; i++)
        for (int j = 1; j <= m; j++) {
            int change = a[i - 1] != b[j - 1];
            d[i][j] = least(d[i - 1][j] + 1, d[i][j - 1] + 1,
                            d[i - 1][j - 1] + change);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
                a[i - 2] == b[j - 1])
                d[i][j] = least(d[i][j], d[i - 2][j - 2] + 1, d[i][j]);
        }
    return d[n][m];
}

const char *graft_cli_nearest(const char *word, const char *const *words)
{
    const char *best = NULL;
    int least_yet = 1 + (int)strlen(word) / 3; /* farther is no hint */
    for (; *words; words++) {
        int d = distance(word, *words);
        bool begins = strlen(word) > 2 && !strncmp(word, *words, strlen(word));
        if (begins && d > 1)
            d = 1;
        if (d <= least_yet && (!best || d < least_yet)) {
            least_yet = d;
            best = *words;
        }
    }
    return best;
}

/* ---- help ---------------------------------------------------------------- */

const struct graft_command *graft_cli_command(const char *name)
{
    const char *names[64];
    int n = 0;
    for (const struct graft_command *const *c = graft_cmd_table; *c; c++) {
        if (!strcmp((*c)->name, name))
            return *c;
        if (n < 63)
            names[n++] = (*c)->name;
    }
    names[n] = NULL;
    const char *near = graft_cli_nearest(name, names);
    if (name[0] == '-' && name[1]) {
        graft_cli_wrong("there is no option '%s' before the command", name);
        return NULL;
    }
    if (near)
        graft_cli_wrong("there is no command '%s'; did you mean '%s'?", name,
                        near);
    else
        graft_cli_wrong("there is no command '%s'", name);
    return NULL;
}

static void indented(FILE *to, const char *text, int indent)
{
    while (*text) {
        size_t n = strcspn(text, "\n");
        fprintf(to, "%*s%.*s\n", indent, "", (int)n, text);
        text += n + (text[n] == '\n');
    }
}

/* Words between the columns `indent` and WIDTH; the cursor is at `column`. */
static void wrapped(FILE *to, const char *text, int indent, int column)
{
    enum { WIDTH = 79 };
    bool first = true;
    if (column >= indent) {
        fputc('\n', to);
        column = 0;
    }
    for (; *text; text += strspn(text, " \n")) {
        int n = (int)strcspn(text, " \n");
        if (!first && column + 1 + n > WIDTH) {
            fputc('\n', to);
            column = 0;
            first = true;
        }
        int gap = first ? indent - column : 1;
        fprintf(to, "%*s%.*s", gap, "", n, text);
        column += gap + n;
        text += n;
        first = false;
    }
    fputc('\n', to);
}

void graft_cli_help(FILE *to)
{
    fputs("graft grows a new head on a pretrained ONNX model.\n\n"
          "usage: graft COMMAND [operands and options in any order]\n\n", to);
    for (const struct graft_command *const *c = graft_cmd_table; *c; c++)
        fprintf(to, "  %-9s %s\n", (*c)->name, (*c)->summary);
    fputs("\nFrom a backbone and a folder of photos to a classifier:\n\n"
          "  graft train resnet18.onnx photos/ -o tigers.onnx\n"
          "  graft predict tigers.onnx your.jpg\n\n"
          "photos/ holds one folder for each class (photos/cat/1.jpg), or\n"
          "train/ and val/ with such folders inside.\n\n"
          "graft COMMAND --help   all about a command\n"
          "graft --version        the version\n", to);
}

static void option_line(FILE *to, const struct graft_option *o)
{
    char head[80];
    int n = snprintf(head, sizeof head, "  %c%c%s --%s%s%s",
                     o->letter ? '-' : ' ', o->letter ? o->letter : ' ',
                     o->letter ? "," : " ", o->name, o->arg ? " " : "",
                     o->arg ? o->arg : "");
    fputs(head, to);
    wrapped(to, o->help, 26, n);
}

void graft_cli_help_command(FILE *to, const struct graft_command *c)
{
    fprintf(to, "usage: graft %s %s\n\n%s\n", c->name, c->usage, c->about);
    for (int g = 0; g < GRAFT_CLI_GROUPS && c->group[g].title; g++) {
        fprintf(to, "%s:\n", c->group[g].title);
        for (const struct graft_option *o = c->group[g].options; o->name; o++)
            option_line(to, o);
        fputc('\n', to);
    }
    fprintf(to, "example:\n");
    indented(to, c->example, 2);
    fprintf(to, "\nexit code: 0 done, 1 failed, 2 wrong usage, "
            "130 interrupted%s%s\n", c->exit_notes ? ",\n" : "",
            c->exit_notes ? c->exit_notes : "");
}
