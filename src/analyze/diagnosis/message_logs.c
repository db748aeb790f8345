/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/diagnosis/message_logs.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "probes/log_tail.h"
#include "probes/syscall_names.h"
#include "probes/syscalls.h"

#define WRITERS_MAX	4096
#define RECORDS_BYTES	(256u << 10) /* per process; if full, the first half is dropped */
#define ERRORS_MAX	4
#define ANCESTORS_MAX	64
#define STANDARD_OUTPUT 1
#define STANDARD_ERROR	2

struct writer {
	struct buffer records; /* records of kind SYSCALLS_MESSAGE */
	struct buffer log;     /* made of the records of the process and its commands */
	uint64_t outputs;
};

void message_logs_init(struct message_logs *m)
{
	*m = (struct message_logs){ 0 };
	map_init(&m->writers, sizeof(struct process_id), sizeof(struct writer), WRITERS_MAX);
}

void message_logs_fini(struct message_logs *m)
{
	map_for_each_value (&m->writers, struct writer *, w) {
		buffer_fini(&w->records);
		buffer_fini(&w->log);
	}
	map_fini(&m->writers);
}

/* --- taking --- */

static void drop_first_half(struct buffer *records)
{
	const struct batch all = { records->data, records->size };
	size_t at = 0;

	batch_for_each (r, &all) {
		if (at >= records->size / 2)
			break;
		at += record_bytes(r);
	}
	memmove(records->data, records->data + at, records->size - at);
	records->size -= at;
}

static bool writes_output(const struct syscalls_call *call)
{
	return call->arguments[0] == STANDARD_OUTPUT && call->result > 0 &&
	       syscall_row_of(call->abi, call->number)->transfer.direction == SYSCALL_WRITES;
}

void message_logs_add_record(struct message_logs *m, const struct sooth_record *r)
{
	struct process_id id = process_id_of(r);
	const struct syscalls_call *call = record_as(r, SYSCALLS_CALL, SYSCALLS_CALL_LEAST);
	bool is_output = call && writes_output(call);
	struct writer *w =
		is_output || record_as(r, SYSCALLS_MESSAGE, sizeof(struct syscalls_message))
			? map_put(&m->writers, &id, NULL)
			: NULL;

	if (w && is_output)
		w->outputs += 1 + (uint64_t)call->skipped;
	if (!w || is_output)
		return;
	if (w->records.size > RECORDS_BYTES)
		drop_first_half(&w->records);
	buffer_append(&w->records, r, record_bytes(r));
}

void message_logs_next_interval(struct message_logs *m, uint64_t now_ns)
{
	/* Over days there are more writers than there is room for. */
	if (m->writers.count > WRITERS_MAX / 2) {
		message_logs_fini(m);
		message_logs_init(m);
	}
	map_for_each_value (&m->writers, struct writer *, value)
		value->outputs = 0;
	m->new_from_ns = now_ns;
}

/* --- the logs --- */

/* Returns the process that a message is attributed to: its writer, or the nearest living ancestor
 * of an ended writer. */
static struct process_id owner_of(const struct process_table *table, const struct process_id *id)
{
	const struct process_entry *p = process_table_get(table, id);

	for (unsigned i = 0; p && !p->is_there && i < ANCESTORS_MAX; i++)
		p = p->parent ? p->parent : p->last_parent;
	return p ? p->id : *id;
}

/* A message, and the process that it is attributed to. */
struct said {
	struct process_id owner;
	const struct syscalls_message *message;
};

static int compare_by_owner_and_time(const void *a, const void *b)
{
	const struct said *x = a, *y = b;
	int order = memcmp(&x->owner, &y->owner, sizeof(x->owner));

	return order
		       ?: (x->message->record.time_ns > y->message->record.time_ns) -
				  (x->message->record.time_ns < y->message->record.time_ns);
}

/* Collects all messages by process and time, and drops the logs made of earlier records. */
static void gather_messages(
	struct message_logs *m, const struct process_table *table, struct buffer *out)
{
	map_for_each (&m->writers, const void *, key, struct writer *, w) {
		const struct batch all = { w->records.data, w->records.size };
		struct said said = { .owner = owner_of(table, key) };

		buffer_reset(&w->log);
		batch_for_each (r, &all) {
			said.message = (const void *)r;
			if (said.message->kind != SYSCALLS_MESSAGE_LAST)
				buffer_append(out, &said, sizeof(said));
		}
	}
	if (out->size)
		qsort(out->data, out->size / sizeof(struct said), sizeof(struct said),
			compare_by_owner_and_time);
}

