/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/linux/syscalls/error_output.h"

#include <string.h>
#include <sys/random.h>

#include "base/cleanup.h"
#include "probes/log_line.h"
#include "collect/backend.h"
#include "model/batch.h"
#include "probes/syscalls.h"

#define WRITERS_MAX 1024
#define LINE_BYTES  1024
#define TEXT_BYTES  200

/* A program may write a line in several calls. */
struct writer {
	size_t size;
	bool is_unsure;	       /* bytes before may belong to the line, or to lines before it */
	bool is_in_key;	       /* between the lines that begin and end a key (RFC 7468) */
	bool is_behind_detail; /* the line before belongs to a stack trace */
	char line[LINE_BYTES];
	/* The last line that says something; its message is in `last_text`, empty: none. */
	struct log_line last;
	char last_text[TEXT_BYTES];
};

void error_outputs_init(struct error_outputs *e)
{
	unsigned char key[SHA256_SIZE];

	*e = (struct error_outputs){ 0 };
	map_init(&e->writers, sizeof(struct process_id), sizeof(struct writer), WRITERS_MAX);
	if (getrandom(key, sizeof(key), GRND_NONBLOCK) == (ssize_t)sizeof(key)) {
		hmac_begin(&e->form_key, key, sizeof(key));
		e->has_key = true;
	}
	explicit_bzero(key, sizeof(key));
}

/* No text that was read is kept longer than needed. */
static void wipe_writers(struct error_outputs *e)
{
	map_for_each_value (&e->writers, void *, value)
		explicit_bzero(value, sizeof(struct writer));
}

void error_outputs_fini(struct error_outputs *e)
{
	wipe_writers(e);
	explicit_bzero(&e->form_key, sizeof(e->form_key));
	map_fini(&e->writers);
	buffer_fini(&e->rebuilt);
}

/* `from`: the call, or the end of the process. */
static void write_message(struct buffer *out, const struct sooth_record *from,
	const struct log_line *line, enum syscalls_message_kind kind, bool is_part)
{
	struct syscalls_message m = { .record = *from,
		.form = line->form,
		.kind = (uint8_t)kind,
		.is_part = is_part,
		.is_done = line->is_done };
	struct record_tail tail[] = { { &m.text, line->message.data,
		kind == SYSCALLS_MESSAGE_ROUTINE ? 0 : log_line_cut(line->message, TEXT_BYTES) } };

	m.record.kind = SYSCALLS_MESSAGE;
	RECORD_APPEND(out, &m, tail, ARRAY_SIZE(tail));
}

static enum syscalls_message_kind kind_of(const struct log_line *line)
{
	return line->kind == LOG_LINE_ERROR	? SYSCALLS_MESSAGE_ERROR
	       : line->kind == LOG_LINE_WARNING ? SYSCALLS_MESSAGE_WARNING
						: SYSCALLS_MESSAGE_ROUTINE;
}

static void keep_last(struct writer *w, const struct log_line *line)
{
	size_t size = log_line_cut(line->message, TEXT_BYTES);

	memcpy(w->last_text, line->message.data, size);
	w->last = *line;
	w->last.message = span_of(NULL, size);
}

/* Returns the form under a key of this run: equal lines stay equal, and the words of a line that is
 * masked or left out cannot be found by trying. */
static uint64_t keyed_form(struct error_outputs *e, uint64_t form)
{
	unsigned char digest[SHA256_SIZE];
	struct hmac h = e->form_key;

	if (!e->has_key)
		return ++e->unkeyed;
	sha256_add(&h.inner, &form, sizeof(form));
	hmac_end(&h, digest);
	memcpy(&form, digest, sizeof(form));
	return form;
}

/* Returns whether the line is part of a private key: its form does not show in one line. */
static bool is_of_key(struct writer *w)
{
	struct span line = span_of(w->line, w->size);
	bool was_in = w->is_in_key;

	if (span_contains(line, "-----BEGIN "))
		w->is_in_key = true;
	if (span_contains(line, "-----END "))
		w->is_in_key = false;
	return was_in || w->is_in_key;
}

static void emit_line(
	struct error_outputs *e, struct writer *w, const struct sooth_record *call, bool is_file)
{
	struct buffer *out = &e->rebuilt;
	bool is_whole = !w->is_unsure, is_key = is_of_key(w);
	struct log_line line;

	log_line_read(&line, span_of(w->line, log_line_clean(w->line, w->size)), true);
	w->size = 0;
	w->is_unsure = false;
	if (line.kind == LOG_LINE_BLANK || is_key)
		return;
	line.form = keyed_form(e, line.form);
	if (line.kind == LOG_LINE_DETAIL) {
		w->is_behind_detail = true;
		return;
	}
	if (!is_file)
		write_message(out, call, &line, kind_of(&line),
			w->is_behind_detail && line.kind == LOG_LINE_ERROR && !line.has_time);
	if (is_whole)
		keep_last(w, &line);
	else
		w->last.message.size = 0;
	w->is_behind_detail = false;
}

/* Appends bytes line by line. A carriage return ends a line too: programs write progress over the
 * same line. */
static void append_bytes(struct error_outputs *e, struct writer *w, const struct sooth_record *call,
	struct span bytes, bool is_file)
{
	for (size_t i = 0; i < bytes.size; i++) {
		char c = bytes.data[i];

		if (c == '\n' || c == '\r')
			emit_line(e, w, call, is_file);
		else if (w->size < sizeof(w->line))
			w->line[w->size++] = c ? c : ' ';
	}
}

