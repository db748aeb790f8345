/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cannot be seen: the data that calls read and write, addresses of sockets, names of threads; a
 * path that was not in memory when the call began.
 */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "os/bsd/call_counts.h"
#include "os/bsd/dtrace_follow.h"
#include "os/bsd/errno_numbers.h"
#include "os/bsd/source.h"
#include "os/os.h"
#include "probes/syscall_arguments.h"
#include "probes/syscall_names.h"
#include "probes/syscall_set.h"
#include "probes/syscalls.h"

#define NAMES_MAX	 4096
#define DTRACE_NAME_SIZE 48

struct syscalls_dtrace {
	struct dtrace_follow follow; /* first */
	struct syscall_set set;
	struct call_counts counts;
	struct map names; /* char[DTRACE_NAME_SIZE] -> int32_t, number; -1: the table lacks it */
	uint32_t (*error)(uint32_t number);
	uint64_t unknown; /* lines with a call that the table lacks */
	unsigned abi;	  /* enum syscall_abi */
};

static const struct need *const needs[] = { &need_dtrace, NULL };

static void syscalls_dtrace_close(struct backend_run *run)
{
	struct syscalls_dtrace *s = run->state;

	dtrace_follow_close(&s->follow);
	call_counts_fini(&s->counts);
	map_fini(&s->names);
}

static int syscalls_dtrace_open(struct backend_run *run, struct sooth_error *err)
{
	struct syscalls_dtrace *s = run->state;
	int status = dtrace_follow_open(&s->follow, err);

	s->abi = bsd_source_of(run->os)->abi;
	s->error = s->abi == SYSCALL_ABI_FREEBSD ? errno_from_freebsd : errno_from_darwin;
	call_counts_init(&s->counts, s->abi, run->os->now_ns(run->os));
	map_init(&s->names, DTRACE_NAME_SIZE, sizeof(int32_t), NAMES_MAX);
	if (!status)
		status = syscall_set_of(&s->set, &run->options.observer.calls, err);
	if (status)
		syscalls_dtrace_close(run);
	return status;
}

static int syscalls_dtrace_set(struct backend_run *run, const struct process_id *process,
	unsigned interest, struct sooth_error *err)
{
	struct syscalls_dtrace *s = run->state;

	return dtrace_follow_set_interest(&s->follow, run, process, interest, err);
}

/* Finds the number of a call; DTrace's "compat11.stat" is freebsd11_stat. */
static int32_t find_number(unsigned abi, struct span name)
{
	char renamed[DTRACE_NAME_SIZE + 8];
	const char *dot = memchr(name.data, '.', name.size);
	size_t size;

	if (!dot || !span_starts(name, "compat"))
		return syscall_number(abi, name.data, name.size);
	size = (size_t)snprintf(renamed, sizeof(renamed), "freebsd%.*s_%.*s",
		(int)(dot - name.data - 6), name.data + 6,
		(int)(name.size - (size_t)(dot + 1 - name.data)), dot + 1);
	return size < sizeof(renamed) ? syscall_number(abi, renamed, size) : -1;
}

static int32_t number_of(struct syscalls_dtrace *s, struct span name)
{
	char key[DTRACE_NAME_SIZE] = { 0 };
	int32_t *number;
	bool is_new;

	if (name.size >= sizeof(key))
		return -1;
	memcpy(key, name.data, name.size);
	number = map_put(&s->names, key, &is_new);
	if (!number)
		return find_number(s->abi, name);
	if (is_new)
		*number = find_number(s->abi, name);
	return *number;
}

/* --- lines --- */

static struct syscalls_call call_of(const struct syscalls_dtrace *s, const struct dtrace_process *p,
	const struct dtrace_line *l, int32_t number, uint64_t time_ns)
{
	struct syscalls_call c = { .record = { .time_ns = time_ns,
					   .start_ticks = p->id.start_ticks,
					   .pid = p->id.pid,
					   .tid = (uint32_t)l->tid,
					   .kind = SYSCALLS_CALL,
					   .cpu = SOOTH_CPU_NONE },
		.duration_ns = l->total_ns,
		.number = (uint32_t)number,
		.abi = (uint16_t)s->abi,
		.result = l->error ? -(int64_t)s->error(l->error) : l->result };

	memcpy(c.arguments, l->arguments, sizeof(c.arguments));
	memcpy(c.name, p->name, strnlen(p->name, sizeof(c.name) - 1));
	return c;
}

