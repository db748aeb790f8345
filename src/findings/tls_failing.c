/* SPDX-License-Identifier: BSD-2-Clause */
/* tls-failing: connections are made, but their TLS handshakes fail, as the heads of TLS records
 * show. The program tries again, and its connections look like short ones that work. */
#include <string.h>

#include "analyze/diagnosis/call_check.h"
#include "base/escape.h"

static const struct finding_option options[] = {
	THRESHOLD("min-times", 2, 2, 1e6, "minimum number of handshakes that fail"),
	PERCENT_THRESHOLD(
		"min-share", 80, 1, 100, "minimum share of the handshakes with that server"),
	THRESHOLD("many", 10, 2, 1e6, "severity is medium from this number of failures"),
};

static uint64_t failures_of(const struct call_handshakes *s)
{
	return s->refused_here + s->refused_there + s->closed;
}

static double weigh_handshakes(const void *key, const void *value, const void *user)
{
	const struct call_path *peer = key;
	const struct call_handshakes *s = value;
	const struct check *e = user;
	double failed = (double)failures_of(s);

	if (!failed || failed < check_option(e, "min-times") || s->last_made_ns == s->last_ns ||
		!check_is_over(
			e, "min-share", 100 * failed / (failed + (double)s->made), peer->text))
		return 0;
	return failed;
}

static bool is_refused_here(const struct call_handshakes *s)
{
	return s->refused_here > s->refused_there && s->refused_here >= s->closed;
}

static const char *reason_of(const struct call_handshakes *s)
{
	if (is_refused_here(s))
		return "this process refuses the server, as it does with a certificate that it "
		       "does not trust or that has expired";
	return s->refused_there >= s->closed ? "the server refuses them"
					     : "the connections are closed before any data";
}

static void emit_remedy(
	struct check_result *out, const char *address, const struct call_handshakes *s)
{
	/* The target chose the name of the server, and the line is pasted into a shell. */
	bool is_word = *s->server && escape_is_shell_word(s->server, strlen(s->server));
	const char *option = is_word ? " -servername " : "", *server = is_word ? s->server : "";

	if (is_refused_here(s))
		finding_remedy(out,
			"openssl s_client -connect %s%s%s </dev/null shows the certificate and why "
			"it is not trusted; an authority of your own: NODE_EXTRA_CA_CERTS (node), "
			"SSL_CERT_FILE (OpenSSL, Go), REQUESTS_CA_BUNDLE (requests)",
			address, option, server);
	else
		finding_remedy(out,
			"openssl s_client -connect %s%s%s </dev/null tries the same by hand; the "
			"log of the server has the reason (version, name, client certificate)",
			address, option, server);
}

static const char *served_reason(const struct call_handshakes *s)
{
	if (s->refused_there > s->refused_here && s->refused_there >= s->closed)
		return "the clients end them, as they do with a certificate that they do not trust "
		       "or that has expired";
	return s->refused_here >= s->closed ? "this server refuses them: the version, the name or "
					      "the client's certificate"
					    : "they are closed before any data";
}

static void put_count(struct check_result *out, const char *name, uint64_t count)
{
	if (count)
		finding_calls_count(out, name, count);
}

static void report_as(bool is_server, const struct check *e, struct check_result *out,
	const struct check_ranked *one)
{
	const char *address = check_ranked_path(one);
	const struct call_handshakes *s = one->value;
	unsigned long long failed = failures_of(s), all = failed + s->made;

	finding_begin(out, confidence_high_if(!is_server), address);
	finding_low_if(out, failed < check_option(e, "many"));
	finding_connection(out, span_of_string(address));
	if (is_server) {
		finding_claim(out, "TLS with clients on %s fails: %llu of %llu handshakes; %s",
			address, failed, all, served_reason(s));
		put_count(out, "ended by clients", s->refused_there);
		put_count(out, "ended by this server", s->refused_here);
		finding_remedy(out,
			"openssl s_client -connect %s </dev/null 2>/dev/null | openssl x509 -noout "
			"-subject -issuer -dates shows the certificate that it sends",
			address);
	} else {
		if (*s->server)
			finding_server(out, span_of_string(s->server));
		finding_claim(out, "TLS with %s%s%s%s fails: %llu of %llu handshakes; %s", address,
			*s->server ? " (" : "", s->server, *s->server ? ")" : "", failed, all,
			reason_of(s));
		put_count(out, "ended by this process", s->refused_here);
		put_count(out, "ended by the server", s->refused_there);
		put_count(
			out, "closed by this process before data came from the server", s->closed);
		emit_remedy(out, address, s);
	}
	finding_calls_rate(out, "failures", failed);
	finding_unseen(out, "what an encrypted alert says%s",
		is_server ? ", and which clients these are" : "");
}

static void report_handshakes(
	const struct check *e, struct check_result *out, const struct check_ranked *one)
{
	report_as(false, e, out, one);
}

static void diagnose(const struct check *e, struct check_result *out)
{
	struct check_ranked served;

	if (check_rank(&e->calls.history->served_handshakes, weigh_handshakes, e, &served, 1))
		report_as(true, e, out, &served);
	if (!out->found || e->calls.history->handshakes.count)
		check_report_ranked(e, out, &e->calls.history->handshakes, weigh_handshakes,
			report_handshakes, "no repeated TLS failures");
}

const struct finding_detector finding_tls_failing = { diagnose, FINDING_OPTIONS(options) };
