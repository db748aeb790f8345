/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * round-trips: a process sends another process one small request at a time, very often, and waits
 * for each answer before it sends the next: a query for each row of a result (N+1), a loop over
 * keys. Each answer is quick; together they take the time. Or each request waits 40 ms, because it
 * is sent in two pieces: the kernel keeps the second back until the first is acknowledged (Nagle's
 * algorithm), and the peer's kernel acknowledges late. Or the answers are slow because the server
 * computes each of them: a query without an index, for each row.
 *
 * A process that passes on the requests of other processes, and a benchmark, make such requests on
 * purpose.
 *
 * Cannot be seen: the content of the requests; whether the answers could have come together.
 */
#include <stdio.h>
#include <string.h>

#include "analyze/evidence/awaited.h"
#include "analyze/evidence/batch_program.h"
#include "analyze/diagnosis/call_check.h"
#include "analyze/diagnosis/check_verdict.h"
#include "analyze/diagnosis/check_waits.h"
#include "base/sentence_units.h"
#include "analyze/sockets/socket_text.h"
#include "base/units.h"
#include "explain/finding.h"

#define SHOWN_MAX 2

NUMBER(SERVED_SHARE, 0.1, NONE, "part of the requests that follow data from another peer");
NUMBER(ALIKE_SHARE, 0.8, NONE, "of the requests that have the same form");
NUMBER(DELAYED_MOST, 0.8, NONE, "of the requests in parts");
NUMBER(SEEN_LEAST, 20, NONE, "requests: fewer are no habit");
NUMBER(SLOW_LEAST, 8, NONE, "requests in parts: fewer are no habit");
NUMBER(STARVED_LEAST, 5, PERCENT, "of a CPU");

static const struct finding_option options[] = {
	THRESHOLD("min-rate", 100, 1, 1e9,
		"minimum number of requests per second, one after another, on one connection"),
	THRESHOLD("min-wait", 30, 1, 100,
		"minimum percentage of the time in which the process waits for their answers",
		.unit = SOOTH_UNIT_PERCENT),
	THRESHOLD("max-size", 1024, 1, 1e9, "maximum mean size of such a request",
		.unit = SOOTH_UNIT_BYTES),
	THRESHOLD("min-slow-rate", 3, 1, 1e9,
		"the same for requests during which the server computes"),
	THRESHOLD("min-slow-wait", 80, 1, 100,
		"minimum percentage of the time in which the process waits for such a server",
		.unit = SOOTH_UNIT_PERCENT),
	THRESHOLD("min-server-cpu", 40, 1, 100,
		"minimum CPU use of the server, in percent of one CPU", .unit = SOOTH_UNIT_PERCENT),
	THRESHOLD("min-delayed", 5, 1, 1e9,
		"minimum number of requests that were sent in parts and answered 40 ms later"),
};

struct look {
	const struct check *e;
	const struct check_calls *calls;
};

/* --- the connection --- */

static const struct sockets_socket *socket_of(const struct check *e, const struct call_exchange *x)
{
	const struct snapshot *last = check_last(e, &e->input->sockets);
	struct batch all = last ? snapshot_records(last) : (struct batch){ 0 };

	batch_for_each (r, &all) {
		const struct sockets_socket *s = record_as(r, SOCKETS_SOCKET, SOCKETS_SOCKET_LEAST);

		if (s && s->fd == x->fd)
			return s;
	}
	return NULL;
}

/* Returns whether this end sends the requests: it made the connection. A unix socket with a name of
 * its own belongs to a server; pairs of sockets have no name. */
static bool asks(const struct check *e, const struct call_exchange *x)
{
	const struct sockets_socket *s = socket_of(e, x);

	if (!s)
		return false;
	if (s->family == SOCKETS_UNIX)
		return s->local_state != SOOTH_STATE_VALUE && s->peer_state == SOOTH_STATE_VALUE &&
		       s->peer.size;
	return s->side == SOCKETS_SIDE_MADE;
}

static bool is_tcp(const struct check *e, const struct call_exchange *x)
{
	const struct sockets_socket *s = socket_of(e, x);

	return s && socket_is_inet(s) && !s->bytes_state;
}

/* --- judging --- */

static double wait_share(const struct look *l, const struct call_exchange *x)
{
	double each = (double)x->wait_ns / (double)x->seen;
	double share = 100 * each * (double)x->answered / (double)l->calls->interval_ns;

	return share < 100 ? share : 100;
}

