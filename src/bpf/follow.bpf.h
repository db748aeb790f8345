/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Follows threads through fork, exec and exit, and lets user space visit them. A program that
 * includes this file first defines struct thread (threads.bpf.h) and these functions:
 *
 * - thread_ends(t, now): the thread ends; also called for a muted one
 * - thread_flush(t, now): hand over its counts; called once, at its end or at its visit, when it
 * is muted and no program runs in it
 * - thread_visited(t, task): called before the flush of a visit
 * - thread_execs(t, program): it replaced its program; called after that was reported
 */
#pragma once

#include "bpf/threads.bpf.h"
#include "bpf/privilege.bpf.h"

/* Ring flags of a child's record: when the collector wakes up for it. */
#ifndef JOIN_FLAGS
#define JOIN_FLAGS ring_flags()
#endif

static void thread_ends(struct thread *t, uint64_t now);
static void thread_flush(struct thread *t, uint64_t now);
static void thread_visited(struct thread *t, struct task_struct *task);
static void thread_execs(struct thread *t, struct linux_binprm *program);

static inline uint64_t cpu_time_of(struct task_struct *task)
{
	return BPF_CORE_READ(task, se.sum_exec_runtime);
}

static struct thread *try_follow(struct task_struct *task, uint32_t interest, uint64_t now)
{
	struct thread *t = thread_make(task);

	if (t && t->member.is_released)
		return 0;
	if (t && t->member.is_flushed) { /* followed before: start with a fresh struct */
		thread_drop(task);
		t = thread_make(task);
	}
	if (!t)
		return 0;
	identify_member(&t->member, task);
	if (!t->member.from_ns) {
		t->member.from_ns = now;
		t->member.from_cpu_ns = cpu_time_of(task);
	}
	t->member.interest = interest; /* last: from here on the thread is observed */
	return t;
}

static inline bool is_released(struct task_struct *task)
{
	struct thread *t = thread_of(task);

	return t && t->member.is_released;
}

static struct thread *follow_thread(struct task_struct *task, uint32_t interest, uint64_t now)
{
	struct thread *t = try_follow(task, interest, now);

	if (!t && !is_released(task))
		__sync_fetch_and_add(&follow_control.lost_threads, 1);
	return t;
}

/* Returns whether a task is the collector, or its child for calls that may never return. A launched
 * command has its own program. */
static inline bool is_own(struct task_struct *task)
{
	if (pid_of(task) == following.own_pid)
		return true;
	return BPF_CORE_READ(task, flags) & PF_FORKNOEXEC &&
	       pid_of(BPF_CORE_READ(task, group_leader, real_parent)) == following.own_pid;
}

/* Adopts an unmarked thread if every process, or every one of its user, is a target. */
static struct thread *adopt_thread(struct task_struct *task)
{
	if (following.adopt == ADOPT_USER && (uint32_t)bpf_get_current_uid_gid() != following.uid)
		return 0;
	if (is_own(task) || !has_own_id(task))
		return 0;
	return follow_thread(task, following.interest, bpf_ktime_get_ns());
}

static void emit_join(
	struct thread *child, const struct thread *parent, struct task_struct *task, uint64_t now)
{
	struct process_join *r = bpf_ringbuf_reserve(&ring, sizeof(*r), 0);

	if (!r) {
		__sync_fetch_and_add(&follow_control.lost_joins, 1);
		return;
	}
	record_fill(
		&r->record, &child->member, PROCESS_JOIN, RECORD_WORDS(struct process_join), now);
	r->parent_start_ticks = parent->member.start_ticks;
	r->parent_pid = parent->member.pid;
	r->unused = 0;
	bpf_probe_read_kernel_str(r->name, sizeof(r->name), task->comm);
	bpf_ringbuf_submit(r, JOIN_FLAGS);
}

static void follow_child(struct task_struct *parent, struct task_struct *child)
{
	struct thread *from = thread_of(parent);
	struct thread *to;
	uint64_t now;

	if (!from || !from->member.interest || from->member.is_before_exec)
		return;
	now = bpf_ktime_get_ns();
	to = follow_thread(child, from->member.interest, now);
	if (to && to->member.pid != from->member.pid)
		emit_join(to, from, child, now);
}

