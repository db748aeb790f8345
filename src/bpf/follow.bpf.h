/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Following threads through fork, exec and exit. */
#ifndef SOOTH_BPF_FOLLOW_H
#define SOOTH_BPF_FOLLOW_H

#include "bpf/count.bpf.h"
#include "bpf/stream.bpf.h"

static struct thread *follow(struct task_struct *task, uint32_t interest, uint64_t now)
{
	struct thread *t = bpf_task_storage_get(&threads, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (!t) {
		__sync_fetch_and_add(&control.lost_threads, 1);
		return 0;
	}
	if (t->is_let_go)
		return 0;
	identify(t, task);
	if (!t->tally.from_ns)
		t->tally.from_ns = now;
	t->interest = interest; /* last: from here on the thread counts */
	return t;
}

/* A thread nobody marked: it may belong all the same, when every process does. */
static struct thread *adopt(struct task_struct *task)
{
	if (config.adopt == ADOPT_USER && (uint32_t)bpf_get_current_uid_gid() != config.uid)
		return 0;
	if (BPF_CORE_READ(task, tgid) == (int)config.own_pid)
		return 0;
	return follow(task, config.interest, bpf_ktime_get_ns());
}

static void tell_join(
	struct thread *child, const struct thread *parent, struct task_struct *task, uint64_t now)
{
	struct process_join *r = bpf_ringbuf_reserve(&ring, sizeof(*r), 0);

	if (!r) {
		__sync_fetch_and_add(&control.lost_events, 1);
		return;
	}
	record_fill(&r->record, child, PROCESS_JOIN, RECORD_WORDS(struct process_join), now);
	r->parent_start_ticks = parent->start_ticks;
	r->parent_pid = parent->pid;
	r->unused = 0;
	bpf_probe_read_kernel_str(r->name, sizeof(r->name), task->comm);
	bpf_ringbuf_submit(r, ring_flags());
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(on_fork, struct task_struct *parent, struct task_struct *child)
{
	struct thread *from = bpf_task_storage_get(&threads, parent, 0, 0);
	struct thread *to;
	uint64_t now;

	if (!from || !from->interest || from->is_held)
		return 0;
	now = bpf_ktime_get_ns();
	to = follow(child, from->interest, now);
	if (to && to->pid != from->pid)
		tell_join(to, from, child, now);
	return 0;
}

/* BINPRM_FLAGS_ENFORCE_NONDUMP: its caller may run this file, but not read it
 * (include/linux/binfmts.h). */
#define PROGRAM_IS_UNREADABLE 1

static inline bool gains_privilege(struct linux_binprm *program)
{
	return BPF_CORE_READ_BITFIELD_PROBED(program, secureexec) ||
	       BPF_CORE_READ(program, interp_flags) & PROGRAM_IS_UNREADABLE;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct *task, int old_pid, struct linux_binprm *program)
{
	struct thread *t = bpf_task_storage_get(&threads, task, 0, 0);
	struct process_exec *r;

	if (!t || !t->interest)
		return 0;
	identify(t, task); /* a thread that execs takes its leader's id */
	/* ptrace(2) would take the privilege away, or refuse; we look away instead. */
	if (config.is_elevated && gains_privilege(program)) {
		t->interest = 0;
		t->is_let_go = 1;
		__sync_fetch_and_add(&control.let_go, 1);
		return 0;
	}
	r = bpf_ringbuf_reserve(&ring, sizeof(*r), 0);
	if (!r) {
		__sync_fetch_and_add(&control.lost_events, 1);
		return 0;
	}
	record_fill(
		&r->record, t, PROCESS_EXEC, RECORD_WORDS(struct process_exec), bpf_ktime_get_ns());
	bpf_probe_read_kernel_str(r->name, sizeof(r->name), task->comm);
	bpf_ringbuf_submit(r, ring_flags());
	return 0;
}

static void tell_leave(struct thread *t, struct task_struct *task, uint64_t now)
{
	struct process_leave *r = bpf_ringbuf_reserve(&ring, sizeof(*r), 0);
	int group_code = BPF_CORE_READ(task, signal, group_exit_code);

	if (!r) {
		__sync_fetch_and_add(&control.lost_events, 1);
		return;
	}
	record_fill(&r->record, t, PROCESS_LEAVE, RECORD_WORDS(struct process_leave), now);
	r->status = (uint32_t)(group_code ? group_code : BPF_CORE_READ(task, exit_code));
	r->unused = 0;
	bpf_probe_read_kernel_str(r->name, sizeof(r->name), task->comm);
	bpf_ringbuf_submit(r, BPF_RB_FORCE_WAKEUP);
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_exit, struct task_struct *task)
{
	struct thread *t = bpf_task_storage_get(&threads, task, 0, 0);
	uint64_t now;

	if (!t)
		return 0;
	now = bpf_ktime_get_ns();
	if (t->interest & INTEREST_STREAM && t->in_call)
		stream_plain(t, 0, now, 1); /* SOOTH_STATE_ABSENT: it does not return */
	flush_thread(t, now);		    /* a muted thread too: it may end before its visit */
	t->in_call = 0;
	if (!t->interest)
		return 0;
	/* The last thread of the process: the kernel has taken it off the count already. */
	if (BPF_CORE_READ(task, signal, live.counter) == 0)
		tell_leave(t, task, now);
	return 0;
}

#endif
