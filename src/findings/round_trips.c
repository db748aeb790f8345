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
 */
#include <string.h>

#include "analyze/evidence/awaited.h"
#include "analyze/evidence/batch_program.h"
#include "analyze/diagnosis/call_check.h"
#include "analyze/diagnosis/check_verdict.h"
#include "analyze/diagnosis/check_waits.h"
#include "analyze/sockets/socket_sums.h"
#include "base/cleanup.h"
#include "base/sentence_units.h"
#include "analyze/sockets/socket_text.h"

#define SHOWN_MAX 2

NUMBER(SERVED_SHARE, 0.1, NONE, "part of the requests that follow data from another peer");
NUMBER(ALIKE_SHARE, 0.8, NONE, "of the requests that have the same form");
NUMBER(DELAYED_MOST, 0.8, NONE, "of the requests in parts");
NUMBER(SEEN_LEAST, 20, NONE, "requests: fewer are no habit");
NUMBER(SLOW_LEAST, 8, NONE, "requests in parts: fewer are no habit");

static const struct finding_option options[] = {
	THRESHOLD("min-rate", 100, 1, 1e9,
		"minimum number of requests per second, one after another, on one connection"),
	PERCENT_THRESHOLD("min-wait", 30, 1, 100,
		"minimum percentage of the time in which the process waits for their answers"),
	BYTES_THRESHOLD("max-size", 1024, 1, 1e9, "maximum mean size of such a request"),
	UNLISTED("min-slow-rate", 3, 1, 1e9,
		"the same for requests during which the server computes"),
	UNLISTED_PERCENT("min-slow-wait", 80, 1, 100,
		"minimum percentage of the time in which the process waits for such a server"),
	UNLISTED_PERCENT("min-server-cpu", 40, 1, 100,
		"minimum CPU use of the server, in percent of one CPU"),
	UNLISTED("min-delayed", 5, 1, 1e9,
		"minimum number of requests that were sent in parts and answered 40 ms later"),
};

/* --- the connection --- */

static const struct sockets_socket *socket_of(const struct check *e, const struct call_exchange *x)
{
	sockets_each (check_last(e, &e->input->sockets), s) {
		if (s->fd == x->fd)
			return s;
	}
	return NULL;
}

/* Returns whether this end sends the requests: it made the connection. A unix socket with a name of
 * its own belongs to a server; pairs of sockets have no name. */
static bool sends_requests(const struct check *e, const struct call_exchange *x)
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

static double wait_share(const struct check *e, const struct call_exchange *x)
{
	double each = (double)x->wait_ns / (double)x->seen;
	double share = 100 * each * (double)x->answered / (double)e->calls.interval_ns;

	return share < 100 ? share : 100;
}

static bool is_delayed(const struct check *e, const struct call_exchange *x)
{
	return x->delayed >= check_option(e, "min-delayed") &&
	       x->delayed >= DELAYED_MOST * x->in_parts && is_tcp(e, x);
}

static bool is_quick(const struct check *e, const char *path, const struct call_exchange *x)
{
	return x->seen >= SEEN_LEAST && wait_share(e, x) >= check_option(e, "min-wait") &&
	       check_is_over(e, "min-rate", check_calls_rate(e, x->answered), path);
}

/* Returns the CPU use of the process at the other end, if a sample found this process waiting for
 * it; negative: not known. */
static double server_cpu(const struct check *e, const struct call_exchange *x)
{
	struct awaited a = awaited_of(e, x->fd);
	struct wait_graph g;

	return a.peer && check_graph(e, &g) ? wait_graph_cpu(&g, a.peer->party_pid) : -1;
}

static bool is_slow(const struct check *e, const char *path, const struct call_exchange *x)
{
	return x->seen >= SLOW_LEAST && wait_share(e, x) >= check_option(e, "min-slow-wait") &&
	       server_cpu(e, x) >= check_option(e, "min-server-cpu") &&
	       check_is_over(e, "min-slow-rate", check_calls_rate(e, x->answered), path);
}

enum chain { CHAIN_NONE, CHAIN_DELAYED, CHAIN_QUICK, CHAIN_SLOW };

