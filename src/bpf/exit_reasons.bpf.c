/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Records how processes end: signals sent to watched processes, the kernel's choice of an OOM
 * victim, and exits. Signals are kept, and reported with the exit; a process that survives is not
 * reported. Forks are not followed: whether a process is below a watched one is checked only when a
 * signal is sent to it, so that processes that end by themselves cost nothing.
 */
#include "bpf/types.bpf.h"

#include "bpf/exit_reasons.h"
#include "bpf/member.bpf.h"
#include "bpf/privilege.bpf.h"

const volatile struct exit_reasons_config config SEC(".rodata.config") = {};
struct exit_reasons_control control SEC(".data.control") = {};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, EXIT_REASONS_MEMBERS_MAX);
	__type(key, uint32_t); /* pid */
	__type(value, struct exit_reasons_member);
} members SEC(".maps");

/* Zeros that are too large for the stack. Never written. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, uint32_t);
	__type(value, struct exit_reasons_member);
} blank_member SEC(".maps");

/* As x86 and arm number them. */
enum {
	HANGUP = 1,
	INTERRUPT = 2,
	QUIT = 3,
	ILL = 4,
	TRAP = 5,
	BUS = 7,
	FPE = 8,
	KILL = 9,
	SEGV = 11,
	TERMINATE = 15,
};

/* Signals that end no process: CHLD, CONT, STOP, TSTP, TTIN, TTOU, URG, WINCH. */
#define HARMLESS (0x3full << 17 | 1ull << 23 | 1ull << 28)

/* SEND_SIG_NOINFO and SEND_SIG_PRIV of linux/signal.h are passed in place of a pointer. */
#define INFO_KERNEL   1ull
#define CODE_QUEUED   (-1)
#define CODE_THREAD   (-6)
#define PF_EXITING    4u
#define RLIMIT_CPU    0
#define RLIMIT_FSIZE  1
#define LEVELS_MAX    16   /* from a child up to a watched process */
#define STATUS_SIGNAL 0x7f /* part of a status of wait(2) */

enum { RESULT_SENT = 0, RESULT_SENT_WITHOUT_INFO = 4 }; /* TRACE_SIGNAL_* */

static inline bool is_selected(struct task_struct *task)
{
	if (!has_own_id(task))
		return false;
	if (following.adopt == ADOPT_USER)
		return BPF_CORE_READ(task, real_cred, uid.val) == following.uid;
	return following.adopt == ADOPT_ALL && pid_of(task) != following.own_pid;
}

static inline struct exit_reasons_member *member_of(struct task_struct *task)
{
	uint32_t pid = pid_of(task);
	struct exit_reasons_member *m = bpf_map_lookup_elem(&members, &pid);

	/* The pid may belong to another process by now. */
	return m && m->start_ticks == start_ticks_of(task) ? m : 0;
}

/* Returns whether the caller may see the process: it has only the caller's ids. */
static inline bool is_admitted(struct task_struct *task)
{
	return !config.is_elevated ||
	       (BPF_CORE_READ(task, real_cred, uid.val) == config.uid &&
		       BPF_CORE_READ(task, real_cred, euid.val) == config.uid);
}

/* Returns the closest watched ancestor; NULL: none. A process whose parent has ended is below the
 * process that adopted it. */
static struct task_struct *watched_above(struct task_struct *task)
{
	struct task_struct *at = BPF_CORE_READ(task, group_leader);

	if (!is_admitted(task))
		return 0;
	for (int i = 0; i < LEVELS_MAX; i++) {
		struct exit_reasons_member *m;

		at = BPF_CORE_READ(at, real_parent, group_leader);
		m = at ? member_of(at) : 0;
		if (m && !m->above_pid)
			return at;
		if (!at || BPF_CORE_READ(at, tgid) <= 1)
			return 0;
	}
	return 0;
}

static struct exit_reasons_member *member_made(struct task_struct *task)
{
	uint32_t pid = pid_of(task), first = 0;
	struct exit_reasons_member *blank, *m = member_of(task);
	struct task_struct *above = 0;

	if (m)
		return m;
	if (!is_selected(task)) {
		above = watched_above(task);
		if (!above)
			return 0;
	}
	blank = bpf_map_lookup_elem(&blank_member, &first);
	if (blank && (!above || control.children < EXIT_REASONS_CHILDREN_MAX))
		bpf_map_update_elem(&members, &pid, blank, BPF_ANY);
	m = bpf_map_lookup_elem(&members, &pid);
	if (!m) {
		__sync_fetch_and_add(&control.lost_members, 1);
		return 0;
	}
	m->start_ticks = start_ticks_of(task);
	if (above) {
		__sync_fetch_and_add(&control.children, 1);
		m->above_start_ticks = start_ticks_of(above);
		m->above_pid = pid_of(above);
	}
	return m;
}

