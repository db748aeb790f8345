/* SPDX-License-Identifier: BSD-2-Clause */
/* Tables of descriptors that join several records: descriptors with their other ends, and epoll
 * members. */
#include "analyze/fds/fd_emit_ends.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/fds/fd_sums.h"
#include "analyze/sockets/socket_text.h"
#include "base/cleanup.h"
#include "probes/fd_names.h"
#include "probes/fds.h"
#include "probes/sockets.h"

/* --- fields --- */

static const double percent_levels[SOOTH_FIELD_LEVELS] = { 50, 75, 90 };

ROW_SCHEMA(fd_type, FD_TYPE_ROW, "fds.by_type", fd_type_row);
ROW_SCHEMA(fd, FD_ROW, "fds.fds", fd_row);
ROW_SCHEMA(fd_path, FD_PATH_ROW, "fds.fd_paths", fd_path_row);
ROW_SCHEMA(fd_holder, FD_HOLDER_ROW, "fds.fd_holders", fd_holder_row);
ROW_SCHEMA(fd_member, FD_MEMBER_ROW, "fds.epoll", fd_member_row);
ROW_SCHEMA(fd_directory, FD_DIRECTORY_ROW, "fds.watch_directories", fd_directory_row);
ROW_SCHEMA(fd_watch, FD_WATCH_ROW, "fds.watches", fd_watch_row);
ROW_SCHEMA(fd_limits, FD_LIMITS_ROW, "fds.fd_limits", fd_limits_row);

/* --- masks as words --- */

/* Names of Linux flag values (open(2), epoll_ctl(2), inotify(7)). The values are spelled out
 * because a capture may be read on another system. */

#define ACCESS_MASK 3u

struct word {
	uint32_t bits;
	const char *text;
};

/* A name for several bits comes before names for some of them. */
static const struct word flags_everywhere[] = {
	{ 04010000, "sync" },
	{ 010000, "dsync" },
	{ 02000, "append" },
	{ 04000, "nonblock" },
	{ 020000, "async" },
	{ 01000000, "noatime" },
	{ 02000000, "cloexec" },
	{ 010000000, "path" },
	{ 0 },
};

static const struct word flags_most[] = {
	{ 020200000, "tmpfile" },
	{ 040000, "direct" },
	{ 0200000, "directory" },
	{ 0400000, "nofollow" },
	{ 0 },
};

static const struct word flags_aarch64[] = {
	{ 020040000, "tmpfile" },
	{ 0200000, "direct" },
	{ 040000, "directory" },
	{ 0100000, "nofollow" },
	{ 0 },
};

static const struct word epoll_events[] = {
	{ 0x1, "in" },
	{ 0x2, "pri" },
	{ 0x4, "out" },
	{ 0x8, "err" },
	{ 0x10, "hup" },
	{ 0x40, "rdnorm" },
	{ 0x80, "rdband" },
	{ 0x100, "wrnorm" },
	{ 0x200, "wrband" },
	{ 0x2000, "rdhup" },
	{ 1u << 28, "exclusive" },
	{ 1u << 29, "wakeup" },
	{ 1u << 30, "oneshot" },
	{ 1u << 31, "edge" },
	{ 0 },
};

static const struct word inotify_events[] = {
	{ 0xfff, "all" },
	{ 0x1, "access" },
	{ 0x2, "modify" },
	{ 0x4, "attrib" },
	{ 0x18, "close" },
	{ 0x8, "close_write" },
	{ 0x10, "close_nowrite" },
	{ 0x20, "open" },
	{ 0xc0, "move" },
	{ 0x40, "moved_from" },
	{ 0x80, "moved_to" },
	{ 0x100, "create" },
	{ 0x200, "delete" },
	{ 0x400, "delete_self" },
	{ 0x800, "move_self" },
	{ 0x2000, "unmount" },
	{ 0x4000, "overflow" },
	{ 0x8000, "ignored" },
	{ 0x04000000, "excl_unlink" },
	{ 0x80000000, "oneshot" },
	{ 0 },
};

static uint32_t emit_known_bits(struct buffer *out, const struct word *words, uint32_t bits)
{
	for (; words->bits; words++) {
		if ((bits & words->bits) != words->bits)
			continue;
		if (out->size)
			buffer_char(out, ' ');
		buffer_string(out, words->text);
		bits &= ~words->bits;
	}
	return bits;
}