static enum chain chain_of(const struct check *e, const char *path, const struct call_exchange *x)
{
	if (!x->seen || !sends_requests(e, x))
		return CHAIN_NONE;
	if (is_delayed(e, x))
		return CHAIN_DELAYED;
	if (x->served > SERVED_SHARE * x->seen || x->alike < ALIKE_SHARE * x->seen ||
		x->request_bytes > check_option(e, "max-size") * x->seen ||
		batch_program_measures(check_name(e->process)))
		return CHAIN_NONE;
	return is_quick(e, path, x) ? CHAIN_QUICK : is_slow(e, path, x) ? CHAIN_SLOW : CHAIN_NONE;
}

static double weigh_exchange(const void *key, const void *value, const void *user)
{
	const struct call_path *path = key;
	const struct call_exchange *x = value;

	switch (chain_of(user, path->text, x)) {
	case CHAIN_NONE:
		return 0;
	case CHAIN_DELAYED:
		return (double)x->delayed_ns;
	default:
		return (double)x->wait_ns;
	}
}

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

static void emit_claim(const struct check *e, struct check_result *out,
	const struct call_exchange *x, const char *path, enum chain chain)
{
	_cleanup_(buffer_fini) struct buffer peer = { 0 };

	put_peer(&peer, e, x, path);
	if (chain == CHAIN_DELAYED)
		finding_claim(out,
			"each request to %s waits %s for nothing: it is sent in %s parts, and the "
			"second waits for the acknowledgement of the first (Nagle's algorithm and "
			"delayed acknowledgement)",
			buffer_cstr(&peer), SENTENCE_DURATION(x->delayed_ns / x->delayed),
			x->sends > 2 ? "several" : "two");
	else if (chain == CHAIN_SLOW)
		finding_claim(out,
			"asks %s one question at a time and waits %s for each answer, %.0f %% of "
			"its time: the server computes meanwhile, %.0f %% of a CPU",
			buffer_cstr(&peer), SENTENCE_DURATION(x->wait_ns / x->seen),
			wait_share(e, x), server_cpu(e, x));
	else
		finding_claim(out,
			"asks %s one small question at a time, %s%.0f a second: %.0f %% of its "
			"time it waits for these answers",
			buffer_cstr(&peer), check_calls_least(e), check_calls_rate(e, x->answered),
			wait_share(e, x));
}

static void report_exchange(
	const struct check *e, struct check_result *out, const struct check_ranked *one)
{
	const struct call_path *path = one->key;
	const struct call_exchange *x = one->value;
	enum chain chain = chain_of(e, path->text, x);
	bool delayed = chain == CHAIN_DELAYED;
	uint64_t interval_ns = e->calls.interval_ns;

	finding_begin(
		out, delayed ? FINDING_CONFIDENCE_MEDIUM : check_calls_confidence(e), path->text);
	finding_low_if(out, !delayed);
	finding_connection(out, span_of_string(path->text));
	emit_claim(e, out, x, path->text, chain);
	finding_rate(
		out, "requests", check_calls_rate(e, x->answered), SOOTH_UNIT_NONE, interval_ns);
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
		finding_count(out, "requests sent in parts and answered some 40 ms later",
			x->delayed, interval_ns);
	if (x->answered > x->seen)
		finding_count(out, "requests that were measured", x->seen, interval_ns);
	finding_unseen(out, delayed ? "whether the peer itself takes that long"
				    : "whether these requests could be combined into one");
	if (delayed)
		finding_remedy(out, "send each request with one call (writev, a buffer), or set "
				    "TCP_NODELAY on the connection");
	else if (chain == CHAIN_SLOW)
		finding_remedy(out, "find out what makes one request slow in the server (in a "
				    "database: EXPLAIN ANALYZE; without an index a query reads the "
				    "whole table); then request many values at once");
	else
		finding_remedy(out,
			"request many values at once: a join or IN (...) instead of a query per "
			"row, MGET or a pipeline, a batch; sooth trace -p %u shows the requests",
			e->id.pid);
}

static void diagnose(const struct check *e, struct check_result *out)
{
	struct check_ranked top[SHOWN_MAX];
	size_t count;

	if (!check_last(e, &e->input->sockets)) {
		check_blind(out, SOOTH_NOT_MEASURED(SOOTH_REASON_NOT_REQUESTED));
		return;
	}
	count = check_rank(&e->calls.history->exchanges, weigh_exchange, e, top, SHOWN_MAX);
	for (size_t i = 0; i < count; i++)
		report_exchange(e, out, &top[i]);
	if (!count)
		check_fine(out, "no chain of small requests to one peer");
}

const struct finding_detector finding_round_trips = { diagnose, FINDING_OPTIONS(options) };
