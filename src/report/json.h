/* JSON helpers on jansson.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_REPORT_JSON_H
#define GRAFT_REPORT_JSON_H

#include <jansson.h>

/* A string; bytes that are not UTF-8 become \xNN, NULL becomes null. */
json_t *graft_json_text(const char *s);
/* A number; NaN and infinities become null. */
json_t *graft_json_real(double x);
/* The text of `root` (graft_free it), indented by 2; keys in the order they
 * were set, numbers with `digits` digits. NULL with EMEM set on failure;
 * consumes root, and root NULL is a failure. */
char *graft_json_write(json_t *root, int digits);

#endif
