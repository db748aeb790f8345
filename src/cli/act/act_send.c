/* SPDX-License-Identifier: BSD-2-Clause */
/* Ends processes in an order in which no process is started again: parents first. All processes are
 * stopped before any is signalled: a stopped process forks nothing, so another scan finds all of
 * them. For SIGTERM they are continued at once, and the first ones get a moment to end their
 * children. Their new children are included. The scan misses children of a process that exited
 * before it could be stopped, unless their environment names the session. */
#include "cli/act/act.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/units.h"
#include "cli/terminal/stop.h"

#define ROUNDS_MAX  32		      /* scans for processes that appeared meanwhile, at most */
#define FIRST_NS    (300 * NS_PER_MS) /* time for the first processes to end their children */
#define STEP_MS	    20
#define PAUSE_MS    5 /* pause for processes that have not stopped yet */
#define PROGRESS_NS NS_PER_S

static void record_failure(struct act_process *p, int status)
{
	if (status == -ESRCH) {
		p->outcome = p->outcome == ACT_STILL ? ACT_ENDED : ACT_GONE;
		return;
	}
	p->outcome = ACT_FAILED;
	snprintf(p->why, sizeof(p->why), "%s",
		status == -EPERM ? "not permitted: it belongs to another user; run sooth as root"
				 : strerror(-status));
}

/* Returns whether the process has exited: from then on its pidfd is readable. */
static bool has_ended(struct act *a, struct act_process *p)
{
	return a->os->wait(a->os, &p->handle, 1, 0) > 0;
}

void act_pin_processes(struct act *a)
{
	buffer_each (struct act_process, p, &a->processes) {
		struct sooth_error err;
		int handle;

		if (p->outcome != ACT_SELECTED || p->handle >= 0)
			continue;
		handle = a->os->open_process(a->os, &p->id, &err);
		if (handle < 0) {
			record_failure(p, handle);
			continue;
		}
		p->handle = handle;
		if (has_ended(a, p)) /* a zombie cannot be signalled */
			p->outcome = ACT_GONE;
	}
}

void act_check_permission(struct act *a)
{
	assert(a);
	act_pin_processes(a);
	buffer_each (struct act_process, p, &a->processes) {
		struct sooth_error err;
		int status;

		if (p->outcome != ACT_SELECTED)
			continue;
		status = a->os->signal_process(a->os, p->handle, &p->id, 0, &err);
		if (status)
			record_failure(p, status);
		else
			p->outcome = ACT_WOULD;
	}
}

static void send_to_process(struct act *a, struct act_process *p, int signal)
{
	struct sooth_error err;
	int status;

	if (p->handle < 0 || (p->outcome != ACT_SELECTED && p->outcome != ACT_STILL))
		return;
	status = a->os->signal_process(a->os, p->handle, &p->id, signal, &err);
	if (status) {
		record_failure(p, status);
		return;
	}
	p->outcome = ACT_STILL;
	p->is_stopped = signal == SIGSTOP || (p->is_stopped && signal != SIGCONT);
}

static size_t count_alive(struct act *a, int *one)
{
	size_t left = 0;

	buffer_each (struct act_process, p, &a->processes) {
		if (p->outcome != ACT_STILL)
			continue;
		if (has_ended(a, p)) {
			p->outcome = ACT_ENDED;
		} else {
			*one = p->handle;
			left++;
		}
	}
	return left;
}

/* Waits until all signalled processes have exited, the timeout is over, or the user stops it.
 * Returns how many are left. */
static size_t wait_for_all(struct act *a, uint64_t wait_ns, const struct act_progress *progress)
{
	uint64_t now = a->os->now_ns(a->os), end = now + wait_ns, tell = now + PROGRESS_NS;
	int one = -1;
	size_t left;

	while ((left = count_alive(a, &one)) && now < end && !stop_is_selected()) {
		a->os->wait(a->os, &one, 1, STEP_MS);
		now = a->os->now_ns(a->os);
		if (now >= tell && progress) {
			progress->tell(progress->user, left);
			tell += PROGRESS_NS;
		}
	}
	return left;
}

static int look_for_others(struct act *a, size_t *found, struct sooth_error *err)
{
	int status;

	*found = 0;
	if (a->reach == ACT_ONLY)
		return 0;
	status = act_scan_host(a, err);
	if (!status)
		*found = act_select_others(a);
	if (!status && *found) {
		act_sort(a);
		act_pin_processes(a);
	}
	return status;
}

