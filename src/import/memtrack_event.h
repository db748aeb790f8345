/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An event of memtrack: a MessagePack map with text keys in its artifact, or an object in lines of
 * JSON. Written by others, so nothing is believed: a size that is declared takes no memory, and
 * depth and length are bounded. (libmsgpackc allocates what a list says it has, before the list is
 * there.)
 */
#ifndef SOOTH_IMPORT_MEMTRACK_EVENT_H
#define SOOTH_IMPORT_MEMTRACK_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define MEMTRACK_EVENT_BYTES_MAX 4096

enum memtrack_type {
	MEMTRACK_MALLOC,
	MEMTRACK_FREE,
	MEMTRACK_CALLOC,
	MEMTRACK_REALLOC,
	MEMTRACK_ALIGNED_ALLOC,
	MEMTRACK_MAPPING, /* Mmap, Munmap, Brk */
	MEMTRACK_OTHER,	  /* of processes, or not known here */
};

struct memtrack_event {
	uint64_t timestamp, address, size, old_address;
	uint32_t pid, tid;
	uint8_t type; /* enum memtrack_type */
	bool has_old_address;
};

/* The event that begins there: how many bytes it has; 0: it does not end here; negative: it is
 * none. */
ssize_t memtrack_event_parse(const void *data, size_t size, struct memtrack_event *event);
/* The same of a line of JSON with its newline. */
ssize_t memtrack_line_parse(const void *data, size_t size, struct memtrack_event *event);

#endif
