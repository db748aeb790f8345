/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * System calls of followed threads. A thread is followed when it has task
 * storage with an interest; a fork hands it on, so threads and children are in
 * from their first call. Counting happens in that storage and crosses to user
 * space when the thread ends or is visited at the end; a stream crosses call by
 * call. A call in flight when a thread is marked has no entry and is not counted.
 */
#include "bpf/types.bpf.h"

#include "bpf/abi.bpf.h"
#include "bpf/syscalls.h"
#include "bpf/tally.h"
#include "model/stream_records.h"

#define INTEREST_COUNT  2 /* enum interest */
#define INTEREST_STREAM 4
#define PF_KTHREAD      0x00200000
#define NS_PER_S        1000000000ULL
#define CPU_NONE        SOOTH_CPU_NONE

struct thread {
	uint64_t start_ticks;
	uint32_t pid;
	uint32_t tid;
	uint64_t entered_ns;
	uint32_t number;
	uint16_t abi;
	uint8_t in_call;
	uint8_t is_held;
	uint32_t interest;
	uint32_t is_flushed; /* by its own exit or by a visit, whichever comes first */
	uint32_t unused;
	int32_t path_bytes; /* of path, NUL included; 0: not read yet */
	uint64_t arguments[6];
	char path[SYSCALLS_PATH_MAX]; /* of an exec: afterwards its memory is gone */
	struct tally tally;
};

const volatile struct syscalls_config config SEC(".rodata.config") = {};
struct syscalls_control control SEC(".data.control") = {};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct thread);
} threads SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, OVERFLOW_ENTRIES);
	__type(key, struct overflow_key);
	__type(value, struct overflow_value);
} overflow SEC(".maps");

/* A call with its path is too large for the stack. */
struct call_with_path {
	struct syscalls_call call;
	char path[SYSCALLS_PATH_MAX];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, uint32_t);
	__type(value, struct call_with_path);
} scratch SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, uint32_t);
	__type(value, struct overflow_value);
} zero SEC(".maps");

/* --- small things --- */

#define RECORD_WORDS(type) ((sizeof(type) + SOOTH_RECORD_WORD - 1) / SOOTH_RECORD_WORD)

static inline void record_fill(
	struct sooth_record *r, const struct thread *t, uint16_t kind, uint32_t words, uint64_t now)
{
	r->time_ns = now;
	r->start_ticks = t->start_ticks;
	r->pid = t->pid;
	r->tid = t->tid;
	r->kind = kind;
	r->cpu = (uint16_t)bpf_get_smp_processor_id();
	r->words = (uint16_t)words;
	r->fixed_words = (uint16_t)words;
}

/* The collector polls; it is woken only when the ring fills, so that records cost no wake-up. */
static inline uint64_t ring_flags(void)
{
	return bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA) >= config.wakeup_bytes ?
		       BPF_RB_FORCE_WAKEUP :
		       BPF_RB_NO_WAKEUP;
}

static inline uint64_t start_ticks_of(struct task_struct *task)
{
	return BPF_CORE_READ(task, group_leader, start_boottime) / (NS_PER_S / config.ticks_per_s);
}

static inline void identify(struct thread *t, struct task_struct *task)
{
	t->pid = (uint32_t)BPF_CORE_READ(task, tgid);
	t->tid = (uint32_t)BPF_CORE_READ(task, pid);
	t->start_ticks = start_ticks_of(task);
}

/* --- what has no room in the thread --- */

static struct overflow_value *overflow_entry(
	const struct thread *t, uint32_t number, uint32_t abi, uint32_t error)
{
	struct overflow_key key = { .start_ticks = t->start_ticks, .pid = t->pid, .tid = t->tid,
		.number = number, .abi = abi, .error = error };
	struct overflow_value *value = bpf_map_lookup_elem(&overflow, &key);
	uint32_t first = 0;
	struct overflow_value *blank;

	if (value)
		return value;
	blank = bpf_map_lookup_elem(&zero, &first);
	if (!blank)
		return 0;
	bpf_map_update_elem(&overflow, &key, blank, BPF_NOEXIST);
	value = bpf_map_lookup_elem(&overflow, &key);
	if (value)
		value->from_ns = t->tally.from_ns;
	return value;
}

