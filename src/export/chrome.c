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

#define PROCESSES_MAX 65536
#define THREADS_MAX   262144
#define TIME_SIZE     32

/* Times of a process that runs. */
struct life {
	uint64_t begin_ns;	     /* 0: unknown */
	uint64_t cpu_ns, sampled_ns; /* 0: not sampled */
};

struct thread_name {
	char text[PROCESS_NAME_SIZE];
};

struct chrome_export {
	struct buffer *bytes, *scratch; /* buffers of the export */
	struct json json;		/* the event being made */
	bool has_events;
	struct map lives; /* process_id -> life */
	struct map names; /* uint64_t pid << 32 | tid -> thread_name */
	uint64_t last_ns;
};

static int open_chrome(struct export_place *p, struct sooth_error *err)
{
	struct chrome_export *s = p->state;

	(void)err;
	s->bytes = &p->out.bytes;
	s->scratch = &p->scratch;
	map_init(&s->lives, sizeof(struct process_id), sizeof(struct life), PROCESSES_MAX);
	map_init(&s->names, sizeof(uint64_t), sizeof(struct thread_name), THREADS_MAX);
	buffer_string(s->bytes, "{\"displayTimeUnit\":\"ns\",\"traceEvents\":[");
	return 0;
}

/* --- events --- */

/* Writes microseconds as text, because a double cannot hold all digits. */
static void put_us(struct chrome_export *s, uint64_t ns)
{
	char text[TIME_SIZE];
	int size =
		snprintf(text, sizeof(text), "%" PRIu64 ".%03u", ns / 1000, (unsigned)(ns % 1000));

	json_written(&s->json, text, (size_t)size);
}

/* Begins an event of a record's process and thread. These begin_*() leave the event open. */
static void begin_event(struct chrome_export *s, char phase, const char *name, size_t size,
	const struct sooth_record *r, uint64_t ns)
{
	buffer_string(s->bytes, s->has_events ? ",\n" : "\n");
	s->has_events = true;
	json_init(&s->json, s->bytes, 0);
	json_format(&s->json, "{'name':%.*s,'ph':%.*s,'ts':", (int)size, name, 1, &phase);
	put_us(s, ns);
	json_format(&s->json, "'pid':%u,'tid':%u", r->pid, r->tid ? r->tid : r->pid);
}

/* Begins the event for the start ('b') or end ('e') of a process. */
static void begin_span(
	struct chrome_export *s, char phase, const struct sooth_record *r, uint64_t ns)
{
	char id[48];

	snprintf(id, sizeof(id), "%" PRIu32 "-%" PRIu64, r->pid, r->start_ticks);
	begin_event(s, phase, "process", strlen("process"), r, ns);
	json_format(&s->json, "'cat':'process','id':%s,'args':{", id);
}

/* Begins an event for a moment of a process. */
static void begin_mark(struct chrome_export *s, const char *name, const struct sooth_record *r)
{
	begin_event(s, 'i', name, strlen(name), r, r->time_ns);
	json_format(&s->json, "'cat':'process','s':'p','args':{");
}

/* Writes an event that names a thread or a process. */
static void put_name(
	struct chrome_export *s, const char *what, uint32_t pid, uint32_t tid, const char *name)
{
	struct sooth_record r = { .pid = pid, .tid = tid };

	begin_event(s, 'M', what, strlen(what), &r, 0);
	json_format(&s->json, "'args':{'name':%s}}", name);
}

static const char *text_of(const char *name, char out[PROCESS_NAME_SIZE + 1])
{
	memcpy(out, name, PROCESS_NAME_SIZE);
	out[PROCESS_NAME_SIZE] = '\0';
	return out;
}

/* Writes the name of a thread if it is new or has changed its name. */
static void name_thread(struct chrome_export *s, uint32_t pid, uint32_t tid, const char *name)
{
	uint64_t key = (uint64_t)pid << 32 | tid;
	struct thread_name *known = map_put(&s->names, &key, NULL);
	char text[PROCESS_NAME_SIZE + 1];

	if (!known || !strncmp(known->text, name, PROCESS_NAME_SIZE))
		return;
	memcpy(known->text, name, PROCESS_NAME_SIZE);
	put_name(s, "thread_name", pid, tid, text_of(name, text));
	if (pid == tid)
		put_name(s, "process_name", pid, tid, text_of(name, text));
}

/* --- system calls --- */

static struct cell cell_named(struct chrome_export *s, const struct table *t, const char *name,
	const struct sooth_record *r)
{
	for (size_t i = 0; i < t->column_count; i++) {
		if (!strcmp(t->columns[i].name, name))
			return cell_get(t, &t->columns[i], r, s->scratch);
	}
	return (struct cell){ .type = CELL_NONE };
}

static void put_cell(struct chrome_export *s, const struct table *t, const char *name,
	const struct sooth_record *r)
{
	struct cell cell = cell_named(s, t, name, r);

	if (cell.type == CELL_NONE)
		return;
	json_key(&s->json, name);
	json_cell(&s->json, &cell);
}

