/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stream-stalled: a connection that the process opened makes no progress: the peer has to act, or
 * the process does not take its turn. The kernel's socket state shows which end
 * (analyze/sockets/stream_state.h): the answer is late, the peer does not read, the path is dead,
 * or the process does not read. An idle connection is none of these: pools keep many.
 *
 * The connection alone cannot show whether an answer stopped in the middle or is complete. Silence
 * is reported, with low confidence, only when the agent reports that it is busy, is headless by its
 * arguments, or its input is closed, and it runs no tool; and of any process when a thread waits
 * for data on that connection alone (analyze/evidence/awaited.h).
 *
 * Not seen: which requests inside TLS expect an answer; QUIC; a peer gone without data in flight.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/activity/activity.h"
#include "analyze/evidence/agent_work.h"
#include "analyze/evidence/awaited.h"
#include "analyze/diagnosis/check.h"
#include "analyze/evidence/datagram_wait.h"
#include "base/sentence_units.h"
#include "analyze/sockets/socket_sums.h"
#include "analyze/sockets/socket_text.h"
#include "analyze/sockets/stream_state.h"
#include "base/cleanup.h"
#include "base/map.h"
#include "explain/finding.h"

#define SOCKETS_MAX 65536
#define SHOWN_MAX   4
#define MODEL	    "model" /* the silent peer, over several connections */

NUMBER(BUSY_PERCENT, 50, PERCENT, "of a CPU: the process computes, and waits for no peer");

static const struct finding_option options[] = {
	THRESHOLD("silence", 30e9, 1e8, 86400e9,
		"minimum time a connection waits for an answer from its peer",
		.unit = SOOTH_UNIT_NS),
	THRESHOLD("unread", 10e9, 1e8, 86400e9,
		"minimum time that a received answer stays unread by the process",
		.unit = SOOTH_UNIT_NS),
	THRESHOLD(
		"min-retransmits", 5, 1, 255, "minimum number of retransmissions of the same data"),
	THRESHOLD("gap", 0.1e9, 0, 60e9,
		"minimum pause in sending after which new data counts as a new request",
		.unit = SOOTH_UNIT_NS),
	THRESHOLD("lookup", 2e9, 1e8, 86400e9,
		"minimum time a name lookup waits for its name server", .unit = SOOTH_UNIT_NS),
};

struct stream {
	const struct sockets_socket *socket; /* its socket at the last sample */
	struct stream_state state;
	struct awaited awaited;
	struct span label;
	bool is_api;	   /* the label of the peer names an API */
	uint32_t attempts; /* attempts to make the waiting request; 0: unknown */
	bool is_by_log;	   /* only the log knows the connections of earlier attempts */
	char what[32];
};

/* The process and all its connections. */
struct talker {
	struct agent_work work;
	struct activity activity; /* activity of the session's main process, also for its daemon */
	bool is_listening;
	unsigned made, unknown, flowing; /* connections */
	unsigned uncertain; /* idle, or with a request that followed the last data at once */
	uint8_t unknown_state;
	unsigned at_rest;
	uint64_t longest_ns;   /* the longest silence of a connection at rest */
	uint64_t awaited_ns;   /* the longest silence for which a thread waits, if short */
	struct stream rests;   /* the connection used last; socket NULL: none */
	struct buffer streams; /* struct stream: the stalled ones */
};

/* --- its connections --- */

/* Returns whether the other end is a process of an agent too: the protocol between agents is
 * unknown. */
static bool is_among_agents(const struct check *e, const struct sockets_socket *s)
{
	snapshots_for_each (&e->input->sockets.last, snapshot) {
		const struct process_entry *p =
			process_table_get(&e->input->host.process_table, &snapshot->id);
		struct batch records = snapshot_records(snapshot);

		if (!p || (!p->agent && !p->owner_agent))
			continue;
		batch_for_each (r, &records) {
			const struct sockets_socket *o =
				record_as(r, SOCKETS_SOCKET, SOCKETS_SOCKET_LEAST);

			if (o && socket_is_inet(o) && o->local_port == s->peer_port &&
				o->peer_port == s->local_port && o->namespace == s->namespace)
				return true;
		}
	}
	return false;
}

/* Returns whether the request was repeated, and no attempt got an answer. */
static bool is_unanswered(const struct activity *a)
{
	return a->state == ACTIVITY_ASKS_AGAIN && a->answer == ACTIVITY_ANSWER_SILENT;
}

