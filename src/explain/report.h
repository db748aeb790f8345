/* SPDX-License-Identifier: BSD-2-Clause */
/* The report as the observer feeds it. */
#ifndef SOOTH_EXPLAIN_REPORT_H
#define SOOTH_EXPLAIN_REPORT_H

#include <sooth/report.h>
#include "capture/capture_file.h"
#include "explain/time_range.h"
#include "explain/output.h"

/* A block_handler; user is the struct sooth_report. */
int report_block(void *user, const struct block *block, struct sooth_error *err);
/* Every block that one report takes goes to another as well, which is finished after it. */
void report_pass_on(struct sooth_report *r, struct sooth_report *to);
/*
 * A report in frames: after each record of the named schema all views emit their rows as a
 * report of its own. The notes come in a last frame at the end, which has nothing else. Call it
 * before the first block; the views must be able to emit more than once.
 */
void report_in_frames(struct sooth_report *r, const char *schema);
/* Frames are of intervals: the first such record starts one, and after STREAM_END the views
 * emit once more, for the whole recording. */
void report_in_intervals(struct sooth_report *r, const char *schema);
/* The pids were found elsewhere: one without records here is not an error. */
void report_may_lack_pids(struct sooth_report *r);
/* The notes of a report, written to another output. For an unfinished report: the notes so far,
 * without losses found while reading; if the reader stopped early on purpose, the capture is not
 * reported as cut off. */
int report_notes(struct sooth_report *r, bool is_whole, struct output *o, struct sooth_error *err);
/* The limits of its views, one per line: for formats that have no notes. */
void report_limit_lines(const struct sooth_report *r, struct buffer *lines);
/* The losses of a finished report, one per line. */
void report_loss_lines(const struct sooth_report *r, struct buffer *lines);
/*
 * Whether a table of this report can have the fields of the filter: else -EINVAL. Views that do not
 * declare their tables may have any; then the filter is checked at the end.
 */
int report_check_filter(const struct sooth_report *r, struct sooth_error *err);
/* No more bytes will come: hands over what is whole. sooth_report_finish() does it too. */
int report_end_of_file(struct sooth_report *r, struct sooth_error *err);
/* Parts of the capture could not be read; false: it may be cut off. */
bool report_is_damaged(const struct sooth_report *r);
/* That, or its end is missing, in the middle of a block or between two. */
bool report_is_partial(const struct sooth_report *r);
/* The damage of a capture that was read to its end, in one line; empty: none. */
void report_damage(const struct sooth_report *r, struct buffer *out);
/* Grows with each damage that was found in what was read so far. */
uint64_t report_damages(const struct sooth_report *r);
/* The views emit what they have so far, and no sink gets it: in a copy of the process. */
int report_emit_so_far(struct sooth_report *r, struct sooth_error *err);
/* It is to be finished while its recording goes on: in a copy of the process. */
void report_set_snapshot(struct sooth_report *r);
/* A limit of the report, beside those of its views. */
void report_note(struct sooth_report *r, const char *what, const char *reason, const char *remedy);
/* The reader that took the bytes that were fed. */
const struct block_reader *report_reader(const struct sooth_report *r);
/* -EINVAL when the bytes that were fed are no capture. */
int report_check_capture(const struct sooth_report *r, const char *path, struct sooth_error *err);
/* The same of what has no end that is known, while it is read: of a device that gives zeros for
 * ever, of a pipe whose writer means something else. */
int report_check_stream(
	const struct sooth_report *r, const struct capture_file *f, struct sooth_error *err);
/* The part that is asked for, and the report that takes the same blocks; NULL: none. */
struct time_range *report_time_range(struct sooth_report *r);
struct sooth_report *report_passed_on_to(const struct sooth_report *r);
/* Blocks that come are counted in `survey`; NULL: no longer. */
void report_survey(struct sooth_report *r, struct survey *survey);
/* Before the first byte: only what the part needs is read of the file. */
int report_choose(struct sooth_report *r, struct capture_file *f, struct sooth_error *err);
/* As sooth_report_read(), but only what the capture says of itself; what it holds is counted, or
 * taken from its index. */
int report_read_survey(
	struct sooth_report *r, const char *path, struct survey *survey, struct sooth_error *err);
/* So many records, handed over or not, are of kinds that this build does not know. */
void report_set_unknown(struct sooth_report *r, uint64_t records);
/* Whether the stream, as far as it was read, has records of that probe. */
bool report_has_probe(const struct sooth_report *r, const char *probe);
/* A sink that is no format: a screen. */
int report_add_sink_type(struct sooth_report *r, const struct sink_type *type,
	const struct sink_options *options, struct sooth_error *err);

#endif
