/* Parts of the program that makes seeds.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_FUZZ_SEEDS_H
#define GRAFT_FUZZ_SEEDS_H

#include <stddef.h>
#include <stdio.h>

/* Ends the program with the message unless status is 0. */
void seed_ok(int status);
/* A file of a target's corpus. */
void seed_put(const char *target, const char *name, const void *data,
              size_t n);
/* A target's dictionary; words end with NULL. */
void seed_words(const char *target, const char *const *words);

void seed_models(void);
void seed_pictures(void);

#endif
