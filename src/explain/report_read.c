/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Makes a report of a file. For a time range, only the blocks are read that the index lists for it,
 * and those that no index covers; without a valid index all are. The result is the same.
 */
#include <errno.h>

#include <assert.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "explain/report.h"
#include "import/import.h"
#include "model/probe.h"

/* --- reading --- */

#define REPORT_READ_BYTES (256u << 10)
#define STREAM_LOOK_BYTES (4ull * BLOCK_RAW_BYTES_MAX) /* the rest of a block, and whole ones */

static int count_block(void *user, const struct block *block, struct sooth_error *err)
{
	survey_block(user, block);
	return ((struct survey *)user)->failed ? error_no_memory(err) : 0;
}

/* Reads the whole file, only for its begin and its end. */
static int read_first(struct capture_file *f, struct survey *s, struct sooth_error *err)
{
	_cleanup_free_ char *bytes = malloc(REPORT_READ_BYTES);
	struct block_reader reader = { 0 };
	ssize_t got = 0;
	int status = bytes ? 0 : error_no_memory(err);

	while (!status && (got = capture_file_read(f, bytes, REPORT_READ_BYTES, err)) > 0)
		status = block_reader_feed(&reader, bytes, (size_t)got, count_block, s, err);
	if (!status && got < 0)
		status = (int)got;
	if (!status)
		status = block_reader_finish(&reader, count_block, s, err);
	block_reader_fini(&reader);
	return status;
}

static int refuse_open_capture(struct sooth_error *err)
{
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "count back from the end of the capture");
	error_why(err, "the input is a pipe: its end is unknown until sooth has read everything");
	return error_remedy(err, "name a file, or give times after the start: --from 10s");
}

/* Sets the time range. A report of the same blocks has its own copy of the range. */
static void set_time_range(struct sooth_report *r, const struct survey *s)
{
	for (; r; r = report_passed_on_to(r))
		time_range_learn(report_time_range(r), s);
}

static bool choose_by_index(struct sooth_report *r, struct capture_file *f, struct survey *s)
{
	struct time_range *part = report_time_range(r);
	struct time_range tried = *part;

	if (!capture_file_survey(f, s))
		return false;
	time_range_learn(&tried, s);
	return tried.is_known && capture_file_choose(f, time_range_wants, &tried);
}

int report_choose(struct sooth_report *r, struct capture_file *f, struct sooth_error *err)
{
	struct survey s = { 0 };
	int status = 0;

	assert(f);
	if (!report_time_range(r)->is_requested)
		return 0;
	if (choose_by_index(r, f, &s)) {
		set_time_range(r, &s);
	} else if (time_range_needs_end(report_time_range(r))) {
		survey_fini(&s);
		status = f->bytes ? read_first(f, &s, err) : refuse_open_capture(err);
		if (!status && !capture_file_rewind(f))
			status = error_errno(err, -errno, "read the capture %s again", f->path);
		if (!status)
			set_time_range(r, &s);
	}
	survey_fini(&s);
	return status;
}

int report_check_capture(const struct sooth_report *r, const char *path, struct sooth_error *err)
{
	const struct block_reader *reader = report_block_reader(r);

	/* A capture that is cut in its first block is an empty one; other input is no capture. */
	if (reader->blocks || (!reader->damaged_bytes && reader->bytes))
		return 0;
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "read %s", path);
	error_why(err, "not a sooth capture");
	return error_remedy(err, "name a file written by `sooth record` or --save");
}

int report_check_stream(
	const struct sooth_report *r, const struct capture_file *f, struct sooth_error *err)
{
	assert(f);
	if (f->bytes || report_block_reader(r)->bytes < STREAM_LOOK_BYTES)
		return 0;
	return report_check_capture(r, f->path, err);
}

static int read_whole_capture(
	struct sooth_report *r, struct capture_file *f, struct sooth_error *err)
{
	_cleanup_free_ char *bytes = malloc(REPORT_READ_BYTES);
	ssize_t got;
	int status = bytes ? 0 : error_no_memory(err);

