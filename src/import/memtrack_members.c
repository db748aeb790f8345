/* SPDX-License-Identifier: BSD-2-Clause */
#include "import/memtrack_members.h"

uint8_t memtrack_type_of(struct span name)
{
	static const struct {
		const char *name;
		uint8_t type;
	} types[] = { { "Malloc", MEMTRACK_MALLOC }, { "Free", MEMTRACK_FREE },
		{ "Calloc", MEMTRACK_CALLOC }, { "Realloc", MEMTRACK_REALLOC },
		{ "AlignedAlloc", MEMTRACK_ALIGNED_ALLOC }, { "Mmap", MEMTRACK_MAPPING },
		{ "Munmap", MEMTRACK_MAPPING }, { "Brk", MEMTRACK_MAPPING } };

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (span_equal(name, types[i].name))
			return types[i].type;
	}
	return MEMTRACK_OTHER;
}

unsigned memtrack_set_number(struct memtrack_event *e, struct span key, uint64_t number)
{
	if (span_equal(key, "pid")) {
		/* A key may come twice. */
		if (!number || number > INT32_MAX)
			return 0;
		e->pid = (uint32_t)number;
		return MEMTRACK_HAS_PID;
	}
	if (span_equal(key, "timestamp")) {
		e->timestamp = number;
		return MEMTRACK_HAS_TIME;
	}
	if (span_equal(key, "addr")) {
		e->address = number;
		return MEMTRACK_HAS_ADDRESS;
	}
	if (span_equal(key, "tid"))
		e->tid = (uint32_t)number;
	else if (span_equal(key, "size"))
		e->size = number;
	else if (span_equal(key, "old_addr")) {
		e->old_address = number;
		e->has_old_address = true;
	}
	return 0;
}
