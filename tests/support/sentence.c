/* Looking at refusals (sentence.h).
 * SPDX-License-Identifier: Apache-2.0 */
#include "sentence.h"

#include "test.h"

enum { LONGEST = 700 };

void test_sentence(const char *said)
{
    size_t n = strlen(said);
    if (n < 12 || n > LONGEST)
        fail_msg("no sentence: '%s'", said);
    for (const char *s = said; *s; s++)
        if ((unsigned char)*s < 0x20 || *s == 0x7f)
            fail_msg("byte %d in '%s'", *s, said);
    if (said[n - 1] == '.' || said[n - 1] == ' ' || said[n - 1] == ':')
        fail_msg("ends oddly: '%s'", said);
}

void test_sentence_about(const char *file, const char *said)
{
    static const char *const places[] = {
        "at byte ", "up to byte ", " '", "IR version", "opset", "graph",
        "input", "output", "is empty"};
    test_sentence(said);
    const char *rest = strstr(said, file);
    if (!rest)
        fail_msg("'%s' does not name '%s'", said, file);
    rest += strlen(file);
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (strstr(rest, places[i]))
            return;
    fail_msg("no place in '%s'", said);
}
