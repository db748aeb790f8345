/* SPDX-License-Identifier: BSD-2-Clause */
/* stream-stalled: a connection that the process opened makes no progress. The kernel's socket state
 * shows which end has to act (analyze/sockets/stream_state.h). An idle connection is none of these:
 * pools keep many.
 *
 * The connection alone cannot show whether an answer stopped in the middle or is complete. Silence
 * is reported, with low confidence, only when the agent reports that it is busy, is headless by its
 * arguments, or its input is closed, and it runs no tool; and of any process when a thread waits
 * for data on that connection alone (analyze/evidence/awaited.h). */
#include <stdio.h>
#include <stdlib.h>

#include "analyze/activity/activity.h"
#include "analyze/evidence/work_share.h"
#include "analyze/evidence/awaited.h"
#include "base/cleanup.h"
#include "base/sentence_units.h"
#include "analyze/sockets/socket_sums.h"
#include "analyze/sockets/socket_text.h"
#include "analyze/sockets/stream_state.h"

#define SHOWN_MAX   4
#define PORT_DOMAIN 53
#define PORT_CHOSEN 32768   /* first port of the default range from which the kernel chooses */
#define MODEL	    "model" /* the silent peer, over several connections */

NUMBER(BUSY_PERCENT, 50, PERCENT, "of a CPU: the process computes, and waits for no peer");

static const struct finding_option options[] = {
	TIME_THRESHOLD("silence", 30e9, 1e8, 86400e9,
		"minimum time a connection waits for an answer from its peer"),
	UNLISTED_TIME("first", 7e9, 1e8, 86400e9,
		"minimum time that a thread waits for the first byte of a connection on which "
		"neither end has sent one"),
	UNLISTED_TIME("unread", 10e9, 1e8, 86400e9,
		"minimum time that a received answer stays unread by the process"),
	THRESHOLD(
		"min-retransmits", 5, 1, 255, "minimum number of retransmissions of the same data"),
	UNLISTED_TIME("gap", 0.1e9, 0, 60e9,
		"minimum pause in sending after which new data counts as a new request"),
	TIME_THRESHOLD("lookup", 2e9, 1e8, 86400e9,
		"minimum time a name lookup waits for its name server"),
};

struct stream {
	const struct sockets_socket *socket; /* socket of the connection at the last sample */
	struct stream_state state;
	struct awaited awaited;
	struct span label;
	bool is_api;	   /* the label of the peer names an API */
	uint32_t attempts; /* attempts to make the waiting request; 0: unknown */
	bool is_by_log;	   /* only the log knows the connections of earlier attempts */
	char what[32];
};

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

		if (!p || (!p->agent && !p->owner_agent))
			continue;
		sockets_each (snapshot, o) {
			if (socket_is_inet(o) && o->local_port == s->peer_port &&
				o->peer_port == s->local_port && o->namespace == s->namespace)
				return true;
		}
	}
	return false;
}

static bool is_unanswered(const struct activity *a)
{
	return a->state == ACTIVITY_ASKS_AGAIN && a->answer == ACTIVITY_ANSWER_SILENT;
}

/* Returns whether a thread waits for the first byte, and neither end has sent one: a server speaks
 * first in some protocols, in others the client. */
static bool is_unbegun(const struct stream *s)
{
	return (s->state.turn == STREAM_QUIET || s->state.turn == STREAM_REQUESTED) &&
	       !s->state.has_sent && !s->state.has_come && s->awaited.is_blocked;
}

