/* SPDX-License-Identifier: BSD-2-Clause */
/* connect-failing: a process, or the commands that it starts, connect to a peer again and again
 * and do not reach it, wait for the connection, or get no answer to datagrams. A process that
 * tries several addresses of a service and reaches one has what it needs. */
#include <stdio.h>
#include <string.h>

#include "analyze/diagnosis/check_waits.h"
#include "analyze/evidence/children.h"
#include "base/sentence_units.h"
#include "analyze/evidence/failure_meaning.h"
#include "analyze/evidence/limit_users.h"
#include "analyze/evidence/peer_process.h"
#include "analyze/evidence/unanswered.h"

#define SHOWN_MAX 4

static const struct finding_option options[] = {
	THRESHOLD("min-failures", 4, 1, 1e9, "minimum number of failed connects to one peer"),
	PERCENT_THRESHOLD("min-share", 75, 1, 100,
		"minimum percentage of the connects to one peer that fail"),
	UNLISTED("min-retries", 2, 1, 1e9,
		"minimum number of failed connects to a peer that is never reached, the first and "
		"the last a second apart"),
	TIME_THRESHOLD("min-wait", 2e9, 0, 86400e9,
		"minimum time that a connection attempt gets no answer"),
};

struct look {
	const struct check *e;
	struct check_result *out;
	struct map waiting; /* call_path -> struct unanswered */
	struct child_calls children;
};

static double failures_of(const struct call_peer *p)
{
	return (double)(p->failed - (p->excused < p->failed ? p->excused : p->failed));
}

/* Returns whether the process retries with long pauses. Failures that all come at one moment may be
 * a search for a service that this host does not have. */
static bool retries_slowly(const struct check *e, const struct call_peer *p)
{
	return !p->made && failures_of(p) >= check_option(e, "min-retries") &&
	       p->last_failed_ns - p->first_ns >= NS_PER_S;
}

static double weigh_peer(const void *key, const void *value, const void *user)
{
	const struct call_path *address = key;
	const struct call_peer *p = value;
	const struct check *e = ((const struct look *)user)->e;
	double failures = failures_of(p);

	if (call_is_optional_peer(address->text))
		return 0;
	if (retries_slowly(e, p))
		return failures;
	if (p->last_made_ns > p->last_failed_ns ||
		failures * 100 < check_option(e, "min-share") * (failures + (double)p->made) ||
		!check_is_over(e, "min-failures", failures, address->text))
		return 0;
	return failures;
}

/* Weighs a peer that ends nearly all of its connections at once. Several that end at one moment may
 * be a pool that asks whether the peer has room. A call that was not recorded may have read an
 * answer. */
static double weigh_closing_peer(const void *key, const void *value, const void *user)
{
	const struct look *l = user;
	const struct call_path *address = key;
	const struct call_peer *p = value;
	double cut = (double)p->cut;

	if (l->e->calls.is_sampled || l->e->calls.lost || l->e->input->calls.has_time_gaps ||
		strncmp(p->protocol, "TCP", 3) != 0 || p->last_answer_ns > p->first_cut_ns ||
		p->last_cut_ns - p->first_cut_ns < NS_PER_S ||
		cut * 100 < check_option(l->e, "min-share") * p->made ||
		!check_is_over(l->e, "min-failures", cut, address->text))
		return 0;
	return weigh_peer(key, value, user) ? 0 : cut;
}

static double weigh_waiting(const void *key, const void *value, const void *user)
{
	const struct look *l = user;
	const struct call_path *address = key;
	double for_ns = (double)((const struct unanswered *)value)->for_ns;
	const struct call_peer *p =
		l->e->calls.is_read ? map_get(&l->e->calls.history->peers, address) : NULL;

	return (p && weigh_peer(key, p, l)) ||
			       !check_is_over(l->e, "min-wait", for_ns, address->text)
		       ? 0
		       : for_ns;
}

static bool is_name_server(const struct call_peer *p)
{
	return !strncmp(p->protocol, DATAGRAM_PROTOCOL, strlen(DATAGRAM_PROTOCOL)) &&
	       !strcmp(p->service, ":53");
}

