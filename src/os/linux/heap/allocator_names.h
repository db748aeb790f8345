/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of allocator functions: those of the C library, and those of other allocators. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "bpf/heap.h"

enum allocator_kind {
	ALLOCATOR_PLAIN,
	/* function of C++: probed only in a file with an allocator of its own; elsewhere it calls
	 * another allocator */
	ALLOCATOR_OPERATOR,
	/* the same, but may throw: a return probe on a frame that is unwound ends the program */
	ALLOCATOR_THROWS,
	/* the function that debuggers set a breakpoint on (link.h, r_debug): called after
	 * libraries were loaded */
	ALLOCATOR_LOADER,
	/* called where C++ throws: an operator new that the thread is in does not return */
	ALLOCATOR_EXCEPTION,
	/* called when a thread ends: the C library then frees again blocks kept for the thread */
	ALLOCATOR_THREAD_END,
};

struct allocator_name {
	const char *name;
	uint8_t form; /* enum heap_form */
	uint8_t kind; /* enum allocator_kind */
};

/* If an address has several names, the first of them in this list counts. */
extern const struct allocator_name allocator_names[];
extern const size_t allocator_name_count;
