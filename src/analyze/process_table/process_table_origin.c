/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Four facts rule out a main process M for a process P of the same agent:
 * - P is the shell of a tool call, below a reaper. The agent itself started P, so P's parent was
 * its main process, which has ended.
 * - process sessions. A descendant of M is in M's session, or in one that began after M.
 * - the directory in the path of P's output, which is the directory of P's main process.
 * - M had a single session from start to end, and P has another one; or M reports its session, a
 * child that is older than P has that id, and P has another one. Without such a child M may have
 * changed its session since it started P (/clear).
 */
#include "analyze/process_table/process_table_origin.h"

#include <string.h>

#include "analyze/process_table/process_table_resolving.h"
#include "recognize/agent_path.h"
#include "recognize/script.h"

#define FOLDER_MAX 190 /* Claude Code shortens names of 200 characters */

static const char *const shells[] = { "bash", "zsh", "sh" };
/* Programs that adopt orphaned processes. Process 1 of a pid namespace does so too. */
static const char *const reapers[] = { "systemd", "init", "tini", "dumb-init", "docker-init",
	"catatonit" };

static struct agent_markers markers_in(
	const struct process_entry *p, const struct agent *agent, bool *is_reported)
{
	struct markers markers;

	markers_read(&markers, p->links);
	*is_reported = markers.is_reported;
	return markers_of_agent(&markers, agent);
}

/* Returns whether the environment was read and has no marker of this agent, so that the agent did
 * not start the process. A collector records no links of a process without markers. */
static bool is_unmarked(const struct process_entry *p, const struct agent *agent)
{
	bool is_reported;
	struct agent_markers of = markers_in(p, agent, &is_reported);

	if (!p->links)
		return p->process->executable_state != SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION);
	return is_reported && !of.is_any;
}

/* --- the shell of a tool call --- */

/* Returns whether the process runs bash -c [-l] SCRIPT. */
static bool is_tool_shell(const struct process_entry *p, const struct agent *agent)
{
	static const struct agent_path any = { .is_any_directory = true };
	struct span arguments = process_table_arguments(p), word;
	struct cursor c = cursor_over(arguments.data, arguments.size);
	bool has_script = false;

	if (!agent->tool_shell || p->process->session != p->id.pid ||
		!SPAN_ANY(path_base(cursor_until(&c, '\0')), span_equal, shells))
		return false;
	for (word = cursor_until(&c, '\0'); span_starts(word, "-"); word = cursor_until(&c, '\0'))
		has_script = has_script || span_equal(word, "-c");
	return has_script && agent_path_match(span_of_string(agent->tool_shell), word, &any, NULL);
}

/* Returns whether a main process below was not started by an agent: then `p` is above all programs
 * of a user. */
static bool is_above_mains(const struct origin *o, const struct process_entry *p)
{
	for (size_t i = 0; i < o->s->main_count; i++) {
		const struct process_entry *main = o->s->mains[i];

		if (main != p && process_table_is_below(main, p) && is_unmarked(main, o->agent))
			return true;
	}
	return false;
}

/* Returns whether the parent is a reaper. An unrecognized agent is none: it may be the main
 * process. */
static bool has_reaper(const struct origin *o)
{
	const struct process_entry *parent = o->p->parent;

	if (parent && (parent->agent || parent->owner_agent == o->agent))
		return false;
	if (o->p->process->ppid == 1)
		return true;
	if (!parent || !is_unmarked(parent, o->agent))
		return false;
	if (parent->links && parent->links->inner_pid == 1 &&
		process_table_namespace(parent) == process_table_namespace(o->p) &&
		process_table_namespace(parent) != PROCESS_TABLE_UNREPORTED)
		return true;
	return SPAN_ANY(process_table_name(parent), span_equal, reapers) ||
	       is_above_mains(o, parent);
}

bool origin_is_left_shell(const struct origin *o)
{
	return !o->is_from_outside && is_tool_shell(o->p, o->agent) && has_reaper(o);
}

/* --- process sessions --- */

static const struct process_entry *leader_of(const struct origin *o)
{
	const struct process_entry *leader = process_table_by_pid(o->s, o->p->process->session),
				   *p = o->p;

	return leader && leader != p && process_table_is_older(leader, p) ? leader : NULL;
}

static bool is_left_shell(const struct origin *o, const struct process_entry *p)
{
	bool is_reported;
	struct agent_markers of = markers_in(p, o->agent, &is_reported);
	struct origin it = { o->s, p, o->agent, &of, o->is_from_outside };

	return is_reported && of.is_any && origin_is_left_shell(&it);
}

/* Returns whether P is in another session than M. If M started P, the leader of P's session
 * descends from M: it is younger than M, and the shell of a tool call still has its parent. */
