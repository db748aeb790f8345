/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * threads by procfs: stat and schedstat of each /proc/PID/task/TID; where details are requested,
 * also status (switches), syscall, wchan and io. The files of threads that have not run since the
 * previous sample are not read again.
 *
 * Cannot be seen: the call of a running thread, and its CPU time since the scheduler last updated
 * it (a tick at most); the call and the wait channel of processes that the caller may not attach
 * to. A call that a 64-bit program makes by the 32-bit entry is shown with its number read as a
 * 64-bit one: procfs has only the number.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/units.h"
#include "os/linux/bpf/members.h"
#include "os/linux/rights/needs.h"
#include "os/linux/files/process_snapshot.h"
#include "os/linux/files/task_files.h"
#include "os/linux/syscalls/native_abi.h"
#include "os/linux/threads/threads_again.h"
#include "os/os.h"
#include "probes/syscall_names.h"
#include "probes/threads.h"

#define THREADS_MAX  65536
#define CHANNEL_SIZE 256 /* KSYM_NAME_LEN is 512, real names are far shorter */

#define NOT_REQUESTED SOOTH_NOT_MEASURED(SOOTH_REASON_NOT_REQUESTED)
#define UNSUPPORTED   SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED)
#define FAILED	      SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED)

struct threads_state {
	struct members members;
	uint64_t ticks_per_s;
	struct threads_again again;
	struct buffer tids, bytes, name, channel, schedstat;
	int schedstat_status; /* status for the current thread */
};

/* Data shared by all threads of a process. */
struct program {
	struct process_snapshot snapshot;
	uint32_t abi;
	uint8_t abi_state;
	bool may_read; /* whether its activity may be read: else wait channels show as 0 */
};

/* Finds the ABI in the auxiliary vector and not in the program's file, whose read may never
 * return. */
static void find_abi(struct threads_state *s, struct program *p)
{
	int status = procfs_read_at(p->snapshot.process, "auxv", &s->bytes, PROCFS_SMALL);
	bool is_32_bit;

	p->abi_state = procfs_state(process_snapshot_status(&p->snapshot, status));
	if (status < 0)
		return;
	if (task_auxv_parse(&is_32_bit, s->bytes.data, s->bytes.size))
		p->abi = is_32_bit ? ABI_32 : ABI_64;
	else
		p->abi_state = FAILED;
}

/* Returns whether wait channels may be read: links of a process need the same permission. */
static bool may_read(const struct program *p)
{
	char to[8];

	return readlinkat(p->snapshot.process, "cwd", to, sizeof(to)) >= 0 ||
	       (errno != EACCES && errno != EPERM);
}

/* Sets the system call of a thread. The number of bits belongs to the program as a whole; the
 * kernel marks calls of x32. */
static void set_call(
	struct threads_thread *t, const struct program *p, const struct task_call *call)
{
	t->syscall_state = call->has_call ? p->abi_state : SOOTH_STATE_ABSENT;
	t->stack_pointer = call->stack_pointer;
	t->stack_pointer_state = SOOTH_STATE_VALUE;
	if (t->syscall_state != SOOTH_STATE_VALUE)
		return;
	t->syscall = call->number;
	t->abi = p->abi;
	memcpy(t->arguments, call->arguments, sizeof(t->arguments));
#if defined(__x86_64__)
	if (call->number & SYSCALL_X32_BIT) {
		t->syscall = call->number & ~SYSCALL_X32_BIT;
		t->abi = SYSCALL_ABI_X32;
	}
#endif
}

static void read_call(struct threads_state *s, const struct program *p, struct threads_thread *t)
{
	int status = process_snapshot_file(&p->snapshot, t->record.tid, "syscall", &s->bytes);
	struct task_call call;

	t->syscall_state = t->stack_pointer_state =
		process_snapshot_state(&p->snapshot, t->record.tid, status);
	if (status)
		return;
	if (!task_call_parse(&call, s->bytes.data, s->bytes.size))
		t->syscall_state = t->stack_pointer_state = FAILED;
	else if (call.is_running)
		t->syscall_state = t->stack_pointer_state = SOOTH_STATE_ABSENT;
	else
		set_call(t, p, &call);
}

static bool is_waiting(char state)
{
	return state != 'R' && state != 'Z' && state != 'X';
}

