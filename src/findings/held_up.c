/* SPDX-License-Identifier: BSD-2-Clause */
/* held-up: the process waits, through its chain of waits (`sooth why`), for a process that does
 * nothing to end the wait. If a process of the chain that is nearer to the cause is diagnosed too,
 * that process gets the finding. all-threads-waiting reports a deadlock within the process. */
#include <fcntl.h>
#include "analyze/diagnosis/check_verdict.h"
#include "analyze/diagnosis/check_waits.h"
#include "analyze/evidence/scripts.h"
#include "analyze/waits/wait_ipc_text.h"
#include "analyze/waits/wait_postgres.h"
#include "analyze/waits/wait_text.h"
#include "base/cleanup.h"
#include "base/sentence_units.h"

NUMBER(WORKS_PERCENT, 1, PERCENT, "of a CPU: works, if its threads were not read");
NUMBER(COMPUTES_PERCENT, 30, PERCENT, "of a CPU: all that computing gets on a busy machine");
NUMBER(LEAST_PERCENT, 10, PERCENT, "of a CPU or less, of a thread that ran at both samples");
NUMBER(USER_SHARE, 0.8, NONE, "of its CPU time that is in user space: it computes");
NUMBER(WAITS_SHARE, 0.8, NONE, "of the samples");
NUMBER(LOOKS_LEAST, 5, NONE, "samples: fewer show no habit");
NUMBER(ANSWERS_MOST, 20, NONE,
	"waits a second, at most: an ordinary exchange of requests has more");
NUMBER(PIPELINE_TICKS, 20, NONE, "clock ticks in which processes of one pipeline start");

#define PARTIES_MOST  16 /* most processes that the probe has per descriptor */
#define STANDARD_MOST 2	 /* descriptors 0 to 2 are passed to a process on purpose */

static const struct finding_option options[] = {
	TIME_THRESHOLD("min-time", 10e9, 1e8, 86400e9, "minimum time the process waits"),
	TIME_THRESHOLD("grave-time", 60e9, 1e8, 86400e9,
		"time of waiting from which the severity is one higher: medium instead of low, "
		"high if only a person can end the wait"),
};

enum cause {
	CAUSE_NONE,
	CAUSE_STOPPED,
	CAUSE_NO_READER,
	CAUSE_NO_WRITER,
	CAUSE_LEFT,
	CAUSE_INHERITED,
	CAUSE_OWN_DEADLOCK,
	CAUSE_DEADLOCK,
	CAUSE_ITSELF,
	CAUSE_NOBODY,
	CAUSE_LOCK,
	CAUSE_LOCK_INHERITED,
	CAUSE_SESSION,
	CAUSE_UNACCEPTED,
	CAUSE_COMPUTES,
	CAUSE_BUSY,
};

