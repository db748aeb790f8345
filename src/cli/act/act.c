/* SPDX-License-Identifier: BSD-2-Clause */
/* Selecting the processes to act on. */
#include "cli/act/act.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analyze/process_table/process_match.h"
#include "base/cleanup.h"
#include "cli/selected/process_table_scan.h"
#include "cli/command/target.h"

#define PROCESSES_MAX 65536
#define ANCESTORS_MAX 1024

void act_init(struct act *a, const struct os *os)
{
	assert(a);
	*a = (struct act){ .os = os };
	process_table_init(&a->process_table);
}

void act_fini(struct act *a)
{
	assert(a);
	for (size_t i = 0; i < act_count(a); i++)
		cleanup_close(&act_at(a, i)->handle);
	buffer_fini(&a->processes);
	process_table_fini(&a->process_table);
}

int act_scan_host(struct act *a, struct sooth_error *err)
{
	assert(a);
	process_table_fini(&a->process_table);
	return a->is_detailed ? process_table_scan_all(&a->process_table, err)
			      : process_table_scan(&a->process_table, err);
}

size_t act_count(const struct act *a)
{
	assert(a);
	return a->processes.size / sizeof(struct act_process);
}

struct act_process *act_at(const struct act *a, size_t i)
{
	assert(a);
	return (struct act_process *)(void *)a->processes.data + i;
}

static struct act_process *find_process(const struct act *a, const struct process_id *id)
{
	for (size_t i = 0; i < act_count(a); i++) {
		if (!memcmp(&act_at(a, i)->id, id, sizeof(*id)))
			return act_at(a, i);
	}
	return NULL;
}

/* --- protected processes --- */

/* Returns whether the process is sooth itself or one of its ancestors: the shell it was typed into,
 * the terminal, init. */
static bool is_own(const struct act *a, const struct process_entry *p)
{
	const struct process_entry *own = process_table_find(&a->process_table, (uint32_t)getpid());

	for (unsigned i = 0; own && i < ANCESTORS_MAX; i++, own = own->parent) {
		if (own == p)
			return true;
	}
	return false;
}

static bool is_agent_called(const struct agent *agent, const char *name)
{
	return agent && !strcmp(agent->name, name);
}

static const char *why_no_owner(const struct process_entry *p, bool may_be_any)
{
	if (process_table_is_unknown(p))
		return may_be_any ? "permission denied: sooth cannot read which agent owns this "
				    "process; add --any to act on it anyway"
				  : "permission denied: sooth cannot read which agent owns this "
				    "process";
	return may_be_any ? "the process is not part of an agent; add --any to act on it anyway"
			  : "the process is not part of an agent";
}

static const char *find_refusal(const struct act *a, const struct process_entry *p)
{
	if (p->id.pid == 1)
		return "process 1: if it ended, every process here would end";
	if (p->id.pid == (uint32_t)getpid())
		return "sooth itself";
	if (is_own(a, p))
		return "sooth was started from this process";
	if (process_match_kernel(p))
		return "kernel thread";
	if (a->only_agent && !is_agent_called(p->agent, a->only_agent))
		return is_agent_called(p->owner_agent, a->only_agent)
			       ? "the process is not an agent, only started by an agent"
		       : p->agent || p->owner_agent ? "the process belongs to another agent"
						    : why_no_owner(p, false);
	if (!a->may_be_any && !p->agent && !p->owner_agent)
		return p->process->state == 'Z'
			       ? "zombie: the process has exited, and its parent has not reaped it"
			       : why_no_owner(p, true);
	return NULL;
}

/* --- selecting processes --- */

static void copy_span(char *out, size_t room, struct span text)
{
	snprintf(out, room, "%.*s", (int)text.size, text.data);
}

static void describe_process(
	const struct act *a, const struct process_entry *p, struct act_process *to)
{
	const struct agent *agent = p->agent ? p->agent : p->owner_agent;
	const char *refused = find_refusal(a, p);

	snprintf(to->agent, sizeof(to->agent), "%s", agent ? agent->name : "");
	to->has_role = p->has_role;
	to->role = p->role;
	to->is_foreground = p->process->is_foreground;
	to->is_stopped = p->process->state == 'T';
	to->is_frozen = p->process->frozen == PROC_FROZEN_YES;
	copy_span(to->name, sizeof(to->name), record_text(&p->process->record, &p->process->name));
	copy_span(to->session, sizeof(to->session),
		process_table_text(&a->process_table, &p->session_id));
	if (refused) {
		to->outcome = ACT_REFUSED;
		snprintf(to->why, sizeof(to->why), "%s", refused);
	}
}

