/* SPDX-License-Identifier: BSD-2-Clause */
/* shutdown-held: a server has closed its listening socket and keeps connections that it accepted
 * there: it waits until its clients end their connections. Two connections with one local port
 * belong to a server, since each connection that a process makes gets a port of its own; the
 * kernel's counts show which end opened a single connection. Some programs serve one client and
 * listen no more, so a single connection counts only if the process has a handler for SIGTERM. A
 * worker that its server has replaced may say in its title that it is about to end (nginx): other
 * workers still listen on its port. A single connection that moves data may end with a download;
 * several show connections without an end. */
#include "analyze/evidence/awaited.h"
#include "analyze/diagnosis/check_verdict.h"
#include "analyze/sockets/socket_sums.h"
#include "analyze/sockets/socket_text.h"
#include "analyze/diagnosis/check_waits.h"
#include "analyze/waits/wait_party_text.h"
#include "base/sentence_units.h"
#include "probes/signal_names.h"

static const struct finding_option options[] = {
	THRESHOLD("min-connections", 2, 2, 1e6,
		"minimum number of connections on a port that is listened to no more"),
	TIME_THRESHOLD("min-time", 4e9, 0, 86400e9, "minimum time without data on each of them"),
	TIME_THRESHOLD("min-silence", 2e9, 0, 86400e9,
		"minimum time without data from the client, if there is one connection"),
};

/* Programs that take one client and close their listening socket, and have handlers for other
 * reasons. */
static const char *const for_one[] = { "socat", "nc", "ncat", "netcat", "gdbserver", "java",
	"lldb-server", "sshd" };

struct ended {
	const struct sockets_socket *first; /* first connection on the port with most connections */
	unsigned count;
	uint64_t quiet_ns;  /* the shortest time without data */
	uint64_t silent_ns; /* the shortest time without data from the client */
	bool is_accepted;   /* the kernel's counts show that each was accepted */
};

/* Returns whether the process says in its title that it is about to end. */
static bool title_says_it_ends(const struct process_entry *p)
{
	return p && p->process && p->is_there &&
	       span_contains(process_table_field(&p->process->record, &p->process->arguments),
		       "is shutting down");
}

/* Counts the other workers of the same server that are about to end. Returns whether one that is
 * diagnosed is older: it has the finding. */
static bool count_replaced(const struct check *e, unsigned *count)
{
	const struct process_entry *own = e->process,
				   *p = own->parent ? own->parent->first_child : NULL;
	bool is_reported = false;

	for (*count = 0; p; p = p->next_sibling) {
		if (p == own || !title_says_it_ends(p))
			continue;
		++*count;
		is_reported |= p->id.start_ticks < own->id.start_ticks &&
			       diagnosis_input_is_selected(e->input, p);
	}
	return is_reported;
}

static bool may_be_kept(const struct sockets_socket *s, bool is_ending)
{
	return socket_is_inet(s) && !s->state_state &&
	       (is_ending ? s->side == SOCKETS_SIDE_ACCEPTED
			  : s->side == SOCKETS_SIDE_MADE && s->opener != SOCKETS_OPENER_SELF) &&
	       (s->state == SOCKETS_ESTABLISHED || s->state == SOCKETS_CLOSE_WAIT);
}

static bool is_on_port_of(const struct sockets_socket *s, const struct sockets_socket *other)
{
	return s->local_port == other->local_port &&
	       !span_compare(record_text(&s->record, &s->local),
		       record_text(&other->record, &other->local));
}

static uint64_t silence_of(const struct sockets_socket *s)
{
	return s->received_state > SOOTH_STATE_ABSENT ? 0 : s->received_ago_ns;
}

static uint64_t quiet_of(const struct sockets_socket *s)
{
	uint64_t sent_ns = s->sent_state > SOOTH_STATE_ABSENT ? 0 : s->sent_ago_ns;
	uint64_t received_ns = silence_of(s);

	return sent_ns < received_ns ? sent_ns : received_ns;
}

static struct ended port_of(
	const struct snapshot *last, const struct sockets_socket *of, bool is_ending)
{
	struct ended e = {
		.first = of, .quiet_ns = UINT64_MAX, .silent_ns = UINT64_MAX, .is_accepted = true
	};

	sockets_each (last, s) {
		if (!may_be_kept(s, is_ending) || !is_on_port_of(s, of))
			continue;
		e.count++;
		if (quiet_of(s) < e.quiet_ns)
			e.quiet_ns = quiet_of(s);
		if (silence_of(s) < e.silent_ns)
			e.silent_ns = silence_of(s);
		e.is_accepted &= s->opener == SOCKETS_OPENER_PEER;
	}
	return e;
}

static struct ended find_awaited(const struct check *e, bool is_ending)
{
	const struct snapshot *last = check_last(e, &e->input->sockets);
	struct ended most = { 0 };

