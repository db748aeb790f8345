/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Reads the threads of one process: registers in user space, stack in the kernel, times. The
 * program iterates over tasks; nothing is attached to the process, and nothing is stopped. A thread
 * on a CPU has the registers of its last entry into the kernel.
 */
#include "bpf/ids.bpf.h"
#include "bpf/registers.bpf.h"
#include "bpf/stacks.h"

#define PF_KTHREAD 0x00200000

struct task_struct___stacks {
	unsigned int flags;
	int exit_state;
	int on_cpu;
	unsigned long nvcsw, nivcsw;
	struct {
		uint64_t sum_exec_runtime;
	} se;
	unsigned int __state;
} KERNEL_TYPE;

struct stacks_scratch {
	struct stacks_seen seen;
	uint64_t kernel[PROFILE_KERNEL_MAX];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, uint32_t);
	__type(value, struct stacks_scratch);
} scratch SEC(".maps");

struct stacks_control control SEC(".data.control") = {};

static inline void read_task(struct stacks_seen *s, struct task_struct *task)
{
	struct task_struct___stacks *t = (void *)task;
	struct task_struct___before_5_14 *old = (void *)task;

	s->tid = tid_of(task);
	s->flags = BPF_CORE_READ(t, flags);
	s->exit_state = (uint32_t)BPF_CORE_READ(t, exit_state);
	if (bpf_core_field_exists(t->__state))
		s->state = BPF_CORE_READ(t, __state);
	else
		s->state = (uint32_t)BPF_CORE_READ(old, state);
	s->is_on_cpu = 0;
	if (bpf_core_field_exists(t->on_cpu))
		s->is_on_cpu = BPF_CORE_READ(t, on_cpu) != 0;
	s->cpu_ns = BPF_CORE_READ(t, se.sum_exec_runtime);
	s->switches = BPF_CORE_READ(t, nvcsw) + BPF_CORE_READ(t, nivcsw);
	bpf_probe_read_kernel_str(s->name, sizeof(s->name), task->comm);
}

static inline void read_registers(struct stacks_seen *s, struct task_struct *task)
{
	struct pt_regs *regs = registers_of(task);

	s->pc = REGISTER_PC(regs);
	s->sp = REGISTER_SP(regs);
	s->fp = REGISTER_FP(regs);
	s->link = REGISTER_LINK(regs);
	s->call = (int32_t)REGISTER_CALL(regs);
	s->is_foreign = !is_64_bit(regs);
	s->thread_pointer = THREAD_POINTER(task);
}

SEC("kernel_iter/task")
int on_task(struct bpf_iter__task *context)
{
	struct task_struct *task = context->task;
	struct stacks_scratch *s;
	uint32_t first = 0, size;
	long bytes;

	if (!task || pid_of(task) != control.pid)
		return 0;
	s = bpf_map_lookup_elem(&scratch, &first);
	if (!s)
		return 0;
	s->seen.letter = 0;
	s->seen.has_no_fp = 0;
	s->seen.unread = 0;
	read_task(&s->seen, task);
	s->seen.has_registers = BPF_CORE_READ(task, mm) && !(s->seen.flags & PF_KTHREAD);
	if (s->seen.has_registers)
		read_registers(&s->seen, task);
	bytes = bpf_get_task_stack(task, s->kernel, sizeof(s->kernel), 0);
	size = bytes > 0 ? (uint32_t)bytes : 0;
	/* Else the compiler checks one register, but passes on another. */
	asm volatile("" : "+r"(size));
	if (size > sizeof(s->kernel))
		size = 0;
	s->seen.kernel_frames = size / 8;
	bpf_seq_write(context->meta->seq, s, sizeof(s->seen) + size);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
