/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lock-kept: the process has a lock that others wait for, and does nothing: a script that sleeps
 * with a file locked, a program whose transaction stays open. held-up and lock-refused report the
 * processes that wait. A process that works while it has the lock will release it, and a server on
 * duty keeps its standby waiting on purpose.
 *
 * Cannot be seen: since when it has the lock, if that is longer than the others have waited.
 */
#include <string.h>

#include "analyze/diagnosis/check_waits.h"
#include "analyze/evidence/stack_waits.h"
#include "analyze/evidence/wanted_lock.h"
#include "analyze/waits/wait_sentences.h"
#include "analyze/waits/wait_text.h"
#include "base/cleanup.h"
#include "base/sentence_units.h"
#include "base/units.h"
#include "explain/finding.h"

static const struct finding_option options[] = {
	THRESHOLD("min-time", 5e9, 1e8, 86400e9,
		"minimum time that another process has waited, and that this one does nothing",
		.unit = SOOTH_UNIT_NS),
	THRESHOLD("grave-time", 60e9, 1e8, 86400e9,
		"time of waiting from which the severity is that of the finding; below: low",
		.unit = SOOTH_UNIT_NS),
};

static bool awaits_answer(const struct wait_link *link)
{
	return link->what == WAIT_SOCKET_READ && link->object && link->object->has_open_request;
}

/* Returns whether a standby waits for the lock of this server, which keeps it as long as it
 * serves. */
static bool is_on_duty(const struct wait_chain *chain, const struct waits_wanted *w)
{
	const struct wait_link *first = &chain->links[0];

	return w->source == WAITS_SOURCE_LOCKS && !w->is_polled && first->is_idle &&
	       !awaits_answer(first);
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

static bool is_advisory(const struct waits_wanted *w)
{
	return w->source == WAITS_SOURCE_TITLE && record_text(&w->record, &w->detail).size;
}

static void claim_session(
	struct check_result *out, const struct waits_wanted *w, const char *waiters)
{
	if (is_advisory(w) && w->session_pid)
		finding_claim(out,
			"its database session postgres (%u) is idle, without a "
			"transaction, and ",
			w->session_pid);
	else if (is_advisory(w))
		finding_claim(out, "this database session is idle, without a transaction, and ");
	else if (w->session_pid)
		finding_claim(out,
			"its database session postgres (%u) is idle in a transaction that is "
			"not committed, and ",
			w->session_pid);
	else
		finding_claim(out,
			"its transaction is open and idle: the client does not commit it, and ");
	finding_claim(out, "%s has a%s lock: %s",
		w->confidence == WAITS_LOW ? "perhaps" : "probably",
		is_advisory(w) ? "n advisory" : "", waiters);
}

static void claim(struct check_result *out, const struct wait_graph *g,
	const struct wait_chain *chain, const struct waits_wanted *w)
{
	struct span path = record_text(&w->record, &w->detail);
	struct buffer text = { 0 }, doing = { 0 };

	wanted_lock_put(&text, w);
	if (w->source == WAITS_SOURCE_TITLE) {
		claim_session(out, w, buffer_cstr(&text));
	} else {
		wait_link_text(&doing, g, &chain->links[0]);
		finding_claim(out, "keeps %.*s locked: %s; meanwhile it %s", (int)path.size,
			path.data, buffer_cstr(&text), buffer_cstr(&doing));
	}
	buffer_fini(&text);
	buffer_fini(&doing);
}

static void put_place(struct check_result *out, const struct check *e)
{
	struct buffer place = { 0 };

	if (stack_wait_put_own(&place, e->input, e->process, e->id.pid))
		finding_claim(out, ", in %s", buffer_cstr(&place));
	buffer_fini(&place);
}

static void report(const struct check *e, struct check_result *out, const struct wait_graph *g,
	const struct wait_chain *chain, const struct waits_wanted *w, uint64_t ns)
{
	finding_begin(out,
		w->confidence == WAITS_HIGH && !w->is_polled ? FINDING_CONFIDENCE_HIGH
		: w->confidence == WAITS_LOW		     ? FINDING_CONFIDENCE_LOW
							     : FINDING_CONFIDENCE_MEDIUM,
		"");
	if ((double)ns < check_option(e, "grave-time"))
		finding_severity(out, FINDING_LOW);
	claim(out, g, chain, w);
	put_place(out, e);
	finding_number(out, "others wait, and it does nothing, for at least", (double)ns,
		SOOTH_UNIT_NS, 0);
	check_chain_evidence(out, g, chain);
	finding_unseen(out, "since when it has the lock, and whether it keeps it on purpose");
	if (is_advisory(w))
		finding_remedy(out,
			"SELECT * FROM pg_locks WHERE locktype = 'advisory' shows it; "
			"pg_advisory_unlock "
			"in that session releases it, SELECT pg_terminate_backend(%u) ends the "
			"session",
			w->session_pid ? w->session_pid : e->id.pid);
	else if (w->source == WAITS_SOURCE_TITLE)
		finding_remedy(out,
			"commit or roll back in the program; SELECT pg_terminate_backend(%u) ends "
			"the "
			"session; idle_in_transaction_session_timeout ends such sessions by itself",
			w->session_pid ? w->session_pid : e->id.pid);
	else
		finding_remedy(out,
			"release the lock before a long wait; sooth why %u shows what it waits "
			"for; its "
			"end releases the lock",
			e->id.pid);
	finding_end(out);
}

static void diagnose(const struct check *e, struct check_result *out)
{
	const struct waits_wanted *w = wanted_lock_last(e->input, &e->id);
	struct wait_chain chain;
	struct wait_graph g;
	uint64_t ns;

	if (!check_first(e, &e->input->waits) || !check_chain(e, 0, &g, &chain)) {
		check_blind(out, SOOTH_NOT_MEASURED(SOOTH_REASON_ENDED));
		return;
	}
	ns = w && wanted_lock_lasts(e, w) ? kept_ns(&g, &chain, w) : 0;
	if (!w && check_is_hidden(&chain))
		check_blind(out, SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION));
	else if (!ns)
		check_fine(out, "it has no lock that others wait for while it does nothing");
	else if (check_is_over(e, "min-time", (double)ns, ""))
		report(e, out, &g, &chain, w, ns);
	else
		check_blind_by(out, FINDING_SHORT, "others wait for its lock, but not for long yet",
			CHECK_LONGER);
}

const struct finding_type finding_lock_kept = {
	.id = "lock-kept",
	.claim = "does nothing while it has a lock that other processes wait for",
	.probes = "proc,waits",
	.follows = "frozen,all-threads-waiting,deadlock,held-up",
	.needs_interval = true,
	.is_of_holder = true,
	FINDING_OPTIONS(options),
	.diagnose = diagnose,
};