static void forget_member(uint32_t pid, const struct exit_reasons_member *m)
{
	if (m->above_pid)
		__sync_fetch_and_add(&control.children, -1);
	bpf_map_delete_elem(&members, &pid);
}

static inline enum ends_slot slot_of(uint32_t number)
{
	if (number == KILL)
		return EXIT_REASONS_SLOT_KILL;
	if (number == TERMINATE || number == INTERRUPT || number == HANGUP || number == QUIT)
		return EXIT_REASONS_SLOT_REQUESTED;
	return EXIT_REASONS_SLOT_OTHER;
}

static inline bool has_address(uint32_t number)
{
	return number == SEGV || number == BUS || number == ILL || number == FPE || number == TRAP;
}

static inline bool is_from_kernel(uint64_t info, int code)
{
	if (info <= INFO_KERNEL)
		return info == INFO_KERNEL;
	return code > 0 || (code && code != CODE_QUEUED && code > CODE_THREAD);
}

static inline void fill_sender(struct exit_reasons_signal *s, struct task_struct *target)
{
	struct task_struct *sender = (void *)bpf_get_current_task();
	struct task_struct *parent = BPF_CORE_READ(sender, group_leader, real_parent);

	s->sender_pid = pid_of(sender);
	__builtin_memset(s->sender_name, 0, sizeof(s->sender_name));
	__builtin_memset(s->sender_parent_name, 0, sizeof(s->sender_parent_name));
	if (!s->sender_pid) {
		s->sender_state = 4 | 1 << 4; /* SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION) */
		return;
	}
	s->sender_uid = (uint32_t)bpf_get_current_uid_gid();
	s->sender_start_ticks = start_ticks_of(sender);
	s->sender_parent_pid = pid_of(parent);
	s->is_sender_ending = (BPF_CORE_READ(sender, flags) & PF_EXITING) != 0;
	s->is_from_parent =
		pid_of(BPF_CORE_READ(target, group_leader, real_parent)) == s->sender_pid;
	BPF_CORE_READ_STR_INTO(&s->sender_name, sender, group_leader, comm);
	if (s->sender_parent_pid)
		BPF_CORE_READ_STR_INTO(&s->sender_parent_name, parent, group_leader, comm);
}

/* Returns whether a process repeats a signal to itself, as a handler that cleans up does. */
static inline bool is_repeated(
	const struct exit_reasons_signal *s, uint32_t number, uint32_t target)
{
	return s->signal == number && (uint32_t)(bpf_get_current_pid_tgid() >> 32) == target;
}

static inline void store_signal(struct exit_reasons_signal *s, uint32_t number, uint64_t info,
	const struct kernel_siginfo *siginfo, struct task_struct *target)
{
	int code = info > INFO_KERNEL ? BPF_CORE_READ(siginfo, si_code) : 0;

	s->signal = 0;
	s->sent_ns = bpf_ktime_get_ns();
	s->record.tid = tid_of(target);
	s->code = code;
	s->is_from_kernel = is_from_kernel(info, code);
	s->sender_state = s->is_from_kernel ? 1 : 0; /* SOOTH_STATE_ABSENT */
	s->address_state = 1;
	s->sender_pid = s->sender_uid = s->sender_parent_pid = 0;
	s->sender_start_ticks = s->address = 0;
	s->is_from_parent = s->is_sender_ending = 0;
	if (!s->is_from_kernel) {
		fill_sender(s, target);
	} else if (code > 0 && has_address(number)) {
		s->address = (uint64_t)BPF_CORE_READ(siginfo, _sifields._sigfault._addr);
		s->address_state = 0;
	}
	s->signal = number; /* last: from here on the entry is valid */
}

SEC("kernel_tp/signal_generate")
int BPF_PROG(on_signal, int number, struct kernel_siginfo *info, struct task_struct *target,
	int is_for_group, int result)
{
	struct exit_reasons_member *m;
	struct exit_reasons_signal *s;

	if (number <= 0 || number > 64 || (number < 64 && HARMLESS >> number & 1))
		return 0;
	if (result != RESULT_SENT && result != RESULT_SENT_WITHOUT_INFO)
		return 0;
	m = member_made(target);
	if (!m)
		return 0;
	s = &m->sent[slot_of((uint32_t)number)];
	if (!is_repeated(s, (uint32_t)number, (uint32_t)BPF_CORE_READ(target, tgid)))
		store_signal(s, (uint32_t)number, (uint64_t)info, info, target);
	return 0;
}

