/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/state/history_writer.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/units.h"
#include "cli/state/history_files.h"
#include "model/phase_records.h"
#include "model/stream_records.h"

#define WRITE_NS      (10 * NS_PER_S) /* a monitor that is killed loses the records of this time */
#define RETRY_NS      (30 * NS_PER_S)
#define PENDING_MOST  (1u << 20)
#define HEAD_MOST     (1u << 20)
#define PENDING_WRITE (128u << 10) /* bytes that are written at once, before it is time */
#define FILES_LEAST   16	   /* the oldest of so many is what is given up at a time */
#define FILES_MOST    256

int history_writer_open(
	struct history_writer *w, const char *path, uint64_t most_bytes, struct sooth_error *err)
{
	assert(w);
	*w = (struct history_writer){ .fd = -1,
		.most_bytes = most_bytes ? most_bytes : HISTORY_BYTES_DEFAULT,
		.head = { .limit = HEAD_MOST },
		.pending = { .limit = PENDING_MOST } };
	return user_folder_open(&w->folder, &history_folder_kind, path, err);
}

/* --- what comes --- */

void history_writer_learn(struct history_writer *w, const struct sooth_record *r)
{
	assert(w);
	assert(r);
	if (r->kind == STREAM_TICK && record_holds(r, sizeof(struct stream_tick)))
		w->realtime_offset_ns =
			((const struct stream_tick *)(const void *)r)->realtime_offset_ns;
	if (r->kind > KIND_STREAM_LAST || !(r->kind & KIND_DEFINITION))
		return;
	if (r->kind == STREAM_SEGMENT) /* another recording begins */
		buffer_reset(&w->head);
	buffer_append(&w->head, r, record_bytes(r));
}

void history_writer_add_spans(struct history_writer *w, const struct batch *spans)
{
	assert(w);
	batch_for_each (r, spans) {
		/* A reader may soon search for the end of a session. */
		if (r->kind == PHASE_SPAN && record_holds(r, PHASE_SPAN_LEAST) &&
			((const struct phase_span *)(const void *)r)->flags & PHASE_IS_LAST)
			w->written_ns = 0;
		if (buffer_reserve(&w->pending, record_bytes(r)))
			buffer_append(&w->pending, r, record_bytes(r));
		else
			w->lost++;
		w->pending.failed = false;
	}
}

/* --- files --- */

static uint64_t file_size_limit(const struct history_writer *w)
{
	return w->most_bytes / FILES_LEAST;
}

/* Removes the oldest files, including those of earlier monitors. The newest file stays. */
static int remove_oldest(struct history_writer *w, struct sooth_error *err)
{
	struct buffer files = { 0 };
	int status = history_list(w->folder.fd, &files, err);
	const struct history_file *all = (const void *)files.data;
	size_t count = files.size / sizeof(*all);
	uint64_t bytes = 0;

	for (size_t i = 0; i < count; i++)
		bytes += all[i].bytes;
	for (size_t i = 0; i + 1 < count && !status; i++) {
		if (bytes + file_size_limit(w) <= w->most_bytes && count - i < FILES_MOST)
			break;
		if (unlinkat(w->folder.fd, all[i].name, 0) && errno != ENOENT)
			status = error_errno(err, -errno, "remove %s", all[i].name);
		bytes -= all[i].bytes;
	}
	if (count)
		w->number = all[count - 1].number;
	buffer_fini(&files);
	return status;
}

static int write_pending_bytes(struct history_writer *w, struct sooth_error *err)
{
	size_t done = 0;

	while (done < w->bytes.size) {
		ssize_t n = write(w->fd, w->bytes.data + done, w->bytes.size - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n > 0) {
			done += (size_t)n;
			continue;
		}
		error_errno(err, n < 0 ? -errno : -EIO, "write the history of sessions");
		/* A reader continues after a partial block, but reports it. */
		if (ftruncate(w->fd, (off_t)w->file_bytes))
			error_why(err, "and a part of a block stays in the file");
		return err->code;
	}
	w->file_bytes += done;
	return 0;
}

static int write_block(struct history_writer *w, struct buffer *records, enum block_type type,
	struct sooth_error *err)
{
	struct block block = { .header = { .type = (uint8_t)type, .sequence = w->sequence },
		.batch = { records->data, records->size } };
	int status;

	if (!records->size)
		return 0;
	block_describe(&block);
	if (type == BLOCK_RECORDS)
		block.header.watermark_ns = block.header.last_ns;
	buffer_reset(&w->bytes);
	status = block_encode(&w->encoder, &w->bytes, &block, CODEC_ZSTD, err);
	if (!status)
		status = write_pending_bytes(w, err);
	w->sequence += !status;
	return status;
}

