/* SPDX-License-Identifier: BSD-2-Clause */
/* The fate of files that a process writes (see call_history.h). Opens, lseek and call offsets give
 * the position of a write. The position is unknown for a descriptor that existed at the start or
 * was duplicated: its writes count as appended. */
#include <stdlib.h>
#include <string.h>

#include "analyze/calls/call_about.h"
#include "analyze/calls/call_history_parts.h"
#include "bpf/log2.h"

#define O_TRUNC_LINUX  01000
#define O_APPEND_LINUX 02000

static struct call_file *file_at(const struct call_at_hand *c, const struct call_path *key)
{
	return map_put(&c->history->files, key, NULL);
}

/* Sets the key: a file's or pipe's name, or a connection's ends. False: not known, or neither. */
static bool key_of(const struct fd_followed *known, struct call_path *key)
{
	*key = (struct call_path){ { 0 } };
	if (!known)
		return false;
	if (known->kind == FD_FOLLOWED_SOCKET)
		fd_followed_connection(known, key->text, sizeof(key->text));
	else if (known->name &&
		 (known->kind == FD_FOLLOWED_FILE || known->kind == FD_FOLLOWED_PIPE))
		*key = call_path_key(span_of_string(known->name));
	return *key->text;
}

static struct call_position *position_of(const struct call_at_hand *c, int64_t fd)
{
	uint32_t number = (uint32_t)fd;

	return fd < 0 ? NULL : map_get(&c->history->positions, &number);
}

/* --- reading and writing --- */

static void add_own_bytes(struct call_moves *m, uint64_t bytes, uint64_t weight)
{
	uint32_t slot = log2_of(bytes);

	if (slot >= CALL_SIZES)
		return;
	m->own[slot].calls += weight;
	m->own[slot].seen++;
	m->own[slot].bytes += bytes * weight;
}

/* Returns whether the process itself chose to move so few bytes. */
static bool is_own(const struct folded_call *c, const struct call_file *f, bool writes)
{
	bool is_socket = f->kind == FD_FOLLOWED_SOCKET;
	const struct syscall_transfer *t = &c->row->transfer;

	if (writes)
		return !is_socket || f->was_written_last;
	return t->size && syscall_value(c->call->arguments, t->size, 0) == c->bytes;
}

static void write_at(struct call_contents *c, uint64_t at, uint64_t bytes, uint64_t weight)
{
	uint64_t end = at + bytes, time_span, there = c->there_bytes;

	if (!c->since_bytes || at < c->begin)
		c->begin = at;
	if (!c->since_bytes || end > c->end)
		c->end = end;
	c->since_bytes += bytes;
	time_span = c->end - c->begin;
	c->there_bytes = c->since_bytes < time_span ? c->since_bytes : time_span;
	/* Bytes that do not add to the existing contents overwrote other bytes. */
	if (c->there_bytes - there < bytes)
		c->overwritten_bytes += (bytes - (c->there_bytes - there)) * weight;
}

/* Counts a read. Reads at an unknown position do not come here: they show no file size. */
static void read_at(struct call_file *f, uint64_t at, uint64_t bytes, uint64_t weight)
{
	f->begun += at ? 0 : weight;
	f->strays += at && at != f->read_next ? weight : 0;
	f->read_next = at + bytes;
	if (f->read_next > f->read_end)
		f->read_end = f->read_next;
}

/* Counts bytes at the offset that the call names. If it names none, counts them at the position of
 * the descriptor, and moves this position on. */
static void advance_position(
	const struct call_at_hand *c, struct call_file *f, int64_t fd, bool writes)
{
	const struct folded_call *call = c->folded;
	struct call_position *p = position_of(c, fd);
	bool is_known = p && p->is_known && !p->appends;
	uint8_t offset = call->row->transfer.offset;

	if (offset) {
		uint64_t at = syscall_value(call->call->arguments, offset, 0);

		if (writes)
			write_at(&f->contents, at, call->bytes, c->weight);
		else
			read_at(f, at, call->bytes, c->weight);
		return;
	}
	if (writes)
		write_at(&f->contents, is_known ? p->at : f->contents.end, call->bytes, c->weight);
	else if (is_known)
		read_at(f, p->at, call->bytes, c->weight);
	if (p)
		p->at += call->bytes;
}

static void add_transfer(const struct call_at_hand *c, const struct folded_side *side, bool writes)
{
	const struct folded_call *call = c->folded;
	struct call_path key;
	struct call_file *f;
	struct call_moves *m;

	if (!side->is_there || !call->bytes || !key_of(side->file, &key))
		return;
	f = file_at(c, &key);
	if (!f)
		return;
	f->kind = side->file->kind;
	m = &f->moves[writes ? CALL_WRITTEN : CALL_READ];
	m->calls += c->weight;
	m->seen++;
	m->bytes += call->bytes * c->weight;
	m->total_ns += call_is_timed(call->call) ? call->call->duration_ns * c->weight : 0;
	if (call->row->transfer.direction != SYSCALL_COPIES && is_own(call, f, writes))
		add_own_bytes(m, call->bytes, c->weight);
	f->was_written_last = writes;
	if (side->file->kind == FD_FOLLOWED_FILE)
		advance_position(c, f, side->fd, writes);
}