static const struct claim_row rows[] = {
	[CAUSE_STOPPED] = { "{begin}: it is {state}",
		"which process stopped it, and whether on purpose", "{way out}" },
	[CAUSE_NO_READER] = { "{begin}: it opens the FIFO {object} to write, and no process has it "
			      "open to read",
		"whether a program will still open it",
		"start the program that reads the FIFO, or end this one" },
	[CAUSE_NO_WRITER] = { "{begin}: it opens the FIFO {object} to read, and no process has it "
			      "open to write",
		"whether a program will still open it",
		"start the program that writes to the FIFO, or end this one" },
	[CAUSE_LEFT] = { "waits for an output to close: its command has ended, but left {holder} "
			 "running, which still has the output open, as descriptor {left fd}",
		"when the command ended, and whether the output is still needed",
		"sooth kill --any {holder pid} ends it; what a command starts in the background "
		"needs an output of its own: > FILE 2>&1" },
	[CAUSE_INHERITED] = { "waits for the end of its input for {time}: only {holder} still has "
			      "that pipe open to write, as descriptor {fd}: it seems to have "
			      "inherited it, not to write to it",
		"whether that process will still write to it",
		"the program that starts {holder pid} has to close the pipe in it (close_fds, "
		"O_CLOEXEC); sooth kill --any {holder pid} ends the wait" },
	[CAUSE_OWN_DEADLOCK] = { "{begin}: it {does}",
		"whether a signal or a timer will end one of the waits",
		"only its end helps: sooth kill --any {end pid}" },
	[CAUSE_DEADLOCK] = { "{begin}: it {does}",
		"whether a signal or a timer will end one of the waits",
		"sooth diagnose {holder pid} shows the deadlock; only its end helps: sooth kill "
		"--any {holder pid}" },
	[CAUSE_ITSELF] = { "{begin}: it waits until no process matches \"{pattern}\", and its own "
			   "command line does: it never ends",
		"whether the process that it waits for was ever there",
		"sooth kill --tree --any {holder pid} ends it; wait for a PID (wait, tail --pid), "
		"or write the pattern so that it does not match itself: {other pattern}" },
	[CAUSE_NOBODY] = { "{begin}: it {does}", "whether a process will still end the wait",
		"{way out}" },
	[CAUSE_LOCK] = { "{begin}: it has the lock{on object} and {does}",
		"whether it sleeps on purpose while it holds the lock",
		"sooth why {end pid} shows why {end} does nothing; only the end of {holder}, or of "
		"its work, releases the lock" },
	[CAUSE_LOCK_INHERITED] = { "{begin}: it has the lock{on object}, inherited from a process "
				   "that has ended, and {does}",
		"whether it sleeps on purpose while it holds the lock",
		"sooth why {end pid} shows why {end} does nothing; only the end of {holder} "
		"releases the lock; a program that starts it has to close the descriptor (9>&-, "
		"O_CLOEXEC)" },
	[CAUSE_SESSION] = { "{begin}: it is {session} lock",
		"whether it sleeps on purpose while it holds the lock",
		"{client} could end the transaction; in the database: select "
		"pg_terminate_backend({holder pid})" },
	[CAUSE_UNACCEPTED] = { "{begin}: it has not accepted the connection{on object}",
		"whether the server takes so long by design",
		"sooth diagnose {holder pid} shows what it does instead" },
	[CAUSE_COMPUTES] = { "{begin}: it computes and does not answer",
		"whether the server takes so long by design",
		"sooth diagnose {holder pid} shows what it does instead" },
	[CAUSE_BUSY] = { "most of its time it waits for {holder}{load}",
		"whether the server takes so long by design",
		"sooth profile {holder pid} shows what it computes" },
};

struct kept_output {
	const struct process_entry *left; /* leftover of a command, with the output open */
	uint32_t fd;			  /* of the leftover */
	bool is_unsure;			  /* whether a command at work keeps it open too */
};

struct held_up {
	const struct wait_graph *g;
	const struct wait_chain *chain;
	enum cause cause;
	size_t at; /* link that waits for the cause; for a stop, the stopped one */
	uint64_t for_ns;
	struct kept_output kept; /* the output that does not close */
	struct span pattern;	 /* searched for by a script, whose own command line matches it */
};

/* --- an output whose end does not come --- */

/* Returns the process that a command left behind: this one, or the one above it that lost its
 * parent. A writer to the standard input of the process may be an earlier part of its pipeline;
 * any other pipe was made by the process itself, for its command. */
static const struct process_entry *left_by_command(
	const struct check *e, const struct process_entry *p, const struct waits_object *pipe)
{
	double later = pipe->fd ? 0 : PIPELINE_TICKS;

	if (!p || !e->process || process_table_is_below(p, e->process))
		return NULL;
	while (p && p->process && p->process->ppid != 1 && !check_has_new_parent(p) &&
		!(pipe->fd && p->parent && process_table_is_below(e->process, p->parent)))
		p = p->parent;
	return p && p->process && !process_table_is_below(e->process, p) &&
			       (double)p->id.start_ticks >=
				       (double)e->process->id.start_ticks + later
		       ? p
		       : NULL;
}

static bool are_all_seen(const struct wait_graph *g, size_t parties)
{
	return !wait_graph_ends_state(g) && parties < PARTIES_MOST;
}

static bool reads_output(const struct wait_link *link)
{
	return (link->what == WAIT_PIPE_READ || link->what == WAIT_SOCKET_READ) && !link->is_idle &&
	       link->party && wait_may_be_output(link->object);
}

/* Finds the process that was left behind with the other end. Returns false if none was, or if a
 * command at work has it too. A process that is not in the table has just started, as a command of
 * a script that was left. */
