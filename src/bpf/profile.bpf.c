/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Takes stacks of followed threads when the clock of their CPU fires. A perf event per CPU calls
 * the program for any thread; it returns at once if the thread is not followed. Stacks can also be
 * taken when selected system calls begin, when a page is touched for the first time, or when a
 * thread stops running.
 */
#include "bpf/member.bpf.h"
#include "bpf/profile.h"

#ifdef WITH_WAITS
#define WALKS_OF_CPU	2 /* a sample may be taken while a wait is written */
#define SAMPLE_WALK	1
#define WAIT_TAIL_WORDS 920 /* of PROFILE_TAIL_MOST: see THREAD_BYTES_MOST */
struct wait {
	uint64_t began_ns; /* 0: the thread runs, or did not run yet */
	uint64_t cpu_ns;   /* CPU time of the thread at that time */
	uint64_t bytes;	   /* bytes of the tail */
	struct profile_raw raw;
	uint64_t tail[WAIT_TAIL_WORDS];
};
#else
#define SAMPLE_WALK 0
#endif

struct thread {
	struct member member;
	uint64_t faults; /* page faults of the thread when it was last seen at one */
#ifdef WITH_WAITS
	struct wait wait;
#endif
};

/* Linux 7.2 limits an element of task storage to 8 KiB (kmalloc_nolock() of mm/slub.c), of which
 * the head of the element takes 64 to 128 bytes. */
#define THREAD_BYTES_MOST (8192 - 256)
_Static_assert(sizeof(struct thread) <= THREAD_BYTES_MOST, "a thread's memory can be had");

#include "bpf/threads.bpf.h"
#include "bpf/walk_user.bpf.h"
#include "bpf/follow.bpf.h"
#include "bpf/abi.bpf.h"

struct profile_control control SEC(".data.control") = {};
const volatile struct profile_calls calls SEC(".rodata.calls") = {};

#include "bpf/profile_faults.bpf.h"

/* Walks the kernel stack without the innermost `own` frames, which belong to the observer. */
static inline void walk_kernel(struct walk *w, void *context, uint32_t own)
{
	uint32_t at = (w->frames & (2 * PROFILE_FRAMES_MAX - 1)) * FRAME_WORDS;
	long bytes;

	if (at > FRAME_WORDS * PROFILE_FRAMES_MAX)
		at = FRAME_WORDS * PROFILE_FRAMES_MAX;
	bytes = bpf_get_stack(context, &w->tail[at], PROFILE_KERNEL_MAX * 8, own);
	w->raw.kernel_frames = bytes > 0 ? (uint32_t)bytes / 8 : 0;
}

static inline void emit_sample(struct walk *w, struct task_struct *task, const struct member *m)
{
	uint32_t bytes = finish(w, task, m);

	if (bytes > sizeof(w->tail))
		bytes = sizeof(w->tail);
	if (bpf_ringbuf_output(&ring, &w->raw, sizeof(w->raw) + bytes, ring_flags()))
		__sync_fetch_and_add(&control.lost, 1);
}

static inline bool is_adopted(struct task_struct *task, struct member *m)
{
	if (!following.adopt || BPF_CORE_READ(task, flags) & PF_KTHREAD || is_own(task) ||
		!has_own_id(task))
		return false;
	if (following.adopt == ADOPT_USER && (uint32_t)bpf_get_current_uid_gid() != following.uid)
		return false;
	identify_member(m, task);
	return true;
}

static inline bool is_followed(struct task_struct *task, struct member *m)
{
	struct thread *t = thread_current();

	if (t && t->member.interest && !t->member.is_before_exec)
		*m = t->member;
	else if (t || !is_adopted(task, m))
		return false;
	return true;
}

#if defined(__TARGET_ARCH_x86)
#define USER_REGISTERS_WORDS 21 /* struct pt_regs of bpf_user_pt_regs_t */
#else
#define USER_REGISTERS_WORDS 34 /* struct user_pt_regs */
#endif

/* struct bpf_perf_event_data; the verifier knows its offsets. */
struct event {
	uint64_t registers[USER_REGISTERS_WORDS];
	uint64_t sample_period; /* period of the clock in ns; of page faults: their number */
	uint64_t address;
};

/* Takes a sample at the clock, or at a page fault, which gets only the user stack. */
SEC("perf_event")
int on_sample(struct event *event)
{
	bool is_fault = event->sample_period <= PROFILE_FAULTS_MOST;
	struct task_struct *task = current_task();
	struct walk *w = walk_at(SAMPLE_WALK);
	struct faults *f = faults_here();
	uint64_t since = 0;
	struct member m;

	if (is_fault && f)
		since = faults_since(f, event);
	if (!w || !f || !is_followed(task, &m))
		return 0;
	if (is_fault)
		since = faults_of_thread(task, since) * choose_fault(f);
	if (is_fault && !since)
		return 0;
	w->index = SAMPLE_WALK;
	walk_user(w, task, &m, user_registers(task));
	if (!is_fault)
		walk_kernel(w, event, 0);
	walk_runtimes(w);
	send_runtime_names(w);
	w->raw.flags = is_fault ? PROFILE_RAW_FAULT : 0;
	w->raw.faults = since;
	if (is_fault)
		w->raw.hash = event->address;
	emit_sample(w, task, &m);
	return 0;
}

#ifdef WITH_WAITS
#include "bpf/profile_waits.bpf.h"
#else

static inline bool is_call_selected(uint32_t abi, uint32_t number)
{
	uint32_t other = abi != ABI_NATIVE && abi != ABI_X32;

	if (calls.has_all)
		return true;
	if (number >= PROFILE_CALL_NUMBERS)
		return false;
	return calls.wanted[other][(number / 64) & (PROFILE_CALL_NUMBERS / 64 - 1)] >>
		       (number % 64) &
	       1;
}

/* Only the user stack: the kernel frames are the same at each system call. */
SEC("kernel_tp/sys_enter")
int BPF_PROG(on_call, struct pt_regs *regs, long number)
{
	struct task_struct *task = current_task();
	uint32_t abi = abi_of(task, &number);
	struct walk *w = walk_at(0);
	struct member m;

	if (!w || !is_call_selected(abi, (uint32_t)number) || !is_followed(task, &m))
		return 0;
	walk_user(w, task, &m, user_registers(task));
	walk_runtimes(w);
	send_runtime_names(w);
	w->raw.call = (uint32_t)number;
	w->raw.abi = (uint16_t)abi;
	emit_sample(w, task, &m);
	return 0;
}

#include "bpf/profile_pages.bpf.h"
#endif

/* --- what following means for it: nothing is counted in a thread --- */

static void thread_ends(struct thread *t, uint64_t now)
{
}

static void thread_flush(struct thread *t, uint64_t now)
{
}

/* Writes an unfinished wait, which only its thread knows. */
static void thread_visited(struct thread *t, struct task_struct *task)
{
#ifdef WITH_WAITS
	emit_open_wait(t, task);
#endif
}

static void thread_execs(struct thread *t, struct linux_binprm *program)
{
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