static bool select_processes(struct act *a, const struct process_entry *p, uint32_t depth)
{
	struct act_process one = { .id = p->id, .handle = -1, .depth = depth };

	if (find_process(a, &p->id) || act_count(a) >= PROCESSES_MAX)
		return false;
	describe_process(a, p, &one);
	buffer_append(&a->processes, &one, sizeof(one));
	return true;
}

int act_select_pid(struct act *a, uint32_t pid, struct sooth_error *err)
{
	assert(a);

	struct process_entry *p = process_table_find(&a->process_table, pid);

	if (!p) {
		error_set(err, -ESRCH, SOOTH_FAULT_NOT_FOUND, "find process %u", pid);
		error_why(err, "no process has this PID");
		return error_remedy(err, "`sooth ps -a` lists processes");
	}
	select_processes(a, p, 0);
	return 0;
}

int act_select_identity(struct act *a, const char *text, struct sooth_error *err)
{
	const struct process_entry *now;
	struct process_id id = { 0 };

	if (target_word(text, &id) != TARGET_WORD_PID || !id.pid)
		return target_bad_pid(text, err);
	now = process_table_find(&a->process_table, id.pid);
	if (now && id.start_ticks && now->id.start_ticks != id.start_ticks)
		return target_reused_pid(&id, err);
	return act_select_pid(a, id.pid, err);
}

/* Finds the first process of the session with that id. The text must not be the beginning of
 * another id. */
static int find_session(
	struct act *a, const char *session, struct process_entry **out, struct sooth_error *err)
{
	struct process_entry *found = NULL;

	process_table_for_each (&a->process_table, p) {
		struct span id = process_table_text(&a->process_table, &p->session_id);
		struct span known;

		if (!process_match_session(&a->process_table, p, session))
			continue;
		known = found ? process_table_text(&a->process_table, &found->session_id) : id;
		if (known.size != id.size || memcmp(known.data, id.data, id.size)) {
			error_set(
				err, -E2BIG, SOOTH_FAULT_USAGE, "find the session \"%s\"", session);
			error_why(err, "several session ids begin with these characters");
			return error_remedy(
				err, "give more characters; `sooth ps -v` shows the ids");
		}
		if (!found || p->link == PROCESS_LINK_SELF)
			found = p;
	}
	if (!found) {
		error_set(err, -ESRCH, SOOTH_FAULT_NOT_FOUND, "find the session \"%s\"", session);
		error_why(err, "no process here belongs to a session with this id or main PID");
		return error_remedy(err, "`sooth ps -v` lists sessions and their main processes");
	}
	*out = found;
	return 0;
}

int act_select_session(struct act *a, const char *session, struct sooth_error *err)
{
	struct process_entry *p = NULL;
	int status = find_session(a, session, &p, err);

	if (status)
		return status;
	select_processes(a, p, 0);
	/* Every descendant of a living main process belongs to its session, also while the session
	 * ends. */
	a->is_whole = p->main != NULL;
	return 0;
}

void act_select_verdict(struct act *a, enum verdict_kind kind)
{
	struct verdict verdict;

	assert(a);
	a->undecided_access = a->doubted = 0;
	process_table_for_each (&a->process_table, p) {
		verdict_decide(&a->process_table, p, kind, &verdict);
		if (verdict.state == SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION))
			a->undecided_access++;
		else
			a->doubted += state_is_unmeasured(verdict.state);
		if (verdict.holds && !verdict.state && select_processes(a, p, 0))
			snprintf(find_process(a, &p->id)->why, sizeof(verdict.why), "%s",
				verdict.why);
	}
}

/* --- descendants and sessions --- */

/* Returns whether the process outlives its session: a daemon, or an agent or its launcher that was
 * not left behind. */
static bool outlives_session(const struct act *a, const struct process_entry *p)
{
	const struct process_entry *main = NULL;

	if (a->is_whole)
		return false;
	if (p->link == PROCESS_LINK_SELF || p->link == PROCESS_LINK_LAUNCHED)
		main = p->main;
	return p->left || (main && !main->is_main_gone && !main->above);
}