static bool find_left(struct kept_output *k, const struct check *e, const struct wait_graph *g,
	const struct wait_link *link)
{
	const struct waits_party *p = NULL;
	uint32_t tid = link->thread ? link->thread->record.tid : 0;
	size_t parties = 0;

	k->left = NULL;
	k->is_unsure = false;
	while (reads_output(link) && (p = wait_graph_party(g, link->process->node_pid, tid, p))) {
		const struct process_entry *entry = check_party_of(e, p);
		const struct process_entry *left = left_by_command(e, entry, link->object);

		if (p->waiting_fd != link->party->waiting_fd || !p->is_alive ||
			p->party_pid == link->process->node_pid)
			continue;
		parties++;
		k->is_unsure |= !entry;
		if (entry && !left) {
			k->left = NULL;
			return false;
		}
		if (left && !k->left && wait_may_be_output_of(p, link->object)) {
			k->left = left;
			k->fd = p->fd;
		}
	}
	k->is_unsure |= !are_all_seen(g, parties);
	return k->left;
}

/* Returns whether it inherited the pipe: not as a standard stream, nor by a message of a user. */
static bool has_inherited(
	const struct check *e, const struct wait_link *reader, const struct waits_party *p)
{
	const struct process_entry *reads = check_entry_of(e, reader->process),
				   *writes = check_party_of(e, p);

	return reads && writes && reads->process->uid == writes->process->uid &&
	       p->fd > STANDARD_MOST && !process_table_is_below(reads, writes) &&
	       !process_table_is_below(writes, reads);
}

/* Returns whether the link waits for the end of a pipe, its standard input, that only unrelated
 * processes have open to write, which inherited the pipe besides their own outputs. */
static bool find_inherited(struct kept_output *k, const struct check *e, const struct wait_graph *g,
	const struct wait_link *link)
{
	uint32_t tid = link->thread ? link->thread->record.tid : 0;
	size_t parties = 0;

	*k = (struct kept_output){ 0 };
	if (link->what != WAIT_PIPE_READ || link->is_idle || !link->party || !link->object ||
		link->object->fd || link->object->type != FDS_PIPE)
		return false;
	wait_parties_each (g, link->process->node_pid, tid, p) {
		if (p->waiting_fd != link->party->waiting_fd || !p->is_alive ||
			p->relation != WAITS_RELATION_WRITER)
			continue;
		if (!has_inherited(e, link, p))
			return false;
		parties++;
	}
	k->is_unsure = !are_all_seen(g, parties);
	return parties;
}

/* --- time --- */

/* Returns the time since the thread that waits last ran; 0: not known. */
static uint64_t waited_ns(const struct wait_link *link)
{
	return link->thread && !link->thread->since_state ? link->thread->since_ns : 0;
}

/* Returns the shortest wait of the links up to `at`. A wait that polls has no length of its own. */
static uint64_t shortest_ns(const struct wait_chain *chain, size_t at)
{
	uint64_t least = UINT64_MAX;

	for (size_t i = 0; i <= at; i++) {
		const struct wait_link *link = &chain->links[i];
		uint64_t ns = link->is_polling ? link->process->age_ns : waited_ns(link);

		if (ns < least)
			least = ns;
	}
	return least;
}

/* --- the holder of a lock --- */

static bool is_working_party(
	const struct check *e, const struct wait_graph *g, const struct waits_party *p)
{
	const struct process_entry *entry;

	if (wait_graph_process(g, p->party_pid))
		return !check_rested_ns(g, p->party_pid);
	entry = check_party_of(e, p);
	return entry && process_table_cpu_percent(entry) >= WORKS_PERCENT;
}

/* Returns whether another process that may have the lock, or another child that the holder waits
 * for, works. */
static bool another_works(
	const struct check *e, const struct wait_graph *g, const struct wait_link *link)
{
	if (!link->thread || !link->party)
		return false;
	wait_parties_each (g, link->process->node_pid, link->thread->record.tid, p) {
		if (p->relation == link->party->relation && p->is_alive &&
			is_working_party(e, g, p))
			return true;
	}
	return false;
}

/* Returns whether the holder is the same as at the first sample: a holder that tries again may have
 * got the lock in between. */
static bool has_same_holder(const struct check *e, const struct wait_link *link, size_t at)
{
	struct wait_graph g = wait_graph_of(check_first(e, &e->input->waits), NULL);
	struct wait_chain chain;

	wait_chain_follow(&g, e->id.pid, &chain);
	return chain.count > at && chain.links[at].party &&
	       chain.links[at].party->party_pid == link->party->party_pid;
}

