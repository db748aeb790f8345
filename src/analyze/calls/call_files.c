/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What becomes of the files that a process writes (see call_history.h): where it writes is known
 * from the open, lseek and the offsets of calls; of a descriptor that it had before, or that was
 * duplicated, it is not, and what it writes counts as added at the end.
 */
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

/* A file by its name, a connection by its ends; false: it is neither, or not known. */
static bool key_of(const struct fd_followed *known, struct call_path *key)
{
	*key = (struct call_path){ { 0 } };
	if (!known)
		return false;
	if (known->kind == FD_FOLLOWED_SOCKET)
		fd_followed_connection(known, key->text, sizeof(key->text));
	else if (known->name && known->kind == FD_FOLLOWED_FILE)
		*key = call_path_of(span_of(known->name, strlen(known->name)));
	return *key->text;
}

static struct call_position *position_of(const struct call_at_hand *c, int64_t fd)
{
	uint32_t number = (uint32_t)fd;

	return fd < 0 ? NULL : map_get(&c->history->positions, &number);
}

/* --- reading and writing --- */

static void add_own(struct call_moves *m, uint64_t bytes)
{
	uint32_t slot = log2_of(bytes);

	if (slot >= CALL_SIZES)
		return;
	m->own[slot].calls++;
	m->own[slot].bytes += bytes;
}

/* Whether it was the process's own doing that so little was moved. */
static bool is_own(const struct call_at_hand *c, const struct transfer *t,
	const struct call_file *f, bool writes)
{
	bool is_socket = f->kind == FD_FOLLOWED_SOCKET;

	if (writes)
		return !is_socket || f->was_written_last;
	return t->size && c->call->arguments[t->size] == (uint64_t)c->call->result;
}

static void write_at(struct call_contents *c, uint64_t at, uint64_t bytes)
{
	uint64_t end = at + bytes, time_span, there = c->there_bytes;

	if (!c->since_bytes || at < c->begin)
		c->begin = at;
	if (!c->since_bytes || end > c->end)
		c->end = end;
	c->since_bytes += bytes;
	time_span = c->end - c->begin;
	c->there_bytes = c->since_bytes < time_span ? c->since_bytes : time_span;
	/* Of these so many took no place of their own. */
	if (c->there_bytes - there < bytes)
		c->overwritten_bytes += bytes - (c->there_bytes - there);
}

/* `offset` is of the call; else the descriptor moves on. */
static void move_on(const struct call_at_hand *c, const struct transfer *t, struct call_file *f,
	int64_t fd, bool writes)
{
	struct call_position *p = position_of(c, fd);
	bool is_known = p && p->is_known && !p->appends;
	uint64_t bytes = (uint64_t)c->call->result;

	if (t->offset) {
		if (writes)
			write_at(&f->contents, c->call->arguments[t->offset], bytes);
		return;
	}
	if (writes)
		write_at(&f->contents, is_known ? p->at : f->contents.end, bytes);
	if (p)
		p->at += bytes;
}

static void take_side(
	const struct call_at_hand *c, const struct transfer *t, int64_t fd, bool writes)
{
	const struct fd_followed *known = fd_follow_get(&c->all->fds, &c->history->id, fd);
	struct call_path key;
	struct call_file *f;
	struct call_moves *m;

	if (c->is_error || !c->call->result || !key_of(known, &key))
		return;
	f = file_at(c, &key);
	if (!f)
		return;
	f->kind = known->kind;
	m = &f->moves[writes ? CALL_WRITTEN : CALL_READ];
	m->calls++;
	m->bytes += (uint64_t)c->call->result;
	m->total_ns += call_is_timed(c->call) ? c->call->duration_ns : 0;
	if (t->direction != TRANSFER_COPIES && is_own(c, t, f, writes))
		add_own(m, (uint64_t)c->call->result);
	f->was_written_last = writes;
	if (known->kind == FD_FOLLOWED_FILE)
		move_on(c, t, f, fd, writes);
}

