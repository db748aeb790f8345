/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * System calls of followed threads. A thread is followed when it has task
 * storage with an interest; a fork hands it on, so threads and children are in
 * from their first call. Counting happens in that storage and crosses to user
 * space when the thread ends or is visited at the end; a stream crosses call by
 * call. A call in flight when a thread is marked has no entry and is not counted.
 */
#include "bpf/follow.bpf.h"

/* --- the calls --- */

static inline bool is_exec(uint32_t abi, long number)
{
	return abi == ABI_NATIVE && (number == NR_EXECVE || number == NR_EXECVEAT);
}

static void enter_stream(struct thread *t, struct pt_regs *regs)
{
	uint32_t argument = path_argument(t);

	abi_arguments(regs, t->abi, t->arguments);
	t->path_bytes = 0;
	if (is_exec(t->abi, t->number) && argument >= 1 && argument <= 6)
		t->path_bytes = (int32_t)bpf_probe_read_user_str(t->path, sizeof(t->path),
			(const void *)(unsigned long)t->arguments[argument_slot(argument)]);
}

SEC("tp_btf/sys_enter")
int BPF_PROG(on_enter, struct pt_regs *regs, long number)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct thread *t = bpf_task_storage_get(&threads, task, 0, 0);
	uint32_t abi;

	if (!t && config.adopt)
		t = adopt(task);
	if (!t || !t->interest)
		return 0;
	abi = abi_of(task, &number);
	if (t->is_held) {
		if (!is_exec(abi, number))
			return 0;
		t->is_held = 0;
	}
	t->number = (uint32_t)number;
	t->abi = (uint16_t)abi;
	if (t->interest & INTEREST_STREAM)
		enter_stream(t, regs);
	t->in_call = 1;
	t->entered_ns = bpf_ktime_get_ns();
	return 0;
}

/*
 * A return without an entry. The first of a thread belongs to a call that was
 * entered before it was followed, or to the fork that made it. Any later one is
 * a call that seccomp answered: the kernel then skips the entry's tracepoint.
 */
static bool returns_unentered(
	struct thread *t, struct task_struct *task, struct pt_regs *regs, uint64_t now)
{
	long number = abi_number(regs);

	if (t->is_held)
		return false;
	if (!t->has_returned) {
		t->has_returned = 1;
		return false;
	}
	if (number < 0)
		return false;
	t->abi = (uint16_t)abi_of(task, &number);
	t->number = (uint32_t)number;
	t->entered_ns = now;
	if (t->interest & INTEREST_STREAM)
		enter_stream(t, regs);
	return true;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(on_return, struct pt_regs *regs, long result)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct thread *t = bpf_task_storage_get(&threads, task, 0, 0);
	uint64_t now;

	if (!t || !t->interest)
		return 0;
	now = bpf_ktime_get_ns();
	if (!t->in_call && !returns_unentered(t, task, regs, now))
		return 0;
	t->has_returned = 1;
	t->in_call = 0;
	if (t->interest & INTEREST_COUNT)
		count_call(t, result, now - t->entered_ns);
	if (t->interest & INTEREST_STREAM)
		stream_call(t, result, now);
	return 0;
}

/* --- visits: user space walks all threads to mark, mute and flush them --- */

static inline bool is_visited(struct task_struct *task)
{
	if (control.pid)
		return task->tgid == (int)control.pid &&
		       start_ticks_of(task) == control.start_ticks;
	return !(task->flags & PF_KTHREAD) && task->tgid != (int)config.own_pid;
}

static void visit_mark(struct task_struct *task)
{
	struct thread *t = bpf_task_storage_get(&threads, task, 0, 0);

	if (t && (t->interest == control.interest || t->is_let_go))
		return;
	if (t && t->is_flushed)
		bpf_task_storage_delete(&threads, task); /* followed once before: start afresh */
	t = follow(task, control.interest, bpf_ktime_get_ns());
	if (!t)
		return;
	t->is_held = (uint8_t)control.is_held;
	control.visited++;
}

static void visit_known(struct task_struct *task)
{
	struct thread *t = bpf_task_storage_get(&threads, task, 0, 0);

	if (!t)
		return;
	if (control.visit == VISIT_MUTE) {
		control.visited += t->interest != 0;
		t->interest = 0;
		return;
	}
	if (t->interest)
		return;
	control.silent += !t->has_returned && !t->in_call && !t->is_flushed;
	flush_thread(t, bpf_ktime_get_ns());
}

SEC("iter/task")
int on_visit(struct bpf_iter__task *context)
{
	struct task_struct *task = context->task;

	if (!task || !is_visited(task))
		return 0;
	if (control.visit == VISIT_MARK)
		visit_mark(task);
	else
		visit_known(task);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