/* Only the thread itself, or the flush of a muted one, comes here for its key. */
static void overflow_call(const struct thread *t, int is_error, uint64_t duration_ns)
{
	struct overflow_value *v = overflow_entry(t, t->number, t->abi, 0);

	if (!v) {
		__sync_fetch_and_add(&control.lost_counts, 1);
		return;
	}
	v->count++;
	v->errors += is_error != 0;
	v->total_ns += duration_ns;
	if (duration_ns > v->max_ns)
		v->max_ns = duration_ns;
	v->histogram[tally_bucket(duration_ns) & (SYSCALLS_BUCKETS - 1)]++;
}

static void overflow_error(const struct thread *t, uint32_t number, uint32_t abi, uint32_t error,
	uint64_t count)
{
	struct overflow_value *v = overflow_entry(t, number, abi, error);

	if (v)
		v->count += count;
	else
		__sync_fetch_and_add(&control.lost_counts, count);
}

static void overflow_slot(const struct thread *t, const struct tally_slot *s)
{
	struct overflow_value *v = overflow_entry(t, s->number, ABI_NATIVE, 0);

	if (!v) {
		__sync_fetch_and_add(&control.lost_counts, s->count);
		return;
	}
	v->count += s->count;
	v->errors += s->errors;
	v->unfinished += s->unfinished;
	v->total_ns += s->total_ns;
	if (s->max_ns > v->max_ns)
		v->max_ns = s->max_ns;
	for (int i = 0; i < SYSCALLS_BUCKETS; i++)
		v->histogram[i] += s->histogram[i];
}

/* --- counting --- */

static inline void count_call(struct thread *t, int64_t result, uint64_t duration_ns)
{
	struct tally_slot *slot = 0;
	/* What it "returns" is a register of the interrupted code. */
	int is_error = tally_is_error(result) &&
		       !(t->abi == ABI_NATIVE && t->number == NR_RT_SIGRETURN);

	if (t->abi == ABI_NATIVE)
		slot = tally_slot(&t->tally, t->number);
	if (slot)
		tally_slot_add(slot, is_error, duration_ns);
	else
		overflow_call(t, is_error, duration_ns);
	if (!is_error)
		return;
	if (t->abi != ABI_NATIVE || !tally_error(&t->tally, t->number, (uint32_t)-result))
		overflow_error(t, t->number, t->abi, (uint32_t)-result, 1);
}

static void flush_slot(struct thread *t, struct tally_slot *s, uint64_t now)
{
	struct syscalls_count *r;

	if (!s->count && !s->unfinished)
		return;
	r = bpf_ringbuf_reserve(&ring, sizeof(*r), 0);
	if (!r) {
		overflow_slot(t, s);
		return;
	}
	record_fill(&r->record, t, SYSCALLS_COUNT, RECORD_WORDS(struct syscalls_count), now);
	r->from_ns = t->tally.from_ns;
	r->number = s->number;
	r->abi = ABI_NATIVE;
	r->count = s->count;
	r->errors = s->errors;
	r->unfinished = s->unfinished;
	r->total_ns = s->total_ns;
	r->max_ns = s->max_ns;
	__builtin_memcpy(r->histogram, s->histogram, sizeof(r->histogram));
	bpf_ringbuf_submit(r, ring_flags());
}

static void flush_error(struct thread *t, struct tally_error *e, uint64_t now)
{
	struct syscalls_error *r = bpf_ringbuf_reserve(&ring, sizeof(*r), 0);

	if (!r) {
		overflow_error(t, e->number, ABI_NATIVE, e->error, e->count);
		return;
	}
	record_fill(&r->record, t, SYSCALLS_ERROR, RECORD_WORDS(struct syscalls_error), now);
	r->from_ns = t->tally.from_ns;
	r->number = e->number;
	r->abi = ABI_NATIVE;
	r->count = e->count;
	r->error = e->error;
	r->unused = 0;
	bpf_ringbuf_submit(r, ring_flags());
}

