/* SHA-1, after FIPS 180-4.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/sha1.h"

#include <string.h>

static uint32_t turn(uint32_t x, int n)
{
    return x << n | x >> (32 - n);
}

static uint32_t big_endian(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 |
           p[3];
}

/* Functions of the standard's four times twenty rounds. */
static inline uint32_t choose(uint32_t x, uint32_t y, uint32_t z)
{
    return z ^ (x & (y ^ z));
}

static inline uint32_t parity(uint32_t x, uint32_t y, uint32_t z)
{
    return x ^ y ^ z;
}

static inline uint32_t majority(uint32_t x, uint32_t y, uint32_t z)
{
    return (x & y) | (z & (x | y));
}

/* Word i of the schedule, of which the last 16 are kept. */
static inline uint32_t word(uint32_t w[16], int i)
{
    if (i >= 16)
        w[i & 15] = turn(w[(i + 13) & 15] ^ w[(i + 8) & 15] ^
                         w[(i + 2) & 15] ^ w[i & 15], 1);
    return w[i & 15];
}

/* One round: instead of moving a to e on, the next call names them shifted. */
#define ROUND(a, b, c, d, e, f, k, i)                                       \
    (e += turn(a, 5) + f(b, c, d) + (k) + word(w, i), b = turn(b, 30))
#define FIVE(f, k, i)                                                       \
    (ROUND(a, b, c, d, e, f, k, i), ROUND(e, a, b, c, d, f, k, (i) + 1),    \
     ROUND(d, e, a, b, c, f, k, (i) + 2),                                   \
     ROUND(c, d, e, a, b, f, k, (i) + 3),                                   \
     ROUND(b, c, d, e, a, f, k, (i) + 4))
#define TWENTY(f, k, i)                                                     \
    (FIVE(f, k, i), FIVE(f, k, (i) + 5), FIVE(f, k, (i) + 10),              \
     FIVE(f, k, (i) + 15))

static void block(uint32_t h[5], const uint8_t *p)
{
    uint32_t w[16], a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];
    for (int i = 0; i < 16; i++)
        w[i] = big_endian(p + 4 * i);
    TWENTY(choose, 0x5a827999, 0);
    TWENTY(parity, 0x6ed9eba1, 20);
    TWENTY(majority, 0x8f1bbcdc, 40);
    TWENTY(parity, 0xca62c1d6, 60);
    h[0] += a;
    h[1] += b;
    h[2] += c;
    h[3] += d;
    h[4] += e;
}

void graft_sha1_init(struct graft_sha1 *s)
{
    *s = (struct graft_sha1){.h = {0x67452301, 0xefcdab89, 0x98badcfe,
                                   0x10325476, 0xc3d2e1f0}};
}

void graft_sha1_add(struct graft_sha1 *s, const void *data, uint64_t n)
{
    const uint8_t *p = data;
    size_t held = (size_t)(s->n % 64);
    s->n += n;
    if (held) {
        size_t take = n < 64 - held ? (size_t)n : 64 - held;
        memcpy(s->block + held, p, take);
        if (held + take < 64)
            return;
        block(s->h, s->block);
        p += take;
        n -= take;
    }
    for (; n >= 64; p += 64, n -= 64)
        block(s->h, p);
    if (n)
        memcpy(s->block, p, (size_t)n);
}

void graft_sha1_hex(char out[GRAFT_SHA1_HEX], struct graft_sha1 *s)
{
    static const uint8_t one[64] = {0x80};
    static const char digits[] = "0123456789abcdef";
    uint8_t length[8];
    uint64_t bits = s->n * 8;
    for (int i = 7; i >= 0; i--, bits >>= 8)
        length[i] = (uint8_t)bits;
    graft_sha1_add(s, one, 1 + (119 - s->n % 64) % 64);
    graft_sha1_add(s, length, 8);
    for (int i = 0; i < 40; i++)
        out[i] = digits[s->h[i / 8] >> (28 - 4 * (i % 8)) & 15];
    out[40] = '\0';
}
