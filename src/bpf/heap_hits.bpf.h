/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Measures the time that probes cost a process: the number of hits, and the run time of the
 * programs. One hit in HIT_EVERY of each thread is timed, and stands for that many. The kernel's
 * time around the programs is measured in os/linux/uprobes/trap_cost.h.
 */
#pragma once

/* A prime: calls come in patterns of a few hits, all of which have to be sampled equally. */
#define HIT_EVERY 61

enum hit {
	HIT_ENTRY,
	HIT_RETURN,
	HIT_STEPPED, /* a return instruction that is itself probed */
	HIT_SHARED,  /* the program of the same hit runs next, and counts it */
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, HEAP_PROBED_ENTRIES);
	__type(key, struct heap_probed_key);
	__type(value, struct heap_probed_value);
} probed SEC(".maps");

static inline struct heap_probed_value *probed_of(const struct thread *t)
{
	struct heap_probed_key key = { t->member.start_ticks, t->member.pid, 0 };
	struct heap_probed_value *value = bpf_map_lookup_elem(&probed, &key);
	struct heap_probed_value none = { .from_ns = bpf_ktime_get_ns() };

	if (value)
		return value;
	bpf_map_update_elem(&probed, &key, &none, BPF_NOEXIST);
	return bpf_map_lookup_elem(&probed, &key);
}

/* Begins a hit. Its state is kept in the thread, because the verifier would follow local variables
 * through all code in between. */
static inline void hit_begins(struct thread *t, uint32_t what)
{
	t->hit_ns = 0;
	t->hit_what = what;
	if (++t->hits < HIT_EVERY)
		return;
	t->hits = 0;
	t->hit_ns = bpf_ktime_get_ns();
}

VERIFIED_ALONE int note_hit(struct thread *t)
{
	uint64_t now = bpf_ktime_get_ns();
	uint32_t what;
	struct heap_probed_value *value = t ? probed_of(t) : 0;

	if (!value)
		return 0;
	what = t->hit_what;
	__sync_fetch_and_add(&value->programs_ns, (now - t->hit_ns) * HIT_EVERY);
	value->to_ns = now;
	if (what == HIT_ENTRY)
		__sync_fetch_and_add(&value->entries, HIT_EVERY);
	else if (what == HIT_RETURN)
		__sync_fetch_and_add(&value->returns, HIT_EVERY);
	else if (what == HIT_STEPPED)
		__sync_fetch_and_add(&value->stepped, HIT_EVERY);
	bpf_probe_read_kernel_str(value->name, sizeof(value->name),
		BPF_CORE_READ(current_task(), group_leader, comm));
	return 0;
}

static inline void hit_ends(struct thread *t)
{
	if (t->hit_ns)
		note_hit(t);
}

static inline void flush_cpu(const struct thread *t)
{
	struct heap_probed_value *value = probed_of(t);

	if (value)
		__sync_fetch_and_add(&value->cpu_ns, t->member.cpu_ns);
}