/* The processes that get a signal. */
enum receivers { ALL_SELECTED, THE_FIRST, THE_STOPPED };

static bool is_receiver(const struct act_process *p, enum receivers receivers)
{
	switch (receivers) {
	case THE_FIRST:
		return !p->depth;
	case THE_STOPPED:
		return p->is_stopped;
	default:
		return true;
	}
}

static void send_all(struct act *a, int signal, enum receivers receivers)
{
	for (size_t i = 0; i < act_count(a); i++) {
		if (is_receiver(act_at(a, i), receivers))
			send_to_process(a, act_at(a, i), signal);
	}
}

/* Returns whether the process is stopped, by the last scan. A process that was not stopped, or
 * cannot be, does not count. */
static bool is_process_stopped(const struct act *a, const struct act_process *one)
{
	const struct process_entry *p = process_table_get(&a->process_table, &one->id);

	return !one->is_stopped || !p || !p->is_there || p->process->frozen == PROC_FROZEN_YES ||
	       strchr("TtZX", p->process->state);
}

static bool are_all_stopped(const struct act *a)
{
	for (size_t i = 0; i < act_count(a); i++) {
		if (!is_process_stopped(a, act_at(a, i)))
			return false;
	}
	return true;
}

static void stop_those_who_run(struct act *a, bool is_polite)
{
	buffer_each (struct act_process, p, &a->processes) {
		if (!p->is_stopped && !(is_polite && p->is_foreground))
			send_to_process(a, p, SIGSTOP);
	}
}

/* Stops all processes, and the processes that they start until they stop: then nothing new appears.
 * The kernel finishes a fork in progress before the stop, so one more scan without news is needed
 * after all have stopped. For SIGTERM a process with a terminal is not stopped: its shell would
 * take the terminal away, and the process could not restore it. If sooth is killed meanwhile, the
 * processes stay stopped. */
static int stop_all(struct act *a, bool is_polite, struct sooth_error *err)
{
	bool stood = false, is_done = false;
	int status = 0;

	for (unsigned i = 0; i < ROUNDS_MAX && !is_done && !status; i++) {
		size_t found;

		stop_those_who_run(a, is_polite);
		status = look_for_others(a, &found, err);
		is_done = stood && !found;
		stood = are_all_stopped(a);
		if (!stood && !found)
			a->os->wait(a->os, NULL, 0, PAUSE_MS);
	}
	return status;
}

static int kill_all(struct act *a, uint64_t wait_ns, const struct act_progress *progress,
	struct sooth_error *err)
{
	int status = a->reach == ACT_ONLY ? 0 : stop_all(a, false, err);

	send_all(a, SIGKILL, ALL_SELECTED);
	wait_for_all(a, wait_ns, progress);
	return status;
}

/* Signals the receivers. A stopped process gets the signal when it continues. */
static int signal_receivers(
	struct act *a, int signal, enum receivers receivers, struct sooth_error *err)
{
	int status = a->reach == ACT_ONLY ? 0 : stop_all(a, true, err);

	send_all(a, signal, receivers);
	send_all(a, SIGCONT, THE_STOPPED);
	return status;
}

static int signal_all_and_wait(struct act *a, int signal, uint64_t wait_ns,
	const struct act_progress *progress, struct sooth_error *err)
{
	size_t found = 1;
	int status = 0;

	if (a->reach != ACT_ONLY) {
		status = signal_receivers(a, signal, THE_FIRST, err);
		wait_for_all(a, FIRST_NS, NULL);
	}
	for (unsigned i = 0; i < ROUNDS_MAX && found && !status; i++) {
		status = signal_receivers(a, signal, ALL_SELECTED, err);
		wait_for_all(a, wait_ns, progress);
		if (stop_is_selected() || status)
			break;
		status = look_for_others(a, &found, err);
	}
	return status;
}

static void explain_still(struct act *a)
{
	buffer_each (struct act_process, p, &a->processes) {
		if (p->outcome == ACT_STILL && p->is_frozen)
			snprintf(p->why, sizeof(p->why),
				"the control group of the process is frozen: the signal arrives "
				"after `sooth thaw`");
	}
}

int act_end(struct act *a, int signal, uint64_t wait_ns, const struct act_progress *progress,
	struct sooth_error *err)
{
	int status;

	act_sort(a);
	act_pin_processes(a);
	status = signal == SIGKILL ? kill_all(a, wait_ns, progress, err)
				   : signal_all_and_wait(a, signal, wait_ns, progress, err);
	explain_still(a);
	return status;
}