static void read_channel(struct threads_state *s, const struct program *p, struct threads_thread *t)
{
	int status = process_snapshot_file(&p->snapshot, t->record.tid, "wchan", &s->bytes);
	size_t size = s->bytes.size < CHANNEL_SIZE ? s->bytes.size : CHANNEL_SIZE;

	t->wait_channel_state = process_snapshot_state(&p->snapshot, t->record.tid, status);
	if (status)
		return;
	if (size && !(size == 1 && s->bytes.data[0] == '0')) {
		buffer_append(&s->channel, s->bytes.data, size);
		return;
	}
	/* "0" has three meanings. */
	t->wait_channel_state = !is_waiting(t->state) ? SOOTH_STATE_ABSENT
				: !p->may_read	      ? SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION)
						      : UNSUPPORTED;
}

static void read_switches(
	struct threads_state *s, const struct program *p, struct threads_thread *t)
{
	int status = process_snapshot_file(&p->snapshot, t->record.tid, "status", &s->bytes);
	struct span yielded, taken;

	t->switches_state = process_snapshot_state(&p->snapshot, t->record.tid, status);
	if (status)
		return;
	if (!task_status_find(&yielded, "voluntary_ctxt_switches:", s->bytes.data, s->bytes.size) ||
		!task_status_find(
			&taken, "nonvoluntary_ctxt_switches:", s->bytes.data, s->bytes.size) ||
		!span_decimal(yielded, &t->voluntary_switches) ||
		!span_decimal(taken, &t->involuntary_switches))
		t->switches_state = UNSUPPORTED;
}

/* Reads io. The kernel does not count bytes of recv and send there. */
static void read_io(struct threads_state *s, const struct program *p, struct threads_thread *t)
{
	int status = process_snapshot_file(&p->snapshot, t->record.tid, "io", &s->bytes);
	struct task_io io;

	t->io_state = process_snapshot_state(&p->snapshot, t->record.tid, status);
	if (status)
		return;
	if (!task_io_parse(&io, s->bytes.data, s->bytes.size)) {
		t->io_state = FAILED;
		return;
	}
	t->read_bytes = io.read_bytes;
	t->written_bytes = io.written_bytes;
	t->reads = io.reads;
	t->writes = io.writes;
}

static void read_cpu(struct threads_state *s, const struct program *p, struct threads_thread *t,
	uint64_t cpu_ticks)
{
	int status = s->schedstat_status;

	if (!status && task_schedstat_parse(
			       &t->cpu_ns, &t->waited_ns, s->schedstat.data, s->schedstat.size))
		return;
	/* Without CONFIG_SCHED_INFO the file is missing, and waiting is not measured. */
	t->waited_ns = 0;
	t->waited_state =
		status ? process_snapshot_state(&p->snapshot, t->record.tid, status) : FAILED;
	t->cpu_ns = cpu_ticks * (NS_PER_S / s->ticks_per_s);
	t->cpu_is_ticks = 1;
}

static void read_details(
	const struct backend_run *run, const struct program *p, struct threads_thread *t)
{
	struct threads_state *s = run->state;

	if (!(run->options.interest & INTEREST_DETAIL)) {
		t->switches_state = t->syscall_state = t->wait_channel_state =
			t->stack_pointer_state = t->io_state = NOT_REQUESTED;
		return;
	}
	read_switches(s, p, t);
	read_call(s, p, t);
	read_channel(s, p, t);
	read_io(s, p, t);
}

static void write_thread(struct backend_run *run, const struct program *p, uint32_t tid,
	const struct task_stat *stat)
{
	struct threads_state *s = run->state;
	struct threads_thread t = { .record = process_snapshot_head(
					    &p->snapshot, run, tid, THREADS_THREAD) };
	struct record_tail tail[2];

	buffer_reset(&s->name);
	buffer_reset(&s->channel);
	buffer_append(&s->name, stat->shared.name.data, stat->shared.name.size);
	t.state = stat->shared.state;
	t.thread_start_ticks = stat->shared.start_ticks;
	t.nice = stat->nice;
	t.policy = stat->policy;
	t.realtime_priority = stat->realtime_priority;
	t.processor = stat->processor;
	t.faults = stat->faults;
	t.major_faults = stat->major_faults;
	t.system_ns = stat->system_ticks * (NS_PER_S / s->ticks_per_s);
	t.record.time_ns = run->os->now_ns(run->os); /* CPU shares are computed from it */
	read_cpu(s, p, &t, stat->shared.cpu_ticks);
	read_details(run, p, &t);
	tail[0] = (struct record_tail){ &t.name, s->name.data, s->name.size };
	tail[1] = (struct record_tail){ &t.wait_channel, s->channel.data, s->channel.size };
	RECORD_APPEND(&run->out, &t, tail, 2);
}

