/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The ids of tasks as sooth's own PID namespace has them, as /proc and every system call of sooth
 * do. A task outside of that namespace has no id in it: its id is 0, which belongs to no process.
 */
#pragma once

#include "bpf/types.bpf.h"
#include "bpf/ids.h"
#include "bpf/quirks.bpf.h"

#define PROCESS		1  /* PIDTYPE_TGID of enum pid_type */
#define PID_LEVELS_MOST 33 /* MAX_PID_NS_LEVEL of linux/pid_namespace.h, and the initial one */

/* Inode of sooth's namespace; 0: the initial one. A program without maps and functions defines both
 * otherwise. */
#ifndef OWN_NAMESPACE
const volatile struct ids_config own_ids SEC(".rodata.ids") = {};
#define OWN_NAMESPACE	 own_ids.pid_namespace
#define SEARCHES_NUMBERS VERIFIED_ALONE_BY_NUMBERS
#endif

/* Returns an element of pid->numbers, which has one for each level from the initial namespace on.
 * Elements have the kernel's size, not sooth's; the array itself has none. */
static __always_inline const struct upid *number_at(const struct pid *pid, uint32_t level)
{
	return (const void *)((const char *)pid + bpf_core_field_offset(struct pid, numbers[0].nr) -
			      bpf_core_field_offset(struct upid, nr) +
			      (uint64_t)level * bpf_core_type_size(struct upid));
}

static __always_inline bool is_of_own_namespace(const struct upid *number)
{
	return BPF_CORE_READ(number, ns, ns.inum) == OWN_NAMESPACE;
}

/* Returns the number in sooth's own namespace; 0: it has none there. Searches from the innermost
 * namespace outwards: most tasks are in sooth's own. */
SEARCHES_NUMBERS uint32_t search_number(uint64_t address)
{
	const struct pid *pid = (const void *)address;
	uint32_t level = BPF_CORE_READ(pid, level);

	for (uint32_t i = 0; i < PID_LEVELS_MOST && i <= level; i++) {
		const struct upid *number = number_at(pid, level - i);

		if (is_of_own_namespace(number))
			return (uint32_t)BPF_CORE_READ(number, nr);
	}
	return 0;
}

static __always_inline uint32_t own_number(const struct pid *pid)
{
	return search_number((uint64_t)pid);
}

/* Returns the id of a thread; 0: it is outside, or has been reaped. */
static __always_inline uint32_t tid_of(const struct task_struct *task)
{
	if (!OWN_NAMESPACE)
		return (uint32_t)BPF_CORE_READ(task, pid);
	return own_number(BPF_CORE_READ(task, thread_pid));
}

/* Returns the id of the process of a thread; 0: as above. */
static __always_inline uint32_t pid_of(const struct task_struct *task)
{
	if (!OWN_NAMESPACE)
		return (uint32_t)BPF_CORE_READ(task, tgid);
	return own_number(BPF_CORE_READ(task, signal, pids[PROCESS]));
}

/* Returns whether a task is in sooth's namespace or below it. */
static __always_inline bool has_own_id(const struct task_struct *task)
{
	return !OWN_NAMESPACE || pid_of(task);
}

/* Returns whether PIDs in the arguments of a task's calls are ids of sooth's own namespace. */
static __always_inline bool uses_own_ids(const struct task_struct *task)
{
	const struct pid *pid = BPF_CORE_READ(task, thread_pid);
	uint32_t level = BPF_CORE_READ(pid, level);

	return OWN_NAMESPACE ? is_of_own_namespace(number_at(pid, level)) : !level;
}
