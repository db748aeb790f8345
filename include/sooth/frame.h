/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames of the stacks of samples (profile.h) and allocations (heap.h). */
#ifndef SOOTH_FRAME_H
#define SOOTH_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum sooth_frame_kind {
	SOOTH_FRAME_USER = 0, /* code of a file */
	SOOTH_FRAME_KERNEL,
	SOOTH_FRAME_GENERATED, /* code in memory that belongs to no file: compiled at run time */
	SOOTH_FRAME_SCRIPT,    /* a function that an interpreter runs; `file` is its source file */
};

/* Texts come from the target: escape them before a terminal. They are never NULL. */
struct sooth_frame {
	const char *function; /* name of the symbol; without a symbol like "libc.so.6+0x12f0" */
	const char *file;     /* file name without folders, with lines "hot.c:17"; "": none */
	uint64_t offset;      /* in the file; without a file: the address */
	enum sooth_frame_kind kind;
	bool is_named; /* false: no symbol covers the address */
};

#ifdef __cplusplus
}
#endif
#endif