static void read_messages(
	struct log_tail *t, const struct said *all, size_t count, uint64_t new_from_ns)
{
	static const enum log_line_kind kinds[] = { LOG_LINE_ROUTINE, LOG_LINE_WARNING,
		LOG_LINE_ERROR };

	log_tail_begin(t);
	for (size_t i = 0; i < count; i++) {
		const struct syscalls_message *m = all[i].message;
		struct log_line line = {
			.kind = m->kind < ARRAY_SIZE(kinds) ? kinds[m->kind] : LOG_LINE_ROUTINE,
			.is_done = m->is_done,
			.message = record_text(&m->record, &m->text),
			.form = m->form,
		};

		/* The previous message may be from another command. */
		bool is_part = m->is_part && i && all[i - 1].message->record.pid == m->record.pid;

		log_tail_add(t, &line, m->record.time_ns >= new_from_ns, is_part);
	}
}

static void write_error(struct buffer *out, const struct log_tail *t, const struct log_form *f,
	const struct logs_file *file)
{
	struct logs_error e = log_tail_error(t, f, file);
	_cleanup_(buffer_fini) struct buffer text = { 0 };

	buffer_append(&text, f->text.data, f->text.size);
	if (f->end.size)
		buffer_format(&text, "; %.*s", SPAN_ARGS(f->end));
	struct record_tail tail[] = { tail_buffer(&e.text, &text) };
	RECORD_APPEND(out, &e, tail, ARRAY_SIZE(tail));
}

static void write_log(struct buffer *out, const struct log_tail *t, const struct process_id *id,
	uint64_t last_ns, uint64_t now_ns)
{
	const struct log_form *worst[ERRORS_MAX];
	struct logs_file file = { .record = row_head(id),
		.silent_ns = now_ns > last_ns ? now_ns - last_ns : 0,
		.fd = STANDARD_ERROR,
		.messages = t->lines,
		.messages_new = t->lines_new,
		.errors = t->errors,
		.errors_new = t->errors_new };
	size_t count = log_tail_worst(t, worst, ERRORS_MAX);

	file.record.kind = LOGS_FILE;
	file.record.time_ns = now_ns;
	RECORD_APPEND(out, &file, NULL, 0);
	for (size_t i = 0; i < count; i++)
		write_error(out, t, worst[i], &file);
}

void message_logs_resolve(
	struct message_logs *m, const struct process_table *table, uint64_t now_ns)
{
	struct log_tail *t = malloc(sizeof(*t));
	_cleanup_(buffer_fini) struct buffer messages = { 0 };
	const struct said *all;
	size_t count, end;

	gather_messages(m, table, &messages);
	all = (const void *)messages.data;
	count = messages.size / sizeof(*all);
	for (size_t i = 0; t && i < count; i = end) {
		struct writer *w = map_put(&m->writers, &all[i].owner, NULL);

		end = i + 1;
		while (end < count && !memcmp(&all[end].owner, &all[i].owner, sizeof(all->owner)))
			end++;
		if (!w)
			continue;
		read_messages(t, all + i, end - i, m->new_from_ns);
		write_log(&w->log, t, &all[i].owner, all[end - 1].message->record.time_ns, now_ns);
	}
	free(t);
}

/* --- asking --- */

struct batch message_logs_get(const struct message_logs *m, const struct process_id *id)
{
	const struct writer *w = map_get(&m->writers, id);

	return w ? (struct batch){ w->log.data, w->log.size } : (struct batch){ 0 };
}

const struct syscalls_message *message_logs_last_words(
	const struct message_logs *m, const struct process_id *id)
{
	const struct writer *w = map_get(&m->writers, id);
	const struct batch all = { w ? w->records.data : NULL, w ? w->records.size : 0 };
	const struct syscalls_message *last = NULL;

	batch_for_each (r, &all)
		last = (const void *)r;
	return last && last->kind == SYSCALLS_MESSAGE_LAST ? last : NULL;
}

uint64_t message_logs_outputs(const struct message_logs *m, const struct process_id *id)
{
	const struct writer *w = map_get(&m->writers, id);

	return w ? w->outputs : 0;
}
