/* roundtrip WORK NAME FOLDER: import then export of every model beneath
 * FOLDER, as one ok / not ok line for NAME.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "support/suite.h"

static void tell(const char *path, const char *why)
{
    printf("# %s: %s\n", path, why);
}

int main(int argc, char **argv)
{
    if (argc != 4)
        return 2;
    struct suite s = {.work = argv[1], .tell = tell};
    suite_round_trip(&s, argv[3]);
    const int good = s.files && s.same == s.files;
    printf("%s - %s: %d of %d files byte-identical after import and export\n",
           good ? "ok" : "not ok", argv[2], s.same, s.files);
    return !good;
}
