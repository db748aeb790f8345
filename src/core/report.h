/* SPDX-License-Identifier: BSD-2-Clause */
/* The report as the observer feeds it. */
#ifndef SOOTH_CORE_REPORT_H
#define SOOTH_CORE_REPORT_H

#include <sooth/report.h>
#include "capture/capture_file.h"
#include "core/time_range.h"
#include "core/output.h"

/* A block_handler; user is the struct sooth_report. */
int report_block(void *user, const struct block *block, struct sooth_error *err);
/* Every block that one report takes goes to another as well, which is finished after it. */
void report_pass_on(struct sooth_report *r, struct sooth_report *to);
/*
 * A report in frames: whenever a record of the schema of that name has been taken, all views
 * tell what they know then, as a report of its own. The notes come with the last one, which is
 * told at the end and has nothing else. To be said before the first block; the views must be of
 * those that can tell again.
 */
void report_in_frames(struct sooth_report *r, const char *schema);
/* Frames are of intervals: the first such record begins one, and at the end the views are told
 * once more, after STREAM_END, of everything. */
void report_in_intervals(struct sooth_report *r, const char *schema);
/* What stands under every report, told to another output. Of a report that was not finished it is
 * what was said until then, without what reading the capture has lost; and where the capture is not
 * whole because no more was wanted of it, it is not said to be cut. */
int report_notes(struct sooth_report *r, bool is_whole, struct output *o, struct sooth_error *err);
/* What its views noted that they could not do, a line each: for whoever has no place for notes. */
void report_limit_lines(const struct sooth_report *r, struct buffer *lines);
/*
 * Whether some table that may come has the fields that rows are filtered by: -EINVAL. Views that do
 * not say which tables they tell may have any; then it is found out at the end.
 */
int report_check_filter(const struct sooth_report *r, struct sooth_error *err);
/* What became of the bytes that were fed. */
const struct block_reader *report_reader(const struct sooth_report *r);
/* Of bytes that were fed: -EINVAL when they are no capture. */
int report_check_capture(const struct sooth_report *r, const char *path, struct sooth_error *err);
/* The same of what has no end that is known, while it is read: of a device that gives zeros for
 * ever, of a pipe whose writer means something else. */
int report_check_stream(
	const struct sooth_report *r, const struct capture_file *f, struct sooth_error *err);
/* The part that is asked for, and the report that takes the same blocks; NULL: none. */
struct time_range *report_time_range(struct sooth_report *r);
struct sooth_report *report_passed_on_to(const struct sooth_report *r);
/* What comes is counted there; NULL: no more. */
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