SEC("kernel_tp/sched_process_fork")
int BPF_PROG(on_fork, struct task_struct *parent, struct task_struct *child)
{
	follow_child(parent, child);
	return 0;
}

SEC("kernel_tp/sched_process_fork")
int BPF_PROG(on_fork_again, struct task_struct *parent, struct task_struct *child)
{
	if (!thread_of(child))
		follow_child(parent, child);
	return 0;
}

/* The record of an exec. It reads the arguments where exec puts them; user space masks secrets. */
struct exec_reported {
	struct process_exec exec;
	char text[PROCESS_ARGUMENTS_MAX + 1];
};

static inline void read_arguments(struct exec_reported *r, struct task_struct *task)
{
	unsigned long from = BPF_CORE_READ(task, mm, arg_start);
	unsigned long size = BPF_CORE_READ(task, mm, arg_end) - from;
	uint32_t kept = size > PROCESS_ARGUMENTS_MAX ? PROCESS_ARGUMENTS_MAX : (uint32_t)size;

	r->exec.arguments_state = size > PROCESS_ARGUMENTS_MAX ? 2 : 0; /* SOOTH_STATE_TRUNCATED */
	kept &= PROCESS_ARGUMENTS_MAX;
	if (bpf_probe_read_user(r->text, kept, (const void *)from)) {
		r->exec.arguments_state = 4 | 6 << 4; /* SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED) */
		kept = 0;
	}
	r->exec.arguments.offset = sizeof(r->exec);
	r->exec.arguments.size = kept;
	__builtin_memset(r->exec.unused, 0, sizeof(r->exec.unused));
}

static void replace_program(
	struct thread *t, struct task_struct *task, struct linux_binprm *program)
{
	struct exec_reported *r;

	t->member.is_before_exec = 0;
	identify_member(&t->member, task); /* a thread that execs gets the id of its group leader */
	/* ptrace(2) would drop the privilege or be refused; following just ends. */
	if (following.is_elevated && gains_privilege(program)) {
		t->member.interest = 0;
		t->member.is_released = 1;
		__sync_fetch_and_add(&follow_control.released, 1);
		return;
	}
	r = bpf_ringbuf_reserve(&ring, sizeof(*r), 0);
	if (!r) {
		__sync_fetch_and_add(&follow_control.lost_joins, 1);
		return;
	}
	record_fill(&r->exec.record, &t->member, PROCESS_EXEC, RECORD_WORDS(struct exec_reported),
		bpf_ktime_get_ns());
	r->exec.record.fixed_words = RECORD_WORDS(struct process_exec);
	bpf_probe_read_kernel_str(r->exec.name, sizeof(r->exec.name), task->comm);
	read_arguments(r, task);
	bpf_ringbuf_submit(r, ring_flags());
	thread_execs(t, program);
}

