/* SPDX-License-Identifier: BSD-2-Clause */
/* api-retry-storm: requests to a server fail one after the other, in the middle of an answer or
 * after a wait for one, and are made again. connect-failing reports requests that fail at once,
 * before any data came; requests-refused reports requests that the server refuses by a status. */
#include "analyze/diagnosis/call_check.h"

static const struct finding_option options[] = {
	THRESHOLD("min-attempts", 3, 2, 1e6,
		"minimum number of requests that fail one after the other"),
	THRESHOLD("many", 8, 2, 1e6, "severity is medium from this number of attempts"),
};

static double weigh_endpoint(const void *key, const void *value, const void *user)
{
	const struct api_story_key *k = key;
	const struct api_endpoint *a = value;
	const struct check *e = user;

	if (!process_id_equal(&k->process, &e->id) ||
		!check_is_over(e, "min-attempts", a->failed, k->endpoint))
		return 0;
	return (double)a->failed;
}

static const char *reason_of(const struct api_endpoint *a)
{
	if (a->cut * 2 >= a->failed)
		return "the connection fails while the answer comes";
	if (a->given_up * 2 >= a->failed)
		return "no answer comes, and the client gives up";
	return a->closed >= a->reset ? "the server closes the connection without an answer"
				     : "the connection fails before an answer";
}

static void report_endpoint(
	const struct check *e, struct check_result *out, const struct check_ranked *one)
{
	const struct api_story_key *key = one->key;
	const struct api_endpoint *a = one->value;
	double time_s = (double)(a->failed_last_ns - a->failed_since_ns) / 1e9;

	finding_begin(out, FINDING_CONFIDENCE_MEDIUM, key->endpoint);
	finding_low_if(out, a->failed < check_option(e, "many"));
	finding_connection(out, span_of_string(a->peer));
	finding_claim(out,
		"its requests to %s fail again and again: %llu in %.0f s, none answered; %s",
		key->endpoint, (unsigned long long)a->failed, time_s, reason_of(a));
	finding_calls_count(out, "requests that failed", a->failed);
	finding_calls_count(out, "cut in the answer", a->cut);
	finding_calls_count(out, "closed or failed before an answer", a->closed + a->reset);
	finding_calls_count(out, "given up after 5 s or more", a->given_up);
	finding_unseen(out, "why the server ends them: nothing is decrypted");
	finding_remedy(out,
		"sooth api --events -p %u shows each attempt; look at the server, or the proxy "
		"before it, for timeouts and restarts",
		e->id.pid);
}

static void diagnose(const struct check *e, struct check_result *out)
{
	check_report_ranked(e, out, &e->input->api.endpoints, weigh_endpoint, report_endpoint,
		"no requests fail one after the other");
}

const struct finding_detector finding_api_retry_storm = { diagnose, FINDING_OPTIONS(options) };