static bool is_delayed(const struct look *l, const struct call_exchange *x)
{
	return (double)x->delayed >= check_option(l->e, "min-delayed") &&
	       (double)x->delayed >= DELAYED_MOST * (double)x->in_parts && is_tcp(l->e, x);
}

static bool is_quick(const struct look *l, const char *path, const struct call_exchange *x)
{
	return x->seen >= SEEN_LEAST && wait_share(l, x) >= check_option(l->e, "min-wait") &&
	       check_is_over(
		       l->e, "min-rate", check_calls_rate(l->calls, (double)x->answered), path);
}

struct server {
	double cpu;   /* percent of one CPU; negative: not known */
	bool is_busy; /* the process computed, or was ready to, when sampled */
};

static bool runs(const struct wait_graph *g, uint32_t pid)
{
	const struct waits_thread *t = NULL;

	while ((t = wait_graph_thread(g, pid, t))) {
		if (t->state == 'R')
			return true;
	}
	return false;
}

/* Returns the process at the other end, if a sample found this process waiting for it. */
static struct server server_of(const struct check *e, const struct call_exchange *x)
{
	struct awaited a = awaited_of(e, x->fd);
	struct wait_graph g, first;

	if (!a.peer || !check_graph(e, &g))
		return (struct server){ .cpu = -1 };
	first = (struct wait_graph){ .records = g.before };
	return (struct server){ .cpu = wait_graph_cpu(&g, a.peer->party_pid),
		.is_busy = runs(&g, a.peer->party_pid) && runs(&first, a.peer->party_pid) };
}

/* Returns whether the server computes: on a busy host a process that always could run gets little
 * CPU. */
static bool computes(const struct check *e, const struct call_exchange *x)
{
	struct server s = server_of(e, x);

	return s.cpu >= check_option(e, "min-server-cpu") || (s.is_busy && s.cpu >= STARVED_LEAST);
}

static bool is_slow(const struct look *l, const char *path, const struct call_exchange *x)
{
	return x->seen >= SLOW_LEAST && wait_share(l, x) >= check_option(l->e, "min-slow-wait") &&
	       computes(l->e, x) &&
	       check_is_over(l->e, "min-slow-rate", check_calls_rate(l->calls, (double)x->answered),
		       path);
}

static bool is_chain(const struct look *l, const char *path, const struct call_exchange *x)
{
	return (double)x->served <= SERVED_SHARE * (double)x->seen &&
	       (double)x->alike >= ALIKE_SHARE * (double)x->seen &&
	       (double)x->request_bytes <= check_option(l->e, "max-size") * (double)x->seen &&
	       (is_quick(l, path, x) || is_slow(l, path, x)) &&
	       !batch_program_measures(check_name(l->e->process));
}

static double weigh(const void *key, const void *value, const void *user)
{
	const struct look *l = user;
	const struct call_path *path = key;
	const struct call_exchange *x = value;

	if (!x->seen || !asks(l->e, x))
		return 0;
	if (is_delayed(l, x))
		return (double)x->delayed_ns;
	return is_chain(l, path->text, x) ? (double)x->wait_ns : 0;
}

/* --- the finding --- */

/* Writes the peer: "postgres (4711) on TCP 127.0.0.1:5432", "TCP 10.0.0.2:5432". */
static void put_peer(
	struct buffer *out, const struct check *e, const struct call_exchange *x, const char *path)
{
	struct awaited a = awaited_of(e, x->fd);
	const char *arrow = strstr(path, FD_FOLLOW_ARROW), *space = strchr(path, ' ');

	awaited_put_peer(out, &a);
	if (arrow && space && space < arrow)
		buffer_format(
			out, "%.*s %s", (int)(space - path), path, arrow + strlen(FD_FOLLOW_ARROW));
	else
		buffer_string(out, path);
}

static void claim_slow(const struct look *l, struct check_result *out,
	const struct call_exchange *x, const char *peer)
{
	char each[UNITS_SIZE];

	finding_claim(out,
		"asks %s one question at a time and waits %s for each answer, %.0f %% of its time: "
		"the server computes meanwhile, %.0f %% of a CPU",
		peer, sentence_duration(each, x->wait_ns / x->seen), wait_share(l, x),
		server_of(l->e, x).cpu);
}