static double weigh_name_server(const void *key, const void *value, const void *user)
{
	const struct look *l = user;
	const struct call_peer *p = value;
	bool is_silent = is_name_server(p) && p->timeouts > p->made &&
			 p->timeout_ns >= check_option(l->e, "min-wait");

	(void)key;
	return is_silent ? (double)p->timeout_ns : 0;
}

/* "4 times ECONNREFUSED: connection refused" */
static void put_errors(const struct call_peer *p, char *out, size_t size)
{
	size_t used = 0;

	*out = '\0';
	for (size_t i = 0; i < CALL_PEER_ERRORS && p->errors[i].count && used < size; i++) {
		uint32_t error = p->errors[i].error;
		const char *name = error ? errno_name(error) : NULL;
		const char *text = error ? errno_text(error) ?: "an error" : "no answer";

		used += (size_t)snprintf(out + used, size - used, "%s%u time%s %s%s%s",
			used ? ", " : "", p->errors[i].count, p->errors[i].count == 1 ? "" : "s",
			name ?: "", name ? ": " : "", text);
	}
}

static void emit_waiting(struct check_result *out, const struct unanswered *u)
{
	finding_count(out, "connections without an answer (SYN_SENT)", u->sockets, 0);
	if (u->for_ns)
		finding_time(out, "time without an answer, at least", u->for_ns);
	if (u->retransmits)
		finding_count(out, "SYN retransmissions", u->retransmits, 0);
}

static void remedy_of_peer(
	const struct check *e, struct check_result *out, const char *address, const char *or_else)
{
	struct span variable;

	if (peer_name_is_proxy(e, address, &variable))
		finding_remedy(out,
			"start the proxy at %s, or start this program without %.*s in its "
			"environment",
			address, SPAN_ARGS(variable));
	else
		finding_remedy(out,
			"check that %s is up and accepts connections (servers on this host: ss "
			"-tlnx), or %s",
			address, or_else);
}

/* Appends the owners of the connections that use up the local ports: "; node (4711) has 40". The
 * end that closes a connection first keeps it in TIME_WAIT. */
static void put_port_users(struct buffer *out, const struct look *l, struct limit_users *users,
	const char *address, const struct call_peer *p)
{
	const struct limit_user *most = &users->top[0];

	limit_users_find(users, l->e, LIMITS_SHARED_PORTS, span_of_string(address));
	if (users->count && !most->holder->holder_pid)
		buffer_format(out,
			"; %.0f closed connections to it still have them (TIME_WAIT), this end "
			"closed them%s",
			most->amount,
			p->made		    ? ": this process opens and closes one after the other"
			: users->count == 1 ? ", and no process has an open one"
					    : "");
	else
		limit_users_put(out, l->e, users, LIMITS_SHARED_PORTS);
}

static void emit_counts(struct check_result *out, const struct call_peer *p)
{
	if (p->made)
		finding_calls_count(out, "succeeded", p->made);
	if (p->excused)
		finding_calls_count(out, "another address worked", p->excused);
	if (p->under_way)
		finding_count(out, "in progress", p->under_way, 0);
	if (p->unknown)
		finding_unseen(out,
			"whether %llu more attempt%s to connect succeeded: the process closed the "
			"socket before that was known",
			(unsigned long long)p->unknown, p->unknown == 1 ? "" : "s");
}

/* Returns whether even the loopback addresses have no route, which they have while lo is up. */
static bool is_unreachable_itself(const char *address, const struct call_peer *p)
{
	return p->errors[0].error == LINUX_ENETUNREACH && !strncmp(address, "127.", 4);
}

