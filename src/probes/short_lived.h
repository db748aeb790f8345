/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * short_lived: processes of a host that end soon after their start. Samples show the longer ones;
 * only this probe sees those that start and end between two samples. Shared with the kernel side.
 */
#pragma once

#include <sooth/record.h>

enum short_lived_kind {
	SHORT_LIVED_PROCESS = 0x0e00,
	SHORT_LIVED_WATCH = 0x0e80, /* definition: which exits are recorded */
};

#define SHORT_LIVED_NAME_SIZE 16

struct short_lived_exit {
	struct sooth_record record; /* record.time_ns is the time of the exit */
	uint64_t parent_start_ticks;
	uint64_t life_ns; /* lifetime of the process, from its fork on */
	uint64_t cpu_ns; /* CPU time of all its threads, except those that end at the same moment */
	uint32_t parent_pid;
	uint32_t uid;
	uint32_t status; /* status as wait() gives it */
	uint32_t unused;
	char name[SHORT_LIVED_NAME_SIZE]; /* name of the last thread; after an exec the name of the
					     program */
};

_Static_assert(sizeof(struct short_lived_exit) == 88, "the layout is part of the capture format");

struct short_lived_watch {
	struct sooth_record record;
	uint64_t life_most_ns; /* the exits of older processes are not recorded */
	uint32_t uid;	       /* only this user's exits are recorded */
	uint8_t is_of_all;     /* all users' exits are recorded */
	uint8_t unused[3];
};

_Static_assert(sizeof(struct short_lived_watch) == 48, "the layout is part of the capture format");
