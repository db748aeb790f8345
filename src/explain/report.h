/* SPDX-License-Identifier: BSD-2-Clause */
/* The report as the observer feeds it. */
#pragma once

#include <sooth/report.h>
#include "capture/capture_file.h"
#include "explain/time_range.h"
#include "explain/output.h"

/* Handles a block, as a block_handler whose `user` is the struct sooth_report. */
int report_block(void *user, const struct block *block, struct sooth_error *err);
/* Passes every block of one report to another as well, which is finished after it. */
void report_pass_on(struct sooth_report *r, struct sooth_report *to);
/* Makes the report one of frames: after each record of the named schema all views emit their rows
 * as a report of their own. A last frame at the end has only the notes. Call this before the first
 * block. The views must be able to emit more than once. */
void report_in_frames(struct sooth_report *r, const char *schema);
/* Makes frames of intervals: the first such record starts an interval, and after STREAM_END the
 * views emit once more, for the whole recording. */
void report_in_intervals(struct sooth_report *r, const char *schema);
/* Allows pids without records: they were found elsewhere. */
void report_may_lack_pids(struct sooth_report *r);
/* Writes the notes of a report to another output. An unfinished report has the notes so far,
 * without losses found while reading. If the reader stopped early on purpose, the capture is not
 * reported as cut off. */
int report_notes(struct sooth_report *r, bool is_whole, struct output *o, struct sooth_error *err);
/* Appends the limits of the views, one per line, for formats that have no notes. */
void report_limit_lines(const struct sooth_report *r, struct buffer *lines);
/* Appends the losses of a finished report, one per line. */
void report_loss_lines(const struct sooth_report *r, struct buffer *lines);
/* Returns -EINVAL if no table of this report can have the fields of the filter. Views that do not
 * declare their tables may have any; the filter is then checked at the end. */
int report_check_filter(const struct sooth_report *r, struct sooth_error *err);
/* Adds a view as sooth_report_add_view() does, but only once the stream has a source of the
 * probe. */
void report_add_view_of(
	struct sooth_report *r, const char *probe, const char *view, const void *options);
/* Says that no more bytes follow, and passes on whole blocks. sooth_report_finish() does so too. */
int report_end_of_file(struct sooth_report *r, struct sooth_error *err);
/* Returns whether parts of the capture could not be read. If not, it may still be cut off. */
bool report_is_damaged(const struct sooth_report *r);
/* Returns whether the capture is damaged, or lacks its end, within a block or between two. */
bool report_is_partial(const struct sooth_report *r);
/* Appends a line about the damage of a capture that was read to its end; empty: none. */
void report_damage(const struct sooth_report *r, struct buffer *out);
/* Returns a number that grows with each damage found so far. */
uint64_t report_damages(const struct sooth_report *r);
/* Lets the views emit their rows so far, to no sink. For use in a copy of the process. */
int report_emit_so_far(struct sooth_report *r, struct sooth_error *err);
/* Says that the report is finished while its recording goes on, in a copy of the process. */
void report_set_snapshot(struct sooth_report *r);
/* Adds a limit of the report itself to those of its views. */
void report_note(struct sooth_report *r, const char *what, const char *reason, const char *remedy);
/* Returns the reader of the bytes that were fed. */
const struct block_reader *report_block_reader(const struct sooth_report *r);
/* Returns -EINVAL when the bytes that were fed are no capture. */
int report_check_capture(const struct sooth_report *r, const char *path, struct sooth_error *err);
/* Does the same while an endless input is read: a device may deliver zeros for ever, or the writer
 * of a pipe may write something else. */
int report_check_stream(
	const struct sooth_report *r, const struct capture_file *f, struct sooth_error *err);
/* Return the requested time range, and the report that gets the same blocks; NULL: none. */
struct time_range *report_time_range(struct sooth_report *r);
struct sooth_report *report_passed_on_to(const struct sooth_report *r);
/* Counts the following blocks in `survey`; NULL: no longer. */
void report_survey(struct sooth_report *r, struct survey *survey);
/* Selects the blocks of the file that the time range needs. Call this before the first byte. */
int report_choose(struct sooth_report *r, struct capture_file *f, struct sooth_error *err);
/* Does the same as sooth_report_read(), but only for what the capture says of itself. The records
 * are counted, or taken from the index. */
int report_read_survey(
	struct sooth_report *r, const char *path, struct survey *survey, struct sooth_error *err);
/* Sets how many records, passed on or not, are of kinds that this build does not know. */
void report_set_unknown(struct sooth_report *r, uint64_t records);
/* Returns whether the stream has records of the probe, as far as it was read. */
bool report_has_probe(const struct sooth_report *r, const char *probe);
/* Adds a sink that is no format, but a screen. */
int report_add_sink_type(struct sooth_report *r, const struct sink_type *type,
	const struct sink_options *options, struct sooth_error *err);
