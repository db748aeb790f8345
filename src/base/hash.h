/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * FNV-1a: a number for some bytes, the same in each run and on each machine, where a map of the
 * bytes themselves would be too large. An attacker who chooses the bytes can make two hashes equal:
 * code that relies on different hashes must compare the bytes too.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define HASH_BEGIN 0xcbf29ce484222325u

/* Continues a hash with more bytes, for several pieces in a row. */
static inline uint64_t hash_bytes(uint64_t hash, const void *data, size_t size)
{
	for (size_t i = 0; i < size; i++)
		hash = (hash ^ ((const unsigned char *)data)[i]) * 0x100000001b3u;
	return hash;
}
