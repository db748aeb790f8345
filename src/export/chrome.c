/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Chrome's trace event format (JSON), which Perfetto, chrome://tracing and speedscope read: system
 * calls on the threads that made them, the lives of processes, CPU and memory as counters, findings
 * and losses as marks. Events are written as they come: readers sort them. Times are microseconds
 * of CLOCK_MONOTONIC with three digits behind the point, so no nanosecond is lost.
 */
#include <sooth/record.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "export/export.h"
#include "model/process_id.h"
#include "model/stream_records.h"
#include "probes/proc.h"
#include "probes/syscall_names.h"
#include "probes/syscalls.h"
#include "sinks/json_members.h"

#define WRITE_BYTES   (64u << 10)
#define PROCESSES_MAX 65536
#define THREADS_MAX   262144
#define TIME_SIZE     32

/* --- events: begin one, add to it, end it --- */

struct chrome_events {
	struct buffer bytes;
	struct json json; /* the event being made */
	bool has_arguments;
	bool has_events;
};

static void chrome_begin(struct chrome_events *e)
{
	buffer_string(&e->bytes, "{\"displayTimeUnit\":\"ns\",\"traceEvents\":[");
}

/* Microseconds; as text, because a double has not room for all digits. */
static void put_time(struct chrome_events *e, const char *key, uint64_t ns)
{
	char text[TIME_SIZE];
	int size =
		snprintf(text, sizeof(text), "%" PRIu64 ".%03u", ns / 1000, (unsigned)(ns % 1000));

	json_key(&e->json, key);
	json_written(&e->json, text, (size_t)size);
}

static void chrome_number(struct chrome_events *e, const char *key, uint64_t value)
{
	json_key(&e->json, key);
	json_u64(&e->json, value);
}

/* Of the process and thread of a record. */
static void chrome_event(struct chrome_events *e, char phase, const char *name, size_t size,
	const struct sooth_record *r, uint64_t time_ns)
{
	buffer_string(&e->bytes, e->has_events ? ",\n" : "\n");
	e->has_events = true;
	e->has_arguments = false;
	json_init(&e->json, &e->bytes, 0);
	json_begin_object(&e->json);
	json_key(&e->json, "name");
	json_chars(&e->json, name, size);
	json_key(&e->json, "ph");
	json_chars(&e->json, &phase, 1);
	put_time(e, "ts", time_ns);
	chrome_number(e, "pid", r->pid);
	chrome_number(e, "tid", r->tid ? r->tid : r->pid);
}

static void chrome_duration(struct chrome_events *e, uint64_t ns)
{
	put_time(e, "dur", ns);
}

static void chrome_text(struct chrome_events *e, const char *key, const char *text, size_t size)
{
	json_key(&e->json, key);
	json_chars(&e->json, text, size);
}

/* What is added from here on are its arguments. */
static void chrome_arguments(struct chrome_events *e)
{
	json_key(&e->json, "args");
	json_begin_object(&e->json);
	e->has_arguments = true;
}

static void chrome_flag(struct chrome_events *e, const char *key)
{
	json_key(&e->json, key);
	json_bool(&e->json, true);
}

static void chrome_end(struct chrome_events *e)
{
	if (e->has_arguments)
		json_end(&e->json);
	json_end(&e->json);
}

/* The life of a process: its begin ('b') or end ('e'); not ended. */
static void chrome_span(
	struct chrome_events *e, char phase, const struct sooth_record *r, uint64_t ns)
{
	char id[48];
	int size = snprintf(id, sizeof(id), "%" PRIu32 "-%" PRIu64, r->pid, r->start_ticks);

	chrome_event(e, phase, "process", strlen("process"), r, ns);
	chrome_text(e, "cat", "process", strlen("process"));
	chrome_text(e, "id", id, (size_t)size);
}

/* A moment of a process; not ended. */
static void chrome_mark(struct chrome_events *e, const char *name, const char *category,
	const struct sooth_record *r, uint64_t ns)
{
	chrome_event(e, 'i', name, strlen(name), r, ns);
	chrome_text(e, "cat", category, strlen(category));
	chrome_text(e, "s", "p", 1);
}

