/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Counts and streams system calls of followed threads. A thread is followed if it has task storage
 * with an interest; a fork copies the interest, so threads and children are followed from their
 * first call. Calls are counted in that storage, and cross to user space when the thread ends or is
 * visited at the end; a stream crosses call by call. A call in flight when its thread is marked has
 * no entry: it is reported when it returns, without a time.
 */
#include "bpf/count.bpf.h"
#include "bpf/stream.bpf.h"
#include "bpf/follow.bpf.h"
#include "bpf/uring.bpf.h"

/* --- the calls --- */

static inline bool is_exec(uint32_t abi, long number)
{
	return abi == ABI_NATIVE && (number == NR_EXECVE || number == NR_EXECVEAT);
}

static inline void read_requested(struct thread *t, uint64_t from, bool is_entry)
{
	t->requested_state = is_entry ? 0 : STATE_UNSEEN;
	if (is_entry &&
		bpf_probe_read_user(t->asked, sizeof(t->asked), (const void *)(unsigned long)from))
		t->requested_state = STATE_UNREAD;
}

/* Returns whether calls of the thread become records, and are not only counted to limit the
 * overhead. */
static inline bool is_streamed(const struct thread *t)
{
	return t->member.interest & INTEREST_STREAM && !control.counts_from_ns;
}

static void enter_stream(struct thread *t, struct pt_regs *regs, bool is_entry)
{
	uint32_t argument = entry_argument(t);
	uint64_t from;

	abi_arguments(regs, t->abi, t->arguments);
	t->path_bytes = 0;
	if (!argument || argument > 6)
		return;
	from = t->arguments[argument_slot(argument)];
	if (is_exec(t->abi, t->number))
		t->path_bytes = (int32_t)string_bytes(bpf_probe_read_user_str(
			t->path, sizeof(t->path), (const void *)(unsigned long)from));
	else if (from)
		read_requested(t, from, is_entry);
}

static inline bool has_bit(const volatile uint64_t *bits, uint32_t number)
{
	return bits[(number / 64) & (SYSCALLS_NUMBERS / 64 - 1)] >> (number % 64) & 1;
}

/* Notes whether the call is selected; the thread has its ABI and number. */
static inline void choose_call(struct thread *t)
{
	uint32_t other = t->abi != ABI_NATIVE && t->abi != ABI_X32;
	const volatile uint64_t *wanted = config.wanted[other & (SYSCALLS_ABIS - 1)];
	const volatile uint64_t *followed = config.followed[other & (SYSCALLS_ABIS - 1)];

	t->is_unwanted = t->is_followed = 0;
	if (t->number >= SYSCALLS_NUMBERS) {
		t->is_unwanted = !config.has_all;
		return;
	}
	if (!config.has_all && !has_bit(wanted, t->number)) {
		t->is_followed = has_bit(followed, t->number);
		t->is_unwanted = !t->is_followed;
	} else if (config.only_failed) {
		t->is_followed = has_bit(followed, t->number);
	}
}

static inline void enter_call(struct thread *t, struct pt_regs *regs, long number)
{
	uint32_t abi = abi_of(current_task(), &number);

	if (t->member.is_before_exec) {
		if (!is_exec(abi, number))
			return;
		t->member.is_before_exec = 0;
	}
	if (config.has_windows)
		budget_enter_window(t);
	t->number = (uint32_t)number;
	t->abi = (uint16_t)abi;
	choose_call(t);
	if (is_streamed(t) && !t->is_unwanted)
		enter_stream(t, regs, true);
	t->in_call = 1;
	t->entered_ns = bpf_ktime_get_ns();
}

static inline struct thread *entering_thread(void)
{
	struct thread *t = thread_current();

	if (!t && following.adopt)
		t = adopt_thread(current_task());
	return t && t->member.interest ? t : 0;
}

SEC("kernel_tp/sys_enter")
int BPF_PROG(on_enter, struct pt_regs *regs, long number)
{
	struct thread *t = entering_thread();

	if (!t)
		return 0;
	enter_call(t, regs, number);
	t->member.done |= DONE_ENTER;
	return 0;
}

SEC("kernel_tp/sys_enter")
int BPF_PROG(on_enter_again, struct pt_regs *regs, long number)
{
	struct thread *t = entering_thread();

	if (t && !was_request_done(&t->member, DONE_ENTER))
		enter_call(t, regs, number);
	return 0;
}