static void claim(const struct look *l, struct check_result *out, const struct call_exchange *x,
	const char *path)
{
	struct buffer peer = { 0 };
	char each[UNITS_SIZE];

	put_peer(&peer, l->e, x, path);
	if (is_delayed(l, x))
		finding_claim(out,
			"each request to %s waits %s for nothing: it is sent in %s parts, and the "
			"second waits for the acknowledgement of the first (Nagle's algorithm and "
			"delayed acknowledgement)",
			buffer_cstr(&peer), sentence_duration(each, x->delayed_ns / x->delayed),
			x->sends > 2 ? "several" : "two");
	else if (!is_quick(l, path, x))
		claim_slow(l, out, x, buffer_cstr(&peer));
	else
		finding_claim(out,
			"asks %s one small question at a time, %s%.0f a second: %.0f %% of its "
			"time "
			"it waits for these answers",
			buffer_cstr(&peer), check_calls_least(l->e),
			check_calls_rate(l->calls, (double)x->answered), wait_share(l, x));
	buffer_fini(&peer);
}

static void emit_values(
	const struct look *l, struct check_result *out, const struct call_exchange *x)
{
	uint64_t interval_ns = l->calls->interval_ns;

	finding_rate(out, "requests", check_calls_rate(l->calls, (double)x->answered),
		SOOTH_UNIT_NONE, interval_ns);
	finding_number(out, "mean time until the answer", (double)x->wait_ns / (double)x->seen,
		SOOTH_UNIT_NS, interval_ns);
	if (x->thoughts)
		finding_number(out, "mean time until the next request",
			(double)x->think_ns / (double)x->thoughts, SOOTH_UNIT_NS, interval_ns);
	finding_number(out, "mean size of a request", (double)x->request_bytes / (double)x->seen,
		SOOTH_UNIT_BYTES, interval_ns);
	finding_number(out, "mean size of an answer", (double)x->answer_bytes / (double)x->seen,
		SOOTH_UNIT_BYTES, interval_ns);
	if (x->delayed)
		finding_number(out, "requests sent in parts and answered some 40 ms later",
			(double)x->delayed, SOOTH_UNIT_NONE, interval_ns);
	if (x->answered > x->seen)
		finding_number(out, "requests that were measured", (double)x->seen, SOOTH_UNIT_NONE,
			interval_ns);
}

static void report(const struct look *l, struct check_result *out, const struct check_ranked *one)
{
	const struct call_path *path = one->key;
	const struct call_exchange *x = one->value;
	bool delayed = is_delayed(l, x);

	finding_begin(out,
		delayed || l->calls->lost ? FINDING_CONFIDENCE_MEDIUM : FINDING_CONFIDENCE_HIGH,
		path->text);
	if (!delayed)
		finding_severity(out, FINDING_LOW);
	finding_connection(out, span_of(path->text, strlen(path->text)));
	claim(l, out, x, path->text);
	emit_values(l, out, x);
	finding_unseen(out, delayed ? "whether the peer itself takes that long"
				    : "whether these requests could be combined into one");
	check_calls_unseen(l->calls, l->e, out);
	if (delayed)
		finding_remedy(out, "send each request with one call (writev, a buffer), or set "
				    "TCP_NODELAY on the connection");
	else if (!is_quick(l, path->text, x))
		finding_remedy(out,
			"find out what makes one request slow in the server (in a database: "
			"EXPLAIN ANALYZE; without an index a query reads the whole table); then "
			"request many values at once");
	else
		finding_remedy(out,
			"request many values at once: a join or IN (...) instead of a query per "
			"row, MGET or a pipeline, a batch; sooth trace -p %u shows the requests",
			l->e->id.pid);
	finding_end(out);
}

static void diagnose(const struct check *e, struct check_result *out)
{
	struct check_calls calls;
	struct look look = { e, &calls };
	struct check_ranked top[SHOWN_MAX];
	size_t count;

	if (!check_calls_begin(&calls, e, out))
		return;
	if (!check_last(e, &e->input->sockets)) {
		check_blind(out, SOOTH_NOT_MEASURED(SOOTH_REASON_NOT_REQUESTED));
		return;
	}
	count = check_rank(&calls.history->exchanges, weigh, &look, top, SHOWN_MAX);
	for (size_t i = 0; i < count; i++)
		report(&look, out, &top[i]);
	if (!count)
		check_fine(out, "no chain of small requests to one peer");
}

const struct finding_type finding_round_trips = {
	.id = "round-trips",
	.claim = "asks another process one small question at a time, and waits for each answer",
	.probes = "syscalls,sockets",
	.needs_interval = true,
	FINDING_OPTIONS(options),
	.diagnose = diagnose,
};
