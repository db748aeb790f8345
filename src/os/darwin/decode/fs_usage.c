/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/darwin/decode/fs_usage.h"

#include "base/units.h"
#include "os/bsd/trimmed.h"

#define DIGITS_MICRO 6

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Reads "12.345678" seconds, and returns ns. */
static uint64_t read_seconds(struct cursor *c)
{
	uint64_t whole = cursor_decimal(c), micro = 0;
	unsigned digits = 0;

	if (!cursor_skip(c, "."))
		c->failed = true;
	while (!c->failed && c->at < c->end && is_digit((char)*c->at) && digits < DIGITS_MICRO) {
		micro = micro * 10 + (uint64_t)(*c->at - '0');
		c->at++;
		digits++;
	}
	if (digits != DIGITS_MICRO || whole > FS_USAGE_DAY_NS / NS_PER_S)
		c->failed = true;
	return whole * NS_PER_S + micro * NS_PER_US;
}

/* Reads a time of day: "14:05:06.123456". */
static uint64_t time_of_day(struct cursor *c)
{
	uint64_t hours = cursor_decimal(c), minutes, ns;

	if (!cursor_skip(c, ":"))
		c->failed = true;
	minutes = cursor_decimal(c);
	if (!cursor_skip(c, ":") || hours > 23 || minutes > 59)
		c->failed = true;
	ns = read_seconds(c);
	return (hours * 3600 + minutes * 60) * NS_PER_S + ns;
}

/* Decodes process and thread, "cat.6303"; the name may have blanks and dots. */
static bool decode_process(struct fs_usage_line *out, struct span text)
{
	const char *dot = span_last(text, '.');

	if (!dot || dot == text.data)
		return false;
	out->process = span_of(text.data, (size_t)(dot - text.data));
	return span_decimal(span_of(dot + 1, text.size - out->process.size - 1), &out->tid);
}

/* Decodes the end of a line: " 0.000012 W cat.6303". */
static bool decode_end(struct fs_usage_line *out, struct span rest)
{
	struct cursor c = cursor_over(rest.data, rest.size);
	struct span process;

	if (!rest.size || rest.data[0] != ' ' || rest.size < 2 || !is_digit(rest.data[1]))
		return false;
	out->duration_ns = read_seconds(&c);
	if (c.failed || cursor_at_end(&c) || *c.at != ' ')
		return false;
	process = trimmed(span_of((const char *)c.at, cursor_left(&c)));
	out->has_waited = span_starts(process, "W ");
	if (out->has_waited)
		process = trimmed(span_of(process.data + 1, process.size - 1));
	return decode_process(out, process);
}

/* Splits the line at the last possible end, because a path may look like one. */
static bool split_end(struct fs_usage_line *out, struct span *line)
{
	for (size_t at = line->size; at > 0; at--) {
		if (!decode_end(out, span_of(line->data + at - 1, line->size - at + 1)))
			continue;
		line->size = at - 1;
		return true;
	}
	return false;
}

static uint64_t number_of(struct span word)
{
	struct cursor c = cursor_over(word.data, word.size);

	return cursor_skip(&c, "0x") ? cursor_hex(&c) : cursor_decimal(&c);
}

/* Reads "[ 2]", an errno; "[-2]/home" is a directory and a path below it. */
static bool parse_bracket(struct fs_usage_line *out, struct cursor *c)
{
	struct span inside;
	bool is_directory;

	if (!cursor_skip(c, "["))
		return false;
	inside = trimmed(cursor_until(c, ']'));
	is_directory = !cursor_at_end(c) && *c->at != ' ';
	if (!is_directory)
		out->error = (uint32_t)number_of(inside);
	return true;
}

/* Reads the words before the path: F=5, B=0x100, A=, D=, O=, S=, (flags), "<SETFL>". */
static void parse_details(struct fs_usage_line *out, struct span details)
{
	struct cursor c = cursor_over(details.data, details.size);

	for (;;) {
		struct span word, before;

		cursor_blanks(&c);
		if (cursor_at_end(&c))
			return;
		if (parse_bracket(out, &c))
			continue;
		before = span_of((const char *)c.at, cursor_left(&c));
		if (*c.at == '/' || *c.at == '.') {
			out->path = trimmed(before);
			return;
		}
		word = cursor_word(&c);
		if (span_starts(word, "F=")) {
			out->has_fd = true;
			out->fd = number_of(span_of(word.data + 2, word.size - 2));
		} else if (span_starts(word, "B=")) {
			out->has_bytes = true;
			out->bytes = number_of(span_of(word.data + 2, word.size - 2));
		} else if (word.size < 2 ||
			   (word.data[1] != '=' && word.data[0] != '(' && word.data[0] != '<')) {
			out->path = trimmed(before); /* a path that begins with a name */
			return;
		}
	}
}

bool fs_usage_decode(struct fs_usage_line *out, struct span line)
{
	struct cursor c = cursor_over(line.data, line.size);
	struct span details;

	*out = (struct fs_usage_line){ .path = span_of("", 0) };
	out->day_ns = time_of_day(&c);
	out->call = cursor_word(&c);
	details = span_of((const char *)c.at, cursor_left(&c));
	if (c.failed || !out->call.size || !split_end(out, &details))
		return false;
	parse_details(out, details);
	return true;
}
