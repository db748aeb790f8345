/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * exits: processes of a host as they end, which began not long before. What lives longer is seen
 * by samples; what begins and ends between two of them is seen by nobody else. Shared with the
 * kernel side.
 */
#ifndef SOOTH_PROBES_SHORT_LIVED_H
#define SOOTH_PROBES_SHORT_LIVED_H

#include <sooth/record.h>

enum short_lived_kind {
	SHORT_LIVED_PROCESS = 0x0e00,
	SHORT_LIVED_WATCH = 0x0e80, /* definition: whose ends are told */
};

#define SHORT_LIVED_NAME_SIZE 16

struct short_lived_exit {
	struct sooth_record record; /* its time is that of the end */
	uint64_t parent_start_ticks;
	uint64_t life_ns; /* from its fork on */
	uint64_t cpu_ns;  /* of all its threads, but of those that end at the same moment */
	uint32_t parent_pid;
	uint32_t uid;
	uint32_t status; /* as wait() gives it */
	uint32_t unused;
	char name[SHORT_LIVED_NAME_SIZE]; /* of the last thread: after an exec that of the program
					   */
};

_Static_assert(sizeof(struct short_lived_exit) == 88, "the layout is part of the capture format");

struct short_lived_watch {
	struct sooth_record record;
	uint64_t life_most_ns; /* whoever lived longer is not told */
	uint32_t uid;	       /* only that user's are */
	uint8_t is_of_all;     /* no: everybody's are */
	uint8_t unused[3];
};

_Static_assert(sizeof(struct short_lived_watch) == 48, "the layout is part of the capture format");

#endif
