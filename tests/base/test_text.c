/* Messages, string builder, map, hash, random numbers.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>

#include "base/hash.h"
#include "base/map.h"
#include "base/rng.h"
#include "base/str.h"
#include "base/alloc.h"
#include "test.h"

TEST(base_status__message_waits_and_gets_context)
{
    assert_int_equal(graft_fail(GRAFT_ESHAPE, "has %d, wants %d", 3, 4),
                     GRAFT_ESHAPE);
    assert_string_equal(graft_error_message(), "has 3, wants 4");
    assert_int_equal(graft_fail_in(GRAFT_ESHAPE, "node '%s'", "a\x1b[2J"),
                     GRAFT_ESHAPE);
    assert_string_equal(graft_error_message(),
                        "node 'a?[2J': has 3, wants 4");
    assert_string_equal(graft_status_text(GRAFT_EMEM), "out of memory");
    assert_string_equal(graft_status_text(77), "unknown status");
}

TEST(base_status__long_messages_are_cut_not_overrun)
{
    char text[5000];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    graft_fail(GRAFT_EIO, "%s", text);
    graft_fail_in(GRAFT_EIO, "%s", text);
    assert_int_equal(strlen(graft_error_message()), GRAFT_MESSAGE_MAX - 1);
}

TEST(base_str__builds_and_remembers_failure)
{
    struct graft_str s;
    graft_str_init(&s);
    assert_string_equal(s.at, "");
    graft_str_addf(&s, "%d-%s", 42, "x");
    graft_str_addn(&s, "yz", 2);
    graft_str_add_safe(&s, "\n\x1b");
    assert_string_equal(s.at, "42-xyz\\x0a\\x1b");
    graft_alloc_fail_at(1, 1);
    for (int i = 0; i < 100; i++)
        graft_str_add(&s, "0123456789");
    graft_alloc_fail_at(0, 0);
    assert_int_equal(graft_str_ok(&s), GRAFT_EMEM);
    assert_null(graft_str_take(&s));
    assert_int_equal(graft_str_ok(&s), GRAFT_OK);
    graft_str_release(&s);
}

TEST(base_map__finds_what_was_put)
{
    static char names[5000][8];
    struct graft_map m = {0};
    assert_int_equal(graft_map_get(&m, "n1"), -1);
    for (int i = 0; i < 5000; i++) {
        snprintf(names[i], sizeof names[i], "n%d", i);
        assert_ok(graft_map_put(&m, names[i], i));
    }
    assert_ok(graft_map_put(&m, "n7", 70));
    for (int i = 0; i < 5000; i++)
        assert_int_equal(graft_map_get(&m, names[i]), i == 7 ? 70 : i);
    assert_int_equal(graft_map_get(&m, "absent"), -1);
    assert_int_equal(m.n, 5000);
    graft_map_release(&m);
}

TEST(base_hash__depends_on_order_and_content)
{
    struct graft_hash a = graft_hash("a", 1), b = graft_hash("b", 1);
    assert_false(graft_hash_equal(a, b));
    assert_false(graft_hash_equal(graft_hash_mix(a, b),
                                  graft_hash_mix(b, a)));
    char hex[GRAFT_HASH_HEX];
    /* XXH3_128bits of no bytes, as xxHash documents it. */
    graft_hash_hex(hex, graft_hash("", 0));
    assert_string_equal(hex, "99aa06d3014798d86001c324468d497f");
}

TEST(base_rng__is_philox)
{
    /* Known answer of Random123: key and counter all zero. */
    struct graft_rng_key zero = {{0, 0}};
    uint64_t v = graft_rng_u64(zero, 0);
    assert_int_equal((uint32_t)v, 0x6627e8d5u);
    assert_int_equal((uint32_t)(v >> 32), 0xe169c58du);
}

TEST(base_rng__is_uniform_and_normal_enough)
{
    struct graft_rng_key key = graft_rng_key(1, 2);
    double sum = 0, square = 0, unit = 0;
    const int n = 20000;
    int below[7] = {0};
    for (int i = 0; i < n; i++) {
        double x = graft_rng_normal(key, (uint64_t)i);
        sum += x;
        square += x * x;
        unit += graft_rng_unit(key, (uint64_t)i);
        below[graft_rng_below(key, (uint64_t)i, 7)]++;
    }
    assert_near(sum / n, 0, 0.03);
    assert_near(square / n, 1, 0.05);
    assert_near(unit / n, 0.5, 0.01);
    for (int i = 0; i < 7; i++)
        assert_near(below[i], n / 7.0, 250);
}