static void take_transfer(const struct call_at_hand *c, const struct transfer *t)
{
	if (t->direction != TRANSFER_WRITES)
		take_side(c, t, call_int(c->call->arguments[t->from]), false);
	if (t->direction != TRANSFER_READS)
		take_side(c, t, call_int(c->call->arguments[t->to]), true);
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

/* All that it wrote there is gone, or has another name. */
static void replace(struct call_contents *c)
{
	if (c->there_bytes) {
		c->replaced_bytes += c->there_bytes;
		c->replaced++;
	}
	c->there_bytes = c->since_bytes = c->begin = c->end = 0;
}

static uint64_t open_flags(const struct call_at_hand *c)
{
	struct call_piece how;
	uint64_t flags = 0;

	if (!strcmp(c->types->row->name, "creat"))
		return O_TRUNC_LINUX;
	if (c->types->letters[0] != 'a')
		return c->call->arguments[1];
	if (strcmp(c->types->row->name, "openat2") != 0)
		return c->call->arguments[2];
	how = call_piece(c->call, 2, SYSCALLS_PART_TARGET);
	if (how.bytes.size >= sizeof(flags))
		memcpy(&flags, how.bytes.data, sizeof(flags));
	return flags;
}

static void take_open(const struct call_at_hand *c)
{
	uint64_t flags = open_flags(c);
	struct call_path key;
	struct call_file *f;

	set_position(c, c->call->result,
		(struct call_position){ .is_known = true, .appends = flags & O_APPEND_LINUX });
	if (!(flags & O_TRUNC_LINUX) || !c->path.size)
		return;
	key = call_path_of(c->path);
	f = map_get(&c->history->files, &key);
	if (f)
		replace(&f->contents);
}

static void take_seek(const struct call_at_hand *c)
{
	struct call_position *p = position_of(c, call_int(c->call->arguments[0]));

	if (p)
		p->at = (uint64_t)c->call->result;
	else
		set_position(c, call_int(c->call->arguments[0]),
			(struct call_position){
				.at = (uint64_t)c->call->result, .is_known = true });
}

static void cut(struct call_contents *c, uint64_t size)
{
	uint64_t time_span = size > c->begin ? size - c->begin : 0;

	if (!time_span || size >= c->end) {
		if (!time_span)
			replace(c);
		return;
	}
	if (c->there_bytes > time_span) {
		c->replaced_bytes += c->there_bytes - time_span;
		c->there_bytes = time_span;
	}
	c->since_bytes = c->there_bytes;
	c->end = size;
}

static void take_size(const struct call_at_hand *c)
{
	struct call_file *f = NULL;
	struct call_path key;

	if (c->path.size)
		key = call_path_of(c->path);
	if (c->path.size || key_of(c->fd, &key))
		f = map_get(&c->history->files, &key);
	if (f)
		cut(&f->contents, c->call->arguments[1]);
}

/* --- removing, renaming --- */

static void add_scrap(struct call_history *h, const struct call_path *path, uint64_t bytes)
{
	const char *slash = strrchr(path->text, '/');
	struct call_path folder =
		call_path_of(span_of(path->text, slash ? (size_t)(slash - path->text) : 0));
	struct call_scraps *s = map_put(&h->scraps, &folder, NULL);

	if (!s)
		return;
	s->files++;
	s->bytes += bytes;
	s->has_many_names |= *s->last && strcmp(s->last, path->text) != 0;
	memcpy(s->last, path->text, sizeof(s->last));
}

/* What is read of it afterwards, by a descriptor that is still open, counts anew. */
static void take_removal(const struct call_at_hand *c)
{
	struct call_path key = call_path_of(c->path);
	struct call_file *f = c->path.size ? map_get(&c->history->files, &key) : NULL;
	uint64_t bytes;

	if (!f)
		return;
	bytes = f->contents.there_bytes + f->contents.replaced_bytes +
		f->contents.overwritten_bytes;
	f->contents = (struct call_contents){ 0 };
	if (bytes)
		add_scrap(c->history, &key, bytes);
}

/* The second path among the arguments. */
static bool second_path(const struct call_at_hand *c, struct call_path *key)
{
	bool has_directories = c->types->letters[0] == 'a';
	size_t argument = has_directories ? 3 : 1;
	struct call_piece path = call_path(c->call, argument);
	struct buffer *whole = &c->all->path2;

	buffer_reset(whole);
	if (!path.is_there || !path.bytes.size)
		return false;
	fd_follow_resolve(&c->all->fds, &c->history->id,
		has_directories ? call_int(c->call->arguments[2]) : AT_FDCWD_LINUX, path.bytes,
		whole);
	*key = call_path_of(span_of((const char *)whole->data, whole->size));
	return true;
}

/* What was there goes, and what was elsewhere takes its place. */
static void rename_contents(struct call_contents *to, const struct call_contents *from)
{
	struct call_contents old = *to;

	replace(&old);
	*to = *from;
	to->replaced_bytes += old.replaced_bytes;
	to->overwritten_bytes += old.overwritten_bytes;
	to->replaced += old.replaced;
}

static void add_moves(struct call_moves *to, const struct call_moves *from)
{
	to->calls += from->calls;
	to->bytes += from->bytes;
	to->total_ns += from->total_ns;
	for (size_t i = 0; i < CALL_SIZES; i++) {
		to->own[i].calls += from->own[i].calls;
		to->own[i].bytes += from->own[i].bytes;
	}
}

static void take_rename(const struct call_at_hand *c)
{
	struct call_path from = call_path_of(c->path), to;
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
	rename_contents(&f->contents, &moved.contents);
	for (size_t i = 0; i < CALL_MOVES; i++)
		add_moves(&f->moves[i], &moved.moves[i]);
}

/* --- looking --- */

static void take_look(const struct call_at_hand *c)
{
	const struct fd_followed *fd = c->fd;
	struct call_path key;
	struct call_file *f;

	if (c->path.size)
		key = call_path_of(c->path);
	else if (fd && fd->name && fd->kind == FD_FOLLOWED_DIRECTORY)
		key = call_path_of(span_of(fd->name, strlen(fd->name)));
	else
		return;
	c->history->looks++;
	f = file_at(c, &key);
	if (!f)
		return;
	f->looks++;
	f->looks_ns += c->call->duration_ns;
}

void call_files_take(const struct call_at_hand *c)
{
	struct transfer t = transfer_of(c->all->transfers, c->call);

	if (c->kinds & CALL_LOOKS)
		take_look(c);
	if (c->is_error)
		return;
	if (t.direction && !(c->kinds & CALL_LOOKS))
		take_transfer(c, &t);
	if (c->kinds & CALL_OPENS)
		take_open(c);
	else if (c->kinds & CALL_MAKES)
		forget_position(c, c->call->result);
	else if (c->kinds & CALL_CLOSES)
		forget_position(c, call_int(c->call->arguments[0]));
	else if (c->kinds & CALL_SEEKS)
		take_seek(c);
	else if (c->kinds & CALL_EMPTIES)
		take_size(c);
	else if (c->kinds & CALL_REMOVES)
		take_removal(c);
	else if (c->kinds & CALL_RENAMES)
		take_rename(c);
}
