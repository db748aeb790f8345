/* SPDX-License-Identifier: BSD-2-Clause */
/* thread-ended: a thread or task ended by an exception that nothing handled, as the end of the
 * process's log says, and the process goes on without it: what only that thread did, such as
 * accepting connections, is not done any more. A pool starts another thread and logs more. */
#include "analyze/evidence/logged_errors.h"
#include "analyze/diagnosis/check_verdict.h"
#include "base/cleanup.h"
#include "base/units.h"

#define NAME_MAX_BYTES 64
#define JOINED	       "; " /* between the lines of one message */

NUMBER(BEHIND_MOST, 3, NONE, "messages after it: the exception itself, and hints");

static const struct finding_option options[] = {
	TIME_THRESHOLD("max-silence", 3600e9, 1e9, 86400e9,
		"longest time since the log was written: an older end has been noticed"),
};

/* How a runtime reports such an end. */
static const struct form {
	const char *begin, *end; /* around the name of the thread; `end` NULL: there is none */
	const char *before; /* the text before the exception; NULL: the next error of the log */
	const char *what;
} forms[] = {
	{ "Exception in thread \"", "\"", " ", "thread" },	       /* Java */
	{ "Exception in thread ", ":", NULL, "thread" },	       /* Python */
	{ "thread '", "'", " panicked at ", "thread" },		       /* Rust */
	{ "terminated with exception", NULL, NULL, "thread" },	       /* Ruby */
	{ "Thread ", " ", "terminated abnormally: ", "thread" },       /* Perl */
	{ "Thread ", " ", "killed on uncaught exception ", "thread" }, /* OCaml */
	{ "Task exception was never retrieved", NULL, NULL, "asyncio task" },
};

struct ended {
	struct logged_error error;
	const struct form *form;
	struct span name, text; /* the exception; empty: not known */
};

static const char *find_text(struct span s, const char *text)
{
	return s.size ? memmem(s.data, s.size, text, strlen(text)) : NULL;
}

static struct span text_from(struct span s, const char *at)
{
	return span_of(at, (size_t)(s.data + s.size - at));
}

static bool read_form(struct ended *out, const struct form *f, struct span text)
{
	const char *at = find_text(text, f->begin), *end;

	*out = (struct ended){ .form = f, .name = span_of("", 0), .text = span_of("", 0) };
	if (!at || !f->end)
		return at;
	text = text_from(text, at + strlen(f->begin));
	end = find_text(text, f->end);
	if (!end || end == text.data || *text.data == '"' || end - text.data > NAME_MAX_BYTES)
		return false;
	out->name = span_of(text.data, (size_t)(end - text.data));
	text = text_from(text, end + strlen(f->end));
	at = find_text(text, f->before ?: JOINED);
	if (at)
		out->text = text_from(text, at + strlen(f->before ?: JOINED));
	return at || !f->before;
}

static bool is_alive(const struct check *e, struct span name)
{
	thread_histories_for_each (&e->input->threads, &e->id, t) {
		if (name.size && span_equal(name, t->name))
			return true;
	}
	return false;
}

/* Returns whether the text says that a thread ended that is not there any more. */
static bool read_end(const struct check *e, struct ended *out, struct span text)
{
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		if (read_form(out, &forms[i], text))
			return !span_equal(out->name, "main") && !is_alive(e, out->name);
	}
	return false;
}

/* Finds the exception where it is a message of its own: the next error of that log. */
static void find_exception(const struct check *e, struct ended *out)
{
	struct logged_error l;
	uint32_t behind = 0;

	for (size_t i = 0; logged_errors_at(e->input, &e->id, i, &l); i++) {
		if (l.file != out->error.file || l.error->behind >= out->error.error->behind ||
			(out->text.size && l.error->behind < behind))
			continue;
		behind = l.error->behind;
		out->text = record_text(&l.error->record, &l.error->text);
	}
}

static bool find_end(const struct check *e, struct ended *out)
{
	struct logged_error l;

	for (size_t i = 0; logged_errors_at(e->input, &e->id, i, &l); i++) {
		if (l.error->behind > BEHIND_MOST ||
			!logged_errors_are_of_run(e->input, e->process, l.file) ||
			(double)l.file->silent_ns > check_option(e, "max-silence") ||
			!read_end(e, out, record_text(&l.error->record, &l.error->text)))
			continue;
		out->error = l;
		if (!out->text.size)
			find_exception(e, out);
		return true;
	}
	return false;
}

/* Returns whether another finding of the process follows from it: the thread did what is missing.
 */
static bool has_effect(const struct check *e)
{
	static const char *const effects[] = { "clients-waiting", "deadlock", "memory-growth",
		"receive-drops" };

	for (size_t i = 0; i < ARRAY_SIZE(effects); i++) {
		if (check_has_finding(e, effects[i]))
			return true;
	}
	return false;
}

static void report_end(const struct check *e, struct check_result *out, const struct ended *t)
{
	struct span path = record_text(&t->error.file->record, &t->error.file->path);

	finding_begin(out, FINDING_CONFIDENCE_MEDIUM, "");
	finding_severity(out, has_effect(e) ? FINDING_MEDIUM : FINDING_LOW);
	finding_claim(out, "its %s ", t->form->what);
	if (t->name.size)
		finding_claim(out, "%.*s ", SPAN_ARGS(t->name));
	finding_claim(out, "ended by an exception, and the process goes on without it");
	if (t->text.size) {
		finding_message(out, t->text);
		finding_claim(out, ": \"%.*s\"", SPAN_ARGS(t->text));
	}
	finding_time(out, "time since its log was written", t->error.file->silent_ns);
	if (logged_error_is_in_file(&t->error)) {
		finding_path(out, path);
		finding_text(out, "its log", "%.*s", SPAN_ARGS(path));
	}
	finding_unseen(out, "what that %s did", t->form->what);
	finding_remedy(out,
		"restart process %u; let the %s handle its errors, or end the process with it",
		e->id.pid, t->form->what);
}

static void diagnose(const struct check *e, struct check_result *out)
{
	const struct logs_process *end = snapshot_end(check_last(e, &e->input->logs), sizeof(*end));
	struct ended t;

	if (!end || state_is_unmeasured(end->files_state))
		check_blind(
			out, end ? end->files_state : SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED));
	else if (!e->process || check_has_finding(e, "errors-logged") || !find_end(e, &t))
		check_fine(out, "its log does not say that a thread ended by an exception");
	else
		report_end(e, out, &t);
}

const struct finding_detector finding_thread_ended = { diagnose, FINDING_OPTIONS(options) };
