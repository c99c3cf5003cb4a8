/* Import then export of every model in a folder: the same bytes come back.
 * Used by a unit test and by a program of `make reference`.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_TEST_SUITE_H
#define GRAFT_TEST_SUITE_H

struct suite {
    const char *work; /* folder for copies, which do not stay */
    /* Told of each file that did not come back, with the reason. */
    void (*tell)(const char *path, const char *why);
    int files, same;
};
/* Adds all that are called *.onnx beneath the folder. Nothing where there is
 * no such folder. */
void suite_round_trip(struct suite *s, const char *folder);

#endif
