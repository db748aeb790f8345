/* SPDX-License-Identifier: BSD-2-Clause */
/* Compares a process with the names of a target. */
#include "analyze/process_table/process_match.h"

#include <assert.h>
#include <string.h>

#include "recognize/agent.h"
#include "model/field.h"

#define ANCESTORS_MAX 1024
#define KTHREADD      2 /* the parent of kernel threads (init/main.c) */

bool process_match_session(
	const struct process_table *c, const struct process_entry *p, const char *session)
{
	assert(p);

	struct span id = process_table_text(c, &p->session_id);
	uint64_t pid;

	if (strlen(session) >= SESSION_PREFIX_LEAST && id.size && span_starts(id, session))
		return true;
	return span_decimal(span_of_string(session), &pid) &&
	       ((p->id.pid == pid && p->link == PROCESS_LINK_SELF) ||
		       (p->main && p->main->id.pid == pid));
}

static bool has_pid(const struct process_choice *choice, uint64_t pid)
{
	for (size_t i = 0; i < choice->pid_count; i++) {
		if (choice->pids[i] == pid)
			return true;
	}
	return false;
}

bool process_match_choice(const struct process_entry *p, const struct process_choice *choice)
{
	assert(choice);

	const struct agent *agent = p->owner_agent ? p->owner_agent : p->agent;
	bool has_it = !choice->pid_count;

	if (!agent || (choice->agent && strcmp(agent->name, choice->agent) != 0) ||
		(choice->has_uid && p->process->uid != choice->uid))
		return false;
	for (unsigned i = 0; p && !has_it && i < ANCESTORS_MAX; i++, p = p->parent)
		has_it = has_pid(choice, p->id.pid);
	return has_it;
}

bool process_match_kernel_record(const struct proc_process *p)
{
	assert(p);
	/* In a PID namespace any process may have that number. */
	return (p->record.pid == KTHREADD || p->ppid == KTHREADD) && !p->vsz_bytes &&
	       p->state != 'Z';
}

bool process_match_kernel(const struct process_entry *p)
{
	assert(p);
	return process_match_kernel_record(p->process);
}
