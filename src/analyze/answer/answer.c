/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/answer/answer.h"

#include "analyze/answer/answer_parts.h"
#include "analyze/answer/answer_name.h"
#include "analyze/answer/answer_waits.h"
#include "analyze/evidence/awaited.h"
#include "analyze/answer/causes.h"
#include "analyze/diagnosis/check.h"
#include "analyze/records.h"
#include "base/cleanup.h"
#include "explain/section_columns.h"

#define OTHERS_MAX  3 /* findings per process that get a line, besides the worst */
#define NO_SEVERITY FINDING_SEVERITIES

struct answer {
	struct output *output;
	const struct diagnosis *s;
	const struct causes *causes;
	struct sooth_error *err;
	int status;
};

/* --- lines --- */

/* Emits a line; it has no color with NO_SEVERITY. */
static void put_line(struct answer *a, unsigned severity, const struct buffer *text)
{
	struct finding_answer_row row = { .severity = (uint8_t)severity,
		.severity_state = state_if(severity < NO_SEVERITY) };
	struct record_tail tail[] = { tail_buffer(&row.text, text) };

	if (!a->status)
		a->status = OUTPUT_ROW(a->output, &row, tail, ARRAY_SIZE(tail), a->err);
}

/* Emits a line unless it is empty, and frees `text`. */
static void end_line(struct answer *a, unsigned severity, struct buffer *text)
{
	if (text->size)
		put_line(a, severity, text);
	buffer_fini(text);
}

static void put_string(struct answer *a, const char *text)
{
	_cleanup_(buffer_fini) struct buffer line = { 0 };

	buffer_string(&line, text);
	put_line(a, NO_SEVERITY, &line);
}

static bool is_single(const struct answer *a)
{
	return a->s->count == 2;
}

static const struct cause_process *process_of(const struct answer *a, const struct diagnosed *j)
{
	return &a->causes->processes[j - a->s->all];
}

/* --- findings --- */

static void put_do(struct answer *a, struct span remedy)
{
	struct buffer line = { 0 };

	buffer_format(&line, "  do: %.*s", SPAN_ARGS(remedy));
	end_line(a, NO_SEVERITY, &line);
}

static void put_remedy(struct answer *a, const struct finding_row *f)
{
	struct span remedy = record_text(&f->record, &f->remedy);

	if (f->remedy_state == SOOTH_STATE_VALUE && remedy.size)
		put_do(a, remedy);
}

/* Appends the file that a process waits for; not for an agent whose activity is known. */
static void add_awaited(
	const struct answer *a, const struct diagnosed *j, const char *before, struct buffer *out)
{
	_cleanup_(buffer_fini) struct buffer activity = { 0 };

	answer_activity(a->s, j, &activity);
	if (!activity.size)
		awaited_path_put(&a->s->input, j->process, before, out);
}

static void put_log(struct answer *a, const struct diagnosed *j)
{
	struct buffer line = { 0 };

	answer_log(a->s, j, "  ", &line);
	end_line(a, NO_SEVERITY, &line);
	if (!j->count)
		add_awaited(a, j, "  ", &line);
	end_line(a, NO_SEVERITY, &line);
}

/* Emits the evidence of the worst finding, whose claim stands in an earlier line. */
static void put_worst(struct answer *a, const struct diagnosed *j)
{
	struct buffer line = { 0 };

	if (!is_single(a)) {
		answer_name(a->s, j, &line);
		buffer_string(&line, ", ");
	}
	answer_kind(answer_worst(j), &line);
	answer_evidence(answer_worst(j), &line);
	end_line(a, NO_SEVERITY, &line);
	put_log(a, j);
	put_remedy(a, answer_worst(j));
}

static void put_others(struct answer *a, const struct diagnosed *j)
{
	struct buffer line = { 0 };
	unsigned n = 0;

	rows_for_each (struct finding_row, f, &j->findings) {
		if (!n++ || n > OTHERS_MAX + 1)
			continue;
		buffer_string(&line, "  also ");
		answer_kind(f, &line);
		answer_claim(f, &line);
		end_line(a, f->severity, &line);
	}
	if (n > OTHERS_MAX + 1)
		buffer_format(&line, "  and %u more (-v)", n - OTHERS_MAX - 1);
	end_line(a, NO_SEVERITY, &line);
}

/* --- what is fine --- */

