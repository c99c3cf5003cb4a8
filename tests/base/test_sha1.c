/* SHA-1 against the standard's own examples.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/sha1.h"
#include "test.h"

static void is(const char *text, int times, size_t piece, const char *want)
{
    char hex[GRAFT_SHA1_HEX];
    struct graft_sha1 s;
    graft_sha1_init(&s);
    for (int i = 0; i < times; i++)
        for (size_t at = 0, n = strlen(text); at < n; at += piece)
            graft_sha1_add(&s, text + at, n - at < piece ? n - at : piece);
    graft_sha1_hex(hex, &s);
    assert_string_equal(hex, want);
}

TEST(base_sha1__examples_of_the_standard)
{
    static const char *const two =
        "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    for (size_t piece = 1; piece < 70; piece++) {
        is("", 1, piece, "da39a3ee5e6b4b0d3255bfef95601890afd80709");
        is("abc", 1, piece, "a9993e364706816aba3e25717850c26c9cd0d89d");
        is(two, 1, piece, "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
    }
    is("a", 1000000, 1, "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
    is("0123456701234567012345670123456701234567012345670123456701234567",
       10, 7, "dea356a2cddd90c7a7ecedc5ebb563934f460452");
}
