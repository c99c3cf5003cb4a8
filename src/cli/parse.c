/* From argv to settings: options before, between or after the operands,
 * "--opt V", "--opt=V", "-o V", "-oV", "-fq"; "--" ends the options.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cli.h"

struct words {
    const char **at;
    int n, next;
};

static const struct graft_option *
find(const struct graft_command *c, const char *name, size_t n, char letter)
{
    for (int g = 0; g < GRAFT_CLI_GROUPS && c->group[g].title; g++) {
        const struct graft_option *o = c->group[g].options;
        for (; o->name; o++)
            if (letter ? o->letter == letter
                       : strlen(o->name) == n && !strncmp(o->name, name, n))
                return o;
    }
    return NULL;
}

static int unknown(const struct graft_command *c, const char *word, size_t n)
{
    const char *names[128];
    char plain[64];
    int count = 0;
    for (int g = 0; g < GRAFT_CLI_GROUPS && c->group[g].title; g++)
        for (const struct graft_option *o = c->group[g].options; o->name; o++)
            if (count < 127)
                names[count++] = o->name;
    names[count] = NULL;
    snprintf(plain, sizeof plain, "%.*s", (int)(n < 60 ? n : 60), word);
    const char *near = graft_cli_nearest(plain, names);
    if (near)
        return graft_cli_wrong("%s has no option --%s; did you mean --%s?",
                               c->name, plain, near);
    return graft_cli_wrong("%s has no option --%s", c->name, plain);
}

static int give(struct graft_settings *s, const struct graft_option *o,
                const char *text)
{
    return o->take((char *)s + o->slot, text, o);
}

/* "--name", "--name=value" */
static int long_option(struct graft_settings *s,
                       const struct graft_command *c, const char *word,
                       struct words *w)
{
    size_t n = strcspn(word, "=");
    const struct graft_option *o = find(c, word, n, 0);
    if (!o)
        return unknown(c, word, n);
    const char *text = word[n] ? word + n + 1 : NULL;
    if (!o->arg && text)
        return graft_cli_wrong("--%s takes no value", o->name);
    if (o->arg && !text) {
        if (w->next == w->n)
            return graft_cli_wrong("--%s wants a value: --%s %s", o->name,
                                   o->name, o->arg);
        text = w->at[w->next++];
    }
    return give(s, o, text);
}

/* "-o", "-oV", "-fq" */
static int short_options(struct graft_settings *s,
                         const struct graft_command *c, const char *word,
                         struct words *w)
{
    for (; *word; word++) {
        const struct graft_option *o = find(c, NULL, 0, *word);
        if (!o)
            return graft_cli_wrong("%s has no option -%c", c->name, *word);
        if (!o->arg) {
            int code = give(s, o, NULL);
            if (code)
                return code;
            continue;
        }
        if (word[1])
            return give(s, o, word + 1);
        if (w->next == w->n)
            return graft_cli_wrong("-%c wants a value: -%c %s", o->letter,
                                   o->letter, o->arg);
        return give(s, o, w->at[w->next++]);
    }
    return 0;
}

int graft_cli_check_output(const char *file)
{
    if (strcmp(file, "-"))
        return 0;
    return graft_cli_wrong("-o -: a file appears whole or not at all, so it "
                           "cannot go to standard output; name a file");
}

/* The operands open the usage; behind those given are those missing. */
static int missing(const struct graft_settings *s,
                   const struct graft_command *c)
{
    char text[128];
    size_t used = 0;
    const char *p = c->usage;
    for (int i = 0; i < c->min_operands; i++) {
        size_t n = strcspn(p, " ");
        if (i >= s->n_operands && used + n + 2 < sizeof text)
            used += (size_t)snprintf(text + used, sizeof text - used,
                                     used ? " %.*s" : "%.*s", (int)n, p);
        p += n + (p[n] == ' ');
    }
    text[used] = '\0';
    return graft_cli_wrong("%s wants %s: graft %s %s", c->name, text, c->name,
                           c->usage);
}

static int check_operands(const struct graft_settings *s,
                          const struct graft_command *c)
{
    if (s->n_operands < c->min_operands)
        return missing(s, c);
    if (c->max_operands >= 0 && s->n_operands > c->max_operands)
        return graft_cli_wrong("%s does not know what to do with '%s': "
                               "graft %s %s", c->name,
                               s->operand[c->max_operands], c->name,
                               c->usage);
    for (int i = 0; i < s->n_operands; i++)
        if (!*s->operand[i])
            return graft_cli_wrong("%s: operand %d is empty", c->name, i + 1);
    if (s->bgr && s->rgb)
        return graft_cli_wrong("--bgr and --rgb exclude each other");
    return s->output ? graft_cli_check_output(s->output) : 0;
}

int graft_cli_parse(struct graft_settings *s, const struct graft_command *c,
                    int argc, const char **argv)
{
    struct words w = {argv, argc, 0};
    bool only_operands = false;
    int code = 0, kept = 0;
    while (w.next < w.n && !code) {
        const char *word = w.at[w.next++];
        if (only_operands || word[0] != '-' || !word[1])
            argv[kept++] = word;
        else if (!strcmp(word, "--"))
            only_operands = true;
        else if (word[1] == '-')
            code = long_option(s, c, word + 2, &w);
        else
            code = short_options(s, c, word + 1, &w);
    }
    s->operand = argv;
    s->n_operands = kept;
    if (code || s->help)
        return code;
    return check_operands(s, c);
}
