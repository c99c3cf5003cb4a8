/* Makes every allocation and every file operation of a piece of work fail,
 * one after the other, and looks at what is left:
 *
 *     struct fault_work w = {.name = "export", .folder = f, .run = run};
 *     fault_every_point(&w);
 *
 * The k-th call fails, once and with all after it, for k = 1, 2, ... until
 * the work ends before its k-th. After each run
 *   - it succeeded, or gave a status and a message that names a file of the
 *     folder (for memory: says that there is none);
 *   - interrupted calls and short transfers always led to success;
 *   - as many bytes and descriptors are held as before;
 *   - after an error all files of the folder are as they were, and no other
 *     is there; after a success they are as an undisturbed run leaves them.
 * Then the folder is put back. What cannot be asked for: when removing a file
 * was made to fail, a temporary may stay; when from the k-th on everything
 * fails, an old file may stay under a temporary's name.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_TEST_FAULTS_H
#define GRAFT_TEST_FAULTS_H

#include <stdbool.h>

struct fault_work {
    const char *name;
    const char *folder;  /* all that it writes is in there */
    int (*run)(void *ctx);
    void *ctx;
    /* Files of the folder whose contents after a success differ from run to
     * run (times), up to a NULL, "sub/": all in there. They must be there or
     * not like the others. */
    const char *const *varies;
    /* A folder in the folder that failures may leave in any state ("cache");
     * the next run, undisturbed, must then succeed all the same. */
    const char *loose;
    int every;           /* after the first 40 points only each such one;
                            GRAFT_POINTS=all tries each */
};
void fault_every_point(const struct fault_work *w);

#endif
