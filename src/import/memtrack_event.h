/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An event of memtrack: a MessagePack map with text keys in its artifact, or an object in lines of
 * JSON. The bytes are untrusted: a declared size allocates no memory, and depth and length are
 * bounded. (libmsgpackc allocates the declared size of a list before the list has arrived.)
 */
#pragma once

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
	MEMTRACK_OTHER,	  /* an event of processes, or an unknown one */
};

struct memtrack_event {
	uint64_t timestamp, address, size, old_address;
	uint32_t pid, tid;
	uint8_t type; /* enum memtrack_type */
	bool has_old_address;
};

/* Parses the event at the start of `data`. Returns its size in bytes; 0: the event is incomplete;
 * negative: the data is no event. */
ssize_t memtrack_event_parse(const void *data, size_t size, struct memtrack_event *event);
/* Does the same for a line of JSON with its newline. */
ssize_t memtrack_line_parse(const void *data, size_t size, struct memtrack_event *event);
