/* SPDX-License-Identifier: BSD-2-Clause */
/* Who is meant; see act.h. */
#include "cli/act/act.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/units.h"
#include "cli/agents/process_table_scan.h"

#define PROCESSES_MAX 65536
#define ANCESTORS_MAX 1024
#define SESSION_LEAST 4 /* characters of an id that stand for it */
#define KTHREADD      2 /* the parent of kernel threads, pid_t of init/main.c */

void act_init(struct act *a, const struct os *os)
{
	*a = (struct act){ .os = os };
	process_table_init(&a->process_table);
}

void act_fini(struct act *a)
{
	for (size_t i = 0; i < act_count(a); i++)
		cleanup_close(&act_at(a, i)->handle);
	buffer_fini(&a->processes);
	process_table_fini(&a->process_table);
}

int act_look(struct act *a, struct sooth_error *err)
{
	process_table_fini(&a->process_table);
	return process_table_scan(&a->process_table, err);
}

size_t act_count(const struct act *a)
{
	return a->processes.size / sizeof(struct act_process);
}

struct act_process *act_at(const struct act *a, size_t i)
{
	return (struct act_process *)(void *)a->processes.data + i;
}

static struct act_process *find(const struct act *a, const struct process_id *id)
{
	for (size_t i = 0; i < act_count(a); i++) {
		if (!memcmp(&act_at(a, i)->id, id, sizeof(*id)))
			return act_at(a, i);
	}
	return NULL;
}

/* --- who must not be touched --- */

static struct process_entry *by_pid(const struct process_table *c, uint32_t pid)
{
	struct process_entry *p;
	size_t position = 0;

	while ((p = process_table_next(c, &position))) {
		if (p->id.pid == pid)
			return p;
	}
	return NULL;
}

/* sooth itself and whoever started it: the shell it was typed into, the terminal, init. */
static bool is_own(const struct act *a, const struct process_entry *p)
{
	const struct process_entry *own = by_pid(&a->process_table, (uint32_t)getpid());

	for (unsigned i = 0; own && i < ANCESTORS_MAX; i++, own = own->parent) {
		if (own == p)
			return true;
	}
	return false;
}

static bool is_of_kernel(const struct process_entry *p)
{
	/* In a pid namespace it is anybody's number. */
	return (p->id.pid == KTHREADD || p->process->ppid == KTHREADD) && !p->process->vsz_bytes &&
	       p->process->state != 'Z';
}

static bool is_of(const struct agent *agent, const char *name)
{
	return agent && !strcmp(agent->name, name);
}

static const char *is_nobodys(const struct process_entry *p, bool may_be_any)
{
	if (process_table_is_unknown(p))
		return may_be_any ? "whose it is may not be read; --any does it all the same"
				  : "whose it is may not be read";
	return may_be_any ? "it is no agent's; --any does it all the same" : "it is no agent's";
}

static const char *refusal(const struct act *a, const struct process_entry *p)
{
	if (p->id.pid == 1)
		return "it is process 1: everything here would end with it";
	if (p->id.pid == (uint32_t)getpid())
		return "it is sooth itself";
	if (is_own(a, p))
		return "sooth was started from it";
	if (is_of_kernel(p))
		return "it is a thread of the kernel";
	if (a->only_agent && !is_of(p->agent, a->only_agent))
		return is_of(p->owner_agent, a->only_agent) ? "it is no agent, only started by one"
		       : p->agent || p->owner_agent	    ? "it is another agent's"
							    : is_nobodys(p, false);
	if (!a->may_be_any && !p->agent && !p->owner_agent)
		return p->process->state == 'Z'
			       ? "it has ended, and waits for its parent to ask how"
			       : is_nobodys(p, true);
	return NULL;
}

/* --- who is meant --- */

static void copy_span(char *out, size_t room, struct span text)
{
	snprintf(out, room, "%.*s", (int)text.size, text.data);
}

