/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A thread whose system calls are followed, and maps for what has no room in its struct. */
#pragma once

#include "bpf/member.bpf.h"
#include "bpf/abi.bpf.h"
#include "bpf/syscalls.h"
#include "bpf/aggregate.h"
#include "bpf/call_pieces.h"

#define BUDGET_CLASSES 8 /* a power of two */

_Static_assert(SYSCALLS_CLASSES <= BUDGET_CLASSES, "each class has a place");

struct budget {
	uint32_t window;
	uint32_t made;	  /* calls, all windows of the probe together */
	uint32_t epoch;	  /* the last window of the probe with a call */
	uint32_t skipped; /* the current call is skipped; so is the next one */
	uint8_t class_;
	uint8_t gaps;
	uint8_t is_after_gap; /* after a gap of the probe that is not reported yet */
	uint8_t unused;
	uint16_t start; /* left of SYSCALLS_BUDGET_START */
	uint8_t used[BUDGET_CLASSES];
};

struct thread {
	struct member member;
	struct budget budget;
	uint64_t entered_ns; /* 0: the begin of the call was not seen */
	uint32_t number;
	uint16_t abi;
	uint8_t in_call;
	uint8_t has_returned; /* a call has returned since the thread is followed */
	int32_t path_bytes;   /* size of the path, NUL included; 0: not read yet */
	uint8_t is_unwanted;  /* the current call is not selected */
	uint8_t is_followed;  /* the current call is selected only because it changes descriptors */
	uint8_t uses_uring;
	uint8_t requested_state;
	uint64_t arguments[ARGUMENT_SLOTS];
	char path[SYSCALLS_PATH_MAX];	      /* path of an exec, whose memory is gone afterwards */
	char asked[SYSCALLS_REQUESTED_BYTES]; /* the request, before the kernel overwrites it */
	struct aggregate aggregate;
	uint64_t uring[SYSCALLS_URING_OPS];	    /* requests submitted to io_uring, by opcode */
	uint32_t uring_sockets[SYSCALLS_URING_OPS]; /* requests of these that were on connections */
	/* By opcode: its first request has been reported, and its first one on a connection. */
	uint8_t uring_reported[SYSCALLS_URING_OPS];
};

#include "bpf/threads.bpf.h"

const volatile struct syscalls_config config SEC(".rodata.config") = {};
struct syscalls_control control SEC(".data.control") = {};

/* Returns whether the call moves bytes through the descriptor in its first argument. */
static inline bool moves_bytes(const struct thread *t)
{
	return t->abi == ABI_NATIVE && t->number < SYSCALLS_NUMBERS &&
	       config.moves[(t->number / 64) & (SYSCALLS_NUMBERS / 64 - 1)] >> (t->number % 64) & 1;
}

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, OVERFLOW_ENTRIES);
	__type(key, struct overflow_key);
	__type(value, struct overflow_value);
} overflow SEC(".maps");

/* One for each program that may be in the middle of a call on a CPU. */
#define SCRATCH_FIRST 0
#define SCRATCH_AGAIN 1

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2);
	__type(key, uint32_t);
	__type(value, struct call_with_pieces);
} scratch SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, uint32_t);
	__type(value, struct overflow_value);
} zero SEC(".maps");