static void emit_unknown_bits(struct buffer *out, uint32_t bits)
{
	if (bits)
		buffer_format(out, "%s0x%x", out->size ? " " : "", bits);
}

/* Writes the O_* names except the access mode; bits without a name as a number. */
static void fd_flag_words(struct buffer *out, uint32_t flags, bool is_aarch64)
{
	/* O_LARGEFILE says nothing: 64-bit programs always have it. */
	flags &= ~(is_aarch64 ? 0400000u : 0100000u);
	buffer_reset(out);
	flags = emit_known_bits(out, flags_everywhere, flags & ~ACCESS_MASK);
	emit_unknown_bits(
		out, emit_known_bits(out, is_aarch64 ? flags_aarch64 : flags_most, flags));
}

static void fd_epoll_words(struct buffer *out, uint32_t events)
{
	buffer_reset(out);
	emit_unknown_bits(out, emit_known_bits(out, epoll_events, events));
}

void fd_inotify_words(struct buffer *out, uint32_t mask)
{
	buffer_reset(out);
	emit_unknown_bits(out, emit_known_bits(out, inotify_events, mask));
}

/* --- descriptors with their other ends --- */

#define ENDS_SHOWN 3

/* The joined records of one process: pointers, sorted. */
struct joined {
	struct buffer holders;	   /* const struct fds_holder *, by inode */
	struct buffer descriptors; /* const struct fds_descriptor *, by number */
	struct buffer sockets;	   /* const struct sockets_socket *, by inode */
	struct buffer words, ends, detail;
	uint8_t sockets_state; /* why sockets were not measured, if not */
};

static int compare_by_inode(const void *a, const void *b)
{
	const struct fds_holder *x = *(const struct fds_holder *const *)a;
	const struct fds_holder *y = *(const struct fds_holder *const *)b;

	if (x->inode != y->inode)
		return x->inode < y->inode ? -1 : 1;
	if (x->holder_pid != y->holder_pid)
		return x->holder_pid < y->holder_pid ? -1 : 1;
	return (x->holder_fd > y->holder_fd) - (x->holder_fd < y->holder_fd);
}

static int compare_by_number(const void *a, const void *b)
{
	const struct fds_descriptor *x = *(const struct fds_descriptor *const *)a;
	const struct fds_descriptor *y = *(const struct fds_descriptor *const *)b;

	return (x->fd > y->fd) - (x->fd < y->fd);
}

static void sort_fd_records(struct joined *j, const struct snapshot *snapshot)
{
	struct batch records = snapshot_records(snapshot);

	buffer_reset(&j->holders);
	buffer_reset(&j->descriptors);
	batch_for_each (r, &records) {
		if (record_as(r, FDS_HOLDER, sizeof(struct fds_holder)))
			buffer_append(&j->holders, &r, sizeof(r));
		else if (record_as(r, FDS_DESCRIPTOR, sizeof(struct fds_descriptor)))
			buffer_append(&j->descriptors, &r, sizeof(r));
	}
	if (j->holders.size)
		qsort(j->holders.data, j->holders.size / sizeof(void *), sizeof(void *),
			compare_by_inode);
	if (j->descriptors.size)
		qsort(j->descriptors.data, j->descriptors.size / sizeof(void *), sizeof(void *),
			compare_by_number);
}

static void joined_fini(struct joined *j)
{
	buffer_fini(&j->holders);
	buffer_fini(&j->descriptors);
	buffer_fini(&j->sockets);
	buffer_fini(&j->words);
	buffer_fini(&j->ends);
	buffer_fini(&j->detail);
}

static const struct fds_holder *const *holders_of(
	const struct joined *j, uint64_t inode, size_t *count)
{
	const struct fds_holder *const *all = (const void *)j->holders.data;
	size_t size = j->holders.size / sizeof(*all), low = 0, high = size, end;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (all[middle]->inode < inode)
			low = middle + 1;
		else
			high = middle;
	}
	for (end = low; end < size && all[end]->inode == inode;)
		end++;
	*count = end - low;
	return *count ? all + low : NULL;
}

/* --- other ends --- */

static bool is_socket(uint8_t type)
{
	return type == FDS_UNIX || type == FDS_TCP || type == FDS_UDP || type == FDS_NETLINK ||
	       type == FDS_PACKET || type == FDS_SOCKET;
}