/* Returns whether another process has waited long for this one, or has a finding because of it. */
static bool holds_up_another(const struct answer *a, const struct diagnosed *j)
{
	for (size_t i = 0; i < a->causes->count; i++) {
		const struct cause *c = &a->causes->all[i];
		const struct finding_type *type = c->finding ? diagnosis_type_of(c->finding) : NULL;

		if (j->is_host || c->of == j)
			continue;
		if (answer_waits_for(a->s, c->of, j->id.pid) ||
			(type && (type->is_of_holder || type->is_of_peer) &&
				c->root_pid == j->id.pid))
			return true;
	}
	return false;
}

/* Returns whether a process of the session with this main process has a line. */
static bool has_line_in_session(const struct answer *a, const struct diagnosed *j)
{
	for (size_t i = 0; i < a->causes->count && j->process; i++) {
		const struct process_entry *of = a->causes->all[i].of->process;

		if (of && of->main == j->process)
			return true;
	}
	return false;
}

/* Returns whether a process was checked and is well. A process with an open check belongs to
 * another list; one whose wait has a line belongs to none. */
static bool is_healthy(const struct answer *a, const struct diagnosed *j, bool is_open)
{
	const struct cause_process *p = process_of(a, j);

	return !j->count && !p->is_hidden && answer_is_open(j) == is_open &&
	       !answer_is_troubled(a->s, j) && !answer_needs_user(a->s, j) &&
	       !holds_up_another(a, j) && !has_line_in_session(a, j) &&
	       (j->is_host || is_single(a) || (!p->waits && !answer_is_child(a->s, j)));
}

static void put_healthy(struct answer *a, bool is_open, const char *title)
{
	struct buffer line = { 0 };

	for (size_t i = 1; i <= a->s->count; i++) {
		const struct diagnosed *j = &a->s->all[i % a->s->count]; /* the host comes last */

		if (!is_healthy(a, j, is_open))
			continue;
		buffer_string(&line, line.size ? ", " : title);
		answer_name(a->s, j, &line);
	}
	end_line(a, NO_SEVERITY, &line);
}

static size_t rows_in(const struct buffer *rows)
{
	size_t count = 0;

	rows_for_each (struct sooth_record, r, rows)
		count++;
	return count;
}

/* Emits the number of checks that found nothing, and the resource use, for a single process. */
static void put_fine_checks(struct answer *a)
{
	const struct diagnosed *j = &a->s->all[1];
	bool is_troubled = j->count || a->causes->processes[1].waits || answer_is_troubled(a->s, j);
	size_t count = rows_in(&j->fine);
	struct buffer line = { 0 };

	if (count)
		buffer_format(&line, "fine: %zu %scheck%s", count, is_troubled ? "other " : "",
			count == 1 ? "" : "s");
	answer_put_use(a->s, &line);
	end_line(a, NO_SEVERITY, &line);
}

/* --- what could not be checked --- */

static void put_left_out(struct answer *a)
{
	unsigned count = answer_waits_left_out(a->s);
	struct buffer line = { 0 };

	if (!count)
		return;
	buffer_format(&line,
		"not looked at: what %u process%s wait%s for (the time for it was used up)", count,
		count == 1 ? "" : "es", count == 1 ? "s" : "");
	end_line(a, NO_SEVERITY, &line);
	put_string(a, "  do: sooth why PID");
}

static void put_unseen(struct answer *a)
{
	struct buffer paragraph = { 0 }, remedy = { 0 }, line = { 0 };

	put_left_out(a);
	answer_unseen(a->s, &paragraph, &remedy);
	if (paragraph.size)
		buffer_format(&line, "not judged: %s", buffer_cstr(&paragraph));
	end_line(a, NO_SEVERITY, &line);
	if (remedy.size)
		put_do(a, span_of((const char *)remedy.data, remedy.size));
	output_says_privilege(
		a->output, span_starts(span_of((const char *)remedy.data, remedy.size), "sudo "));
	buffer_fini(&paragraph);
	buffer_fini(&remedy);
}

/* --- all of it --- */

/* Appends "psql (4711) waits for ...", or "claude 4711: waits for you: ...". */
static bool add_single_wait(const struct answer *a, struct buffer *out)
{
	const struct diagnosed *j = &a->s->all[1];

	if (answer_stuck(a->s, j, out))
		return true;
	if (!answer_tells_activity(a->s, j))
		return false;
	answer_name(a->s, j, out);
	answer_activity_after(a->s, j, ": ", out);
	return true;
}

