/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The types of the kernel, with only the members that sooth reads: CO-RE finds their offsets in the
 * running kernel by name. vmlinux.h would tie the build to one kernel.
 */
#pragma once

typedef signed char int8_t;
typedef short int16_t;
typedef int int32_t;
typedef long long int64_t;
typedef unsigned char uint8_t;
typedef unsigned short uint16_t;
typedef unsigned int uint32_t;
typedef unsigned long long uint64_t;
typedef _Bool bool;
#define true 1
#define false 0

/* Types that bpf_helper_defs.h needs. */
typedef uint8_t __u8;
typedef uint16_t __u16;
typedef int16_t __s16;
typedef uint32_t __u32;
typedef int32_t __s32;
typedef uint64_t __u64;
typedef int64_t __s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#define KERNEL_TYPE __attribute__((preserve_access_index))

/* uapi/linux/bpf.h; not included because it needs the C library's headers. */
enum {
	BPF_MAP_TYPE_HASH = 1,
	BPF_MAP_TYPE_LRU_HASH = 9,
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_PERCPU_ARRAY = 6,
	BPF_MAP_TYPE_ARRAY_OF_MAPS = 12,
	BPF_MAP_TYPE_RINGBUF = 27,
	BPF_MAP_TYPE_TASK_STORAGE = 29,
};
enum {
	BPF_ANY = 0,
	BPF_NOEXIST = 1,
};
enum {
	BPF_F_NO_PREALLOC = 1,
	BPF_F_MMAPABLE = 1 << 10,
	BPF_F_INNER_MAP = 1 << 12,
	BPF_LOCAL_STORAGE_GET_F_CREATE = 1,
};
enum {
	BPF_RB_NO_WAKEUP = 1,
	BPF_RB_FORCE_WAKEUP = 2,
};
enum {
	BPF_RB_AVAIL_DATA = 0,
};

/* Used only to check whether the kernel has these functions: libbpf's header has the numbers. */
enum bpf_func_id {
	BPF_FUNC_task_pt_regs = 175, /* 5.15 on */
};

typedef struct {
	int counter;
} KERNEL_TYPE atomic_t;

typedef struct {
	long counter;
} KERNEL_TYPE atomic_long_t;

struct rlimit {
	unsigned long rlim_cur;
	unsigned long rlim_max;
} KERNEL_TYPE;

struct mm_struct;
struct pid;

struct signal_struct {
	atomic_t live;
	int nr_threads;
	struct pid *pids[4]; /* by enum pid_type; 4.19 on */
	int group_exit_code;
	unsigned long maxrss; /* in pages, without its children; set when its last thread exits */
	struct rlimit rlim[16];
	short oom_score_adj;
	struct mm_struct *oom_mm; /* not NULL: it was chosen as OOM victim */
} KERNEL_TYPE;

typedef struct {
	uint32_t val;
} KERNEL_TYPE kuid_t;

struct cred {
	kuid_t uid, euid;
} KERNEL_TYPE;

/* The kernel's siginfo: its contents depend on the signal. */
struct kernel_siginfo {
	int si_code;
	union {
		struct {
			void *_addr;
		} _sigfault;
	} _sifields;
} KERNEL_TYPE;

struct thread_info {
	unsigned long flags;
	uint32_t status; /* x86 only */
} KERNEL_TYPE;

struct xol_area {
	unsigned long
		vaddr; /* the trampoline that return probes return to (kernel/events/uprobes.c) */
} KERNEL_TYPE;

struct uprobes_state {
	struct xol_area *xol_area;
} KERNEL_TYPE;

struct percpu_counter {
	int64_t count;	   /* without counts not yet flushed by the CPUs */
	int32_t *counters; /* these; a per-CPU pointer */
} KERNEL_TYPE;

/* Mappings: a maple tree from 6.1 on, a red-black tree before. */
struct maple_tree {
	void *ma_root;
} KERNEL_TYPE;

struct rb_node {
	struct rb_node *rb_left, *rb_right;
} KERNEL_TYPE;

struct rb_root {
	struct rb_node *rb_node;
} KERNEL_TYPE;

typedef struct {
	void *vdso;
} KERNEL_TYPE mm_context_t;

struct mm_struct {
	struct maple_tree mm_mt; /* 6.1 on */
	struct file *exe_file;
	mm_context_t context;
	unsigned long start_stack;
	unsigned long arg_start, arg_end; /* of the command line, NULs between */
	struct uprobes_state uprobes_state;
	unsigned long hiwater_rss; /* VmHWM, in pages; updated before memory is unmapped */
	unsigned long total_vm;	   /* pages */
	unsigned long exec_vm;	/* pages of code */
	atomic_long_t pgtables_bytes;
	struct percpu_counter rss_stat[4]; /* 6.2 on */
} KERNEL_TYPE;

struct mm_rss_stat___before_6_2 {
	atomic_long_t count[4];
} KERNEL_TYPE;

struct mm_struct___before_6_1 {
	struct rb_root mm_rb;
} KERNEL_TYPE;

struct mm_struct___before_6_2 {
	struct mm_rss_stat___before_6_2 rss_stat;
} KERNEL_TYPE;