/* --- opening, seeking, closing --- */

static void set_position(const struct call_at_hand *c, int64_t fd, struct call_position position)
{
	uint32_t number = (uint32_t)fd;
	struct call_position *p = fd < 0 ? NULL : map_put(&c->history->positions, &number, NULL);

	if (p)
		*p = position;
}

static void forget_position(const struct call_at_hand *c, int64_t fd)
{
	uint32_t number = (uint32_t)fd;

	if (fd >= 0)
		map_remove(&c->history->positions, &number);
}

/* Counts the written contents as replaced: they were truncated, removed, or renamed away. */
static void count_replaced(struct call_contents *c, uint64_t weight)
{
	if (c->there_bytes) {
		c->replaced_bytes += c->there_bytes * weight;
		c->replaced += weight;
		c->seen++;
	}
	c->there_bytes = c->since_bytes = c->begin = c->end = 0;
}

/* Notes a created file. An empty file counts too, because it takes an inode. */
static void note_created_file(const struct call_at_hand *c)
{
	struct call_path key = call_path_key(c->path);
	struct call_file *f = c->path.size ? file_at(c, &key) : NULL;

	if (f)
		f->contents.is_made = true;
}

static void handle_open(const struct call_at_hand *c)
{
	uint64_t flags = folded_open_flags(c->folded);
	struct call_path key;
	struct call_file *f;

	set_position(c, c->folded->call->result,
		(struct call_position){ .is_known = true, .appends = flags & O_APPEND_LINUX });
	if (folded_makes_file(c->folded))
		note_created_file(c);
	if (!(flags & O_TRUNC_LINUX) || !c->path.size)
		return;
	key = call_path_key(c->path);
	f = map_get(&c->history->files, &key);
	if (f)
		count_replaced(&f->contents, c->weight);
}

static void handle_seek(const struct call_at_hand *c)
{
	struct call_position *p = position_of(c, c->folded->fd);

	if (p)
		p->at = (uint64_t)c->folded->call->result;
	else
		set_position(c, c->folded->fd,
			(struct call_position){
				.at = (uint64_t)c->folded->call->result, .is_known = true });
}

static void truncate_contents(struct call_contents *c, uint64_t size, uint64_t weight)
{
	uint64_t time_span = size > c->begin ? size - c->begin : 0;

	if (!time_span || size >= c->end) {
		if (!time_span)
			count_replaced(c, weight);
		return;
	}
	if (c->there_bytes > time_span) {
		c->replaced_bytes += (c->there_bytes - time_span) * weight;
		c->there_bytes = time_span;
	}
	c->since_bytes = c->there_bytes;
	c->end = size;
}

static void apply_truncate(const struct call_at_hand *c)
{
	struct call_file *f = NULL;
	struct call_path key;

	if (c->path.size)
		key = call_path_key(c->path);
	if (c->path.size || key_of(c->folded->file, &key))
		f = map_get(&c->history->files, &key);
	if (f)
		truncate_contents(&f->contents, c->folded->call->arguments[1], c->weight);
}

/* --- removing, renaming --- */

static void count_small_file(
	const struct call_at_hand *c, const struct call_path *path, uint64_t bytes)
{
	const char *slash = strrchr(path->text, '/');
	struct call_path folder =
		call_path_key(span_of(path->text, slash ? (size_t)(slash - path->text) : 0));
	struct call_scraps *s = map_put(&c->history->scraps, &folder, NULL);

	if (!s)
		return;
	s->files += c->weight;
	s->seen++;
	s->bytes += bytes;
	s->has_many_names |= *s->last && strcmp(s->last, path->text) != 0;
	memcpy(s->last, path->text, sizeof(s->last));
}

/* Counts a removal. Later writes by a descriptor still open count from zero again. */
static void count_removal(const struct call_at_hand *c)
{
	struct call_path key = call_path_key(c->path);
	struct call_file *f = c->path.size ? map_get(&c->history->files, &key) : NULL;
	uint64_t bytes;

	if (!f)
		return;
	bytes = f->contents.there_bytes * c->weight + f->contents.replaced_bytes +
		f->contents.overwritten_bytes;
	f->contents = (struct call_contents){ 0 };
	if (bytes)
		count_small_file(c, &key, bytes);
}

static bool second_path(const struct call_at_hand *c, struct call_path *key)
{
	struct span path = folded_second_path(c->folded);

	if (path.size)
		*key = call_path_key(path);
	return path.size;
}

