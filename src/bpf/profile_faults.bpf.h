/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Chooses which page faults are recorded, because a stack of each would cost too much. The kernel
 * samples the faults of all processes with a period. From those in followed processes this code
 * takes one in `one_in` by chance, where the number of faults in the previous moment sets `one_in`.
 * So the choice does not depend on the program; each fault stands for `one_in` faults.
 */
#pragma once

/* include/uapi/linux/bpf.h */
struct bpf_perf_event_value {
	uint64_t counter, enabled, running;
};

struct faults {
	uint64_t before; /* faults on this CPU when the BPF program last ran */
	uint64_t moment_ns;
	uint32_t in_moment;
	uint32_t one_in; /* one in so many faults of this moment is taken */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, uint32_t);
	__type(value, struct faults);
} faults SEC(".maps");

static inline struct faults *faults_here(void)
{
	uint32_t first = 0;

	return bpf_map_lookup_elem(&faults, &first);
}

/* Returns the faults of all processes since the last call: unlike the period it is reliable. The
 * kernel throttles an event that comes too often in one tick, and then some are not seen. */
static inline uint64_t faults_since(struct faults *f, void *event)
{
	struct bpf_perf_event_value now = {};
	uint64_t before = f->before;

	if (bpf_perf_prog_read_value(event, &now, sizeof(now)))
		return 1;
	f->before = now.counter;
	return now.counter - before;
}

/* Returns how many of these faults the thread can have had itself since its last one. */
static inline uint64_t faults_of_thread(struct task_struct *task, uint64_t since)
{
	uint64_t now = BPF_CORE_READ(task, min_flt) + BPF_CORE_READ(task, maj_flt);
	struct thread *t = thread_current();
	uint64_t before;

	if (!t) /* adopted */
		return since;
	before = t->faults;
	t->faults = now;
	if (!before || now <= before)
		return 1;
	return now - before < since ? now - before : since;
}

/* Returns the number of faults that this fault stands for; 0: it is left out. */
static inline uint32_t choose_fault(struct faults *f)
{
	uint64_t now = bpf_ktime_get_ns();
	uint32_t most = control.faults_most;

	if (!most) /* each */
		return 1;
	if (now - f->moment_ns >= PROFILE_MOMENT_NS) {
		f->one_in = now - f->moment_ns < 2 * PROFILE_MOMENT_NS ? f->in_moment / most : 0;
		f->moment_ns = now;
		f->in_moment = 0;
	}
	f->in_moment++;
	if (f->one_in < 2)
		return 1;
	return bpf_get_prandom_u32() % f->one_in ? 0 : f->one_in;
}
