/* SPDX-License-Identifier: BSD-2-Clause */
/* requests-refused: a server answers with errors, and the process asks again. An error now and
 * then is part of the work, and so is one that a success follows, as when credentials are sent
 * only when they are demanded. */
#include "analyze/diagnosis/call_check.h"
#include "base/cleanup.h"

NUMBER(HASTY, 10, NONE, "refused requests a second of a client that does not back off");

static const struct finding_option options[] = {
	THRESHOLD("min-answers", 3, 2, 1e6, "minimum number of answers that are errors"),
	PERCENT_THRESHOLD("min-share", 80, 1, 100, "minimum share of the answers of that server"),
	THRESHOLD("many", 10, 2, 1e6,
		"severity is medium from this number of answers that are errors"),
};

struct meaning {
	uint32_t status;
	const char *text, *remedy;
};

static const struct meaning meanings[] = {
	{ 400, "bad request", "the request itself is wrong: look at what the program sends" },
	{ 401, "no valid credentials", "renew the credentials: API key, token or password" },
	{ 402, "payment required", "look at the account at the service" },
	{ 403, "forbidden", "check what these credentials may do, and whether they still hold" },
	{ 407, "the proxy wants credentials", "set the credentials of the proxy" },
	{ 408, "the request took too long", "look at what delays sending the request" },
	{ 413, "the request is too large", "send less at a time" },
	{ 429, "too many requests",
		"ask less often: wait as long as Retry-After says, and longer after each refusal" },
	{ 500, "error in the server", "look into the log of the server" },
	{ 502, "no answer from behind the proxy", "look whether the server behind the proxy runs" },
	{ 503, "the server is overloaded or not ready",
		"look whether the server, or the one behind the proxy, runs and is ready" },
	{ 504, "timeout behind the proxy", "look what the server behind the proxy does so long" },
	{ 529, "the server is overloaded",
		"wait longer after each refusal; the service's status page says more" },
};

static const struct meaning *meaning_of(uint32_t status)
{
	for (size_t i = 0; i < ARRAY_SIZE(meanings); i++) {
		if (meanings[i].status == status)
			return &meanings[i];
	}
	return NULL;
}

static uint32_t most_frequent(const struct call_answers *a)
{
	size_t best = 0;

	for (size_t i = 1; i < CALL_ANSWER_ERRORS; i++) {
		if (a->errors[i].count > a->errors[best].count)
			best = i;
	}
	return a->errors[best].status;
}

static double weigh_answers(const void *key, const void *value, const void *user)
{
	const struct call_path *path = key;
	const struct call_answers *a = value;
	const struct check *e = user;

	if (!a->bad || a->bad < check_option(e, "min-answers") ||
		a->last_good_ns > a->last_bad_ns ||
		!check_is_over(e, "min-share", 100 * (double)a->bad / (double)(a->good + a->bad),
			path->text))
		return 0;
	return (double)a->bad;
}

static void report_answers(
	const struct check *e, struct check_result *out, const struct check_ranked *one)
{
	const struct call_path *peer = one->key;
	const struct call_answers *a = one->value;
	uint32_t status = most_frequent(a);
	const struct meaning *m = meaning_of(status);
	double per_s = check_calls_rate(e, a->bad);

	finding_begin(out, FINDING_CONFIDENCE_HIGH, peer->text);
	finding_low_if(out, a->bad < check_option(e, "many"));
	finding_connection(out, span_of_string(peer->text));
	finding_claim(out,
		"%s refuses its requests: %llu of %llu answers are errors, HTTP %u%s%s%s",
		peer->text, (unsigned long long)a->bad, (unsigned long long)(a->good + a->bad),
		status, m ? " (" : "", m ? m->text : "", m ? ")" : "");
	if (per_s >= HASTY)
		finding_claim(out, "; it asks again at once, %.0f times a second, without a pause",
			per_s);
	finding_calls_count(out, "answers that are errors", a->bad);
	finding_calls_count(out, "other answers of that server", a->good);
	for (size_t i = 0; i < CALL_ANSWER_ERRORS && a->errors[i].count; i++)
		finding_text(out, "HTTP status", "%u: %u times", a->errors[i].status,
			a->errors[i].count);
	finding_rate(out, "refused requests", per_s, SOOTH_UNIT_NONE, e->calls.interval_ns);
	finding_unseen(out, "what the answers say beside their status: they are not read");
	finding_remedy(out, "%s",
		m ? m->remedy : "look into the log of the server, and at what the program sends");
}

static void diagnose(const struct check *e, struct check_result *out)
{
	check_report_ranked(e, out, &e->calls.history->answers, weigh_answers, report_answers,
		"no server answers its requests with errors only");
}

const struct finding_detector finding_requests_refused = { diagnose, FINDING_OPTIONS(options) };
