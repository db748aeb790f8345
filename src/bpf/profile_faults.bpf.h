/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Which page faults are recorded, where a stack of each would cost too much. The kernel chooses a
 * period, of all processes; of what comes to followed ones this takes one in so many by chance, by
 * how many there were in the moment before. So none depends on what the program does, and each
 * stands for as many as its chance says.
 */
#ifndef SOOTH_BPF_PROFILE_FAULTS_H
#define SOOTH_BPF_PROFILE_FAULTS_H

/* include/uapi/linux/bpf.h */
struct bpf_perf_event_value {
	uint64_t counter, enabled, running;
};

struct faults {
	uint64_t before; /* on this CPU, when the program ran last */
	uint64_t moment_ns;
	uint32_t in_moment;
	uint32_t one_in; /* of those in this moment */
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

/* Those since the last call, of all processes: the period changes meanwhile, their number does not.
 */
static inline uint64_t faults_since(struct faults *f, void *event)
{
	struct bpf_perf_event_value now = {};
	uint64_t before = f->before;

	if (bpf_perf_prog_read_value(event, &now, sizeof(now)))
		return 1;
	f->before = now.counter;
	return now.counter - before;
}

/* The number that one stands for; 0: it is left out. */
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

#endif
