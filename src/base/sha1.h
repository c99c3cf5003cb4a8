/* SHA-1 (FIPS 180-4), which ONNX names for the checksum of a data file. It
 * tells one file from another; it is no protection against forgery.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef GRAFT_BASE_SHA1_H
#define GRAFT_BASE_SHA1_H

#include <stddef.h>
#include <stdint.h>

struct graft_sha1 {
    uint32_t h[5];
    uint64_t n;        /* bytes so far */
    uint8_t block[64]; /* those that fill no block yet */
};
void graft_sha1_init(struct graft_sha1 *s);
void graft_sha1_add(struct graft_sha1 *s, const void *data, uint64_t n);

#define GRAFT_SHA1_HEX 41 /* bytes of the text form with its NUL */
/* Ends *s. */
void graft_sha1_hex(char out[GRAFT_SHA1_HEX], struct graft_sha1 *s);

#endif