SEC("kernel_tp/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct *task, int old_pid, struct linux_binprm *program)
{
	struct thread *t = thread_of(task);

	if (!t || !t->member.interest)
		return 0;
	replace_program(t, task, program);
	t->member.done |= DONE_EXEC;
	return 0;
}

SEC("kernel_tp/sched_process_exec")
int BPF_PROG(on_exec_again, struct task_struct *task, int old_pid, struct linux_binprm *program)
{
	struct thread *t = thread_of(task);

	if (t && t->member.interest && !was_request_done(&t->member, DONE_EXEC))
		replace_program(t, task, program);
	return 0;
}

static void emit_leave(struct thread *t, struct task_struct *task, uint64_t now)
{
	struct process_leave *r = bpf_ringbuf_reserve(&ring, sizeof(*r), 0);
	int group_code = BPF_CORE_READ(task, signal, group_exit_code);

	if (!r) {
		__sync_fetch_and_add(&follow_control.lost_joins, 1);
		return;
	}
	record_fill(&r->record, &t->member, PROCESS_LEAVE, RECORD_WORDS(struct process_leave), now);
	r->status = (uint32_t)(group_code ? group_code : BPF_CORE_READ(task, exit_code));
	__builtin_memset(&r->status_state, 0, sizeof(r->status_state) + sizeof(r->unused));
	bpf_probe_read_kernel_str(r->name, sizeof(r->name), task->comm);
	bpf_ringbuf_submit(r, BPF_RB_FORCE_WAKEUP);
}

static inline void note_cpu(struct member *m, struct task_struct *task)
{
	if (m->interest)
		m->cpu_ns = cpu_time_of(task) - m->from_cpu_ns;
}

static void flush_once(struct thread *t, uint64_t now)
{
	if (claim_flag(&t->member.is_flushed))
		thread_flush(t, now);
}

static void leave_thread(struct thread *t, struct task_struct *task)
{
	uint64_t now = bpf_ktime_get_ns();

	thread_ends(t, now);
	note_cpu(&t->member, task);
	flush_once(t, now); /* also a muted thread: it may end before its visit */
	/* The last thread of the process: the kernel has already decremented the count. */
	if (t->member.interest && BPF_CORE_READ(task, signal, live.counter) == 0)
		emit_leave(t, task, now);
	thread_ended(task);
}

SEC("kernel_tp/sched_process_exit")
int BPF_PROG(on_exit, struct task_struct *task)
{
	struct thread *t = thread_of(task);

	if (t)
		leave_thread(t, task);
	return 0;
}

/* A flushed thread has already left, or is muted and has nothing more to report. */
SEC("kernel_tp/sched_process_exit")
int BPF_PROG(on_exit_again, struct task_struct *task)
{
	struct thread *t = thread_of(task);

	if (t && !t->member.is_flushed)
		leave_thread(t, task);
	return 0;
}

/* --- visits: user space iterates over all threads to mark, mute, flush and list them --- */

static inline bool is_visited(struct task_struct *task)
{
	if (follow_control.pid)
		return pid_of(task) == follow_control.pid &&
		       start_ticks_of(task) == follow_control.start_ticks;
	return !(task->flags & PF_KTHREAD) && pid_of(task) != following.own_pid;
}

/* Does for any thread what adopt_thread() does for the current one. */
static inline bool is_adopted_by_visit(struct task_struct *task)
{
	if (following.adopt == ADOPT_USER &&
		BPF_CORE_READ(task, real_cred, uid.val) != following.uid)
		return false;
	return !is_own(task) && has_own_id(task);
}

static void visit_mark(struct task_struct *task)
{
	struct thread *t = thread_of(task);

	if (t && (t->member.interest == follow_control.interest || t->member.is_released))
		return;
	if (!follow_control.pid && !is_adopted_by_visit(task))
		return;
	t = try_follow(task, follow_control.interest, bpf_ktime_get_ns());
	if (!t) {
		follow_control.unmarked += !is_released(task);
		return;
	}
	t->member.is_before_exec = (uint8_t)follow_control.is_before_exec;
	follow_control.visited++;
}

static void emit_known_thread(struct thread *t, struct task_struct *task)
{
	if (follow_control.visit == VISIT_BEGIN) {
		t->member.from_cpu_ns = cpu_time_of(task);
		return;
	}
	if (follow_control.visit == VISIT_MUTE) {
		note_cpu(&t->member, task);
		follow_control.visited += t->member.interest != 0;
		t->member.interest = 0;
		return;
	}
	if (t->member.interest)
		return;
	if (!t->member.is_flushed)
		thread_visited(t, task);
	flush_once(t, bpf_ktime_get_ns());
}

static void list_thread(struct seq_file *out, struct task_struct *task, const struct thread *t)
{
	struct follow_listed listed = { t->member.pid, t->member.tid, task_is_running(task) };

	if (t->member.interest)
		bpf_seq_write(out, &listed, sizeof(listed));
}

SEC("kernel_iter/task")
int on_visit(struct bpf_iter__task *context)
{
	struct task_struct *task = context->task;
	struct thread *t;

	if (!task || !is_visited(task))
		return 0;
	if (follow_control.visit == VISIT_MARK) {
		visit_mark(task);
		return 0;
	}
	t = thread_of(task);
	if (!t)
		return 0;
	if (follow_control.visit == VISIT_LIST)
		list_thread(context->meta->seq, task, t);
	else
		emit_known_thread(t, task);
	return 0;
}
