/* SPDX-License-Identifier: BSD-2-Clause */
/* Code objects in the memory of other processes. */
#include "os/linux/runtimes/python/python_code.h"

#include <string.h>

#include "base/utf8.h"
#include "os/linux/files/read_memory.h"

#define TEXT_HEAD     40 /* head with length and state */
#define STATE_COMPACT (1u << 5)
#define STATE_READY   (1u << 7)
#define BYTES_HEAD    32 /* of a bytes object; its length is where that of a text is */

/* Returns whether an object is a text in one piece with the length of a name. */
static bool is_text(const struct python_layout *layout, uint64_t length, uint32_t state)
{
	uint32_t kind = PYTHON_KIND(state);

	return length && length <= PYTHON_LETTERS_MAX && (kind == 1 || kind == 2 || kind == 4) &&
	       state & STATE_COMPACT && (!layout->has_ready || state & STATE_READY) &&
	       (!(state & PYTHON_IS_ASCII) || kind == 1);
}

/* Puts letters as UTF-8; false: they are no letters. */
static bool put_letters(
	const unsigned char *letters, size_t length, uint32_t state, struct buffer *out)
{
	uint32_t kind = PYTHON_KIND(state);

	for (size_t i = 0; i < length; i++) {
		uint32_t letter = 0;

		memcpy(&letter, letters + i * kind, kind);
		if (!letter || letter > 0x10ffff || (letter >= 0xd800 && letter < 0xe000) ||
			(state & PYTHON_IS_ASCII && letter > 0x7f))
			return false;
		utf8_append(out, letter);
	}
	return true;
}

/* Appends a text; false: the object is no text. */
static bool do_read_text(struct python_code *job, uint64_t address, struct buffer *out)
{
	const struct python_layout *layout = &job->layout;
	unsigned char head[TEXT_HEAD], letters[4 * PYTHON_LETTERS_MAX];
	uint64_t length;
	uint32_t state;

	if (!do_read_process(&job->pid, address, head, sizeof(head)))
		return false;
	memcpy(&length, head + PYTHON_TEXT_LENGTH, sizeof(length));
	memcpy(&state, head + PYTHON_TEXT_STATE, sizeof(state));
	return is_text(layout, length, state) &&
	       do_read_process(&job->pid,
		       address +
			       (state & PYTHON_IS_ASCII ? layout->text_ascii : layout->text_other),
		       letters, length * PYTHON_KIND(state)) &&
	       put_letters(letters, length, state, out);
}

/* Returns whether the object is the one that the kernel side saw. */
static bool is_same(const unsigned char *code, const struct python_code *job)
{
	uint64_t type, name, count;
	uint32_t line;

	memcpy(&count, code + PYTHON_OBJECT_COUNT, sizeof(count));
	memcpy(&type, code + PYTHON_OBJECT_TYPE, sizeof(type));
	memcpy(&name, code + job->layout.code_name, sizeof(name));
	memcpy(&line, code + job->layout.code_line, sizeof(line));
	return count && type == job->type && name == job->frame.name &&
	       line == (uint32_t)job->frame.line;
}

size_t python_code_size(const struct python_layout *layout)
{
	size_t last = layout->code_file > layout->code_name ? layout->code_file : layout->code_name;

	last = layout->code_table > last ? layout->code_table : last;
	return (layout->code_line > last ? layout->code_line : last) + sizeof(uint64_t);
}

/* Ends a text with both names by the line. */
static void end_text(struct python_code *job, struct buffer *text)
{
	buffer_format(text, ":%u", (unsigned)job->frame.line);
	buffer_char(text, '\0');
	job->size = buffer_failed(text) || text->size > sizeof(job->text) ? 0 : text->size;
	if (job->size)
		memcpy(job->text, text->data, job->size);
}