/* Returns how long the holder and all processes that it waits for in turn have rested; 0: one of
 * them works. A backend that is idle in a transaction has the lock whatever its client does. */
static uint64_t holders_rested_ns(const struct check *e, const struct wait_graph *g,
	const struct wait_chain *chain, size_t at)
{
	bool is_backend = chain->links[at].what == WAIT_DATABASE_LOCK;
	uint64_t least = UINT64_MAX;

	if (another_works(e, g, &chain->links[at]))
		return 0;
	for (size_t i = at + 1; i < chain->count; i++) {
		const struct wait_link *link = &chain->links[i];
		uint64_t ns = check_rested_ns(g, link->process->node_pid);

		if (!ns || another_works(e, g, link))
			return 0;
		if (ns < least)
			least = ns;
		if (is_backend)
			break;
	}
	return least == UINT64_MAX ? 0 : least;
}

static bool has_holder(const struct wait_link *link)
{
	return (link->what == WAIT_LOCK || link->what == WAIT_LOCK_FILE ||
		       link->what == WAIT_DATABASE_LOCK) &&
	       link->party && link->party->is_alive && link->party->party_pid &&
	       link->party->party_pid != link->process->node_pid && !wait_is_of_commit(link->party);
}

static bool is_inherited(const struct wait_chain *chain, size_t at)
{
	return chain->links[at].party->source == WAITS_SOURCE_INHERITED;
}

/* Returns whether the holder is a server on duty, whose lock a standby waits for on purpose. A
 * holder that waits for an answer of a server at rest is no such server, and a holder that
 * inherited the lock did not take it. */
static bool is_on_duty(const struct wait_chain *chain, size_t at)
{
	return chain->links[at].what == WAIT_LOCK && !chain->links[at].is_polling &&
	       !is_inherited(chain, at) && chain->links[chain->count - 1].is_idle &&
	       !check_awaits_answer(&chain->links[at + 1]);
}

/* --- a FIFO, an output --- */

static bool has_no_other_end(const struct wait_link *link)
{
	return link->what == WAIT_FIFO_OPEN && !link->party && link->object;
}

static enum cause lock_cause(const struct wait_chain *chain, size_t at)
{
	if (chain->links[at].what == WAIT_DATABASE_LOCK)
		return CAUSE_SESSION;
	return is_inherited(chain, at) ? CAUSE_LOCK_INHERITED : CAUSE_LOCK;
}

/* Returns whether a session of a database has the lock, and is within a command that it asked to
 * take so long. */
static bool is_at_work(const struct wait_chain *chain, size_t at)
{
	const struct wait_link *link = &chain->links[at];

	return link->what == WAIT_DATABASE_LOCK && link->party && wait_is_of_work(link->party) &&
	       chain->links[at + 1].what == WAIT_SLEEP;
}

static void diagnose_lock_wait(struct held_up *h, const struct check *e, const struct wait_graph *g,
	const struct wait_chain *chain, size_t at)
{
	uint64_t rested;

	if (at + 1 == chain->count || is_on_duty(chain, at) || is_at_work(chain, at) ||
		stopped_process_text(&chain->links[chain->count - 1]))
		return;
	if (chain->links[at].is_polling && !has_same_holder(e, &chain->links[at], at))
		return;
	rested = holders_rested_ns(e, g, chain, at);
	h->for_ns = shortest_ns(chain, at);
	if (rested < h->for_ns)
		h->for_ns = rested;
	h->cause = rested ? lock_cause(chain, at) : CAUSE_NONE;
}

/* --- a server --- */

/* Returns whether the server computes: on a busy machine a process that always could run gets
 * little. */
static bool server_computes(const struct wait_graph *g, const struct wait_link *server)
{
	struct wait_graph first = { .records = g->before };
	const struct waits_thread *then =
		wait_graph_thread_of(&first, server->process->node_pid, server->process->node_pid);
	double cpu = wait_graph_cpu(g, server->process->node_pid);

	return cpu >= COMPUTES_PERCENT || (cpu >= LEAST_PERCENT && then && then->state == 'R');
}

/* Returns whether the main thread of the server computes, so that it serves no other client either.
 * Workers that a server forked for one client each are busy by design. */