static inline void fill_record_head(
	struct sooth_record *r, struct task_struct *task, uint16_t kind, uint32_t words)
{
	struct member m = {};

	identify_member(&m, task);
	record_fill(r, &m, kind, words, bpf_ktime_get_ns());
}

static inline void fill_values(struct exit_reasons_oom *r, struct task_struct *task)
{
	struct mm_struct *mm = BPF_CORE_READ(task, mm);

	if (!mm) {
		r->figures_state = 4 | 2 << 4; /* not measured: it has ended */
		return;
	}
	r->virtual_bytes = BPF_CORE_READ(mm, total_vm) * config.page_bytes;
	r->anonymous_bytes = RSS_PAGES(mm, RSS_ANONYMOUS) * config.page_bytes;
	r->file_bytes = RSS_PAGES(mm, RSS_FILE) * config.page_bytes;
	r->shared_bytes = RSS_PAGES(mm, RSS_SHARED) * config.page_bytes;
	r->table_bytes = (uint64_t)BPF_CORE_READ(mm, pgtables_bytes.counter);
	r->score_adjustment = BPF_CORE_READ(task, signal, oom_score_adj);
}

/* Notes an OOM victim. If the tracepoint has only a pid, the memory sizes are only in the kernel
 * log, and the exit record says that the process was chosen. */
SEC("kernel_tp/mark_victim")
int on_victim(unsigned long long *arguments)
{
	struct task_struct *task = victim_task(arguments);
	struct exit_reasons_oom *r;

	if (!task || (!member_of(task) && !is_selected(task)))
		return 0;
	r = bpf_ringbuf_reserve(&ring, sizeof(*r), 0);
	if (!r) {
		__sync_fetch_and_add(&control.lost_records, 1);
		return 0;
	}
	__builtin_memset(r, 0, sizeof(*r));
	fill_record_head(&r->record, task, EXIT_REASONS_OOM, RECORD_WORDS(struct exit_reasons_oom));
	r->asker_pid = pid_of((void *)bpf_get_current_task());
	if (r->asker_pid)
		bpf_get_current_comm(r->asker_name, sizeof(r->asker_name));
	fill_values(r, task);
	bpf_ringbuf_submit(r, ring_flags());
	return 0;
}

static inline uint32_t status_of(struct task_struct *task)
{
	int group_code = BPF_CORE_READ(task, signal, group_exit_code);

	return (uint32_t)(group_code ? group_code : BPF_CORE_READ(task, exit_code));
}

static inline void fill_exit(struct exit_reasons_end *r, struct task_struct *task)
{
	struct task_struct *parent = BPF_CORE_READ(task, group_leader, real_parent);

	r->status = status_of(task);
	r->peak_rss_bytes = BPF_CORE_READ(task, signal, maxrss) * config.page_bytes;
	r->is_oom_victim = BPF_CORE_READ(task, signal, oom_mm) != 0;
	r->cpu_soft_s = BPF_CORE_READ(task, signal, rlim[RLIMIT_CPU].rlim_cur);
	r->cpu_hard_s = BPF_CORE_READ(task, signal, rlim[RLIMIT_CPU].rlim_max);
	r->file_size_bytes = BPF_CORE_READ(task, signal, rlim[RLIMIT_FSIZE].rlim_cur);
	r->parent_pid = pid_of(parent);
	BPF_CORE_READ_STR_INTO(&r->name, task, group_leader, comm);
	if (r->parent_pid)
		BPF_CORE_READ_STR_INTO(&r->parent_name, parent, group_leader, comm);
}

static inline void emit_signals(struct exit_reasons_member *m, const struct sooth_record *end)
{
	for (int i = 0; i < EXIT_REASONS_SLOTS; i++) {
		struct exit_reasons_signal *s = &m->sent[i];
		uint32_t tid = s->record.tid;

		if (!s->signal)
			continue;
		s->record = *end;
		s->record.tid = tid;
		s->record.kind = EXIT_REASONS_SIGNAL;
		s->record.words = s->record.fixed_words = RECORD_WORDS(struct exit_reasons_signal);
		if (bpf_ringbuf_output(&ring, s, sizeof(*s), BPF_RB_NO_WAKEUP))
			__sync_fetch_and_add(&control.lost_records, 1);
	}
}

