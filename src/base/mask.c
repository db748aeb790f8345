/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finding secrets in text without a known grammar. The text is cut into runs of
 * name characters; at each run it is asked whether a URL starts here, whether a
 * part of it has the shape of a known kind of token, and whether it is a name
 * that says "secret" with a value behind it. In doubt about how far a value
 * goes, more is masked rather than less. (mask_walk: writing; mask_names and
 * mask_shapes: the signs of a secret; mask_value and mask_url: what is then masked.)
 *
 * The commands in what is left are then walked for options that hold secrets in some programs
 * only (mask_commands; mask_programs has the table).
 *
 * What it cannot see: a secret without a known name or shape in an option that the table does
 * not have, and a secret cut off by the end of the text.
 */
#include "base/mask.h"

#include <string.h>

#include "base/mask_commands.h"
#include "base/mask_walk.h"

/* At the start of a run of name characters. Returns where to go on. */
static size_t mask_run(struct masker *m, size_t start)
{
	size_t end = start, next;
	enum name_kind kind;

	while (end < m->size && is_run(m->text[end]))
		end++;
	if (m->size - end >= 3 && memcmp(m->text + end, "://", 3) == 0) {
		masker_put_range(m, start, end + 3);
		return mask_authority(m, end + 3);
	}
	next = mask_form(m, start, end);
	if (next)
		return next;
	next = masker_put_shapes(m, start, end, m->size);
	if (next > end)
		return next;
	next = mask_scheme(m, start, end);
	if (next)
		return next;
	kind = mask_name_kind(span_of(m->text + start, end - start));
	return kind == NAME_PLAIN ? end : mask_named(m, start, end, kind);
}

/* One piece of text, be it an argument or not. */
static void mask_piece(struct masker *m, const char *text, size_t size)
{
	size_t done = 0, at = 0;

	m->text = text;
	m->size = size;
	m->url_end = 0;
	for (m->first_space = 0; m->first_space < size; m->first_space++)
		if (is_space(text[m->first_space]))
			break;
	while (at < size) {
		bool is_query = at < m->url_end && (text[at] == '?' || text[at] == '#');

		if (!is_query && !is_run(text[at])) {
			at++;
			continue;
		}
		masker_put_range(m, done, at);
		at = is_query ? mask_query(m, at) : mask_run(m, at);
		done = at;
	}
	masker_put_range(m, done, size);
}

/* Arguments that are a name as a whole: what follows may be its value. */
static void expect_value(struct masker *m, struct span argument)
{
	size_t last = argument.size ? argument.size - 1 : 0, name = last;

	if (m->pending || argument.size < 3 || argument.data[0] == '-' ||
		memchr(argument.data, ' ', argument.size))
		return;
	m->has_login |= span_equal(argument, "login");
	if (m->has_login && span_equal(argument, "password")) {
		m->pending = PENDING_VALUE;
		return;
	}
	/* api_key= X, but not TOKEN= COMMAND; //registry/:_authToken X */
	if (argument.data[last] == '=' && !ascii_is_upper(argument.data[0]))
		argument.size = last;
	while (name && is_run(argument.data[name - 1]))
		name--;
	if (!mask_is_secret_name(argument.data + name, argument.size - name))
		return;
	if (argument.size == last || (name >= 3 && argument.data[name - 1] == ':'))
		m->pending = PENDING_VALUE;
	else if (!name)
		m->pending = PENDING_EQUALS;
}

/* The argument is what the one before it asked for. */
static void mask_pending(struct masker *m, struct span argument)
{
	enum pending pending = m->pending;

	m->pending = PENDING_NOTHING;
	if (pending == PENDING_EQUALS) {
		mask_piece(m, argument.data, argument.size);
		if (span_equal(argument, "=") || span_equal(argument, ":"))
			m->pending = PENDING_VALUE;
	} else if (mask_is_option(argument)) {
		mask_piece(m, argument.data, argument.size);
	} else if (mask_is_scheme(argument)) {
		masker_put(m, argument.data, argument.size);
		m->pending = PENDING_VALUE;
	} else if (mask_is_harmless(
			   argument, pending == PENDING_FIGURE ? NAME_PLURAL : NAME_SECRET)) {
		masker_put(m, argument.data, argument.size);
	} else if (argument.size) {
		masker_put_mask(m);
	}
}

bool mask_arguments(struct buffer *out, const char *args, size_t size, size_t limit)
{
	struct buffer scratch = { 0 };
	struct masker m = { .out = &scratch, .room = SIZE_MAX, .is_argument = true };
	struct masker whole = { .out = out, .room = limit ? limit : SIZE_MAX };
	struct command command = { 0 };
	size_t at = 0;

	while (at < size && !whole.is_cut) {
		const char *stop = memchr(args + at, '\0', size - at);
		size_t end = stop ? (size_t)(stop - args) : size;

		buffer_reset(&scratch);
		if (m.pending)
			mask_pending(&m, span_of(args + at, end - at));
		else
			mask_piece(&m, args + at, end - at);
		expect_value(&m, span_of(args + at, end - at));
		out->failed |= buffer_failed(&scratch);
		mask_command_argument(&whole, &command, buffer_cstr(&scratch), scratch.size);
		if (stop)
			masker_put(&whole, "", 1);
		at = end + 1;
	}
	buffer_fini(&scratch);
	return whole.is_cut;
}

/* All that is masked is a token by its shape, or stands behind one of these. */
bool mask_may_change(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		switch (text[i]) {
		case '=':
		case ':':
		case ',':
		case ' ':
		case '\t':
		case '\0':
			return true;
		default:
			if (mask_may_begin(text, i) && mask_token_size(text, i, size))
				return true;
			if (i + 3 < size && memcmp(text + i, ".eyJ", 4) == 0)
				return true; /* the second part of a web token */
		}
	}
	return false;
}

void mask_text(struct buffer *out, const char *text, size_t size)
{
	struct buffer scratch = { 0 };
	struct masker m = { .out = out, .room = SIZE_MAX }, whole = m;

	if (!mask_has_words(text, size)) {
		mask_piece(&m, text, size);
		return;
	}
	m.out = &scratch;
	mask_piece(&m, text, size);
	out->failed |= buffer_failed(&scratch);
	mask_command_text(&whole, buffer_cstr(&scratch), scratch.size);
	buffer_fini(&scratch);
}