/* What a thread or process is called. */
static void chrome_name(
	struct chrome_events *e, const char *what, uint32_t pid, uint32_t tid, const char *name)
{
	struct sooth_record r = { .pid = pid, .tid = tid };

	chrome_event(e, 'M', what, strlen(what), &r, 0);
	chrome_arguments(e);
	chrome_text(e, "name", name, strlen(name));
	chrome_end(e);
}

static void chrome_finish(struct chrome_events *e, uint64_t refused)
{
	buffer_string(&e->bytes, "\n],\"otherData\":{\"clock\":\"CLOCK_MONOTONIC\"");
	if (refused)
		buffer_format(&e->bytes, ",\"names_and_lives_left_out\":%" PRIu64, refused);
	buffer_string(&e->bytes, "}}\n");
}

static void chrome_fini(struct chrome_events *e)
{
	buffer_fini(&e->bytes);
}

/* --- what is known of processes and threads --- */

/* What is known of a process that runs. */
struct life {
	uint64_t begin_ns;	     /* 0: unknown */
	uint64_t cpu_ns, sampled_ns; /* 0: not sampled */
};

struct thread_name {
	char text[PROCESS_NAME_SIZE];
};

struct chrome_export {
	FILE *stream;
	struct chrome_events events;
	struct map lives; /* process_id -> life */
	struct map names; /* uint64_t pid << 32 | tid -> thread_name */
	struct buffer scratch;
	uint64_t last_ns;
};

static int open_chrome(void *state, const struct export_place *place, struct sooth_error *err)
{
	struct chrome_export *s = state;

	(void)err;
	s->stream = place->file->stream;
	map_init(&s->lives, sizeof(struct process_id), sizeof(struct life), PROCESSES_MAX);
	map_init(&s->names, sizeof(uint64_t), sizeof(struct thread_name), THREADS_MAX);
	chrome_begin(&s->events);
	return 0;
}

static const char *text_of(const char *name, char out[PROCESS_NAME_SIZE + 1])
{
	memcpy(out, name, PROCESS_NAME_SIZE);
	out[PROCESS_NAME_SIZE] = '\0';
	return out;
}

/* Says what a thread is called when it is new or has another name now. */
static void name_thread(struct chrome_export *s, uint32_t pid, uint32_t tid, const char *name)
{
	uint64_t key = (uint64_t)pid << 32 | tid;
	struct thread_name *known = map_put(&s->names, &key, NULL);
	char text[PROCESS_NAME_SIZE + 1];

	if (!known || !strncmp(known->text, name, PROCESS_NAME_SIZE))
		return;
	memcpy(known->text, name, PROCESS_NAME_SIZE);
	chrome_name(&s->events, "thread_name", pid, tid, text_of(name, text));
	if (pid == tid)
		chrome_name(&s->events, "process_name", pid, tid, text_of(name, text));
}

/* --- system calls --- */

static struct cell cell_named(struct chrome_export *s, const struct table *t, const char *name,
	const struct sooth_record *r)
{
	for (size_t i = 0; i < t->column_count; i++) {
		if (!strcmp(t->columns[i].name, name))
			return cell_get(t, &t->columns[i], r, &s->scratch);
	}
	return (struct cell){ .type = CELL_NONE };
}

static void put_cell(struct chrome_export *s, const struct table *t, const char *name,
	const struct sooth_record *r)
{
	struct cell cell = cell_named(s, t, name, r);

	if (cell.type == CELL_NONE)
		return;
	json_key(&s->events.json, name);
	cell_write_json(&s->events.json, &cell);
}

/* Of the columns that a call's event shows. */
static void put_result(struct chrome_export *s, const struct table *t, const struct sooth_record *r)
{
	const struct syscalls_call *call = (const void *)r;

	if (call->result_state == SOOTH_STATE_VALUE) {
		json_key(&s->events.json, "result");
		json_i64(&s->events.json, call->result);
	} else {
		chrome_flag(&s->events, "unfinished");
	}
	if (call->path_state != SOOTH_STATE_ABSENT)
		put_cell(s, t, "path", r);
	if (call->duration_state != SOOTH_STATE_VALUE ||
		(call->path_state != SOOTH_STATE_ABSENT && call->path_state != SOOTH_STATE_VALUE))
		put_cell(s, t, "not_measured", r);
}