/* Returns the signal that ended a child, or else the last request to end. */
static inline struct exit_reasons_signal *signal_of(struct exit_reasons_member *m, uint32_t status)
{
	uint32_t number = status & STATUS_SIGNAL;
	struct exit_reasons_signal *s =
		&m->sent[number ? slot_of(number) : EXIT_REASONS_SLOT_REQUESTED];

	return s->signal && (!number || s->signal == number) ? s : 0;
}

static inline void fill_child(
	struct exit_reasons_child *r, struct task_struct *task, const struct exit_reasons_signal *s)
{
	struct task_struct *leader = BPF_CORE_READ(task, group_leader);
	struct task_struct *parent = BPF_CORE_READ(leader, real_parent);

	r->child_start_ticks = start_ticks_of(task);
	r->child_pid = pid_of(task);
	r->parent_pid = pid_of(parent);
	r->parent_start_ticks = r->parent_pid ? start_ticks_of(parent) : 0;
	r->life_ns = bpf_ktime_get_boot_ns() - BPF_CORE_READ(leader, start_boottime);
	r->status = status_of(task);
	r->is_oom_victim = BPF_CORE_READ(task, signal, oom_mm) != 0;
	BPF_CORE_READ_STR_INTO(&r->name, leader, comm);
	r->sender_state = 4 | 9 << 4; /* SOOTH_NOT_MEASURED(SOOTH_REASON_UNSEEN) */
	if (!s)
		return;
	r->signal = s->signal;
	r->code = s->code;
	r->is_from_kernel = s->is_from_kernel;
	r->is_sender_ending = s->is_sender_ending;
	r->sender_state = s->sender_state;
	r->sender_pid = s->sender_pid;
	r->sender_start_ticks = s->sender_start_ticks;
	r->sender_parent_pid = s->sender_parent_pid;
	__builtin_memcpy(r->sender_name, s->sender_name, sizeof(r->sender_name));
}

/* Reports the end of a child, unless it exits by itself. */
static void child_ends(struct task_struct *task, struct exit_reasons_member *m, uint32_t above_pid,
	uint64_t above_start_ticks)
{
	struct exit_reasons_signal *s = signal_of(m, status_of(task));
	struct exit_reasons_child *r;

	if (!s && !(status_of(task) & STATUS_SIGNAL))
		return;
	r = bpf_ringbuf_reserve(&ring, sizeof(*r), 0);
	if (!r) {
		__sync_fetch_and_add(&control.lost_records, 1);
		return;
	}
	__builtin_memset(r, 0, sizeof(*r));
	fill_record_head(
		&r->record, task, EXIT_REASONS_CHILD, RECORD_WORDS(struct exit_reasons_child));
	r->record.pid = r->record.tid = above_pid;
	r->record.start_ticks = above_start_ticks;
	fill_child(r, task, s);
	bpf_ringbuf_submit(r, ring_flags());
}

SEC("kernel_tp/sched_process_exit")
int BPF_PROG(on_end, struct task_struct *task)
{
	uint32_t pid = pid_of((void *)bpf_get_current_task());
	struct exit_reasons_member *m;
	struct task_struct *above;
	struct exit_reasons_end *r;
	struct sooth_record head;

	/* The last thread of the process: the kernel has already decremented the count. */
	if (BPF_CORE_READ(task, signal, live.counter))
		return 0;
	m = member_of(task);
	if (!m && !is_selected(task))
		return 0;
	if (m && m->above_pid) {
		child_ends(task, m, m->above_pid, m->above_start_ticks);
		forget_member(pid, m);
		return 0;
	}
	above = m ? watched_above(task) : 0;
	if (above)
		child_ends(task, m, pid_of(above), start_ticks_of(above));
	fill_record_head(&head, task, EXIT_REASONS_END, RECORD_WORDS(struct exit_reasons_end));
	if (m)
		emit_signals(m, &head);
	r = bpf_ringbuf_reserve(&ring, sizeof(*r), 0);
	if (r) {
		__builtin_memset(r, 0, sizeof(*r));
		r->record = head;
		fill_exit(r, task);
		bpf_ringbuf_submit(r, BPF_RB_FORCE_WAKEUP);
	} else {
		__sync_fetch_and_add(&control.lost_records, 1);
	}
	bpf_map_delete_elem(&members, &pid);
	return 0;
}

/* Attached only if sooth has more privileges than its caller. */
SEC("kernel_tp/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct *task, int old_pid, struct linux_binprm *program)
{
	uint32_t pid = pid_of((void *)bpf_get_current_task());
	struct exit_reasons_member *m = gains_privilege(program) ? member_of(task) : 0;

	if (!m)
		return 0;
	forget_member(pid, m);
	__sync_fetch_and_add(&control.released, 1);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