static bool is_in_other_session(const struct origin *o, const struct process_entry *main)
{
	const struct process_entry *leader = leader_of(o);

	if (!leader || !main->process->session || main->process->session == o->p->process->session)
		return false;
	return leader->id.start_ticks < main->id.start_ticks || is_left_shell(o, leader);
}

/* --- the agent's own names --- */

static struct span directory_of(const struct process_entry *p)
{
	return process_table_state_is_value(p->process->directory_state)
		       ? process_table_field(&p->process->record, &p->process->directory)
		       : span_of("", 0);
}

/* Returns the path of the file with the output of the tool call; empty: unknown. */
static struct span output_path_of(const struct origin *o, const char *pattern)
{
	static const struct agent_path any = { .is_any_directory = true };
	const struct proc_ties *t = o->p->links;

	for (int i = 1; t && i < 3; i++) {
		struct span path = process_table_field(&t->record, &t->stream_path[i]);

		if (process_table_state_is_value(t->stream_state[i]) &&
			t->stream[i] == PROC_STREAM_FILE &&
			agent_path_ends(span_of_string(pattern), path, &any, NULL))
			return path;
	}
	return span_of("", 0);
}

/* Returns the name in the output path that stands for the main process's directory. Empty: unknown,
 * or shortened because it is long. */
static struct span folder_of(const struct origin *o)
{
	const char *pattern = o->agent->output_file;
	const char *behind = pattern ? strstr(pattern, "{directory}/") : NULL;
	struct span path = behind ? output_path_of(o, pattern) : span_of("", 0), name = path;

	for (; behind && path.size; behind = strchr(behind + 1, '/')) {
		const char *slash = span_last(path, '/');

		if (!slash)
			return span_of("", 0);
		name = span_of(slash + 1, path.size - (size_t)(slash + 1 - path.data));
		path.size = (size_t)(slash - path.data);
	}
	return name.size <= FOLDER_MAX && span_starts(name, "-") ? name : span_of("", 0);
}

static bool name_matches(struct span name, const char *pattern, struct span directory)
{
	const struct agent_path values = { .directory = directory };

	return agent_path_match(span_of_string(pattern), name, &values, NULL);
}

/* Returns whether the output path shows another directory than that of `main`. An agent may move to
 * a working tree, and may have another root than sooth, so any part of the path counts as its
 * own. */
static bool is_in_other_directory(const struct origin *o, const struct process_entry *main)
{
	struct span name = folder_of(o), directory = directory_of(main);

	if (!name.size || directory.size < 2 || name_matches(name, "{directory}-*", directory))
		return false;
	for (size_t i = 0; i + name.size <= directory.size; i++) {
		struct span part = span_of(directory.data + i, name.size);
		bool is_whole =
			i + name.size == directory.size || directory.data[i + name.size] == '/';

		if (is_whole && *part.data == '/' && name_matches(name, "{directory}", part))
			return false;
	}
	return true;
}

static bool has_argument(const struct process_entry *p, const char *argument)
{
	struct span arguments = process_table_arguments(p);
	struct cursor c = cursor_over(arguments.data, arguments.size);

	while (!cursor_at_end(&c)) {
		if (span_equal(cursor_until(&c, '\0'), argument))
			return true;
	}
	return false;
}

static bool has_session_id(const struct agent_markers *of, struct span id)
{
	for (size_t i = 0; i < of->sessions; i++) {
		if (!span_compare(of->session[i], id))
			return true;
	}
	return false;
}

static bool is_marked(const struct process_entry *p, const struct agent *agent, struct span id)
{
	bool is_reported;
	struct agent_markers of = markers_in(p, agent, &is_reported);

	return has_session_id(&of, id);
}

static bool has_other_session(const struct origin *o, const struct process_entry *main)
{
	struct span id = process_table_text(o->s->process_table, &main->session_id);

	return o->agent->one_session && id.size && o->of->sessions &&
	       has_argument(main, o->agent->one_session) && !has_session_id(o->of, id);
}

/* Returns whether the session that `main` reports began before P, and P has another one. */
static bool had_other_session(const struct origin *o, const struct process_entry *main)
{
	const struct proc_session *own = main->session;
	struct span id = own && process_table_state_is_value(own->session_state)
				 ? process_table_field(&own->record, &own->session)
				 : span_of("", 0);

	if (!id.size || !o->of->sessions || has_session_id(o->of, id) ||
		is_marked(main, o->agent, id))
		return false;
	for (const struct process_entry *p = main->first_child; p; p = p->next_sibling) {
		if (process_table_is_older(p, o->p) && is_marked(p, o->agent, id))
			return true;
	}
	return false;
}