/* Returns whether a thread waits for data on this connection, and for nothing else. */
static bool is_awaited(const struct stream *s)
{
	return s->awaited.is_blocked || s->awaited.is_polled;
}

/* Returns whether data is expected on the connection; other connections at rest belong to pools. */
static bool is_expected(const struct stream *s)
{
	return s->state.turn != STREAM_QUIET || is_awaited(s);
}

static const char *option_of(enum stream_turn turn)
{
	return turn == STREAM_UNREAD ? "unread" : "silence";
}

static void take_stream(const struct check *e, struct talker *t, struct stream *s)
{
	bool is_over = check_is_over(e, option_of(s->state.turn), (double)s->state.for_ns, s->what);

	t->made++;
	if (is_among_agents(e, s->socket))
		return;
	if (s->state.turn == STREAM_UNKNOWN) {
		t->unknown++;
		t->unknown_state = s->socket->sent_state;
	} else if (s->state.turn == STREAM_LOST || (is_expected(s) && is_over)) {
		buffer_append(&t->streams, s, sizeof(*s));
	} else if (!is_over) {
		t->flowing++;
		if (is_awaited(s) && s->state.for_ns > t->awaited_ns)
			t->awaited_ns = s->state.for_ns;
	} else if (!t->rests.socket || s->state.for_ns < t->rests.state.for_ns) {
		t->rests = *s;
	}
	if (s->state.turn != STREAM_QUIET)
		return;
	t->at_rest++;
	t->uncertain += is_over && s->state.may_be_request;
	if (s->state.for_ns > t->longest_ns)
		t->longest_ns = s->state.for_ns;
}

/* Adds the request that waits, if calls were recorded. A client that tries again has waited since
 * its first attempt. */
static void add_request(const struct check *e, struct stream *s)
{
	uint64_t now_ns = s->socket->record.time_ns;
	struct api_wait wait;

	if ((s->state.turn != STREAM_REQUESTED && s->state.turn != STREAM_QUIET) ||
		!api_history_waits(&e->input->api, &e->id, s->socket->fd, &wait))
		return;
	s->state.turn = STREAM_REQUESTED;
	s->attempts = wait.attempts;
	if (wait.since_ns < now_ns - s->state.for_ns)
		s->state.for_ns = now_ns - wait.since_ns;
}

/* Adds earlier attempts from the agent's log, made on connections that are closed. */
static void add_attempts(const struct talker *t, struct stream *s)
{
	const struct activity *a = &t->activity;

	if (!is_unanswered(a) || a->socket_inode != s->socket->inode || s->attempts > a->attempts ||
		s->state.turn != STREAM_REQUESTED)
		return;
	s->attempts = a->attempts;
	s->is_by_log = true;
	s->state.for_ns = a->since_ns;
}

static void take_socket(const struct check *e, struct talker *t, const struct map *before,
	const struct sockets_socket *socket)
{
	struct stream_limits limits = { .gap_ns = (uint64_t)check_option(e, "gap"),
		.retransmits = (uint32_t)check_option(e, "min-retransmits") };
	const struct sockets_socket *const *first = map_get(before, &socket->inode);
	struct stream s = { .socket = socket };
	enum peer_label_strength strength;

	if (stream_state_of(NULL, socket, &limits).turn == STREAM_NONE)
		return;
	s.awaited = awaited_of(e, socket->fd);
	limits.is_awaited = is_awaited(&s);
	s.state = stream_state_of(first ? *first : NULL, socket, &limits);
	add_request(e, &s);
	add_attempts(t, &s);
	s.label = socket_sums_label(&e->input->labels, socket, &strength);
	s.is_api = strength >= PEER_LABEL_SERVICE && span_ends(s.label, " API");
	if (s.is_by_log)
		snprintf(s.what, sizeof(s.what), MODEL);
	else
		snprintf(s.what, sizeof(s.what), "socket %llu", (unsigned long long)socket->inode);
	take_stream(e, t, &s);
}

