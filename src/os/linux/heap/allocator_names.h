/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of allocator functions: the C library's, and those that other allocators add. */
#ifndef SOOTH_OS_LINUX_ALLOCATOR_NAMES_H
#define SOOTH_OS_LINUX_ALLOCATOR_NAMES_H

#include <stddef.h>
#include <stdint.h>

#include "bpf/heap.h"

enum allocator_kind {
	ALLOCATOR_PLAIN,
	/* of C++: probed only in a file that has an allocator of its own; elsewhere it calls one */
	ALLOCATOR_OPERATOR,
	/* the same, and it throws: a return probe on a frame that is unwound ends the program */
	ALLOCATOR_THROWS,
	/* the function that debuggers set a breakpoint on (link.h, r_debug): called after
	 * libraries were loaded */
	ALLOCATOR_LOADER,
	/* called where C++ throws: an operator new that the thread is in does not return */
	ALLOCATOR_EXCEPTION,
	/* called when a thread ends: the C library frees, once more, blocks it has kept for it */
	ALLOCATOR_THREAD_END,
};

struct allocator_name {
	const char *name;
	uint8_t form; /* enum heap_form */
	uint8_t kind; /* enum allocator_kind */
};

/* An address with several names has the first of them in this list. */
extern const struct allocator_name allocator_names[];
extern const size_t allocator_name_count;

#endif
