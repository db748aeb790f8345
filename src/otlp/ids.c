/* SPDX-License-Identifier: BSD-2-Clause */
#include "otlp/ids.h"

#include <string.h>

#include "base/hash.h"

#define UUID_FORM "hhhhhhhh-hhhh-hhhh-hhhh-hhhhhhhhhhhh"

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

	if (span_hex(session, UUID_FORM, id.bytes) && memcmp(&id, &none, sizeof(id)) != 0)
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