static void add_stream(const struct check *e, struct talker *t, struct stream *s)
{
	bool is_over = check_is_over(e,
		s->state.turn == STREAM_UNREAD ? "unread"
		: is_unbegun(s)		       ? "first"
					       : "silence",
		s->state.for_ns, s->what);
	/* Other connections at rest belong to pools. */
	bool is_expected = s->state.turn != STREAM_QUIET || awaited_is(&s->awaited);

	t->made++;
	if (is_among_agents(e, s->socket))
		return;
	if (s->state.turn == STREAM_UNKNOWN) {
		t->unknown++;
		t->unknown_state = s->socket->sent_state;
	} else if (s->state.turn == STREAM_LOST || (is_expected && is_over)) {
		buffer_append(&t->streams, s, sizeof(*s));
	} else if (!is_over) {
		t->flowing++;
		if (awaited_is(&s->awaited) && s->state.for_ns > t->awaited_ns)
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

static void add_socket(const struct check *e, struct talker *t, const struct socket_index *before,
	const struct sockets_socket *socket)
{
	struct stream_limits limits = { .gap_ns = (uint64_t)check_option(e, "gap"),
		.retransmits = (uint32_t)check_option(e, "min-retransmits") };
	struct stream s = { .socket = socket };
	enum peer_label_strength strength;

	if (stream_state_of(NULL, socket, &limits).turn == STREAM_NONE)
		return;
	s.awaited = awaited_of(e, socket->fd);
	limits.is_awaited = awaited_is(&s.awaited);
	s.state = stream_state_of(socket_index_get(before, socket->inode), socket, &limits);
	add_request(e, &s);
	add_attempts(t, &s);
	s.label = socket_sums_label(&e->input->labels, socket, &strength);
	s.is_api = strength >= PEER_LABEL_SERVICE && span_ends(s.label, " API");
	if (s.is_by_log)
		snprintf(s.what, sizeof(s.what), MODEL);
	else
		snprintf(s.what, sizeof(s.what), "socket %llu", (unsigned long long)socket->inode);
	add_stream(e, t, &s);
}

static void read_sockets(const struct check *e, struct talker *t)
{
	_cleanup_(socket_index_fini) struct socket_index before = { 0 };

	socket_index_init(&before, check_first(e, &e->input->sockets));
	sockets_each (check_last(e, &e->input->sockets), s)
		add_socket(e, t, &before, s);
}

/* Returns whether the silence is worth a finding. An idle agent may keep a request open for news;
 * no work depends on it. A finding of held-up has already named what its thread waits for. */
static bool is_worth_it(const struct check *e, const struct talker *t, const struct stream *s)
{
	bool is_silent = s->state.turn == STREAM_REQUESTED || s->state.turn == STREAM_QUIET;

	return !(is_silent &&
		 (t->work.is_idle || (awaited_is(&s->awaited) && check_has_finding(e, "held-up"))));
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
	if (s->state.turn == STREAM_QUIET)
		return FINDING_CONFIDENCE_LOW;
	if (s->state.turn != STREAM_REQUESTED || (t->work.busy && is_needed(t, s)))
		return FINDING_CONFIDENCE_HIGH;
	return is_needed(t, s) || s->awaited.is_blocked ? FINDING_CONFIDENCE_MEDIUM
							: FINDING_CONFIDENCE_LOW;
}

/* Appends the peer: "Anthropic API (160.79.104.10:443)", "python3 (4711) on 127.0.0.1:8080". */
static void put_peer(struct buffer *out, const struct stream *s)
{
	if (s->label.size)
		buffer_format(out, "%.*s (", SPAN_ARGS(s->label));
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

/* Sets "waiting for the model: no data from Anthropic API ... for 42 s". "The model" is only said
 * of an agent and its API; any other peer is named. */
static void put_silence(
	struct buffer *out, const struct talker *t, const struct stream *s, const char *peer)
{
	const char *what = s->is_by_log ? "answer" : "data";

	if (t->work.is_agent && (s->is_api || is_of_model(t, s)))
		buffer_format(out, "waiting for the model: no %s from %s for ", what, peer);
	else
		buffer_format(out, "waiting for %s: no %s for ", peer, what);
	buffer_string(out, SENTENCE_DURATION(s->state.for_ns));
	if (s->attempts > 1)
		buffer_format(out, ", in %u attempts", s->attempts);
	if (s->state.turn == STREAM_QUIET && t->work.busy)
		buffer_format(out, " (%s, no tool running)", t->work.busy);
}

#define STATUS "check the status page of the server and your proxy{again}"

static const struct claim_row of_turn[STREAM_TURNS] = {
	[STREAM_UNSENT] = { "{peer} accepts no data: {to send} waiting to be sent for {time}", NULL,
		"check the server and any proxy: one of them does not read{again}" },
	[STREAM_UNREAD] = { "does not read from {peer}: {to read} unread for {time}", NULL,
		"sooth inspect --threads {pid} shows what the threads of the process do instead" },
	[STREAM_LOST] = { "the connection to {peer} is dead: {retransmits} retransmissions, "
			  "nothing acknowledged",
		NULL,
		"check network, VPN and proxy (the kernel gives up after about 15 "
		"minutes){again}" },
};
static const struct claim_row of_agent = { "{silence}", NULL, STATUS };
static const struct claim_row of_local_peer = { "{silence}", NULL,
	"sooth why {peer pid} shows what the other end does instead of answering" };
static const struct claim_row of_peer = { "{silence}", NULL,
	"check whether the server answers others, and any proxy between; a client with a timeout "
	"would give up by itself" };
static const struct claim_row of_attempts = {
	"waiting for the model: no answer for {time}, in {attempts} attempts",
	"whether an attempt is under way, and over which connection", STATUS
};

static const struct claim_row of_first = {
	"waiting for the first byte from {peer}: neither end has sent one for {time}",
	"which protocol each end expects",
	"compare the protocols: a client without TLS at a port that expects it waits like this, "
	"as does a server that waits for its client (openssl s_client -connect tries TLS)"
};

static const struct claim_row *claim_row_of(const struct talker *t, const struct stream *s)
{
	if (of_turn[s->state.turn].claim)
		return &of_turn[s->state.turn];
	if (t->work.is_agent)
		return &of_agent;
	if (is_unbegun(s))
		return &of_first;
	return s->awaited.peer ? &of_local_peer : &of_peer;
}

static void set_repetition(struct check_result *out, const struct talker *t)
{
	finding_value_text(out, "again", "%s",
		!t->work.is_agent     ? ""
		: t->work.is_headless ? "; then end the agent and start it again"
				      : "; then interrupt the request (Esc) and ask again");
}

static void emit_network(struct check_result *out, const struct sockets_socket *socket)
{
	if (!socket->send_queue_bytes && !socket->receive_queue_bytes &&
		!socket->retransmits_waiting) {
		finding_text(out, "network", "fine: everything acknowledged, nothing unread");
		return;
	}
	finding_bytes(out, "unacknowledged", socket->send_queue_bytes);
	finding_bytes(out, "unread", socket->receive_queue_bytes);
	finding_count(out, "retransmissions", socket->retransmits_waiting, 0);
}

static void emit_values(struct check_result *out, const struct stream *s)
{
	const struct sockets_socket *socket = s->socket;

	if (s->state.has_sent)
		finding_time(out, "time since data was last sent", s->socket->sent_ago_ns);
	finding_time(out,
		s->state.has_come ? "time since data was last received"
				  : "time since the connection was opened, without any data",
		s->socket->received_ago_ns);
	if (s->attempts > 1)
		finding_count(out, "attempts", s->attempts, 0);
	finding_bytes(out, "sent and acknowledged", socket->sent_bytes);
	finding_bytes(out, "received", socket->received_bytes);
	if (s->state.interval_ns)
		finding_number(out, "data received during the observation", (double)s->state.came,
			SOOTH_UNIT_BYTES, s->state.interval_ns);
	emit_network(out, socket);
	if (socket->rtt_state == SOOTH_STATE_VALUE)
		finding_time(out, "round trip", socket->rtt_ns);
}

static void report_stream(struct check_result *out, const struct talker *t, const struct stream *s)
{
	bool is_weak = s->state.turn == STREAM_QUIET && t->work.has_server;
	_cleanup_(buffer_fini) struct buffer both = { 0 };
	struct buffer *peer;

	socket_put_local(&both, s->socket);
	buffer_string(&both, " > ");
	socket_put_peer(&both, s->socket);
	finding_begin(out, confidence_of(t, s), s->what);
	if (s->state.turn == STREAM_LOST && is_needed(t, s))
		finding_severity(out, FINDING_HIGH);
	else if (is_weak || (s->state.turn != STREAM_LOST && !is_needed(t, s)))
		finding_severity(out, FINDING_LOW);
	finding_connection(out, span_of((const char *)both.data, both.size));
	emit_values(out, s);
	if (t->work.busy)
		finding_text(out, "agent", "%s", t->work.busy);
	finding_text(out, "descriptor", "%u", s->socket->fd);
	if (awaited_is(&s->awaited))
		finding_text(out, "thread", "%u %s", s->awaited.tid,
			s->awaited.is_blocked ? "is blocked reading it"
					      : "polls this connection only");
	if (s->state.turn == STREAM_REQUESTED && !t->work.is_agent && !s->is_api)
		finding_unseen(out, "whether the server should have answered: some requests wait "
				    "for events by design");
	if (s->state.turn == STREAM_REQUESTED || s->state.turn == STREAM_QUIET)
		finding_unseen(out, "whether the peer still answers: no data was sent that it "
				    "would have to acknowledge");
	if (s->state.turn == STREAM_QUIET && !is_unbegun(s))
		finding_unseen(out, "whether the answer was complete%s",
			t->work.is_agent ? "; what the agent does with the answer"
					 : "; a program that waits for events looks the same");
	if (s->state.turn == STREAM_QUIET && t->work.has_server)
		finding_unseen(out, "whether the process waits for an MCP server");
	peer = finding_value(out, "peer");
	put_peer(peer, s);
	put_silence(finding_value(out, "silence"), t, s, buffer_cstr(peer));
	finding_value_text(out, "to send", "%s", SENTENCE_SIZE(s->socket->send_queue_bytes));
	finding_value_text(out, "to read", "%s", SENTENCE_SIZE(s->socket->receive_queue_bytes));
	finding_value_text(out, "retransmits", "%u", s->socket->retransmits_waiting);
	finding_value_time(out, "time", s->state.for_ns);
	finding_value_text(out, "peer pid", "%u", s->awaited.peer ? s->awaited.peer->party_pid : 0);
	set_repetition(out, t);
	finding_claim_row(out, claim_row_of(t, s));
}

/* Reports a request that no attempt got an answer to, between two attempts, or if its connection
 * looks like connections at rest, as with TLS. */
static void report_unanswered(
	const struct check *e, struct check_result *out, const struct talker *t)
{
	const struct activity *a = &t->activity;

	if (!check_is_over(e, "silence", a->since_ns, MODEL))
		return;
	finding_begin(out, FINDING_CONFIDENCE_MEDIUM, MODEL);
	finding_value_time(out, "time", a->since_ns);
	finding_value_text(out, "attempts", "%u", a->attempts);
	set_repetition(out, t);
	finding_count(out, "attempts", a->attempts, 0);
	finding_claim_row(out, &of_attempts);
}

/* --- UDP --- */

/*
 * A UDP socket whose answer does not come: a name lookup, or a datagram that a thread waits for.
 * The kernel keeps no times of UDP sockets, so the time is that of the waiting thread, or that
 * between two snapshots with the same socket. A server waits the same way: a socket without a peer
 * counts only if its port is one that the kernel chose.
 */
struct datagram_wait {
	const struct sockets_socket *socket;
	bool is_lookup; /* the peer is a name server */
	bool is_whole;	/* the socket was there at the first snapshot too */
	bool has_peer;
	uint64_t for_ns; /* least time of the wait */
	struct awaited awaited;
};

static bool is_udp(const struct sockets_socket *s)
{
	return socket_is_inet(s) && span_equal(record_text(&s->record, &s->protocol), "udp");
}

/* Returns the time since the first sample with that socket; 0: only the last sample has it. */
static uint64_t present_ns(const struct socket_index *first, const struct sockets_socket *socket)
{
	const struct sockets_socket *s = socket_index_get(first, socket->inode);
	bool is_same = s && is_udp(s) && s->record.time_ns < socket->record.time_ns;

	return is_same ? socket->record.time_ns - s->record.time_ns : 0;
}

static bool find_wait(struct datagram_wait *w, const struct check *e,
	const struct socket_index *first, const struct sockets_socket *s)
{
	bool has_peer = !s->peer_port_state && !s->peer_state && s->peer_port;
	uint64_t seen = present_ns(first, s);
	bool is_thread_waiting;

	*w = (struct datagram_wait){ .socket = s,
		.has_peer = has_peer,
		.is_lookup = has_peer && s->peer_port == PORT_DOMAIN,
		.awaited = awaited_of(e, s->fd) };
	is_thread_waiting = awaited_is(&w->awaited);
	w->is_whole = seen && is_thread_waiting && !w->awaited.has_run;
	w->for_ns = is_thread_waiting ? w->awaited.for_ns : 0;
	if (w->is_lookup && w->is_whole && seen > w->for_ns)
		w->for_ns = seen;
	if (s->receive_queue_state || s->receive_queue_bytes)
		return false;
	return w->is_lookup ? is_thread_waiting
			    : is_thread_waiting && !s->port_state &&
				      (has_peer || s->local_port >= PORT_CHOSEN);
}

/* Finds the longest wait. Returns false if there is none, or if the process is a name server, which
 * asks other servers for its own clients. */
static bool find_datagrams(struct datagram_wait *w, const struct check *e)
{
	struct datagram_wait one;
	_cleanup_(socket_index_fini) struct socket_index first = { 0 };
	bool is_name_server = false;

	*w = (struct datagram_wait){ 0 };
	socket_index_init(&first, check_first(e, &e->input->sockets));
	sockets_each (check_last(e, &e->input->sockets), s) {
		if (!is_udp(s))
			continue;
		is_name_server |= !s->port_state && s->local_port == PORT_DOMAIN;
		if (find_wait(&one, e, &first, s) && (!w->socket || one.for_ns > w->for_ns))
			*w = one;
	}
	return w->socket && !is_name_server;
}

static const struct claim_row of_lookup = {
	"waiting for the name server {peer}: no answer (DNS) for {time}", "which name is looked up",
	"check the name servers in /etc/resolv.conf: this one does not answer"
};
static const struct claim_row of_datagram = { "waiting for {peer}: no datagram (UDP) for {time}",
	"whether the process expects an answer at all",
	"check whether the other end received the datagram: UDP sends nothing again by itself" };

static void report_datagrams(const struct check *e, struct check_result *out)
{
	struct datagram_wait w;
	struct buffer *peer;
	char what[32];

	if (!find_datagrams(&w, e))
		return;
	snprintf(what, sizeof(what), "socket %llu", (unsigned long long)w.socket->inode);
	if (!check_is_over(e, w.is_lookup ? "lookup" : "silence", w.for_ns, what))
		return;
	finding_begin(out, confidence_medium_if(w.is_lookup && w.is_whole), what);
	finding_descriptor(out, w.socket->fd);
	finding_low_if(out, !w.is_lookup);
	peer = finding_value(out, "peer");
	awaited_put_peer(peer, &w.awaited);
	if (w.has_peer)
		socket_put_peer(peer, w.socket);
	else
		buffer_format(peer, "UDP port %u", w.socket->local_port);
	finding_value_time(out, "time", w.for_ns);
	finding_time(out, "wait", w.for_ns);
	finding_text(out, "descriptor", "%u", w.socket->fd);
	finding_claim_row(out, w.is_lookup ? &of_lookup : &of_datagram);
}

static int compare_by_weight(const void *a, const void *b)
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

/* Returns whether the process does not read another stream from the same peer either: one line says
 * it. */
static bool is_repeated(const struct stream *all, size_t i)
{
	const struct sockets_socket *s = all[i].socket;
	struct span peer = record_text(&s->record, &s->peer);

	if (all[i].state.turn != STREAM_UNREAD || !peer.size)
		return false;
	for (size_t k = 0; k < i; k++) {
		const struct sockets_socket *other = all[k].socket;

		if (all[k].state.turn == STREAM_UNREAD && other->peer_port == s->peer_port &&
			!span_compare(record_text(&other->record, &other->peer), peer))
			return true;
	}
	return false;
}

static void emit_all(const struct check *e, struct check_result *out, struct talker *t)
{
	struct stream *all = (void *)t->streams.data;
	size_t count = t->streams.size / sizeof(*all), shown = 0;

	if (count)
		qsort(all, count, sizeof(*all), compare_by_weight);
	for (size_t i = 0; i < count && shown < SHOWN_MAX; i++) {
		if (is_repeated(all, i) || !is_worth_it(e, t, &all[i]))
			continue;
		report_stream(out, t, &all[i]);
		shown++;
	}
	if (is_unanswered(&t->activity) && !t->activity.socket_inode)
		report_unanswered(e, out, t);
	else if (has_stopped(e, t))
		report_stream(out, t, &t->rests);
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
	if (t->unknown && t->unknown == t->made)
		emit_unknown(out, t->unknown_state);
	else if (!t->made)
		check_fine(out, "the process has no outgoing connections");
	else if (t->awaited_ns && !t->work.is_agent && awaited_is_short(e, out, t->awaited_ns))
		return;
	else if (t->uncertain && !t->work.is_idle && !t->is_listening)
		check_blind_by(out, FINDING_UNDECIDED,
			"the last data sent on a quiet connection may be a request without an "
			"answer",
			"");
	else if (!t->at_rest)
		check_fine(out, "%u outgoing connection%s, %u in use", t->made,
			t->made == 1 ? "" : "s", t->flowing);
	else
		check_fine(out, "%u outgoing connection%s, %u in use, longest idle %s", t->made,
			t->made == 1 ? "" : "s", t->flowing, FORMAT_NS(t->longest_ns));
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
	read_sockets(e, &t);
	emit_all(e, out, &t);
	report_datagrams(e, out);
	if (!out->found && !out->muted)
		emit_fine(e, out, &t);
	buffer_fini(&t.streams);
}

const struct finding_detector finding_stream_stalled = { diagnose, FINDING_OPTIONS(options) };
