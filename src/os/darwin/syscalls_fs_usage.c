/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * syscalls by fs_usage(1), where dtrace is refused: only calls on files and sockets, as root. Each
 * process has its own fs_usage, because a line has the name of the process, but not its PID.
 *
 * Cannot be seen: arguments except paths; results except errors; other calls; children.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/units.h"
#include "bpf/log2.h"
#include "os/bsd/call_counts.h"
#include "os/bsd/errno_numbers.h"
#include "os/bsd/source.h"
#include "os/darwin/decode/fs_usage.h"
#include "os/darwin/tool_slots.h"
#include "probes/syscall_arguments.h"
#include "probes/syscall_set.h"
#include "probes/syscalls.h"

#define END_MS 5000

struct syscalls_fs_usage {
	struct tool_slots targets;
	struct syscall_set set;
	struct call_counts counts;
	/* Difference from the time of day to the clock of records: the smallest that was seen,
	 * because lines come late. */
	uint64_t offset_ns;
	uint64_t others; /* lines that are no system call: page and disk I/O */
	bool has_offset;
};

static int test_fs_usage(const struct os *os, struct sooth_error *err)
{
	const char *program = bsd_source_of(os)->fs_usage;

	if (program && !access(program, X_OK) && !geteuid())
		return 0;
	error_set(err, -EPERM, SOOTH_FAULT_PRIVILEGE, "run fs_usage");
	error_why(err, "it needs root");
	return error_remedy(err, "run sooth as root");
}

static const struct need need_fs_usage = {
	.name = "fs_usage",
	.help = "calls on files and sockets by fs_usage(1), as root",
	.test = test_fs_usage,
};

static int calls_open(struct backend_run *run, struct sooth_error *err)
{
	struct syscalls_fs_usage *s = run->state;

	if (run->options.is_host || run->options.has_uid) {
		error_set(err, -EOPNOTSUPP, SOOTH_FAULT_UNSUPPORTED, "observe the whole host");
		return error_why(err, "fs_usage reports the names of processes, but no PIDs");
	}
	tool_slots_init(&s->targets);
	call_counts_init(&s->counts, SYSCALL_ABI_DARWIN, run->os->now_ns(run->os));
	return syscall_set_of(&s->set, &run->options.observer.calls, err);
}

static void calls_close(struct backend_run *run)
{
	struct syscalls_fs_usage *s = run->state;

	tool_slots_fini(&s->targets);
	call_counts_fini(&s->counts);
}

static int start_fs_usage(struct backend_run *run, struct tool_slot *t, struct sooth_error *err)
{
	char pid[16];
	const char *const words[] = { bsd_source_of(run->os)->fs_usage, "-w", "-f", "filesys", "-f",
		"network", pid, NULL };

	snprintf(pid, sizeof(pid), "%u", t->process.pid);
	return tool_start(&t->tool, words, err);
}

static int calls_set(struct backend_run *run, const struct process_id *process, unsigned interest,
	struct sooth_error *err)
{
	struct syscalls_fs_usage *s = run->state;
	struct tool_slot *added;
	int status = tool_slots_set(&s->targets, process, interest, "fs_usage(1)", &added, err);

	return status || !added ? status : start_fs_usage(run, added, err);
}

/* --- lines --- */

/* Converts a time of day, across midnight. */
static uint64_t time_of(struct syscalls_fs_usage *s, uint64_t day_ns, uint64_t now_ns)
{
	uint64_t behind = (now_ns + FS_USAGE_DAY_NS - day_ns % FS_USAGE_DAY_NS) % FS_USAGE_DAY_NS;
	uint64_t late;

	if (!s->has_offset)
		s->offset_ns = behind;
	s->has_offset = true;
	late = (behind + FS_USAGE_DAY_NS - s->offset_ns) % FS_USAGE_DAY_NS;
	/* More than half a day late means less late than any line before. */
	if (late > FS_USAGE_DAY_NS / 2) {
		s->offset_ns = behind;
		late = 0;
	}
	return now_ns > late ? now_ns - late : now_ns;
}

