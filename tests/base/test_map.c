/* The map of names, also with names chosen to hurt it.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/map.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "test.h"

enum { NAMES = 20000, CROWDED = 256, SLOTS = 65536 };

/* Names that all belong into the first slots of a table of 65,536 if the
 * table's hash is one that everybody can compute. */
static char (*crowd(void))[12]
{
    char (*name)[12] = graft_calloc(NAMES, sizeof *name);
    assert_non_null(name);
    int n = 0;
    for (unsigned i = 0; n < NAMES; i++) {
        snprintf(name[n], sizeof name[n], "%x", i);
        n += graft_hash(name[n], strlen(name[n])).lo % SLOTS < CROWDED;
    }
    return name;
}

TEST(base_map__names_chosen_to_collide_do_not)
{
    char (*name)[12] = crowd();
    struct graft_map m = {0};
    clock_t start = clock();
    for (int i = 0; i < NAMES; i++)
        assert_ok(graft_map_put(&m, name[i], i));
    for (int i = 0; i < NAMES; i++)
        assert_int_equal(graft_map_get(&m, name[i]), i);
    /* A few milliseconds; seconds when they all stand in one row. */
    assert_true(clock() - start < CLOCKS_PER_SEC / 3);
    assert_int_equal(graft_map_get(&m, "absent"), -1);
    graft_map_release(&m);
    graft_free(name);
}

TEST(base_map__secret_hash_is_of_all_bytes)
{
    const char text[] = "abcdefghijklmnopqrstuvwxyz";
    for (size_t n = 0; n < sizeof text; n++) {
        char other[sizeof text];
        uint64_t h = graft_hash_secret(text, n);
        assert_true(h == graft_hash_secret(text, n));
        assert_true(h != graft_hash_secret(text, n + 1));
        for (size_t i = 0; i < n; i++) {
            memcpy(other, text, sizeof text);
            other[i] ^= 1;
            assert_true(h != graft_hash_secret(other, n));
        }
    }
}