void do_python_code(void *argument)
{
	struct python_code *job = argument;
	unsigned char code[PYTHON_CODE_BYTES], again[PYTHON_CODE_BYTES];
	size_t size = python_code_size(&job->layout);
	struct buffer text = { 0 };
	uint64_t file;

	if (size > sizeof(code) || !do_read_process(&job->pid, job->frame.code, code, size) ||
		!is_same(code, job))
		return;
	memcpy(&file, code + job->layout.code_file, sizeof(file));
	if (do_read_text(job, job->frame.name, &text)) {
		buffer_char(&text, '\0');
		/* The names were read after the object, so the object must still be the same. */
		if (do_read_text(job, file, &text) &&
			do_read_process(&job->pid, job->frame.code, again, size) &&
			is_same(again, job))
			end_text(job, &text);
	}
	buffer_fini(&text);
}

static bool append_names(
	const struct python_layout *layout, const struct profile_python_text *t, struct buffer *out)
{
	return is_text(layout, t->length, t->state) &&
	       t->length * PYTHON_KIND(t->state) < sizeof(t->letters) &&
	       put_letters(t->letters, t->length, t->state, out);
}

void python_code_copy_names(struct python_code *job, const struct profile_python_name *r)
{
	struct buffer text = { 0 };

	if (append_names(&job->layout, &r->name, &text)) {
		buffer_char(&text, '\0');
		if (append_names(&job->layout, &r->path, &text))
			end_text(job, &text);
	}
	buffer_fini(&text);
}

/* --- the line that runs --- */

/* Lines of instructions since 3.11 (Objects/locations.md): for each a byte with its kind and how
 * many units it takes, then its line as a difference. */
#define ENTRY_BEGIN    0x80
#define KIND_SHORT_MAX 9
#define KIND_ONE_LINE  10 /* to 12: the line after 0 to 2 lines */
#define KIND_LINE_ONLY 13
#define KIND_LONG      14
#define UNIT_BYTES     2
#define NUMBER_BITS    6

static int64_t read_difference(const unsigned char *table, size_t size, size_t at)
{
	uint64_t number = 0;

	for (unsigned shift = 0; at < size && shift < 32; shift += NUMBER_BITS) {
		number |= (uint64_t)(table[at] & 0x3f) << shift;
		if (!(table[at++] & 0x40))
			break;
	}
	return number & 1 ? -(int64_t)(number >> 1) : (int64_t)(number >> 1);
}

uint32_t python_code_line(
	const unsigned char *table, size_t size, uint32_t first_line, uint64_t instruction)
{
	int64_t line = first_line;
	uint64_t end = 0;

	for (size_t at = 0; at < size; at++) {
		unsigned kind = table[at] >> 3 & 0xf;

		if (!(table[at] & ENTRY_BEGIN))
			continue;
		end += UNIT_BYTES * ((table[at] & 7u) + 1);
		if (kind == KIND_LINE_ONLY || kind == KIND_LONG)
			line += read_difference(table, size, at + 1);
		else if (kind > KIND_SHORT_MAX && kind < KIND_LINE_ONLY)
			line += kind - KIND_ONE_LINE;
		if (instruction < end)
			return kind <= KIND_LONG && line > 0 && line <= INT32_MAX ? (uint32_t)line
										  : 0;
	}
	return 0;
}

void do_python_code_line(void *argument)
{
	struct python_code *job = argument;
	unsigned char code[PYTHON_CODE_BYTES], table[PYTHON_TABLE_BYTES];
	size_t size = python_code_size(&job->layout);
	uint64_t unit = job->frame.line >> PYTHON_UNIT_SHIFT, address, length;

	job->line = 0;
	if (unit < job->layout.code_units || size > sizeof(code) ||
		!do_read_process(&job->pid, job->frame.code, code, size) || !is_same(code, job))
		return;
	memcpy(&address, code + job->layout.code_table, sizeof(address));
	if (!do_read_process(&job->pid, address + PYTHON_TEXT_LENGTH, &length, sizeof(length)) ||
		length > sizeof(table) ||
		!do_read_process(&job->pid, address + BYTES_HEAD, table, length))
		return;
	job->line = python_code_line(
		table, length, (uint32_t)job->frame.line, unit - job->layout.code_units);
}
