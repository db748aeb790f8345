/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What maps.bpf.c writes for each mapping: numbers as in the kernel, then a text. */
#ifndef SOOTH_BPF_MAPS_H
#define SOOTH_BPF_MAPS_H

#ifndef __bpf__
#include <stdint.h>
#endif

#define MAPS_TEXT_MAX 4096

enum maps_text {
	MAPS_TEXT_NONE,
	MAPS_TEXT_PATH,	      /* of the file */
	MAPS_TEXT_KERNEL,     /* the kernel's own name, with its brackets */
	MAPS_TEXT_NAMED,      /* given by the process, of anonymous memory */
	MAPS_TEXT_NAMED_FILE, /* the same, of shared anonymous memory */
	MAPS_TEXT_UNSURE,     /* it has one, which is not available here */
};

struct maps_visit {
	uint64_t from, to;
	uint64_t offset;
	uint64_t inode;
	uint64_t flags; /* VM_* of linux/mm.h */
	uint64_t brk_from, brk_to;
	uint64_t stack;
	uint64_t space; /* where the address space ends */
	uint32_t device;
	uint32_t text;	    /* enum maps_text */
	uint32_t text_size; /* bytes behind this */
	uint8_t is_unlinked;
	uint8_t unused[3];
};

#endif