static void take_sockets(const struct check *e, struct talker *t)
{
	const struct snapshot *first = check_first(e, &e->input->sockets);
	const struct snapshot *last = check_last(e, &e->input->sockets);
	struct batch earlier = snapshot_records(first), records = snapshot_records(last);
	struct map before; /* inode -> its record at the first sample */

	map_init(&before, sizeof(uint64_t), sizeof(void *), SOCKETS_MAX);
	batch_for_each (r, &earlier) {
		const struct sockets_socket *s = record_as(r, SOCKETS_SOCKET, SOCKETS_SOCKET_LEAST);
		const struct sockets_socket **at = s ? map_put(&before, &s->inode, NULL) : NULL;

		if (at)
			*at = s;
	}
	batch_for_each (r, &records) {
		const struct sockets_socket *s = record_as(r, SOCKETS_SOCKET, SOCKETS_SOCKET_LEAST);

		if (s)
			take_socket(e, t, &before, s);
	}
	map_fini(&before);
}

/* --- severity --- */

/* Returns whether the silence is worth a finding. An idle agent may keep a request open for news;
 * no work depends on it. A finding of held-up has already named what its thread waits for. */
static bool is_worth_it(const struct check *e, const struct talker *t, const struct stream *s)
{
	bool is_silent = s->state.turn == STREAM_REQUESTED || s->state.turn == STREAM_QUIET;

	return !(is_silent &&
		 (t->work.is_idle || (is_awaited(s) && check_has_finding(e, "held-up"))));
}

/* Returns whether the user or the model waits for this very connection. */
static bool is_needed(const struct talker *t, const struct stream *s)
{
	if (s->is_api)
		return true;
	return t->work.is_agent &&
	       (s->state.turn != STREAM_REQUESTED || (!t->work.has_tool && !t->flowing));
}

static enum finding_confidence confidence_of(const struct talker *t, const struct stream *s)
{
	switch (s->state.turn) {
	case STREAM_QUIET:
		return FINDING_CONFIDENCE_LOW;
	case STREAM_REQUESTED:
		if (t->work.busy && is_needed(t, s))
			return FINDING_CONFIDENCE_HIGH;
		return is_needed(t, s) || s->awaited.is_blocked ? FINDING_CONFIDENCE_MEDIUM
								: FINDING_CONFIDENCE_LOW;
	default:
		return FINDING_CONFIDENCE_HIGH;
	}
}

/* --- the finding --- */

/* Appends the peer: "Anthropic API (160.79.104.10:443)", "python3 (4711) on 127.0.0.1:8080". */
static void put_peer(struct buffer *out, const struct stream *s)
{
	if (s->label.size)
		buffer_format(out, "%.*s (", (int)s->label.size, s->label.data);
	awaited_put_end(out, &s->awaited, s->socket);
	if (s->label.size)
		buffer_char(out, ')');
}

/* Returns whether the agent waits for its model, as its activity shows: a gateway on this host has
 * no known name. */
static bool is_of_model(const struct talker *t, const struct stream *s)
{
	return t->activity.state == ACTIVITY_WAITS_FOR_MODEL && t->activity.socket_inode &&
	       t->activity.socket_inode == s->socket->inode;
}

/* Claims "waiting for the model" only for an agent and its API; any other peer is named. */
static void claim_silence(
	struct check_result *out, const struct talker *t, const struct stream *s, const char *peer)
{
	bool is_model = t->work.is_agent && (s->is_api || is_of_model(t, s));
	bool is_quiet = s->state.turn == STREAM_QUIET && t->work.busy;
	char time[UNITS_SIZE], attempts[32] = "";

	sentence_duration(time, s->state.for_ns);
	if (s->attempts > 1)
		snprintf(attempts, sizeof(attempts), ", in %u attempts", s->attempts);
	finding_claim(out, "waiting for %s: no %s%s%s for %s%s%s%s%s",
		is_model ? "the model" : peer, s->is_by_log ? "answer" : "data",
		is_model ? " from " : "", is_model ? peer : "", time, attempts,
		is_quiet ? " (" : "", is_quiet ? t->work.busy : "",
		is_quiet ? ", no tool running)" : "");
}

static void claim(
	struct check_result *out, const struct talker *t, const struct stream *s, const char *peer)
{
	char time[UNITS_SIZE], bytes[UNITS_SIZE];

	sentence_duration(time, s->state.for_ns);
	switch (s->state.turn) {
	case STREAM_UNSENT:
		finding_claim(out, "%s accepts no data: %s waiting to be sent for %s", peer,
			sentence_size(bytes, s->socket->send_queue_bytes), time);
		break;
	case STREAM_UNREAD:
		finding_claim(out, "does not read from %s: %s unread for %s", peer,
			sentence_size(bytes, s->socket->receive_queue_bytes), time);
		break;
	case STREAM_LOST:
		finding_claim(out,
			"the connection to %s is dead: %u retransmissions, nothing acknowledged",
			peer, s->socket->retransmits_waiting);
		break;
	default:
		claim_silence(out, t, s, peer);
		break;
	}
}