static bool is_busy_loop(
	const struct check *e, const struct wait_graph *g, const struct wait_link *server)
{
	const struct process_entry *p = check_entry_of(e, server->process);

	return p && (server->what == WAIT_RUNS || server->what == WAIT_READY) && server->thread &&
	       server_computes(g, server) &&
	       server->thread->record.tid == server->process->node_pid &&
	       wait_graph_user_share(g, server->process->node_pid) >= USER_SHARE &&
	       (!p->parent || span_compare(check_name(p->parent), check_name(p)));
}

static enum cause cause_of_socket(const struct check *e, const struct wait_graph *g,
	const struct wait_chain *chain, size_t at)
{
	const struct waits_party *p = chain->links[at].party;

	if (!p || !p->is_alive || chain->links[at].what != WAIT_SOCKET_READ)
		return CAUSE_NONE;
	if (p->relation == WAITS_RELATION_LISTENER)
		return CAUSE_UNACCEPTED;
	return at + 2 == chain->count && is_busy_loop(e, g, &chain->links[at + 1]) ? CAUSE_COMPUTES
										   : CAUSE_NONE;
}

static bool waits_mostly(const struct check *e, const struct wait_link *link)
{
	const struct thread_history *t =
		link->thread ? check_thread(e, link->thread->record.tid) : NULL;
	double voluntary;

	if (!t || t->met < LOOKS_LEAST)
		return false;
	voluntary = thread_history_voluntary(t);
	return voluntary >= 0 && voluntary <= ANSWERS_MOST &&
	       t->waits[THREAD_WAIT_DATA] + t->waits[THREAD_WAIT_READY] >= WAITS_SHARE * t->met;
}

static bool is_of_busy(
	const struct check *e, const struct wait_graph *g, const struct wait_chain *chain)
{
	struct wait_graph first = { .records = g->before };
	struct wait_chain before;

	if (chain->count != 2 || cause_of_socket(e, g, chain, 0) != CAUSE_COMPUTES ||
		!waits_mostly(e, &chain->links[0]))
		return false;
	wait_chain_follow(&first, e->id.pid, &before);
	return before.count && before.links[0].what == WAIT_SOCKET_READ && before.links[0].party &&
	       before.links[0].party->party_pid == chain->links[0].party->party_pid;
}

/* --- the chain --- */

/* Returns whether the shell waits for its search, or for the pause until the next search: it is
 * within the loop. */
static bool is_between_searches(const struct wait_link *link)
{
	static const char *const names[] = { "sleep", "pgrep" };

	return link->what == WAIT_CHILD && link->party &&
	       SPAN_ANY(record_text(&link->party->record, &link->party->name), span_equal, names);
}

/* Returns whether a script waits until no process has a certain command line, which its own
 * matches. The age of the script bounds the time of the wait. */
static bool waits_for_itself(struct held_up *h, const struct check *e, const struct wait_link *link)
{
	const struct process_entry *p = check_entry_of(e, link->process);

	h->pattern = p && is_between_searches(link) ? self_match_pattern(p) : span_of("", 0);
	return h->pattern.size;
}

static void find_deadlock(
	struct held_up *h, const struct wait_graph *g, const struct wait_chain *chain)
{
	size_t at = 0;

	while (at < chain->circle && at < chain->count &&
		!wait_is_abandoned(g, &chain->links[at]) &&
		chain->links[at].what != WAIT_ALL_THREADS)
		at++;
	if (at == chain->count || chain->is_open || wait_chain_confidence(chain) == WAITS_LOW ||
		chain->links[at].process == chain->links[0].process)
		return;
	h->cause = CAUSE_DEADLOCK;
	h->at = at;
	h->for_ns = shortest_ns(chain, at);
}

