/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The part of a followed thread that all programs share, and the way of its records to the ring. */
#pragma once

#include "bpf/types.bpf.h"
#include "bpf/ids.bpf.h"
#include "bpf/quirks.bpf.h"
#include "bpf/follow.h"
#include "model/stream_records.h"

#define INTEREST_COUNT	2 /* enum interest */
#define INTEREST_STREAM 4
#define PF_FORKNOEXEC	0x00000040 /* forked, and no exec since */
#define PF_KTHREAD	0x00200000
#define NS_PER_S	1000000000ULL

/* First member of the struct thread of each program. */
struct member {
	uint64_t start_ticks;
	uint32_t pid;
	uint32_t tid;
	uint64_t from_ns;     /* time at which following began */
	uint64_t from_cpu_ns; /* CPU time of the thread when following, or VISIT_BEGIN, began */
	uint64_t cpu_ns;      /* CPU time since then, until it was muted or ended */
	uint32_t interest;
	uint32_t is_flushed;	/* flushed by its exit or by a visit, whichever came first */
	uint8_t is_before_exec; /* observe nothing before its exec */
	uint8_t is_released; /* it gained privilege that sooth's caller does not have: never follow
			      it again */
	uint8_t done;	     /* DONE_... */
	uint8_t unused[5];
};

const volatile struct follow_config following SEC(".rodata.following") = {};
struct follow_control follow_control SEC(".data.following") = {};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} ring SEC(".maps");

/*
 * From Linux 7.0 on a thread may be preempted within a program at a tracepoint, and until it
 * continues the kernel runs that program for no other thread on that CPU. So a second program is
 * attached behind the first (os/linux/bpf/bpf.h), and does the work if the first was skipped: the
 * first leaves a mark in the thread, the second removes it.
 */
#define DONE_ENTER   1
#define DONE_RETURN  2
#define DONE_EXEC    4
#define DONE_REQUEST 8

static inline bool was_request_done(struct member *m, uint8_t what)
{
	bool is_done = m->done & what;

	m->done &= (uint8_t)~what;
	return is_done;
}

#define RECORD_WORDS(type) ((sizeof(type) + SOOTH_RECORD_WORD - 1) / SOOTH_RECORD_WORD)

static inline void record_fill(
	struct sooth_record *r, const struct member *m, uint16_t kind, uint32_t words, uint64_t now)
{
	r->time_ns = now;
	r->start_ticks = m->start_ticks;
	r->pid = m->pid;
	r->tid = m->tid;
	r->kind = kind;
	r->cpu = (uint16_t)bpf_get_smp_processor_id();
	r->words = (uint16_t)words;
	r->fixed_words = (uint16_t)words;
}

/*
 * The collector reads periodically and is woken early only when the waiting bytes pass a multiple
 * of wakeup_bytes, a power of two: a wake-up is an interrupt, which costs 2 us in a virtual
 * machine. The window holds several records, or producers that pass it together might all miss it.
 */
#define WAKEUP_WINDOW 1024

static inline uint64_t ring_flags(void)
{
	uint64_t waiting = bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA);

	if (waiting < following.wakeup_bytes)
		return BPF_RB_NO_WAKEUP;
	return (waiting & (following.wakeup_bytes - 1)) < WAKEUP_WINDOW ? BPF_RB_FORCE_WAKEUP
									: BPF_RB_NO_WAKEUP;
}

static inline uint64_t start_ticks_of(struct task_struct *task)
{
	return BPF_CORE_READ(task, group_leader, start_boottime) /
	       (NS_PER_S / following.ticks_per_s);
}

static inline void identify_member(struct member *m, struct task_struct *task)
{
	m->pid = pid_of(task);
	m->tid = tid_of(task);
	m->start_ticks = start_ticks_of(task);
}