static void claim_failing(const struct look *l, const char *address, const struct call_peer *p,
	const char *names, const char *errors)
{
	const struct check *e = l->e;
	const struct failure_meaning *meaning =
		names ? NULL : failure_meaning_of_connect(p->errors[0].error);
	struct limit_users users = { 0 };
	char label[PEER_NAME_SIZE], or_else[CHILD_CALLS_NAMES + 32];

	peer_name_put(e, address, label, sizeof(label));
	if (names)
		finding_claim(l->out, "its children (%s) ", names);
	if (is_name_server(p))
		finding_claim(l->out,
			"cannot resolve names: the name server %s refuses %.0f of %llu requests "
			"(no process has that port)",
			address, failures_of(p), (unsigned long long)p->attempts);
	else
		finding_claim(l->out,
			"cannot connect to %s%s: %s%s%.0f of %llu attempts failed (%s)", address,
			label,
			is_unreachable_itself(address, p)
				? "the interface lo of its network namespace is down"
			: meaning ? meaning->text
				  : "",
			meaning ? "; " : "", failures_of(p), (unsigned long long)p->attempts,
			errors);
	if (p->errors[0].error == LINUX_ECONNREFUSED && !is_name_server(p))
		port_owner_put_refused(&l->out->claim, e, address);
	else if (p->errors[0].error == LINUX_ENOENT)
		port_owner_put_deleted(&l->out->claim, e, address);
	else if (p->errors[0].error == LINUX_EACCES)
		port_owner_put_denied(&l->out->claim, e, address);
	else if (p->errors[0].error == LINUX_EADDRNOTAVAIL)
		put_port_users(&l->out->claim, l, &users, address, p);
	limit_users_unseen(l->out, &users);
	snprintf(or_else, sizeof(or_else), "end the loop that starts %s", names ?: "");
	if (is_name_server(p))
		finding_remedy(l->out, "start the name server (systemd-resolved, dnsmasq), or name "
				       "another one in /etc/resolv.conf");
	else if (meaning)
		finding_remedy(l->out, "%s", meaning->remedy);
	else
		remedy_of_peer(e, l->out, address, names ? or_else : "retry less often");
}

/* Reports failed attempts; `names`: those of the commands that it starts, of which each tries only
 * once. */
static void report_failing(
	const struct look *l, const char *address, const struct call_peer *p, const char *names)
{
	char errors[240], what[CALL_PATH + 16];
	struct check_result *out = l->out;
	const struct unanswered *u;
	struct call_path key = call_path_key(span_of_string(address));

	put_errors(p, errors, sizeof(errors));
	u = names ? NULL : map_get(&l->waiting, &key);
	snprintf(what, sizeof(what), "%s%s", names ? "children " : "", address);
	finding_begin(out, confidence_high_if(!l->e->calls.lost), what);
	finding_connection(out, span_of_string(address));
	finding_calls_count(out, "failures", (uint64_t)failures_of(p));
	if (!names)
		finding_calls_rate(out, "attempts", p->attempts);
	finding_text(out, "errors", "%s", errors);
	finding_time(out, "time since the first attempt that was seen",
		l->e->input->end_ns - p->first_ns);
	if (u)
		emit_waiting(out, u);
	if (!names)
		emit_counts(out, p);
	check_calls_unseen(l->e, out);
	claim_failing(l, address, p, names, errors);
}

static void report_own(const struct look *l, const char *address, const void *peer)
{
	report_failing(l, address, peer, NULL);
}

static void report_children(const struct look *l, const char *address, const void *peer)
{
	const struct child_peer *p = peer;

	report_failing(l, address, &p->sum, p->names);
}

static void report_closing_peer(const struct look *l, const char *address, const void *peer)
{
	const struct call_peer *p = peer;
	char label[PEER_NAME_SIZE];
	const struct check *e = l->e;
	struct check_result *out = l->out;
	uint64_t life_ns = p->cut_life_ns / p->cut;

	peer_name_put(e, address, label, sizeof(label));
	finding_begin(out, FINDING_CONFIDENCE_HIGH, address);
	finding_connection(out, span_of_string(address));
	finding_claim(out,
		"%s%s closes its connections at once, without an answer: %llu of %llu, after %s on "
		"average",
		address, label, (unsigned long long)p->cut, (unsigned long long)p->made,
		SENTENCE_DURATION(life_ns));
	finding_calls_count(out, "closed by the peer", p->cut);
	finding_calls_rate(out, "connections", p->made);
	finding_number(out, "average life of a connection", (double)life_ns, SOOTH_UNIT_NS,
		l->e->calls.interval_ns);
	finding_calls_count(
		out, "of these, after the process had sent something", p->cut_after_sending);
	check_calls_unseen(e, out);
	finding_remedy(out,
		"read the log of the server at %s (on this host: ss -tlnp names it): it refuses "
		"these connections, ends before it answers, or speaks another protocol (TLS)",
		address);
}

