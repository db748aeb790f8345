/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slow-lookups: much of the time goes into resolving names: the name server answers slowly, or gets
 * many queries, or several queries for each name, as with a long search list. Or a process resolves
 * names again and again, and makes no connection. Or the server answers none of several queries.
 */
#include <string.h>

#include "analyze/diagnosis/call_check.h"
#include "base/sentence_units.h"

NUMBER(ASKED_LEAST, 2, NONE,
	"queries, the first of them so long ago: one answer may be on its way");
NUMBER(SILENT_LEAST, NS_PER_S, NS, "of a query without an answer");
NUMBER(MANY_EACH, 3, NONE,
	"queries for each connection: more than A and AAAA, one after the other");

static const struct finding_option options[] = {
	PERCENT_THRESHOLD("min-wait", 30, 1, 100,
		"minimum percentage of the time in which the process waits for its name servers"),
	THRESHOLD("min-answers", 5, 1, 1e9, "minimum number of answers"),
	TIME_THRESHOLD("slow", 100e6, 1e5, 1e12,
		"mean time until an answer from which severity is medium"),
	UNLISTED("min-vain", 10, 1, 1e9,
		"minimum number of answers after which nothing is connected"),
	UNLISTED("vain-rate", 1, 0.01, 1e9, "minimum number of such answers per second"),
};

struct lookups {
	double answers, wait_ns;
	uint64_t connects;  /* connections to other servers than name servers */
	const char *server; /* the server with most answers */
	double most;
	/* A server that did not answer at all: how often it got queries, and for how long. */
	const char *silent;
	uint64_t questions, silent_ns;
};

/* Returns the address of a name server, "127.0.0.1:53" of "UDP →127.0.0.1:53"; NULL: it is no name
 * server. */
static const char *server_of(const char *connection)
{
	const char *arrow = strstr(connection, FD_FOLLOW_ARROW), *port = strrchr(connection, ':');

	return arrow && port && !strncmp(connection, "UDP", 3) && !strcmp(port, ":53")
		       ? arrow + strlen(FD_FOLLOW_ARROW)
		       : NULL;
}

static void add_server(struct lookups *l, const char *server, const struct call_exchange *x)
{
	l->answers += (double)x->answered;
	l->wait_ns += (double)x->wait_ns / (double)x->seen * (double)x->answered;
	if ((double)x->answered <= l->most)
		return;
	l->most = (double)x->answered;
	l->server = server;
}

static struct lookups lookups_of(const struct call_history *h)
{
	struct lookups l = { 0 };

	map_for_each (
		&h->exchanges, const struct call_path *, key, const struct call_exchange *, x) {
		const char *server = server_of(key->text);

		if (server && x->seen)
			add_server(&l, server, x);
		else if (server && x->sends >= ASKED_LEAST && x->sends > l.questions &&
			 x->last_ns - x->begun_ns >= SILENT_LEAST) {
			l.silent = server;
			l.questions = x->sends;
			l.silent_ns = x->last_ns - x->begun_ns;
		}
	}
	map_for_each_value (&h->peers, const struct call_peer *, p) {
		/* A unix socket has no service: glibc tries nscd first. */
		if (*p->service && strcmp(p->service, ":53") != 0)
			l.connects += p->attempts;
	}
	return l;
}

static void report_lookups(struct check_result *out, const struct check *e, const struct lookups *l)
{
	double share = 100 * l->wait_ns / (double)e->calls.interval_ns,
	       each = l->wait_ns / l->answers;
	bool is_many = l->connects && l->answers >= MANY_EACH * l->connects;

	finding_begin(out, check_calls_confidence(e), l->server);
	finding_low_if(out, each < check_option(e, "slow"));
	finding_claim(out,
		"%.0f %% of its time it waits for name lookups: %.0f answers of the name server "
		"%s, %s each%s",
		share < 100 ? share : 100, l->answers, l->server, SENTENCE_DURATION((uint64_t)each),
		is_many ? "; several questions for each connection: perhaps a long search list"
			: "");
	finding_calls_rate(out, "answers", l->answers);
	finding_number(
		out, "mean time until the answer", each, SOOTH_UNIT_NS, e->calls.interval_ns);
	if (l->connects)
		finding_calls_count(out, "connections begun meanwhile", l->connects);
	finding_unseen(out, "which names it asks for");
	if (is_many)
		finding_remedy(out,
			"look at search and ndots in /etc/resolv.conf: a name with a dot at "
			"its end is asked for once; or use the address, or a cache");
	else
		finding_remedy(out, "use a nearer name server, a local cache, or keep connections "
				    "open instead of resolving the name each time");
}

/* Returns whether lookups are in vain. The answers themselves are not read: an error looks like an
 * address that is not used. */
static bool are_in_vain(const struct check *e, const struct lookups *l)
{
	return !l->connects && l->answers >= check_option(e, "min-vain") &&
	       check_is_over(e, "vain-rate", check_calls_rate(e, l->answers), l->server);
}

static void report_vain(struct check_result *out, const struct check *e, const struct lookups *l)
{
	finding_begin(out, confidence_medium_if(!e->calls.lost), "vain");
	finding_severity(out, FINDING_LOW);
	finding_claim(out,
		"looks up names %.1f times a second, and connects to nothing: probably a name that "
		"does not exist",
		check_calls_rate(e, l->answers));
	finding_text(out, "name server", "%s", l->server);
	finding_calls_count(out, "answers", l->answers);
	finding_unseen(out, "which names it asks for, and what is answered");
	finding_remedy(out, "getent hosts NAME shows whether a name of its configuration exists; a "
			    "program that tries again should wait longer each time");
}

static void report_silent(struct check_result *out, const struct check *e, const struct lookups *l)
{
	finding_begin(out, confidence_medium_if(!e->calls.lost), "silent");
	finding_severity(out, FINDING_MEDIUM);
	finding_claim(out, "the name server %s does not answer: asked %llu times in %s", l->silent,
		(unsigned long long)l->questions, SENTENCE_DURATION(l->silent_ns));
	finding_calls_count(out, "questions", l->questions);
	finding_unseen(out, "which names it asks for");
	finding_remedy(out, "getent hosts NAME shows whether any name server answers; the name "
			    "servers are in /etc/resolv.conf");
}

static void diagnose(const struct check *e, struct check_result *out)
{
	struct lookups l = lookups_of(e->calls.history);

	if (l.answers >= check_option(e, "min-answers") &&
		check_is_over(
			e, "min-wait", 100 * l.wait_ns / (double)e->calls.interval_ns, l.server))
		report_lookups(out, e, &l);
	else if (l.silent && !l.answers)
		report_silent(out, e, &l);
	else if (are_in_vain(e, &l))
		report_vain(out, e, &l);
	else
		check_fine(out, "little time goes into name lookups");
}

const struct finding_detector finding_slow_lookups = { diagnose, FINDING_OPTIONS(options) };