	while (!status) {
		got = capture_file_read(f, bytes, REPORT_READ_BYTES, err);
		if (got <= 0)
			return got < 0 ? (int)got : report_check_capture(r, f->path, err);
		status = sooth_report_feed(r, bytes, (size_t)got, err);
		if (!status)
			status = report_check_stream(r, f, err);
	}
	return status;
}

/* Refuses an input of 0 bytes: it is no empty recording. */
static int check_readable(const struct sooth_report *r, const char *path, struct sooth_error *err)
{
	const struct block_reader *reader = report_block_reader(r);

	if (reader->blocks || !(reader->damaged_blocks || reader->cut_bytes))
		return 0;
	error_set(err, -EIO, SOOTH_FAULT_IO, "read %s", path);
	error_why(err, reader->damaged_blocks
			       ? "every block of this capture is damaged"
			       : "the capture is cut off in its first block: it holds no record");
	return error_remedy(err, "record again, or take another copy of the file");
}

int sooth_report_read(struct sooth_report *r, const char *path, struct sooth_error *err)
{
	ERROR_HERE(err);
	struct capture_file f;
	int status = import_open(&f, path, err);

	if (status)
		return status;
	status = report_choose(r, &f, err);
	if (!status)
		status = read_whole_capture(r, &f, err);
	if (!status)
		status = report_end_of_file(r, err);
	if (!status)
		status = check_readable(r, path, err);
	capture_file_close(&f);
	return status;
}

static bool has_notes(void *user, const struct index_entry *e)
{
	(void)user;
	return e->flags & INDEX_NOTES;
}

/* Notes unknown records once, including those in blocks that were read. */
static void note_unknown(struct sooth_report *r, const struct survey *s)
{
	uint64_t unknown = 0;

	map_for_each (&s->kinds, const uint16_t *, kind, uint64_t *, records) {
		if (!registry_schema(*kind))
			unknown += *records;
	}
	report_set_unknown(r, unknown);
}

int report_read_survey(
	struct sooth_report *r, const char *path, struct survey *survey, struct sooth_error *err)
{
	struct capture_file f;
	bool is_reported;
	int status = import_open(&f, path, err);

	assert(survey);
	if (status)
		return status;
	is_reported = capture_file_survey(&f, survey) && capture_file_choose(&f, has_notes, NULL);
	if (!is_reported) {
		survey_fini(survey);
		survey->file_bytes = f.bytes;
		report_survey(r, survey);
	}
	status = read_whole_capture(r, &f, err);
	if (is_reported)
		note_unknown(r, survey);
	capture_file_close(&f);
	return status;
}

/* --- rows and records for users of the library --- */

/* A sink that writes nothing, and passes rows unchanged to a program. */

struct row_user {
	sooth_row_handler handler;
	void *user;
};

struct rows_state {
	struct row_user to;
};

static int open_rows(void *state, const struct sink_options *options, struct sooth_error *err)
{
	struct rows_state *s = state;

	(void)err;
	s->to = *(const struct row_user *)options->user;
	return 0;
}

static int handle_rows(void *state, const struct section *section, const struct batch *batch,
	struct sooth_error *err)
{
	const struct rows_state *s = state;

	batch_for_each (row, batch) {
		int status = s->to.handler(s->to.user, section->name, section->schema, row);

		if (status < 0)
			return error_set(err, status, SOOTH_FAULT_USAGE, "hand over a row");
	}
	return 0;
}

static const struct sink_type rows_sink = {
	.name = "rows",
	.help = "rows for the program itself, not for output",
	.state_size = sizeof(struct rows_state),
	.takes_asides = true,
	.open = open_rows,
	.rows = handle_rows,
};

int sooth_report_on_row(
	struct sooth_report *r, sooth_row_handler handler, void *user, struct sooth_error *err)
{
	ERROR_HERE(err);
	struct row_user to = { handler, user };
	struct sink_options options = { .user = &to };

	return report_add_sink_type(r, &rows_sink, &options, err);
}
