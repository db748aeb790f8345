/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * exit_reasons by procfs, without privilege: a pidfd of each process keeps its exit status after it
 * was reaped (Linux 6.15). Until then the status of a zombie is in /proc/PID/stat. Nothing is
 * attached to the process.
 *
 * Cannot be seen: the sender of a signal; on older kernels the status of a process that was reaped
 * between two samples; that of a zombie of another user.
 */
#include <sys/syscall.h>
#include <unistd.h>

#include "os/linux/exit_reasons/exit_reasons_left.h"
#include "os/linux/rights/needs.h"
#include "os/linux/files/procfs.h"
#include "os/linux/proc/proc_stat.h"
#include "os/os.h"

#define MEMBERS_MAX 1024 /* number of watched processes: each holds a descriptor */
#define AGENTS_MAX  256	 /* processes of agents, in a recording that selects none */

struct watched {
	int pidfd;	 /* -1: none */
	uint64_t cpu_ns; /* CPU time before it was examined; 0: it was not */
};

struct exit_reasons_procfs {
	struct exit_reasons_left left;
	struct map members; /* process_id -> struct watched */
	bool has_selected;  /* the observer selects processes */
};

static void exit_reasons_close(struct backend_run *run)
{
	struct exit_reasons_procfs *s = run->state;

	map_for_each_value (&s->members, struct watched *, value) {
		if (value->pidfd >= 0)
			close(value->pidfd);
	}
	map_fini(&s->members);
	exit_reasons_left_fini(&s->left);
}

static int exit_reasons_open(struct backend_run *run, struct sooth_error *err)
{
	struct exit_reasons_procfs *s = run->state;

	(void)err;
	exit_reasons_left_init(&s->left);
	map_init(&s->members, sizeof(struct process_id), sizeof(struct watched), MEMBERS_MAX);
	return 0;
}

static void drop_member(struct exit_reasons_procfs *s, const struct process_id *process)
{
	const struct watched *w = map_get(&s->members, process);

	if (w && w->pidfd >= 0)
		close(w->pidfd);
	map_remove(&s->members, process);
}

static int watch_process(struct backend_run *run, const struct process_id *process,
	unsigned interest, struct sooth_error *err)
{
	struct exit_reasons_procfs *s = run->state;
	struct process_id now;
	struct watched *w;
	bool is_new;

	(void)err;
	if (!interest) {
		drop_member(s, process);
		return 0;
	}
	w = map_put(&s->members, process, &is_new);
	if (!w) {
		backend_limit(run, "exit reasons of some processes",
			"sooth watches at most 1024 processes at a time", "");
		return 0;
	}
	if (!is_new)
		return 0;
	w->pidfd = (int)syscall(SYS_pidfd_open, (pid_t)process->pid, 0);
	/* The pid may have been reused. */
	if (w->pidfd >= 0 && (procfs_identify((pid_t)process->pid, &now) ||
				     now.start_ticks != process->start_ticks)) {
		close(w->pidfd);
		w->pidfd = -1;
	}
	exit_reasons_left_place(&s->left, process);
	return 0;
}

static int exit_reasons_set(struct backend_run *run, const struct process_id *process,
	unsigned interest, struct sooth_error *err)
{
	((struct exit_reasons_procfs *)run->state)->has_selected = true;
	return watch_process(run, process, interest, err);
}

static void watch_agents(struct backend_run *run)
{
	struct exit_reasons_procfs *s = run->state;
	struct span found = exit_reasons_agents(run, s->has_selected);
	const struct process_id *all = (const void *)found.data;
	struct sooth_error ignored;

	for (size_t i = 0; i < found.size / sizeof(*all) && s->members.count < AGENTS_MAX; i++)
		watch_process(run, &all[i], INTEREST_STREAM, &ignored);
}

/* Returns whether the process has run: it neither ends nor changes its directory otherwise. */
static bool has_run(struct watched *w, const struct process_id *process)
{
	uint64_t cpu_ns = 0;
	bool is_known = proc_stat_cpu_clock((pid_t)process->pid, &cpu_ns) && cpu_ns;

	if (is_known && cpu_ns == w->cpu_ns)
		return false;
	w->cpu_ns = cpu_ns;
	return true;
}

static int exit_reasons_sample(struct backend_run *run, struct sooth_error *err)
{
	struct exit_reasons_procfs *s = run->state;

	watch_agents(run);
	map_for_each (&s->members, const struct process_id *, key, struct watched *, w) {
		struct process_id process = *key;
		struct exit_reasons_end end;

		if (!has_run(w, &process))
			continue;
		if (!exit_reasons_status_read(run, &process, w->pidfd, &end)) {
			exit_reasons_left_place(&s->left, &process);
			continue;
		}
		RECORD_APPEND(&run->out, &end, NULL, 0);
		exit_reasons_left_note(&s->left, &end);
		drop_member(s, &process);
	}
	return buffer_failed(&run->out) ? error_no_memory(err) : 0;
}

static int exit_reasons_start(struct backend_run *run, struct sooth_error *err)
{
	if ((run->options.is_host || run->options.has_uid) &&
		!(run->options.interest & INTEREST_BRIEF))
		backend_limit(run, "exit reasons of processes not named with -p",
			"without BPF, sooth watches only processes that are named",
			"run sooth as root, or name processes with -p PID");
	return exit_reasons_sample(run, err);
}

static int exit_reasons_stop(struct backend_run *run, struct sooth_error *err)
{
	struct exit_reasons_procfs *s = run->state;
	int status = exit_reasons_sample(run, err);

	exit_reasons_left_emit(&s->left, run);
	return status;
}

static const struct need *const needs[] = { &need_procfs, NULL };

const struct backend backend_exit_reasons_procfs = {
	.name = "procfs",
	.probe = "exit_reasons",
	.help = "reads exit statuses from pidfds and /proc; nothing is attached",
	.needs = needs,
	.state_size = sizeof(struct exit_reasons_procfs),
	.open = exit_reasons_open,
	.set = exit_reasons_set,
	.start = exit_reasons_start,
	.sample = exit_reasons_sample,
	.stop = exit_reasons_stop,
	.close = exit_reasons_close,
};
