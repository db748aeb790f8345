/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/answer/answer_parts.h"

#include "analyze/evidence/logged_errors.h"
#include "analyze/records.h"
#include "base/sentence_units.h"
#include "base/units.h"

NUMBER(BEHIND_FEW, 2, NONE, "messages after an error that still ends the log");
NUMBER(PAUSE_NS, 5 * NS_PER_S, NS, "silence after which a log has ended");
NUMBER(SILENT_NS, 900 * NS_PER_S, NS, "older errors are not reported");
NUMBER(TOGETHER, 3, NONE, "messages between an error and its consequence");

/* Returns whether an error matters: it ends the log or is new. Later messages show that the program
 * recovered, or that it still writes. */
static bool is_current_error(const struct logged_error *e)
{
	bool is_last = e->error->behind <= (e->error->is_warning ? 0 : BEHIND_FEW) &&
		       e->file->silent_ns < SILENT_NS && e->file->silent_ns > PAUSE_NS;
	bool has_come = e->error->new_state != SOOTH_STATE_ABSENT && e->error->times_new &&
			!e->error->is_warning && logged_error_is_all(e);

	return is_last || has_come;
}

/* Returns an earlier error close before the last one: the first failure says more ("No space left
 * on device") than the failures that it caused. */
static struct logged_error cause_of(const struct diagnosis_input *input,
	const struct process_entry *p, const struct logged_error *last)
{
	struct logged_error e, best = { 0 };

	for (size_t i = 0; logged_errors_at(input, &p->id, i, &e); i++) {
		if (e.file == last->file && e.error != last->error && !e.error->is_warning &&
			e.error->behind > last->error->behind &&
			e.error->behind <= last->error->behind + TOGETHER &&
			(!best.error || e.error->behind > best.error->behind))
			best = e;
	}
	return best;
}

void answer_log(const struct diagnosis *s, const struct diagnosed *j, const char *before,
	struct buffer *out)
{
	const struct diagnosis_input *input = &s->input;
	bool is_reported = finding_rows_have(&j->findings, "errors-logged") ||
			   finding_rows_have(&j->findings, "thread-ended");
	const struct process_entry *p = is_reported ? NULL : j->process;
	struct logged_error e, cause, last = { 0 };
	struct span text, path;

	for (size_t i = 0; p && logged_errors_at(input, &p->id, i, &e); i++) {
		/* An earlier run of the program may have left older errors in the log. */
		if (is_current_error(&e) && logged_errors_are_of_run(input, p, e.file) &&
			!logged_errors_are_said_above(input, p, e.file) &&
			(!last.error || e.error->behind < last.error->behind))
			last = e;
	}
	if (!last.error)
		return;
	text = record_text(&last.error->record, &last.error->text);
	path = record_text(&last.file->record, &last.file->path);
	if (logged_error_is_in_file(&last))
		buffer_format(out, "%sits log %.*s", before, SPAN_ARGS(path));
	else
		buffer_format(out, "%sits standard error", before);
	if (last.error->behind)
		buffer_string(out, " has");
	else
		buffer_format(out, " ends, %s ago, with", SENTENCE_DURATION(last.file->silent_ns));
	buffer_format(out, " \"%.*s\"", SPAN_ARGS(text));
	if (last.error->times > 1)
		buffer_format(out, ", %u times", last.error->times);
	cause = cause_of(input, p, &last);
	if (!cause.error)
		return;
	text = record_text(&cause.error->record, &cause.error->text);
	buffer_format(out, ", after \"%.*s\"", SPAN_ARGS(text));
}
