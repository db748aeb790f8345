/* SPDX-License-Identifier: BSD-2-Clause */
/* SHA-256 (FIPS 180-4), and the keyed hash made of it, HMAC (RFC 2104). For texts of at most a few
 * kilobytes: without the instructions that some processors have for it. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define SHA256_SIZE  32
#define SHA256_BLOCK 64

struct sha256 {
	uint32_t state[8];
	uint64_t bytes; /* hashed so far */
	unsigned char block[SHA256_BLOCK];
};

void sha256_begin(struct sha256 *s);
void sha256_add(struct sha256 *s, const void *data, size_t size);
void sha256_end(struct sha256 *s, unsigned char out[SHA256_SIZE]);

/* A keyed hash: begin with a key of any length, add with sha256_add(&h->inner, ...), end. */
struct hmac {
	struct sha256 inner;
	unsigned char outer_pad[SHA256_BLOCK];
};

void hmac_begin(struct hmac *h, const void *key, size_t size);
void hmac_end(struct hmac *h, unsigned char out[SHA256_SIZE]);
