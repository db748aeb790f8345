/* SPDX-License-Identifier: BSD-2-Clause */
/* The processes a procfs backend reads. */
#include "os/linux/bpf/members.h"

#include <assert.h>

#include <sys/stat.h>

#include "os/linux/files/procfs.h"

#define MEMBERS_MAX 65536

void members_init(struct members *m)
{
	assert(m);
	map_init(&m->processes, sizeof(struct process_id), sizeof(struct member), MEMBERS_MAX);
}

void members_fini(struct members *m)
{
	assert(m);
	map_fini(&m->processes);
}

static int members_set(struct members *m, const struct process_id *process, unsigned interest,
	struct sooth_error *err)
{
	struct member *member;

	if (!interest) {
		map_remove(&m->processes, process);
		return 0;
	}
	member = map_put(&m->processes, process, NULL);
	if (!member)
		return error_no_memory(err);
	member->is_before_exec = (interest & INTEREST_FROM_EXEC) != 0;
	return 0;
}

static int visit_all(struct backend_run *run, member_visitor visitor, struct sooth_error *err)
{
	struct buffer pids = { 0 };
	int status = procfs_list(&pids);

	buffer_each_while (const pid_t, pid, &pids, !status)
		visitor(run, *pid, NULL);
	buffer_fini(&pids);
	return status ? error_errno(err, status, "list the processes in /proc") : 0;
}

static int visit_known(struct members *m, struct backend_run *run, member_visitor visitor)
{
	map_for_each (&m->processes, const struct process_id *, process, struct member *, member) {
		/* A single sample at the start is about what the command passes on to its
		 * program. */
		if (!member->is_before_exec || run->options.interest & INTEREST_ONCE)
			visitor(run, (pid_t)process->pid, process);
		member->is_before_exec = false;
	}
	return 0;
}

int members_visit(
	struct members *m, struct backend_run *run, member_visitor visitor, struct sooth_error *err)
{
	assert(run);
	/* Brief backends visit only the named processes of a host or user, others all of them. */
	if (run->options.interest & INTEREST_BRIEF)
		return visit_known(m, run, visitor);
	return members_visit_all(m, run, visitor, err);
}

int members_visit_all(
	struct members *m, struct backend_run *run, member_visitor visitor, struct sooth_error *err)
{
	assert(run);
	if (run->options.is_host || run->options.has_uid)
		return visit_all(run, visitor, err);
	return visit_known(m, run, visitor);
}

int members_backend_set(struct backend_run *run, const struct process_id *process,
	unsigned interest, struct sooth_error *err)
{
	assert(run);
	return members_set(run->state, process, interest, err);
}

int members_backend_stop(struct backend_run *run, struct sooth_error *err)
{
	(void)run;
	(void)err;
	return 0;
}
