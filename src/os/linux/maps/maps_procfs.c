/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * maps by procfs: /proc/PID/smaps when resident sizes are requested, else /proc/PID/maps, in
 * pieces, so that fifty thousand mappings need no more memory than their records. The kernel locks
 * the address space for each piece; sooth waits some seconds if another thread holds that lock.
 *
 * Cannot be seen: processes that the caller may not trace; between two pieces the process may map
 * and unmap, so a changing mapping may be reported twice or not at all.
 */
#include "os/linux/maps/maps_snapshot.h"
#include "os/linux/bpf/members.h"
#include "os/linux/rights/needs.h"

struct maps_state {
	struct members members;
	struct maps_reader reader;
};

static void sample_process(struct backend_run *run, pid_t pid, const struct process_id *expected)
{
	struct maps_state *s = run->state;
	struct maps_snapshot snapshot;

	if (!maps_snapshot_begin(&snapshot, run, &s->reader, pid, expected))
		return;
	maps_snapshot_from_proc(&snapshot, (run->options.interest & INTEREST_DETAIL) != 0);
	maps_snapshot_end(&snapshot);
}

static int maps_sample(struct backend_run *run, struct sooth_error *err)
{
	struct maps_state *s = run->state;

	return members_visit(&s->members, run, sample_process, err);
}

static int maps_open(struct backend_run *run, struct sooth_error *err)
{
	struct maps_state *s = run->state;

	(void)err;
	members_init(&s->members);
	maps_reader_init(&s->reader);
	return 0;
}

static void maps_joined(struct backend_run *run, const struct process_id *process)
{
	sample_process(run, (pid_t)process->pid, process);
}

static void maps_close(struct backend_run *run)
{
	struct maps_state *s = run->state;

	members_fini(&s->members);
	maps_reader_fini(&s->reader);
}

static const struct need *const needs[] = { &need_procfs, NULL };

const struct backend backend_maps_procfs = {
	.name = "procfs",
	.probe = "maps",
	.help = "reads /proc/PID/smaps or maps; nothing is attached to the processes",
	.needs = needs,
	.state_size = sizeof(struct maps_state),
	.open = maps_open,
	.set = members_backend_set,
	.start = maps_sample,
	.sample = maps_sample,
	.joined = maps_joined,
	.stop = members_backend_stop,
	.close = maps_close,
};