/* Returns advice for the user about the request itself. */
static const char *again_of(const struct talker *t)
{
	if (!t->work.is_agent)
		return "";
	return t->work.is_headless ? "; then end the agent and start it again"
				   : "; then interrupt the request (Esc) and ask again";
}

static void emit_silence_remedy(
	struct check_result *out, const struct talker *t, const struct stream *s)
{
	const struct waits_party *peer = s->awaited.peer;

	if (peer && !t->work.is_agent)
		finding_remedy(out,
			"sooth why %u shows what the other end does instead of answering",
			peer->party_pid);
	else if (t->work.is_agent)
		finding_remedy(
			out, "check the status page of the server and your proxy%s", again_of(t));
	else
		finding_remedy(out,
			"check whether the server answers others, and any proxy between; "
			"a client with a timeout would give up by itself");
}

static void emit_remedy(const struct check *e, struct check_result *out, const struct talker *t,
	const struct stream *s)
{
	switch (s->state.turn) {
	case STREAM_UNSENT:
		finding_remedy(out, "check the server and any proxy: one of them does not read%s",
			again_of(t));
		break;
	case STREAM_UNREAD:
		finding_remedy(out,
			"sooth inspect --threads %u shows what the threads of the process do "
			"instead",
			e->id.pid);
		break;
	case STREAM_LOST:
		finding_remedy(out,
			"check network, VPN and proxy (the kernel gives up after about 15 "
			"minutes)%s",
			again_of(t));
		break;
	default:
		emit_silence_remedy(out, t, s);
		break;
	}
}

static void emit_times(struct check_result *out, const struct stream *s)
{
	if (s->state.has_sent)
		finding_number(out, "time since data was last sent", (double)s->socket->sent_ago_ns,
			SOOTH_UNIT_NS, 0);
	finding_number(out,
		s->state.has_come ? "time since data was last received"
				  : "time since the connection was opened, without any data",
		(double)s->socket->received_ago_ns, SOOTH_UNIT_NS, 0);
}

static void emit_network(struct check_result *out, const struct sockets_socket *socket)
{
	if (!socket->send_queue_bytes && !socket->receive_queue_bytes &&
		!socket->retransmits_waiting) {
		finding_text(out, "network", "fine: everything acknowledged, nothing unread");
		return;
	}
	finding_number(
		out, "unacknowledged", (double)socket->send_queue_bytes, SOOTH_UNIT_BYTES, 0);
	finding_number(out, "unread", (double)socket->receive_queue_bytes, SOOTH_UNIT_BYTES, 0);
	finding_number(out, "retransmissions", socket->retransmits_waiting, SOOTH_UNIT_NONE, 0);
}

static void emit_values(struct check_result *out, const struct stream *s)
{
	const struct sockets_socket *socket = s->socket;

	emit_times(out, s);
	if (s->attempts > 1)
		finding_number(out, "attempts", s->attempts, SOOTH_UNIT_NONE, 0);
	finding_number(
		out, "sent and acknowledged", (double)socket->sent_bytes, SOOTH_UNIT_BYTES, 0);
	finding_number(out, "received", (double)socket->received_bytes, SOOTH_UNIT_BYTES, 0);
	if (s->state.interval_ns)
		finding_number(out, "data received during the observation", (double)s->state.came,
			SOOTH_UNIT_BYTES, s->state.interval_ns);
	emit_network(out, socket);
	if (socket->rtt_state == SOOTH_STATE_VALUE)
		finding_number(out, "round trip", (double)socket->rtt_ns, SOOTH_UNIT_NS, 0);
}

static void emit_unseen(struct check_result *out, const struct talker *t, const struct stream *s)
{
	if (s->state.turn == STREAM_REQUESTED && !t->work.is_agent && !s->is_api)
		finding_unseen(out,
			"whether the server should have answered: some requests wait for "
			"events by design");
	if (s->state.turn == STREAM_REQUESTED || s->state.turn == STREAM_QUIET)
		finding_unseen(out,
			"whether the peer still answers: no data was sent that it would "
			"have to acknowledge");
	if (s->state.turn == STREAM_QUIET)
		finding_unseen(out, "whether the answer was complete%s",
			t->work.is_agent ? "; what the agent does with the answer"
					 : "; a program that waits for events looks the same");
	if (s->state.turn == STREAM_QUIET && t->work.has_server)
		finding_unseen(out, "whether the process waits for an MCP server");
}

