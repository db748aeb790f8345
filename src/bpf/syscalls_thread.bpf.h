/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A thread whose system calls are followed, and what has no room in it. */
#ifndef SOOTH_BPF_SYSCALLS_THREAD_H
#define SOOTH_BPF_SYSCALLS_THREAD_H

#include "bpf/member.bpf.h"
#include "bpf/abi.bpf.h"
#include "bpf/syscalls.h"
#include "bpf/tally.h"

struct thread {
	struct member member;
	uint64_t entered_ns;
	uint32_t number;
	uint16_t abi;
	uint8_t in_call;
	uint8_t has_returned; /* since it is followed: an entry that was not seen is not ours to
				 know */
	int32_t path_bytes;   /* of path, NUL included; 0: not read yet */
	uint32_t unused;
	uint64_t arguments[ARGUMENT_SLOTS];
	char path[SYSCALLS_PATH_MAX]; /* of an exec: afterwards its memory is gone */
	struct tally tally;
};

#include "bpf/threads.bpf.h"

const volatile struct syscalls_config config SEC(".rodata.config") = {};
struct syscalls_control control SEC(".data.control") = {};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, OVERFLOW_ENTRIES);
	__type(key, struct overflow_key);
	__type(value, struct overflow_value);
} overflow SEC(".maps");

/* A call with its path is too large for the stack. */
struct call_with_path {
	struct syscalls_call call;
	char path[SYSCALLS_PATH_MAX];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, uint32_t);
	__type(value, struct call_with_path);
} scratch SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, uint32_t);
	__type(value, struct overflow_value);
} zero SEC(".maps");

#endif
