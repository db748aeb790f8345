/* SPDX-License-Identifier: BSD-2-Clause */
/* Descriptor tables, changed by snapshots and by starts and ends of processes; see fd_follow.h.
 * fd_effects.c has the effects of calls. */
#include "analyze/calls/fd_follow.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/calls/call_pieces.h"
#include "analyze/sockets/socket_text.h"
#include "base/cleanup.h"
#include "model/stream_records.h"
#include "probes/fd_names.h"
#include "probes/proc.h"

#define PROCESSES_MAX 65536
#define BASE_MAX      4096 /* beyond, a path that grows with each chdir is unknown */
#define FDS_MAX	      65536
#define ENTRIES_MAX   4000000

void fd_follow_init(struct fd_follow *f)
{
	*f = (struct fd_follow){ 0 };
	map_init(&f->tables, sizeof(struct process_id), sizeof(struct fd_table), PROCESSES_MAX);
}

/* --- tables --- */

static void forget_fd(struct fd_follow *f, struct fd_table *t, uint32_t fd)
{
	struct fd_followed *known = t->fds.key_size ? map_get(&t->fds, &fd) : NULL;

	if (!known)
		return;
	free(known->name);
	map_remove(&t->fds, &fd);
	f->entries--;
}

static void free_table(struct fd_follow *f, struct fd_table *t)
{
	map_for_each_value (map_while(t->fds.key_size, &t->fds), struct fd_followed *, value) {
		free(value->name);
		f->entries--;
	}
	if (t->fds.key_size)
		map_fini(&t->fds);
	free(t->directory);
	free(t->arguments);
	*t = (struct fd_table){ 0 };
}

void fd_follow_fini(struct fd_follow *f)
{
	map_for_each_value (&f->tables, void *, value)
		free_table(f, value);
	map_fini(&f->tables);
}

struct fd_table *fd_follow_table(struct fd_follow *f, const struct process_id *process)
{
	struct fd_table *t = map_put(&f->tables, process, NULL);

	if (t && !t->fds.key_size)
		map_init(&t->fds, sizeof(uint32_t), sizeof(struct fd_followed), FDS_MAX);
	return t;
}

struct fd_followed *fd_follow_set(
	struct fd_follow *f, struct fd_table *t, int64_t fd, enum fd_followed_kind kind)
{
	uint32_t number = (uint32_t)fd;
	struct fd_followed *known;
	bool is_new;

	if (fd < 0 || fd > UINT32_MAX || f->entries >= ENTRIES_MAX) {
		f->refused += fd >= 0;
		return NULL;
	}
	known = map_put(&t->fds, &number, &is_new);
	if (!known) {
		f->refused++;
		return NULL;
	}
	f->entries += is_new;
	free(known->name);
	*known = (struct fd_followed){ .kind = (uint8_t)kind };
	return known;
}

void fd_follow_close(struct fd_follow *f, struct fd_table *t, int64_t fd)
{
	if (fd >= 0 && fd <= UINT32_MAX)
		forget_fd(f, t, (uint32_t)fd);
}

void fd_follow_copy(struct fd_follow *f, struct fd_table *t, int64_t to,
	const struct fd_followed *from, bool closes_on_exec)
{
	/* Growing the map may move the entry. */
	struct fd_followed copy = *from;
	char *name = copy.name ? strdup(copy.name) : NULL;
	struct fd_followed *known = fd_follow_set(f, t, to, copy.kind);

	if (!known) {
		free(name);
		return;
	}
	*known = copy;
	known->name = name;
	known->closes_on_exec = closes_on_exec;
	known->is_read = false;
}

void fd_follow_gap(struct fd_follow *f, const struct process_id *process)
{
	struct fd_table *t = map_get(&f->tables, process);

	map_for_each (map_while(t && t->fds.key_size, &t->fds), const uint32_t *, key,
		struct fd_followed *, value) {
		uint32_t fd = *key;

		if (!value->is_read)
			forget_fd(f, t, fd);
	}
}

void fd_follow_name(struct fd_followed *known, struct span name)
{
	free(known->name);
	known->name = strndup(name.data, name.size);
}

static void copy_text(char *to, size_t size, const struct buffer *from)
{
	size_t length = from->size < size - 1 ? from->size : size - 1;

	memcpy(to, from->data ? (const char *)from->data : "", length);
	to[length] = '\0';
}

/* --- readings --- */

