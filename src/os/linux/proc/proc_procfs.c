/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * proc by procfs: the values of each process from /proc/PID/stat, with one open of its directory.
 * proc_reader.h decides what else is read of which processes.
 *
 * Cannot be seen: processes hidden by a hidepid mount; links and environment of other users'
 * processes without cap_sys_ptrace, descriptors without cap_dac_read_search.
 */
#include "os/linux/rights/needs.h"
#include "os/linux/proc/proc_cost.h"
#include "os/linux/proc/proc_reader.h"
#include "os/linux/proc/proc_stat.h"

struct proc_state {
	struct proc_reader reader;
	struct proc_stat_reader stat;
};

static void read_process(struct backend_run *run, pid_t pid, const struct process_id *expected)
{
	struct proc_state *s = run->state;
	_cleanup_process_snapshot_ struct process_snapshot snapshot;
	struct proc_values values;

	if (!proc_stat_read(&s->stat, run, pid, expected, &snapshot, &values))
		proc_reader_add(&s->reader, &values, snapshot.process);
}

static int proc_sample(struct backend_run *run, struct sooth_error *err)
{
	struct proc_state *s = run->state;
	int status;

	proc_reader_begin(&s->reader, run);
	status = members_visit_all(&s->reader.members, run, read_process, err);
	if (!status)
		status = proc_reader_end(&s->reader, run, err);
	proc_reader_snapshot(&s->reader, run);
	return status;
}

static int proc_stop(struct backend_run *run, struct sooth_error *err)
{
	const struct proc_state *s = run->state;

	return proc_reader_has_just_reported(&s->reader, run) ? 0 : proc_sample(run, err);
}

static int proc_open(struct backend_run *run, struct sooth_error *err)
{
	struct proc_state *s = run->state;

	(void)err;
	proc_reader_init(&s->reader, run->options.agents);
	proc_stat_init(&s->stat);
	return 0;
}

static void proc_joined(struct backend_run *run, const struct process_id *process)
{
	struct proc_state *s = run->state;
	struct sooth_error ignored;

	proc_reader_begin(&s->reader, run);
	read_process(run, (pid_t)process->pid, process);
	proc_reader_end(&s->reader, run, &ignored);
}

static void proc_close(struct backend_run *run)
{
	struct proc_state *s = run->state;

	proc_reader_fini(&s->reader);
	proc_stat_fini(&s->stat);
}

static const struct need *const needs[] = { &need_procfs, NULL };

const struct backend backend_proc_procfs = {
	.name = "procfs",
	.probe = "proc",
	.help = "reads /proc; nothing is attached to the processes",
	.needs = needs,
	.state_size = sizeof(struct proc_state),
	.sample_cost = proc_cost_procfs,
	.open = proc_open,
	.set = members_backend_set,
	.start = proc_sample,
	.sample = proc_sample,
	.joined = proc_joined,
	.stop = proc_stop,
	.close = proc_close,
};