static void put_call(struct chrome_export *s, const struct table *t, const struct sooth_record *r)
{
	const struct syscalls_call *call = (const void *)r;
	const struct syscall_row *known = syscall_by_number(call->abi, call->number);
	const char *category =
		syscall_category_name(known ? known->category : (unsigned)SYSCALL_CATEGORY_OTHER);
	char name[SYSCALL_NAME_SIZE];
	size_t size = syscall_name(call->abi, call->number, name);

	name_thread(s, r->pid, r->tid, call->name);
	if (call->duration_state == SOOTH_STATE_VALUE) {
		chrome_event(&s->events, 'X', name, size, r,
			r->time_ns > call->duration_ns ? r->time_ns - call->duration_ns : 0);
		chrome_duration(&s->events, call->duration_ns);
	} else { /* entered before attach: a mark where it returned */
		chrome_event(&s->events, 'i', name, size, r, r->time_ns);
		chrome_text(&s->events, "s", "t", 1);
	}
	chrome_text(&s->events, "cat", category, strlen(category));
	chrome_arguments(&s->events);
	put_result(s, t, r);
	chrome_end(&s->events);
}

/* --- processes --- */

static struct life *life_of(struct chrome_export *s, const struct sooth_record *r)
{
	struct process_id id = process_id_of(r);

	return map_put(&s->lives, &id, NULL);
}

static void put_join(struct chrome_export *s, const struct sooth_record *r)
{
	const struct process_join *join = (const void *)r;
	struct life *life = life_of(s, r);

	if (!record_holds(r, sizeof(*join)) || !life)
		return;
	life->begin_ns = r->time_ns;
	name_thread(s, r->pid, r->pid, join->name);
	chrome_span(&s->events, 'b', r, r->time_ns);
	chrome_arguments(&s->events);
	chrome_number(&s->events, "ppid", join->parent_pid);
	chrome_end(&s->events);
}

static void put_exec(struct chrome_export *s, const struct table *t, const struct sooth_record *r)
{
	const struct process_exec *exec = (const void *)r;

	if (!record_holds(r, PROCESS_EXEC_LEAST))
		return;
	name_thread(s, r->pid, r->pid, exec->name);
	chrome_mark(&s->events, "exec", "process", r, r->time_ns);
	chrome_arguments(&s->events);
	put_cell(s, t, "command", r);
	chrome_end(&s->events);
}

static void put_leave(struct chrome_export *s, const struct sooth_record *r)
{
	const struct process_leave *leave = (const void *)r;
	struct process_id id = process_id_of(r);
	struct life *life = map_get(&s->lives, &id);

	if (!record_holds(r, sizeof(*leave)))
		return;
	if (!life || !life->begin_ns) {
		chrome_mark(&s->events, "exit", "process", r, r->time_ns);
	} else {
		chrome_span(&s->events, 'e', r, r->time_ns);
	}
	chrome_arguments(&s->events);
	if (!leave->status_state)
		chrome_number(&s->events, "wait_status", leave->status);
	chrome_end(&s->events);
	map_remove(&s->lives, &id);
}

static void put_counter(
	struct chrome_export *s, const char *name, const struct sooth_record *r, double value)
{
	chrome_event(&s->events, 'C', name, strlen(name), r, r->time_ns);
	chrome_arguments(&s->events);
	json_key(&s->events.json, name);
	json_f64(&s->events.json, value, 1);
	chrome_end(&s->events);
}

static void put_sample(struct chrome_export *s, const struct sooth_record *r)
{
	const struct proc_process *p = (const void *)r;
	struct life *life;

	if (!record_holds(r, PROC_PROCESS_LEAST))
		return;
	put_counter(s, "rss_bytes", r, (double)p->rss_bytes);
	put_counter(s, "threads", r, p->threads);
	life = life_of(s, r);
	if (!life)
		return;
	/* Over the time since the sample before. */
	if (life->sampled_ns && r->time_ns > life->sampled_ns && p->cpu_ns >= life->cpu_ns)
		put_counter(s, "cpu_percent", r,
			100.0 * (double)(p->cpu_ns - life->cpu_ns) /
				(double)(r->time_ns - life->sampled_ns));
	life->cpu_ns = p->cpu_ns;
	life->sampled_ns = r->time_ns;
}