/* A call that will not return, or has not yet. */
static void count_open_call(struct thread *t)
{
	struct tally_slot *slot = 0;
	struct overflow_value *v;
	bool is_last;

	if (t->abi == ABI_NATIVE)
		slot = tally_slot(&t->tally, t->number);
	is_last = abi_is_last(t->abi, t->number);
	if (slot) {
		slot->count += is_last;
		slot->unfinished = !is_last;
		return;
	}
	v = overflow_entry(t, t->number, t->abi, 0);
	if (v) {
		v->count += is_last;
		v->unfinished += !is_last;
	}
}

static void flush_thread(struct thread *t, uint64_t now)
{
	if (__sync_val_compare_and_swap(&t->is_flushed, 0, 1))
		return;
	if (t->in_call)
		count_open_call(t);
	for (int i = 0; i < SYSCALLS_SLOTS; i++) {
		if (i >= t->tally.slots_used)
			break;
		flush_slot(t, &t->tally.slots[i], now);
	}
	for (int i = 0; i < SYSCALLS_ERROR_SLOTS; i++) {
		if (i >= t->tally.errors_used)
			break;
		flush_error(t, &t->tally.errors[i], now);
	}
}

/* --- the stream --- */

static inline void call_fill(
	struct syscalls_call *r, struct thread *t, int64_t result, uint64_t now)
{
	record_fill(&r->record, t, SYSCALLS_CALL, RECORD_WORDS(struct syscalls_call), now);
	r->duration_ns = now - t->entered_ns;
	r->result = result;
	__builtin_memcpy(r->arguments, t->arguments, sizeof(r->arguments));
	r->number = t->number;
	r->abi = t->abi;
	r->path_argument = 0;
	r->path_state = 1; /* SOOTH_STATE_ABSENT */
	r->result_state = 0;
	__builtin_memset(r->unused, 0, sizeof(r->unused));
	r->path.offset = 0;
	r->path.size = 0;
	bpf_get_current_comm(r->name, sizeof(r->name));
}

static void stream_plain(struct thread *t, int64_t result, uint64_t now, uint8_t result_state)
{
	struct syscalls_call *r = bpf_ringbuf_reserve(&ring, sizeof(*r), 0);

	if (!r) {
		__sync_fetch_and_add(&control.lost_records, 1);
		return;
	}
	call_fill(r, t, result, now);
	r->result_state = result_state;
	bpf_ringbuf_submit(r, ring_flags());
}

/* The path: kept at the entry of an exec, else read now that its page has been touched. */
static inline long read_path(struct thread *t, char *to, uint32_t argument)
{
	if (t->path_bytes > 0) {
		__builtin_memcpy(to, t->path, SYSCALLS_PATH_MAX);
		return t->path_bytes;
	}
	if (argument < 1 || argument > 6)
		return -1;
	return bpf_probe_read_user_str(to, SYSCALLS_PATH_MAX,
		(const void *)(unsigned long)t->arguments[argument - 1]);
}

static void stream_with_path(struct thread *t, int64_t result, uint64_t now, uint32_t argument)
{
	uint32_t first = 0;
	struct call_with_path *r = bpf_map_lookup_elem(&scratch, &first);
	long size;
	uint32_t words;

	if (!r)
		return;
	call_fill(&r->call, t, result, now);
	size = read_path(t, r->path, argument);
	r->call.path_argument = (uint8_t)argument;
	if (size <= 0) {
		r->call.path_state = 4 | 6 << 4; /* SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED) */
		size = 1;
	} else {
		/* A string that fills its room may go on: SOOTH_STATE_TRUNCATED. */
		r->call.path_state = size == SYSCALLS_PATH_MAX ? 2 : 0;
	}
	size--; /* the NUL stays outside */
	if (size < 0 || size >= SYSCALLS_PATH_MAX)
		return;
	r->call.path.offset = sizeof(struct syscalls_call);
	r->call.path.size = (uint32_t)size;
	words = RECORD_WORDS(struct syscalls_call) +
		((uint32_t)size + SOOTH_RECORD_WORD - 1) / SOOTH_RECORD_WORD;
	r->call.record.words = (uint16_t)words;
	words *= SOOTH_RECORD_WORD;
	if (words > sizeof(*r))
		return;
	if (bpf_ringbuf_output(&ring, r, words, ring_flags()))
		__sync_fetch_and_add(&control.lost_records, 1);
}