static void describe(const struct act *a, const struct process_entry *p, struct act_process *to)
{
	const struct agent *agent = p->agent ? p->agent : p->owner_agent;
	const char *refused = refusal(a, p);

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

static bool mean(struct act *a, const struct process_entry *p, uint32_t depth)
{
	struct act_process one = { .id = p->id, .handle = -1, .depth = depth };

	if (find(a, &p->id) || act_count(a) >= PROCESSES_MAX)
		return false;
	describe(a, p, &one);
	buffer_append(&a->processes, &one, sizeof(one));
	return true;
}

int act_mean_pid(struct act *a, uint32_t pid, struct sooth_error *err)
{
	struct process_entry *p = by_pid(&a->process_table, pid);

	if (!p) {
		error_set(err, -ESRCH, SOOTH_FAULT_NOT_FOUND, "find process %u", pid);
		error_why(err, "there is none of that number here");
		return error_remedy(err, "`sooth ps -a` lists all");
	}
	mean(a, p, 0);
	return 0;
}

static int given_anew(const struct process_id *id, struct sooth_error *err)
{
	error_set(err, -ESRCH, SOOTH_FAULT_NOT_FOUND, "find process %u that began at %llu",
		(unsigned)id->pid, (unsigned long long)id->start_ticks);
	error_why(err, "it has ended; another one has its number by now");
	return error_remedy(err, "look again: `sooth ps`");
}

/* "4711", or "4711@123456"; the start is 0 where it is not told. */
static bool parse_identity(const char *text, struct process_id *id)
{
	const char *at = strchr(text, '@');
	size_t size = at ? (size_t)(at - text) : strlen(text);
	uint64_t pid, start = 0;
	char number[16];

	if (at && (!parse_u64(at + 1, &start) || !start))
		return false;
	/* What was cut would be the number of somebody else. */
	if (size >= sizeof(number))
		return false;
	snprintf(number, sizeof(number), "%.*s", (int)size, text);
	if (!parse_u64(number, &pid) || !pid || pid > INT32_MAX)
		return false;
	*id = (struct process_id){ start, pid };
	return true;
}

static int mean_identity(struct act *a, const struct process_id *id, struct sooth_error *err)
{
	const struct process_entry *now = by_pid(&a->process_table, (uint32_t)id->pid);

	if (now && id->start_ticks && now->id.start_ticks != id->start_ticks)
		return given_anew(id, err);
	return act_mean_pid(a, (uint32_t)id->pid, err);
}

static int no_identity(const char *text, struct sooth_error *err)
{
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "take \"%s\" for a process id", text);
	error_why(err, "it is no whole number from 1 on, nor PID@START");
	return error_remedy(err, "`sooth ps` lists processes; --session ID names a session");
}

int act_mean_pids(struct act *a, const struct arguments *arguments, struct sooth_error *err)
{
	int status = 0;

	for (size_t i = 0; i < arguments->count && !status; i++) {
		struct process_id id;

		if (!parse_identity(arguments->items[i], &id))
			return no_identity(arguments->items[i], err);
		status = mean_identity(a, &id, err);
	}
	return status;
}

/* Digits may be either; the pid of another than the main process is no name of a session. */
static bool is_session(
	const struct process_table *c, const struct process_entry *p, const char *wanted)
{
	struct span id = process_table_text(c, &p->session_id);
	uint64_t pid;

	if (parse_u64(wanted, &pid) && p->id.pid == pid && p->tie == PROCESS_LINK_SELF)
		return true;
	return id.size >= strlen(wanted) && strlen(wanted) >= SESSION_LEAST &&
	       !memcmp(id.data, wanted, strlen(wanted));
}

/* Which session the text names: the first process of it, and none of another. */
static int find_session(
	struct act *a, const char *session, struct process_entry **out, struct sooth_error *err)
{
	struct process_entry *p, *found = NULL;
	size_t position = 0;

	while ((p = process_table_next(&a->process_table, &position))) {
		struct span id = process_table_text(&a->process_table, &p->session_id);
		struct span known;

		if (!is_session(&a->process_table, p, session))
			continue;
		known = found ? process_table_text(&a->process_table, &found->session_id) : id;
		if (known.size != id.size || memcmp(known.data, id.data, id.size)) {
			error_set(
				err, -E2BIG, SOOTH_FAULT_USAGE, "find the session \"%s\"", session);
			error_why(err, "more than one session begins so");
			return error_remedy(err, "give more of it; `sooth ps -v` shows them");
		}
		if (!found || p->tie == PROCESS_LINK_SELF)
			found = p;
	}
	if (!found) {
		error_set(err, -ESRCH, SOOTH_FAULT_NOT_FOUND, "find the session \"%s\"", session);
		error_why(err, "no process here belongs to one of that id or main process");
		return error_remedy(err, "`sooth ps -v` shows sessions");
	}
	*out = found;
	return 0;
}

int act_mean_session(struct act *a, const char *session, struct sooth_error *err)
{
	struct process_entry *p = NULL;
	int status = find_session(a, session, &p, err);

	if (status)
		return status;
	mean(a, p, 0);
	/* Whatever is below one that is there is of its session, also while that is being ended. */
	a->is_whole = p->main != NULL;
	return 0;
}

void act_mean_verdict(struct act *a, enum verdict_kind kind)
{
	struct process_entry *p;
	struct verdict verdict;
	size_t position = 0;

	a->unjudged = a->doubted = 0;
	while ((p = process_table_next(&a->process_table, &position))) {
		verdict_decide(&a->process_table, p, kind, &verdict);
		if (verdict.state == SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION))
			a->unjudged++;
		else
			a->doubted += state_is_unmeasured(verdict.state);
		if (verdict.holds && !verdict.state && mean(a, p, 0))
			snprintf(find(a, &p->id)->why, sizeof(verdict.why), "%s", verdict.why);
	}
}

