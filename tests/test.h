/* The unit tests' frame, on cmocka.
 *
 *     TEST(ops_conv__grouped)
 *     {
 *         assert_int_equal(graft_xxx(...), GRAFT_OK);
 *     }
 *
 * folder_file__claim; tests are found by their TEST( at the start of a line.
 * `build/run-tests conv` runs what matches; running nothing is a failure.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_TEST_H
#define GRAFT_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/status.h"

#define TEST(name)                                                          \
    void graft_test_##name(void **state);                                   \
    void graft_test_##name(void **state __attribute__((unused)))

struct graft_test {
    const char *name;
    void (*run)(void **state);
};
extern const struct graft_test graft_tests[];

/* The call succeeds; otherwise its message is shown and the test fails. */
#define assert_ok(call)                                                     \
    do {                                                                    \
        int status_ = (call);                                               \
        if (status_)                                                        \
            fail_msg("%s: %d, %s", #call, status_, graft_error_message());  \
    } while (0)

/* The call fails with `code`, and the message contains `part`. */
#define assert_fails(call, code, part)                                      \
    do {                                                                    \
        int status_ = (call);                                               \
        if (status_ != (code) || !strstr(graft_error_message(), part))      \
            fail_msg("%s: %d, '%s'; expected %d with '%s'", #call, status_, \
                     graft_error_message(), (int)(code), part);             \
    } while (0)

#define assert_near(a, b, tolerance)                                        \
    do {                                                                    \
        double a_ = (double)(a), b_ = (double)(b);                          \
        if (!(a_ - b_ <= (tolerance) && b_ - a_ <= (tolerance)))            \
            fail_msg("%s = %.9g, %s = %.9g", #a, a_, #b, b_);               \
    } while (0)

/* Path of a file beneath ../shared, or NULL (the test then calls skip()
 * after saying so). Valid until the next call. */
const char *test_shared(const char *name);
/* Fails to nothing: skips the running test with the reason printed. */
#define NEED_SHARED(path, name)                                             \
    const char *path = test_shared(name);                                   \
    if (!path) {                                                            \
        print_message("needs ../shared/%s, which is not here\n", name);     \
        skip();                                                             \
    }

/* A fresh folder for this test, removed at exit; valid until the next call. */
const char *test_folder(void);
/* The same where flushing to the disk costs nothing, for little files. */
const char *test_folder_in_memory(void);

#include <string.h>

#endif
