/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The explaining half. A report takes blocks, live from an observer or from a
 * capture, puts their records in order of time, and shows them through views to
 * sinks. It needs no privilege and works on any system, whatever system the
 * records come from.
 *
 *   sooth_report_new(&r, "trace", &err);
 *   sooth_report_add_view(r, "syscall-table", NULL, &err);
 *   sooth_report_add_sink(r, "json", &(struct sooth_sink_options){
 *           .size = sizeof(struct sooth_sink_options), .stream = stdout }, &err);
 *   sooth_report_read(r, "trace.sooth", &err);
 *   sooth_report_finish(r, &err);
 *
 * One thread at a time may use a report. Every function that returns int gives 0, or a negative
 * errno with the error filled; after one that failed sooth_report_free() is always right. Views,
 * sinks and handlers are added before the first block.
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
	bool is_verbose; /* "text": also how it was measured, and what sooth cost */
};

/* The name is the schema's in every output; borrowed until sooth_report_free(). *out is to be
 * freed, and is written on success only. -ENOMEM. */
int sooth_report_new(struct sooth_report **out, const char *name, struct sooth_error *err);
/*
 * A view by name, -ENOENT when there is none. Each view needs these probes:
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
 * `options` is NULL: structs of options are not public yet. A view whose rows stream
 * (syscall-stream, heap-lines, finding-changes) stands in a report of its own.
 */
int sooth_report_add_view(
	struct sooth_report *r, const char *view, const void *options, struct sooth_error *err);
/* For each probe that turns out to be in the stream, its default views. */
void sooth_report_add_default_views(struct sooth_report *r);
/* A sink by name: "text" (or "table"), "json", "jsonl", "csv", "redacted"; of views
 * with stacks "folded" and "flamegraph", of a timeline "timeline-svg". -ENOENT. Texts of targets
 * are escaped as the format wants it. */
int sooth_report_add_sink(struct sooth_report *r, const char *sink,
	const struct sooth_sink_options *options, struct sooth_error *err);
/* The last filter holds. Tables that have its fields show only the rows that match it: "errno != 0
 * and path ~ \"/etc\"", see filters in the manual page. -EINVAL with the place that makes no sense;
 * sooth_report_finish() fails with it when no table had the fields. */
int sooth_report_filter(struct sooth_report *r, const char *expression, struct sooth_error *err);
/* Shows only the added processes of the stream; none added: all. Before the first block.
 * sooth_report_finish() fails with -ESRCH when one of them was not there. */
int sooth_report_add_pid(struct sooth_report *r, pid_t pid, struct sooth_error *err);
/* Only of the time from from_ns to to_ns, since the begin of the observation, or before its end
 * when below 0; INT64_MAX: to the end. Earlier definitions and records about the whole
 * recording are included; counts that cross an edge of the range are left out and reported.
 * Call it before the first block. -EINVAL when the range is empty; finish() returns it when the
 * capture is shorter. Times before the end need sooth_report_read() of a file. */
int sooth_report_between(
	struct sooth_report *r, int64_t from_ns, int64_t to_ns, struct sooth_error *err);
/* Every record in order of time, with its schema (NULL: of a kind this build does not know),
 * borrowed for the call; docs/capture-format.md lists kinds, the schema the fields of each. A
 * record is what was observed, as it was: of a system call number and ABI, whose name is in the
 * rows of "syscall-stream". Texts in it are the target's: escape them. A negative return ends the
 * report with that value, as an error. There is one handler. */
typedef int (*sooth_record_handler)(
	void *user, const struct sooth_schema *schema, const struct sooth_record *record);
void sooth_report_on_record(struct sooth_report *r, sooth_record_handler handler, void *user);
/*
 * Every row of the views, in the order in which a sink would write it: `section` is its key in
 * JSON ("processes", "loss"), and the schema has its fields. All are borrowed for the call. A
 * negative return ends the report with that value, as an error. Rows come when the report is
 * finished, those that stream as they happen; last what was lost and what could not be measured
 * (sections "loss", "limits"), which belongs to every figure. Fields are called as the keys of the
 * sink "json".
 */
typedef int (*sooth_row_handler)(void *user, const char *section, const struct sooth_schema *schema,
	const struct sooth_record *row);
int sooth_report_on_row(
	struct sooth_report *r, sooth_row_handler handler, void *user, struct sooth_error *err);

/* A whole capture file; "-" is standard input. -EINVAL when it is not a capture. A capture that is
 * cut off or damaged is read as far as possible, and section "loss" says so. */
int sooth_report_read(struct sooth_report *r, const char *path, struct sooth_error *err);
/* Bytes of a capture as they come, in pieces of any size; copied. Bytes that are not
 * a capture are reported as loss only. */
int sooth_report_feed(
	struct sooth_report *r, const void *data, size_t size, struct sooth_error *err);
/* The end of the input: the views emit their rows and the sinks end. Call it once, after the
 * observer was stopped. */
int sooth_report_finish(struct sooth_report *r, struct sooth_error *err);
/* Wait status of the launched command, as waitpid(2) returns it and the stream records it; -1:
 * none. */
int sooth_report_child_status(const struct sooth_report *r);
/* NULL is fine. Everything borrowed from the report is gone with it. */
void sooth_report_free(struct sooth_report *r);

#ifdef __cplusplus
}
#endif
#endif