static enum fd_followed_kind kind_of(uint8_t type)
{
	switch (type) {
	case FDS_FILE:
	case FDS_DELETED:
		return FD_FOLLOWED_FILE;
	case FDS_DIRECTORY:
		return FD_FOLLOWED_DIRECTORY;
	case FDS_PIPE:
	case FDS_FIFO:
		return FD_FOLLOWED_PIPE;
	case FDS_UNIX:
	case FDS_TCP:
	case FDS_UDP:
	case FDS_NETLINK:
	case FDS_PACKET:
	case FDS_SOCKET:
		return FD_FOLLOWED_SOCKET;
	case FDS_PTY:
	case FDS_TTY:
		return FD_FOLLOWED_TERMINAL;
	default:
		return FD_FOLLOWED_OTHER;
	}
}

/* Returns whether calls already gave the socket's addresses: the snapshot may be older. */
static bool is_known_socket(const struct fd_table *t, const struct fds_descriptor *d)
{
	const struct fd_followed *known = map_get(&t->fds, &d->fd);

	return known && known->kind == FD_FOLLOWED_SOCKET && (*known->peer || *known->local) &&
	       kind_of(d->type) == FD_FOLLOWED_SOCKET;
}

static void add_descriptor(struct fd_follow *f, const struct fds_descriptor *d)
{
	static const char *const protocols[] = { [FDS_UNIX] = "UNIX",
		[FDS_TCP] = "TCP",
		[FDS_UDP] = "UDP",
		[FDS_NETLINK] = "NETLINK",
		[FDS_PACKET] = "PACKET" };
	struct process_id id = process_id_of(&d->record);
	struct fd_table *t = fd_follow_table(f, &id);
	struct span path = record_text(&d->record, &d->path);
	struct fd_followed *known = NULL;

	if (t && !t->has_fds && !is_known_socket(t, d))
		known = fd_follow_set(f, t, d->fd, kind_of(d->type));
	if (!known)
		return;
	known->is_read = true;
	known->closes_on_exec = d->closes_on_exec;
	if (known->kind == FD_FOLLOWED_SOCKET && d->type < ARRAY_SIZE(protocols) &&
		protocols[d->type])
		memcpy(known->protocol, protocols[d->type], strlen(protocols[d->type]) + 1);
	if (known->kind == FD_FOLLOWED_SOCKET)
		return;
	if (path.size)
		fd_follow_name(known, path);
	else if (d->type < FDS_TYPES)
		fd_follow_name(known, span_of_string(fd_type_names.names[d->type]));
}

static void add_socket(struct fd_follow *f, const struct sockets_socket *s)
{
	struct process_id id = process_id_of(&s->record);
	struct fd_table *t = fd_follow_table(f, &id);
	struct fd_followed *known = t ? map_get(&t->fds, &s->fd) : NULL;
	struct buffer text = { 0 };

	if (t && !known && !t->has_sockets)
		known = fd_follow_set(f, t, s->fd, FD_FOLLOWED_SOCKET);
	if (!known || t->has_sockets)
		return;
	known->is_read = true;
	if (s->family == SOCKETS_INET6 &&
		(!strcmp(known->protocol, "TCP") || !strcmp(known->protocol, "UDP")))
		strcat(known->protocol, "6");
	known->is_listening = s->state == SOCKETS_LISTEN;
	if (s->local_state == SOOTH_STATE_VALUE) {
		socket_put_local(&text, s);
		copy_text(known->local, sizeof(known->local), &text);
	}
	buffer_reset(&text);
	if (s->peer_state == SOOTH_STATE_VALUE) {
		socket_put_peer(&text, s);
		copy_text(known->peer, sizeof(known->peer), &text);
	}
	buffer_fini(&text);
}

/* Notes that a snapshot of the process is complete. */
static void finish_snapshot(struct fd_follow *f, const struct sooth_record *r)
{
	struct process_id id = process_id_of(r);
	struct fd_table *t = map_get(&f->tables, &id);

	if (!t)
		return;
	t->has_fds |= r->kind == FDS_PROCESS;
	t->has_sockets |= r->kind == SOCKETS_PROCESS;
}

static void set_process_name(struct fd_table *t, const char *name, size_t size)
{
	memset(t->name, 0, sizeof(t->name));
	memcpy(t->name, name, size < sizeof(t->name) ? size : sizeof(t->name));
}