/* Returns where the piece begins in the pieces of the call; their size: there is none. */
static size_t find_piece(struct span pieces, struct syscalls_piece *head)
{
	size_t at = 0;

	while (pieces.size - at >= sizeof(*head)) {
		memcpy(head, pieces.data + at, sizeof(*head));
		if (head->size > pieces.size - at - sizeof(*head))
			break;
		if (head->part == SYSCALLS_PART_ERROR_OUTPUT ||
			head->part == SYSCALLS_PART_ERROR_FILE)
			return at;
		at += sizeof(*head) + ((head->size + 7) & ~7u);
		if (at > pieces.size)
			break;
	}
	return pieces.size;
}

static struct span pieces_of(const struct syscalls_call *call)
{
	const char *at = (const char *)call + call->pieces.offset;

	return call->record.kind == SYSCALLS_CALL && record_holds(&call->record, sizeof(*call)) &&
			       call->pieces.offset <= record_bytes(&call->record) &&
			       call->pieces.size <=
				       record_bytes(&call->record) - call->pieces.offset
		       ? span_of(at, call->pieces.size)
		       : span_of("", 0);
}

/* Drops the last piece: the record then ends where the piece began. */
static void drop_piece(struct buffer *out, const struct syscalls_call *call, size_t at)
{
	size_t begin = out->size, bytes = call->pieces.offset + at;
	struct syscalls_call *kept;

	buffer_append(out, call, bytes);
	if (out->size - begin < bytes)
		return; /* no memory: the buffer says so */
	kept = (void *)(out->data + begin);
	kept->pieces.size = (uint32_t)at;
	kept->record.words = (uint16_t)(bytes / SOOTH_RECORD_WORD);
}

/* Returns the writer of a process. Over days there are more writers than fit: then all begun lines
 * are forgotten. */
static struct writer *writer_of(struct error_outputs *e, const struct process_id *id)
{
	bool is_new;
	struct writer *w = map_put(&e->writers, id, &is_new);

	if (!w) {
		wipe_writers(e);
		map_clear(&e->writers);
		e->has_forgotten = true;
		w = map_put(&e->writers, id, &is_new);
	}
	if (w && is_new)
		w->is_unsure = e->has_forgotten;
	return w;
}

static void append_call(struct error_outputs *e, const struct syscalls_call *call)
{
	struct process_id id = process_id_of(&call->record);
	struct span pieces = pieces_of(call);
	struct syscalls_piece head;
	size_t at = find_piece(pieces, &head);
	struct writer *w;
	bool is_file;

	if (at == pieces.size) {
		buffer_append(&e->rebuilt, call, record_bytes(&call->record));
		return;
	}
	drop_piece(&e->rebuilt, call, at);
	w = writer_of(e, &id);
	if (!w || head.state > SOOTH_STATE_TRUNCATED)
		return;
	is_file = head.part == SYSCALLS_PART_ERROR_FILE;
	append_bytes(
		e, w, &call->record, span_of(pieces.data + at + sizeof(head), head.size), is_file);
	if (head.state != SOOTH_STATE_TRUNCATED)
		return;
	/* The bytes that were cut off may have been the end of the line, and other lines. */
	w->is_unsure = true;
	if (w->size)
		emit_line(e, w, &call->record, is_file);
	w->is_unsure = true;
	w->last.message.size = 0;
}

/* Writes the last line of a process that ends with an error, and forgets the process. */
static void append_end(struct error_outputs *e, const struct sooth_record *r)
{
	const struct process_leave *end =
		r->kind == PROCESS_LEAVE && record_holds(r, sizeof(*end)) ? (const void *)r : NULL;
	struct process_id id = process_id_of(r);
	struct writer *w = end ? map_get(&e->writers, &id) : NULL;

	if (!w)
		return;
	if (w->size)
		emit_line(e, w, r, true);
	if (w->last.message.size && end->status && !end->status_state) {
		w->last.message.data = w->last_text;
		write_message(&e->rebuilt, r, &w->last, SYSCALLS_MESSAGE_LAST, false);
	}
	explicit_bzero(w, sizeof(*w));
	map_remove(&e->writers, &id);
}

static bool has_any_output(const struct error_outputs *e, const struct batch *all)
{
	batch_for_each (r, all) {
		struct syscalls_piece head;
		struct span pieces = pieces_of((const void *)r);

		if (find_piece(pieces, &head) < pieces.size ||
			(e->writers.count && r->kind == PROCESS_LEAVE))
			return true;
	}
	return false;
}

void error_outputs_move_to(struct error_outputs *e, struct buffer *out, size_t from)
{
	struct batch all;

	if (from >= out->size)
		return;
	all = (struct batch){ out->data + from, out->size - from };
	if (!has_any_output(e, &all))
		return;
	buffer_reset(&e->rebuilt);
	batch_for_each (r, &all) {
		if (r->kind == SYSCALLS_CALL) {
			append_call(e, (const void *)r);
			continue;
		}
		append_end(e, r);
		buffer_append(&e->rebuilt, r, record_bytes(r));
	}
	explicit_bzero(out->data + from, out->size - from);
	out->size = from;
	buffer_append(out, e->rebuilt.data, e->rebuilt.size);
}