static const struct waits_party *listener_of(
	const struct check *e, const char *address, struct wait_graph *g, struct wait_chain *chain)
{
	const struct wait_link *first = &chain->links[0];
	struct span peer;

	if (!check_chain(e, 0, g, chain) || first->what != WAIT_CONNECT || !first->party ||
		!first->object || !first->party->party_pid)
		return NULL;
	peer = record_text(&first->object->record, &first->object->peer);
	return span_equal(peer, address) ? first->party : NULL;
}

static void report_waiting(const struct look *l, const char *address, const void *value)
{
	const struct unanswered *u = value;
	char label[PEER_NAME_SIZE], time[UNITS_SIZE];
	const struct check *e = l->e;
	struct check_result *out = l->out;
	struct wait_graph g;
	struct wait_chain chain;
	const struct waits_party *server = listener_of(e, address, &g, &chain);

	peer_name_put(e, address, label, sizeof(label));
	finding_begin(out, FINDING_CONFIDENCE_HIGH, address);
	finding_connection(out, span_of_string(address));
	sentence_duration(time, u->for_ns);
	if (server) {
		finding_claim(out,
			"cannot connect to %s%s for at least %s: %.*s (%u) accepts no connections, "
			"and its queue is full",
			address, label, time,
			SPAN_ARGS(record_text(&server->record, &server->name)), server->party_pid);
		check_chain_evidence(out, &g, &chain);
		finding_remedy(out,
			"sooth why %u shows what it does instead; if it hangs, restart it",
			server->party_pid);
	} else {
		finding_claim(out, "cannot connect to %s%s: no answer for at least %s", address,
			label, time);
		finding_remedy(out,
			"check that %s is up and no firewall drops the packets (if it is on this "
			"host: in ss -tln, a Recv-Q above Send-Q means that its accept queue is "
			"full)",
			address);
	}
	emit_waiting(out, u);
	finding_count(out, "descriptor", u->fd, 0);
	if (u->is_again)
		finding_text(out, "retried", "an earlier connection got no answer either");
	if (!l->e->calls.is_read)
		finding_unseen(out, "how often the process retries: its calls were not observed");
}

/* Reports a silent name server: a resolver asks the next server after some seconds, which each
 * lookup takes longer. */
static void report_name_server(const struct look *l, const char *address, const void *peer)
{
	const struct call_peer *p = peer;

	finding_begin(l->out, FINDING_CONFIDENCE_MEDIUM, address);
	finding_connection(l->out, span_of_string(address));
	finding_claim(l->out,
		"name lookups are slow: the name server %s does not answer; %llu request%s waited "
		"%s each before another was asked",
		address, (unsigned long long)p->timeouts, p->timeouts == 1 ? "" : "s",
		SENTENCE_DURATION(p->timeout_ns / p->timeouts));
	finding_calls_count(l->out, "requests without an answer", p->timeouts);
	finding_calls_count(l->out, "answers of that server", p->made);
	check_calls_unseen(l->e, l->out);
	finding_remedy(l->out, "remove the line of %s from /etc/resolv.conf, or start that server",
		address);
}

static size_t report_each(const struct look *l, const struct map *peers,
	double (*weigh_one)(const void *key, const void *value, const void *user), size_t most,
	void (*report)(const struct look *l, const char *address, const void *peer))
{
	struct check_ranked top[SHOWN_MAX];
	size_t count = check_rank(peers, weigh_one, l, top, most);

	for (size_t i = 0; i < count; i++)
		report(l, ((const struct call_path *)top[i].key)->text, top[i].value);
	return count;
}