static void add_process(struct fd_follow *f, const struct proc_process *p)
{
	struct process_id id = process_id_of(&p->record);
	struct span directory = record_text(&p->record, &p->directory);
	struct span name = record_text(&p->record, &p->name);
	struct fd_table *t = fd_follow_table(f, &id);

	if (t && !*t->name)
		set_process_name(t, name.data, name.size);
	if (!t || t->directory || p->directory_state > SOOTH_STATE_TRUNCATED || !directory.size)
		return;
	free(t->directory);
	t->directory = strndup(directory.data, directory.size);
}

/* --- lives --- */

/* Copies the parent's descriptors for a new child, unless a snapshot already has them. */
static void handle_join(struct fd_follow *f, const struct process_join *join)
{
	struct process_id child = process_id_of(&join->record);
	struct process_id parent = { .start_ticks = join->parent_start_ticks,
		.pid = join->parent_pid };
	struct fd_table *to = fd_follow_table(f, &child);
	const struct fd_table *from = map_get(&f->tables, &parent);

	if (to)
		set_process_name(to, join->name, sizeof(join->name));
	if (!to || !from || to->fds.count || to == from || !from->fds.key_size)
		return;
	if (from->directory && !to->directory)
		to->directory = strdup(from->directory);
	map_for_each (&from->fds, const uint32_t *, key, const struct fd_followed *, known)
		fd_follow_copy(f, to, *key, known, known->closes_on_exec);
}

static void keep_arguments(struct fd_table *t, const struct process_exec *exec)
{
	struct span words;

	free(t->arguments);
	t->arguments = NULL;
	t->arguments_size = 0;
	if (!record_holds(&exec->record, sizeof(*exec)) ||
		exec->arguments_state > SOOTH_STATE_TRUNCATED)
		return;
	words = record_text(&exec->record, &exec->arguments);
	t->arguments_are_cut = exec->arguments_state == SOOTH_STATE_TRUNCATED;
	t->arguments = malloc(words.size + 1);
	if (!t->arguments)
		return;
	memcpy(t->arguments, words.data, words.size);
	t->arguments_size = words.size;
}

static void handle_exec(struct fd_follow *f, const struct process_exec *exec)
{
	struct process_id id = process_id_of(&exec->record);
	struct fd_table *t = map_get(&f->tables, &id);

	if (t) {
		set_process_name(t, exec->name, sizeof(exec->name));
		keep_arguments(t, exec);
	}
	map_for_each (map_while(t && t->fds.key_size, &t->fds), const uint32_t *, key,
		struct fd_followed *, value) {
		uint32_t fd = *key;

		if (value->closes_on_exec)
			forget_fd(f, t, fd);
	}
}

static void handle_leave(struct fd_follow *f, const struct process_leave *leave)
{
	struct process_id id = process_id_of(&leave->record);
	struct fd_table *t = map_get(&f->tables, &id);

	if (!t)
		return;
	free_table(f, t);
	map_remove(&f->tables, &id);
}

void fd_follow_add_state(struct fd_follow *f, const struct sooth_record *r)
{
	const void *known;

	if ((known = record_as(r, FDS_DESCRIPTOR, sizeof(struct fds_descriptor))))
		add_descriptor(f, known);
	else if ((known = record_as(r, SOCKETS_SOCKET, SOCKETS_SOCKET_LEAST)))
		add_socket(f, known);
	else if (r->kind == FDS_PROCESS || r->kind == SOCKETS_PROCESS)
		finish_snapshot(f, r);
	else if ((known = record_as(r, PROC_PROCESS, PROC_PROCESS_LEAST)))
		add_process(f, known);
	else if ((known = record_as(r, PROCESS_JOIN, sizeof(struct process_join))))
		handle_join(f, known);
	else if ((known = record_as(r, PROCESS_EXEC, PROCESS_EXEC_LEAST)))
		handle_exec(f, known);
	else if ((known = record_as(r, PROCESS_LEAVE, sizeof(struct process_leave))))
		handle_leave(f, known);
}

/* --- asking --- */

const struct fd_followed *fd_follow_get(
	const struct fd_follow *f, const struct process_id *process, int64_t fd)
{
	assert(f);

	const struct fd_table *t = map_get(&f->tables, process);
	uint32_t number = (uint32_t)fd;

	if (!t || !t->fds.key_size || fd < 0 || fd > UINT32_MAX)
		return NULL;
	return map_get(&t->fds, &number);
}

