/* Error messages, one buffer for each thread.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static _Thread_local char message[GRAFT_MESSAGE_MAX];

const char *graft_error_message(void)
{
    return message;
}

const char *graft_status_text(int status)
{
#define ROW(code, number, text) {number, text},
    static const struct { int number; const char *text; } rows[] = {
        GRAFT_STATUS_LIST(ROW)
    };
#undef ROW
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].number == status)
            return rows[i].text;
    return "unknown status";
}

/* Names in files may hold terminal escapes; a message never passes them on.
 * Bytes >= 0x80 stay: they are UTF-8 in every sane file. */
static void make_harmless(char *s)
{
    for (; *s; s++)
        if ((unsigned char)*s < 0x20 || *s == 0x7f)
            *s = '?';
}

int graft_fail(int status, const char *fmt, ...)
{
    /* Formatted aside: an argument may point into the old message. */
    char text[GRAFT_MESSAGE_MAX];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    make_harmless(text);
    memcpy(message, text, sizeof text);
    return status;
}

int graft_fail_in(int status, const char *fmt, ...)
{
    char text[GRAFT_MESSAGE_MAX];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    make_harmless(text);
    if (n >= 0 && (size_t)n < sizeof text - 3)
        snprintf(text + n, sizeof text - (size_t)n, ": %.900s", message);
    memcpy(message, text, sizeof text);
    return status;
}

int graft_fail_mem(unsigned long long bytes)
{
    return graft_fail(GRAFT_EMEM, "out of memory (%llu bytes wanted)", bytes);
}

void graft_message_save(char buffer[GRAFT_MESSAGE_MAX])
{
    memcpy(buffer, message, GRAFT_MESSAGE_MAX);
}

void graft_message_restore(const char buffer[GRAFT_MESSAGE_MAX])
{
    memcpy(message, buffer, GRAFT_MESSAGE_MAX);
}