static struct held_up find_held_up(
	const struct check *e, const struct wait_graph *g, const struct wait_chain *chain)
{
	struct held_up h = { .g = g, .chain = chain };

	if (stopped_process_text(&chain->links[0]))
		return h;
	if (chain->is_deadlock) {
		find_deadlock(&h, g, chain);
		return h;
	}
	for (h.at = 0; h.at < chain->count && !h.cause; h.at++) {
		const struct wait_link *link = &chain->links[h.at];

		if (stopped_process_text(link))
			h.cause = CAUSE_STOPPED;
		else if (has_no_other_end(link))
			h.cause = link->object->events == O_WRONLY ? CAUSE_NO_READER
								   : CAUSE_NO_WRITER;
		else if (wait_is_left_mutex(link)) /* the kernel would hand on a robust mutex */
			h.cause = h.at ? CAUSE_DEADLOCK : CAUSE_OWN_DEADLOCK;
		else if (wait_is_left_semaphore(link) || wait_is_of_prepared(link) ||
			 wait_is_of_standby(link) || wait_is_half_open(link))
			h.cause = CAUSE_NOBODY;
		else if (waits_for_itself(&h, e, link))
			h.cause = CAUSE_ITSELF;
		else if (!h.at && find_left(&h.kept, e, g, link))
			h.cause = CAUSE_LEFT;
		else if (!h.at && find_inherited(&h.kept, e, g, link))
			h.cause = CAUSE_INHERITED;
		else
			h.cause = cause_of_socket(e, g, chain, h.at);
		h.for_ns = h.kept.left ? host_state_elapsed(&e->input->host, h.kept.left) * NS_PER_S
			   : h.pattern.size ? link->process->age_ns
					    : shortest_ns(chain, h.at);
		if (!h.cause && has_holder(link))
			diagnose_lock_wait(&h, e, g, chain, h.at);
	}
	h.at -= h.cause != CAUSE_NONE;
	return h;
}

/* Finds a thread beside the one that matters that waits for an output which a command left open, or
 * for a stopped process: the main thread may wait for clients or other threads. Sets its chain. */
static struct held_up find_beside(
	const struct check *e, struct wait_graph *g, struct wait_chain *chain)
{
	const struct waits_thread *t = NULL, *first = chain->links[0].thread;

	while (first && (chain->links[0].is_idle || first->record.tid != e->id.pid) &&
		(t = wait_graph_thread(g, e->id.pid, t))) {
		struct wait_chain beside;
		struct held_up h;

		wait_chain_follow_thread(g, e->id.pid, t->record.tid, &beside);
		h = beside.count ? find_held_up(e, g, &beside) : (struct held_up){ 0 };
		if (h.cause != CAUSE_LEFT && h.cause != CAUSE_STOPPED)
			continue;
		*chain = beside;
		h.chain = chain;
		return h;
	}
	return (struct held_up){ 0 };
}

/* Returns a process of the chain that is nearer to the cause and is diagnosed too; NULL: none. */
static const struct waits_process *reported_for(const struct check *e, const struct held_up *h)
{
	size_t last = h->cause == CAUSE_UNACCEPTED ? h->at + 1 : h->at;

	for (size_t i = last; i > 0; i--) {
		const struct waits_process *p =
			i < h->chain->count ? h->chain->links[i].process : NULL;
		const struct process_entry *entry;

		if (!p || p->node_pid == e->id.pid)
			continue;
		entry = check_entry_of(e, p);
		if (entry && diagnosis_input_is_selected(e->input, entry) &&
			(snapshots_get(&e->input->waits.last, &entry->id) ||
				(e->is_one_look && e->process && entry->main &&
					entry->main == e->process->main)))
			return p;
	}
	return NULL;
}

/* --- the finding --- */

/* Appends the CPU use of the holder: ", which uses 100 % of a CPU". */
static void put_load(struct buffer *out, const struct held_up *h)
{
	const struct wait_link *server =
		h->at + 1 < h->chain->count ? &h->chain->links[h->at + 1] : NULL;
	double cpu = server ? wait_graph_cpu(h->g, server->process->node_pid) : -1;

	if (h->cause >= CAUSE_UNACCEPTED && cpu >= LEAST_PERCENT)
		buffer_format(out, ", which uses %.0f %% of a CPU", cpu);
}

/* Returns whether the link at `at` is the holder itself, not what waits for it. */
static bool is_holder(const struct held_up *h)
{
	return h->cause == CAUSE_STOPPED || h->cause == CAUSE_NO_READER ||
	       h->cause == CAUSE_NO_WRITER || h->cause == CAUSE_OWN_DEADLOCK ||
	       h->cause == CAUSE_DEADLOCK || h->cause == CAUSE_ITSELF || h->cause == CAUSE_NOBODY;
}

static void put_holder(struct buffer *out, const struct held_up *h)
{
	const struct wait_link *link = &h->chain->links[h->at];

	if (is_holder(h))
		wait_put_process(out, link->process);
	else if (h->kept.left)
		wait_put_name(out, &h->kept.left->process->record, &h->kept.left->process->name,
			h->kept.left->id.pid);
	else
		wait_put_party(out, link);
}

