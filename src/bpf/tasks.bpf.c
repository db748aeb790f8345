/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Lists all processes with a few values: the numbers of /proc/PID/stat (fs/proc/array.c) and the
 * file that the process runs. The program iterates over tasks, and skips all threads but the first.
 *
 * Members are read directly, without a helper: the verifier knows the types from the task on, and
 * an invalid pointer reads as 0.
 */
#include "bpf/types.bpf.h"
#include "bpf/tasks.h"
#include "bpf/walk.h"

static uint32_t (*own_namespace)(void) = (void *)WALK_PID_NAMESPACE;
#define OWN_NAMESPACE	 own_namespace()
#define SEARCHES_NUMBERS static __always_inline
#include "bpf/ids.bpf.h"

#define LEADER	1 /* PIDTYPE_TGID of enum pid_type */
#define GROUP	2 /* PIDTYPE_PGID */
#define SESSION 3 /* PIDTYPE_SID */

#define FIRST_PROCESS 1

#define TERMINATION (15 - 1) /* SIGTERM, in the table of actions */

#define KIND_MASK 0170000u
#define KIND_FIFO 0010000u

#define IS_UNKILLABLE 0x40 /* SIGNAL_UNKILLABLE: the first process of a pid namespace */

struct hlist_head {
	void *first;
} KERNEL_TYPE;
struct pid___tasks {
	struct hlist_head tasks[4];
	struct upid numbers[1];
} KERNEL_TYPE;

struct tty_driver {
	int major, minor_start;
} KERNEL_TYPE;
struct tty_struct {
	struct tty_driver *driver;
	int index;
	struct {
		struct pid___tasks *pgrp;
	} ctrl;
} KERNEL_TYPE;
struct tty_struct___before_5_16 {
	struct pid___tasks *pgrp;
} KERNEL_TYPE;

struct signal_struct___tasks {
	int nr_threads;
	unsigned int flags;
	unsigned int is_child_subreaper : 1;
	struct {
		struct {
			struct {
				unsigned int sequence;
			} seqcount;
		} seqcount;
	} stats_lock;
	unsigned long long sum_sched_runtime;
	struct pid___tasks *pids[4];
	struct tty_struct *tty;
} KERNEL_TYPE;

struct timespec64 {
	int64_t tv_sec;
	long tv_nsec;
} KERNEL_TYPE;
struct inode___tasks {
	struct super_block *i_sb;
	unsigned long i_ino;
	unsigned short i_mode;
	unsigned int i_nlink;
	int64_t i_size;
	int64_t i_ctime_sec; /* since 6.11 */
	uint32_t i_ctime_nsec;
} KERNEL_TYPE;
struct inode___before_6_11 {
	struct timespec64 __i_ctime;
} KERNEL_TYPE;
struct inode___before_6_6 {
	struct timespec64 i_ctime;
} KERNEL_TYPE;

struct file___tasks {
	struct inode___tasks *f_inode;
	struct path f_path;
} KERNEL_TYPE;

struct mm_struct___tasks {
	unsigned long total_vm, start_code, end_code, env_start, env_end;
	struct percpu_counter rss_stat[4];
	struct file___tasks *exe_file;
} KERNEL_TYPE;
struct fdtable___tasks {
	struct file___tasks **fd;
} KERNEL_TYPE;
struct files_struct___tasks {
	struct fdtable___tasks *fdt;
} KERNEL_TYPE;

struct k_sigaction___tasks {
	struct {
		void *sa_handler;
	} sa;
} KERNEL_TYPE;
struct sighand_struct___tasks {
	struct k_sigaction___tasks action[64];
} KERNEL_TYPE;

struct task_struct___tasks {
	unsigned int __state;
	unsigned int flags;
	int exit_state;
	int pid, tgid;
	uint64_t start_boottime;
	struct task_struct___tasks *real_parent;
	struct signal_struct___tasks *signal;
	struct sighand_struct___tasks *sighand;
	struct mm_struct___tasks *mm;
	struct files_struct___tasks *files;
	const struct cred *real_cred;
	struct {
		uint64_t sum_exec_runtime;
	} se;
	char comm[TASKS_NAME_SIZE];
} KERNEL_TYPE;
struct bpf_iter__task___tasks {
	struct bpf_iter_meta *meta;
	struct task_struct___tasks *task;
} KERNEL_TYPE;

static void *(*take_as)(void *, uint64_t) = (void *)WALK_CAST;
static long (*can_take_as)(void) = (void *)WALK_CAN_CAST;

static inline void read_change(struct tasks_file *f, struct inode___tasks *inode)
{
	struct inode___before_6_11 *before = (void *)inode;
	struct inode___before_6_6 *old = (void *)inode;

	if (bpf_core_field_exists(inode->i_ctime_sec)) {
		f->changed_s = (uint64_t)inode->i_ctime_sec;
		f->changed_ns = inode->i_ctime_nsec;
	} else if (bpf_core_field_exists(before->__i_ctime)) {
		f->changed_s = (uint64_t)before->__i_ctime.tv_sec;
		f->changed_ns = (uint32_t)before->__i_ctime.tv_nsec;
	} else {
		f->changed_s = (uint64_t)old->i_ctime.tv_sec;
		f->changed_ns = (uint32_t)old->i_ctime.tv_nsec;
	}
}

static inline void read_file(struct tasks_file *f, struct file___tasks *file)
{
	struct inode___tasks *inode = file->f_inode;

	f->entry = (uint64_t)file->f_path.dentry;
	f->mount = (uint64_t)file->f_path.mnt;
	f->inode = inode->i_ino;
	f->size_bytes = (uint64_t)inode->i_size;
	f->mode = inode->i_mode;
	f->links = inode->i_nlink;
	f->device = inode->i_sb->s_dev;
	read_change(f, inode);
}

