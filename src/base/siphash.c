/* SipHash-1-3 under a key that the kernel gives each process (Aumasson,
 * Bernstein, "SipHash: a fast short-input PRF", 2012; one round for each
 * word and three at the end, as hash tables commonly use it).
 * SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "base/hash.h"

static uint64_t key[2];
static pthread_once_t key_once = PTHREAD_ONCE_INIT;

static void make_key(void)
{
    if (getrandom(key, sizeof key, GRND_NONBLOCK) == (ssize_t)sizeof key)
        return;
    /* Early after boot: what another machine cannot guess well. */
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    key[0] = (uint64_t)now.tv_nsec * UINT64_C(0x9e3779b97f4a7c15);
    key[1] = (uint64_t)now.tv_sec ^ (uint64_t)(uintptr_t)&now;
}

static uint64_t rotate(uint64_t x, int by)
{
    return x << by | x >> (64 - by);
}

static void round_of(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[0] = rotate(v[0], 32);
    v[2] += v[3];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[2] = rotate(v[2], 32);
}

static void take_word(uint64_t v[4], uint64_t word)
{
    v[3] ^= word;
    round_of(v);
    v[0] ^= word;
}

uint64_t graft_hash_secret(const void *data, size_t bytes)
{
    const uint8_t *at = data;
    pthread_once(&key_once, make_key);
    uint64_t v[4] = {key[0] ^ UINT64_C(0x736f6d6570736575),
                     key[1] ^ UINT64_C(0x646f72616e646f6d),
                     key[0] ^ UINT64_C(0x6c7967656e657261),
                     key[1] ^ UINT64_C(0x7465646279746573)};
    uint64_t word, last = (uint64_t)bytes << 56;
    size_t left = bytes;
    for (; left >= 8; left -= 8, at += 8) {
        memcpy(&word, at, 8);
        take_word(v, word);
    }
    for (size_t i = 0; i < left; i++)
        last |= (uint64_t)at[i] << 8 * i;
    take_word(v, last);
    v[2] ^= 0xff;
    for (int i = 0; i < 3; i++)
        round_of(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}