static int compare_by_socket(const void *a, const void *b)
{
	const struct sockets_socket *x = *(const struct sockets_socket *const *)a;
	const struct sockets_socket *y = *(const struct sockets_socket *const *)b;

	return (x->inode > y->inode) - (x->inode < y->inode);
}

static void join_sockets(struct joined *j, const struct snapshot *sockets)
{
	struct batch records = sockets ? snapshot_records(sockets) : (struct batch){ 0 };
	const struct sockets_process *end = sockets ? snapshot_end(sockets, sizeof(*end)) : NULL;

	j->sockets_state = end ? end->sockets_state : SOOTH_STATE_ABSENT;
	batch_for_each (r, &records) {
		if (record_as(r, SOCKETS_SOCKET, SOCKETS_SOCKET_LEAST))
			buffer_append(&j->sockets, &r, sizeof(r));
	}
	if (j->sockets.size)
		qsort(j->sockets.data, j->sockets.size / sizeof(void *), sizeof(void *),
			compare_by_socket);
}

/* Returns the socket of a descriptor; NULL: unknown, or no socket. */
static const struct sockets_socket *socket_of(
	const struct joined *j, const struct fds_descriptor *d)
{
	struct sockets_socket wanted = { .inode = d->inode };
	const struct sockets_socket *key = &wanted, *const * found;

	if (!is_socket(d->type) || d->inode_state || !j->sockets.size)
		return NULL;
	found = bsearch(&key, j->sockets.data, j->sockets.size / sizeof(key), sizeof(key),
		compare_by_socket);
	return found ? *found : NULL;
}

/* Writes "TCP 127.0.0.1:43628->127.0.0.1:8077 (ESTABLISHED)" for the socket of a descriptor. */
static uint8_t add_address(
	struct joined *j, const struct fds_descriptor *d, const struct sockets_socket *socket)
{
	struct span protocol = record_text(&d->record, &d->detail);
	const char *state = socket ? socket_state_text(socket->state, socket->state_state) : "";

	buffer_reset(&j->detail);
	buffer_append(&j->detail, protocol.data, protocol.size);
	/* The kernel's tables lack sockets that are neither bound nor connected. */
	if (socket && socket->state_state == SOOTH_STATE_ABSENT)
		return d->detail_state;
	if (!socket || socket->local_state > SOOTH_STATE_TRUNCATED) {
		uint8_t why = socket ? socket->local_state : j->sockets_state;

		if (why > SOOTH_STATE_TRUNCATED)
			buffer_format(&j->detail, "%saddress not measured: %s",
				protocol.size ? ", " : "",
				sooth_reason_text((enum sooth_reason)(why >> 4)));
		return j->detail.size ? SOOTH_STATE_VALUE : d->detail_state;
	}
	if (protocol.size && socket->local_state == SOOTH_STATE_VALUE)
		buffer_char(&j->detail, ' ');
	socket_put_local(&j->detail, socket);
	if (socket->peer_state == SOOTH_STATE_VALUE) {
		buffer_string(&j->detail, "->");
		socket_put_peer(&j->detail, socket);
	}
	if (*state)
		buffer_format(&j->detail, " (%s)", state);
	return j->detail.size ? SOOTH_STATE_VALUE : d->detail_state;
}

/* Returns whether the descriptor has one other end: a listening socket has none. */
static bool has_other_end(const struct joined *j, const struct fds_descriptor *d)
{
	const struct sockets_socket *socket = socket_of(j, d);

	if (d->type == FDS_PIPE || d->type == FDS_FIFO)
		return true;
	if (d->type != FDS_UNIX && d->type != FDS_TCP)
		return false;
	return !socket || socket->state_state || socket->state != SOCKETS_LISTEN;
}

/* Returns whether the holder is opposite: a writer for a reader, a reader for a writer. */
static bool is_opposite(const struct fds_descriptor *d, const struct fds_holder *h)
{
	return (d->type != FDS_PIPE && d->type != FDS_FIFO) || d->access == FDS_ACCESS_BOTH ||
	       h->access == FDS_ACCESS_BOTH || d->access != h->access;
}

