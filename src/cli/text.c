/* Text for people, from names that anybody may have chosen.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <string.h>

#include "cli.h"

static bool is_control(unsigned char c)
{
    return c < 0x20 || c == 0x7f;
}

/* The first n bytes of a text, made harmless. */
static void put_bytes(FILE *to, const char *text, size_t n)
{
    for (const char *p = text; p < text + n; p++) {
        unsigned char c = (unsigned char)*p;
        /* 0xc2 0x80..0x9f: control characters as UTF-8 */
        bool c1 = c == 0xc2 && ((unsigned char)p[1] & 0xe0) == 0x80;
        if (is_control(c) || c1)
            fputc('?', to);
        else
            fputc(c, to);
        p += c1;
    }
}

void graft_cli_put(FILE *to, const char *text)
{
    put_bytes(to, text, strlen(text));
}

void graft_cli_lines(FILE *to, const char *text)
{
    while (*text) {
        size_t n = strcspn(text, "\n");
        put_bytes(to, text, n);
        fputc('\n', to);
        text += n + (text[n] == '\n');
    }
}

static bool starts_character(char c)
{
    return ((unsigned char)c & 0xc0) != 0x80;
}

int graft_cli_columns(const char *text)
{
    int n = 0;
    for (; *text; text++)
        n += starts_character(*text);
    return n;
}

void graft_cli_cell(FILE *to, const char *text, int width)
{
    bool right = width < 0;
    int room = right ? -width : width, columns = graft_cli_columns(text);
    bool cut = columns > room && room > 3;
    int show = cut ? room - 3 : columns;
    int pad = cut ? 0 : room - columns;
    char buffer[256];
    size_t n = 0;
    for (const char *p = text; *p && n < sizeof buffer - 1; p++) {
        if (starts_character(*p) && show-- == 0)
            break;
        buffer[n++] = *p;
    }
    buffer[n] = '\0';
    if (right && pad > 0)
        fprintf(to, "%*s", pad, "");
    graft_cli_put(to, buffer);
    if (cut)
        fputs("...", to);
    if (!right && pad > 0)
        fprintf(to, "%*s", pad, "");
}

/* Where character `n` begins. */
static const char *skip(const char *text, int n)
{
    for (; *text; text++)
        if (starts_character(*text) && n-- == 0)
            break;
    return text;
}

void graft_cli_name(FILE *to, const char *text)
{
    enum { MOST = 60, FRONT = 29, BACK = MOST - FRONT - 3 };
    int columns = graft_cli_columns(text);
    if (columns <= MOST) {
        graft_cli_put(to, text);
        return;
    }
    put_bytes(to, text, (size_t)(skip(text, FRONT) - text));
    fputs("...", to);
    graft_cli_put(to, skip(text, columns - BACK));
}

void graft_cli_path(FILE *to, const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    put_bytes(to, path, (size_t)(name - path));
    graft_cli_name(to, name);
}

/* Length of the well-formed UTF-8 character at p; 0: none. */
static int utf8_length(const unsigned char *p)
{
    static const struct {
        unsigned char mask, lead;
        int n;
        uint32_t least;
    } forms[] = {{0x80, 0x00, 1, 0}, {0xe0, 0xc0, 2, 0x80},
                 {0xf0, 0xe0, 3, 0x800}, {0xf8, 0xf0, 4, 0x10000}};
    for (size_t f = 0; f < sizeof forms / sizeof *forms; f++) {
        if ((*p & forms[f].mask) != forms[f].lead)
            continue;
        uint32_t code = *p & (unsigned char)~forms[f].mask;
        for (int i = 1; i < forms[f].n; i++) {
            if ((p[i] & 0xc0) != 0x80)
                return 0;
            code = code << 6 | (p[i] & 0x3f);
        }
        bool wrong = code < forms[f].least || code > 0x10ffff ||
                     (code >= 0xd800 && code < 0xe000);
        return wrong ? 0 : forms[f].n;
    }
    return 0;
}

void graft_cli_json_string(FILE *to, const char *text)
{
    fputc('"', to);
    for (const unsigned char *p = (const unsigned char *)text; *p;) {
        int n = utf8_length(p);
        if (n == 0)
            fputs("\\ufffd", to);
        else if (*p == '"' || *p == '\\')
            fprintf(to, "\\%c", *p);
        else if (is_control(*p))
            fprintf(to, "\\u%04x", *p);
        else
            fwrite(p, 1, (size_t)n, to);
        p += n ? n : 1;
    }
    fputc('"', to);
}

const char *graft_cli_bytes(uint64_t bytes)
{
    static char turn[4][32];
    static int next;
    static const char *const units[] = {"bytes", "kB", "MB", "GB", "TB"};
    char *out = turn[next++ % 4];
    double v = (double)bytes;
    int u = 0;
    for (; v >= 999.95 && u < 4; u++)
        v /= 1000;
    snprintf(out, sizeof turn[0], u ? "%.1f %s" : "%.0f %s", v, units[u]);
    return out;
}

const char *graft_cli_count(int64_t n)
{
    static char turn[4][32];
    static int next;
    char digits[24], *out = turn[next++ % 4];
    int length = snprintf(digits, sizeof digits, "%lld", (long long)n);
    int k = 0;
    for (int i = 0; i < length; i++) {
        out[k++] = digits[i];
        if (digits[i] != '-' && i + 1 < length && (length - i - 1) % 3 == 0)
            out[k++] = ',';
    }
    out[k] = '\0';
    return out;
}

/* ---- messages ------------------------------------------------------------ */

static void say(const char *fmt, va_list ap, const char *end)
{
    char text[2048];
    vsnprintf(text, sizeof text, fmt, ap);
    graft_cli_progress_clear();
    flockfile(stderr);
    fputs("graft: ", stderr);
    graft_cli_put(stderr, text);
    fputs(end, stderr);
    funlockfile(stderr);
}

void graft_cli_error(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    say(fmt, ap, "\n");
    va_end(ap);
}

int graft_cli_wrong(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    say(fmt, ap, " (--help says more)\n");
    va_end(ap);
    return GRAFT_EXIT_USAGE;
}

int graft_cli_failed(int status)
{
    int signal = graft_cli_signal();
    if (status == GRAFT_ECANCELED && signal) {
        graft_cli_error("interrupted");
        return GRAFT_EXIT_SIGNAL + signal;
    }
    graft_cli_error("%s%s", graft_error_message(),
                    status == GRAFT_EEXIST ? "; -f replaces it" : "");
    return status == GRAFT_EMISMATCH ? GRAFT_EXIT_NO : GRAFT_EXIT_FAILED;
}
