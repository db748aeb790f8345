/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/logs/log_records.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/units.h"

#define SIZES_MAX   65536
#define LINE_BEGIN  80	/* bytes of a line in which a pid stands */
#define ERRORS_MAX  4	/* forms of one file */
#define TEXT_BYTES  200 /* bytes kept of a message */
#define PIECE_BYTES 120 /* bytes kept of each part of a message that has two parts */

/* --- the end of a file --- */

static uint64_t silent_ns(struct timespec written)
{
	struct timespec now;
	int64_t ns;

	clock_gettime(CLOCK_REALTIME, &now);
	ns = (int64_t)(now.tv_sec - written.tv_sec) * (int64_t)NS_PER_S + now.tv_nsec -
	     written.tv_nsec;
	return ns > 0 ? (uint64_t)ns : 0;
}

void log_end_read(struct log_end *e, int fd, log_time_reader written)
{
	struct stat st;
	ssize_t got;

	assert(e);
	e->size = 0;
	e->status = fd < 0 ? fd : fstat(fd, &st) ? -errno : 0;
	if (e->status)
		return;
	e->device = log_device_of(&st);
	e->inode = (uint64_t)st.st_ino;
	e->file_bytes = (uint64_t)st.st_size;
	e->silent_ns = silent_ns(written(&st));
	e->from = e->file_bytes > LOG_END_BYTES ? e->file_bytes - LOG_END_BYTES : 0;
	got = pread(fd, e->bytes, LOG_END_BYTES, (off_t)e->from);
	e->status = got < 0 ? -errno : 0;
	e->size = got < 0 ? 0 : (size_t)got;
}

/* Returns whether the line contains the digits as a whole number, not as a part of a longer one. */
static bool has_number(const char *line, size_t size, const char *digits)
{
	const char *at = line, *end = line + size;
	size_t length = strlen(digits);

	while ((at = memmem(at, (size_t)(end - at), digits, length))) {
		bool begins = at == line || !isdigit((unsigned char)at[-1]);

		at += length;
		if (begins && (at == end || !isdigit((unsigned char)*at)))
			return true;
	}
	return false;
}

bool log_end_has_pid(const struct log_end *e, uint32_t pid)
{
	size_t lines = 0, own = 0;
	char digits[16];

	assert(e);
	snprintf(digits, sizeof(digits), "%u", pid);
	for (size_t at = 0; at < e->size; lines++) {
		const char *line = e->bytes + at, *end = memchr(line, '\n', e->size - at);
		size_t size = end ? (size_t)(end - line) : e->size - at;

		own += has_number(line, size < LINE_BEGIN ? size : LINE_BEGIN, digits);
		at += size + 1;
	}
	return own * 2 > lines;
}

/* --- records --- */

void log_records_init(struct log_records *r)
{
	assert(r);
	map_init(&r->sizes, sizeof(struct logs_key), sizeof(uint64_t), SIZES_MAX);
}

void log_records_fini(struct log_records *r)
{
	assert(r);
	map_fini(&r->sizes);
	buffer_fini(&r->text);
}

void log_records_begin(struct log_records *r, struct sooth_record head)
{
	assert(r);
	r->summary = (struct logs_process){ .record = head };
}

bool log_records_are_full(const struct log_records *r)
{
	assert(r);
	return r->summary.files == LOG_RECORDS_FILES;
}

static void put_cut(struct log_records *r, struct span message, size_t most)
{
	size_t size = log_line_cut(message, most);

	buffer_append(&r->text, message.data, size);
	if (size < message.size)
		buffer_string(&r->text, " ...");
}

static void write_error(struct log_records *r, struct backend_run *run,
	const struct logs_file *file, const struct log_form *f)
{
	struct logs_error e = log_tail_error(&r->tail, f, file);

	buffer_reset(&r->text);
	put_cut(r, f->text, f->end.size ? PIECE_BYTES : TEXT_BYTES);
	if (f->end.size) {
		buffer_string(&r->text, "; ");
		put_cut(r, f->end, PIECE_BYTES);
	}
	struct record_tail tail[] = { { &e.text, r->text.data, r->text.size } };
	RECORD_APPEND(&run->out, &e, tail, 1);
}

/* Reads the messages of what `e` has, and remembers the size for the next snapshot. */
static void count_messages(struct log_records *r, struct log_end *e, const struct logs_key *key,
	bool is_log, struct logs_file *file)
{
	uint64_t *before = map_get(&r->sizes, key), size = e->from + e->size;
	/* A file that is shorter now was emptied. */
	uint64_t new_from = before && *before <= size ? *before : 0;
	bool is_first = !before;

	log_tail_read(&r->tail, e->bytes, e->size,
		new_from > e->from ? (size_t)(new_from - e->from) : 0, e->from > 0, is_log);
	file->messages = r->tail.lines;
	file->errors = r->tail.errors;
	file->messages_new = is_first ? 0 : r->tail.lines_new;
	file->errors_new = is_first ? 0 : r->tail.errors_new;
	file->messages_state = state_if(r->tail.is_text);
	file->new_state = is_first || !r->tail.is_text ? SOOTH_STATE_ABSENT
			  : new_from < e->from	       ? SOOTH_STATE_TRUNCATED
						       : SOOTH_STATE_VALUE;
	before = map_put(&r->sizes, key, NULL);
	if (before)
		*before = size;
}

static bool was_seen(const struct log_records *r, const struct logs_key *key)
{
	for (uint32_t i = 0; i < r->summary.files; i++) {
		if (!memcmp(&r->seen[i], key, sizeof(*key)))
			return true;
	}
	return false;
}

void log_records_add(struct log_records *r, struct backend_run *run, const struct log_place *place,
	struct log_end *end)
{
	assert(r);
	assert(place);
	assert(end);

	const struct sooth_record *head = &r->summary.record;
	const struct logs_key key = { .process = { .pid = head->pid,
					      .start_ticks = head->start_ticks },
		.inode = end->inode,
		.device = end->device };
	const struct log_form *worst[ERRORS_MAX];
	struct logs_file file = { .record = *head,
		.inode = end->inode,
		.size_bytes = end->file_bytes,
		.silent_ns = end->silent_ns,
		.fd = place->fd,
		.fd_state = state_if(place->is_open),
		.device_major = place->device_major,
		.device_minor = place->device_minor };
	struct record_tail tail[] = { { &file.path, place->path.data, place->path.size } };
	size_t count;

	assert(run);
	if (was_seen(r, &key) || log_records_are_full(r))
		return;
	r->seen[r->summary.files++] = key;
	file.record.kind = LOGS_FILE;
	count_messages(r, end, &key, place->is_log, &file);
	RECORD_APPEND(&run->out, &file, tail, 1);
	count = log_tail_worst(&r->tail, worst, ERRORS_MAX);
	for (size_t i = 0; i < count; i++)
		write_error(r, run, &file, worst[i]);
}

void log_records_end(struct log_records *r, struct backend_run *run, uint8_t files_state)
{
	assert(r);
	assert(run);
	r->summary.record.kind = LOGS_PROCESS;
	r->summary.files_state = files_state;
	RECORD_APPEND(&run->out, &r->summary, NULL, 0);
}