static void emit_holder(struct buffer *out, const struct fds_holder *h)
{
	buffer_format(out, "%s%u/%.*s:%u %s", out->size ? ", " : "", h->holder_pid,
		(int)sizeof(h->holder_name), h->holder_name, h->holder_fd,
		h->access < FDS_ACCESSES ? fd_access_names.names[h->access] : "?");
}

static bool is_same_descriptor(const struct fds_descriptor *d, const struct fds_holder *h)
{
	return h->held_inode == d->inode && h->holder_pid == d->record.pid &&
	       h->holder_start_ticks == d->record.start_ticks && h->holder_fd == d->fd;
}

/* Writes the first few other ends, and how many more; returns the total. fd_holders also has the
 * processes that share this end. */
static size_t emit_ends(struct joined *j, const struct fds_descriptor *d)
{
	size_t count, others = 0;
	const struct fds_holder *const *all = holders_of(j, d->inode, &count);

	buffer_reset(&j->ends);
	for (size_t i = 0; i < count; i++) {
		if (is_same_descriptor(d, all[i]) || !is_opposite(d, all[i]))
			continue;
		if (others++ < ENDS_SHOWN)
			emit_holder(&j->ends, all[i]);
	}
	if (others > ENDS_SHOWN)
		buffer_format(&j->ends, ", +%zu", others - ENDS_SHOWN);
	return others;
}

static uint8_t exit_reasons_state(
	struct joined *j, const struct fds_descriptor *d, const struct fds_process *end)
{
	uint8_t state = end ? end->holders_state : SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED);

	buffer_reset(&j->ends);
	if (!has_other_end(j, d))
		return SOOTH_STATE_ABSENT;
	if (state == SOOTH_NOT_MEASURED(SOOTH_REASON_NOT_REQUESTED) || d->inode_state)
		return SOOTH_NOT_MEASURED(SOOTH_REASON_NOT_REQUESTED);
	if (emit_ends(j, d))
		return SOOTH_STATE_VALUE;
	/* A truncated search may have missed the other end. */
	if (state == SOOTH_STATE_TRUNCATED)
		return SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED);
	if (state)
		return state;
	/* A socket may be connected to another host or to nothing; for a pipe it means closed. */
	if (d->type != FDS_PIPE && d->type != FDS_FIFO)
		return SOOTH_STATE_ABSENT;
	buffer_string(&j->ends, "none");
	return SOOTH_STATE_VALUE;
}

static const struct section descriptor_section =
	SECTION_OF("fds", fd_schema, TABLE, .title = "descriptors",
		.columns = "pid,fd,kind,access,position,flags,inode,path,detail,other_end");

static int emit_descriptor(struct fds_view *s, struct joined *j, const struct fds_descriptor *d,
	const struct fds_process *end, struct sooth_error *err)
{
	struct fd_row row = { .record = d->record,
		.inode = d->inode,
		.offset = d->offset,
		.size_bytes = d->size_bytes,
		.fd = d->fd,
		.flags_mask = d->flags,
		.mount = d->mount,
		.device_major = d->device_major,
		.device_minor = d->device_minor,
		.node_major = d->node_major,
		.node_minor = d->node_minor,
		.type = d->type,
		.access = d->access,
		.is_deleted = d->is_deleted,
		.closes_on_exec = d->closes_on_exec,
		.inode_state = d->inode_state,
		.flags_state = d->flags_state,
		.size_state = d->size_state,
		.node_state = d->node_state,
		.path_state = d->path_state,
		.detail_state = d->detail_state,
		.deleted_state = d->deleted_state,
		.other_state = exit_reasons_state(j, d, end) };
	struct record_tail tail[4];

	buffer_reset(&j->detail);
	if (is_socket(d->type))
		row.detail_state = add_address(j, d, socket_of(j, d));
	fd_flag_words(&j->words, d->flags, s->is_aarch64);
	tail[0] = tail_buffer(&row.flags, &j->words);
	tail[1] = tail_text(&row.path, &d->record, &d->path);
	tail[2] = is_socket(d->type) ? tail_buffer(&row.detail, &j->detail)
				     : tail_text(&row.detail, &d->record, &d->detail);
	tail[3] = tail_buffer(&row.other_end, &j->ends);
	return OUTPUT_ROW(s->view.output, &row, tail, ARRAY_SIZE(tail), err);
}

