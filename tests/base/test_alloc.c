/* The allocator counts, refuses overflow and fails on request.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "base/arena.h"
#include "base/array.h"
#include "test.h"

TEST(base_alloc__counts_live_bytes)
{
    uint64_t before = graft_alloc_stats().live_bytes;
    void *p = graft_malloc(1000);
    assert_non_null(p);
    assert_true(graft_alloc_stats().live_bytes >= before + 1000);
    p = graft_realloc(p, 5000);
    assert_non_null(p);
    assert_true(graft_alloc_stats().live_bytes >= before + 5000);
    graft_free(p);
    assert_int_equal(graft_alloc_stats().live_bytes, before);
}

TEST(base_alloc__aligned_memory_is_aligned)
{
    for (size_t n = 0; n < 300; n += 37) {
        void *p = graft_alloc_aligned(n);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % GRAFT_ALIGN, 0);
        graft_free(p);
    }
}

TEST(base_alloc__fails_once_or_for_ever_on_request)
{
    graft_alloc_fail_at(2, 0);
    void *a = graft_malloc(8), *b = graft_malloc(8), *c = graft_malloc(8);
    assert_true(a && !b && c);
    assert_non_null(strstr(graft_error_message(), "out of memory"));
    graft_free(a);
    graft_free(c);
    graft_alloc_fail_at(1, 1);
    assert_true(!graft_malloc(8) && !graft_calloc(1, 8) &&
                !graft_alloc_aligned(8) && !graft_strdup("x"));
    graft_alloc_fail_at(0, 0);
    graft_free(NULL);
}

TEST(base_alloc__calloc_refuses_overflow)
{
    assert_null(graft_calloc(SIZE_MAX / 2, 16));
}

TEST(base_arena__gives_zeroed_memory_of_any_size)
{
    struct graft_arena a = {0};
    for (size_t n = 1; n < 3000000; n = n * 7 + 1) {
        unsigned char *p = graft_arena_alloc(&a, n);
        assert_non_null(p);
        assert_true(p[0] == 0 && p[n - 1] == 0);
        memset(p, 0xff, n);
    }
    assert_string_equal(graft_arena_strndup(&a, "abcdef", 3), "abc");
    assert_string_equal(graft_arena_strndup(&a, NULL, 0), "");
    assert_null(graft_arena_alloc(&a, SIZE_MAX - 3));
    assert_null(graft_arena_array(&a, SIZE_MAX / 4, 16));
    graft_arena_release(&a);
}

TEST(base_array__grows_and_keeps_elements)
{
    GRAFT_ARRAY(int) a = {0};
    for (int i = 0; i < 10000; i++) {
        int *p = graft_push(&a);
        assert_non_null(p);
        assert_int_equal(*p, 0);
        *p = i;
    }
    for (int i = 0; i < a.n; i++)
        assert_int_equal(a.at[i], i);
    graft_alloc_fail_at(1, 1);
    int n = a.n, *p = a.at;
    while (p && a.n < 100000)
        p = graft_push(&a);
    graft_alloc_fail_at(0, 0);
    assert_null(p);
    assert_true(a.n >= n);
    assert_int_equal(a.at[n - 1], n - 1);
    graft_array_release(&a);
}