static const struct act_process *selected_above(const struct act *a, const struct process_entry *p)
{
	for (unsigned i = 0; p->parent && i < ANCESTORS_MAX && !outlives_session(a, p); i++) {
		const struct act_process *found;

		p = p->parent;
		found = find_process(a, &p->id);
		if (found && found->outcome != ACT_REFUSED)
			return found;
	}
	return NULL;
}

static void keep_terminal_of(struct act *a, const struct process_entry *p)
{
	const struct process_entry *above = p->parent;

	for (unsigned i = 0; above && i < ANCESTORS_MAX; above = above->parent, i++) {
		struct act_process *found = find_process(a, &above->id);

		if (!found || found->outcome != ACT_SELECTED)
			continue;
		found->outcome = ACT_REFUSED;
		snprintf(found->why, sizeof(found->why),
			"the descendant %u uses a terminal and is no orphan; -t %u ends both "
			"processes",
			(unsigned)p->id.pid, (unsigned)above->id.pid);
	}
}

/* Keeps ancestors of terminals: a window that a tool call opened is an orphan, but its terminal may
 * be in use. */
static void keep_terminals(struct act *a)
{
	process_table_for_each (&a->process_table, p) {
		if (p->process->terminal != PROC_NO_TERMINAL && outlives_session(a, p) &&
			!find_process(a, &p->id))
			keep_terminal_of(a, p);
	}
}

/* Returns whether a selected process is of the same agent and user. Ids come from arguments and
 * files of users, who can write those of others there. */
static bool is_of_same_user(
	const struct act *a, const struct process_entry *p, const struct act_process *selected)
{
	const struct process_entry *other = process_table_get(&a->process_table, &selected->id);

	return other && other->process->uid == p->process->uid &&
	       other->owner_agent == p->owner_agent;
}

/* Returns a selected process of the same session: with the same session id, or the same main
 * process. */
static const struct act_process *selected_beside(const struct act *a, const struct process_entry *p)
{
	struct span id = process_table_text(&a->process_table, &p->session_id);

	buffer_each (const struct act_process, selected, &a->processes) {
		if (selected->outcome == ACT_REFUSED)
			continue;
		if (id.size && span_equal(id, selected->session) && is_of_same_user(a, p, selected))
			return selected;
		if (p->main && !memcmp(&p->main->id, &selected->id, sizeof(selected->id)))
			return selected;
	}
	return NULL;
}

size_t act_select_others(struct act *a)
{
	size_t added = 0;

	assert(a);
	if (a->reach == ACT_ONLY)
		return 0;
	keep_terminals(a);
	process_table_for_each (&a->process_table, p) {
		const struct act_process *by = selected_above(a, p);

		/* Daemons outlive the session. */
		if (!by && a->reach == ACT_SESSION && !p->left)
			by = selected_beside(a, p);
		if (by && !find_process(a, &p->id))
			added += select_processes(
				a, p, by->depth + (p->link != PROCESS_LINK_LAUNCHED));
	}
	return added;
}

void act_recheck(struct act *a, enum verdict_kind kind, bool has_kind)
{
	assert(a);
	buffer_each (struct act_process, one, &a->processes) {
		struct process_entry *p = process_table_get(&a->process_table, &one->id);
		struct verdict verdict = { .holds = true };
		const char *refused;

		if (one->outcome != ACT_SELECTED)
			continue;
		if (!p || !p->is_there) {
			one->outcome = ACT_GONE;
			continue;
		}
		refused = find_refusal(a, p);
		if (has_kind && !one->depth)
			verdict_decide(&a->process_table, p, kind, &verdict);
		if (!refused && verdict.holds)
			continue;
		one->outcome = ACT_REFUSED;
		snprintf(one->why, sizeof(one->why), "%s",
			refused ? refused : "the process changed after the confirmation");
	}
}

static bool is_launcher(const struct act_process *p)
{
	return p->has_role && p->role == AGENT_ROLE_LAUNCHER;
}

/* Sorts by depth. A launcher is ended with its main process, and before it, as it may start the
 * main process again. */
static int compare_by_depth(const void *a, const void *b)
{
	const struct act_process *x = a, *y = b;

	if (x->depth != y->depth)
		return x->depth < y->depth ? -1 : 1;
	if (is_launcher(x) != is_launcher(y))
		return is_launcher(x) ? -1 : 1;
	return (x->id.pid > y->id.pid) - (x->id.pid < y->id.pid);
}

void act_sort(struct act *a)
{
	assert(a);
	if (act_count(a))
		qsort(a->processes.data, act_count(a), sizeof(struct act_process),
			compare_by_depth);
}