static void report(const struct check *e, struct check_result *out, const struct talker *t,
	const struct stream *s)
{
	bool is_weak = s->state.turn == STREAM_QUIET && t->work.has_server;
	struct buffer peer = { 0 }, both = { 0 };

	put_peer(&peer, s);
	socket_put_local(&both, s->socket);
	buffer_string(&both, " > ");
	socket_put_peer(&both, s->socket);
	finding_begin(out, confidence_of(t, s), s->what);
	if (s->state.turn == STREAM_LOST && is_needed(t, s))
		finding_severity(out, FINDING_HIGH);
	else if (is_weak || (s->state.turn != STREAM_LOST && !is_needed(t, s)))
		finding_severity(out, FINDING_LOW);
	finding_connection(out, span_of((const char *)both.data, both.size));
	claim(out, t, s, buffer_cstr(&peer));
	emit_values(out, s);
	if (t->work.busy)
		finding_text(out, "agent", "%s", t->work.busy);
	finding_text(out, "descriptor", "%u", s->socket->fd);
	if (is_awaited(s))
		finding_text(out, "thread", "%u %s", s->awaited.tid,
			s->awaited.is_blocked ? "is blocked reading it"
					      : "polls this connection only");
	emit_unseen(out, t, s);
	emit_remedy(e, out, t, s);
	finding_end(out);
	buffer_fini(&peer);
	buffer_fini(&both);
}

/* Reports a request that no attempt got an answer to, between two attempts, or if its connection
 * looks like connections at rest, as with TLS. */
static void report_unanswered(
	const struct check *e, struct check_result *out, const struct talker *t)
{
	const struct activity *a = &t->activity;
	char time[UNITS_SIZE];

	if (!check_is_over(e, "silence", (double)a->since_ns, MODEL))
		return;
	finding_begin(out, FINDING_CONFIDENCE_MEDIUM, MODEL);
	finding_claim(out, "waiting for the model: no answer for %s, in %u attempts",
		sentence_duration(time, a->since_ns), a->attempts);
	finding_number(out, "attempts", a->attempts, SOOTH_UNIT_NONE, 0);
	finding_unseen(out, "whether an attempt is under way, and over which connection");
	finding_remedy(out, "check the status page of the server and your proxy%s", again_of(t));
	finding_end(out);
}

/* --- UDP --- */

static void put_words(struct check_result *out, const struct datagram_wait *w, const char *peer)
{
	char time[UNITS_SIZE];

	if (w->is_lookup) {
		finding_claim(out, "waiting for the name server %s: no answer (DNS) for %s", peer,
			sentence_duration(time, w->for_ns));
		finding_unseen(out, "which name is looked up");
		finding_remedy(out, "check the name servers in /etc/resolv.conf: this one does not "
				    "answer");
	} else {
		finding_claim(out, "waiting for %s: no datagram (UDP) for %s", peer,
			sentence_duration(time, w->for_ns));
		finding_unseen(out, "whether the process expects an answer at all");
		finding_remedy(out, "check whether the other end received the datagram: UDP sends "
				    "nothing again by itself");
	}
}

static void report_datagrams(const struct check *e, struct check_result *out)
{
	struct buffer peer = { 0 };
	struct datagram_wait w;
	char what[32];

	if (!datagram_wait_find(&w, e))
		return;
	snprintf(what, sizeof(what), "socket %llu", (unsigned long long)w.socket->inode);
	if (!check_is_over(e, w.is_lookup ? "lookup" : "silence", (double)w.for_ns, what))
		return;
	awaited_put_peer(&peer, &w.awaited);
	if (w.has_peer)
		socket_put_peer(&peer, w.socket);
	else
		buffer_format(&peer, "UDP port %u", w.socket->local_port);
	finding_begin(out,
		w.is_lookup && w.is_whole ? FINDING_CONFIDENCE_MEDIUM : FINDING_CONFIDENCE_LOW,
		what);
	finding_descriptor(out, w.socket->fd);
	if (!w.is_lookup)
		finding_severity(out, FINDING_LOW);
	put_words(out, &w, buffer_cstr(&peer));
	finding_number(out, "wait", (double)w.for_ns, SOOTH_UNIT_NS, 0);
	finding_text(out, "descriptor", "%u", w.socket->fd);
	finding_end(out);
	buffer_fini(&peer);
}