static void stream_call(struct backend_run *run, const struct tool_slot *t,
	const struct fs_usage_line *l, const struct syscall_row *row, uint64_t time_ns)
{
	struct syscalls_call c = { .record = { .time_ns = time_ns,
					   .start_ticks = t->process.start_ticks,
					   .pid = t->process.pid,
					   .tid = (uint32_t)l->tid,
					   .kind = SYSCALLS_CALL,
					   .cpu = SOOTH_CPU_NONE },
		.number = (uint32_t)row->bsd_numbers[SYSCALL_ABI_DARWIN - SYSCALL_ABI_FREEBSD],
		.abi = SYSCALL_ABI_DARWIN,
		.result = l->error ? -(int64_t)errno_from_darwin(l->error) : (int64_t)l->fd,
		.path_argument = l->path.size ? syscall_path_argument(row) : 0,
		.duration_ns = l->duration_ns,
		.gaps = SYSCALLS_GAP_ARGUMENTS };
	struct record_tail tail[] = { { &c.path, l->path.data, c.path_argument ? l->path.size : 0 },
		{ &c.pieces, NULL, 0 } };

	if (!l->error && !(syscall_returns_descriptor(row) && l->has_fd))
		c.result_state = SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED);
	memcpy(c.name, l->process.data,
		l->process.size < sizeof(c.name) ? l->process.size : sizeof(c.name) - 1);
	RECORD_APPEND(&run->out, &c, tail, ARRAY_SIZE(tail));
}

struct taking {
	struct backend_run *run;
	const struct tool_slot *target;
};

static void handle_line(void *user, struct span line)
{
	const struct taking *taking = user;
	const struct tool_slot *t = taking->target;
	struct backend_run *run = taking->run;
	struct syscalls_fs_usage *s = run->state;
	const struct syscall_row *row = NULL;
	struct fs_usage_line l;
	int32_t number = -1;
	uint64_t time_ns;

	if (!line.size)
		return;
	if (fs_usage_decode(&l, line))
		number = syscall_number(SYSCALL_ABI_DARWIN, l.call.data, l.call.size);
	if (number >= 0)
		row = syscall_by_number(SYSCALL_ABI_DARWIN, (uint32_t)number);
	if (!row) {
		s->others++;
		return;
	}
	time_ns = time_of(s, l.day_ns, run->os->now_ns(run->os));
	if (!s->set.is_all && !syscall_set_has(&s->set, row))
		return;
	call_counts_add(&s->counts, &(struct counted_calls){ .process = t->process,
					    .tid = l.tid,
					    .number = (uint32_t)number,
					    .error = l.error ? errno_from_darwin(l.error) : 0,
					    .count = 1,
					    .total_ns = l.duration_ns,
					    .max_ns = l.duration_ns,
					    .slot = log2_of(l.duration_ns) });
	if (run->options.interest & INTEREST_STREAM && !probe_skips_call(&run->options, l.error))
		stream_call(run, t, &l, row, time_ns);
}

static void handle_lines(struct backend_run *run, struct tool_slot *t)
{
	tool_lines(&t->tool, handle_line, &(struct taking){ run, t });
}

static int calls_drain(struct backend_run *run, struct sooth_error *err)
{
	struct syscalls_fs_usage *s = run->state;
	uint64_t now_ns = run->os->now_ns(run->os);

	(void)err;
	for (size_t i = 0; i < TOOL_SLOTS; i++) {
		struct tool_slot *t = &s->targets.all[i];

		if (!t->tool.pid)
			continue;
		tool_read(&t->tool);
		handle_lines(run, t);
	}
	if (run->options.interest & INTEREST_COUNT &&
		now_ns - s->counts.written_ns >= CALL_COUNTS_WINDOW_NS)
		call_counts_write(&s->counts, run, now_ns);
	return 0;
}

static int calls_stop(struct backend_run *run, struct sooth_error *err)
{
	struct syscalls_fs_usage *s = run->state;

	(void)err;
	for (size_t i = 0; i < TOOL_SLOTS; i++) {
		struct tool_slot *t = &s->targets.all[i];

		if (!t->tool.pid)
			continue;
		tool_stop(&t->tool, END_MS);
		handle_lines(run, t);
	}
	if (run->options.interest & INTEREST_COUNT)
		call_counts_write(&s->counts, run, run->os->now_ns(run->os));
	backend_limit(run, "system calls",
		"fs_usage sees only calls on files and sockets, and only of the selected "
		"processes, not of their children",
		"`csrutil enable --without dtrace` in recovery mode allows dtrace");
	return 0;
}

static const struct need *const needs[] = { &need_fs_usage, NULL };

const struct backend backend_syscalls_fs_usage = {
	.name = "fs_usage",
	.probe = "syscalls",
	.help = "fs_usage(1): calls on files and sockets, as root",
	.needs = needs,
	.follows_none = true,
	.lateness_ns = NS_PER_S,
	.state_size = sizeof(struct syscalls_fs_usage),
	.open = calls_open,
	.set = calls_set,
	.drain = calls_drain,
	.stop = calls_stop,
	.close = calls_close,
};
