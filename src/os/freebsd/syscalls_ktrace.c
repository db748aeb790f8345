/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * syscalls by ktrace(2): each call has a record when it begins and one when it returns, so the
 * clock of the kernel times it, in microseconds before FreeBSD 14. Needs no privilege for processes
 * of the caller.
 *
 * Cannot be seen: the data of a call, addresses of sockets; calls of processes that were started
 * earlier with other ids. While the kernel has no room for a record, calls are lost; each gap
 * counts as one loss.
 */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/map.h"
#include "base/units.h"
#include "bpf/log2.h"
#include "os/bsd/call_counts.h"
#include "os/bsd/errno_numbers.h"
#include "os/freebsd/ktrace_follow.h"
#include "os/os.h"
#include "probes/syscall_arguments.h"
#include "probes/syscall_names.h"
#include "probes/syscall_set.h"
#include "probes/syscalls.h"

#define THREADS_MAX 65536

/* A call that has begun. */
struct pending {
	uint64_t begun_ns;
	struct ktrace_call call;
	uint16_t path_size;
	char path[SYSCALLS_PATH_MAX];
};

struct syscalls_state {
	struct ktrace_follow follow; /* first */
	struct syscall_set set;
	struct map pending; /* uint64_t, tid -> struct pending */
	struct call_counts counts;
};

static int syscalls_open(struct backend_run *run, struct sooth_error *err)
{
	struct syscalls_state *s = run->state;
	int status = ktrace_follow_open(&s->follow, run, KTRACE_POINT(KTRACE_NAMEI), err);

	map_init(&s->pending, sizeof(uint64_t), sizeof(struct pending), THREADS_MAX);
	call_counts_init(&s->counts, SYSCALL_ABI_FREEBSD, run->os->now_ns(run->os));
	if (!status)
		status = syscall_set_of(&s->set, &run->options.observer.calls, err);
	return status;
}

static void syscalls_close(struct backend_run *run)
{
	struct syscalls_state *s = run->state;

	ktrace_follow_close(&s->follow);
	map_fini(&s->pending);
	call_counts_fini(&s->counts);
}

static int syscalls_set(struct backend_run *run, const struct process_id *process,
	unsigned interest, struct sooth_error *err)
{
	struct syscalls_state *s = run->state;

	return ktrace_follow_set_interest(&s->follow, run, process, interest, err);
}

/* --- one call --- */

static struct sooth_record record_head_of(
	const struct process_id *process, uint64_t tid, uint64_t time_ns, uint16_t kind)
{
	return (struct sooth_record){ .time_ns = time_ns,
		.start_ticks = process->start_ticks,
		.pid = process->pid,
		.tid = (uint32_t)tid,
		.kind = kind,
		.cpu = SOOTH_CPU_NONE };
}

static void count_call(struct syscalls_state *s, const struct ktrace_process *p, uint64_t tid,
	uint32_t number, uint32_t error, uint64_t duration_ns, bool is_timed)
{
	call_counts_add(&s->counts, &(struct counted_calls){ .process = p->id,
					    .tid = tid,
					    .number = number,
					    .error = error,
					    .count = 1,
					    .total_ns = duration_ns,
					    .max_ns = duration_ns,
					    .slot = log2_of(duration_ns),
					    .is_untimed = !is_timed });
}

static void stream_call(struct backend_run *run, const struct ktrace_process *p,
	const struct ktrace_record *r, uint64_t time_ns, const struct pending *begun,
	const struct ktrace_return *ret, bool is_timed)
{
	const struct syscall_row *row = syscall_row_of(SYSCALL_ABI_FREEBSD, ret->number);
	struct syscalls_call c = { .record = record_head_of(&p->id, r->tid, time_ns, SYSCALLS_CALL),
		.duration_ns = is_timed ? time_ns - begun->begun_ns : 0,
		.number = ret->number,
		.abi = SYSCALL_ABI_FREEBSD,
		.result = ret->error > 0 ? -(int64_t)errno_from_freebsd((uint32_t)ret->error)
					 : (int64_t)ret->value,
		.duration_state =
			is_timed ? SOOTH_STATE_VALUE : SOOTH_NOT_MEASURED(SOOTH_REASON_UNSEEN) };
	struct record_tail tail[] = { { &c.path, NULL, 0 }, { &c.pieces, NULL, 0 } };

	if (is_timed) {
		for (size_t i = 0; i < ARRAY_SIZE(c.arguments); i++)
			c.arguments[i] = begun->call.arguments[i];
		c.path_argument = begun->path_size ? syscall_path_argument(row) : 0;
		tail[0].data = begun->path;
		tail[0].size = c.path_argument ? begun->path_size : 0;
	}
	if (ret->error == KTRACE_RESTARTS)
		c.result = -512; /* ERESTARTSYS of Linux: restarted by the kernel */
	memcpy(c.name, r->name, sizeof(c.name) - 1);
	RECORD_APPEND(&run->out, &c, tail, ARRAY_SIZE(tail));
}

static void store_begin(struct syscalls_state *s, const struct ktrace_record *r, uint64_t time_ns)
{
	struct ktrace_call call;
	struct pending *p;

	if (!ktrace_call(&call, r))
		return;
	p = map_put(&s->pending, &r->tid, NULL);
	if (p)
		*p = (struct pending){ .begun_ns = time_ns, .call = call };
}

