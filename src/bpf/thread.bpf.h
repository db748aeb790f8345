/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A followed thread, the maps, and what every program here needs. */
#ifndef SOOTH_BPF_THREAD_H
#define SOOTH_BPF_THREAD_H

#include "bpf/types.bpf.h"
#include "bpf/abi.bpf.h"
#include "bpf/quirks.bpf.h"
#include "bpf/syscalls.h"
#include "bpf/tally.h"
#include "model/stream_records.h"

#define INTEREST_COUNT	2 /* enum interest */
#define INTEREST_STREAM 4
#define PF_KTHREAD	0x00200000
#define NS_PER_S	1000000000ULL

struct thread {
	uint64_t start_ticks;
	uint32_t pid;
	uint32_t tid;
	uint64_t entered_ns;
	uint32_t number;
	uint16_t abi;
	uint8_t in_call;
	uint8_t is_held;
	uint8_t has_returned; /* since it is followed: an entry that was not seen is not ours to
				 know */
	uint8_t is_let_go;    /* it gained privilege its watcher's caller has not: never again */
	uint8_t unused_bytes[6];
	uint32_t interest;
	uint32_t is_flushed; /* by its own exit or by a visit, whichever comes first */
	uint32_t unused;
	int32_t path_bytes; /* of path, NUL included; 0: not read yet */
	uint64_t arguments[ARGUMENT_SLOTS];
	char path[SYSCALLS_PATH_MAX]; /* of an exec: afterwards its memory is gone */
	struct tally tally;
};

const volatile struct syscalls_config config SEC(".rodata.config") = {};
struct syscalls_control control SEC(".data.control") = {};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct thread);
} threads SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} ring SEC(".maps");

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

#define RECORD_WORDS(type) ((sizeof(type) + SOOTH_RECORD_WORD - 1) / SOOTH_RECORD_WORD)

static inline void record_fill(
	struct sooth_record *r, const struct thread *t, uint16_t kind, uint32_t words, uint64_t now)
{
	r->time_ns = now;
	r->start_ticks = t->start_ticks;
	r->pid = t->pid;
	r->tid = t->tid;
	r->kind = kind;
	r->cpu = (uint16_t)bpf_get_smp_processor_id();
	r->words = (uint16_t)words;
	r->fixed_words = (uint16_t)words;
}

/*
 * The collector reads in its own rhythm and is woken early only as the waiting bytes pass a
 * multiple of wakeup_bytes, a power of two: a wake-up is an interrupt, 2 us in a virtual machine.
 * The window holds several records, or producers that pass it together might all miss it.
 */
#define WAKEUP_WINDOW 1024

static inline uint64_t ring_flags(void)
{
	uint64_t waiting = bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA);

	if (waiting < config.wakeup_bytes)
		return BPF_RB_NO_WAKEUP;
	return (waiting & (config.wakeup_bytes - 1)) < WAKEUP_WINDOW ? BPF_RB_FORCE_WAKEUP
								     : BPF_RB_NO_WAKEUP;
}

static inline uint64_t start_ticks_of(struct task_struct *task)
{
	return BPF_CORE_READ(task, group_leader, start_boottime) / (NS_PER_S / config.ticks_per_s);
}

static inline void identify(struct thread *t, struct task_struct *task)
{
	t->pid = (uint32_t)BPF_CORE_READ(task, tgid);
	t->tid = (uint32_t)BPF_CORE_READ(task, pid);
	t->start_ticks = start_ticks_of(task);
}

#endif