/* Reports datagrams without an answer; a few may be lost on the way. */
static size_t report_datagrams(const struct look *l)
{
	struct datagram_requests r;
	const struct check *e = l->e;
	struct check_result *out = l->out;

	if (!datagram_requests_find(&r, l->e->calls.history) ||
		r.sent < check_option(e, "min-retries") ||
		(double)(r.last_ns - r.first_ns) < check_option(e, "min-wait"))
		return 0;
	finding_begin(out, FINDING_CONFIDENCE_MEDIUM, r.connection);
	finding_low_if(out, r.sent < check_option(e, "min-failures"));
	finding_connection(out, span_of_string(r.connection));
	finding_descriptor(out, (uint32_t)r.fd);
	finding_claim(out, "no answer from %s (UDP): %llu requests sent, nothing received",
		datagram_requests_peer(&r), (unsigned long long)r.sent);
	finding_calls_count(out, "requests", r.sent);
	finding_calls_count(out, "waits for an answer that ended by timeout", r.waits);
	finding_time(out, "time from the first to the last request", r.last_ns - r.first_ns);
	check_calls_unseen(e, out);
	finding_remedy(out, "check that %s is up, and that no firewall drops the packets",
		datagram_requests_peer(&r));
	return 1;
}

static size_t report_by_calls(const struct look *l)
{
	const struct map *peers = &l->e->calls.history->peers;

	return report_each(l, peers, weigh_peer, SHOWN_MAX, report_own) +
	       report_each(l, peers, weigh_closing_peer, SHOWN_MAX, report_closing_peer) +
	       report_each(l, &l->children.peers, weigh_peer, SHOWN_MAX, report_children) +
	       report_datagrams(l) +
	       report_each(l, peers, weigh_name_server, 1, report_name_server);
}

/* Reports that no attempt seen succeeded, but that the attempts are too few to call this
 * failing. */
static void report_undecided(struct check_result *out, const struct map *peers, uint64_t attempts)
{
	size_t position = 0, others = peers->count - 1;
	char reason[CALL_PATH + 400], errors[240], more[48] = "";
	const void *key;
	void *value;

	if (!map_next(peers, &position, &key, &value))
		return;
	put_errors(value, errors, sizeof(errors));
	if (others)
		snprintf(more, sizeof(more), ", and %zu other peer%s", others,
			others == 1 ? "" : "s");
	snprintf(reason, sizeof(reason),
		"none of %llu connect%s was seen to succeed, too few to call that failing: %s "
		"(%s)%s",
		(unsigned long long)attempts, attempts == 1 ? "" : "s",
		((const struct call_path *)key)->text, *errors ? errors : "no result yet", more);
	check_blind_because(out, reason, CHECK_LONGER);
}

static void report_none(const struct look *l)
{
	const struct map *peers = &l->e->calls.history->peers;
	uint64_t attempts = 0, made = 0;

	map_for_each_value (peers, const struct call_peer *, value) {
		attempts += value->attempts;
		made += value->made;
	}
	if (attempts && !made)
		report_undecided(l->out, peers, attempts);
	else if (attempts)
		check_fine(l->out, "%llu connect%s, %llu succeeded", (unsigned long long)attempts,
			attempts == 1 ? "" : "s", (unsigned long long)made);
	else if (l->waiting.count)
		check_blind_because(l->out, "a connection attempt has no answer yet", CHECK_LONGER);
	else
		check_calls_fine(l->e, l->out, "no connects");
}

static void diagnose(const struct check *e, struct check_result *out)
{
	struct look l = { .e = e, .out = out };
	size_t found = 0;

	unanswered_read(&l.waiting, e);
	child_calls_read(&l.children, e);
	if (e->calls.is_read)
		found = report_by_calls(&l);
	found += report_each(&l, &l.waiting, weigh_waiting, SHOWN_MAX, report_waiting);
	if (!found && e->calls.is_read)
		report_none(&l);
	else if (!found && check_has_probes(out))
		check_calls_begin(e, out);
	map_fini(&l.waiting);
	child_calls_fini(&l.children);
}

const struct finding_detector finding_connect_failing = { diagnose, FINDING_OPTIONS(options) };
