/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Measures how long followed threads are in each state, at the changes: a switch or a wake-up. The
 * times are summed in memory of the thread. A state lasts from one change to the next, so the times
 * add up to the observed time.
 *
 * The first change after all programs are attached shows the state before it: nothing was missed in
 * between. So the state of a thread is not read at the start; if it never changes, it is read at
 * the end.
 *
 * All three tracepoints are in sections without interrupts, where no thread is preempted: they need
 * no second program (os/linux/bpf/bpf.h). They cannot allocate memory: the struct of a thread was
 * made before.
 */
#include "bpf/member.bpf.h"
#include "bpf/log2.h"
#include "bpf/sched.h"

#define SWITCH_BATCH 32 /* switches of a thread until they are added to the total */
#define STATE_BITS   8	/* at least SCHED_STATES; a power of two */

struct thread {
	struct member member;
	uint64_t since_ns; /* start of its state; 0: not known yet */
	uint64_t from_ns;  /* start of the window */
	uint64_t until_ns; /* end of the window, once it is over */
	uint64_t waking_ns;
	uint64_t state_ns[STATE_BITS];
	uint64_t voluntary, involuntary, wakeups, longest_ns, longest_at_ns;
	uint64_t moved_before, moved;
	uint32_t histogram[SCHED_BUCKETS];
	uint32_t waker_pid, waker_tid;
	uint8_t state, flags;
	char process[SCHED_NAME_BYTES];
	char thread[SCHED_NAME_BYTES];
	char waker[SCHED_NAME_BYTES];
};

#include "bpf/threads.bpf.h"
#include "bpf/follow.bpf.h"
#include "bpf/registers.bpf.h"

struct sched_control control SEC(".data.control") = {};
const volatile struct sched_config config SEC(".rodata.config") = {};

#define SWITCH_STATE 3	    /* among the arguments of sched_switch */
#define TASK_BLOCKED 0x02   /* TASK_UNINTERRUPTIBLE */
#define TASK_HALTED  0x800c /* __TASK_STOPPED, __TASK_TRACED; from 6.1 on TASK_FROZEN */

struct task_struct___of_sched {
	int on_cpu;
	unsigned long nvcsw, nivcsw;
	struct sched_entity se;
} KERNEL_TYPE;

static inline uint8_t waiting_state(uint64_t state)
{
	return state & TASK_HALTED    ? SCHED_STOPPED
	       : state & TASK_BLOCKED ? SCHED_BLOCKS
				      : SCHED_SLEEPS;
}

/* Returns the state of any thread, at any time. */
static inline uint8_t state_now(struct task_struct *task)
{
	struct task_struct___of_sched *t = (void *)task;

	if (bpf_core_field_exists(t->on_cpu) && BPF_CORE_READ(t, on_cpu))
		return SCHED_RUNS;
	return task_is_running(task) ? SCHED_PREEMPTED : waiting_state(task_state(task));
}

static inline uint64_t migrations_of(struct task_struct *task)
{
	return BPF_CORE_READ((struct task_struct___of_sched *)task, se.nr_migrations);
}

static inline bool has_run(struct task_struct *task)
{
	struct task_struct___of_sched *t = (void *)task;

	return BPF_CORE_READ(t, nvcsw) || BPF_CORE_READ(t, nivcsw);
}

static inline void read_names(struct thread *t, struct task_struct *task)
{
	bpf_probe_read_kernel_str(t->thread, sizeof(t->thread), task->comm);
	bpf_probe_read_kernel_str(
		t->process, sizeof(t->process), BPF_CORE_READ(task, group_leader)->comm);
}

/* Returns the thread if this moment counts, else NULL. A launched command counts from the last
 * change before its exec. */
static inline struct thread *counted_thread(struct task_struct *task, uint64_t now)
{
	struct thread *t;

	if (!control.began_ns || now < control.began_ns ||
		(control.ended_ns && now >= control.ended_ns))
		return 0;
	t = thread_of(task);
	if (!t || !t->member.interest || t->member.is_flushed)
		return 0;
	if (t->member.is_before_exec)
		t->member.from_ns = now;
	return t->member.is_before_exec ? 0 : t;
}

/* Begins a thread whose state is unknown: it has been in `state` since its observation began. */
static inline void begin_thread(struct thread *t, struct task_struct *task, uint8_t state)
{
	if (t->since_ns)
		return;
	t->flags = has_run(task) ? SCHED_OLD : 0;
	t->from_ns = t->member.from_ns;
	if (t->from_ns < control.began_ns)
		t->from_ns = control.began_ns;
	t->moved_before = migrations_of(task);
	t->state = state;
	t->since_ns = t->from_ns;
}

