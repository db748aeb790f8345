/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/sha256.h"

#include <string.h>

#define ROUNDS	   64
#define LENGTH_AT  (SHA256_BLOCK - 8) /* the length in bits ends the last block */
#define INNER_BYTE 0x36
#define OUTER_BYTE 0x5c

/* The first 32 bits of the fractions of the cube roots of the first 64 primes. */
static const uint32_t constants[ROUNDS] = {
	0x428a2f98,
	0x71374491,
	0xb5c0fbcf,
	0xe9b5dba5,
	0x3956c25b,
	0x59f111f1,
	0x923f82a4,
	0xab1c5ed5,
	0xd807aa98,
	0x12835b01,
	0x243185be,
	0x550c7dc3,
	0x72be5d74,
	0x80deb1fe,
	0x9bdc06a7,
	0xc19bf174,
	0xe49b69c1,
	0xefbe4786,
	0x0fc19dc6,
	0x240ca1cc,
	0x2de92c6f,
	0x4a7484aa,
	0x5cb0a9dc,
	0x76f988da,
	0x983e5152,
	0xa831c66d,
	0xb00327c8,
	0xbf597fc7,
	0xc6e00bf3,
	0xd5a79147,
	0x06ca6351,
	0x14292967,
	0x27b70a85,
	0x2e1b2138,
	0x4d2c6dfc,
	0x53380d13,
	0x650a7354,
	0x766a0abb,
	0x81c2c92e,
	0x92722c85,
	0xa2bfe8a1,
	0xa81a664b,
	0xc24b8b70,
	0xc76c51a3,
	0xd192e819,
	0xd6990624,
	0xf40e3585,
	0x106aa070,
	0x19a4c116,
	0x1e376c08,
	0x2748774c,
	0x34b0bcb5,
	0x391c0cb3,
	0x4ed8aa4a,
	0x5b9cca4f,
	0x682e6ff3,
	0x748f82ee,
	0x78a5636f,
	0x84c87814,
	0x8cc70208,
	0x90befffa,
	0xa4506ceb,
	0xbef9a3f7,
	0xc67178f2,
};

static uint32_t rotate_word(uint32_t x, unsigned by)
{
	return x >> by | x << (32 - by);
}

/* Extends the 16 words of a block to one for each round. */
static void schedule_words(uint32_t w[ROUNDS], const unsigned char *block)
{
	for (int i = 0; i < 16; i++, block += 4)
		w[i] = (uint32_t)block[0] << 24 | (uint32_t)block[1] << 16 |
		       (uint32_t)block[2] << 8 | block[3];
	for (int i = 16; i < ROUNDS; i++) {
		uint32_t a = w[i - 15], b = w[i - 2];

		w[i] = w[i - 16] + (rotate_word(a, 7) ^ rotate_word(a, 18) ^ a >> 3) + w[i - 7] +
		       (rotate_word(b, 17) ^ rotate_word(b, 19) ^ b >> 10);
	}
}

static void compress_block(uint32_t state[8], const unsigned char *block)
{
	uint32_t w[ROUNDS], v[8];

	schedule_words(w, block);
	memcpy(v, state, sizeof(v));
	for (int i = 0; i < ROUNDS; i++) {
		uint32_t a = v[0], e = v[4];
		uint32_t one = v[7] +
			       (rotate_word(e, 6) ^ rotate_word(e, 11) ^ rotate_word(e, 25)) +
			       ((e & v[5]) ^ (~e & v[6])) + constants[i] + w[i];
		uint32_t two = (rotate_word(a, 2) ^ rotate_word(a, 13) ^ rotate_word(a, 22)) +
			       ((a & v[1]) ^ (a & v[2]) ^ (v[1] & v[2]));

		memmove(v + 1, v, 7 * sizeof(*v));
		v[4] += one;
		v[0] = one + two;
	}
	for (int i = 0; i < 8; i++)
		state[i] += v[i];
}

void sha256_begin(struct sha256 *s)
{
	/* Those of the square roots of the first 8 primes. */
	*s = (struct sha256){ .state = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f,
				      0x9b05688c, 0x1f83d9ab, 0x5be0cd19 } };
}

void sha256_add(struct sha256 *s, const void *data, size_t size)
{
	const unsigned char *from = data;

	for (size_t i = 0; i < size; i++) {
		s->block[s->bytes++ % SHA256_BLOCK] = from[i];
		if (s->bytes % SHA256_BLOCK == 0)
			compress_block(s->state, s->block);
	}
}

void sha256_end(struct sha256 *s, unsigned char out[SHA256_SIZE])
{
	uint64_t bits = s->bytes * 8;

	sha256_add(s, "\x80", 1);
	while (s->bytes % SHA256_BLOCK != LENGTH_AT)
		sha256_add(s, "", 1);
	for (int shift = 56; shift >= 0; shift -= 8)
		sha256_add(s, &(unsigned char){ (unsigned char)(bits >> shift) }, 1);
	for (int i = 0; i < SHA256_SIZE; i++)
		out[i] = (unsigned char)(s->state[i / 4] >> (24 - 8 * (i % 4)));
}

void hmac_begin(struct hmac *h, const void *key, size_t size)
{
	unsigned char block[SHA256_BLOCK] = { 0 };

	sha256_begin(&h->inner);
	if (size > SHA256_BLOCK) {
		sha256_add(&h->inner, key, size);
		sha256_end(&h->inner, block);
		sha256_begin(&h->inner);
	} else {
		memcpy(block, key, size);
	}
	for (int i = 0; i < SHA256_BLOCK; i++) {
		h->outer_pad[i] = block[i] ^ OUTER_BYTE;
		block[i] ^= INNER_BYTE;
	}
	sha256_add(&h->inner, block, sizeof(block));
}

void hmac_end(struct hmac *h, unsigned char out[SHA256_SIZE])
{
	struct sha256 outer;

	sha256_end(&h->inner, out);
	sha256_begin(&outer);
	sha256_add(&outer, h->outer_pad, sizeof(h->outer_pad));
	sha256_add(&outer, out, SHA256_SIZE);
	sha256_end(&outer, out);
}
