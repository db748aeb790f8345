/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/answer/answer_parts.h"

#include <string.h>

#include "analyze/diagnosis/check_verdict.h"
#include "analyze/evidence/scripts.h"
#include "analyze/process_table/process_match.h"
#include "analyze/process_table/process_table.h"
#include "analyze/profile/profile_hot.h"
#include "analyze/profile/profile_task.h"
#include "base/cleanup.h"
#include "base/sentence_units.h"
#include "base/units.h"

NUMBER(BUSY_PERCENT, 25, PERCENT, "of a CPU from which the hot function is named");
NUMBER(SHARE_PERCENT, 50, PERCENT, "of the samples from which a function is named");
NUMBER(SAMPLES_LEAST, 40, NONE, "with fewer samples a share means nothing");

/* Appends " (PHP code of import.php)". */
static void put_script(struct buffer *out, const struct process_entry *p)
{
	_cleanup_(buffer_fini) struct buffer text = { 0 };

	script_code_put(&text, p);
	if (text.size > 2)
		buffer_format(out, " (%s)", buffer_cstr(&text) + 2);
}

/* Appends " (within rb_equal (libruby.so) (compares values), Ruby code of import.rb)". */
static void put_within(
	struct buffer *out, const struct process_entry *p, const struct buffer *within)
{
	const char *text = (const char *)within->data, *file = memchr(text, '(', within->size);
	size_t size = file && file > text ? (size_t)(file - text - 1) : within->size;

	buffer_format(out, " (within %.*s%s", (int)within->size, text,
		script_code_meaning(span_of(text, size)));
	script_code_put(out, p);
	buffer_char(out, ')');
}

/* Appends the common caller, if the time is spread over many functions. */
static void put_common_caller(
	const struct diagnosis *s, const struct diagnosed *j, struct buffer *out)
{
	struct profile_spots spots = { 0 };

	profile_spots(&s->input.profile, &j->process->id, &spots);
	if (spots.within.size && !spots.is_within_loop)
		put_within(out, j->process, &spots.within);
	else
		put_script(out, j->process);
	profile_spots_fini(&spots);
}

/* Appends where a busy process without a finding spends its time: the place may reveal a loop that
 * no check recognizes. */
static void put_place(const struct diagnosis *s, const struct diagnosed *j, struct buffer *out)
{
	const struct profile_task task = profile_task_find(&s->input.profile, &j->process->id);
	_cleanup_(buffer_fini) struct buffer all = { 0 };
	uint64_t samples =
		profile_hot_functions(&s->input.profile, &j->process->id, PROFILE_IN_SCRIPT, &all);
	const struct profile_hot *hot = (const void *)all.data;

	if (task.text && samples >= SAMPLES_LEAST) {
		buffer_format(out, " (%.0f %% of that in %s)",
			100.0 * (double)task.samples / (double)task.of_samples, task.text);
	} else if (all.size && hot->is_named && samples >= SAMPLES_LEAST &&
		   hot->samples * 100 >= SHARE_PERCENT * samples) {
		buffer_format(out, " (%.0f %% of that in %s%.*s",
			100.0 * (double)hot->samples / (double)samples,
			profile_hot_is_regexp(hot) ? "a regular expression called by " : "",
			SPAN_ARGS(hot->name));
		if (hot->file.size)
			buffer_format(out, " (%.*s)", SPAN_ARGS(hot->file));
		buffer_string(out, script_code_meaning(hot->name));
		script_code_put(out, j->process);
		buffer_char(out, ')');
	} else if (samples >= SAMPLES_LEAST) {
		put_common_caller(s, j, out);
	}
}

void answer_put_use(const struct diagnosis *s, struct buffer *out)
{
	const struct diagnosed *j = &s->all[1];
	const struct process_entry *p = j->process;
	double cpu;

	if (!p || !p->is_there)
		return;
	cpu = process_table_cpu_percent(p);
	buffer_string(out, out->size ? "; it " : "it ");
	buffer_string(out, process_match_kernel(p) ? "is a kernel thread, uses " : "uses ");
	if (cpu >= 0) {
		buffer_format(out, "%.1f %% CPU", cpu);
		if (cpu >= BUSY_PERCENT && !j->count)
			put_place(s, j, out);
		buffer_string(out, " and ");
	}
	buffer_format(out, "%s of memory, started %s ago", SENTENCE_SIZE(p->process->rss_bytes),
		SENTENCE_DURATION(host_state_elapsed(&s->input.host, p) * NS_PER_S));
	if (check_has_new_parent(p))
		buffer_string(out, ", by a process that has ended");
}