static int by_weight(const void *a, const void *b)
{
	const struct stream *x = a, *y = b;

	if (x->is_api != y->is_api)
		return y->is_api - x->is_api;
	if (x->state.turn != y->state.turn)
		return (int)y->state.turn - (int)x->state.turn;
	return (y->state.for_ns > x->state.for_ns) - (y->state.for_ns < x->state.for_ns);
}

/* Returns whether the answer may have stopped: nothing else would keep the agent busy. */
static bool has_stopped(const struct check *e, const struct talker *t)
{
	return t->work.is_agent && t->work.busy && t->rests.socket && !t->work.has_tool &&
	       !t->flowing && !t->streams.size &&
	       process_table_cpu_percent(e->process) < BUSY_PERCENT;
}

static void emit_all(const struct check *e, struct check_result *out, struct talker *t)
{
	struct stream *all = (void *)t->streams.data;
	size_t count = t->streams.size / sizeof(*all), shown = 0;

	if (count)
		qsort(all, count, sizeof(*all), by_weight);
	for (size_t i = 0; i < count && shown < SHOWN_MAX; i++) {
		if (!is_worth_it(e, t, &all[i]))
			continue;
		report(e, out, t, &all[i]);
		shown++;
	}
	if (is_unanswered(&t->activity) && !t->activity.socket_inode)
		report_unanswered(e, out, t);
	else if (has_stopped(e, t))
		report(e, out, t, &t->rests);
}

/* Reports unknown connections. Those in another network namespace need more privilege than being
 * their user. */
static void emit_unknown(struct check_result *out, uint8_t state)
{
	if (state == SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION))
		check_blind_by(out, FINDING_REFUSED, sooth_reason_text(SOOTH_REASON_PERMISSION),
			"run sooth as root or with cap_sys_admin");
	else
		check_blind(out, state);
}

static void emit_fine(const struct check *e, struct check_result *out, const struct talker *t)
{
	char time[UNITS_SIZE];

	if (t->unknown && t->unknown == t->made)
		emit_unknown(out, t->unknown_state);
	else if (!t->made)
		check_fine(out, "the process has no outgoing connections");
	else if (t->awaited_ns && !t->work.is_agent && awaited_is_short(e, out, t->awaited_ns))
		return;
	else if (t->uncertain && !t->work.is_idle && !t->is_listening)
		check_blind_by(out, FINDING_UNDECIDED,
			"a connection at rest may have an open request: it was sent right after "
			"the last data",
			"");
	else if (!t->at_rest)
		check_fine(out, "%u outgoing connection%s, %u in use", t->made,
			t->made == 1 ? "" : "s", t->flowing);
	else
		check_fine(out, "%u outgoing connection%s, %u in use, longest idle %s", t->made,
			t->made == 1 ? "" : "s", t->flowing, format_ns(time, t->longest_ns));
}

static void diagnose(const struct check *e, struct check_result *out)
{
	const struct snapshot *last = check_last(e, &e->input->sockets);
	const struct sockets_process *end = last ? snapshot_end(last, sizeof(*end)) : NULL;
	struct talker t = { 0 };

	if (!end || end->sockets_state > SOOTH_STATE_TRUNCATED) {
		check_blind(out, end ? end->sockets_state : SOOTH_NOT_MEASURED(SOOTH_REASON_ENDED));
		return;
	}
	if (check_is_stopped(e)) {
		check_fine(out, "the process is stopped: none of its threads runs");
		return;
	}
	t.is_listening = sockets_listen(last);
	agent_work_find(&t.work, e, t.is_listening);
	if (t.work.is_agent &&
		(e->process->main == e->process || process_table_is_worker(e->process)))
		activity_find(&t.activity, &e->input->host, e->process->main);
	take_sockets(e, &t);
	emit_all(e, out, &t);
	report_datagrams(e, out);
	if (!out->found && !out->muted)
		emit_fine(e, out, &t);
	buffer_fini(&t.streams);
}

const struct finding_type finding_stream_stalled = {
	.id = "stream-stalled",
	.worst = FINDING_HIGH,
	.claim = "a connection makes no progress: the answer does not come, or is not read",
	.probes = "proc,sockets",
	.follows = "frozen,all-threads-waiting,blocked-io",
	.is_of_holder = true,
	.is_of_peer = true,
	.tells_answer = true,
	FINDING_OPTIONS(options),
	.diagnose = diagnose,
};