static inline void emit_change(
	struct thread *t, struct task_struct *task, uint64_t ns, uint64_t at, uint8_t next)
{
	struct sched_change *r;
	bool is_woken = next == SCHED_WOKEN && t->waker_pid;

	if (!(following.interest & INTEREST_STREAM) || control.is_light)
		return;
	r = bpf_ringbuf_reserve(&ring, sizeof(*r), 0);
	if (!r) {
		__sync_fetch_and_add(&follow_control.lost_records, 1);
		return;
	}
	record_fill(&r->record, &t->member, SCHED_CHANGE, RECORD_WORDS(struct sched_change), at);
	r->duration_ns = ns;
	r->state = t->state;
	r->next = next;
	r->next_state = t->flags & (SCHED_OPEN | SCHED_LAST) ? 1 : 0; /* SOOTH_STATE_ABSENT */
	r->flags = t->flags;
	r->waker_state = is_woken ? 0 : 1;
	r->waker_pid = is_woken ? t->waker_pid : 0;
	r->waker_tid = is_woken ? t->waker_tid : 0;
	__builtin_memset(r->unused, 0, sizeof(r->unused));
	__builtin_memcpy(r->waker, t->waker, sizeof(r->waker));
	if (!is_woken)
		__builtin_memset(r->waker, 0, sizeof(r->waker));
	bpf_probe_read_kernel_str(r->thread, sizeof(r->thread), task->comm);
	bpf_probe_read_kernel_str(
		r->process, sizeof(r->process), BPF_CORE_READ(task, group_leader)->comm);
	bpf_ringbuf_submit(r, ring_flags());
}

/* Returns how long it was in the state that it leaves. */
static inline uint64_t change_state(
	struct thread *t, struct task_struct *task, uint64_t now, uint8_t next)
{
	uint64_t ns = now > t->since_ns ? now - t->since_ns : 0;

	t->state_ns[t->state & (STATE_BITS - 1)] += ns;
	emit_change(t, task, ns, t->since_ns + ns, next);
	t->since_ns += ns;
	t->state = next;
	t->flags = 0;
	return ns;
}

static inline void begin_to_run(struct thread *t, struct task_struct *task, uint64_t now)
{
	uint8_t before;
	uint64_t ns;

	begin_thread(t, task, has_run(task) ? SCHED_PREEMPTED : SCHED_WOKEN);
	before = t->state;
	ns = change_state(t, task, now, SCHED_RUNS);
	if (before != SCHED_WOKEN && before != SCHED_PREEMPTED)
		return;
	if (before == SCHED_WOKEN)
		t->histogram[log2_bucket(ns, SCHED_BUCKETS) & (SCHED_BUCKETS - 1)]++;
	if (ns > t->longest_ns) {
		t->longest_ns = ns;
		t->longest_at_ns = now;
	}
}

/* Ends a run. `state`: the state in which the thread leaves its CPU, unless it could run on. */
static inline void end_to_run(
	struct thread *t, struct task_struct *task, bool is_preempted, uint64_t state, uint64_t now)
{
	bool could_run = is_preempted || task_is_running(task);

	begin_thread(t, task, SCHED_RUNS);
	if (could_run)
		t->involuntary++;
	else
		t->voluntary++;
	if ((t->voluntary + t->involuntary) % SWITCH_BATCH == 0)
		__sync_fetch_and_add(&control.switches, SWITCH_BATCH);
	change_state(t, task, now, could_run ? SCHED_PREEMPTED : waiting_state(state));
}

/* Returns the state in which a thread leaves its CPU. Without a copy in the switch, a waker on
 * another CPU may already have changed it, and a blocked thread may look like a sleeping one. */
static inline uint64_t state_left(const unsigned long long *arguments, struct task_struct *from)
{
	return config.has_state ? (uint32_t)arguments[SWITCH_STATE] : task_state(from);
}

SEC("kernel_tp/sched_switch")
int BPF_PROG(on_switch, bool is_preempted, struct task_struct *from, struct task_struct *to)
{
	uint64_t now = bpf_ktime_get_ns();
	struct thread *t = counted_thread(to, now);

	if (t)
		begin_to_run(t, to, now);
	t = counted_thread(from, now);
	if (t)
		end_to_run(t, from, is_preempted, state_left(ctx, from), now);
	return 0;
}

