/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * thread-churn: a process starts hundreds of threads a second, and they do not stay: each ends
 * before it has done much. Starting and ending a thread takes more time than a short task. A pool
 * starts its threads once; a server that starts one for each connection starts few a second.
 */
#include "analyze/diagnosis/call_check.h"

static const struct finding_option options[] = {
	THRESHOLD("min-rate", 200, 1, 1e9, "minimum number of threads started per second"),
	THRESHOLD("many", 2000, 1, 1e9, "severity is medium from this number per second"),
};

static double most_threads(const struct check *e)
{
	double most = 0;

	for (size_t i = 0; i < e->series.count; i++)
		most = e->series.points[i].threads > most ? e->series.points[i].threads : most;
	return most;
}

static void report_churn(struct check_result *out, const struct check *e, double most)
{
	double rate = check_calls_rate(e, e->calls.history->threads);

	finding_begin(out, check_calls_confidence(e), "");
	finding_low_if(out, rate < check_option(e, "many"));
	finding_claim(out,
		"starts %s%.0f threads a second, and has at most %.0f in any sample: each ends at "
		"once",
		check_calls_least(e), rate, most);
	finding_rate(out, "threads started", rate, SOOTH_UNIT_NONE, e->calls.interval_ns);
	finding_count(out, "most threads in a sample", most, 0);
	finding_percent(out, "CPU", process_table_cpu_percent(e->process), e->calls.interval_ns);
	finding_unseen(out, "what each thread does");
	finding_remedy(out,
		"give the tasks to threads that stay (a pool), or do short ones in place; sooth "
		"profile %u shows the code",
		e->id.pid);
}

static void diagnose(const struct check *e, struct check_result *out)
{
	double most = most_threads(e), started = (double)e->calls.history->threads;

	/* Most of the started threads have ended: a pool that is being filled keeps all of them. */
	if (check_calls_suffice(e, e->calls.history->threads_seen) && most > 0 &&
		most * 2 < started &&
		check_is_over(e, "min-rate", check_calls_rate(e, started), ""))
		report_churn(out, e, most);
	else
		check_calls_fine(e, out, "few threads are started that end again");
}

const struct finding_detector finding_thread_churn = { diagnose, FINDING_OPTIONS(options) };
