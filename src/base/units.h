/* SPDX-License-Identifier: BSD-2-Clause */
/* Values as people read and write them. Writers fill `out` and return it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NS_PER_US ((uint64_t)1000)
#define NS_PER_MS ((uint64_t)1000000)
#define NS_PER_S  ((uint64_t)1000000000)

#define UNITS_SIZE 32 /* enough for any of these */

const char *format_bytes(char out[UNITS_SIZE],
	uint64_t bytes); /* 0B 512B 1.0K 23.4M 1.2G: powers of 1024, at most 4 digits */
const char *format_ns(
	char out[UNITS_SIZE], uint64_t ns); /* 0ns 850ns 1.50us 12.3ms 4.20s 3m20s 2h05m 3d04h */
/* The same in a buffer that lasts as long as the block. */
#define FORMAT_BYTES(bytes) format_bytes((char[UNITS_SIZE]){ 0 }, bytes)
#define FORMAT_NS(ns)	    format_ns((char[UNITS_SIZE]){ 0 }, ns)
const char *format_count(char out[UNITS_SIZE], uint64_t count); /* plain digits */
/* Writes as many digits as are needed to read the same number again, and a point or an exponent. */
const char *format_real(char out[UNITS_SIZE], double value);
#define DECIMALS_EXACT 255 /* a number of decimals: as format_real() */
const char *format_utc(char out[UNITS_SIZE], uint64_t realtime_ns); /* RFC 3339, seconds, Z */
uint64_t rounded_u64(double value); /* negative or NaN: 0; too large: UINT64_MAX */
uint64_t whole_u64(double value);   /* Returns the whole part of a value, of which the digits after
				       the point are cut. */
/* Returns how much a counter or sum has grown; 0: it fell. */
static inline uint64_t increase_u64(uint64_t now, uint64_t before)
{
	return now > before ? now - before : 0;
}

/* Reads "5" (seconds), "200ms", "2s", "1.5s", "3m", "1h", "10us", "7ns". False: anything else, or
 * an overflow. */
bool parse_duration(const char *text, uint64_t *ns);
/* Reads "4096", "64k", "1M", "2G" (powers of 1024, either case, an optional B or iB at the end). */
bool parse_bytes(const char *text, uint64_t *bytes);
bool parse_u64(const char *text, uint64_t *value); /* decimal digits and nothing else */