/* --- who belongs to them --- */

/* What was made to stay; an agent, or its launcher, that is nobody's leftover. */
static bool goes_on(const struct act *a, const struct process_entry *p)
{
	const struct process_entry *main = NULL;

	if (a->is_whole)
		return false;
	if (p->tie == PROCESS_LINK_SELF || p->tie == PROCESS_LINK_LAUNCHED)
		main = p->main;
	return p->left || (main && !main->is_main_gone && !main->above);
}

static const struct act_process *targeted_above(const struct act *a, const struct process_entry *p)
{
	for (unsigned i = 0; p->parent && i < ANCESTORS_MAX && !goes_on(a, p); i++) {
		const struct act_process *found;

		p = p->parent;
		found = find(a, &p->id);
		if (found && found->outcome != ACT_REFUSED)
			return found;
	}
	return NULL;
}

static void keep_terminal_of(struct act *a, const struct process_entry *p)
{
	const struct process_entry *above = p->parent;

	for (unsigned i = 0; above && i < ANCESTORS_MAX; above = above->parent, i++) {
		struct act_process *found = find(a, &above->id);

		if (!found || found->outcome != ACT_TARGETED)
			continue;
		found->outcome = ACT_REFUSED;
		snprintf(found->why, sizeof(found->why),
			"%u below it is at a terminal and no leftover; -t %u means both",
			(unsigned)p->id.pid, (unsigned)above->id.pid);
	}
}

/* A window that a tool call opened is left over; who works in it would lose the terminal. */
static void keep_terminals(struct act *a)
{
	struct process_entry *p;
	size_t position = 0;

	while ((p = process_table_next(&a->process_table, &position))) {
		if (p->process->terminal != PROC_NO_TERMINAL && goes_on(a, p) && !find(a, &p->id))
			keep_terminal_of(a, p);
	}
}

/* Of the same session as one that is meant: by its id, or by its main process. */
static const struct act_process *targeted_beside(const struct act *a, const struct process_entry *p)
{
	struct span id = process_table_text(&a->process_table, &p->session_id);

	for (size_t i = 0; i < act_count(a); i++) {
		const struct act_process *meant = act_at(a, i);

		if (meant->outcome == ACT_REFUSED)
			continue;
		if (id.size && span_equal(id, meant->session))
			return meant;
		if (p->main && !memcmp(&p->main->id, &meant->id, sizeof(meant->id)))
			return meant;
	}
	return NULL;
}

size_t act_mean_others(struct act *a)
{
	struct process_entry *p;
	size_t position = 0, added = 0;

	if (a->reach == ACT_ONLY)
		return 0;
	keep_terminals(a);
	while ((p = process_table_next(&a->process_table, &position))) {
		const struct act_process *by = targeted_above(a, p);

		/* What was made to outlive the session does. */
		if (!by && a->reach == ACT_SESSION && !p->left)
			by = targeted_beside(a, p);
		if (by && !find(a, &p->id))
			added += mean(a, p, by->depth + (p->tie != PROCESS_LINK_LAUNCHED));
	}
	return added;
}

void act_recheck(struct act *a, enum verdict_kind kind, bool has_kind)
{
	for (size_t i = 0; i < act_count(a); i++) {
		struct act_process *one = act_at(a, i);
		struct process_entry *p = process_table_get(&a->process_table, &one->id);
		struct verdict verdict = { .holds = true };
		const char *refused;

		if (one->outcome != ACT_TARGETED)
			continue;
		if (!p || !p->is_there) {
			one->outcome = ACT_GONE;
			continue;
		}
		refused = refusal(a, p);
		if (has_kind && !one->depth)
			verdict_decide(&a->process_table, p, kind, &verdict);
		if (!refused && verdict.holds)
			continue;
		one->outcome = ACT_REFUSED;
		snprintf(one->why, sizeof(one->why), "%s",
			refused ? refused : "it is no longer what it was when you were asked");
	}
}

void act_would(struct act *a)
{
	for (size_t i = 0; i < act_count(a); i++) {
		if (act_at(a, i)->outcome == ACT_TARGETED)
			act_at(a, i)->outcome = ACT_WOULD;
	}
}

static bool is_launcher(const struct act_process *p)
{
	return p->has_role && p->role == AGENT_ROLE_LAUNCHER;
}

/* A launcher goes with its main process, and before that: it may start another. */
static int by_depth(const void *a, const void *b)
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
	if (act_count(a))
		qsort(a->processes.data, act_count(a), sizeof(struct act_process), by_depth);
}
