/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Reads the signal handlers of one process, which no file in procfs has. The program iterates over
 * tasks (kernels before 6.1 have no other way) and reads a thread of the selected process; all
 * threads share the handlers. Nothing is attached to the process.
 */
#include "bpf/types.bpf.h"
#include "bpf/ids.bpf.h"

#include "bpf/signals.h"

#define IGNORED 1 /* SIG_IGN; 0: SIG_DFL */

struct signals_control control SEC(".data.control") = {};

/* Returns an action. Elements of the array have the kernel's size, not sooth's. */
static const void *action_of(const struct sighand_struct *hand, uint32_t index)
{
	return (const char *)hand + bpf_core_field_offset(struct sighand_struct, action) +
	       (uint64_t)index * bpf_core_type_size(struct k_sigaction);
}

static inline void write_action(
	struct seq_file *out, const struct sighand_struct *hand, uint32_t index)
{
	const struct k_sigaction *from = action_of(hand, index);
	struct signals_action action = {
		.handler = (uint64_t)BPF_CORE_READ(from, sa.sa_handler),
		.flags = BPF_CORE_READ(from, sa.sa_flags),
		.signal = index + 1,
	};

	if (action.handler <= IGNORED)
		return;
	action.blocked = BPF_CORE_READ(from, sa.sa_mask.sig[0]);
	bpf_seq_write(out, &action, sizeof(action));
}

SEC("kernel_iter/task")
int on_task(struct bpf_iter__task *context)
{
	struct task_struct *task = context->task;
	struct sighand_struct *hand;

	if (!task || tid_of(task) != control.pid || pid_of(task) != control.pid)
		return 0;
	hand = BPF_CORE_READ(task, sighand);
	if (!hand)
		return 0;
	for (uint32_t i = 0; i < SIGNALS_MAX; i++)
		write_action(context->meta->seq, hand, i);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