/* Writes the columns of the result that a call's event shows. */
static void put_result(struct chrome_export *s, const struct table *t, const struct sooth_record *r)
{
	const struct syscalls_call *call = (const void *)r;

	if (call->result_state == SOOTH_STATE_VALUE)
		json_format(&s->json, "'result':%" PRId64, call->result);
	else
		json_format(&s->json, "'unfinished':true");
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
		begin_event(s, 'X', name, size, r,
			r->time_ns > call->duration_ns ? r->time_ns - call->duration_ns : 0);
		json_key(&s->json, "dur");
		put_us(s, call->duration_ns);
	} else { /* entered before attach: a mark where it returned */
		begin_event(s, 'i', name, size, r, r->time_ns);
		json_format(&s->json, "'s':'t'");
	}
	json_format(&s->json, "'cat':%s,'args':{", category);
	put_result(s, t, r);
	json_format(&s->json, "}}");
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
	begin_span(s, 'b', r, r->time_ns);
	json_format(&s->json, "'ppid':%u}}", join->parent_pid);
}

static void put_exec(struct chrome_export *s, const struct table *t, const struct sooth_record *r)
{
	const struct process_exec *exec = (const void *)r;

	if (!record_holds(r, PROCESS_EXEC_LEAST))
		return;
	name_thread(s, r->pid, r->pid, exec->name);
	begin_mark(s, "exec", r);
	put_cell(s, t, "command", r);
	json_format(&s->json, "}}");
}

static void put_leave(struct chrome_export *s, const struct sooth_record *r)
{
	const struct process_leave *leave = (const void *)r;
	struct process_id id = process_id_of(r);
	struct life *life = map_get(&s->lives, &id);

	if (!record_holds(r, sizeof(*leave)))
		return;
	if (!life || !life->begin_ns)
		begin_mark(s, "exit", r);
	else
		begin_span(s, 'e', r, r->time_ns);
	if (!leave->status_state)
		json_format(&s->json, "'wait_status':%u", leave->status);
	json_format(&s->json, "}}");
	map_remove(&s->lives, &id);
}

static void put_counter(
	struct chrome_export *s, const char *name, const struct sooth_record *r, double value)
{
	begin_event(s, 'C', name, strlen(name), r, r->time_ns);
	json_format(&s->json, "'args':{%s:%.1f}}", name, value);
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
	/* CPU use since the previous sample. */
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
	json_format(&s->json, "'args':{");
	for (size_t i = 0; i < t->column_count; i++)
		put_cell(s, t, t->columns[i].name, r);
	json_format(&s->json, "}}");
}

static void put_finding(
	struct chrome_export *s, const struct table *t, const struct sooth_record *r)
{
	struct cell first = cell_named(s, t, "first_seen_ns", r), id;
	uint64_t seen_ns = first.type == CELL_UNSIGNED ? first.u : s->last_ns;

	id = cell_named(s, t, "id", r);
	begin_event(s, 'i', id.text, id.size, r, seen_ns);
	json_format(&s->json, "'cat':'finding','s':%s", r->pid ? "p" : "g");
	put_all(s, t, r);
}

static void put_loss(struct chrome_export *s, const struct table *t, const struct sooth_record *r)
{
	begin_event(s, 'i', "LOST", 4, r, r->time_ns ? r->time_ns : s->last_ns);
	json_format(&s->json, "'cat':'loss','s':'g'");
	put_all(s, t, r);
}

/* --- the format --- */

static void put_record(
	struct chrome_export *s, const struct table *table, const struct sooth_record *r)
{
	if (r->time_ns > s->last_ns)
		s->last_ns = r->time_ns;
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
		break;
	}
}

static int write_row(struct export_place *p, struct table *table, const struct sooth_record *r,
	struct sooth_error *err)
{
	struct chrome_export *s = p->state;

	if (table->is_of_records)
		put_record(s, table, r);
	else if (!strcmp(table->name, "findings"))
		put_finding(s, table, r);
	else if (!strcmp(table->name, "loss"))
		put_loss(s, table, r);
	return s->json.failed ? error_no_memory(err) : 0;
}

/* Ends the events of processes that still run at the end of the recording. */
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
		begin_span(s, 'e', &r, s->last_ns);
		json_format(&s->json, "'still_running':true}}");
	}
}

static int finish(struct export_place *p, struct sooth_error *err)
{
	struct chrome_export *s = p->state;

	uint64_t refused = s->lives.refused + s->names.refused;

	end_lives(s);
	buffer_string(s->bytes, "\n],\"otherData\":{\"clock\":\"CLOCK_MONOTONIC\"");
	if (refused)
		buffer_format(s->bytes, ",\"names_and_lives_left_out\":%" PRIu64, refused);
	buffer_string(s->bytes, "}}\n");
	return s->json.failed ? error_no_memory(err) : 0;
}

static void close_chrome(struct export_place *p)
{
	struct chrome_export *s = p->state;

	map_fini(&s->lives);
	map_fini(&s->names);
}

const struct export_type export_chrome = {
	.name = "chrome",
	.help = "a timeline for Perfetto, chrome://tracing, speedscope",
	.parts = FEED_RECORDS | FEED_FINDINGS,
	.state_size = sizeof(struct chrome_export),
	.doing = "write the trace",
	.open = open_chrome,
	.row = write_row,
	.finish = finish,
	.close = close_chrome,
};
