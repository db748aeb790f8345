/* SPDX-License-Identifier: BSD-2-Clause */
/* wal-kept: the write-ahead log of a SQLite database grows, because a transaction that reads stays
 * open. The part of the log that the transaction sees shows that it is the same all the time: a new
 * transaction would also see the frames written meanwhile. */
#include <string.h>

#include "analyze/diagnosis/check.h"
#include "base/sentence_units.h"

#define FRAME_HEAD 24 /* bytes before each page of the log (sqlite3, WAL_FRAME_HDRSIZE) */

static const struct finding_option options[] = {
	BYTES_THRESHOLD("min-size", 512 << 10, 1, 1e15, "minimum size of the log"),
	BYTES_THRESHOLD("grave-size", 16 << 20, 1, 1e15,
		"size of the log from which the severity is that of the finding; below: low"),
};

static uint64_t bytes_of(const struct waits_reader *r, uint32_t frames)
{
	return (uint64_t)frames * (r->page_bytes + FRAME_HEAD);
}

static const struct waits_reader *same_reader_before(
	const struct check *e, const struct waits_reader *now)
{
	snapshot_each (struct waits_reader, w, check_first(e, &e->input->waits), WAITS_READER) {
		if (w->reader_pid == now->reader_pid && w->slot == now->slot &&
			w->reader_start_ticks == now->reader_start_ticks &&
			w->seen_pages == now->seen_pages &&
			!span_compare(record_text(&w->record, &w->path),
				record_text(&now->record, &now->path)))
			return w;
	}
	return NULL;
}

static bool keeps_log(
	const struct check *e, const struct waits_reader *before, const struct waits_reader *now)
{
	return before && now->log_pages > before->log_pages && now->log_pages > now->seen_pages &&
	       now->copied_pages < now->log_pages &&
	       (double)bytes_of(now, now->log_pages) >= check_option(e, "min-size");
}

/* "/srv/events.db-wal" */
static void put_log(struct buffer *out, const struct waits_reader *r)
{
	struct span shm = record_text(&r->record, &r->path);

	buffer_append(out, shm.data, shm.size - strlen("shm"));
	buffer_string(out, "wal");
}

#define GROWS  "{log} grows ({size}, {gain} more) and cannot be emptied"
#define UNSEEN "since when the transaction is open"
#define REMEDY                                                                                     \
	"end that transaction: read the cursor in {reader pid} to its end, or close it; ending "   \
	"{reader pid} ends it too"

static const struct claim_row of_reader = { "keeps a transaction open that reads, so that " GROWS,
	UNSEEN, REMEDY };
static const struct claim_row of_writer = {
	GROWS ": {reader} ({reader pid}) keeps a transaction open that reads", UNSEEN, REMEDY
};

static void report_log(const struct check *e, struct check_result *out,
	const struct waits_reader *before, const struct waits_reader *now)
{
	uint64_t bytes = bytes_of(now, now->log_pages),
		 gain = bytes_of(now, now->log_pages - before->log_pages);
	struct buffer *log;

	finding_begin(out, FINDING_CONFIDENCE_HIGH, "");
	finding_low_if(out, bytes < check_option(e, "grave-size"));
	log = finding_value(out, "log");
	put_log(log, now);
	finding_path(out, span_of((const char *)log->data, log->size));
	finding_value_text(out, "size", "%s", SENTENCE_SIZE(bytes));
	finding_value_text(out, "gain", "%s", SENTENCE_SIZE(gain));
	finding_value_span(out, "reader", record_text(&now->record, &now->reader_name));
	finding_value_text(out, "reader pid", "%u", now->reader_pid);
	finding_bytes(out, "size of the write-ahead log", bytes);
	finding_bytes(out, "written since the transaction began",
		bytes_of(now, now->log_pages - now->seen_pages));
	finding_number(out, "growth", (double)gain, SOOTH_UNIT_BYTES,
		now->record.time_ns - before->record.time_ns);
	finding_claim_row(out, now->reader_pid == e->id.pid ? &of_reader : &of_writer);
}

static void diagnose(const struct check *e, struct check_result *out)
{
	const struct snapshot *last = check_last(e, &e->input->waits);
	unsigned readers = 0;

	if (!last || !e->process || !e->process->is_there) {
		check_blind(out, SOOTH_NOT_MEASURED(SOOTH_REASON_ENDED));
		return;
	}
	snapshot_each (struct waits_reader, now, last, WAITS_READER) {
		const struct waits_reader *before = same_reader_before(e, now);

		readers++;
		if (record_text(&now->record, &now->path).size > strlen("shm") &&
			keeps_log(e, before, now)) {
			report_log(e, out, before, now);
			return;
		}
	}
	check_fine(
		out, "transactions that read its SQLite databases: %u, none keeps a log", readers);
}

const struct finding_detector finding_wal_kept = { diagnose, FINDING_OPTIONS(options) };
