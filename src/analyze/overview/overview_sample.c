/* SPDX-License-Identifier: BSD-2-Clause */
/* Sampled call stacks of a process: its hot functions, and what they show. */
#include <stdlib.h>

#include "analyze/overview/overview_parts.h"
#include "analyze/profile/profile_hot.h"
#include "analyze/profile/profile_patterns.h"
#include "analyze/records.h"
#include "base/cleanup.h"

#define FUNCTIONS_SHOWN 25
#define UNNAMED_LEAST	0.5 /* share of samples without a function name that is reported */

static void add_functions(const struct process_id *id, const struct buffer *hot, struct buffer *out)
{
	const struct profile_hot *all = (const void *)hot->data;
	size_t count = hot->size / sizeof(*all);

	for (size_t i = 0; i < count && i < FUNCTIONS_SHOWN; i++) {
		struct overview_count_row row = { .record = row_head(id), .count = all[i].samples };
		struct record_tail tail[] = { tail_span(&row.name, all[i].name) };

		RECORD_APPEND(out, &row, tail, 1);
	}
}

static void add_issue(const struct process_id *id, const char *issue,
	enum finding_severity severity, const struct buffer *text, const char *remedy,
	struct buffer *out)
{
	struct overview_issue_row row = { .record = row_head(id), .severity = severity };
	struct record_tail tail[] = { tail_string(&row.issue, issue),
		tail_buffer(&row.description, text), tail_string(&row.remedy, remedy) };

	RECORD_APPEND(out, &row, tail, ARRAY_SIZE(tail));
}

static void add_matches(
	const struct profile_sums *sums, const struct process_id *id, struct buffer *out)
{
	struct profile_match found[PROFILE_PATTERNS_MAX];
	size_t count = profile_patterns_match(sums, id, found);
	struct buffer text = { 0 };

	for (size_t i = 0; i < count; i++) {
		buffer_reset(&text);
		buffer_format(&text, "%.0f %% of the CPU time is %s", found[i].share * 100,
			found[i].pattern->text);
		if (found[i].function.size)
			buffer_format(&text, ": most in %.*s", (int)found[i].function.size,
				found[i].function.data);
		add_issue(id, found[i].pattern->id, found[i].pattern->severity, &text,
			found[i].pattern->remedy, out);
	}
	buffer_fini(&text);
}

/* The patterns are names of functions: code without them is not judged. */
static void add_unnamed(
	const struct process_id *id, const struct buffer *hot, uint64_t samples, struct buffer *out)
{
	const struct profile_hot *all = (const void *)hot->data;
	uint64_t unnamed = 0;
	struct buffer text = { 0 };

	for (size_t i = 0; i < hot->size / sizeof(*all); i++)
		unnamed += all[i].is_named ? 0 : all[i].samples;
	if (samples < PROFILE_PATTERN_LEAST || (double)unnamed < UNNAMED_LEAST * (double)samples)
		return;
	buffer_format(&text,
		"%.0f %% of the samples are in code without function names: what it does is not "
		"known",
		100 * (double)unnamed / (double)samples);
	add_issue(id, "no-function-names", FINDING_INFO, &text,
		"install the debug symbols of the program", out);
	buffer_fini(&text);
}

void overview_add_sample(const char *refused, const struct diagnosis_input *input,
	const struct diagnosed *j, struct buffer *out)
{
	struct buffer hot = { 0 }, in_user = { 0 }, functions = { 0 }, issues = { 0 };
	struct overview_sample_row row = { .record = row_head(&j->id),
		.success = !refused,
		.error_state = refused ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT,
		.thread_count = j->process->process->threads };
	uint64_t samples = 0;

	if (!refused) {
		profile_hot_functions(&input->profile, &j->id, PROFILE_ON_TOP, &hot);
		samples = profile_hot_functions(&input->profile, &j->id, PROFILE_IN_USER, &in_user);
	}
	add_functions(&j->id, &hot, &functions);
	add_matches(&input->profile, &j->id, &issues);
	add_unnamed(&j->id, &in_user, samples, &issues);
	struct record_tail tail[] = {
		tail_buffer(&row.hot_functions, &functions),
		tail_buffer(&row.diagnosis, &issues),
		tail_string(&row.error, refused ? refused : ""),
	};
	RECORD_APPEND(out, &row, tail, ARRAY_SIZE(tail));
	buffer_fini(&hot);
	buffer_fini(&in_user);
	buffer_fini(&functions);
	buffer_fini(&issues);
}