	sockets_each (last, s) {
		struct ended of = may_be_kept(s, is_ending) ? port_of(last, s, is_ending) : most;

		if (of.count > most.count)
			most = of;
	}
	return most;
}

static void put_client(struct buffer *out, const struct check *e, const struct sockets_socket *s)
{
	struct awaited a = awaited_of(e, s->fd);

	if (a.peer)
		wait_put_name(out, &a.peer->record, &a.peer->name, a.peer->party_pid);
}

static bool serves_one(const struct check *e)
{
	struct span name = e->process ? check_name(e->process) : span_of("", 0);

	return SPAN_ANY(name, span_equal, for_one);
}

static bool handles_end(const struct check *e)
{
	const struct waits_signals *w = check_signals(e, check_last(e, &e->input->waits));

	return w && w->caught & 1u << (SIGNAL_TERMINATE - 1);
}

static bool is_held_by_one(const struct check *e, const struct ended *ended)
{
	return ended->count == 1 && ended->is_accepted &&
	       ended->silent_ns >= check_option(e, "min-silence") && handles_end(e) &&
	       !serves_one(e);
}

#define ENDS_NOW "server.closeAllConnections()); sooth kill --any {pid} ends it now"

static const struct claim_row of_one = {
	"it no longer listens on {local} and keeps one connection of a client there{, of |client}: "
	"it is probably about to end, and waits until that one closes",
	"whether it was asked to end: it has a handler for SIGTERM",
	"end that client, or let the server close its connections when it ends (node: " ENDS_NOW
};
static const struct claim_row of_several = {
	"it no longer listens on {local} and keeps {count} connections of clients there{, one of "
	"|client}: it is about to end, and waits until they close (no data for {time})",
	"whether it was asked to end",
	"end the clients, or let the server close idle connections when it ends (node: " ENDS_NOW
};

static const struct claim_row of_worker = {
	"its server has replaced it{ and |more}, and it keeps {count} on {local}{, of |client}: it "
	"ends when {they}{silence}",
	NULL,
	"end the clients, or set a time after which old workers end in any case (nginx: "
	"worker_shutdown_timeout); sooth kill --any {pid} ends it now"
};

static void set_worker(struct check_result *out, const struct ended *ended, unsigned others)
{
	bool is_one = ended->count == 1;

	if (others)
		finding_value_text(out, "more", "%u more worker%s", others, others == 1 ? "" : "s");
	finding_value_text(out, "count", "%u connection%s", ended->count,
		is_one ? " of a client" : "s of clients");
	finding_value_text(out, "they", is_one ? "that closes" : "they close");
	if (ended->quiet_ns)
		finding_value_text(
			out, "silence", " (no data for %s)", SENTENCE_DURATION(ended->quiet_ns));
}

static void report_connections(const struct check *e, struct check_result *out,
	const struct ended *ended, const struct claim_row *row, unsigned others)
{
	finding_begin(out, FINDING_CONFIDENCE_MEDIUM, "");
	socket_put_local(finding_value(out, "local"), ended->first);
	put_client(finding_value(out, "client"), e, ended->first);
	if (row == &of_worker)
		set_worker(out, ended, others);
	else
		finding_value_text(out, "count", "%u", ended->count);
	finding_value_time(out, "time", ended->quiet_ns);
	if (row == &of_one) {
		finding_severity(out, FINDING_LOW);
		finding_time(out, "time without data from the client", ended->silent_ns);
	} else {
		finding_count(out, "connections on that port", ended->count, 0);
		finding_time(out, "time without data on each", ended->quiet_ns);
	}
	finding_claim_row(out, row);
}

static void diagnose(const struct check *e, struct check_result *out)
{
	bool is_ending = title_says_it_ends(e->process);
	struct ended ended;
	unsigned others;

	if (!check_last(e, &e->input->sockets)) {
		check_blind(out, SOOTH_NOT_MEASURED(SOOTH_REASON_NOT_REQUESTED));
		return;
	}
	ended = find_awaited(e, is_ending);
	if (is_ending && count_replaced(e, &others))
		check_fine(out, "reported for an older worker that is about to end");
	else if (is_ending && ended.count &&
		 (others || check_is_over(e, "min-time", ended.quiet_ns, "")))
		report_connections(e, out, &ended, &of_worker, others);
	else if (!is_ending && is_held_by_one(e, &ended))
		report_connections(e, out, &ended, &of_one, 0);
	else if (is_ending || ended.count < check_option(e, "min-connections"))
		check_fine(out, "it serves no port that it no longer listens on");
	else if (check_is_over(e, "min-time", ended.quiet_ns, ""))
		report_connections(e, out, &ended, &of_several, 0);
	else
		check_fine(out, "its last clients are being served");
}

const struct finding_detector finding_shutdown_held = { diagnose, FINDING_OPTIONS(options) };
