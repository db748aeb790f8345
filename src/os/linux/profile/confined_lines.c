/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads lines by libdw, in a process with limits. */
#include "os/linux/profile/confined_lines.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "os/linux/rights/parser_process.h"

static int parse_lines(int file, void *job, struct buffer *more)
{
	struct file_names *names = job;

	(void)more;
	setlocale(LC_ALL, "C"); /* elf_lines() compares texts of libdw */
	elf_lines(file, names->addresses, names->lines, names->count);
	return 0;
}

/* --- its result --- */

static bool has_texts(const char *texts, size_t size, size_t *count)
{
	*count = 0;
	if (size > ELF_LINE_TEXT_MAX || (size && texts[size - 1]))
		return false;
	for (size_t i = 0; i < size; i++)
		*count += !texts[i];
	return true;
}

/* Returns whether a line is valid: a hostile file may make the child write anything. */
static bool is_valid_line(const struct elf_line *line)
{
	size_t functions, places;

	return has_texts(line->functions, line->functions_size, &functions) &&
	       has_texts(line->places, line->places_size, &places) &&
	       functions <= ELF_LINE_INLINED_MAX &&
	       (line->is_found ? places && (line->is_cut || places == functions + 1) : !functions);
}

static bool copy_lines(struct file_names *names, const struct file_names *answer)
{
	size_t size = names->count * sizeof(names->lines[0]);

	for (size_t i = 0; i < names->count; i++) {
		if (!is_valid_line(&answer->lines[i]) || answer->lines[i].is_refused)
			return false;
	}
	memcpy(names->lines, answer->lines, size);
	return true;
}

static bool read_confined(int file, struct file_names *names)
{
	static const struct parser parser = { "source lines of an ELF file", parse_lines };
	size_t size = file_names_size(names);
	_cleanup_free_ struct file_names *job = malloc(size);

	if (!job)
		return false;
	memcpy(job, names, size);
	return !parser_run_apart(&parser, file, job, size, NULL) && copy_lines(names, job);
}

void confined_lines(int file, struct file_names *names)
{
	names->is_refused = names->is_refused || !read_confined(file, names);
	for (size_t i = 0; i < names->count && names->is_refused; i++)
		names->lines[i].is_refused = !names->lines[i].is_found;
}
