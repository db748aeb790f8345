/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Records exits of processes on the whole host, only of young processes: for all others the program
 * checks the age and returns.
 */
#include "bpf/types.bpf.h"
#include "bpf/ids.bpf.h"

#include "bpf/short_lived.h"
#include "probes/short_lived.h"

#define NS_PER_S 1000000000ULL

/* Read by this program only. */
struct signal_struct___exits {
	atomic_t live;
	unsigned long long sum_sched_runtime; /* of threads that have exited */
} KERNEL_TYPE;

struct sched_entity___exits {
	uint64_t sum_exec_runtime;
} KERNEL_TYPE;

typedef struct {
	uint32_t val;
} KERNEL_TYPE kuid_t___exits;

struct cred___exits {
	kuid_t___exits euid;
} KERNEL_TYPE;

struct task_struct___exits {
	struct signal_struct___exits *signal;
	struct sched_entity___exits se;
	const struct cred___exits *real_cred;
} KERNEL_TYPE;

const volatile struct short_lived_config config SEC(".rodata.config") = {};
struct short_lived_control control SEC(".data.control") = {};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 18);
} ring SEC(".maps");

static inline uint64_t ticks_of(struct task_struct *leader)
{
	return BPF_CORE_READ(leader, start_boottime) / (NS_PER_S / config.ticks_per_s);
}

/* Returns the CPU time of exited threads, of the thread that exits now, and of the first thread,
 * which stays until the last one exits. */
static inline uint64_t cpu_of(struct task_struct *task, struct task_struct *leader)
{
	struct task_struct___exits *own = (void *)task, *first = (void *)leader;
	uint64_t sum = BPF_CORE_READ(own, signal, sum_sched_runtime) +
		       BPF_CORE_READ(own, se.sum_exec_runtime);

	return task == leader ? sum : sum + BPF_CORE_READ(first, se.sum_exec_runtime);
}

static inline void fill_exit(struct short_lived_exit *r, struct task_struct *task,
	struct task_struct *leader, uint64_t life_ns)
{
	struct task_struct *parent = BPF_CORE_READ(leader, real_parent, group_leader);
	uint32_t pid = pid_of(leader);

	r->record = (struct sooth_record){ .time_ns = bpf_ktime_get_ns(),
		.start_ticks = ticks_of(leader),
		.pid = pid,
		.tid = pid,
		.kind = SHORT_LIVED_PROCESS,
		.cpu = (uint16_t)bpf_get_smp_processor_id(),
		.words = sizeof(*r) / SOOTH_RECORD_WORD,
		.fixed_words = sizeof(*r) / SOOTH_RECORD_WORD };
	r->life_ns = life_ns;
	r->cpu_ns = cpu_of(task, leader);
	r->parent_pid = pid_of(parent);
	r->parent_start_ticks = r->parent_pid ? ticks_of(parent) : 0;
	r->status = (uint32_t)BPF_CORE_READ(task, exit_code);
	r->unused = 0;
	__builtin_memset(r->name, 0, sizeof(r->name)); /* the ring buffer holds old data here */
	BPF_CORE_READ_STR_INTO(&r->name, leader, comm);
}

SEC("kernel_tp/sched_process_exit")
int BPF_PROG(on_exit, struct task_struct *task)
{
	struct task_struct *leader = BPF_CORE_READ(task, group_leader);
	struct task_struct___exits *own = (void *)task;
	uint32_t uid = BPF_CORE_READ(own, real_cred, euid.val);
	uint64_t now, life_ns;
	struct short_lived_exit *r;

	/* The last thread of the process: the kernel has already decremented the count. */
	if (BPF_CORE_READ(task, signal, live.counter) || (!config.is_of_all && uid != config.uid))
		return 0;
	now = bpf_ktime_get_boot_ns();
	if (!has_own_id(leader))
		return 0;
	life_ns = now - BPF_CORE_READ(leader, start_boottime);
	if (life_ns > config.life_most_ns)
		return 0;
	r = bpf_ringbuf_reserve(&ring, sizeof(*r), 0);
	if (!r) {
		__sync_fetch_and_add(&control.lost, 1);
		return 0;
	}
	fill_exit(r, task, leader, life_ns);
	r->uid = uid;
	bpf_ringbuf_submit(r, BPF_RB_NO_WAKEUP);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