void fd_followed_connection(const struct fd_followed *known, char *out, size_t size)
{
	snprintf(out, size, "%s%s%s%s%s", *known->protocol ? known->protocol : "socket",
		*known->local || *known->peer ? " " : "", known->local,
		*known->peer ? FD_FOLLOW_ARROW : "", known->peer);
}

static void put_socket(const struct fd_followed *known, struct buffer *out)
{
	char text[FD_FOLLOW_PROTOCOL + 2 * FD_FOLLOW_ADDRESS + sizeof(" " FD_FOLLOW_ARROW)];

	fd_followed_connection(known, text, sizeof(text));
	buffer_format(out, "%s%s", text, known->is_listening ? " listening" : "");
}

void fd_follow_put(
	const struct fd_follow *f, const struct process_id *process, int64_t fd, struct buffer *out)
{
	const struct fd_followed *known = fd_follow_get(f, process, fd);

	if (known && known->kind == FD_FOLLOWED_SOCKET)
		put_socket(known, out);
	else
		buffer_string(out, known && known->name ? known->name : "?");
}

struct span fd_follow_process(const struct fd_follow *f, const struct process_id *process)
{
	assert(f);

	const struct fd_table *t = map_get(&f->tables, process);

	return t ? span_of(t->name, strnlen(t->name, sizeof(t->name))) : span_of("", 0);
}

bool fd_follow_arguments(
	const struct fd_follow *f, const struct process_id *process, struct span *out)
{
	const struct fd_table *t = map_get(&f->tables, process);

	if (!t || !t->arguments)
		return false;
	*out = span_of(t->arguments, t->arguments_size);
	return true;
}

bool fd_follow_arguments_are_cut(const struct fd_follow *f, const struct process_id *process)
{
	const struct fd_table *t = map_get(&f->tables, process);

	return t && t->arguments_are_cut;
}

struct span fd_follow_directory(const struct fd_follow *f, const struct process_id *process)
{
	const struct fd_table *t = map_get(&f->tables, process);

	return t && t->directory ? span_of_string(t->directory) : span_of("", 0);
}

bool fd_follow_has_moved(const struct fd_follow *f, const struct process_id *process)
{
	const struct fd_table *t = map_get(&f->tables, process);

	return t && t->has_moved;
}

/* Returns whether a path may begin at the descriptor: an open does not show a directory. */
static bool may_be_directory(const struct fd_followed *known)
{
	return known->kind == FD_FOLLOWED_DIRECTORY || known->kind == FD_FOLLOWED_FILE;
}

/* Splits "/proc/self/fd/7/x", which runtimes without openat use, into descriptor 7 and x. Returns
 * false for the link itself, which is another file than its target. */
static bool split_own_fd_path(struct span *path, int64_t *fd)
{
	struct cursor c = cursor_over(path->data, path->size);
	struct span number;
	uint64_t value;

	if (!cursor_skip(&c, "/proc/self/fd/"))
		return false;
	number = cursor_until(&c, '/');
	while (cursor_skip(&c, "/"))
		;
	if (cursor_at_end(&c) || !span_decimal(number, &value) || value > INT32_MAX)
		return false;
	*fd = (int64_t)value;
	*path = span_of((const char *)c.at, cursor_left(&c));
	return true;
}

static struct span name_of_directory(
	const struct fd_follow *f, const struct process_id *process, int64_t fd)
{
	const struct fd_followed *known = fd_follow_get(f, process, fd);

	if (fd == AT_FDCWD_LINUX)
		return fd_follow_directory(f, process);
	return known && known->name && may_be_directory(known) ? span_of_string(known->name)
							       : span_of("", 0);
}

void fd_follow_resolve(const struct fd_follow *f, const struct process_id *process,
	int64_t directory, struct span path, struct buffer *out)
{
	struct span below = path, base;

	if (split_own_fd_path(&below, &directory) && name_of_directory(f, process, directory).size)
		path = below;
	base = name_of_directory(f, process, directory);
	if (base.size > BASE_MAX)
		base.size = 0;
	/* "./x" means x, and "." the directory itself. */
	while (base.size && span_starts(path, "./")) {
		path.data += 2;
		path.size -= 2;
	}
	if (base.size && path.size == 1 && path.data[0] == '.')
		path = span_of("", 0);
	if (base.size && (!path.size || path.data[0] != '/')) {
		buffer_append(out, base.data, base.size);
		if (path.size && base.data[base.size - 1] != '/')
			buffer_char(out, '/');
	}
	buffer_append(out, path.data, path.size);
}
