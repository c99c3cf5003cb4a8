/* Patterns for names: '*' stands for any characters, '?' for one.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_BASE_GLOB_H
#define GRAFT_BASE_GLOB_H

#include <stdbool.h>

bool graft_glob(const char *pattern, const char *text);

#endif
