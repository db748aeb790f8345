/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * environment by procfs: /proc/PID/environ. Only names and sizes are kept, and not a byte of a
 * value. The environment is in the process's memory, which may be backed by a file on a dead mount,
 * so it is read with a timeout.
 *
 * Cannot be seen: variables that the program set or removed since it started; processes that the
 * caller may not trace.
 */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/environ.h"
#include "os/linux/bpf/members.h"
#include "os/linux/rights/needs.h"
#include "os/linux/files/timeout.h"
#include "os/linux/files/procfs.h"
#include "os/linux/files/process_snapshot.h"
#include "os/linux/files/task_files.h"
#include "os/os.h"
#include "probes/environment.h"

#define ENVIRON_MAX   (8u << 20) /* execve(2) allows 6 MB */
#define VARIABLES_MAX 65536

struct environment_state {
	struct members members;
	struct timeout timeout;
	struct buffer bytes, stat;
};

static void write_variable(struct backend_run *run, const struct process_snapshot *snapshot,
	const struct environ_variable *from)
{
	struct environment_variable v = { .record = process_snapshot_head(
						  snapshot, run, 0, ENVIRONMENT_VARIABLE),
		.size_bytes = from->size_bytes,
		.name_state = from->is_redacted ? SOOTH_STATE_REDACTED : SOOTH_STATE_VALUE };
	struct record_tail tail[] = { { &v.name, from->name.data, from->name.size } };

	RECORD_APPEND(&run->out, &v, tail, 1);
}

/* Returns the full size. An unreadable page ends the file as if it were complete: the kernel
 * reports no error. */
static uint64_t whole_size(struct environment_state *s, const struct process_snapshot *snapshot)
{
	struct task_stat stat;

	if (procfs_read_at(snapshot->process, "stat", &s->stat, PROCFS_SMALL) < 0 ||
		!task_stat_parse(&stat, s->stat.data, s->stat.size) ||
		stat.shared.environment_to < stat.shared.environment_from)
		return 0;
	return stat.shared.environment_to - stat.shared.environment_from;
}

static uint8_t read_variables(
	struct backend_run *run, const struct process_snapshot *snapshot, uint32_t *count)
{
	struct environment_state *s = run->state;
	int status = timeout_read_at(
		&s->timeout, snapshot->process, "environ", &s->bytes, ENVIRON_MAX, TIMEOUT_MS);
	struct environ_variable variable;
	struct environ_walk walk;

	if (status < 0)
		return procfs_state(process_snapshot_status(snapshot, status));
	if (s->bytes.size < whole_size(s, snapshot)) {
		if (!s->bytes.size)
			return SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED);
		status = 1;
	}
	walk = environ_over(s->bytes.data, s->bytes.size, status == 1);
	while (environ_next(&walk, &variable)) {
		if (*count == VARIABLES_MAX) {
			status = 1;
			break;
		}
		write_variable(run, snapshot, &variable);
		++*count;
	}
	/* sooth's memory keeps no values any longer than needed. */
	explicit_bzero(s->bytes.data, s->bytes.size);
	buffer_reset(&s->bytes);
	return procfs_state(status);
}

/* Returns whether a process has memory: a kernel thread and a zombie have none. */
static bool has_memory(const struct process_snapshot *snapshot, struct buffer *scratch)
{
	return procfs_link_at(snapshot->process, "exe", scratch) != -ENOENT;
}

static void sample_process(struct backend_run *run, pid_t pid, const struct process_id *expected)
{
	struct environment_state *s = run->state;
	struct environment_process end = { 0 };
	struct process_snapshot snapshot;
	int status = process_snapshot_open(&snapshot, run, pid, expected);

	if (status <= 0) {
		end.variables_state = procfs_state(status);
		if (!status)
			end.variables_state =
				has_memory(&snapshot, &s->bytes)
					? read_variables(run, &snapshot, &end.variables)
					: SOOTH_STATE_ABSENT;
		end.record = process_snapshot_head(&snapshot, run, 0, ENVIRONMENT_PROCESS);
		RECORD_APPEND(&run->out, &end, NULL, 0);
	}
	process_snapshot_close(&snapshot);
}

static int environment_sample(struct backend_run *run, struct sooth_error *err)
{
	struct environment_state *s = run->state;

	return members_visit(&s->members, run, sample_process, err);
}

static int environment_open(struct backend_run *run, struct sooth_error *err)
{
	struct environment_state *s = run->state;

	(void)err;
	members_init(&s->members);
	return 0;
}

static void environment_joined(struct backend_run *run, const struct process_id *process)
{
	sample_process(run, (pid_t)process->pid, process);
}

static void environment_close(struct backend_run *run)
{
	struct environment_state *s = run->state;

	members_fini(&s->members);
	timeout_fini(&s->timeout);
	buffer_fini(&s->bytes);
	buffer_fini(&s->stat);
}

static const struct need *const needs[] = { &need_procfs, NULL };

const struct backend backend_environment_procfs = {
	.name = "procfs",
	.probe = "environment",
	.help = "reads names and sizes from /proc/PID/environ; nothing is attached to the process",
	.needs = needs,
	.state_size = sizeof(struct environment_state),
	.open = environment_open,
	.set = members_backend_set,
	.start = environment_sample,
	.sample = environment_sample,
	.joined = environment_joined,
	.stop = members_backend_stop,
	.close = environment_close,
};