static int emit_descriptors(void *state, const struct snapshot *snapshot, struct sooth_error *err)
{
	const struct fds_process *end = snapshot_end(snapshot, sizeof(*end));
	const struct fds_descriptor *const *all;
	struct fds_view *s = state;
	struct joined j = { 0 };
	int status = 0;

	sort_fd_records(&j, snapshot);
	join_sockets(&j, snapshots_get(&s->sockets, &snapshot->id));
	all = (const void *)j.descriptors.data;
	for (size_t i = 0; i < j.descriptors.size / sizeof(*all) && !status; i++)
		status = emit_descriptor(state, &j, all[i], end, err);
	joined_fini(&j);
	return status;
}

int fd_emit_descriptors(struct fds_view *s, struct sooth_error *err)
{
	return process_view_emit(&s->view, &descriptor_section, emit_descriptors, err);
}

static const struct section holder_section = {
	.name = "fd_holders",
	.title = "processes that hold the other ends of pipes and sockets",
	.schema = &fd_holder_schema,
	.shape = SECTION_TABLE,
	.rows_least = SIZE_MAX, /* in text they are shown beside the descriptors */
};

static int emit_holders(void *state, const struct snapshot *snapshot, struct sooth_error *err)
{
	struct batch records = snapshot_records(snapshot);
	struct fds_view *s = state;
	int status = 0;

	batch_for_each (r, &records) {
		const struct fds_holder *h = record_as(r, FDS_HOLDER, sizeof(*h));
		struct fd_holder_row row;

		if (!h || status)
			continue;
		row = (struct fd_holder_row){ .record = h->record,
			.inode = h->inode,
			.holder_pid = h->holder_pid,
			.holder_fd = h->holder_fd,
			.access = h->access };
		memcpy(row.holder_name, h->holder_name, sizeof(row.holder_name));
		status = OUTPUT_ROW(s->view.output, &row, NULL, 0, err);
	}
	return status;
}

int fd_emit_holders(struct fds_view *s, struct sooth_error *err)
{
	return process_view_emit(&s->view, &holder_section, emit_holders, err);
}

/* --- epoll --- */

static const struct section member_section =
	SECTION_OF("epoll", fd_member_schema, TABLE, .title = "epoll members",
		.columns = "pid,epoll_fd,fd,events,path", .rows_least = 1, .rows_most = 20);

static const struct fds_descriptor *descriptor_of(const struct joined *j, uint32_t fd)
{
	const struct fds_descriptor key = { .fd = fd }, *searched = &key;
	const void *const *found = j->descriptors.size
					   ? bsearch(&searched, j->descriptors.data,
						     j->descriptors.size / sizeof(void *),
						     sizeof(void *), compare_by_number)
					   : NULL;

	return found ? *found : NULL;
}

static int emit_member(
	struct fds_view *s, struct joined *j, const struct fds_member *m, struct sooth_error *err)
{
	const struct fds_descriptor *d = descriptor_of(j, m->fd);
	bool is_same = d && m->inode && d->inode == m->inode && !d->inode_state;
	struct span path = is_same ? record_text(&d->record, &d->path) : span_of("", 0);
	struct fd_member_row row = { .record = m->record,
		.inode = m->inode,
		.inode_state =
			m->inode ? SOOTH_STATE_VALUE : SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED),
		.epoll = m->epoll,
		.fd = m->fd,
		.mask = m->events,
		.path_state = is_same ? d->path_state : SOOTH_STATE_ABSENT };
	struct record_tail tail[2];

	fd_epoll_words(&j->words, m->events);
	tail[0] = tail_buffer(&row.events, &j->words);
	tail[1] = tail_span(&row.path, path);
	return OUTPUT_ROW(s->view.output, &row, tail, ARRAY_SIZE(tail), err);
}

static int emit_members(void *state, const struct snapshot *snapshot, struct sooth_error *err)
{
	struct batch records = snapshot_records(snapshot);
	struct joined j = { 0 };
	int status = 0;

	sort_fd_records(&j, snapshot);
	batch_for_each (r, &records) {
		const struct fds_member *m = record_as(r, FDS_MEMBER, sizeof(*m));

		if (m && !status)
			status = emit_member(state, &j, m, err);
	}
	joined_fini(&j);
	return status;
}

int fd_emit_members(struct fds_view *s, struct sooth_error *err)
{
	return process_view_emit(&s->view, &member_section, emit_members, err);
}
