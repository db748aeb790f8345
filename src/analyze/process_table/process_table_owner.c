/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Three kinds of markers, the most exact first:
 * - the id of a session. An older main process with that id is the owner. If no process has the id,
 *   that proves nothing: an agent changes it within a process (/clear), and not every main process
 *   is known by its id. So the session is gone only if no main process of that agent could have
 *   been the owner, by user, pid namespace and age.
 * - the pid of the main process, in its own pid namespace. A process that started later got a
 *   reused pid. An older process that is not recognized as that agent leaves it undecided; so does
 *   a namespace whose first process has the marker too (a sandbox): the marker comes from an outer
 *   namespace.
 * - only the name of the agent. Then the path of its output may have the session's id; or the main
 *   process leads its process group, as with MCP servers and hooks.
 *
 * Where another main process lives, process_table_origin.h says whether that can be the owner.
 *
 * A session that may just not have been read is never called gone.
 */
#include "analyze/process_table/process_table_owner.h"

#include <stdarg.h>
#include <string.h>

#include "analyze/process_table/process_table_resolving.h"
#include "analyze/process_table/process_table_origin.h"
#include "recognize/agent_path.h"

struct owner_search {
	struct resolving *s;
	const struct process_entry *p;
	const struct agent *agent;
	struct agent_markers of;
	struct owner owner;
};

/* Returns whether all possible owners were read. Processes younger than P cannot be its owner. */
static bool are_all_seen(const struct owner_search *q)
{
	const struct resolving *s = q->s;

	return s->process_table->is_of_host && !s->process_table->is_partial &&
	       (!s->unread_ticks || s->unread_ticks > q->p->id.start_ticks);
}

static const char *why_not_all_seen(const struct owner_search *q)
{
	const struct process_table *c = q->s->process_table;

	if (!c->is_of_host)
		return "some processes could not be read";
	if (!c->is_partial)
		return "an older process could not be read";
	return c->hides_users ? "other users' processes are hidden"
			      : "processes outside this pid namespace are invisible";
}

static struct owner found_owner(
	struct owner_search *q, struct process_entry *main, enum process_link link)
{
	q->owner.main = main;
	q->owner.link = link;
	return q->owner;
}

/* Says that the owner is gone, and why. */
__attribute__((format(printf, 3, 4))) static struct owner gone_owner(
	struct owner_search *q, enum process_link link, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	q->owner.link = link;
	q->owner.is_gone = true;
	q->owner.gone = process_table_say_list(q->s->process_table, format, arguments);
	va_end(arguments);
	return q->owner;
}

/* Says why it is not decided whether there is an owner. */
__attribute__((format(printf, 3, 4))) static struct owner set_undecided(
	struct owner_search *q, enum process_link link, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	q->owner.link = link;
	q->owner.doubt = process_table_say_list(q->s->process_table, format, arguments);
	va_end(arguments);
	return q->owner;
}

/* Writes "session 4f1c", or the agent's name if the id is unknown. */
static struct sooth_text session_words(struct owner_search *q)
{
	struct span id = q->of.sessions ? q->of.session[0] : span_of("", 0);

	return id.size ? process_table_say(q->s->process_table, "session %.*s", SPAN_ARGS(id))
		       : process_table_say(q->s->process_table, "its %s session", q->agent->title);
}

static struct span text_of(const struct owner_search *q, const struct sooth_text *text)
{
	return process_table_text(q->s->process_table, text);
}

/* --- possible owners --- */

/* Finds a process by its PID in its own PID namespace, if that is known. */
static struct process_entry *process_table_by_inner(
	const struct resolving *s, uint64_t pid_namespace, uint64_t pid)
{
	const uint64_t key[2] = { pid_namespace, pid };

	return process_table_kept(&s->by_inner, key);
}

/* Returns whether the marker is from an outer PID namespace: the first process of this namespace
 * has it too. */
static bool is_from_outside(const struct owner_search *q)
{
	uint64_t space = process_table_namespace(q->p);
	const struct process_entry *first;
	struct agent_markers of;
	struct markers markers;

	if (space == PROCESS_TABLE_UNREPORTED || q->p->links->inner_pid == q->p->id.pid)
		return false;
	first = process_table_by_inner(q->s, space, 1);
	if (!first || first->agent == q->agent)
		return false;
	markers_read(&markers, first->links);
	if (!markers.is_reported)
		return true;
	of = markers_of_agent(&markers, q->agent);
	if (q->of.pid.size)
		return !span_compare(of.pid, q->of.pid);
	if (q->of.sessions)
		return of.sessions && !span_compare(of.session[0], q->of.session[0]);
	return of.is_any;
}

