/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * resident: resident memory of a process by kind, at the changes of the kernel's counters. Small
 * changes are not recorded: a record follows when a kind or the sum has changed by
 * RESIDENT_STEP_BYTES, or by 1/128 of the sum where that is more. Highest values before a decrease
 * of that size are recorded, so no peak is missed. Shared with the kernel side.
 */
#pragma once

#include <stddef.h>

#include <sooth/record.h>

enum resident_kind {
	RESIDENT_LEVEL = 0x1500,
};

/* Kinds of memory, numbered as the kernel does. */
enum resident_member {
	RESIDENT_FILE,
	RESIDENT_ANONYMOUS,
	RESIDENT_SWAP, /* not resident */
	RESIDENT_SHARED,
	RESIDENT_MEMBERS,
};

enum resident_cause {
	RESIDENT_CHANGED,
	RESIDENT_FIRST, /* first value of a program */
	RESIDENT_LAST,	/* last value of a program: exec, exit, or the observation ends */
	RESIDENT_CAUSES,
};

#define RESIDENT_STEP_BYTES  65536
#define RESIDENT_STEP_SHARES 128

struct resident_level {
	struct sooth_record record; /* time_ns: when it was recorded */
	uint64_t at_ns;		    /* time of the values: a highest value is recorded later */
	uint64_t bytes[RESIDENT_MEMBERS];
	/* Highest sum of file, anonymous and shared bytes of this program in the observation. */
	uint64_t peak_bytes;
	uint64_t kernel_peak_bytes;  /* VmHWM: the same, as the kernel has noted it */
	uint64_t start_peak_bytes;   /* VmHWM at the first record of the program */
	uint64_t error_bytes;	     /* bound of the error of each kind in `bytes` */
	uint64_t kernel_error_bytes; /* bound of the error of VmHWM */
	uint32_t page_bytes;
	uint8_t cause; /* enum resident_cause */
	uint8_t unused[3];
};

#ifndef __bpf__
extern const struct sooth_names resident_member_names;
#endif

_Static_assert(sizeof(struct resident_level) == 120, "the layout is part of the capture format");

static inline uint64_t resident_sum(const uint64_t bytes[RESIDENT_MEMBERS])
{
	return bytes[RESIDENT_FILE] + bytes[RESIDENT_ANONYMOUS] + bytes[RESIDENT_SHARED];
}
