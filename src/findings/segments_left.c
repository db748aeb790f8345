/* SPDX-License-Identifier: BSD-2-Clause */
/* segments-left: the process makes segments of System V shared memory, and more and more of them
 * are attached to no process. They count to no process's size and stay when the process ends, until
 * they are removed. */
#include "analyze/diagnosis/check.h"
#include "base/sentence_units.h"
#include "probes/limits.h"

NUMBER(NEARLY_ALL, 0.8, NONE, "share of the limit");

static const struct finding_option options[] = {
	THRESHOLD("min-gain", 4, 1, 1e6,
		"minimum number by which unused segments increase during the observation"),
	BYTES_THRESHOLD("many", 268435456, 0, 1e15,
		"severity is high from this size of the unused segments"),
};

static bool is_high(const struct check *e, const struct limits_segments *now)
{
	bool is_near = now->segments_max && now->all_segments >= NEARLY_ALL * now->segments_max;

	return is_near || now->unattached_bytes >= check_option(e, "many");
}

static void report_segments(const struct check *e, struct check_result *out,
	const struct limits_segments *then, const struct limits_segments *now)
{
	uint64_t interval_ns = now->record.time_ns - then->record.time_ns;
	uint64_t gain = now->unattached - then->unattached;
	double per_s = (double)gain * (double)NS_PER_S / (double)interval_ns;

	finding_begin(out, FINDING_CONFIDENCE_HIGH, "");
	if (is_high(e, now))
		finding_severity(out, FINDING_HIGH);
	finding_claim(out,
		"leaves shared memory behind: %llu more System V segments in %s that no process "
		"uses, now %llu with %s",
		(unsigned long long)gain, SENTENCE_DURATION(interval_ns),
		(unsigned long long)now->unattached, SENTENCE_SIZE(now->unattached_bytes));
	finding_rate(out, "growth", per_s, SOOTH_UNIT_NONE, interval_ns);
	finding_count(out, "segments it created", now->segments, 0);
	finding_bytes(out, "memory of unused segments when the observation started",
		then->unattached_bytes);
	finding_bytes(
		out, "memory of unused segments when the observation ended", now->unattached_bytes);
	if (now->segments_max) {
		finding_count(out, "segments of all processes", now->all_segments, 0);
		finding_count(out, "kernel.shmmni, the limit of segments", now->segments_max, 0);
	}
	finding_unseen(out, "whether another process will still use these segments");
	finding_remedy(out, "ipcs -m -p lists them with their creator, ipcrm -m ID removes one; in "
			    "the program: shmctl with IPC_RMID once all have attached the segment");
}

static void diagnose(const struct check *e, struct check_result *out)
{
	const struct limits_segments *then =
		snapshot_find(check_first(e, &e->input->limits), LIMITS_SEGMENTS, sizeof(*then));
	const struct limits_segments *now =
		snapshot_find(check_last(e, &e->input->limits), LIMITS_SEGMENTS, sizeof(*now));

	if (!then || !now || now->record.time_ns <= then->record.time_ns)
		check_blind_because(out,
			"its System V shared memory was not read twice: it is in another IPC "
			"namespace, or may not be read",
			CHECK_LONGER);
	else if (now->unattached < then->unattached ||
		 (double)(now->unattached - then->unattached) < check_option(e, "min-gain"))
		check_fine(out, "unused segments of System V shared memory: %llu, then %llu",
			(unsigned long long)then->unattached, (unsigned long long)now->unattached);
	else
		report_segments(e, out, then, now);
}

const struct finding_detector finding_segments_left = { diagnose, FINDING_OPTIONS(options) };
