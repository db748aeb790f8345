/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Workarounds for certain kernels, each with the version on which it was seen. */
#pragma once

/*
 * Before Linux 5.12 no atomic operation returns a value. The first claim wins there too, except
 * for two within the same nanoseconds: a thread's end and the visit at the end.
 */
#ifdef THREADS_IN_HASH
static inline bool claim_flag(uint32_t *flag)
{
	if (*flag)
		return false;
	*flag = 1;
	return true;
}
#else
static inline bool claim_flag(uint32_t *flag)
{
	return !__sync_val_compare_and_swap(flag, 0, 1);
}
#endif

/*
 * A global function is verified once on its own instead of once per iteration of the loop that
 * calls it: loading takes a third of the time. The verifier assumes nothing about its arguments.
 * Pointers to memory are allowed as arguments since 5.13.
 */
#ifdef THREADS_IN_HASH
#define VERIFIED_ALONE	static __attribute__((noinline))
#define VERIFIES_LITTLE 1
#else
#define VERIFIED_ALONE	__attribute__((noinline))
#define VERIFIES_LITTLE 0
#endif

/* The same for functions whose arguments are all numbers, which every supported kernel accepts.
 * Otherwise loops multiply the work of the verifier (on 6.1 a minute under emulation). */
#define VERIFIED_ALONE_BY_NUMBERS __attribute__((noinline))

/* Before 5.11 the current task has no type: its members cannot be read directly. */
#ifdef THREADS_IN_HASH
#define TASK_READ(task, member) BPF_CORE_READ(task, member)
#else
#define TASK_READ(task, member) ((task)->member)
#endif

/* Returns the size of a string that was read. Before Linux 6.14 reading an empty string from user
 * space returns 0 bytes, later 1 for its NUL, as for any other string. */
static inline long string_bytes(long read)
{
	return read ? read : 1;
}

/* Returns the state of a task: Linux 5.14 renamed task_struct.state. 0 is TASK_RUNNING: on a CPU,
 * or waiting for one. */
static inline uint64_t task_state(struct task_struct *task)
{
	struct task_struct___before_5_14 *old = (void *)task;

	if (bpf_core_field_exists(task->__state))
		return BPF_CORE_READ(task, __state);
	return BPF_CORE_READ(old, state);
}

static inline bool task_is_running(struct task_struct *task)
{
	return !task_state(task);
}

/*
 * Linux 6.2 counts resident pages per CPU; counts not yet flushed by the CPUs are missing here, as
 * in the kernel's own message about a killed process.
 */
enum { RSS_FILE = 0, RSS_ANONYMOUS = 1, RSS_SHARED = 3 }; /* include/linux/mm_types_task.h */

#define RSS_PAGES(mm, member)                                                                      \
	({                                                                                         \
		struct mm_struct___before_6_2 *before = (void *)(mm);                              \
		int64_t pages = bpf_core_field_exists(before->rss_stat.count)                      \
					? BPF_CORE_READ(before, rss_stat.count[member].counter)    \
					: BPF_CORE_READ(mm, rss_stat[member].count);               \
		pages > 0 ? (uint64_t)pages : 0;                                                   \
	})

#define URING_FIXED_FILE 1 /* IOSQE_FIXED_FILE, REQ_F_FIXED_FILE */

/*
 * The opcode of a submission to io_uring. Linux 6.4 has io_uring_submit_req(request); before it
 * io_uring_submit_sqe had other arguments: from 6.0 on (request, ...), from 5.17 on (context,
 * request, user data, opcode, ...), from 5.14 on the last two swapped, before that (context,
 * opcode, ...). Kernels with a backported io_uring have the arguments of the later kernel:
 * os/linux/syscalls/syscalls_uring.h.
 */
static inline uint32_t uring_request_opcode(unsigned long long *arguments)
{
	struct io_kiocb *request = (void *)arguments[0];

	return BPF_CORE_READ(request, opcode);
}

/* Returns the descriptor of a submission; that of a registered file is unknown. */
static inline int uring_request_fd(unsigned long long *arguments)
{
	struct io_kiocb *request = (void *)arguments[0];

	if (!bpf_core_field_exists(request->cqe.fd) ||
		BPF_CORE_READ(request, flags) & URING_FIXED_FILE)
		return -1;
	return BPF_CORE_READ(request, cqe.fd);
}

/* Returns the request that io_uring_complete(context, request, ...) reports, and its result; 0:
 * unknown, as before 5.19, where the tracepoint has no request. */
static inline struct io_kiocb *uring_completed(unsigned long long *arguments, int64_t *result)
{
	struct io_kiocb *request = (void *)arguments[1];

	if (!bpf_core_field_exists(request->cqe.res))
		return 0;
	*result = BPF_CORE_READ(request, cqe.res);
	return request;
}

static inline uint32_t uring_entry_opcode(unsigned long long *arguments, uint32_t which)
{
	unsigned long long one = arguments[1], two = arguments[2], three = arguments[3];

	/* Else the compiler merges them into one read at a computed place, which the verifier
	 * rejects. */
	asm volatile("" : "+r"(one), "+r"(two), "+r"(three));
	return (uint8_t)(which == 3 ? three : which == 2 ? two : one);
}

/* Returns the task that is killed: since 6.8 (and backports) mark_victim gets the task, before that
 * only its pid. */
static inline struct task_struct *victim_task(unsigned long long *arguments)
{
	if (bpf_core_field_exists(struct trace_event_raw_mark_victim, anon_rss))
		return (struct task_struct *)arguments[0];
	return 0;
}
