/* SPDX-License-Identifier: BSD-2-Clause */
#include "probes/log_tail.h"

#include <assert.h>

#define NO_FORM LOG_TAIL_FORMS

static bool is_error(const struct log_form *f)
{
	return f->kind == LOG_LINE_ERROR || f->kind == LOG_LINE_WARNING;
}

/* Returns the index of the line's form; NO_FORM: there is no room for another form. */
static uint32_t find_form(struct log_tail *t, const struct log_line *line)
{
	for (uint32_t i = 0; i < t->form_count; i++) {
		if (t->forms[i].form == line->form && t->forms[i].kind == line->kind)
			return i;
	}
	if (t->form_count == LOG_TAIL_FORMS)
		return NO_FORM;
	t->forms[t->form_count] = (struct log_form){
		.form = line->form, .kind = line->kind, .is_done = line->is_done, .first = t->lines
	};
	return t->form_count++;
}

static void add_message(struct log_tail *t, const struct log_line *line, bool is_new)
{
	bool reports = line->kind == LOG_LINE_ERROR || line->kind == LOG_LINE_WARNING;
	uint32_t i = find_form(t, line);

	t->form_at[t->lines % LOG_TAIL_LINES] = (uint16_t)i;
	if (i != NO_FORM) {
		struct log_form *f = &t->forms[i];

		f->times++;
		f->times_new += is_new;
		f->last = t->lines;
		f->text = line->message;
		f->end = (struct span){ 0 };
	}
	t->lines++;
	t->lines_new += is_new;
	t->errors += reports;
	t->errors_new += reports && is_new;
}

/* Returns whether a line is the exception after a stack trace: a part of the message before. */
static bool is_part(const struct log_tail *t, const struct log_line *line, bool is_behind_detail)
{
	uint32_t last = t->lines ? t->form_at[(t->lines - 1) % LOG_TAIL_LINES] : NO_FORM;

	return is_behind_detail && line->kind == LOG_LINE_ERROR && !line->has_time &&
	       last != NO_FORM && is_error(&t->forms[last]);
}

void log_tail_begin(struct log_tail *t)
{
	assert(t);
	t->lines = t->lines_new = t->errors = t->errors_new = t->form_count = 0;
	t->is_text = true;
}

void log_tail_add(
	struct log_tail *t, const struct log_line *line, bool is_new, bool is_behind_detail)
{
	assert(t);
	assert(line);
	if (is_part(t, line, is_behind_detail))
		t->forms[t->form_at[(t->lines - 1) % LOG_TAIL_LINES]].end = line->message;
	else
		add_message(t, line, is_new);
}

static bool is_text(const char *text, size_t size)
{
	return !memchr(text, '\0', size);
}

void log_tail_read(
	struct log_tail *out, char *text, size_t size, size_t new_from, bool is_cut, bool is_log)
{
	bool is_behind_detail = false;
	size_t at = 0;

	assert(out);
	log_tail_begin(out);
	out->is_text = is_text(text, size);
	while (out->is_text && at < size) {
		char *line = text + at, *end = memchr(line, '\n', size - at);
		size_t length = end ? (size_t)(end - line) : size - at;
		struct log_line read;

		at += length + 1;
		/* Half a line at either end would count as another form. */
		if ((is_cut && line == text) || !end)
			continue;
		log_line_read(&read, span_of(line, log_line_clean(line, length)), is_log);
		if (read.kind == LOG_LINE_BLANK)
			continue;
		if (read.kind == LOG_LINE_DETAIL) {
			is_behind_detail = true;
			continue;
		}
		log_tail_add(out, &read, (size_t)(line - text) >= new_from, is_behind_detail);
		is_behind_detail = false;
	}
}

struct logs_error log_tail_error(
	const struct log_tail *t, const struct log_form *f, const struct logs_file *file)
{
	assert(t);

	uint32_t begin = f->first, counts[LOG_TAIL_FORMS + 1] = { 0 };
	struct logs_error e = { .record = file->record,
		.inode = file->inode,
		.fd = file->fd,
		.fd_state = file->fd_state,
		.times = f->times,
		.times_new = f->times_new,
		.behind = t->lines - f->last - 1,
		.is_warning = f->kind == LOG_LINE_WARNING,
		.new_state = file->new_state };

	e.record.kind = LOGS_ERROR;
	if (t->lines - begin > LOG_TAIL_LINES)
		begin = t->lines - LOG_TAIL_LINES;
	e.messages = t->lines - begin;
	for (uint32_t i = begin; i < t->lines; i++) {
		uint32_t form = t->form_at[i % LOG_TAIL_LINES], n = ++counts[form];

		if (form == NO_FORM)
			continue;
		if (&t->forms[form] != f && n > e.other_most)
			e.other_most = n;
		e.done += t->forms[form].is_done;
	}
	return e;
}

/* Returns whether `a` goes before `b`. */
static bool goes_before(const struct log_form *a, const struct log_form *b)
{
	if (a->times_new != b->times_new)
		return a->times_new > b->times_new;
	if (a->times != b->times)
		return a->times > b->times;
	if (a->kind != b->kind)
		return a->kind > b->kind;
	return a->last > b->last;
}

static size_t insert_form(
	const struct log_form **out, size_t count, size_t max, const struct log_form *f)
{
	size_t at = count;

	while (at && goes_before(f, out[at - 1]))
		at--;
	if (at == max)
		return count;
	if (count == max)
		count--;
	memmove(out + at + 1, out + at, (count - at) * sizeof(*out));
	out[at] = f;
	return count + 1;
}

size_t log_tail_worst(const struct log_tail *t, const struct log_form **out, size_t max)
{
	const struct log_form *last = NULL;
	size_t count = 0;

	assert(t);
	for (uint32_t i = 0; i < t->form_count; i++) {
		const struct log_form *f = &t->forms[i];

		if (!is_error(f))
			continue;
		count = insert_form(out, count, max, f);
		last = !last || f->last > last->last ? f : last;
	}
	for (size_t i = 0; i < count && last; i++) {
		if (out[i] == last)
			last = NULL;
	}
	if (last && count)
		out[count < max ? count++ : max - 1] = last;
	return count;
}
