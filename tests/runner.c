/* Runs the tests whose names contain one of the arguments (all without).
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "test.h"

static int wanted(const char *name, int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (strstr(name, argv[i]))
            return 1;
    return argc < 2;
}

int main(int argc, char **argv)
{
    size_t total = 0, n = 0;
    while (graft_tests[total].name)
        total++;
    struct CMUnitTest *chosen = calloc(total + 1, sizeof *chosen);
    if (!chosen)
        return 1;
    for (size_t i = 0; i < total; i++)
        if (wanted(graft_tests[i].name, argc, argv))
            chosen[n++] = (struct CMUnitTest){.name = graft_tests[i].name,
                                              .test_func = graft_tests[i].run};
    if (!n) {
        fprintf(stderr, "no test matches\n");
        return 1;
    }
    int failed = _cmocka_run_group_tests("graft", chosen, n, NULL, NULL);
    free(chosen);
    return failed ? 1 : 0;
}