static uint32_t holder_pid(const struct held_up *h)
{
	const struct wait_link *link = &h->chain->links[h->at];

	if (is_holder(h))
		return link->process->node_pid;
	return h->kept.left ? h->kept.left->id.pid : link->party->party_pid;
}

/* Appends what the link does, or for a lock what the end of the chain does, which has to go on:
 * "waits for bash (7), which opens the FIFO x: no process has the other end open". */
static void put_activity(struct buffer *out, const struct held_up *h)
{
	bool is_lock = h->cause == CAUSE_LOCK || h->cause == CAUSE_LOCK_INHERITED;
	const struct wait_link *holder = &h->chain->links[h->at + is_lock];
	const struct wait_link *end = &h->chain->links[h->chain->count - 1];

	if (!is_lock) {
		wait_sentence(out, h->g, holder);
		buffer_string(out, h->chain->circle < h->chain->count ? ": a deadlock" : "");
	} else if (end->process != holder->process && end->what != WAIT_UNKNOWN) {
		buffer_string(out, "waits for ");
		wait_put_process(out, end->process);
		buffer_string(out, ", which ");
		wait_sentence(out, h->g, end);
	} else if (check_awaits_answer(holder) || holder->what == WAIT_TERMINAL_READ ||
		   has_no_other_end(holder)) {
		wait_sentence(out, h->g, holder);
	} else {
		buffer_string(out, "does nothing");
	}
}

/* Appends "held up for 12 s by bash (7)". */
static void put_begin(struct buffer *out, const struct held_up *h)
{
	const char *time = SENTENCE_DURATION(h->for_ns);

	if (h->cause == CAUSE_OWN_DEADLOCK || (h->cause == CAUSE_ITSELF && !h->at)) {
		buffer_format(out, "stuck for %s", time);
		return;
	}
	buffer_format(out, "held up for %s", time);
	if (!h->at && is_holder(h))
		return;
	buffer_string(out, " by ");
	put_holder(out, h);
	put_load(out, h);
}

static void set_values(struct check_result *out, const struct held_up *h)
{
	const struct wait_link *link = &h->chain->links[h->at];
	const struct waits_process *end = h->chain->links[h->chain->count - 1].process;
	size_t client = h->at + 2; /* the process that began a backend's transaction */
	const char *state = stopped_process_text(link);

	put_begin(finding_value(out, "begin"), h);
	put_load(finding_value(out, "load"), h);
	put_holder(finding_value(out, "holder"), h);
	finding_value_text(out, "holder pid", "%u", holder_pid(h));
	finding_value_time(out, "time", h->for_ns);
	wait_object_text(finding_value(out, "object"), link);
	wait_put_object(finding_value(out, "on object"), link, " on ");
	put_activity(finding_value(out, "does"), h);
	wait_put_process(finding_value(out, "end"), end);
	finding_value_text(out, "end pid", "%u", end->node_pid);
	wait_put_process(finding_value(out, "client"),
		client < h->chain->count ? h->chain->links[client].process : end);
	finding_value_text(out, "state", "%s", state ? state : "");
	finding_value_text(out, "session", "%s",
		!link->party		       ? ""
		: wait_is_of_work(link->party) ? "within a command and probably has the"
		: link->party->confidence == WAITS_LOW
			? "idle and perhaps has an advisory"
			: "idle in transaction and probably has the");
	wait_chain_remedy(finding_value(out, "way out"), h->chain);
	finding_value_text(out, "fd", "%u", link->party ? link->party->fd : 0);
	finding_value_text(out, "left fd", "%u", h->kept.fd);
	finding_value_span(out, "pattern", h->pattern);
	if (h->pattern.size)
		finding_value_text(out, "other pattern", "[%c]%.*s", h->pattern.data[0],
			(int)h->pattern.size - 1, h->pattern.data + 1);
}

/* Returns whether only a person can end the wait. The reader of a FIFO is not so certain: it may
 * wait for work. */
static bool is_endless(const struct held_up *h)
{
	return h->cause == CAUSE_STOPPED || h->cause == CAUSE_NO_READER ||
	       h->cause == CAUSE_OWN_DEADLOCK || h->cause == CAUSE_DEADLOCK ||
	       h->cause == CAUSE_ITSELF;
}