/* Returns whether one line is enough: a single process is well, apart from checks that came too
 * early. */
static bool is_one_line(const struct answer *a)
{
	_cleanup_(buffer_fini) struct buffer ignored = { 0 };

	return is_single(a) && !a->causes->sick && answer_unseen_is_early(a->s) &&
	       !answer_waits_left_out(a->s) && !add_single_wait(a, &ignored);
}

/* Appends "claude 4711: runs Bash; no problem found". */
static void add_single(const struct answer *a, struct buffer *out)
{
	const struct diagnosed *j = &a->s->all[1];
	size_t begin, count = rows_in(&j->fine);
	bool is_left, is_troubled;

	answer_name(a->s, j, out);
	buffer_string(out, ": ");
	begin = out->size;
	if (answer_ended(a->s, j, out)) {
		buffer_format(out, "; no problem found before that by %zu check%s", count,
			count == 1 ? "" : "s");
		return;
	}
	is_left = answer_left(j, out);
	answer_activity_after(a->s, j, out->size > begin ? "; " : "", out);
	is_troubled = answer_is_troubled(a->s, j);
	if (out->size == begin && is_one_line(a))
		is_troubled |= answer_clients(a->s, j, out);
	buffer_format(out, "%sno %sproblem found", out->size > begin ? "; " : "",
		is_left || is_troubled ? "other " : "");
	if (is_one_line(a))
		buffer_format(out, " by %zu check%s", count, count == 1 ? "" : "s");
	answer_unseen_headline(a->s, out);
	if (is_one_line(a)) {
		answer_put_use(a->s, out);
		answer_rest(a->s, j, out);
	}
	answer_log(a->s, j, "; ", out);
	add_awaited(a, j, "; ", out);
}

/* Appends that nothing was found; `other`: "other", after lines about waits. */
static void add_nothing_found(const struct answer *a, const char *other, struct buffer *out)
{
	bool is_seen = a->s->input.host.process_table.last_ns;

	if (a->s->count == 1) {
		buffer_string(out, is_seen ? "no agents are running; to check another process: "
					     "sooth diagnose PID"
					   : "no processes in the recording");
		return;
	}
	if (is_single(a)) {
		add_single(a, out);
		return;
	}
	buffer_format(out, "no %sproblem found", other);
	answer_unseen_headline(a->s, out);
}

/* Appends the worst cause; false: no problem and no wait is known. */
static bool add_cause(const struct answer *a, struct buffer *out)
{
	if (!a->causes->sick && (!a->causes->count || is_single(a)))
		return is_single(a) && add_single_wait(a, out);
	cause_put(&a->causes->all[0], a->s, out);
	return true;
}

static void add_headline(const struct answer *a, struct buffer *out)
{
	if (!add_cause(a, out))
		add_nothing_found(a, "", out);
}

static unsigned severity_of(const struct causes *causes)
{
	return causes->sick ? causes->all[0].of->worst : NO_SEVERITY;
}

void answer_so_far(
	const struct diagnosis *s, const struct output *output, struct findings_so_far *out)
{
	struct causes causes;
	struct answer a = { .s = s, .causes = &causes };
	struct sooth_value value = { .state = SOOTH_STATE_VALUE };
	_cleanup_(buffer_fini) struct buffer activity = { 0 };

	if (causes_find(&causes, s, output))
		return;
	value.u = severity_of(&causes);
	out->color = causes.sick ? section_level_color(
					   sooth_schema_field(&finding_answer_schema, "severity"),
					   &value)
				 : NULL;
	if (!add_cause(&a, &out->line) && is_single(&a)) {
		answer_activity_after(s, &s->all[1], ": ", &activity);
		if (activity.size)
			answer_name(s, &s->all[1], &out->line);
		buffer_append(&out->line, activity.data, activity.size);
	}
	causes_fini(&causes);
}

void answer_headline(const struct diagnosis *s, const struct causes *shown, struct buffer *out)
{
	struct answer a = { .s = s, .causes = shown };
	struct causes all = { 0 };

	if (shown->has_hidden) {
		if (causes_find(&all, s, NULL))
			return;
		a.causes = &all;
	}
	add_headline(&a, out);
	causes_fini(&all);
}

