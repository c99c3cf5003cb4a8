/* Matching patterns in time (pattern x text) at most: on a mismatch only the
 * last star takes one character more.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/glob.h"

#include <stddef.h>

bool graft_glob(const char *pattern, const char *text)
{
    const char *star = NULL, *from = NULL;
    while (*text) {
        if (*pattern == '*') {
            star = pattern++;
            from = text;
        } else if (*pattern == '?' || *pattern == *text) {
            pattern++;
            text++;
        } else if (star) {
            pattern = star + 1;
            text = ++from;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return !*pattern;
}
