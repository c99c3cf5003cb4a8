/* The one error mechanism: a negative status and a message for people.
 *
 *     return graft_fail(GRAFT_ESHAPE, "Conv '%s': weight has %d channels, "
 *                       "input has %d", name, w, x);
 *
 * The message waits in a thread-local buffer (graft_error_message()).
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_BASE_STATUS_H
#define GRAFT_BASE_STATUS_H

#include "graft/status.h"

#define GRAFT_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

/* Sets the message and returns `status`. Control characters in the formatted
 * text (names from hostile files) are replaced by '?'. */
int graft_fail(int status, const char *fmt, ...) GRAFT_PRINTF(2, 3);

/* Puts "context: " in front of the waiting message; returns `status`. */
int graft_fail_in(int status, const char *fmt, ...) GRAFT_PRINTF(2, 3);

/* graft_fail(GRAFT_EMEM, ...) for `bytes` that could not be had. */
int graft_fail_mem(unsigned long long bytes);

/* Copies the waiting message to another thread's slot: workers catch theirs
 * into a buffer of GRAFT_MESSAGE_MAX bytes, the caller restores it. */
#define GRAFT_MESSAGE_MAX 1024
void graft_message_save(char buffer[GRAFT_MESSAGE_MAX]);
void graft_message_restore(const char buffer[GRAFT_MESSAGE_MAX]);

#endif