static struct origin origin_of(const struct owner_search *q)
{
	return (struct origin){ q->s, q->p, q->agent, &q->of, is_from_outside(q) };
}

/* Returns a possible owner; NULL: none, with the reason in `why`. */
static struct process_entry *possible_main(struct owner_search *q, struct sooth_text *why)
{
	struct process_table *c = q->s->process_table;
	const struct origin o = origin_of(q);
	struct origin_others others;
	struct process_entry *main = origin_possible(&o, &others);
	unsigned long long pid = others.one ? others.one->id.pid : 0;

	if (main)
		return main;
	if (!others.count)
		*why = process_table_say(c,
			"no main process is here, and no %s is old enough to be its main process",
			q->agent->title);
	else if (others.count == 1)
		*why = process_table_say(c, "agent %llu, the only other one, %s", pid, others.why);
	else
		*why = process_table_say(c,
			"none of %zu other agents can have started this process (%llu %s)",
			others.count, pid, others.why);
	return NULL;
}

/* --- by pid --- */

static struct process_entry *holder_of(const struct owner_search *q, uint64_t pid)
{
	uint64_t space = process_table_namespace(q->p);

	/* Each process is recorded by its PID in sooth's namespace, only few by their inner PID. */
	if (space == PROCESS_TABLE_UNREPORTED || q->p->links->inner_pid == q->p->id.pid)
		return process_table_by_pid(q->s, pid);
	return process_table_by_inner(q->s, space, pid);
}

/* Decides about a main process in an outer namespace, whose PID here is unknown. */
static struct owner owner_by_outer_pid(struct owner_search *q)
{
	const struct sooth_text session = session_words(q);
	struct sooth_text why;
	bool is_possible = !are_all_seen(q) || possible_main(q, &why);
	struct span its = text_of(q, &session); /* adding text may have moved the earlier text */

	if (!is_possible)
		return gone_owner(q, PROCESS_LINK_PID,
			"%.*s is gone: main process %.*s was in an outer pid namespace, "
			"and %.*s",
			SPAN_ARGS(its), SPAN_ARGS(q->of.pid), SPAN_ARGS(text_of(q, &why)));
	return set_undecided(q, PROCESS_LINK_PID,
		"%.*s: main process %.*s is in an outer pid namespace, which is invisible "
		"here",
		SPAN_ARGS(its), SPAN_ARGS(q->of.pid));
}

static struct owner owner_by_pid(struct owner_search *q)
{
	const struct sooth_text session = session_words(q);
	struct span its = text_of(q, &session), marker = q->of.pid;
	struct process_entry *holder;
	uint64_t pid = 0;

	if (is_from_outside(q))
		return owner_by_outer_pid(q);
	span_decimal(marker, &pid);
	holder = holder_of(q, pid);
	if (holder && process_table_is_ended(holder) && process_table_is_older(holder, q->p))
		return gone_owner(q, PROCESS_LINK_PID, "%.*s is gone: main process %.*s has ended",
			SPAN_ARGS(its), SPAN_ARGS(marker));
	if (holder && process_table_is_older(holder, q->p)) {
		if (holder->agent == q->agent)
			return found_owner(
				q, holder->main ? holder->main : holder, PROCESS_LINK_PID);
		return set_undecided(q, PROCESS_LINK_PID,
			"%.*s: the main process had PID %.*s; the process with this PID "
			"now is not recognized as %s",
			SPAN_ARGS(its), SPAN_ARGS(marker), q->agent->title);
	}
	if (process_table_namespace(q->p) == PROCESS_TABLE_UNREPORTED)
		return set_undecided(q, PROCESS_LINK_PID,
			"%.*s: main process %.*s is in an unknown pid namespace", SPAN_ARGS(its),
			SPAN_ARGS(marker));
	if (holder)
		return gone_owner(q, PROCESS_LINK_PID,
			"%.*s is gone: main process %.*s has ended and its pid was reused",
			SPAN_ARGS(its), SPAN_ARGS(marker));
	holder = process_table_by_pid(q->s, pid);
	if (holder && holder->agent == q->agent && process_table_is_older(holder, q->p))
		return set_undecided(q, PROCESS_LINK_PID,
			"%.*s: the main process could be PID %.*s of another pid namespace",
			SPAN_ARGS(its), SPAN_ARGS(marker));
	if (!are_all_seen(q))
		return set_undecided(q, PROCESS_LINK_PID,
			"%.*s: main process %.*s was not seen, but %s", SPAN_ARGS(its),
			SPAN_ARGS(marker), why_not_all_seen(q));
	return gone_owner(q, PROCESS_LINK_PID, "%.*s is gone: main process %.*s is not running",
		SPAN_ARGS(its), SPAN_ARGS(marker));
}

