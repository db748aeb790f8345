/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * stacks: the stack of every thread of a process at one moment, also of waiting threads. Stacks and
 * frames are defined as in a profile. STACKS_SNAPSHOT ends the records of one process.
 */
#pragma once

#include "probes/profile.h"

enum stacks_kind {
	STACKS_THREAD = 0x1100,
	STACKS_SNAPSHOT = 0x1101,
	STACKS_STACK = 0x1180, /* struct profile_stack */
	STACKS_FRAME = 0x1181, /* struct profile_frame */
};

struct stacks_thread {
	struct sooth_record record;
	uint64_t cpu_ns;
	uint32_t stack;	       /* number of a stacks.stack */
	uint32_t syscall, abi; /* enum syscall_abi */
	char state;
	uint8_t cpu_state;
	uint8_t stack_state;
	uint8_t call_state;    /* absent: the thread is in no call */
	uint8_t channel_state; /* state of wait_channel */
	uint8_t is_on_cpu;     /* the thread was executing: its registers are a moment old */
	uint8_t has_moved;     /* the thread ran meanwhile: frames may be of two moments */
	uint8_t unused[5];
	char process[PROFILE_NAME_BYTES];
	char thread[PROFILE_NAME_BYTES];
	struct sooth_text wait_channel;
};

struct stacks_snapshot {
	struct sooth_record record;
	uint32_t threads;
	uint8_t threads_state; /* truncated: there are more; else why they could not be read */
	uint8_t unused[3];
};

#ifndef __bpf__
extern const struct sooth_schema stacks_stack_schema, stacks_frame_schema;
#endif
