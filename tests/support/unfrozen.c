/* Parameters selected by words.
 * SPDX-License-Identifier: Apache-2.0 */
#include "support/unfrozen.h"

#include "test.h"

struct graft_unfrozen unfrozen_by(const struct graft_model *m,
                                  const char *words, const char *freeze)
{
    struct graft_compile c = {.model = m, .n_max = 1};
    struct graft_unfrozen u = {0};
    if (graft_unfreeze(&u, NULL, &c, words, freeze))
        fail_msg("%s: %s", words, graft_error_message());
    return u;
}
