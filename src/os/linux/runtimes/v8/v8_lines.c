/* SPDX-License-Identifier: BSD-2-Clause */
/* Sources are read in pieces, each with a timeout. */
#include "os/linux/runtimes/v8/v8_lines.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "os/linux/files/read_memory.h"

#define SCRIPTS_MAX 4096
#define ENDS_MAX    (4u << 20)
#define LETTERS_MAX (32u << 20) /* of one source */
#define PIECE_BYTES (128u << 10)
#define SEPARATOR   0x2028 /* ends a line, like the character after it */

struct v8_script_lines {
	uint32_t first, count; /* range in `ends` */
	uint32_t is_known;
};

struct piece_job {
	struct v8_layout layout;
	struct v8_source of;
	struct v8_letters letters; /* letters that were found, or are expected */
	uint32_t at;		   /* offset from the first letter in bytes */
	uint32_t size;		   /* bytes to read; 0: only find the letters */
	bool is_there;
	unsigned char bytes[PIECE_BYTES];
};

void v8_lines_init(struct v8_lines *l)
{
	map_init(
		&l->scripts, sizeof(struct v8_source), sizeof(struct v8_script_lines), SCRIPTS_MAX);
}

void v8_lines_fini(struct v8_lines *l)
{
	map_fini(&l->scripts);
	buffer_fini(&l->ends);
	timeout_fini(&l->timeout);
}

static void run_piece_job(void *argument)
{
	struct piece_job *job = argument;
	const struct v8_memory m = { &job->layout, do_read_process, &job->of.pid };

	if (!job->size)
		job->is_there = v8_flat(&m, job->of.source, &job->letters);
	else
		job->is_there = do_read_process(
			&job->of.pid, job->letters.address + job->at, job->bytes, job->size);
}

static bool read_piece(struct v8_lines *l, struct piece_job *job)
{
	job->is_there = false;
	return !timeout_call(&l->timeout, run_piece_job, NULL, job, sizeof(*job), -1, TIMEOUT_MS) &&
	       job->is_there;
}

/* Counts the line ends of a piece. *before: the last letter of the previous piece. */
static void count_lines_of_piece(struct v8_lines *l, const struct piece_job *job, uint32_t *before)
{
	uint32_t wide = job->letters.bytes, first = job->at / wide;

	for (uint32_t i = 0; i < job->size / wide; i++) {
		uint32_t letter = job->bytes[i * wide];

		if (wide == 2)
			letter |= (uint32_t)job->bytes[2 * i + 1] << 8;
		/* Only the second letter of "\r\n" counts. */
		if (*before == '\r' && letter != '\n') {
			uint32_t end = first + i - 1;

			buffer_append(&l->ends, &end, sizeof(end));
		}
		if (letter == '\n' || letter == SEPARATOR || letter == SEPARATOR + 1) {
			uint32_t end = first + i;

			buffer_append(&l->ends, &end, sizeof(end));
		}
		*before = letter;
	}
}

static bool read_all(struct v8_lines *l, struct piece_job *job)
{
	uint32_t all, before = 0;

	if (!read_piece(l, job) || job->letters.length > LETTERS_MAX)
		return false;
	all = job->letters.length * job->letters.bytes;
	for (job->at = 0; job->at < all; job->at += job->size) {
		job->size = all - job->at < PIECE_BYTES ? all - job->at : PIECE_BYTES;
		if (!read_piece(l, job) || l->ends.size / sizeof(uint32_t) > ENDS_MAX)
			return false;
		count_lines_of_piece(l, job, &before);
	}
	return true;
}

/* Reads a source. Other objects may be moved meanwhile, and the string with them, so it must be at
 * its old address afterwards. */
static bool read_source(struct v8_lines *l, const struct v8_layout *layout,
	const struct v8_source *source, struct v8_script_lines *script)
{
	_cleanup_free_ struct piece_job *job = calloc(1, sizeof(*job));
	struct v8_letters before;
	size_t begin = l->ends.size;
	bool is_whole;

	if (!job)
		return false;
	job->layout = *layout;
	job->of = *source;
	is_whole = read_all(l, job);
	before = job->letters;
	job->size = 0;
	is_whole = is_whole && read_piece(l, job) && job->letters.address == before.address &&
		   job->letters.length == before.length && !buffer_failed(&l->ends);
	if (!is_whole) {
		l->ends.size = begin;
		return false;
	}
	script->first = (uint32_t)(begin / sizeof(uint32_t));
	script->count = (uint32_t)((l->ends.size - begin) / sizeof(uint32_t));
	return true;
}

uint32_t v8_lines_of(struct v8_lines *l, const struct v8_layout *layout,
	const struct v8_source *source, uint32_t position)
{
	bool is_new;
	struct v8_script_lines *script = map_put(&l->scripts, source, &is_new);
	const uint32_t *ends;
	uint32_t from = 0, to;

	if (script && is_new)
		script->is_known = read_source(l, layout, source, script);
	if (!script || !script->is_known)
		return 0;
	ends = (const uint32_t *)l->ends.data + script->first;
	/* Finds the first end that is not before the letter. */
	for (to = script->count; from < to;) {
		uint32_t middle = from + (to - from) / 2;

		if (ends[middle] < position)
			from = middle + 1;
		else
			to = middle;
	}
	return from + 1;
}