/* --- all main processes --- */

static const char *why_not_owner(const struct origin *o, const struct process_entry *main)
{
	if (is_in_other_session(o, main))
		return "is in another process session";
	if (is_in_other_directory(o, main))
		return "works in another directory";
	if (has_other_session(o, main))
		return "has had another session since its start";
	return had_other_session(o, main) ? "had another session before this process began" : NULL;
}

static bool is_candidate(const struct origin *o, const struct process_entry *main)
{
	uint64_t space = process_table_namespace(o->p), its = process_table_namespace(main);

	/* A process with an unknown namespace may be in any namespace. */
	if (space != its && space != PROCESS_TABLE_UNREPORTED && its != PROCESS_TABLE_UNREPORTED &&
		!o->is_from_outside)
		return false;
	return main != o->p && process_table_is_older(main, o->p) &&
	       process_table_is_of_user(main, o->p);
}

static bool is_better_candidate(
	const struct origin *o, const struct process_entry *main, const struct process_entry *than)
{
	struct span here = directory_of(o->p);
	bool is_here = !span_compare(directory_of(main), here);

	if (!than || is_here != !span_compare(directory_of(than), here))
		return !than || is_here;
	return main->id.start_ticks < than->id.start_ticks;
}

/* Returns the oldest main process of an agent, user and namespace. */
static struct process_entry *process_table_oldest(
	const struct resolving *s, const struct agent *agent, uint64_t uid, uint64_t pid_namespace)
{
	const uint64_t key[3] = { (uint64_t)(uintptr_t)agent, uid, pid_namespace };

	return process_table_kept(&s->oldest, key);
}

static struct process_entry *older_main_in(const struct origin *o, uint64_t uid, uint64_t space)
{
	struct process_entry *main = process_table_oldest(o->s, o->agent, uid, space);

	return main && is_candidate(o, main) ? main : NULL;
}

static struct process_entry *older_main(const struct origin *o, uint64_t uid)
{
	uint64_t space = process_table_namespace(o->p);
	bool is_anywhere = space == PROCESS_TABLE_UNREPORTED || o->is_from_outside;
	struct process_entry *main = older_main_in(o, uid, is_anywhere ? PROCESS_TABLE_ANY : space);

	return main ? main : older_main_in(o, uid, PROCESS_TABLE_UNREPORTED);
}

/* Returns the oldest main process, which stands for all if there are too many to compare. */
static struct process_entry *oldest_main(const struct origin *o)
{
	uint32_t uid = o->p->process->uid;
	struct process_entry *main = older_main(o, uid == 0 ? PROCESS_TABLE_ANY : uid);

	return main ? main : older_main(o, 0);
}

struct process_entry *origin_possible(const struct origin *o, struct origin_others *others)
{
	struct process_entry *best = NULL;

	*others = (struct origin_others){ 0 };
	for (size_t i = 0; i < o->s->main_count; i++) {
		struct process_entry *main = o->s->mains[i];
		const char *why;

		if (main->agent != o->agent || !is_candidate(o, main))
			continue;
		why = why_not_owner(o, main);
		if (why && !others->count++) {
			others->one = main;
			others->why = why;
		}
		if (!why && is_better_candidate(o, main, best))
			best = main;
	}
	return best || !o->s->has_more_mains ? best : oldest_main(o);
}

/* --- agents below agents --- */

/* Returns whether it is a script: its children inherit its markers, while programs set new ones. */
static bool is_script(const struct process_entry *p)
{
	static const char *const interpreters[] = { "node", "bun", "deno" };

	return SPAN_ANY(
		path_base(process_table_field(&p->process->record, &p->process->executable)),
		span_equal, interpreters);
}

static bool has_same_markers(const struct origin *o, const struct process_entry *main)
{
	bool is_reported;
	struct agent_markers of = markers_in(main, o->agent, &is_reported);

	/* A tool call has no terminal. */
	if (!is_reported)
		return main->process->terminal == PROC_NO_TERMINAL && main->links;
	return of.is_any && !span_compare(of.pid, o->of->pid) && of.sessions == o->of->sessions &&
	       (!of.sessions || !span_compare(of.session[0], o->of->session[0]));
}

struct process_entry *origin_below(const struct origin *o)
{
	bool is_named = o->of->sessions || o->of->pid.size;

	for (size_t i = 0; i < o->s->main_count; i++) {
		struct process_entry *main = o->s->mains[i];

		if (main->agent == o->agent && (!is_named || !is_script(main)))
			continue;
		if (is_candidate(o, main) && has_same_markers(o, main) &&
			!is_in_other_session(o, main))
			return main;
	}
	return NULL;
}