static void emit_call(struct backend_run *run, const struct dtrace_process *p,
	const struct dtrace_line *l, int32_t number, uint64_t time_ns)
{
	struct syscalls_dtrace *s = run->state;
	const struct syscall_row *row = syscall_row_of(s->abi, (uint32_t)number);
	struct syscalls_call c = call_of(s, p, l, number, time_ns);
	struct record_tail tail[] = { { &c.path, l->path, 0 }, { &c.pieces, NULL, 0 } };

	if (probe_skips_call(&run->options, l->error))
		return;
	/* Skip the child's return from the call that its parent made. */
	if (row->traits & SYSCALL_STARTS_TASK && !l->result && !l->error)
		return;
	c.path_argument = l->path[0] ? syscall_path_argument(row) : 0;
	tail[0].size = c.path_argument ? strlen(l->path) : 0;
	if (tail[0].size == DTRACE_TEXT_SIZE - 1)
		c.path_state = SOOTH_STATE_TRUNCATED;
	RECORD_APPEND(&run->out, &c, tail, ARRAY_SIZE(tail));
}

static void emit_call_without_return(struct backend_run *run, const struct dtrace_process *p,
	const struct dtrace_line *l, int32_t number, uint64_t time_ns)
{
	struct syscalls_call c = call_of(run->state, p, l, number, time_ns);

	c.result = 0;
	c.result_state = c.duration_state = SOOTH_STATE_ABSENT;
	RECORD_APPEND(&run->out, &c, NULL, 0);
}

static void emit_sums(struct syscalls_dtrace *s, const struct dtrace_process *p,
	const struct dtrace_line *l, int32_t number)
{
	call_counts_add(&s->counts, &(struct counted_calls){ .process = p->id,
					    .tid = l->tid,
					    .number = (uint32_t)number,
					    .error = l->error ? s->error(l->error) : 0,
					    .count = l->count,
					    .total_ns = l->total_ns,
					    .max_ns = l->max_ns,
					    .slot = l->slot,
					    .is_untimed = l->kind == 'x' });
}

static void handle_line(struct backend_run *run, struct dtrace_process *p,
	const struct dtrace_line *l, struct span whole, uint64_t time_ns)
{
	struct syscalls_dtrace *s = run->state;
	int32_t number;

	(void)whole;
	if (!l->kind)
		s->follow.unread++;
	if (!p)
		return;
	number = number_of(s, l->call);
	if (number < 0) {
		s->unknown += l->count ? l->count : 1;
		return;
	}
	if (l->kind == 'c' && p->interest & INTEREST_STREAM)
		emit_call(run, p, l, number, time_ns);
	else if (l->kind == 'l' && p->interest & INTEREST_STREAM)
		emit_call_without_return(run, p, l, number, time_ns);
	else if (l->kind == 'n' || l->kind == 'x')
		emit_sums(s, p, l, number);
}

/* --- from start to stop --- */

static void write_program(
	struct backend_run *run, const struct dtrace_targets *targets, struct buffer *out)
{
	const struct syscalls_dtrace *s = run->state;

	dtrace_program_calls(out, &(struct dtrace_calls){ .targets = *targets,
					  .abi = s->abi,
					  .set = &s->set,
					  .streams = run->options.interest & INTEREST_STREAM,
					  .counts = run->options.interest & INTEREST_COUNT });
}

static int syscalls_dtrace_start(struct backend_run *run, struct sooth_error *err)
{
	struct syscalls_dtrace *s = run->state;

	return dtrace_follow_start(&s->follow, run, write_program, err);
}

static int syscalls_dtrace_drain(struct backend_run *run, struct sooth_error *err)
{
	struct syscalls_dtrace *s = run->state;
	int status = dtrace_follow_drain(&s->follow, run, write_program, handle_line, err);
	uint64_t now_ns = run->os->now_ns(run->os);

	if (!status && run->options.interest & INTEREST_COUNT &&
		now_ns - s->counts.written_ns >= CALL_COUNTS_WINDOW_NS)
		call_counts_write(&s->counts, run, now_ns);
	return status;
}

static int syscalls_dtrace_stop(struct backend_run *run, struct sooth_error *err)
{
	struct syscalls_dtrace *s = run->state;

	(void)err;
	dtrace_follow_stop(&s->follow, run, handle_line);
	if (run->options.interest & INTEREST_COUNT)
		call_counts_write(&s->counts, run, run->os->now_ns(run->os));
	if (s->unknown)
		backend_loss(run, s->unknown, 0, "the table of system calls lacks the name");
	if (s->follow.unread)
		backend_loss(run, s->follow.unread, 0, "lines of dtrace that could not be read");
	s->unknown = s->follow.unread = 0;
	return 0;
}

const struct backend backend_syscalls_dtrace = { .name = "dtrace",
	.probe = "syscalls",
	.help = "dtrace(1): any process and the whole host, as root",
	.needs = needs,
	.lateness_ns = NS_PER_S,
	.state_size = sizeof(struct syscalls_dtrace),
	.open = syscalls_dtrace_open,
	.set = syscalls_dtrace_set,
	.start = syscalls_dtrace_start,
	.drain = syscalls_dtrace_drain,
	.stop = syscalls_dtrace_stop,
	.close = syscalls_dtrace_close };