/* Reads a thread; false: it has ended. Its counts are read first, because other reads change
 * them. */
static bool read_thread(struct backend_run *run, const struct program *p, uint32_t tid)
{
	struct threads_state *s = run->state;
	size_t from = run->out.size;
	struct span schedstat = { 0 };
	struct task_stat stat;

	s->schedstat_status = process_snapshot_file(&p->snapshot, tid, "schedstat", &s->schedstat);
	if (!s->schedstat_status)
		schedstat = span_of((const char *)s->schedstat.data, s->schedstat.size);
	if (threads_again_thread(&s->again, run, tid, schedstat))
		return true;
	if (process_snapshot_file(&p->snapshot, tid, "stat", &s->bytes) ||
		!task_stat_parse(&stat, s->bytes.data, s->bytes.size))
		return false;
	write_thread(run, p, tid, &stat);
	threads_again_keep_record(&s->again, run, from, schedstat);
	return true;
}

static int read_threads(struct backend_run *run, struct program *p, uint32_t *count)
{
	struct threads_state *s = run->state;
	int status = process_snapshot_threads(&p->snapshot, &s->tids, THREADS_MAX);
	const uint32_t *tids = (const void *)s->tids.data;

	if (status < 0)
		return status;
	p->may_read = may_read(p);
	find_abi(s, p);
	for (size_t i = 0; i < s->tids.size / sizeof(*tids); i++)
		*count += read_thread(run, p, tids[i]);
	return *count ? status : -ESRCH;
}

static void write_end(struct backend_run *run, const struct process_snapshot *snapshot,
	uint32_t threads, int status)
{
	struct threads_process end = { .record = process_snapshot_head(
					       snapshot, run, 0, THREADS_PROCESS),
		.threads = threads,
		.threads_state = procfs_state(status) };

	RECORD_APPEND(&run->out, &end, NULL, 0);
}

static void sample_process(struct backend_run *run, pid_t pid, const struct process_id *expected)
{
	struct threads_state *s = run->state;
	struct program p = { 0 };
	uint32_t threads = 0;
	int status;

	if (threads_again_process(&s->again, run, expected, &threads)) {
		p.snapshot = (struct process_snapshot){ .process = -1, .id = *expected };
		write_end(run, &p.snapshot, threads, 0);
		return;
	}
	status = process_snapshot_open(&p.snapshot, run, pid, expected);
	if (status <= 0) {
		if (!status)
			status = read_threads(run, &p, &threads);
		write_end(run, &p.snapshot, threads, status);
	}
	threads_again_end(&s->again, !status);
	process_snapshot_close(&p.snapshot);
}

static int threads_sample(struct backend_run *run, struct sooth_error *err)
{
	struct threads_state *s = run->state;

	threads_again_begin(&s->again);
	return members_visit(&s->members, run, sample_process, err);
}

static int threads_open(struct backend_run *run, struct sooth_error *err)
{
	struct threads_state *s = run->state;

	(void)err;
	members_init(&s->members);
	threads_again_init(&s->again);
	s->ticks_per_s = (uint64_t)sysconf(_SC_CLK_TCK);
	return 0;
}

static void threads_joined(struct backend_run *run, const struct process_id *process)
{
	sample_process(run, (pid_t)process->pid, process);
}

static void threads_close(struct backend_run *run)
{
	struct threads_state *s = run->state;

	members_fini(&s->members);
	threads_again_fini(&s->again);
	buffer_fini(&s->schedstat);
	buffer_fini(&s->tids);
	buffer_fini(&s->bytes);
	buffer_fini(&s->name);
	buffer_fini(&s->channel);
}

static const struct need *const needs[] = { &need_procfs, NULL };

const struct backend backend_threads_procfs = {
	.name = "procfs",
	.probe = "threads",
	.help = "reads /proc/PID/task; nothing is attached to the process",
	.needs = needs,
	.state_size = sizeof(struct threads_state),
	.open = threads_open,
	.set = members_backend_set,
	.start = threads_sample,
	.sample = threads_sample,
	.joined = threads_joined,
	.stop = threads_sample,
	.close = threads_close,
};
