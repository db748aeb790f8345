/* SPDX-License-Identifier: BSD-2-Clause */
/* api-slow: a server lets the process wait long for the first byte of its answers. One slow answer
 * is no finding, and neither is an answer whose first byte comes soon and whose rest comes
 * slowly. */
#include "analyze/diagnosis/call_check.h"

static const struct finding_option options[] = {
	TIME_THRESHOLD("min-wait", 5e9, 1e6, 1e15,
		"mean time from a request to the first byte of its answer"),
	THRESHOLD("min-calls", 2, 1, 1e6, "minimum number of answers"),
};

static double mean_wait_ns(const struct api_endpoint *a)
{
	return (double)a->wait_ns / (double)a->waited;
}

static double weigh_endpoint(const void *key, const void *value, const void *user)
{
	const struct api_story_key *k = key;
	const struct api_endpoint *a = value;
	const struct check *e = user;

	if (!process_id_equal(&k->process, &e->id) || !a->waited ||
		a->waited < check_option(e, "min-calls") ||
		!check_is_over(e, "min-wait", mean_wait_ns(a), k->endpoint))
		return 0;
	return (double)a->wait_ns;
}

static void report_endpoint(
	const struct check *e, struct check_result *out, const struct check_ranked *one)
{
	const struct api_story_key *key = one->key;
	const struct api_endpoint *a = one->value;

	finding_begin(out, FINDING_CONFIDENCE_HIGH, key->endpoint);
	finding_connection(out, span_of_string(a->peer));
	finding_claim(out, "%s answers late: %s until the first byte, mean of %llu answers",
		key->endpoint, FORMAT_NS((uint64_t)mean_wait_ns(a)), (unsigned long long)a->waited);
	finding_number(out, "mean time until the first byte", mean_wait_ns(a), SOOTH_UNIT_NS,
		e->calls.interval_ns);
	finding_number(out, "longest", (double)a->wait_max_ns, SOOTH_UNIT_NS, e->calls.interval_ns);
	finding_calls_count(out, "answers", a->waited);
	finding_unseen(out, "how much the server had to do for each: nothing is decrypted");
	finding_remedy(out,
		"sooth api -p %u shows each call; ask for less at a time, or look at the load of "
		"the server",
		e->id.pid);
}

static void diagnose(const struct check *e, struct check_result *out)
{
	check_report_ranked(e, out, &e->input->api.endpoints, weigh_endpoint, report_endpoint,
		"no server answers its requests late");
}

const struct finding_detector finding_api_slow = { diagnose, FINDING_OPTIONS(options) };