/* Runs on the CPU of the waker; the woken thread may still be on its own CPU, and stay there. */
SEC("kernel_tp/sched_waking")
int BPF_PROG(on_waking, struct task_struct *task)
{
	uint64_t now = bpf_ktime_get_ns();
	struct thread *t = counted_thread(task, now);

	if (!t)
		return 0;
	begin_thread(t, task, state_now(task));
	t->waking_ns = now;
	if (!(following.interest & INTEREST_STREAM))
		return 0;
	t->waker_pid = 0;
	t->waker_tid = tid_of(current_task());
	if (!t->waker_tid || !is_in_call(current_task()))
		return 0;
	t->waker_pid = pid_of(current_task());
	bpf_get_current_comm(t->waker, sizeof(t->waker));
	return 0;
}

/* Called when the thread is in the queue of a CPU, and has left its old one. */
SEC("kernel_tp/sched_wakeup")
int BPF_PROG(on_wakeup, struct task_struct *task)
{
	uint64_t now = bpf_ktime_get_ns(), at;
	struct thread *t = counted_thread(task, now);

	if (!t || !t->since_ns || t->state == SCHED_RUNS || t->state == SCHED_WOKEN ||
		t->state == SCHED_PREEMPTED)
		return 0;
	at = t->waking_ns >= t->since_ns && t->waking_ns <= now ? t->waking_ns : now;
	t->wakeups++;
	change_state(t, task, at, SCHED_WOKEN);
	return 0;
}

/* --- what following means for it --- */

static inline void end_thread(struct thread *t, struct task_struct *task, uint8_t flag)
{
	uint64_t now = bpf_ktime_get_ns();

	if (t->member.is_released || t->member.is_flushed || !t->since_ns)
		return;
	if (control.ended_ns && now > control.ended_ns)
		now = control.ended_ns;
	t->flags |= flag;
	change_state(t, task, now, t->state);
	t->until_ns = t->since_ns;
	t->moved = migrations_of(task) - t->moved_before;
	read_names(t, task);
}

static inline bool is_observed(const struct thread *t)
{
	return control.began_ns && !t->member.is_before_exec && !t->member.is_released &&
	       (!control.ended_ns || t->member.from_ns < control.ended_ns);
}

static void thread_ends(struct thread *t, uint64_t now)
{
	struct task_struct *task = current_task();

	if (is_observed(t) && !control.ended_ns && now >= control.began_ns)
		begin_thread(t, task, SCHED_RUNS);
	end_thread(t, task, SCHED_LAST);
}

static void thread_visited(struct thread *t, struct task_struct *task)
{
	if (is_observed(t))
		begin_thread(t, task, state_now(task));
	end_thread(t, task, SCHED_OPEN);
}

static void thread_execs(struct thread *t, struct linux_binprm *program)
{
}

static void thread_flush(struct thread *t, uint64_t now)
{
	struct sched_times *r;

	if (!t->until_ns)
		return;
	r = bpf_ringbuf_reserve(&ring, sizeof(*r), 0);
	if (!r) {
		__sync_fetch_and_add(&control.lost, 1);
		return;
	}
	record_fill(
		&r->record, &t->member, SCHED_TIMES, RECORD_WORDS(struct sched_times), t->until_ns);
	r->from_ns = t->from_ns;
	r->running_ns = t->state_ns[SCHED_RUNS];
	r->woken_ns = t->state_ns[SCHED_WOKEN];
	r->preempted_ns = t->state_ns[SCHED_PREEMPTED];
	r->sleeping_ns = t->state_ns[SCHED_SLEEPS];
	r->blocked_ns = t->state_ns[SCHED_BLOCKS];
	r->stopped_ns = t->state_ns[SCHED_STOPPED];
	r->voluntary = t->voluntary;
	r->involuntary = t->involuntary;
	r->wakeups = t->wakeups;
	r->migrations = t->moved;
	r->longest_ns = t->longest_ns;
	r->longest_at_ns = t->longest_at_ns;
	__builtin_memcpy(r->histogram, t->histogram, sizeof(r->histogram));
	__builtin_memcpy(r->process, t->process, sizeof(r->process));
	__builtin_memcpy(r->thread, t->thread, sizeof(r->thread));
	bpf_ringbuf_submit(r, ring_flags());
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
