/* SPDX-License-Identifier: BSD-2-Clause */
/* lock-kept: the process has a lock that others wait for, and does nothing. held-up and
 * lock-refused report the processes that wait. A process that works while it has the lock will
 * release it, and a server on duty keeps its standby waiting on purpose. */
#include "analyze/diagnosis/check_waits.h"
#include "analyze/evidence/peer_process.h"
#include "analyze/evidence/stack_waits.h"
#include "base/sentence_units.h"
#include "analyze/waits/wait_text.h"

NUMBER(CROWD_LEAST, 3, NONE, "waiters: so many do not wait for their turn");

static const struct finding_option options[] = {
	TIME_THRESHOLD("min-time", 5e9, 1e8, 86400e9,
		"minimum time that another process has waited, and that this one does nothing"),
	TIME_THRESHOLD("grave-time", 60e9, 1e8, 86400e9,
		"time of waiting from which the severity is that of the finding; below: low, if "
		"few wait"),
};

static const struct waits_wanted *longest_in(const struct snapshot *s)
{
	const struct waits_wanted *longest = NULL;

	snapshot_each (struct waits_wanted, w, s, WAITS_WANTED) {
		if (!longest || w->longest_ns > longest->longest_ns)
			longest = w;
	}
	return longest;
}

/* Returns the lock with the longest wait at the last snapshot, else one of the first snapshot that
 * others try to get again and again; NULL: none. */
static const struct waits_wanted *find_wanted(
	const struct diagnosis_input *input, const struct process_id *id)
{
	const struct waits_wanted *last = longest_in(snapshots_get(&input->waits.last, id));
	const struct waits_wanted *first =
		last ? NULL : longest_in(snapshots_get(&input->waits.first, id));

	/* A process that polls for the lock is not asleep in each sample. */
	return first && first->is_polled ? first : last;
}

/* Returns whether others waited for the same lock at the first snapshot too, or try to get it again
 * and again. */
static bool is_lasting(const struct check *e, const struct waits_wanted *last)
{
	if (last->is_polled)
		return true;
	snapshot_each (struct waits_wanted, w, check_first(e, &e->input->waits), WAITS_WANTED) {
		if (w->session_pid == last->session_pid && w->is_polled == last->is_polled &&
			!span_compare(record_text(&w->record, &w->detail),
				record_text(&last->record, &last->detail)))
			return true;
	}
	return false;
}

static bool is_on_duty(const struct wait_chain *chain, const struct waits_wanted *w)
{
	const struct wait_link *first = &chain->links[0];

	return w->source == WAITS_SOURCE_LOCKS && !w->is_polled && first->is_idle &&
	       !check_awaits_answer(first);
}

/* Returns how long other processes have waited while this one did nothing; 0: it works. */
static uint64_t kept_ns(
	const struct wait_graph *g, const struct wait_chain *chain, const struct waits_wanted *w)
{
	uint64_t rested, waited = w->longest_state ? UINT64_MAX : w->longest_ns;

	if (w->session_pid)
		return w->longest_state ? 0 : w->longest_ns;
	if (is_on_duty(chain, w) || stopped_process_text(&chain->links[0]))
		return 0;
	for (size_t i = 0; i < chain->count; i++) {
		if (w->source == WAITS_SOURCE_TITLE && i)
			break;
		rested = check_rested_ns(g, chain->links[i].process->node_pid);
		if (rested < waited)
			waited = rested;
	}
	return waited == UINT64_MAX ? 0 : waited;
}

enum lock { LOCK_FILE, LOCK_OWN, LOCK_SESSION, LOCK_ADVISORY, LOCK_SESSION_ADVISORY };

#define COMMIT                                                                                     \
	"commit or roll back in the program; SELECT pg_terminate_backend({session}) ends the "     \
	"session; idle_in_transaction_session_timeout ends such sessions by itself"
#define UNLOCK                                                                                     \
	"SELECT * FROM pg_locks WHERE locktype = 'advisory' shows it; pg_advisory_unlock in that " \
	"session releases it, SELECT pg_terminate_backend({session}) ends the session"
#define UNSEEN "since when it has the lock, and whether it keeps it on purpose"

static const struct claim_row rows[] = {
	[LOCK_FILE] = { "keeps {path} locked: {waiters}; meanwhile it {does}{, in |place}", UNSEEN,
		"release the lock before a long wait; sooth why {pid} shows what it waits for; its "
		"end releases the lock" },
	[LOCK_OWN] = { "its transaction is open and idle: {client} does not commit it, and "
		       "{perhaps} has a lock: {waiters}{, in |place}",
		UNSEEN, COMMIT },
	[LOCK_SESSION] = { "its database session postgres ({session}) is idle in a transaction "
			   "that is not committed, and {perhaps} has a lock: {waiters}{, in "
			   "|place}",
		UNSEEN, COMMIT },
	[LOCK_ADVISORY] = { "this database session is idle, without a transaction, and {perhaps} "
			    "has an advisory lock: {waiters}{, in |place}",
		UNSEEN, UNLOCK },
	[LOCK_SESSION_ADVISORY] = { "its database session postgres ({session}) is idle, without a "
				    "transaction, and {perhaps} has an advisory lock: {waiters}{, "
				    "in |place}",
		UNSEEN, UNLOCK },
};

