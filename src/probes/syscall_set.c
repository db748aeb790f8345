/* SPDX-License-Identifier: BSD-2-Clause */
#include "probes/syscall_set.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/nearest.h"
#include "probes/syscall_arguments.h"

#define WORD_SIZE 64

/* Selects all calls. */
static void syscall_set_init(struct syscall_set *s)
{
	*s = (struct syscall_set){ .is_all = true };
}

static void add_row(struct syscall_set *s, size_t position)
{
	s->rows[position / 64] |= 1ull << position % 64;
}

/* --- words --- */

static bool takes_path(const struct syscall_row *row)
{
	for (size_t i = 0; i < row->argument_count; i++) {
		if (syscall_takes_text(row, i))
			return true;
	}
	return false;
}

static bool takes_descriptor(const struct syscall_row *row)
{
	for (size_t i = 0; i < row->argument_count; i++) {
		if (syscall_takes_descriptor(row, i) || syscall_takes_directory(row, i))
			return true;
	}
	return false;
}

static bool moves_bytes(const struct syscall_row *row)
{
	return row->transfer.direction != SYSCALL_MOVES_NONE;
}

static bool is_connecting_call(const struct syscall_row *row)
{
	return row->traits & (SYSCALL_CONNECTS | SYSCALL_ASKS_SOCKET);
}

/* Returns whether a call is recorded for connections: it moves bytes on a socket, or shows which
 * socket a descriptor is. */
static bool serves_connections(const struct syscall_row *row)
{
	switch (row->effect.what) {
	case SYSCALL_FD_CLOSES:
	case SYSCALL_FD_CLOSES_RANGE:
	case SYSCALL_FD_DUPLICATES:
	case SYSCALL_FD_CONTROLS:
		return true;
	default:
		return is_connecting_call(row) || row->category == SYSCALL_CATEGORY_NETWORK ||
		       row->transfer.direction == SYSCALL_READS ||
		       row->transfer.direction == SYSCALL_WRITES;
	}
}

static bool exit_reasons_process(const struct syscall_row *row)
{
	return row->traits & SYSCALL_ENDS_PROCESS;
}

static bool add_class(struct syscall_set *s, const char *name)
{
	static const struct {
		const char *name;
		bool (*has)(const struct syscall_row *row);
	} classes[] = { { "path", takes_path }, { "desc", takes_descriptor },
		{ "bytes", moves_bytes }, { "connections", is_connecting_call },
		{ "exits", exit_reasons_process }, { "api", serves_connections } };
	const struct syscall_row *row;

	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
		if (strcmp(name, classes[i].name) != 0)
			continue;
		for (size_t k = 0; (row = syscall_row_at(k)); k++) {
			if (classes[i].has(row))
				add_row(s, k);
		}
		return true;
	}
	return false;
}

static bool add_category(struct syscall_set *s, const char *name)
{
	const struct syscall_row *row;
	bool is_known = false;

	for (size_t k = 0; (row = syscall_row_at(k)); k++) {
		if (strcmp(name, syscall_category_name(row->category)) != 0)
			continue;
		add_row(s, k);
		is_known = true;
	}
	return is_known;
}

/* Adds all rows of that name: other ABIs may have a row of their own. */
static bool add_name(struct syscall_set *s, const char *name)
{
	const char *call = syscall_of_function(name);
	const struct syscall_row *row;
	bool is_known = false;

	for (size_t k = 0; (row = syscall_row_at(k)); k++) {
		if (strcmp(name, row->name) && (!call || strcmp(call, row->name)))
			continue;
		add_row(s, k);
		is_known = true;
	}
	return is_known;
}

/* Adds a name. "time", "ipc" and "signal" are also calls, and their categories include these. */
static bool add_word(struct syscall_set *s, const char *word)
{
	if (*word == '%')
		return add_class(s, word + 1) || add_category(s, word + 1);
	return add_category(s, word) || add_name(s, word);
}

static int refuse_unknown_call(const char *word, struct sooth_error *err)
{
	const char *names[SYSCALL_SET_ROWS], *near;
	const struct syscall_row *row;
	size_t count = 0;

	while (count < SYSCALL_SET_ROWS && (row = syscall_row_at(count)))
		names[count++] = row->name;
	near = nearest_name(word, names, count);
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "select the calls \"%s\"", word);
	error_why(err, "no call, category or class has that name");
	if (near)
		return error_remedy(err, "did you mean %s?", near);
	return error_remedy(err,
		"use names as in strace, a category (file, network, memory, process, event, time, "
		"ipc, signal, other) or a class (%%path, %%desc, %%bytes, %%connections, %%exits, "
		"%%api)");
}

/* Refuses a text that names no call: "!", ",", "read,". */
static int nothing_named(const char *text, struct sooth_error *err)
{
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "select the calls \"%s\"", text);
	error_why(err, "%s",
		strcmp(text, "!") ? "a name is missing in the list"
				  : "the name of a call is "
				    "missing behind the !");
	return error_remedy(err, "give a list such as openat,close or file,network or %%path; "
				 "!futex,poll selects all calls except futex and poll");
}

static void invert_set(struct syscall_set *s)
{
	for (size_t i = 0; i < SYSCALL_SET_ROWS / 64; i++)
		s->rows[i] = ~s->rows[i];
}

/* Skips a qualifier of strace(1): "trace=openat". */
static const char *skip_qualifier(const char *text)
{
	static const char *const qualifiers[] = { "trace=", "t=" };

	for (size_t i = 0; text && i < sizeof(qualifiers) / sizeof(qualifiers[0]); i++) {
		size_t size = strlen(qualifiers[i]);

		if (!strncmp(text, qualifiers[i], size))
			return text + size;
	}
	return text;
}

int syscall_set_parse(struct syscall_set *s, const char *text, struct sooth_error *err)
{
	const char *whole = text;
	bool is_all_but;

	assert(s);
	text = skip_qualifier(text);
	is_all_but = text && *text == '!';
	syscall_set_init(s);
	if (!text)
		return 0;
	s->is_all = false;
	text += is_all_but;
	do {
		size_t size = strcspn(text, ",");
		char word[WORD_SIZE];

		if (!size)
			return nothing_named(whole, err);
		snprintf(word, sizeof(word), "%.*s", (int)(size < WORD_SIZE ? size : WORD_SIZE - 1),
			text);
		if (!add_word(s, word))
			return refuse_unknown_call(word, err);
		text += size;
	} while (*text++ == ',');
	if (is_all_but)
		invert_set(s);
	return 0;
}

int syscall_set_of(
	struct syscall_set *s, const struct sooth_calls_options *options, struct sooth_error *err)
{
	return syscall_set_parse(s, options->call_set, err);
}

bool syscall_set_has(const struct syscall_set *s, const struct syscall_row *row)
{
	size_t position;

	assert(s);
	if (s->is_all || !row)
		return s->is_all;
	position = syscall_row_position(row);
	return s->rows[position / 64] >> position % 64 & 1;
}

void syscall_set_numbers(const struct syscall_set *s, unsigned abi, uint64_t *bits, uint32_t count)
{
	for (uint32_t number = 0; number < count; number++) {
		const struct syscall_row *row = syscall_by_number(abi, number);

		if (row && syscall_set_has(s, row))
			bits[number / 64] |= 1ull << number % 64;
	}
}