/* --- by session --- */

/* Returns whether P is an MCP server without a writer at its input: it lives by its input, wherever
 * its main process is. Descendants of a tool call do not. */
static bool is_cut_off(const struct owner_search *q)
{
	const struct proc_ties *t = q->p->links;

	return q->of.sessions && !q->of.is_tool && !q->of.pid.size &&
	       process_table_is_piped(q->p) && process_table_state_is_value(t->writer_state) &&
	       !t->has_writer;
}

/* Reports that a main process could have started this one. */
static struct owner set_possible_main(
	struct owner_search *q, enum process_link link, const struct process_entry *main)
{
	unsigned long long pid = main->id.pid;

	if (!q->of.sessions)
		return set_undecided(q, link,
			"the agent of this process is gone, but agent %llu could have started the "
			"process",
			pid);
	return set_undecided(q, link,
		"no agent has session %.*s, but agent %llu could have started this process",
		SPAN_ARGS(q->of.session[0]), pid);
}

static struct owner owner_without_main(struct owner_search *q, enum process_link link)
{
	const struct sooth_text session = session_words(q);
	struct sooth_text why;
	struct process_entry *may = possible_main(q, &why);
	struct span its = text_of(q, &session); /* adding text may have moved the earlier text */

	if ((may || !are_all_seen(q)) && is_cut_off(q))
		return gone_owner(q, link,
			"%.*s is gone: the session has no main process here, and no other "
			"process can write to this server's input",
			SPAN_ARGS(its));
	if (may)
		return set_possible_main(q, link, may);
	/* A fork's variable says less than the session of the original beside it. */
	if (q->agent->fork_of && link == PROCESS_LINK_KIND)
		return set_undecided(q, link,
			"%.*s: no main process was seen, but its variables may be "
			"inherited",
			SPAN_ARGS(its));
	if (!are_all_seen(q))
		return set_undecided(q, link, "%.*s: no main process was seen, but %s",
			SPAN_ARGS(its), why_not_all_seen(q));
	return gone_owner(
		q, link, "%.*s is gone: %.*s", SPAN_ARGS(its), SPAN_ARGS(text_of(q, &why)));
}

/* Returns whether another process took over the session: its PID differs from the marker. */
static bool is_other_process(const struct owner_search *q, const struct process_entry *main)
{
	uint64_t space = process_table_namespace(q->p), pid = 0;

	return q->of.pid.size && span_decimal(q->of.pid, &pid) &&
	       space != PROCESS_TABLE_UNREPORTED && space == process_table_namespace(main) &&
	       main->links->inner_pid != pid && !is_from_outside(q);
}

static struct owner owner_by_session(struct owner_search *q)
{
	struct process_entry *ended = NULL;

	for (size_t i = 0; i < q->of.sessions; i++) {
		struct process_entry *main =
			process_table_by_session(q->s, q->agent, q->of.session[i]);

		if (!main || main == q->p || !process_table_is_older(main, q->p) ||
			!process_table_is_of_user(main, q->p))
			continue;
		if (is_other_process(q, main))
			continue;
		if (process_table_is_living(main))
			return found_owner(q, main, PROCESS_LINK_SESSION);
		ended = main;
	}
	if (q->of.pid.size)
		return owner_by_pid(q);
	if (ended)
		return gone_owner(q, PROCESS_LINK_SESSION,
			"session %.*s is gone: main process %u was seen to end",
			SPAN_ARGS(q->of.session[0]), ended->id.pid);
	return owner_without_main(q, PROCESS_LINK_SESSION);
}

/* --- by other traces of the agent --- */

/* Reads the session from the path of a tool call's output, if the environment names none. */
static void find_output(struct owner_search *q)
{
	const struct agent_path any = { .is_any_directory = true };
	const struct proc_ties *t = q->p->links;
	const char *pattern = q->agent->output_file;

	for (int i = 1; pattern && i < 3 && !q->of.sessions; i++) {
		struct span id = span_of("", 0),
			    path = process_table_field(&t->record, &t->stream_path[i]);

		if (t->stream_state[i] || t->stream[i] != PROC_STREAM_FILE ||
			!agent_path_ends(span_of_string(pattern), path, &any, &id) || !id.size)
			continue;
		q->of.session[0] = id;
		q->of.sessions = 1;
	}
}

/* Returns the main process that leads P's process group: a group keeps its leader's PID. */
static struct process_entry *leading_main(const struct owner_search *q)
{
	struct process_entry *leader = process_table_by_pid(q->s, q->p->process->process_group);