/* --- findings, losses --- */

static void put_all(struct chrome_export *s, const struct table *t, const struct sooth_record *r)
{
	chrome_arguments(&s->events);
	for (size_t i = 0; i < t->column_count; i++)
		put_cell(s, t, t->columns[i].name, r);
	chrome_end(&s->events);
}

static void put_finding(
	struct chrome_export *s, const struct table *t, const struct sooth_record *r)
{
	struct cell first = cell_named(s, t, "first_seen_ns", r), id;
	uint64_t seen_ns = first.type == CELL_UNSIGNED ? first.u : s->last_ns;

	id = cell_named(s, t, "id", r);
	chrome_event(&s->events, 'i', id.text, id.size, r, seen_ns);
	chrome_text(&s->events, "cat", "finding", strlen("finding"));
	chrome_text(&s->events, "s", r->pid ? "p" : "g", 1);
	put_all(s, t, r);
}

static void put_loss(struct chrome_export *s, const struct table *t, const struct sooth_record *r)
{
	chrome_event(&s->events, 'i', "LOST", 4, r, r->time_ns ? r->time_ns : s->last_ns);
	chrome_text(&s->events, "cat", "loss", 4);
	chrome_text(&s->events, "s", "g", 1);
	put_all(s, t, r);
}

/* --- the format --- */

static int write_out(struct chrome_export *s, struct sooth_error *err)
{
	if (buffer_failed(&s->scratch) || s->events.json.failed)
		return error_no_memory(err);
	return json_write_out(&s->events.bytes, s->stream, "write the trace", err);
}

static int row(
	void *state, struct table *table, const struct sooth_record *r, struct sooth_error *err)
{
	struct chrome_export *s = state;

	if (table->is_of_records && r->time_ns > s->last_ns)
		s->last_ns = r->time_ns;
	if (!table->is_of_records) {
		if (!strcmp(table->name, "findings"))
			put_finding(s, table, r);
		else if (!strcmp(table->name, "loss"))
			put_loss(s, table, r);
		return s->events.bytes.size < WRITE_BYTES ? 0 : write_out(s, err);
	}
	switch (r->kind) {
	case SYSCALLS_CALL:
		if (record_holds(r, SYSCALLS_CALL_LEAST))
			put_call(s, table, r);
		break;
	case PROCESS_JOIN:
		put_join(s, r);
		break;
	case PROCESS_EXEC:
		put_exec(s, table, r);
		break;
	case PROCESS_LEAVE:
		put_leave(s, r);
		break;
	case PROC_PROCESS:
		put_sample(s, r);
		break;
	default:
		return 0;
	}
	return s->events.bytes.size < WRITE_BYTES ? 0 : write_out(s, err);
}

/* A process that is still running ends with the recording. */
static void end_lives(struct chrome_export *s)
{
	size_t position = 0;
	const void *key;
	void *value;

	while (map_next(&s->lives, &position, &key, &value)) {
		const struct process_id *id = key;
		struct sooth_record r = {
			.pid = id->pid, .tid = id->pid, .start_ticks = id->start_ticks
		};

		if (!((struct life *)value)->begin_ns)
			continue;
		chrome_span(&s->events, 'e', &r, s->last_ns);
		chrome_arguments(&s->events);
		chrome_flag(&s->events, "still_running");
		chrome_end(&s->events);
	}
}

static int finish(void *state, struct sooth_error *err)
{
	struct chrome_export *s = state;

	end_lives(s);
	chrome_finish(&s->events, s->lives.refused + s->names.refused);
	return write_out(s, err);
}

static void close_chrome(void *state)
{
	struct chrome_export *s = state;

	chrome_fini(&s->events);
	map_fini(&s->lives);
	map_fini(&s->names);
	buffer_fini(&s->scratch);
}

const struct export_type export_chrome = {
	.name = "chrome",
	.help = "a timeline for Perfetto, chrome://tracing, speedscope",
	.parts = FEED_RECORDS | FEED_FINDINGS,
	.state_size = sizeof(struct chrome_export),
	.open = open_chrome,
	.row = row,
	.finish = finish,
	.close = close_chrome,
};
