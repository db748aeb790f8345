/* SPDX-License-Identifier: BSD-2-Clause */
/* Values from /proc/PID/stat. */
#include "os/linux/proc/proc_stat.h"

#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/units.h"
#include "os/os.h"
#include "probes/proc.h"

#define CLOCK_OF_SCHEDULER 2 /* CPUCLOCK_SCHED of linux/posix-timers.h */

void proc_stat_init(struct proc_stat_reader *r)
{
	*r = (struct proc_stat_reader){ .page_bytes = (uint64_t)sysconf(_SC_PAGESIZE),
		.ticks_per_s = (uint64_t)sysconf(_SC_CLK_TCK) };
}

void proc_stat_fini(struct proc_stat_reader *r)
{
	buffer_fini(&r->stat);
}

bool proc_stat_cpu_clock(pid_t pid, uint64_t *cpu_ns)
{
	/* The clock id that clock_getcpuclockid(3) returns, without its extra check. */
	clockid_t clock = (clockid_t)(~(unsigned)pid << 3 | CLOCK_OF_SCHEDULER);
	struct timespec used;

	if (clock_gettime(clock, &used))
		return false;
	*cpu_ns = (uint64_t)used.tv_sec * NS_PER_S + (uint64_t)used.tv_nsec;
	return true;
}

static enum proc_term term_of(const struct procfs_stat *stat)
{
	const uint64_t bit = 1ULL << (SIGTERM - 1);

	if (stat->ignored & bit)
		return PROC_TERM_IGNORED;
	return stat->caught & bit ? PROC_TERM_HANDLED : PROC_TERM_ENDS;
}

static struct proc_values values_of(
	const struct proc_stat_reader *r, const struct procfs_stat *stat, uint32_t uid)
{
	struct proc_values f = { .id = { .start_ticks = stat->start_ticks, .pid = stat->pid },
		.rss_bytes = stat->rss_pages * r->page_bytes,
		.vsz_bytes = stat->vsz_bytes,
		.environment_from = stat->environment_from,
		.environment_to = stat->environment_to,
		.code_from = stat->code_from,
		.code_to = stat->code_to,
		.ppid = stat->ppid,
		.process_group = stat->process_group,
		.session = stat->session,
		.terminal = stat->terminal,
		.flags = stat->flags,
		.threads = stat->threads,
		.uid = uid,
		.living = stat->living,
		.state = stat->state,
		.term = term_of(stat),
		.is_foreground = stat->terminal != PROC_NO_TERMINAL &&
				 stat->terminal_group == stat->process_group };

	f.name_size = (uint8_t)(stat->name.size < PROC_NAME_MAX ? stat->name.size : PROC_NAME_MAX);
	memcpy(f.name, stat->name.data, f.name_size);
	return f;
}

int proc_stat_read(struct proc_stat_reader *r, const struct backend_run *run, pid_t pid,
	const struct process_id *expected, struct process_snapshot *snapshot,
	struct proc_values *values)
{
	struct procfs_stat stat;
	int status = process_snapshot_open_stat(snapshot, run, pid, expected, &stat, &r->stat);

	if (status)
		return status;
	*values = values_of(r, &stat, snapshot->uid);
	if (!proc_stat_cpu_clock(pid, &values->cpu_ns)) {
		values->cpu_ns = stat.cpu_ticks * (NS_PER_S / r->ticks_per_s);
		values->cpu_is_ticks = true;
	}
	values->time_ns = run->os->now_ns(run->os);
	return 0;
}
