/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Takes the stack of a followed thread when it stops running, and keeps it in the thread's struct
 * until the thread runs again and the length of the wait is known. The stack is walked when the
 * thread leaves its CPU, because only then its memory can be read; so each switch costs a walk.
 * Waits shorter than `least_ns` are not recorded. The struct was allocated before: a switch cannot
 * allocate, because the allocator may have to wake another thread.
 */
#pragma once

#define STATE_RUNNING 0
#define STATE_BLOCKED 2 /* TASK_UNINTERRUPTIBLE */
#define OWN_FRAMES    2 /* frames of this program, and of the kernel function that runs it */

struct task_struct___of_waits {
	unsigned int in_iowait : 1;
} KERNEL_TYPE;

static inline void emit_wait(struct wait *k, uint64_t now, uint32_t flags)
{
	uint64_t bytes = k->bytes;

	k->raw.record.kind = PROFILE_RAW_WAIT;
	k->raw.waited_ns = now - k->began_ns;
	k->raw.record.time_ns = now;
	k->raw.flags |= flags;
	if (bytes > sizeof(k->tail))
		bytes = sizeof(k->tail);
	if (bpf_ringbuf_output(&ring, &k->raw, sizeof(k->raw) + bytes, ring_flags()))
		__sync_fetch_and_add(&control.lost, 1);
}

static inline void note_state(
	struct profile_raw *r, struct task_struct *task, struct pt_regs *regs, bool is_preempted)
{
	uint64_t state = task_state(task);
	long number = (long)REGISTER_CALL(regs);

	r->state = is_preempted || state == STATE_RUNNING ? PROFILE_PREEMPTED
		   : state & STATE_BLOCKED		  ? PROFILE_BLOCKS
							  : PROFILE_SLEEPS;
	r->flags = BPF_CORE_READ_BITFIELD_PROBED((struct task_struct___of_waits *)task, in_iowait)
			   ? PROFILE_WAIT_IO
			   : 0;
	r->waker_pid = r->waker_tid = 0;
	r->abi = 0;
	r->call = PROFILE_NO_CALL;
	if (number < 0)
		return;
	r->abi = (uint16_t)abi_of(task, &number);
	r->call = (uint32_t)number;
}

static inline void end_wait(struct wait *k, uint64_t now)
{
	uint64_t ns;

	if (!k->began_ns)
		return;
	ns = now - k->began_ns;
	if (ns >= control.least_ns) {
		emit_wait(k, k->began_ns + ns, 0);
	} else {
		__sync_fetch_and_add(&control.short_waits, 1);
		__sync_fetch_and_add(&control.short_ns, ns);
	}
	k->began_ns = 0;
}

/* Ends a wait whose end was missed. About 1 in 1,000 waits ends without a call of any program here
 * (6.18, two CPUs; no recursion is counted). When the thread stops again, the CPU time that it has
 * used in between shows when it ran again. */
static inline void end_missed(struct wait *k, struct task_struct *task)
{
	uint64_t end;

	if (!k->began_ns)
		return;
	end = bpf_ktime_get_ns() - (cpu_time_of(task) - k->cpu_ns);
	end_wait(k, end > k->began_ns ? end : k->began_ns);
}

static inline void begin_wait(void *context, struct task_struct *task, bool is_preempted)
{
	struct thread *t = thread_of(task);
	struct walk *w = walk_at(0);
	uint32_t bytes;

	if (!t || !w || !t->member.interest || t->member.is_before_exec)
		return;
	end_missed(&t->wait, task);
	walk_user(w, task, &t->member, user_registers(task));
	walk_kernel(w, context, OWN_FRAMES);
	walk_runtimes(w);
	send_runtime_names(w);
	note_state(&w->raw, task, user_registers(task), is_preempted);
	bytes = finish_within(w, task, &t->member, WAIT_TAIL_WORDS);
	if (bytes > sizeof(t->wait.tail))
		bytes = sizeof(t->wait.tail);
	bpf_probe_read_kernel(&t->wait.raw, sizeof(t->wait.raw), &w->raw);
	bpf_probe_read_kernel(t->wait.tail, bytes, w->tail);
	t->wait.bytes = bytes;
	t->wait.cpu_ns = cpu_time_of(task);
	t->wait.began_ns = bpf_ktime_get_ns();
}

SEC("kernel_tp/sched_switch")
int BPF_PROG(on_switch, bool is_preempted, struct task_struct *from, struct task_struct *to)
{
	struct thread *t = thread_of(to);

	if (t)
		end_wait(&t->wait, bpf_ktime_get_ns());
	begin_wait(ctx, from, is_preempted);
	return 0;
}

/* Begins the wait of a thread that has not run since following began: only its call is known. */
static inline void begin_old_wait(struct thread *t, struct task_struct *task)
{
	struct walk *w = walk_at(0);

	if (!w || t->member.is_before_exec || task_is_running(task))
		return;
	w->frames = 0;
	w->end = PROFILE_KERNEL_ONLY;
	forget_words(w);
	note_state(&w->raw, task, registers_of(task), false);
	finish(w, task, &t->member);
	w->raw.flags |= PROFILE_WAIT_OLD;
	bpf_probe_read_kernel(&t->wait.raw, sizeof(t->wait.raw), &w->raw);
	t->wait.bytes = 0;
	t->wait.cpu_ns = cpu_time_of(task);
	t->wait.began_ns = t->member.from_ns;
}

/* Notes the thread that wakes a waiting thread. */
SEC("kernel_tp/sched_waking")
int BPF_PROG(on_waking, struct task_struct *task)
{
	struct thread *t = thread_of(task);
	uint32_t tid;

	if (!t)
		return 0;
	if (!t->wait.raw.record.time_ns && t->member.interest)
		begin_old_wait(t, task);
	if (!t->wait.began_ns)
		return 0;
	tid = tid_of(current_task());
	if (!tid || !is_in_call(current_task()))
		return 0;
	t->wait.raw.waker_pid = pid_of(current_task());
	t->wait.raw.waker_tid = tid;
	bpf_get_current_comm(t->wait.raw.waker, sizeof(t->wait.raw.waker));
	return 0;
}

/* Records a wait that has not ended by the end of the observation. */
static inline void emit_open_wait(struct thread *t, struct task_struct *task)
{
	uint64_t now = bpf_ktime_get_ns();

	if (!t->wait.raw.record.time_ns)
		begin_old_wait(t, task);
	if (t->wait.began_ns && now - t->wait.began_ns >= control.least_ns)
		emit_wait(&t->wait, now, PROFILE_WAIT_OPEN);
	t->wait.began_ns = 0;
}