/* Stores the path of a call: the first one that is looked up during the call. */
static void store_path(struct syscalls_state *s, const struct ktrace_record *r)
{
	struct pending *p = map_get(&s->pending, &r->tid);
	size_t size = r->payload.size;

	if (!p || p->path_size)
		return;
	if (size > sizeof(p->path) - 1)
		size = sizeof(p->path) - 1;
	memcpy(p->path, r->payload.data, size);
	p->path_size = (uint16_t)strnlen(p->path, size);
}

static void emit_returned_call(struct backend_run *run, struct ktrace_process *p,
	const struct ktrace_record *r, uint64_t time_ns)
{
	struct syscalls_state *s = run->state;
	const struct pending *begun = map_get(&s->pending, &r->tid);
	struct ktrace_return ret;
	const struct syscall_row *row;
	bool is_timed;
	uint32_t error;

	if (!ktrace_return(&ret, r))
		return;
	row = syscall_by_number(SYSCALL_ABI_FREEBSD, ret.number);
	/* A child returns from the call that its parent made; its thread may have the number of a
	 * thread that was killed in a call. */
	if ((!begun || begun->call.number != ret.number) && row &&
		row->traits & SYSCALL_STARTS_TASK) {
		map_remove(&s->pending, &r->tid);
		return;
	}
	is_timed = begun && begun->call.number == ret.number && time_ns >= begun->begun_ns;
	error = ret.error > 0 ? errno_from_freebsd((uint32_t)ret.error) : 0;
	if (s->set.is_all || (row && syscall_set_has(&s->set, row)))
		count_call(s, p, r->tid, ret.number, error,
			is_timed ? time_ns - begun->begun_ns : 0, is_timed);
	/* Calls that change descriptors are recorded even if not selected, to keep names right. */
	if (p->interest & INTEREST_STREAM && !probe_skips_call(&run->options, error) &&
		(s->set.is_all ||
			(row && (syscall_set_has(&s->set, row) || syscall_moves_descriptors(row)))))
		stream_call(run, p, r, time_ns, begun, &ret, is_timed);
	map_remove(&s->pending, &r->tid);
}

/* Emits a call that ends its thread, and so has no return. */
static void emit_call_without_return(struct backend_run *run, struct ktrace_process *p,
	const struct ktrace_record *r, uint64_t time_ns)
{
	struct syscalls_state *s = run->state;
	const struct pending *begun = map_get(&s->pending, &r->tid);
	const struct syscall_row *row;

	if (!begun)
		return;
	row = syscall_by_number(SYSCALL_ABI_FREEBSD, begun->call.number);
	if (!row || !syscall_never_returns(row))
		return;
	if (syscall_set_has(&s->set, row))
		count_call(s, p, r->tid, begun->call.number, 0, 0, false);
	if (syscall_set_has(&s->set, row) && p->interest & INTEREST_STREAM) {
		struct syscalls_call c = { .record = record_head_of(
						   &p->id, r->tid, time_ns, SYSCALLS_CALL),
			.number = begun->call.number,
			.abi = SYSCALL_ABI_FREEBSD,
			.result_state = SOOTH_STATE_ABSENT,
			.duration_state = SOOTH_STATE_ABSENT,
			.arguments = { begun->call.arguments[0] } };

		memcpy(c.name, r->name, sizeof(c.name) - 1);
		RECORD_APPEND(&run->out, &c, NULL, 0);
	}
	map_remove(&s->pending, &r->tid);
}

static void handle_record(struct backend_run *run, struct ktrace_process *p,
	const struct ktrace_record *r, uint64_t time_ns)
{
	struct syscalls_state *s = run->state;

	switch (r->type) {
	case KTRACE_SYSCALL:
		store_begin(s, r, time_ns);
		emit_call_without_return(run, p, r, time_ns);
		break;
	case KTRACE_NAMEI:
		store_path(s, r);
		break;
	case KTRACE_SYSRET:
		emit_returned_call(run, p, r, time_ns);
		break;
	default:
		break;
	}
}

/* --- windows --- */

/* Writes the counts of a process before its end. */
static void process_ended(struct backend_run *run, const struct ktrace_process *p)
{
	struct syscalls_state *s = run->state;

	(void)p;
	call_counts_write(&s->counts, run, run->os->now_ns(run->os));
}

static int syscalls_drain(struct backend_run *run, struct sooth_error *err)
{
	struct syscalls_state *s = run->state;
	int status = ktrace_follow_drain(&s->follow, run, handle_record, process_ended, err);
	uint64_t now_ns = run->os->now_ns(run->os);

	if (!status && run->options.interest & INTEREST_COUNT &&
		now_ns - s->counts.written_ns >= CALL_COUNTS_WINDOW_NS)
		call_counts_write(&s->counts, run, now_ns);
	return status;
}

static int syscalls_stop(struct backend_run *run, struct sooth_error *err)
{
	struct syscalls_state *s = run->state;
	int status;

	ktrace_follow_stop(&s->follow, run);
	status = ktrace_follow_drain(&s->follow, run, handle_record, process_ended, err);
	if (run->options.interest & INTEREST_COUNT)
		call_counts_write(&s->counts, run, run->os->now_ns(run->os));
	return status;
}

const struct backend backend_syscalls_ktrace = {
	.name = "ktrace",
	.probe = "syscalls",
	.help = "ktrace(2): own processes without privilege, all as root",
	.lateness_ns = 100 * NS_PER_MS,
	.state_size = sizeof(struct syscalls_state),
	.open = syscalls_open,
	.set = syscalls_set,
	.drain = syscalls_drain,
	.stop = syscalls_stop,
	.close = syscalls_close,
};
