/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Keeps the struct of each followed thread. A program defines struct thread, whose first member is
 * a struct member, before it includes this file. The struct is in task storage, which is freed with
 * the thread. On kernels without task storage (before 5.12) it is in a hash by thread id: that
 * object is compiled with THREADS_IN_HASH.
 */
#pragma once

#include "bpf/member.bpf.h"

#ifdef THREADS_IN_HASH

/* Preallocated: tracing programs must not allocate at run time on these kernels. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, FOLLOW_HASHED_THREADS);
	__type(key, uint32_t); /* thread id */
	__type(value, struct thread);
} threads SEC(".maps");

/* Zeros that are too large for the stack. Never written. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, uint32_t);
	__type(value, struct thread);
} blank_thread SEC(".maps");

static inline struct thread *thread_of(struct task_struct *task)
{
	uint32_t tid = (uint32_t)BPF_CORE_READ(task, pid);

	return bpf_map_lookup_elem(&threads, &tid);
}

static inline struct thread *thread_current(void)
{
	uint32_t tid = (uint32_t)bpf_get_current_pid_tgid();

	return bpf_map_lookup_elem(&threads, &tid);
}

static inline struct thread *thread_make(struct task_struct *task)
{
	uint32_t tid = (uint32_t)BPF_CORE_READ(task, pid), first = 0;
	struct thread *t = bpf_map_lookup_elem(&threads, &tid);
	struct thread *blank;

	if (t)
		return t;
	blank = bpf_map_lookup_elem(&blank_thread, &first);
	if (blank)
		bpf_map_update_elem(&threads, &tid, blank, BPF_NOEXIST);
	return bpf_map_lookup_elem(&threads, &tid);
}

static inline void thread_drop(struct task_struct *task)
{
	uint32_t tid = (uint32_t)BPF_CORE_READ(task, pid);

	bpf_map_delete_elem(&threads, &tid);
}

/* Frees the hash entry at the exit of a thread, because it would outlive the thread. */
static inline void thread_ended(struct task_struct *task)
{
	thread_drop(task);
}

static inline struct task_struct *current_task(void)
{
	return (void *)bpf_get_current_task();
}

#else

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct thread);
} threads SEC(".maps");

static inline struct thread *thread_of(struct task_struct *task)
{
	return bpf_task_storage_get(&threads, task, 0, 0);
}

/* Returns the current thread's struct. Most threads have no storage: a check without a call. */
static inline struct thread *thread_current(void)
{
	struct task_struct *task = bpf_get_current_task_btf();

	if (!task->bpf_storage)
		return 0;
	return bpf_task_storage_get(&threads, task, 0, 0);
}

static inline struct thread *thread_make(struct task_struct *task)
{
	return bpf_task_storage_get(&threads, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
}

static inline void thread_drop(struct task_struct *task)
{
	bpf_task_storage_delete(&threads, task);
}

static inline void thread_ended(struct task_struct *task)
{
}

static inline struct task_struct *current_task(void)
{
	return bpf_get_current_task_btf();
}

#endif
