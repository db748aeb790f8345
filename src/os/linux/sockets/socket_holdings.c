/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sockets of one process. A descriptor of a socket is the link "socket:[INODE]"; its protocol
 * is the extended attribute system.sockprotoname of that file, which shows which tables are worth
 * reading.
 *
 * Cannot be seen: sockets in transit in a message (SCM_RIGHTS), or that only the kernel holds
 * (io_uring).
 */
#include "os/linux/sockets/socket_holdings.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "os/linux/files/procfs.h"
#include "os/linux/sockets/socket_record.h"

#define DESCRIPTORS_MAX 1048576
#define SOCKETS_MAX	65536
#define PREFIX		"socket:["
#define LINK_MAX_	64

#define UNSUPPORTED SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED)

void socket_holdings_init(struct socket_holdings *h)
{
	*h = (struct socket_holdings){ .netlink = -1 };
	map_init(&h->sockets, sizeof(uint64_t), sizeof(struct held_socket), SOCKETS_MAX);
	map_init(&h->names, sizeof(uint64_t), sizeof(struct held_text), SOCKETS_MAX);
}

void socket_holdings_fini(struct socket_holdings *h)
{
	map_fini(&h->sockets);
	map_fini(&h->names);
	buffer_fini(&h->texts);
}

static struct held_text keep_text(struct socket_holdings *h, const void *data, size_t size)
{
	struct held_text t = { (uint32_t)h->texts.size, (uint32_t)size };

	buffer_append(&h->texts, data, size);
	return buffer_failed(&h->texts) ? (struct held_text){ 0 } : t;
}

/* --- by descriptors --- */

/* The inode in a socket's link, 0 when it is another kind of link, or unreadable. */
static uint64_t inode_of(struct socket_holdings *h, int directory, const char *name)
{
	char link[LINK_MAX_];
	ssize_t size = readlinkat(directory, name, link, sizeof(link));
	struct cursor c = cursor_over(link, size > 0 ? (size_t)size : 0);
	uint64_t inode;

	if (size < 0 && (errno == EACCES || errno == EPERM))
		h->has_closed_links = true;
	if (!cursor_skip(&c, PREFIX))
		return 0;
	inode = cursor_decimal(&c);
	return cursor_skip(&c, "]") && cursor_at_end(&c) && !c.failed ? inode : 0;
}

static void find_protocol(struct socket_holdings *h, struct held_socket *s, int directory)
{
	char path[64], value[64];
	ssize_t size;

	snprintf(path, sizeof(path), "/proc/self/fd/%d/%u", directory, s->record.fd);
	size = getxattr(path, "system.sockprotoname", value, sizeof(value));
	if (size > 0 && !value[size - 1])
		size--;
	if (size <= 0) {
		s->record.protocol_state = UNSUPPORTED;
		h->is_all = true;
		return;
	}
	s->protocol = socket_protocol_by_name(span_of(value, (size_t)size));
	if (s->protocol) {
		s->record.family = s->protocol->family;
		h->selected |= 1u << (s->protocol - socket_protocols);
	}
	if (s->protocol && s->protocol->text)
		s->name = keep_text(h, s->protocol->text, strlen(s->protocol->text));
	else if (s->protocol) /* only reported with the socket */
		s->record.protocol_state = UNSUPPORTED;
	else
		s->name = keep_text(h, value, (size_t)size);
}

static void take_descriptor(struct socket_holdings *h, int directory, const char *name)
{
	uint64_t inode = inode_of(h, directory, name);
	struct held_socket *s;
	bool is_new;

	if (!inode)
		return;
	s = map_put(&h->sockets, &inode, &is_new);
	if (!s)
		return; /* already counted there */
	if (is_new) {
		s->record.inode = inode;
		s->record.fd = (uint32_t)strtoul(name, NULL, 10);
		find_protocol(h, s, directory);
	}
	s->record.fd_count++;
}

void socket_holdings_list(struct socket_holdings *h, int process)
{
	int fd = openat(process, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_dir_ DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;
	unsigned count = 0;

	map_clear(&h->sockets);
	map_clear(&h->names);
	h->sockets.refused = 0;
	buffer_reset(&h->texts);
	h->selected = h->refused = 0;
	h->is_all = h->has_closed_links = false;
	memset(h->listened, 0, sizeof(h->listened));
	h->state = SOOTH_STATE_VALUE;
	if (!dir) {
		h->state = procfs_state(errno == ENOENT ? -ESRCH : -errno);
		if (fd >= 0)
			close(fd);
		return;
	}
	while (count < DESCRIPTORS_MAX && (errno = 0, entry = readdir(dir))) {
		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		count++;
		take_descriptor(h, fd, entry->d_name);
	}
	if (h->has_closed_links)
		h->state = SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION);
	else if (count == DESCRIPTORS_MAX || h->sockets.refused)
		h->state = SOOTH_STATE_TRUNCATED;
	else if (errno && !h->sockets.count)
		h->state = procfs_state(errno == ENOENT ? -ESRCH : -errno);
	else if (errno)
		h->state = SOOTH_STATE_TRUNCATED;
}

/* --- by the kernel's data --- */

static uint64_t *ports_of(struct socket_holdings *h, bool is_version_6, uint16_t port)
{
	return &h->listened[is_version_6][port / 64];
}

static void note_listening(struct socket_holdings *h, const struct socket_fact *f)
{
	bool is_inet = f->family == AF_INET || f->family == AF_INET6;

	if (f->state == SOCKETS_LISTEN && is_inet && f->protocol == IPPROTO_TCP)
		*ports_of(h, f->family == AF_INET6, f->local_port) |= 1ull << f->local_port % 64;
}

