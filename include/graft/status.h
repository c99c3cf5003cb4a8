/* Status codes, and the message that explains the last failure.
 *
 * Every function of Graft that can fail returns an int: GRAFT_OK (0), or one
 * of the negative codes below. Whoever returns a negative code has also left
 * a sentence for people, to be read with graft_error_message() on the same
 * thread until the next call that fails.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_STATUS_H
#define GRAFT_STATUS_H

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define GRAFT_API __attribute__((visibility("default")))
#else
#define GRAFT_API
#endif

/* code, number, what it means */
#define GRAFT_STATUS_LIST(X)                                                \
    X(GRAFT_OK, 0, "done")                                                  \
    X(GRAFT_EARG, -1, "an argument or option is wrong")                     \
    X(GRAFT_EMEM, -2, "out of memory")                                      \
    X(GRAFT_EIO, -3, "reading or writing failed")                           \
    X(GRAFT_EFORMAT, -4, "the file is damaged or not what it should be")    \
    X(GRAFT_EUNSUPPORTED, -5, "valid, but Graft cannot do this")            \
    X(GRAFT_ESHAPE, -6, "shapes or types do not fit together")              \
    X(GRAFT_ELIMIT, -7, "a size or memory limit would be exceeded")         \
    X(GRAFT_EDATA, -8, "the photos or labels cannot be used this way")      \
    X(GRAFT_EEXIST, -9, "the file exists and may not be replaced")          \
    X(GRAFT_ENOTFOUND, -10, "no such file or name")                         \
    X(GRAFT_ECANCELED, -11, "cancelled by the caller")                      \
    X(GRAFT_EMISMATCH, -12, "a check was made and the answer is no")

#define GRAFT_STATUS_ENUM(code, number, text) code = number,
enum graft_status { GRAFT_STATUS_LIST(GRAFT_STATUS_ENUM) GRAFT_STATUS_END_ };
#undef GRAFT_STATUS_ENUM

/* The message of this thread's last failure; "" before the first one.
 * Borrowed: valid until the next failing call on this thread. */
GRAFT_API const char *graft_error_message(void);

/* What a status means in general, "unknown status" for other numbers. */
GRAFT_API const char *graft_status_text(int status);

#ifdef __cplusplus
}
#endif
#endif