static inline uint32_t path_argument(const struct thread *t)
{
	if (t->abi != ABI_NATIVE || t->number >= sizeof(config.path_arguments))
		return 0;
	return config.path_arguments[t->number];
}

static void stream_call(struct thread *t, int64_t result, uint64_t now)
{
	uint32_t argument = path_argument(t);

	if (argument)
		stream_with_path(t, result, now, argument);
	else
		stream_plain(t, result, now, 0);
}

/* --- following --- */

static struct thread *follow(struct task_struct *task, uint32_t interest, uint64_t now)
{
	struct thread *t =
		bpf_task_storage_get(&threads, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (!t) {
		__sync_fetch_and_add(&control.lost_threads, 1);
		return 0;
	}
	identify(t, task);
	if (!t->tally.from_ns)
		t->tally.from_ns = now;
	t->interest = interest; /* last: from here on the thread counts */
	return t;
}

/* A thread nobody marked: it may belong all the same, when every process does. */
static struct thread *adopt(struct task_struct *task)
{
	if (config.adopt == ADOPT_USER && (uint32_t)bpf_get_current_uid_gid() != config.uid)
		return 0;
	if (BPF_CORE_READ(task, tgid) == (int)config.own_pid)
		return 0;
	return follow(task, config.interest, bpf_ktime_get_ns());
}

static void tell_join(struct thread *child, const struct thread *parent, struct task_struct *task,
	uint64_t now)
{
	struct process_join *r = bpf_ringbuf_reserve(&ring, sizeof(*r), 0);

	if (!r) {
		__sync_fetch_and_add(&control.lost_events, 1);
		return;
	}
	record_fill(&r->record, child, PROCESS_JOIN, RECORD_WORDS(struct process_join), now);
	r->parent_start_ticks = parent->start_ticks;
	r->parent_pid = parent->pid;
	r->unused = 0;
	bpf_probe_read_kernel_str(r->name, sizeof(r->name), task->comm);
	bpf_ringbuf_submit(r, ring_flags());
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(on_fork, struct task_struct *parent, struct task_struct *child)
{
	struct thread *from = bpf_task_storage_get(&threads, parent, 0, 0);
	struct thread *to;
	uint64_t now;

	if (!from || !from->interest || from->is_held)
		return 0;
	now = bpf_ktime_get_ns();
	to = follow(child, from->interest, now);
	if (to && to->pid != from->pid)
		tell_join(to, from, child, now);
	return 0;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct *task)
{
	struct thread *t = bpf_task_storage_get(&threads, task, 0, 0);
	struct process_exec *r;

	if (!t || !t->interest)
		return 0;
	identify(t, task); /* a thread that execs takes its leader's id */
	r = bpf_ringbuf_reserve(&ring, sizeof(*r), 0);
	if (!r) {
		__sync_fetch_and_add(&control.lost_events, 1);
		return 0;
	}
	record_fill(&r->record, t, PROCESS_EXEC, RECORD_WORDS(struct process_exec),
		bpf_ktime_get_ns());
	bpf_probe_read_kernel_str(r->name, sizeof(r->name), task->comm);
	bpf_ringbuf_submit(r, ring_flags());
	return 0;
}

static void tell_leave(struct thread *t, struct task_struct *task, uint64_t now)
{
	struct process_leave *r = bpf_ringbuf_reserve(&ring, sizeof(*r), 0);
	int group_code = BPF_CORE_READ(task, signal, group_exit_code);

	if (!r) {
		__sync_fetch_and_add(&control.lost_events, 1);
		return;
	}
	record_fill(&r->record, t, PROCESS_LEAVE, RECORD_WORDS(struct process_leave), now);
	r->status = (uint32_t)(group_code ? group_code : BPF_CORE_READ(task, exit_code));
	r->unused = 0;
	bpf_probe_read_kernel_str(r->name, sizeof(r->name), task->comm);
	bpf_ringbuf_submit(r, BPF_RB_FORCE_WAKEUP);
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_exit, struct task_struct *task)
{
	struct thread *t = bpf_task_storage_get(&threads, task, 0, 0);
	uint64_t now;

	if (!t)
		return 0;
	now = bpf_ktime_get_ns();
	if (t->interest & INTEREST_STREAM && t->in_call)
		stream_plain(t, 0, now, 1); /* SOOTH_STATE_ABSENT: it does not return */
	flush_thread(t, now); /* a muted thread too: it may end before its visit */
	t->in_call = 0;
	if (!t->interest)
		return 0;
	/* The last thread of the process: the kernel has taken it off the count already. */
	if (BPF_CORE_READ(task, signal, live.counter) == 0)
		tell_leave(t, task, now);
	return 0;
}

/* --- the calls --- */

static inline bool is_exec(uint32_t abi, long number)
{
	return abi == ABI_NATIVE && (number == NR_EXECVE || number == NR_EXECVEAT);
}

static void enter_stream(struct thread *t, struct pt_regs *regs)
{
	uint32_t argument = path_argument(t);

	abi_arguments(regs, t->abi, t->arguments);
	t->path_bytes = 0;
	if (is_exec(t->abi, t->number) && argument >= 1 && argument <= 6)
		t->path_bytes = (int32_t)bpf_probe_read_user_str(t->path, sizeof(t->path),
			(const void *)(unsigned long)t->arguments[argument - 1]);
}

SEC("tp_btf/sys_enter")
int BPF_PROG(on_enter, struct pt_regs *regs, long number)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct thread *t = bpf_task_storage_get(&threads, task, 0, 0);
	uint32_t abi;

	if (!t && config.adopt)
		t = adopt(task);
	if (!t || !t->interest)
		return 0;
	abi = abi_of(task, &number);
	if (t->is_held) {
		if (!is_exec(abi, number))
			return 0;
		t->is_held = 0;
	}
	t->number = (uint32_t)number;
	t->abi = (uint16_t)abi;
	if (t->interest & INTEREST_STREAM)
		enter_stream(t, regs);
	t->in_call = 1;
	t->entered_ns = bpf_ktime_get_ns();
	return 0;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(on_return, struct pt_regs *regs, long result)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct thread *t = bpf_task_storage_get(&threads, task, 0, 0);
	uint64_t now;

	if (!t || !t->interest || !t->in_call)
		return 0;
	now = bpf_ktime_get_ns();
	t->in_call = 0;
	if (t->interest & INTEREST_COUNT)
		count_call(t, result, now - t->entered_ns);
	if (t->interest & INTEREST_STREAM)
		stream_call(t, result, now);
	return 0;
}

/* --- visits: user space walks all threads to mark, mute and flush them --- */

static inline bool is_visited(struct task_struct *task)
{
	if (control.pid)
		return task->tgid == (int)control.pid;
	return !(task->flags & PF_KTHREAD) && task->tgid != (int)config.own_pid;
}

static void visit_mark(struct task_struct *task)
{
	struct thread *t = bpf_task_storage_get(&threads, task, 0, 0);

	if (t && t->interest == control.interest)
		return;
	if (t && t->is_flushed)
		bpf_task_storage_delete(&threads, task); /* followed once before: start afresh */
	t = follow(task, control.interest, bpf_ktime_get_ns());
	if (!t)
		return;
	t->is_held = (uint8_t)control.is_held;
	control.visited++;
}

static void visit_known(struct task_struct *task)
{
	struct thread *t = bpf_task_storage_get(&threads, task, 0, 0);

	if (!t)
		return;
	control.visited++;
	if (control.visit == VISIT_MUTE) {
		t->interest = 0;
		return;
	}
	if (!t->interest)
		flush_thread(t, bpf_ktime_get_ns());
}

SEC("iter/task")
int on_visit(struct bpf_iter__task *context)
{
	struct task_struct *task = context->task;

	if (!task || !is_visited(task))
		return 0;
	if (control.visit == VISIT_MARK)
		visit_mark(task);
	else
		visit_known(task);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
