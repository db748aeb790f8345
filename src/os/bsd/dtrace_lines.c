/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/bsd/dtrace_lines.h"

#include <string.h>

/* --- words --- */

/* Reads the next word. The cursor fails if there is none. */
static struct span read_word(struct cursor *c)
{
	if (cursor_at_end(c))
		c->failed = true;
	return c->failed ? span_of("", 0) : cursor_until(c, '\t');
}

static uint64_t read_number(struct cursor *c)
{
	struct span w = read_word(c);
	uint64_t value = 0;

	if (!span_decimal(w, &value))
		c->failed = true;
	return value;
}

static int64_t read_signed(struct cursor *c)
{
	struct span w = read_word(c);
	struct cursor digits = cursor_over(w.data, w.size);
	int64_t value = cursor_signed(&digits);

	if (digits.failed || !cursor_at_end(&digits))
		c->failed = true;
	return value;
}

static uint64_t hex(struct cursor *c)
{
	struct span w = read_word(c);
	struct cursor digits = cursor_over(w.data, w.size);
	uint64_t value = cursor_hex(&digits);

	if (digits.failed || !cursor_at_end(&digits))
		c->failed = true;
	return value;
}

static bool is_octal(char c)
{
	return c >= '0' && c <= '7';
}

/* Decodes a character, escaped as in C, into *out. Returns the length of its escaped form. */
static size_t decode_character(char *out, const char *s, size_t left)
{
	static const char letters[] = "abtnvfr", meanings[] = "\a\b\t\n\v\f\r";
	const char *letter;

	*out = s[0];
	if (s[0] != '\\' || left < 2)
		return 1;
	if (left >= 4 && is_octal(s[1]) && is_octal(s[2]) && is_octal(s[3])) {
		*out = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0'));
		return 4;
	}
	letter = s[1] ? strchr(letters, s[1]) : NULL;
	*out = letter ? meanings[letter - letters] : s[1] == '0' ? '\0' : s[1];
	return 2;
}

/* Reads a text. `may_lack`: the last word of a line may be empty. */
static void read_text(char out[DTRACE_TEXT_SIZE], struct cursor *c, bool may_lack)
{
	struct span w = may_lack && cursor_at_end(c) ? span_of("", 0) : read_word(c);
	size_t used = 0;

	for (size_t i = 0; i < w.size && used < DTRACE_TEXT_SIZE - 1;)
		i += decode_character(&out[used++], w.data + i, w.size - i);
	memset(out + used, 0, DTRACE_TEXT_SIZE - used);
}

/* --- lines --- */

static void read_code_place(struct dtrace_line *l, struct cursor *c)
{
	l->pid = (uint32_t)read_number(c);
	l->ppid = (uint32_t)read_number(c);
	l->tid = read_number(c);
}

static void read_call(struct dtrace_line *l, struct cursor *c)
{
	l->utc_ns = read_number(c);
	read_code_place(l, c);
	l->call = read_word(c);
	l->error = (uint32_t)read_number(c);
	l->result = read_signed(c);
	l->total_ns = read_number(c);
	l->count = 1;
	for (size_t i = 0; i < DTRACE_ARGUMENTS; i++)
		l->arguments[i] = hex(c);
	read_text(l->process, c, false);
	read_text(l->path, c, true);
}

static void read_last_number(struct dtrace_line *l, struct cursor *c)
{
	l->utc_ns = read_number(c);
	read_code_place(l, c);
	l->call = read_word(c);
	l->arguments[0] = hex(c);
	read_text(l->process, c, true);
}

static void read_process(struct dtrace_line *l, struct cursor *c)
{
	l->utc_ns = read_number(c);
	l->pid = (uint32_t)read_number(c);
	l->ppid = (uint32_t)read_number(c);
	read_text(l->process, c, true);
}

static void read_sums(struct dtrace_line *l, struct cursor *c)
{
	read_code_place(l, c);
	l->call = read_word(c);
	l->error = (uint32_t)read_number(c);
	l->slot = (uint32_t)read_number(c);
	l->count = read_number(c);
	l->total_ns = read_number(c);
	l->max_ns = read_number(c);
}

bool dtrace_line_decode(struct dtrace_line *out, struct span line)
{
	struct cursor c = cursor_over(line.data, line.size);
	struct span kind = cursor_until(&c, '\t');

	if (kind.size != 1)
		return false;
	memset(out, 0, sizeof(*out));
	out->kind = kind.data[0];
	switch (out->kind) {
	case 'b':
	case 't':
	case 'w':
		out->utc_ns = read_number(&c);
		break;
	case 'c':
		read_call(out, &c);
		break;
	case 'l':
		read_last_number(out, &c);
		break;
	case 'p':
	case 'e':
		read_process(out, &c);
		break;
	case 'n':
		read_sums(out, &c);
		break;
	case 'x':
		read_code_place(out, &c);
		out->call = read_word(&c);
		out->count = read_number(&c);
		break;
	case 's':
		read_code_place(out, &c);
		read_text(out->process, &c, false);
		out->count = read_number(&c);
		break;
	case 'S':
		break;
	default:
		return false;
	}
	return !c.failed;
}

/* --- stacks --- */

bool dtrace_frame_decode(struct dtrace_frame *out, struct span line)
{
	struct cursor c = cursor_over(line.data, line.size), number;
	const char *tick, *plus;
	struct span name;

	cursor_blanks(&c);
	line = span_of((const char *)c.at, cursor_left(&c));
	if (!line.size)
		return false;
	*out = (struct dtrace_frame){ .function = span_of("", 0), .module = span_of("", 0) };
	tick = memchr(line.data, '`', line.size);
	name = line;
	if (tick) {
		out->module = span_of(line.data, (size_t)(tick - line.data));
		name = span_of(tick + 1, line.size - out->module.size - 1);
	}
	if (span_starts(name, "0x")) {
		number = cursor_over(name.data + 2, name.size - 2);
		out->address = cursor_hex(&number);
		return !number.failed;
	}
	plus = span_last(name, '+');
	out->function = name;
	if (!plus || !span_starts(span_of(plus, name.size - (size_t)(plus - name.data)), "+0x"))
		return tick != NULL && name.size;
	out->function.size = (size_t)(plus - name.data);
	number = cursor_over(plus + 3, name.size - out->function.size - 3);
	out->into = cursor_hex(&number);
	return !number.failed && out->function.size;
}

uint64_t dtrace_drops(const char *complaints)
{
	struct cursor c = cursor_over(complaints, strlen(complaints));
	uint64_t sum = 0;

	while (!cursor_at_end(&c)) {
		struct span line = cursor_line(&c);
		struct cursor words = cursor_over(line.data, line.size);
		uint64_t count;

		if (!cursor_skip(&words, "dtrace: ") || !span_contains(line, "drop"))
			continue;
		count = cursor_decimal(&words);
		sum += words.failed ? 0 : count;
	}
	return sum;
}