void socket_holdings_take(void *user, const struct socket_fact *fact)
{
	struct socket_holdings *h = user;
	struct held_socket *s = fact->inode ? map_get(&h->sockets, &fact->inode) : NULL;
	const struct socket_record_way way = { h->is_from_tables, h->needs_detail, h->netlink };
	struct socket_texts texts;

	note_listening(h, fact);
	if (!s)
		return;
	if (s->is_reported && h->is_from_tables) {
		s->is_twice = true; /* it is unknown which of the lines is the kernel's */
		return;
	}
	s->is_reported = true;
	socket_record_fill(&s->record, &texts, fact, &way);
	s->local = keep_text(h, texts.local, texts.local_size);
	s->peer = keep_text(h, texts.peer, texts.peer_size);
	if (texts.protocol && !s->name.size) {
		s->name = keep_text(h, texts.protocol, strlen(texts.protocol));
		s->record.protocol_state = SOOTH_STATE_VALUE;
	}
}

bool socket_holdings_needs_names(struct socket_holdings *h)
{
	size_t position = 0;
	void *value;

	while (map_next(&h->sockets, &position, NULL, &value)) {
		const struct held_socket *s = value;

		if (s->record.peer_inode)
			map_put(&h->names, &s->record.peer_inode, NULL);
	}
	return h->names.count > 0;
}

void socket_holdings_take_name(void *user, const struct socket_fact *fact)
{
	struct socket_holdings *h = user;
	struct held_text *t = fact->inode ? map_get(&h->names, &fact->inode) : NULL;
	struct socket_texts texts;
	struct sockets_socket unused = { 0 };
	const struct socket_record_way way = { .netlink = -1 };

	if (!t)
		return;
	socket_record_fill(&unused, &texts, fact, &way);
	*t = keep_text(h, texts.local, texts.local_size);
}

/* --- records --- */

/* Only its existence is known. */
static void emit_nothing(struct sockets_socket *r, uint8_t state, uint8_t others)
{
	r->state_state = state;
	r->receive_queue_state = r->send_queue_state = others;
	r->rtt_state = r->retransmits_state = r->waiting_state = r->bytes_state = others;
	r->sent_state = r->received_state = others;
	r->local_state = r->peer_state = r->port_state = r->peer_port_state = others;
}

static void name_peer(struct socket_holdings *h, struct held_socket *s)
{
	const struct held_text *t;

	if (!s->record.peer_inode)
		return;
	t = map_get(&h->names, &s->record.peer_inode);
	if (!t || !t->size)
		return;
	s->peer = *t;
	s->record.peer_state = SOOTH_STATE_VALUE;
}

static bool is_still_there(struct socket_holdings *h, int process, const struct held_socket *s)
{
	char name[32];

	snprintf(name, sizeof(name), "fd/%u", s->record.fd);
	return inode_of(h, process, name) == s->record.inode;
}

static bool is_requested(const struct socket_holdings *h, const struct held_socket *s)
{
	return s->protocol && (s->protocol->request.family || s->protocol->table) &&
	       !(h->refused & 1u << (s->protocol - socket_protocols));
}

static void find_side(struct socket_holdings *h, struct held_socket *s)
{
	struct sockets_socket *r = &s->record;
	bool is_tcp = s->protocol && s->protocol->request.protocol == IPPROTO_TCP;
	bool is_connection = r->state_state == SOOTH_STATE_VALUE && r->state != SOCKETS_LISTEN &&
			     r->state != SOCKETS_CLOSE;
	uint64_t ports = *ports_of(h, r->family == SOCKETS_INET6, r->local_port);

	if (is_tcp && is_connection)
		r->side =
			ports >> r->local_port % 64 & 1 ? SOCKETS_SIDE_ACCEPTED : SOCKETS_SIDE_MADE;
}

void socket_holdings_resolve(struct socket_holdings *h, int process)
{
	size_t position = 0;
	void *value;

	while (map_next(&h->sockets, &position, NULL, &value)) {
		struct held_socket *s = value;

		name_peer(h, s);
		if (s->is_twice) {
			emit_nothing(&s->record, SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED),
				SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED));
		} else if (!s->is_reported) {
			s->is_gone = !is_still_there(h, process, s);
			emit_nothing(&s->record,
				is_requested(h, s) ? SOOTH_STATE_ABSENT : UNSUPPORTED, UNSUPPORTED);
		} else {
			find_side(h, s);
		}
	}
}

static struct record_tail tail_of(
	const struct socket_holdings *h, struct sooth_text *text, struct held_text t)
{
	return (struct record_tail){ text, h->texts.data + t.at, t.size };
}

uint32_t socket_holdings_write(
	struct socket_holdings *h, struct buffer *out, const struct sockets_socket *template)
{
	uint32_t written = 0;
	size_t position = 0;
	void *value;

	while (map_next(&h->sockets, &position, NULL, &value)) {
		struct held_socket *s = value;
		struct sockets_socket *r = &s->record;
		struct record_tail tail[] = {
			tail_of(h, &r->protocol, s->name),
			tail_of(h, &r->local, s->local),
			tail_of(h, &r->peer, s->peer),
		};

		if (s->is_gone)
			continue;
		r->record = template->record;
		r->namespace = template->namespace;
		r->namespace_state = template->namespace_state;
		RECORD_APPEND(out, r, tail, ARRAY_SIZE(tail));
		written++;
	}
	return written;
}
