/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Readers of SQLite databases with a write-ahead log. Each reading transaction has a shared lock on
 * one of five bytes of the -shm file, from WAL_READ_LOCK(0) on (sqlite3 src/wal.c, src/os_unix.c:
 * UNIX_SHM_BASE 120, three bytes for the writer, the checkpoint and recovery, then the readers).
 * The file also has the frames of the log that each reader sees (aReadMark). A new transaction sees
 * all frames, so one that does not see all is as old as its mark.
 */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/cursor.h"
#include "os/linux/waits/wait_lock_lines.h"
#include "os/linux/waits/wait_reader.h"

#define READ_LOCKS_BEGIN 123
#define READ_LOCKS_END	 127
#define READERS_MAX	 16
#define INDEX_VERSION	 3007000 /* WALINDEX_MAX_VERSION */
#define INDEX_BYTES	 136

static bool is_read_lock(const struct lock_line *l)
{
	return l->pid && span_equal(l->mode, "READ") && l->begin >= READ_LOCKS_BEGIN &&
	       l->end <= READ_LOCKS_END;
}

/* Parses the header of the index (struct WalIndexHdr, then struct WalCkptInfo): how many frames the
 * log has, and up to which frame the reader with that lock sees. */
static bool parse_index(struct waits_reader *out, const struct buffer *bytes)
{
	struct cursor c = cursor_over(bytes->data, bytes->size);
	uint32_t version = cursor_u32(&c), page;

	cursor_bytes(&c, 10); /* unused, change, is initialized, checksums are big-endian */
	page = cursor_u16(&c);
	out->log_pages = cursor_u32(&c);
	cursor_bytes(&c, 96 - 20);
	out->copied_pages = cursor_u32(&c);
	cursor_bytes(&c, 4 * (size_t)out->slot);
	out->seen_pages = cursor_u32(&c);
	out->page_bytes = page == 1 ? 65536 : page;
	return !c.failed && version == INDEX_VERSION;
}

static void emit_reader(
	struct wait_reader *r, const struct wait_node *n, const struct lock_line *l, uint32_t fd)
{
	struct waits_reader w = { .record = wait_record(r, 0, WAITS_READER),
		.reader_pid = (uint32_t)l->pid,
		.fd = fd,
		.slot = (uint8_t)(l->begin - READ_LOCKS_BEGIN) };
	const struct wait_entry *e = wait_table_get(&r->table, w.reader_pid);
	char path[48];

	snprintf(path, sizeof(path), "fd/%u", fd);
	if (!e || procfs_link_at(n->process, path, &r->text) ||
		!span_ends(span_of((const char *)r->text.data, r->text.size), "-shm") ||
		timeout_read_at(&r->timeout, n->process, path, &r->more, INDEX_BYTES, TIMEOUT_MS) <
			0 ||
		!parse_index(&w, &r->more))
		return;
	w.reader_start_ticks = e->start_ticks;
	struct record_tail tail[] = {
		{ &w.reader_name, e->name, strnlen(e->name, sizeof(e->name)) },
		{ &w.path, r->text.data, r->text.size },
	};
	RECORD_APPEND(&r->run->out, &w, tail, ARRAY_SIZE(tail));
}

void wait_add_wal_readers(struct wait_reader *r, struct wait_node *n)
{
	const struct lock_table *t = wait_lock_table(r);
	size_t files, count, readers = 0;
	const struct locked_file *own = wait_own_files(r, n, &files);
	uint64_t last = 0;

	for (size_t i = 0; i < files; i++) {
		struct lock_line *const *all = lock_table_of_file(t, &own[i], &count);

		for (size_t j = 0; j < count && readers < READERS_MAX && !own[i].is_again; j++) {
			if (!is_read_lock(all[j]) || all[j]->pid == last)
				continue;
			last = all[j]->pid;
			readers++;
			emit_reader(r, n, all[j], own[i].fd);
		}
	}
}
