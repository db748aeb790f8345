/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The explaining half. A report takes blocks from a running observer or a capture, and puts their
 * records in order of time. Views compute rows from them, and sinks write the rows. It needs no
 * privilege and works on any system, whatever system the records come from.
 *
 *   sooth_report_new(&r, "trace", &err);
 *   sooth_report_add_view(r, "syscall-table", NULL, &err);
 *   sooth_report_add_sink(r, "json", &(struct sooth_sink_options){
 *           .size = sizeof(struct sooth_sink_options), .stream = stdout }, &err);
 *   sooth_report_read(r, "trace.sooth", &err);
 *   sooth_report_finish(r, &err);
 *
 * One thread at a time may use a report. Every function that returns int returns 0, or a negative
 * errno with the error filled; after a failure sooth_report_free() is always allowed. Add views,
 * sinks and handlers before the first block.
 */
#ifndef SOOTH_REPORT_H
#define SOOTH_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

#include <sooth/error.h>
#include <sooth/field.h>

#ifdef __cplusplus
extern "C" {
#endif

struct sooth_report;

struct sooth_sink_options {
	size_t size;	/* sizeof(struct sooth_sink_options) */
	FILE *stream;	/* needed; borrowed until sooth_report_free(), flushed, never closed */
	unsigned width; /* columns of the terminal; 0: none, never cut */
	bool use_color;
	bool in_lines;	 /* "json": each report on one line */
	bool is_verbose; /* "text": also the methods of measurement, and sooth's own cost */
};

/* Creates a report. `name` stands as its schema in every output, and is borrowed until
 * sooth_report_free(). *out is written only on success; the caller frees it. Fails only with
 * -ENOMEM. */
int sooth_report_new(struct sooth_report **out, const char *name, struct sooth_error *err);
/*
 * Adds a view by its name; -ENOENT: there is none. Each view needs these probes:
 *
 *   processes, findings, finding-changes   proc; findings see more with more probes
 *   syscall-table                          syscalls, counted or streamed
 *   syscall-stream, operations             syscalls, streamed
 *   syscall-folded                         syscalls
 *   heap-table; heap-lines                 heap, counted or streamed; streamed
 *   timeline                               proc, sampled; more lanes with more probes
 *   connections                            proc and sockets
 *   context, fds, sockets, maps, threads, signals, limits, environment, host, ends
 *                                          the probe of that name
 *
 * `options` has to be NULL: structs of options are not public yet. A view whose rows stream
 * (syscall-stream, heap-lines, finding-changes) has to be the only view of a report.
 */
int sooth_report_add_view(
	struct sooth_report *r, const char *view, const void *options, struct sooth_error *err);
/* Adds the default views of each probe that occurs in the stream, but for those of events that the
 * probe did not record; where it recorded none, the limits of the report name it. */
void sooth_report_add_default_views(struct sooth_report *r);
/* Adds a sink by its name: "text" (or "table"), "json", "jsonl", "csv", "redacted", "html"; for
 * views with stacks "folded" and "flamegraph", for a timeline "timeline-svg". -ENOENT: there is
 * none. Texts of targets are escaped as the format requires. */
int sooth_report_add_sink(struct sooth_report *r, const char *sink,
	const struct sooth_sink_options *options, struct sooth_error *err);
/* Sets the filter, and replaces an earlier one. Tables that have its fields show only the rows that
 * match it: "errno != 0 and path ~ \"/etc\"", see filters in the manual page. -EINVAL: the error
 * names the place that makes no sense; sooth_report_finish() returns it if no table had the
 * fields. */
int sooth_report_filter(struct sooth_report *r, const char *expression, struct sooth_error *err);
/* Shows only the added processes of the stream; none added: all. Call it before the first block.
 * sooth_report_finish() returns -ESRCH if the stream has no such process. */
int sooth_report_add_pid(struct sooth_report *r, pid_t pid, struct sooth_error *err);
/* Shows only the time from from_ns to to_ns, since the start of the observation, or if negative,
 * before its end; INT64_MAX: to the end. Earlier definitions and records about the whole recording
 * are included; counts that cross an edge of the range are left out and reported. Call it before
 * the first block. -EINVAL when the range is empty; finish() returns it when the capture is
 * shorter. Times before the end need sooth_report_read() of a file. */
int sooth_report_between(
	struct sooth_report *r, int64_t from_ns, int64_t to_ns, struct sooth_error *err);
/* Passes every record to `handler`, in order of time, with its schema (NULL: this build does not
 * know the kind). Both are borrowed for the call. docs/capture-format.md lists the kinds, and the
 * schema lists the fields. Records have raw values: a system call has its number and ABI, and only
 * the rows of "syscall-stream" have its name. Texts come from the target: escape them. If the
 * handler returns a negative value, the report ends with it as an error. Only one handler is
 * possible. */
typedef int (*sooth_record_handler)(
	void *user, const struct sooth_schema *schema, const struct sooth_record *record);
void sooth_report_on_record(struct sooth_report *r, sooth_record_handler handler, void *user);
/*
 * Passes every row of the views to `handler`, in the order in which a sink would write them.
 * `section` is the key of the table in JSON ("processes", "loss"), and `schema` has its fields,
 * named as the keys of the sink "json". All are borrowed for the call. If the handler returns a
 * negative value, the report ends with it as an error. Rows come when the report is finished, but
 * streamed rows come as they happen. The last rows (sections "loss", "limits") say what was lost
 * and could not be measured: they qualify all values.
 */
typedef int (*sooth_row_handler)(void *user, const char *section, const struct sooth_schema *schema,
	const struct sooth_record *row);
int sooth_report_on_row(
	struct sooth_report *r, sooth_row_handler handler, void *user, struct sooth_error *err);

/* Reads a whole capture file; "-" is standard input. -EINVAL: it is no capture. A capture that is
 * cut off or damaged is read as far as possible, and section "loss" reports that. */
int sooth_report_read(struct sooth_report *r, const char *path, struct sooth_error *err);
/* Takes bytes of a capture in pieces of any size, and copies them. Bytes that are not a capture are
 * only reported as loss. */
int sooth_report_feed(
	struct sooth_report *r, const void *data, size_t size, struct sooth_error *err);
/* Ends the input: the views emit their rows and the sinks end. Call it once, after the observer was
 * stopped. */
int sooth_report_finish(struct sooth_report *r, struct sooth_error *err);
/* Returns the wait status of the launched command from the stream, as from waitpid(2); -1: none. */
int sooth_report_child_status(const struct sooth_report *r);
/* Frees the report with everything that was borrowed from it. `r` may be NULL. */
void sooth_report_free(struct sooth_report *r);

#ifdef __cplusplus
}
#endif
#endif