/* The record for perf, whose members show which arguments the tracepoint has. */
struct trace_event_raw_mark_victim {
	unsigned long anon_rss;
} KERNEL_TYPE;

typedef struct {
	unsigned long sig[1];
} KERNEL_TYPE sigset_t;

struct sigaction {
	void (*sa_handler)(int);
	unsigned long sa_flags;
	sigset_t sa_mask;
} KERNEL_TYPE;

struct k_sigaction {
	struct sigaction sa;
} KERNEL_TYPE;

struct sighand_struct {
	struct k_sigaction action[64];
} KERNEL_TYPE;

struct file;

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
	unsigned long *close_on_exec;
} KERNEL_TYPE;

struct files_struct {
	struct fdtable *fdt;
} KERNEL_TYPE;

struct thread_struct {
	unsigned long fsbase; /* x86-64 */
} KERNEL_TYPE;

struct sched_entity {
	uint64_t sum_exec_runtime; /* ns; of a running task as of its last tick */
	uint64_t nr_migrations;
} KERNEL_TYPE;

struct ns_common {
	unsigned int inum; /* inode in /proc/PID/ns */
} KERNEL_TYPE;

struct pid_namespace {
	struct ns_common ns;
} KERNEL_TYPE;

struct upid {
	int nr;
	struct pid_namespace *ns;
} KERNEL_TYPE;

struct pid {
	unsigned int level;	/* level of its PID namespace; 0: the initial one */
	struct upid numbers[1]; /* as many as levels */
} KERNEL_TYPE;

struct task_struct {
	struct sched_entity se;
	uint64_t self_exec_id; /* raised by each exec; 64 bits since 5.7 */
	struct thread_info thread_info;
	unsigned int __state; /* 5.14 on */
	unsigned int flags;
	unsigned int ptrace; /* 0: it has no tracer */
	unsigned long jobctl;
	int pid;
	int tgid;
	int exit_code;
	unsigned long min_flt, maj_flt;
	uint64_t start_boottime; /* 5.5 on; real_start_time before */
	struct task_struct *group_leader;
	struct task_struct *real_parent;
	struct pid *thread_pid; /* 4.19 on */
	const struct cred *real_cred;
	struct signal_struct *signal;
	struct sighand_struct *sighand;
	struct mm_struct *mm;
	void *vfork_done; /* not NULL: it runs in the memory of its parent */
	struct files_struct *files;
	void *stack;
	struct thread_struct thread;
	void *bpf_storage; /* 5.11 on: of all programs */
	char comm[16];
} KERNEL_TYPE;

#if defined(__TARGET_ARCH_x86)
struct pt_regs {
	unsigned long bp, bx, r9, r8, ax, cx, dx, si, di, r10, orig_ax, ip, sp;
	unsigned long cs;
} KERNEL_TYPE;
#elif defined(__TARGET_ARCH_arm64)
struct pt_regs {
	uint64_t regs[31];
	uint64_t sp;
	uint64_t pc;
	uint64_t pstate;
	uint64_t orig_x0;
	int32_t syscallno;
} KERNEL_TYPE;
#endif

struct task_struct___before_5_14 {
	volatile long state;
} KERNEL_TYPE;

struct super_block {
	uint32_t s_dev;
	unsigned long s_magic;
} KERNEL_TYPE;

struct inode {
	struct super_block *i_sb;
	unsigned long i_ino;
	unsigned short i_mode;
	unsigned int i_nlink;
	uint32_t i_rdev;
	int64_t i_size;
} KERNEL_TYPE;

struct qstr {
	const unsigned char *name;
} KERNEL_TYPE;

struct dentry {
	struct qstr d_name;
} KERNEL_TYPE;

struct vfsmount {
	int mnt_flags;
} KERNEL_TYPE;

struct mount {
	struct vfsmount mnt;
	int mnt_id;
} KERNEL_TYPE;

struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
} KERNEL_TYPE;

struct file {
	struct inode *f_inode;
	struct path f_path;
	int64_t f_pos;
	unsigned int f_flags;
	unsigned int f_mode;
	void *private_data;
} KERNEL_TYPE;

struct in6_addr {
	uint8_t bytes[16];
};

struct sock_common {
	uint32_t skc_rcv_saddr;
	uint16_t skc_num;
	uint16_t skc_family;
	struct in6_addr skc_v6_rcv_saddr; /* unless built without IPv6 */
} KERNEL_TYPE;

struct sock {
	struct sock_common __sk_common;
} KERNEL_TYPE;

struct socket {
	struct sock *sk;
} KERNEL_TYPE;

struct linux_binprm {
	struct file *file;
	const char *filename;
	unsigned int secureexec : 1; /* the program runs with more privileges than its caller had */
	unsigned int interp_flags;
} KERNEL_TYPE;

struct io_cqe {
	int32_t res;
	int fd;
} KERNEL_TYPE;

struct io_kiocb {
	uint8_t opcode;
	uint32_t flags;
	struct io_cqe cqe; /* since Linux 5.19 */
} KERNEL_TYPE;

struct seq_file;
struct bpf_iter_meta {
	struct seq_file *seq;
} KERNEL_TYPE;
struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
} KERNEL_TYPE;
struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	uint32_t fd;
	struct file *file;
} KERNEL_TYPE;