/* Moves the contents from the old name to the new name. The earlier contents of the new name are
 * lost. */
static void rename_contents(
	struct call_contents *to, const struct call_contents *from, uint64_t weight)
{
	struct call_contents old = *to;

	count_replaced(&old, weight);
	*to = *from;
	to->replaced_bytes += old.replaced_bytes;
	to->overwritten_bytes += old.overwritten_bytes;
	to->replaced += old.replaced;
	to->seen += old.seen;
}

static void add_moves(struct call_moves *to, const struct call_moves *from)
{
	to->calls += from->calls;
	to->seen += from->seen;
	to->bytes += from->bytes;
	to->total_ns += from->total_ns;
	for (size_t i = 0; i < CALL_SIZES; i++) {
		to->own[i].calls += from->own[i].calls;
		to->own[i].seen += from->own[i].seen;
		to->own[i].bytes += from->own[i].bytes;
	}
}

static void count_rename(const struct call_at_hand *c)
{
	struct call_path from = call_path_key(c->path), to;
	struct call_file *old = c->path.size ? map_get(&c->history->files, &from) : NULL, *f;
	struct call_file moved;

	if (!old || !second_path(c, &to) || !memcmp(&from, &to, sizeof(to)))
		return;
	moved = *old;
	map_remove(&c->history->files, &from);
	f = file_at(c, &to);
	if (!f)
		return;
	f->kind = moved.kind;
	f->looks += moved.looks;
	f->looks_ns += moved.looks_ns;
	f->begun += moved.begun;
	f->strays += moved.strays;
	if (moved.read_end > f->read_end)
		f->read_end = moved.read_end;
	rename_contents(&f->contents, &moved.contents, c->weight);
	for (size_t i = 0; i < CALL_MOVES; i++)
		add_moves(&f->moves[i], &moved.moves[i]);
}

/* --- looking --- */

/* Returns whether the call found the end of a directory, which comes once per full read. */
static bool is_end_of_directory(const struct call_at_hand *c)
{
	return c->folded->row->effect.what == SYSCALL_FD_SHOWS_DIRECTORY &&
	       c->folded->call->result == 0;
}

static void count_directory_walk(const struct call_at_hand *c, const struct call_path *key)
{
	const struct syscalls_call *call = c->folded->call;
	struct call_file *f = is_end_of_directory(c) ? file_at(c, key) : NULL;

	if (!f)
		return;
	f->walks++;
	f->last_walk_ns = call->record.time_ns;
	if (!f->first_walk_ns)
		f->first_walk_ns = f->last_walk_ns;
}

static void count_lookup(const struct call_at_hand *c)
{
	const struct fd_followed *fd = c->folded->file;
	struct call_path key;
	struct call_file *f;

	c->history->walks += is_end_of_directory(c);
	c->history->looks_timed++;
	c->history->looks_ns += c->folded->call->duration_ns;
	if (c->path.size)
		key = call_path_key(c->path);
	else if (fd && fd->name && fd->kind == FD_FOLLOWED_DIRECTORY)
		key = call_path_key(span_of_string(fd->name));
	else
		return;
	c->history->looks += c->weight;
	count_directory_walk(c, &key);
	f = file_at(c, &key);
	if (f) {
		f->last_look_ns = c->folded->call->record.time_ns;
		if (!f->first_look_ns)
			f->first_look_ns = f->last_look_ns;
	}
	/* After a gap, some reads of the file may be unrecorded. */
	if (c->folded->call->gaps & SYSCALLS_GAP_WINDOW)
		return;
	c->history->looks_seen++;
	if (!f)
		return;
	f->looks++;
	f->looks_ns += c->folded->call->duration_ns;
}

void call_files_add_call(const struct call_at_hand *c)
{
	const struct syscall_row *row = c->folded->row;

	if (row->traits & SYSCALL_LOOKS)
		count_lookup(c);
	if (c->folded->is_error)
		return;
	if (!(row->traits & SYSCALL_LOOKS)) {
		add_transfer(c, &c->folded->from, false);
		add_transfer(c, &c->folded->to, true);
	}
	if (row->traits & SYSCALL_OPENS)
		handle_open(c);
	else if (syscall_returns_descriptor(row))
		forget_position(c, c->folded->call->result);
	else if (row->effect.what == SYSCALL_FD_CLOSES)
		forget_position(c, c->folded->fd);
	else if (row->traits & SYSCALL_SEEKS)
		handle_seek(c);
	else if (row->traits & SYSCALL_RESIZES)
		apply_truncate(c);
	else if (row->traits & SYSCALL_MAKES_FILE)
		note_created_file(c);
	else if (row->traits & SYSCALL_REMOVES)
		count_removal(c);
	else if (row->traits & SYSCALL_RENAMES)
		count_rename(c);
}
