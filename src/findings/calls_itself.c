/* SPDX-License-Identifier: BSD-2-Clause */
/* calls-itself: to answer a request a server connects to its own listening socket, which makes it
 * connect again: a proxy whose upstream is itself, or passes the request back to it. Without
 * answers the order of accepting and connecting shows the circle. */
#include <string.h>

#include "analyze/diagnosis/call_check.h"

static const struct finding_option options[] = {
	THRESHOLD("min-times", 20, 2, 1e9, "minimum number of connections to itself"),
	THRESHOLD("min-depth", 10, 2, 1e9,
		"minimum number of connections within each other, where no answer was seen"),
	PERCENT_THRESHOLD("min-share", 60, 0, 100,
		"minimum share of the connections it accepted that came from itself"),
	UNLISTED_PERCENT(
		"min-errors", 80, 0, 100, "minimum share of errors in the answers that were seen"),
};

struct own {
	const char *address;
	const struct waits_peer *through; /* the process that sends requests back; NULL: none */
	uint64_t made, accepted, good, bad;
	uint32_t deepest; /* connections within each other */
};

static const char *port_of(const char *address)
{
	return strrchr(address, ':');
}

static bool has_any_host(const char *address)
{
	return !strncmp(address, "0.0.0.0:", 8) || !strncmp(address, "[::]:", 5) || *address == '*';
}

/* Returns whether `peer` is the listening socket `listener`. A socket that listens at any address
 * listens at each address of this host; the same port of another host is another socket. */
static bool is_same_socket(const char *peer, const char *listener)
{
	const char *a = port_of(peer), *b = port_of(listener);

	if (!strcmp(peer, listener))
		return true;
	return a && b && !strcmp(a, b) && has_any_host(listener) &&
	       (!strncmp(peer, "127.", 4) || !strncmp(peer, "[::1]", 5));
}

static struct own find_own_connections(const struct call_history *h)
{
	struct own most = { 0 };
	struct call_path key;
	const struct call_answers *a;

	map_for_each (&h->peers, const struct call_path *, to, const struct call_peer *, made) {
		map_for_each (&h->clients, const struct call_path *, listener,
			const struct call_clients *, c) {
			if (made->made <= most.made || !is_same_socket(to->text, listener->text))
				continue;
			most = (struct own){ .address = to->text,
				.made = made->made,
				.accepted = c->served + c->dropped + c->turned_away };
		}
	}
	if (!most.address)
		return most;
	key = call_path_key(span_of_string(most.address));
	a = map_get(&h->answers, &key);
	most.good = a ? a->good : 0;
	most.bad = a ? a->bad : 0;
	most.deepest = h->nesting.deepest;
	return most;
}

/* Finds a process to which it has connections, and which has connections to it. */
static struct own find_way_back(const struct check *e)
{
	struct own most = { .deepest = e->calls.history->nesting.deepest };
	uint64_t most_both = 0;

	snapshot_each (struct waits_peer, p, check_last(e, &e->input->waits), WAITS_PEER) {
		uint64_t made = p->connections - p->accepted;
		uint64_t both = made < p->accepted ? made : p->accepted;

		if (p->accepted > p->connections || both <= most_both)
			continue;
		most_both = both;
		most.through = p;
		most.made = made;
		most.accepted = p->accepted;
	}
	map_for_each_value (&e->calls.history->answers, const struct call_answers *, a) {
		most.good += a->good;
		most.bad += a->bad;
	}
	return most;
}

static bool is_loop(const struct check *e, const struct own *own)
{
	double answers = (double)(own->good + own->bad);

	if ((!own->address && !own->through) || own->made < check_option(e, "min-times") ||
		(own->through && own->accepted < check_option(e, "min-times")) ||
		own->made < check_option(e, "min-share") / 100 * (double)own->accepted ||
		(answers > 0 && 100 * own->bad < check_option(e, "min-errors") * answers))
		return false;
	return own->bad || own->deepest >= check_option(e, "min-depth");
}

static void claim_circle(struct check_result *out, const struct own *own)
{
	const struct waits_peer *p = own->through;
	unsigned long long made = own->made;

	if (p) {
		finding_begin(out, FINDING_CONFIDENCE_MEDIUM, "through another");
		finding_claim(out,
			"requests go round in a circle: it has %llu connections to %.*s (%u), "
			"which has %llu back to it, until a limit of connections or a timeout is "
			"reached",
			made, SPAN_ARGS(record_text(&p->record, &p->peer_name)), p->peer_pid,
			(unsigned long long)own->accepted);
		finding_count(out, "connections to that process", own->made, 0);
		finding_count(out, "connections that come back", own->accepted, 0);
	} else {
		finding_begin(out, FINDING_CONFIDENCE_MEDIUM, own->address);
		finding_connection(out, span_of_string(own->address));
		finding_claim(out,
			"passes requests on to itself, in a circle: %llu times it connected to %s, "
			"where it listens itself, until its limit of connections or a timeout is "
			"reached",
			made, own->address);
		finding_calls_rate(out, "connections to itself", own->made);
	}
	if (own->bad)
		finding_claim(out, "; the answers are errors");
}

static void report_circle(struct check_result *out, const struct own *own)
{
	claim_circle(out, own);
	if (own->good + own->bad) {
		finding_calls_count(out, "answers that are errors", own->bad);
		finding_calls_count(out, "other answers", own->good);
	}
	if (own->deepest)
		finding_calls_count(out, "connections within each other", own->deepest);
	finding_unseen(out, "which requests came from outside");
	finding_remedy(out, "look where it passes requests on (proxy_pass, upstream, a URL of its "
			    "own in the settings): that address has to be another server's");
}

static void diagnose(const struct check *e, struct check_result *out)
{
	struct own own = find_own_connections(e->calls.history);

	if (!own.address)
		own = find_way_back(e);
	if (is_loop(e, &own))
		report_circle(out, &own);
	else if (own.address)
		check_fine(out,
			"it connected %llu times to itself and accepted %llu: %llu good answers, "
			"%llu errors, %u within each other",
			(unsigned long long)own.made, (unsigned long long)own.accepted,
			(unsigned long long)own.good, (unsigned long long)own.bad, own.deepest);
	else
		check_calls_fine(e, out, "it does not pass its requests on to itself");
}

const struct finding_detector finding_calls_itself = { diagnose, FINDING_OPTIONS(options) };