static enum lock lock_of(const struct waits_wanted *w)
{
	if (w->source != WAITS_SOURCE_TITLE)
		return LOCK_FILE;
	if (record_text(&w->record, &w->detail).size)
		return w->session_pid ? LOCK_SESSION_ADVISORY : LOCK_ADVISORY;
	return w->session_pid ? LOCK_SESSION : LOCK_OWN;
}

/* Returns the program that this database session serves; NULL: it is not on this host. */
static const struct waits_peer *client_of(const struct check *e)
{
	unsigned connections;

	return peer_process_most(e->input, &e->id, &connections);
}

/* Returns whether the client of this session has the finding: only it can commit. */
static bool is_reported_for_client(const struct check *e)
{
	const struct waits_peer *p = client_of(e);
	struct process_id id = { .start_ticks = p ? p->peer_start_ticks : 0,
		.pid = p ? p->peer_pid : 0 };

	snapshot_each (
		struct waits_wanted, w, snapshots_get(&e->input->waits.last, &id), WAITS_WANTED) {
		if (p && w->session_pid == e->id.pid)
			return true;
	}
	return false;
}

static void put_client(struct buffer *out, const struct check *e)
{
	const struct waits_peer *p = client_of(e);

	buffer_string(out, p ? "its client " : "the client");
	if (p)
		peer_process_put(out, p);
}

/* Appends "2 processes wait for it, psql (4711) for 45 s". */
static void put_waiters(struct buffer *out, const struct waits_wanted *w)
{
	const char *what = w->source == WAITS_SOURCE_TITLE ? "database session" : "process";
	const char *plural = w->source == WAITS_SOURCE_TITLE ? "s" : "es";

	buffer_format(out, "%u %s%s %s", w->waiters, what, w->waiters == 1 ? "" : plural,
		w->is_polled	  ? w->waiters == 1 ? "tries" : "try"
		: w->waiters == 1 ? "waits"
				  : "wait");
	buffer_string(out, w->is_polled ? " again and again to get it" : " for it");
	if (!w->waiter_pid)
		return;
	buffer_format(out, ", %s%.*s (%u)",
		w->waiters > 1 && !w->longest_state ? "the longest, " : "",
		SPAN_ARGS(record_text(&w->record, &w->waiter_name)), w->waiter_pid);
	if (!w->longest_state)
		buffer_format(out, ", for %s", SENTENCE_DURATION(w->longest_ns));
}

/* Appends what the last process of the chain waits for: "; psql (4711) waits for input". */
static void put_end(struct buffer *out, const struct wait_graph *g, const struct wait_chain *chain)
{
	const struct wait_link *end = &chain->links[chain->count - 1];

	if (chain->count < 2 || chain->is_deadlock || end->is_idle || end->what == WAIT_UNKNOWN)
		return;
	buffer_string(out, "; ");
	wait_put_process(out, end->process);
	buffer_string(out, " ");
	wait_sentence(out, g, end);
}

static void report_lock(const struct check *e, struct check_result *out, const struct wait_graph *g,
	const struct wait_chain *chain, const struct waits_wanted *w, uint64_t ns)
{
	struct buffer *does;

	finding_begin(out,
		w->confidence == WAITS_HIGH && w->is_polled ? FINDING_CONFIDENCE_MEDIUM
							    : check_confidence(w->confidence),
		"");
	finding_low_if(out, w->waiters < CROWD_LEAST && (double)ns < check_option(e, "grave-time"));
	finding_time(out, "others wait, and it does nothing, for at least", ns);
	check_chain_evidence(out, g, chain);
	finding_value_span(out, "path", record_text(&w->record, &w->detail));
	finding_value_text(
		out, "perhaps", "%s", w->confidence == WAITS_LOW ? "perhaps" : "probably");
	finding_value_text(out, "session", "%u", w->session_pid ? w->session_pid : e->id.pid);
	put_waiters(finding_value(out, "waiters"), w);
	put_client(finding_value(out, "client"), e);
	does = finding_value(out, "does");
	wait_link_text(does, g, &chain->links[0]);
	put_end(does, g, chain);
	if (chain->is_deadlock && wait_chain_confidence(chain) > WAITS_LOW)
		buffer_string(does, ": a deadlock");
	stack_wait_put_own(finding_value(out, "place"), e->input, e->process, e->id.pid);
	finding_claim_row(out, &rows[lock_of(w)]);
}

static void diagnose(const struct check *e, struct check_result *out)
{
	const struct waits_wanted *w = find_wanted(e->input, &e->id);
	struct wait_chain chain;
	struct wait_graph g;
	uint64_t ns;

	if (!check_chain_begin(e, out, &g, &chain))
		return;
	ns = w && is_lasting(e, w) ? kept_ns(&g, &chain, w) : 0;
	if (!w && check_is_hidden(&chain))
		check_blind(out, SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION));
	else if (!ns)
		check_fine(out, "it has no lock that others wait for while it does nothing");
	else if (lock_of(w) == LOCK_OWN && is_reported_for_client(e))
		check_fine(
			out, "reported for %u, the client of this session", client_of(e)->peer_pid);
	else if (check_is_long(e, out, "min-time", ns, "others wait for its lock"))
		report_lock(e, out, &g, &chain, w, ns);
}

const struct finding_detector finding_lock_kept = { diagnose, FINDING_OPTIONS(options) };