static inline void read_memory(struct tasks_seen *s, struct mm_struct___tasks *mm)
{
	struct mm_struct___before_6_2 *old = (void *)mm;

	s->vsz_pages = mm->total_vm;
	s->code_from = mm->start_code;
	s->code_to = mm->end_code;
	s->environment_from = mm->env_start;
	s->environment_to = mm->env_end;
	/*
	 * MM_FILEPAGES, MM_ANONPAGES, MM_SHMEMPAGES; between them MM_SWAPENTS. Before 6.2 the
	 * verifier does not resolve the typedef of these counters.
	 */
	if (bpf_core_field_exists(old->rss_stat.count)) {
		s->rss_pages[0] = BPF_CORE_READ(old, rss_stat.count[0].counter);
		s->rss_pages[1] = BPF_CORE_READ(old, rss_stat.count[1].counter);
		s->rss_pages[2] = BPF_CORE_READ(old, rss_stat.count[3].counter);
	} else {
		s->rss_pages[0] = mm->rss_stat[0].count;
		s->rss_pages[1] = mm->rss_stat[1].count;
		s->rss_pages[2] = mm->rss_stat[3].count;
	}
	read_file(&s->file, mm->exe_file);
}

/* Returns the number of a process group or session in sooth's own namespace. */
static inline uint32_t number_of(struct pid___tasks *pid)
{
	return OWN_NAMESPACE ? own_number((void *)pid) : (uint32_t)pid->numbers[0].nr;
}

static inline void read_terminal(struct tasks_seen *s, struct tty_struct *tty)
{
	struct tty_struct___before_5_16 *old = (void *)tty;

	s->terminal_major = (uint32_t)tty->driver->major;
	s->terminal_minor = (uint32_t)(tty->driver->minor_start + tty->index);
	if (bpf_core_field_exists(old->pgrp))
		s->terminal_group = number_of(old->pgrp);
	else
		s->terminal_group = number_of(tty->ctrl.pgrp);
}

static inline void read_group(struct tasks_seen *s, struct task_struct___tasks *task)
{
	struct signal_struct___tasks *signal = task->signal;
	unsigned int sequence = signal->stats_lock.seqcount.seqcount.sequence;

	s->threads = (uint32_t)signal->nr_threads;
	s->cpu_ns = signal->sum_sched_runtime + task->se.sum_exec_runtime;
	s->is_changing =
		(sequence & 1) || signal->stats_lock.seqcount.seqcount.sequence != sequence;
	s->process_group = number_of(signal->pids[GROUP]);
	s->session = number_of(signal->pids[SESSION]);
	if (signal->tty)
		read_terminal(s, signal->tty);
}

static inline void read_inode(struct tasks_seen *s, struct inode___tasks *inode)
{
	s->input_mode = inode->i_mode;
	if ((s->input_mode & KIND_MASK) == KIND_FIFO)
		s->input_magic = (uint32_t)inode->i_sb->s_magic;
}

static inline void read_input(struct tasks_seen *s, struct files_struct___tasks *files)
{
	struct file___tasks *input = NULL, **first = files->fdt->fd;
	struct inode___tasks *inode;

	bpf_probe_read_kernel(&input, sizeof(input), first);
	if (!input)
		return;
	if (can_take_as()) {
		input = take_as(input, bpf_core_type_id_kernel(struct file___tasks));
		read_inode(s, input->f_inode);
		return;
	}
	inode = BPF_CORE_READ(input, f_inode);
	s->input_mode = BPF_CORE_READ(inode, i_mode);
	s->input_magic = (uint32_t)BPF_CORE_READ(inode, i_sb, s_magic);
}

/* Returns whether the leader of a process group or session has ended. */
static inline bool has_lost(struct pid___tasks *leader)
{
	return !leader->tasks[LEADER].first;
}

SEC("iter/task")
int on_process(struct bpf_iter__task___tasks *context)
{
	struct task_struct___tasks *task = context->task, *parent;
	struct task_struct___before_5_14 *old;
	struct tasks_seen s = { 0 };

	if (!task || task->pid != task->tgid)
		return 0;
	task = take_as(task, bpf_core_type_id_kernel(struct task_struct___tasks));
	old = (void *)task;
	s.pid = OWN_NAMESPACE ? pid_of((void *)task) : (uint32_t)task->tgid;
	s.start_ns = task->start_boottime;
	s.flags = task->flags;
	s.exit_state = (uint32_t)task->exit_state;
	if (bpf_core_field_exists(task->__state))
		s.state = task->__state;
	else
		s.state = (uint32_t)BPF_CORE_READ(old, state);
	s.uid = task->real_cred->euid.val;
	parent = task->real_parent;
	s.ppid = OWN_NAMESPACE ? pid_of((void *)parent) : (uint32_t)parent->tgid;
	s.parent_reaps = parent->signal->flags & IS_UNKILLABLE ||
			 BPF_CORE_READ_BITFIELD(parent->signal, is_child_subreaper);
	read_group(&s, task);
	s.term_handler = (uint64_t)task->sighand->action[TERMINATION].sa.sa_handler;
	if (task->mm)
		read_memory(&s, task->mm);
	s.is_left = s.ppid == FIRST_PROCESS || has_lost(task->signal->pids[GROUP]) ||
		    has_lost(task->signal->pids[SESSION]);
	if (s.is_left && task->files)
		read_input(&s, task->files);
	bpf_probe_read_kernel(s.name, sizeof(s.name), &task->comm);
	bpf_seq_write(context->meta->seq, &s, sizeof(s));
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