static void put_headline(struct answer *a)
{
	struct buffer line = { 0 };

	add_headline(a, &line);
	end_line(a, severity_of(a->causes), &line);
}

static void put_victims(struct answer *a, const struct cause *c)
{
	struct buffer line = { 0 };

	cause_put_victims(c, a->s, &line);
	end_line(a, NO_SEVERITY, &line);
	cause_put_alike(c, a->s, &line);
	end_line(a, NO_SEVERITY, &line);
	for (size_t i = 0; i < c->victim_count - c->alike; i++) {
		cause_put_effect(c, a->s, i, &line);
		end_line(a, NO_SEVERITY, &line);
	}
}

/* Emits how many more processes wait, if there are too many for a line each. */
static void put_more_waiting(struct answer *a)
{
	struct buffer line = { 0 };
	unsigned count = a->causes->more_waiting;

	if (count)
		buffer_format(&line, "%u %sprocess%s (-v)", count,
			a->causes->count > a->causes->sick ? "more " : "",
			count == 1 ? " waits" : "es wait");
	end_line(a, NO_SEVERITY, &line);
}

static bool has_trouble(const struct answer *a)
{
	for (size_t i = 1; i < a->s->count; i++) {
		if (answer_is_troubled(a->s, &a->s->all[i]))
			return true;
	}
	return false;
}

/* Emits the causes after the first, which is the headline. */
static void put_causes(struct answer *a)
{
	const struct causes *c = a->causes;
	struct buffer line = { 0 };

	for (size_t i = 0; i < c->count; i++) {
		const struct cause *cause = &c->all[i];

		if (is_single(a) && i && !cause->finding)
			break;
		if (i)
			cause_put(cause, a->s, &line);
		end_line(a, cause->finding ? cause->of->worst : NO_SEVERITY, &line);
		put_victims(a, cause);
		if (!is_single(a) && !cause->finding && i)
			answer_tool_advice(a->s, cause->of, &line);
		else if (!is_single(a) && !cause->finding)
			answer_way_out(a->s, cause->of, &line);
		if (line.size)
			put_do(a, span_of((const char *)line.data, line.size));
		buffer_fini(&line);
	}
	if (!is_single(a))
		put_more_waiting(a);
	if (c->count && !c->sick && !is_single(a))
		add_nothing_found(a,
			process_of(a, c->all[0].of)->waits || has_trouble(a) ||
					answer_needs_user(a->s, c->all[0].of)
				? "other "
				: "",
			&line);
	end_line(a, NO_SEVERITY, &line);
}

static void put_rest(struct answer *a)
{
	_cleanup_(buffer_fini) struct buffer line = { 0 };

	put_causes(a);
	if (is_single(a) && !a->causes->sick && a->causes->processes[1].waits)
		put_log(a, &a->s->all[1]);
	if (is_single(a) && !a->causes->sick)
		answer_way_out(a->s, &a->s->all[1], &line);
	if (line.size)
		put_do(a, span_of((const char *)line.data, line.size));
	if (!is_single(a)) {
		put_healthy(a, false, "fine: ");
		put_healthy(a, true, "no problem found in what could be checked: ");
	}
	if (a->causes->sick && !is_single(a))
		put_string(a, "");
	for (size_t i = 0; i < a->causes->sick; i++) {
		put_worst(a, a->causes->all[i].of);
		put_others(a, a->causes->all[i].of);
	}
	if (is_one_line(a))
		return;
	if (is_single(a))
		put_fine_checks(a);
	else if (a->causes->sick)
		put_string(a, "");
	if (a->s->count > 1)
		put_unseen(a);
}

static void open_section(struct answer *a, const struct section *section)
{
	if (!a->status)
		a->status = output_section(a->output, section, a->err);
}

int answer_emit(struct output *output, const struct diagnosis *s, const struct causes *causes,
	struct sooth_error *err)
{
	static const struct section headline = SECTION_OF("headline", finding_answer_schema, TABLE,
		.audience = SECTION_FOR_PEOPLE, .wraps = true, .color = "severity");
	static const struct section rest = SECTION_OF("answer", finding_answer_schema, TABLE,
		.audience = SECTION_BRIEF, .wraps = true, .color = "severity");
	struct answer a = { .output = output, .s = s, .causes = causes, .err = err };

	open_section(&a, &headline);
	put_headline(&a);
	open_section(&a, &rest);
	put_rest(&a);
	return a.status;
}
