/* SPDX-License-Identifier: BSD-2-Clause */
/* The target options of commands that act. */
#include "cli/act/act_targets.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>

#include "analyze/process_table/process_match.h"
#include "base/cleanup.h"
#include "cli/selected/target_search.h"

#define LISTED_MAX 8 /* PIDs in an error, at most */

bool act_targets_are_broad(const struct target_options *t)
{
	assert(t);
	return target_has_holders(t) || t->agents.count || t->containers.count ||
	       t->control_group || t->user;
}

static int refuse_capture(const char *verb, const char *capture, struct sooth_error *err)
{
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "%s processes of %s", verb, capture);
	error_why(err, "a capture file has no running processes");
	return error_remedy(
		err, "give a PID, a NAME or --session ID; `sooth ps -v` lists agents and sessions");
}

int act_targets_check(const char *verb, const struct target_options *t, const struct arguments *a,
	struct sooth_error *err)
{
	assert(t);
	assert(a);

	const char *capture = target_capture(a);
	int kinds = (a->count || t->pids.count) + target_has_holders(t) + (t->sessions.count > 0) +
		    (t->agents.count > 0) + (t->containers.count > 0) + (t->control_group != NULL) +
		    (t->user != NULL);

	if (a->command) {
		error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "launch a command here");
		error_why(err, "`sooth %s` acts on processes that are already running", verb);
		return error_remedy(err, "to launch a command: sooth trace -- COMMAND");
	}
	if (capture)
		return refuse_capture(verb, capture, err);
	if (kinds <= 1)
		return 0;
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "%s several kinds of targets at once", verb);
	error_why(err,
		"processes, --session, --agent, --container, --cgroup and -u exclude each other "
		"here");
	return error_remedy(
		err, "give one of them; `sooth %s --dry-run` shows the processes", verb);
}

/* --- names --- */

static bool is_session(const struct act *act, const char *word)
{
	process_table_for_each (&act->process_table, p) {
		if (process_match_session(&act->process_table, p, word))
			return true;
	}
	return false;
}

/* Fails: to act on all processes of a name, the user has to type their PIDs. */
static int is_several(
	const char *verb, const char *name, const struct target_search *s, struct sooth_error *err)
{
	const struct process_id *all = (const void *)s->processes.data;
	size_t count = s->processes.size / sizeof(*all);
	char pids[LISTED_MAX * 12 + 8] = "";
	size_t at = 0;

	for (size_t i = 0; i < count && i < LISTED_MAX; i++)
		at += (size_t)snprintf(pids + at, sizeof(pids) - at, " %u", (unsigned)all[i].pid);
	if (count > LISTED_MAX)
		snprintf(pids + at, sizeof(pids) - at, " ...");
	error_set(err, -E2BIG, SOOTH_FAULT_USAGE, "choose one process called \"%s\"", name);
	error_why(err, "%zu processes have this name:%s", count, pids);
	return error_remedy(err, "give the PIDs: sooth %s%s", verb, pids);
}

static int search_targets(struct act *act, struct target_search *s, struct sooth_error *err)
{
	int status = target_search_table(s, &act->process_table, err);

	if (!status)
		status = target_search_holders(s, err);
	return status ? status : target_search_end(s, err);
}

static int select_found(struct act *act, const struct target_search *s, struct sooth_error *err)
{
	int status = 0;

	buffer_each_while (const struct process_id, id, &s->processes, !status)
		status = act_select_pid(act, (uint32_t)id->pid, err);
	return status;
}

static int select_name(struct act *act, const char *verb, char *word, struct sooth_error *err)
{
	const struct target_options none = { 0 };
	const struct arguments one = { .items = &word, .count = 1 };
	struct target_search s;
	int status;

	if (is_session(act, word)) {
		act->reach = ACT_SESSION;
		return act_select_session(act, word, err);
	}
	status = target_search_begin(&s, &none, &one, true, err);
	if (!status)
		status = search_targets(act, &s, err);
	if (!status && s.processes.size > sizeof(struct process_id))
		status = is_several(verb, word, &s, err);
	if (!status)
		status = select_found(act, &s, err);
	target_search_fini(&s);
	return status;
}

static int select_words(
	struct act *act, const char *verb, const struct arguments *a, struct sooth_error *err)
{
	int status = 0;

	for (size_t i = 0; i < a->count && !status; i++) {
		struct process_id id = { 0 };

		if (target_word(a->items[i], &id) == TARGET_WORD_NAME)
			status = select_name(act, verb, a->items[i], err);
		else
			status = act_select_identity(act, a->items[i], err);
	}
	return status;
}

/* --- what is broad --- */

static bool is_of_agent(const struct act *act, const struct process_id *id)
{
	const struct process_entry *p = process_table_get(&act->process_table, id);

	return p && (p->agent || p->owner_agent);
}

static int select_broad(struct act *act, const struct target_options *t, struct sooth_error *err)
{
	struct target_options broad = *t;
	const struct arguments none = { 0 };
	struct target_search s;
	int status;

	broad.sessions.count = 0;
	status = target_search_begin(&s, &broad, &none, true, err);
	if (!status)
		status = search_targets(act, &s, err);
	buffer_each_while (const struct process_id, id, &s.processes, !status) {
		if (act->may_be_any || is_of_agent(act, id))
			status = act_select_pid(act, (uint32_t)id->pid, err);
	}
	target_search_fini(&s);
	return status;
}

int act_targets_select(struct act *act, const char *verb, const struct target_options *t,
	const struct arguments *a, struct sooth_error *err)
{
	int status = 0;

	assert(act);
	assert(t);
	for (size_t i = 0; i < t->pids.count && !status; i++)
		status = act_select_identity(act, t->pids.items[i], err);
	if (!status)
		status = select_words(act, verb, a, err);
	for (size_t i = 0; i < t->sessions.count && !status; i++) {
		act->reach = ACT_SESSION;
		status = act_select_session(act, t->sessions.items[i], err);
	}
	if (!status && act_targets_are_broad(t))
		status = select_broad(act, t, err);
	return status;
}