	if (!leader || leader == q->p || !process_table_is_older(leader, q->p) ||
		leader->agent != q->agent || !leader->main ||
		!process_table_is_living(leader->main))
		return NULL;
	return leader->main;
}

static struct owner owner_by_kind(struct owner_search *q)
{
	struct process_entry *main = leading_main(q);

	return main ? found_owner(q, main, PROCESS_LINK_GROUP)
		    : owner_without_main(q, PROCESS_LINK_KIND);
}

static struct owner owner_by_any_trace(struct owner_search *q)
{
	if (!q->of.sessions && !q->of.pid.size)
		find_output(q);
	if (q->of.sessions)
		q->owner.session_id = process_table_put(q->s->process_table, q->of.session[0]);
	if (q->of.sessions)
		return owner_by_session(q);
	return q->of.pid.size ? owner_by_pid(q) : owner_by_kind(q);
}

static struct owner owner_gone_by_shell(struct owner_search *q, enum process_link link)
{
	const struct sooth_text session = session_words(q);
	struct span its = text_of(q, &session);

	q->owner.doubt = (struct sooth_text){ 0 };
	return gone_owner(q, link,
		"%.*s is gone: the main process itself started this shell, and has ended",
		SPAN_ARGS(its));
}

static struct owner search_owner(struct owner_search *q)
{
	const struct process_entry *below;
	struct owner owner;
	struct origin o;

	q->owner.agent = q->agent;
	owner = owner_by_any_trace(q);
	if (owner.main)
		return owner;
	o = origin_of(q);
	if (origin_is_left_shell(&o))
		return owner.is_gone ? owner : owner_gone_by_shell(q, owner.link);
	below = owner.is_gone ? origin_below(&o) : NULL;
	if (!below)
		return owner;
	q->owner = owner;
	q->owner.is_gone = false;
	return set_undecided(q, owner.link,
		"its %s session is gone, but agent %u, started in it, could have "
		"started this process",
		q->agent->title, below->id.pid);
}

/* --- the best of several --- */

static int rank_owner(const struct owner *o)
{
	return !o->agent ? 0 : o->main ? 3 : o->is_gone ? 2 : 1;
}

/* Compares owners by evidence: an id is better than a PID, a PID better than the agent's name. */
static bool is_better(const struct owner *a, const struct owner *b)
{
	if (rank_owner(a) != rank_owner(b))
		return rank_owner(a) > rank_owner(b);
	if (a->main && b->main)
		return a->main->id.start_ticks > b->main->id.start_ticks;
	return a->link < b->link;
}

/* Returns whether the markers are those of a fork of the agent, which sets the agent's too. */
static bool is_of_fork(
	const struct resolving *s, const struct markers *markers, const struct agent *agent)
{
	const struct agent *other;
	size_t position = 0;

	while ((other = process_table_agent_next(s->process_table, &position))) {
		if (other->fork_of && !strcmp(other->fork_of, agent->name) &&
			markers_of_agent(markers, other).is_any)
			return true;
	}
	return false;
}

struct owner owner_by_markers(struct resolving *s, const struct process_entry *p,
	const struct markers *markers, enum owner_by by)
{
	struct owner best = { 0 };
	const struct agent *agent;
	size_t position = 0;

	while (markers->count && (agent = process_table_agent_next(s->process_table, &position))) {
		struct owner_search q = { s, p, agent, markers_of_agent(markers, agent), { 0 } };
		struct owner owner;

		if (!q.of.is_any || (!q.of.sessions && !q.of.pid.size &&
					    (by == OWNER_NAMED || is_of_fork(s, markers, agent))))
			continue;
		owner = search_owner(&q);
		if (is_better(&owner, &best))
			best = owner;
	}
	return best;
}

bool owner_by_input(const struct resolving *s, const struct process_entry *p, struct owner *owner)
{
	struct span writers = span_of("", 0);

	if (process_table_is_fed(p) && p->links->has_writer &&
		process_table_state_is_value(p->links->writers_state))
		writers = process_table_field(&p->links->record, &p->links->writers);
	for (size_t i = 0; i + sizeof(uint32_t) <= writers.size; i += sizeof(uint32_t)) {
		struct process_entry *writer;
		uint32_t pid;

		memcpy(&pid, writers.data + i, sizeof(pid));
		writer = process_table_by_pid(s, pid);
		if (!writer || writer == p || process_table_is_ended(writer) ||
			!process_table_is_head(writer) || !writer->main)
			continue;
		*owner = (struct owner){
			.agent = writer->agent, .main = writer->main, .link = PROCESS_LINK_INPUT
		};
		return true;
	}
	return false;
}
