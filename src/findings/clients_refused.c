/* SPDX-License-Identifier: BSD-2-Clause */
/* clients-refused: a server accepts connections and closes them at once, before it reads
 * anything. Some servers greet each client and close on purpose; a server that is full keeps the
 * connections of others. */
#include <stdlib.h>
#include <string.h>

#include "analyze/diagnosis/call_check.h"
#include "analyze/diagnosis/check_verdict.h"
#include "analyze/sockets/socket_sums.h"
#include "analyze/sockets/socket_text.h"
#include "base/cleanup.h"
#include "base/escape.h"
#include "base/sentence_units.h"

static const struct finding_option options[] = {
	THRESHOLD("min-times", 3, 2, 1e6, "minimum number of connections that are closed at once"),
	PERCENT_THRESHOLD("min-share", 30, 1, 100,
		"minimum share of the connections that were accepted on that socket"),
	THRESHOLD("min-kept", 2, 1, 1e6,
		"minimum number of other connections on that socket, if each client gets a short "
		"answer first"),
};

static const struct {
	const char *program, *setting;
} limits[] = {
	{ "nginx", "worker_connections" },
	{ "redis-server", "maxclients" },
	{ "valkey-server", "maxclients" },
	{ "haproxy", "maxconn" },
	{ "sshd", "MaxStartups" },
	{ "node", "server.maxConnections" },
	{ "mysqld", "max_connections" },
	{ "mariadbd", "max_connections" },
	{ "mongod", "net.maxIncomingConnections" },
	{ "lighttpd", "server.max-connections" },
	{ "vsftpd", "max_clients" },
	{ "mosquitto", "max_connections" },
};

static const char *limit_setting(const struct check *e)
{
	struct span name = e->process ? check_name(e->process) : span_of("", 0);

	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		if (span_equal(name, limits[i].program))
			return limits[i].setting;
	}
	return NULL;
}

/* Returns how many connections on the port of its listening socket the server has open; 0 also if
 * sockets were not recorded. */
static uint64_t connections_kept(const struct check *e, const char *listener)
{
	const char *colon = strrchr(listener, ':');
	unsigned long port = colon ? strtoul(colon + 1, NULL, 10) : 0;
	uint64_t count = 0;

	sockets_each (check_last(e, &e->input->sockets), s) {
		if (s->state_state || s->state != SOCKETS_ESTABLISHED)
			continue;
		if (port ? socket_is_inet(s) && s->local_port == port
			 : span_equal(record_text(&s->record, &s->local), listener))
			count++;
	}
	return count;
}

static double weigh_listener(const void *key, const void *value, const void *user)
{
	const struct call_path *listener = key;
	const struct call_clients *c = value;
	const struct check *e = user;
	uint64_t refused = c->dropped, kept = connections_kept(e, listener->text);

	/* The port may only be there to show that the process is alive. */
	if (!kept && !*c->log && !check_has_finding(e, "connect-failing"))
		return 0;
	if (kept >= check_option(e, "min-kept"))
		refused += c->turned_away;
	if (!refused || refused < check_option(e, "min-times") ||
		!check_is_over(e, "min-share",
			100 * (double)refused / (double)(refused + c->served), listener->text))
		return 0;
	return (double)refused;
}

static void emit_remedy(const struct check *e, struct check_result *out,
	const struct call_clients *c, uint64_t kept)
{
	const char *setting = limit_setting(e);

	if (*c->log && escape_is_shell_word(c->log, strlen(c->log)))
		finding_remedy(out, "tail -n 3 %s: it writes to that file when it closes one%s%s%s",
			c->log, kept && setting ? "; raise " : "", kept && setting ? setting : "",
			kept && setting ? ", or end idle connections sooner" : "");
	else if (kept && setting)
		finding_remedy(out,
			"raise %s, or end idle connections sooner; sooth inspect --sockets %u "
			"lists those that are open",
			setting, e->id.pid);
	else if (kept)
		finding_remedy(out,
			"sooth inspect --sockets %u lists the connections that are open: end those "
			"that are not needed, or raise the limit of the server",
			e->id.pid);
	else
		finding_remedy(out,
			"sooth trace -p %u -e network shows what it does in between; its log may "
			"have the reason (a list of allowed addresses)",
			e->id.pid);
}

static void report_listener(
	const struct check *e, struct check_result *out, const struct check_ranked *one)
{
	const struct call_path *listener = one->key;
	const struct call_clients *c = one->value;
	uint64_t kept = connections_kept(e, listener->text), refused = (uint64_t)one->weight;
	bool is_explained =
		check_has_finding(e, "connect-failing") || check_has_finding(e, "fd-limit-near");
	bool is_answered = c->turned_away > c->dropped;
	const char *setting = limit_setting(e);

	finding_begin(out, confidence_high_if(kept), listener->text);
	finding_low_if(out, !kept || is_explained);
	finding_connection(out, span_of_string(listener->text));
	finding_claim(out, "closes connections of clients at once%s: %llu of %llu on %s, for %s",
		is_answered ? ", after one short answer" : ", unread", (unsigned long long)refused,
		(unsigned long long)(refused + c->served), listener->text,
		SENTENCE_DURATION(c->last_ns - c->first_ns));
	if (check_has_finding(e, "connect-failing"))
		finding_claim(out, "; it cannot connect to the server behind it");
	else if (check_has_finding(e, "fd-limit-near"))
		finding_claim(out, "; it is almost out of descriptors");
	else if (kept)
		finding_claim(out,
			"; it keeps %llu other%s there: its limit of connections%s%s%s is probably "
			"reached",
			(unsigned long long)kept, kept == 1 ? "" : "s", setting ? " (" : "",
			setting ?: "", setting ? ")" : "");
	else
		finding_claim(out, "; it has no other connection there");
	finding_calls_rate(out, "connections closed at once", refused);
	finding_calls_count(out, "connections read", c->served);
	finding_count(out, "connections open on that socket", kept, 0);
	if (*c->log)
		finding_text(out, "file written to meanwhile", "%s", c->log);
	finding_unseen(out, "the reason: a limit, a list of allowed addresses, or something that "
			    "it needs for them");
	emit_remedy(e, out, c, kept);
}

static void diagnose(const struct check *e, struct check_result *out)
{
	check_report_ranked(e, out, &e->calls.history->clients, weigh_listener, report_listener,
		"no client's connection is closed before it is read");
}

const struct finding_detector finding_clients_refused = { diagnose, FINDING_OPTIONS(options) };
