/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stacks by procfs, without privilege, of the caller's own processes: a waiting thread's
 * /proc/PID/task/TID/syscall has its program counter and stack pointer.
 *
 * Cannot be seen: registers of threads that run or are about to; the frame pointer, so code that
 * only keeps that ends a stack; the kernel's frames.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "os/linux/files/task_files.h"
#include "os/linux/rights/caller.h"
#include "os/linux/rights/needs.h"
#include "os/linux/stacks/stacks_reader.h"

#define THREADS_MAX 65536

#define NO_CALL (-1)

struct stacks_procfs {
	struct stacks_reader reader;
	struct buffer bytes, tids;
};

static bool read_stat(struct stacks_procfs *s, const struct process_snapshot *of, uint32_t tid,
	struct stacks_seen *seen)
{
	struct task_stat stat;
	size_t size;

	if (process_snapshot_file(of, tid, "stat", &s->bytes) ||
		!task_stat_parse(&stat, s->bytes.data, s->bytes.size))
		return false;
	size = stat.shared.name.size < sizeof(seen->name) ? stat.shared.name.size
							  : sizeof(seen->name) - 1;
	memcpy(seen->name, stat.shared.name.data, size);
	seen->letter = stat.shared.state;
	return true;
}

/* Sets the times. CPU time stands for the number of times that the thread gave up the CPU: it also
 * grows only when the thread runs. */
static void read_times(struct stacks_procfs *s, const struct process_snapshot *of, uint32_t tid,
	struct stacks_seen *seen)
{
	uint64_t waited;

	if (!process_snapshot_file(of, tid, "schedstat", &s->bytes))
		task_schedstat_parse(&seen->cpu_ns, &waited, s->bytes.data, s->bytes.size);
	seen->switches = seen->cpu_ns;
}

static void read_registers(struct stacks_procfs *s, const struct process_snapshot *of, uint32_t tid,
	struct stacks_seen *seen)
{
	int status = process_snapshot_file(of, tid, "syscall", &s->bytes);
	struct task_call call;

	if (status || !task_call_parse(&call, s->bytes.data, s->bytes.size)) {
		seen->unread = status ? process_snapshot_state(of, tid, status)
				      : SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED);
		return;
	}
	if (call.is_running) {
		seen->unread = SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED);
		return;
	}
	if (!call.program_counter) /* it has no user memory: it exits, or is a kernel thread */
		return;
	seen->call = call.has_call ? (int32_t)call.number : NO_CALL;
	seen->pc = call.program_counter;
	seen->sp = call.stack_pointer;
	seen->has_registers = 1;
	seen->has_no_fp = 1;
}

static int read_threads(
	struct backend_run *run, const struct process_snapshot *of, struct buffer *out)
{
	struct stacks_procfs *s = run->state;
	int status = caller_may_watch(run->os, &of->id, &(struct sooth_error){ 0 });

	if (!status)
		status = process_snapshot_threads(of, &s->tids, THREADS_MAX);
	if (status < 0)
		return status;
	buffer_each (const uint32_t, tid, &s->tids) {
		struct stacks_seen seen = { .tid = *tid, .call = NO_CALL };

		if (!read_stat(s, of, *tid, &seen))
			continue; /* it has ended */
		read_times(s, of, *tid, &seen);
		read_registers(s, of, *tid, &seen);
		buffer_append(out, &seen, sizeof(seen));
	}
	return buffer_failed(out) ? -ENOMEM : status;
}

static int stacks_open(struct backend_run *run, struct sooth_error *err)
{
	struct stacks_procfs *s = run->state;

	int status = stacks_reader_open(&s->reader, run, err);

	s->reader.read = read_threads;
	if (status)
		stacks_reader_close(&s->reader);
	return status;
}

static void stacks_close(struct backend_run *run)
{
	struct stacks_procfs *s = run->state;

	stacks_reader_close(&s->reader);
	buffer_fini(&s->bytes);
	buffer_fini(&s->tids);
}

static const struct need *const needs[] = { &need_procfs, NULL };

const struct backend backend_stacks_procfs = {
	.name = "procfs",
	.probe = "stacks",
	.help = "reads /proc; waiting threads of the caller's own processes, user space only",
	.needs = needs,
	.state_size = sizeof(struct stacks_procfs),
	.open = stacks_open,
	.set = members_backend_set,
	.start = stacks_reader_sample,
	.sample = stacks_reader_sample,
	.stop = stacks_reader_stop,
	.defines_at_stop = true,
	.close = stacks_close,
};