/* Returns the severity by the certainty of the cause and the time. A process that was left behind
 * may print all the time, so the read itself has to last. */
static enum finding_severity severity_of(
	const struct check *e, const struct held_up *h, enum waits_confidence least)
{
	double grave = check_option(e, "grave-time");
	uint64_t ns = h->cause == CAUSE_LEFT ? waited_ns(&h->chain->links[0]) : h->for_ns;
	bool is_long = (double)ns >= grave && (double)h->for_ns >= grave;

	if (is_endless(h) && least > WAITS_LOW)
		return is_long ? FINDING_HIGH : FINDING_MEDIUM;
	is_long &= h->cause != CAUSE_BUSY && h->cause != CAUSE_NO_WRITER;
	if (h->cause == CAUSE_LEFT || h->cause == CAUSE_INHERITED)
		is_long &= !h->kept.is_unsure;
	return is_long ? FINDING_MEDIUM : FINDING_LOW;
}

static void report_wait(const struct check *e, struct check_result *out, const struct held_up *h)
{
	enum waits_confidence least = WAITS_HIGH;

	for (size_t i = 0; i <= h->at; i++) {
		if (h->chain->links[i].confidence < least)
			least = h->chain->links[i].confidence;
	}
	if ((h->cause >= CAUSE_COMPUTES || h->cause == CAUSE_INHERITED) && least > WAITS_MEDIUM)
		least = WAITS_MEDIUM;
	finding_begin(out, check_confidence(least), "");
	finding_severity(out, severity_of(e, h, least));
	check_chain_evidence(out, h->g, h->chain);
	if (h->cause == CAUSE_LEFT)
		finding_time(out, "age of what was left behind", h->for_ns);
	else if (h->cause != CAUSE_BUSY)
		finding_time(out, "waiting for at least", h->for_ns);
	if (h->kept.is_unsure)
		finding_unseen(out, "whether a process that could not be read has the output too");
	set_values(out, h);
	finding_claim_row(out, &rows[h->cause]);
}

static void emit_short(const struct check *e, struct check_result *out, const struct held_up *h)
{
	_cleanup_(buffer_fini) struct buffer text = { 0 }, holder = { 0 };

	put_holder(&holder, h);
	buffer_format(&text, "it has waited for %s for only %s; the check needs %s",
		buffer_cstr(&holder), SENTENCE_DURATION(h->for_ns),
		SENTENCE_DURATION((uint64_t)check_option(e, "min-time")));
	check_blind_because(out, buffer_cstr(&text), CHECK_LONGER);
}

/* Returns whether the database session that has the lock is one of this process: lock-kept. */
static bool is_own_session(const struct check *e, const struct held_up *h)
{
	snapshot_each (struct waits_wanted, w, check_last(e, &e->input->waits), WAITS_WANTED) {
		if (h->cause == CAUSE_SESSION && w->session_pid == holder_pid(h))
			return true;
	}
	return false;
}

static void diagnose(const struct check *e, struct check_result *out)
{
	uint64_t interval = check_interval_ns(e, &e->input->waits);
	const struct waits_process *other;
	struct wait_chain chain;
	struct wait_graph g;
	struct held_up h;

	if (!check_chain_begin(e, out, &g, &chain))
		return;
	h = find_held_up(e, &g, &chain);
	if (h.cause && h.for_ns < interval && is_of_busy(e, &g, &chain))
		h = (struct held_up){
			.g = &g, .chain = &chain, .cause = CAUSE_BUSY, .for_ns = interval
		};
	if (!h.cause)
		h = find_beside(e, &g, &chain);
	if (!h.cause && check_is_hidden(&chain))
		check_blind(out, SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION));
	/* The age of a leftover ends with an earlier sample than the interval. */
	else if (!h.cause || (h.for_ns < interval && h.cause != CAUSE_LEFT))
		check_fine(out, "it waits for no process that does nothing about it");
	else if (is_own_session(e, &h))
		check_fine(out, "the session is its own: reported by lock-kept");
	else if ((other = reported_for(e, &h)))
		check_fine(out, "reported for %u, which it waits for", other->node_pid);
	else if (h.cause == CAUSE_BUSY || check_is_over(e, "min-time", (double)h.for_ns, ""))
		report_wait(e, out, &h);
	else
		emit_short(e, out, &h);
}

const struct finding_detector finding_held_up = { diagnose, FINDING_OPTIONS(options) };