/* Refreshes the definitions: the clock may have been set since they came. */
static void refresh_head(struct history_writer *w)
{
	struct batch head = { w->head.data, w->head.size };

	batch_for_each (r, &head) {
		if (w->realtime_offset_ns && r->kind == STREAM_SEGMENT &&
			record_holds(r, sizeof(struct stream_segment)))
			((struct stream_segment *)(void *)(uintptr_t)r)->realtime_offset_ns =
				w->realtime_offset_ns;
	}
}

static void close_file(struct history_writer *w)
{
	if (w->fd >= 0)
		close(w->fd);
	w->fd = -1;
}

static int open_file(struct history_writer *w, struct sooth_error *err)
{
	char name[HISTORY_NAME_SIZE];
	int status = remove_oldest(w, err);

	if (status)
		return status;
	history_name(name, w->number + 1);
	w->fd = openat(w->folder.fd, name,
		O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (w->fd < 0)
		return error_errno(err, -errno, "make %s/%s", w->folder.path, name);
	w->number++;
	w->file_bytes = w->sequence = 0;
	refresh_head(w);
	status = write_block(w, &w->head, BLOCK_SEGMENT, err);
	if (status) {
		close_file(w);
		unlinkat(w->folder.fd, name, 0);
	}
	return status;
}

/* Returns whether the open file still exists: if it was removed, writes to it would be lost. */
static bool has_file(const struct history_writer *w)
{
	struct stat st;

	return w->fd >= 0 && !fstat(w->fd, &st) && st.st_nlink;
}

/* --- writing --- */

static void put_loss(struct history_writer *w)
{
	static const char source[] = "history", reason[] = "they could not be written";
	struct stream_loss loss = { .record = { .kind = STREAM_LOSS,
					    .time_ns = clock_monotonic_ns(),
					    .cpu = SOOTH_CPU_NONE },
		.records = w->lost };
	struct record_tail tail[] = { { &loss.source, source, sizeof(source) - 1 },
		{ &loss.reason, reason, sizeof(reason) - 1 } };

	w->pending.limit = 0;
	RECORD_APPEND(&w->pending, &loss, tail, ARRAY_SIZE(tail));
	w->pending.limit = PENDING_MOST;
}

/* Makes the folder again after it was removed. */
static int open_again(struct history_writer *w, struct sooth_error *err)
{
	char path[sizeof(w->folder.path)];

	memcpy(path, w->folder.path, sizeof(path));
	user_folder_close(&w->folder);
	w->is_gone = false;
	return user_folder_open(&w->folder, &history_folder_kind, path, err);
}

static int write_pending(struct history_writer *w, struct sooth_error *err)
{
	size_t before = w->pending.size;
	int status = 0;

	if (!has_file(w) || w->file_bytes >= file_size_limit(w)) {
		close_file(w);
		status = open_file(w, err);
	}
	if (!status && w->lost)
		put_loss(w);
	if (!status)
		status = write_block(w, &w->pending, BLOCK_RECORDS, err);
	if (status) {
		close_file(w);
		w->pending.size = before;
		w->is_gone = status == -ENOENT;
		return status;
	}
	buffer_reset(&w->pending);
	w->lost = 0;
	return 0;
}

int history_writer_step(struct history_writer *w, uint64_t now_ns, struct sooth_error *err)
{
	assert(w);

	uint64_t every_ns = w->is_failing		      ? RETRY_NS
			    : w->pending.size > PENDING_WRITE ? 0
							      : WRITE_NS;
	bool was_failing = w->is_failing;
	int status;

	/* A file without definitions would be no capture. */
	if (!w->head.size || !w->pending.size || now_ns < w->written_ns + every_ns)
		return 0;
	w->written_ns = now_ns;
	status = w->is_gone ? open_again(w, err) : 0;
	if (status) {
		w->is_gone = true;
		return 0;
	}
	status = user_folder_enter(&w->folder, err);
	if (status)
		return status;
	status = write_pending(w, err);
	user_folder_leave(&w->folder);
	w->is_failing = status != 0;
	return was_failing ? 0 : status;
}

/* Puts the end of a complete run. */
static void put_end(struct history_writer *w)
{
	struct stream_end end = { .record = { .kind = STREAM_END,
					  .time_ns = clock_monotonic_ns(),
					  .cpu = SOOTH_CPU_NONE },
		.reason = STREAM_END_STOPPED,
		.child_status = -1 };

	RECORD_APPEND(&w->pending, &end, NULL, 0);
}

void history_writer_close(struct history_writer *w)
{
	struct sooth_error ignored;

	assert(w);
	/* A file with nothing but an end is not worth making. */
	if (w->folder.fd >= 0 && w->head.size && (w->fd >= 0 || w->pending.size)) {
		put_end(w);
		w->written_ns = 0;
		w->is_failing = false;
		history_writer_step(w, UINT64_MAX, &ignored);
	}
	close_file(w);
	user_folder_close(&w->folder);
	buffer_fini(&w->head);
	buffer_fini(&w->pending);
	buffer_fini(&w->bytes);
	block_encoder_fini(&w->encoder);
}