/*
 * Returns whether a return without an entry counts as a call. The call was entered before the
 * thread was followed, or seccomp answered it (the kernel then skips the entry's tracepoint); only
 * its duration is unknown. Two returns do not count: that of a new thread from the fork of its
 * parent, and that of an exec, whose arguments are gone: process.exec has them.
 */
static bool returns_unentered(
	struct thread *t, struct task_struct *task, struct pt_regs *regs, long result)
{
	long number = abi_number(regs);
	uint32_t abi;

	if (t->member.is_before_exec)
		return false;
	t->has_returned = 1;
	/* Windows without a budget count only calls that are in one as a whole. */
	if (number < 0 || (control.epoch && !config.has_budget))
		return false;
	abi = abi_of(task, &number);
	if (!result && (abi_is_fork(abi, (uint32_t)number) || is_exec(abi, number)))
		return false;
	t->abi = (uint16_t)abi;
	t->number = (uint32_t)number;
	t->entered_ns = 0;
	choose_call(t);
	if (is_streamed(t) && !t->is_unwanted)
		enter_stream(t, regs, false);
	return true;
}

static inline void handle_return(
	struct thread *t, struct pt_regs *regs, long result, uint32_t scratch_index)
{
	uint64_t now = bpf_ktime_get_ns();

	if (config.has_windows)
		budget_enter_window(t);
	if (!t->in_call && !returns_unentered(t, current_task(), regs, result))
		return;
	t->has_returned = 1;
	t->in_call = 0;
	if (config.has_windows)
		budget_measure_rate(t);
	if (t->is_unwanted)
		return;
	/* With a budget the slots of counts are used for the budget. */
	if (!config.has_budget && (t->member.interest & INTEREST_COUNT || !is_streamed(t)) &&
		!t->is_followed)
		count_call(t, result, now);
	if (is_streamed(t) && (!config.has_budget || budget_admits(t, result, now)))
		stream_call(t, result, now, scratch_index);
}

SEC("kernel_tp/sys_exit")
int BPF_PROG(on_return, struct pt_regs *regs, long result)
{
	struct thread *t = thread_current();

	if (!t || !t->member.interest)
		return 0;
	handle_return(t, regs, result, SCRATCH_FIRST);
	t->member.done |= DONE_RETURN;
	return 0;
}

SEC("kernel_tp/sys_exit")
int BPF_PROG(on_return_again, struct pt_regs *regs, long result)
{
	struct thread *t = thread_current();

	if (t && t->member.interest && !was_request_done(&t->member, DONE_RETURN))
		handle_return(t, regs, result, SCRATCH_AGAIN);
	return 0;
}

/* --- what following means for them --- */

static void thread_ends(struct thread *t, uint64_t now)
{
	t->budget.skipped = 0;
	if (config.has_windows)
		budget_enter_window(t);
	if (config.has_windows && !config.has_budget)
		__sync_fetch_and_add(&control.calls, t->budget.made % BUDGET_BATCH);
	if (is_streamed(t) && t->in_call && !t->is_unwanted)
		stream_call_without_pieces(
			t, 0, now, 1); /* SOOTH_STATE_ABSENT: the call does not return */
}

/* Reads the path of an exec that could not be read at its entry, because the caller had not touched
 * the page (a child right after its fork): now the kernel has a copy. Not for execveat(2), whose
 * copy begins with the directory. */
static void thread_execs(struct thread *t, struct linux_binprm *program)
{
	/* After an exec the new program has a new budget. */
	__builtin_memset(t->budget.used, 0, sizeof(t->budget.used));
	t->budget.start = SYSCALLS_BUDGET_START;
	if (t->abi == ABI_NATIVE && t->number == NR_EXECVE && t->path_bytes <= 0)
		t->path_bytes = (int32_t)string_bytes(bpf_probe_read_kernel_str(
			t->path, sizeof(t->path), BPF_CORE_READ(program, filename)));
}

static void thread_visited(struct thread *t, struct task_struct *task)
{
	control.silent += !t->has_returned && !t->in_call && !t->uses_uring;
}

static void thread_flush(struct thread *t, uint64_t now)
{
	if (t->in_call && !t->is_unwanted)
		count_open_call(t);
	for (int i = 0; i < SYSCALLS_SLOTS && !config.has_budget; i++) {
		if (i >= t->aggregate.slots_used)
			break;
		flush_slot(t, (uint32_t)i, now);
	}
	for (int i = 0; i < SYSCALLS_ERROR_SLOTS; i++) {
		if (i >= t->aggregate.errors_used)
			break;
		flush_error(t, (uint32_t)i, now);
	}
	flush_urings(t, now);
	t->in_call = 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
