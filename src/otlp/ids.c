/* SPDX-License-Identifier: BSD-2-Clause */
#include "otlp/ids.h"

#include <string.h>

#include "base/hash.h"

#define UUID_SIZE 36

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Reads "9874aee4-12a4-4a3c-9d1e-0123456789ab". */
static bool read_uuid(struct otlp_trace_id *out, struct span text)
{
	size_t digits = 0;

	if (text.size != UUID_SIZE)
		return false;
	for (size_t i = 0; i < UUID_SIZE; i++) {
		bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;
		int digit = digit_of(text.data[i]);

		if (is_dash ? text.data[i] != '-' : digit < 0)
			return false;
		if (is_dash)
			continue;
		out->bytes[digits / 2] = (unsigned char)(out->bytes[digits / 2] << 4 | digit);
		digits++;
	}
	return true;
}

/* Mixes the bits of a hash: FNV leaves the high ones of short texts alike. */
static uint64_t spread_bits(uint64_t hash)
{
	hash = (hash ^ hash >> 31) * 0x9e3779b97f4a7c15u;
	hash = (hash ^ hash >> 29) * 0xbf58476d1ce4e5b9u;
	hash ^= hash >> 32;
	return hash ? hash : 1; /* 0 is no id */
}

struct otlp_trace_id otlp_trace_of(
	struct span session, const struct process_id *main, uint64_t boot)
{
	struct otlp_trace_id id = { { 0 } }, none = { { 0 } };
	uint64_t first, second;

	if (read_uuid(&id, session) && memcmp(&id, &none, sizeof(id)) != 0)
		return id;
	first = hash_bytes(HASH_BEGIN, session.data, session.size);
	if (!session.size)
		first = hash_bytes(hash_bytes(first, main, sizeof(*main)), &boot, sizeof(boot));
	second = spread_bits(hash_bytes(first, "second half", 11));
	first = spread_bits(first);
	memcpy(id.bytes, &first, sizeof(first));
	memcpy(id.bytes + sizeof(first), &second, sizeof(second));
	return id;
}

uint64_t otlp_span_of(const struct otlp_trace_id *trace, const char *kind,
	const struct process_id *process, uint64_t begin_ns)
{
	uint64_t hash = hash_bytes(HASH_BEGIN, trace, sizeof(*trace));

	hash = hash_bytes(hash, kind, strlen(kind));
	hash = hash_bytes(hash, process, sizeof(*process));
	return spread_bits(hash_bytes(hash, &begin_ns, sizeof(begin_ns)));
}
