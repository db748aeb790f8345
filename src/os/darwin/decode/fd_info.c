/* SPDX-License-Identifier: BSD-2-Clause */
/* Decodes descriptors of a process. */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "os/bsd/bytes.h"
#include "os/bsd/socket_address.h"
#include "os/darwin/decode/proc_info.h"

#define UNSUPPORTED SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED)

/* struct proc_fileinfo, at the beginning of each answer. */
#define VNODE_FD(name, member, offset) AT_##name = offset,
enum file_at {
#include "os/darwin/decode/layouts.def"
};

#define FLAG_READ	 1
#define FLAG_WRITE	 2
#define FLAG_APPEND	 8 /* O_APPEND */
#define STATUS_CLOSES	 2 /* PROC_FP_CLEXEC */
#define PATH_SIZE	 1024
#define MODE_FORMAT	 0170000
#define MODE_FIFO	 0010000
#define MODE_CHARACTER	 0020000
#define MODE_DIRECTORY	 0040000
#define MODE_BLOCK	 0060000
#define MODE_REGULAR	 0100000
#define MODE_SOCKET	 0140000
#define NODE_MAJOR_SHIFT 24
#define NODE_MINOR_MASK	 0xffffff

static struct bsd_descriptor descriptor_of(const struct bsd_bytes *b)
{
	uint32_t flags = bsd_u32(b, AT_OPEN_FLAGS);
	bool reads = flags & FLAG_READ, writes = flags & FLAG_WRITE;
	struct bsd_descriptor d = { .appends = flags & FLAG_APPEND,
		.file = {
			.flags = flags,
			.offset = bsd_u64(b, AT_POSITION),
			.closes_on_exec = (bsd_u32(b, AT_FD_STATUS) & STATUS_CLOSES) != 0,
			.node_state = SOOTH_STATE_ABSENT,
			.size_state = SOOTH_STATE_ABSENT,
			.path_state = SOOTH_STATE_ABSENT,
			.detail_state = SOOTH_STATE_ABSENT,
		} };

	d.file.access = reads && writes ? FDS_ACCESS_BOTH
			: reads		? FDS_ACCESS_READ
			: writes	? FDS_ACCESS_WRITE
					: FDS_ACCESS_NONE;
	return d;
}

bool fd_decode(int32_t *fd, uint32_t *kind, const void *data, size_t size)
{
	const struct bsd_bytes b = { data, size };

	if (size < FDINFO_SIZE)
		return false;
	*fd = bsd_i32(&b, 0);
	*kind = bsd_u32(&b, 4);
	return true;
}

static uint8_t vnode_type(uint16_t mode, uint16_t links, struct span path)
{
	switch (mode & MODE_FORMAT) {
	case MODE_FIFO:
		return FDS_FIFO;
	case MODE_DIRECTORY:
		return FDS_DIRECTORY;
	case MODE_REGULAR:
		return links ? FDS_FILE : FDS_DELETED;
	case MODE_SOCKET:
		return FDS_UNIX;
	case MODE_BLOCK:
		return FDS_DEVICE;
	case MODE_CHARACTER:
		if (span_starts(path, "/dev/ptmx"))
			return FDS_PTY;
		return span_starts(path, "/dev/tty") || span_equal(path, "/dev/console")
			       ? FDS_TTY
			       : FDS_DEVICE;
	default:
		return FDS_UNKNOWN;
	}
}

bool vnode_fd_decode(struct bsd_descriptor *out, const void *data, size_t size)
{
	const struct bsd_bytes b = { data, size };
	uint32_t node = bsd_u32(&b, AT_NODE);

	if (size < VNODE_FD_SIZE)
		return false;
	*out = descriptor_of(&b);
	out->path = bsd_string(&b, AT_PATH, PATH_SIZE);
	out->file.type = vnode_type(bsd_u16(&b, AT_MODE), bsd_u16(&b, AT_LINKS), out->path);
	out->file.is_deleted = out->file.type == FDS_DELETED;
	out->file.inode = bsd_u64(&b, AT_INODE);
	out->file.device_minor = bsd_u32(&b, AT_DEVICE);
	out->file.path_state = out->path.size ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT;
	if (out->file.type == FDS_FILE || out->file.type == FDS_DELETED) {
		out->file.size_state = SOOTH_STATE_VALUE;
		out->file.size_bytes = bsd_u64(&b, AT_SIZE);
	}
	if (out->file.type == FDS_DEVICE || out->file.type == FDS_TTY ||
		out->file.type == FDS_PTY) {
		out->file.node_state = SOOTH_STATE_VALUE;
		out->file.node_major = node >> NODE_MAJOR_SHIFT;
		out->file.node_minor = node & NODE_MINOR_MASK;
	}
	return true;
}

/* --- sockets --- */

#define SOCKET_FD(name, member, offset) AT_##name = offset,
enum socket_at {
#include "os/darwin/decode/layouts.def"
};

#define UNIX_ADDRESS_SIZE 255
#define VERSION_4	  1
#define ADDRESS6_SIZE	  16
#define ADDRESS4_OFFSET	  12 /* in the room of an IPv6 address */

enum socket_kind { KIND_GENERIC, KIND_INTERNET, KIND_TCP, KIND_UNIX };

/* TSI_S_*, in the order of their numbers. */
static const uint8_t tcp_states[] = { SOCKETS_CLOSE, SOCKETS_LISTEN, SOCKETS_SYN_SENT,
	SOCKETS_SYN_RECV, SOCKETS_ESTABLISHED, SOCKETS_CLOSE_WAIT, SOCKETS_FIN_WAIT_1,
	SOCKETS_CLOSING, SOCKETS_LAST_ACK, SOCKETS_FIN_WAIT_2, SOCKETS_TIME_WAIT };

/* Returns the port at an offset, which is in network byte order. */
static uint16_t port_at(const struct bsd_bytes *b, size_t at)
{
	return (uint16_t)(bsd_u8(b, at) << 8 | bsd_u8(b, at + 1));
}

static void internet_end(char *address, uint16_t *port, uint8_t *state, uint8_t *port_state,
	const struct bsd_bytes *b, size_t address_at, size_t port_at_)
{
	bool is_4 = bsd_u8(b, AT_VERSION) & VERSION_4;

	*port = port_at(b, port_at_);
	bsd_internet_address(address, b->data + address_at + (is_4 ? ADDRESS4_OFFSET : 0),
		is_4 ? 4 : ADDRESS6_SIZE);
	if (!*port && (!strcmp(address, "0.0.0.0") || !strcmp(address, "::")))
		*state = *port_state = SOOTH_STATE_ABSENT;
}

static void decode_internet(struct bsd_descriptor *d, const struct bsd_bytes *b, bool is_tcp)
{
	struct sockets_socket *s = &d->socket;
	uint32_t state = bsd_u32(b, AT_TCP_STATE);

	s->family = bsd_u8(b, AT_VERSION) & VERSION_4 ? SOCKETS_INET : SOCKETS_INET6;
	internet_end(d->local, &s->local_port, &s->local_state, &s->port_state, b, AT_LOCAL,
		AT_LOCAL_PORT);
	internet_end(d->remote, &s->peer_port, &s->peer_state, &s->peer_port_state, b, AT_FOREIGN,
		AT_FOREIGN_PORT);
	d->file.type = is_tcp ? FDS_TCP : FDS_UDP;
	snprintf(d->protocol, sizeof(d->protocol), "%s", is_tcp ? "tcp" : "udp");
	if (is_tcp && state < ARRAY_SIZE(tcp_states))
		s->state = tcp_states[state];
	else
		s->state = s->peer_state ? SOCKETS_CLOSE : SOCKETS_ESTABLISHED;
}

static void decode_unix(struct bsd_descriptor *d, const struct bsd_bytes *b)
{
	struct sockets_socket *s = &d->socket;
	uint16_t none;

	s->family = SOCKETS_UNIX;
	d->file.type = FDS_UNIX;
	d->peer = s->peer_inode = bsd_u64(b, AT_UNIX_PEER);
	bsd_socket_address(d->local, &none, b->data + AT_UNIX_LOCAL, UNIX_ADDRESS_SIZE);
	bsd_socket_address(d->remote, &none, b->data + AT_UNIX_REMOTE, UNIX_ADDRESS_SIZE);
	s->port_state = s->peer_port_state = SOOTH_STATE_ABSENT;
	s->local_state = d->local[0] ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT;
	s->peer_state = d->remote[0] ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT;
	s->state = d->peer ? SOCKETS_ESTABLISHED : SOCKETS_CLOSE;
	snprintf(d->protocol, sizeof(d->protocol), "%s",
		bsd_u32(b, AT_TYPE) == 1 ? "stream" : "dgram");
}

bool socket_fd_decode(struct bsd_descriptor *out, const void *data, size_t size)
{
	const struct bsd_bytes b = { data, size };
	uint32_t kind = bsd_u32(&b, AT_KIND);
	struct sockets_socket *s = &out->socket;

	if (size < SOCKET_FD_SIZE)
		return false;
	*out = descriptor_of(&b);
	out->is_socket = true;
	out->own = bsd_u64(&b, AT_SOCKET);
	s->inode = out->file.inode = out->own;
	s->receive_queue_bytes = bsd_u32(&b, AT_RECEIVE);
	s->send_queue_bytes = bsd_u32(&b, AT_SEND);
	s->rtt_state = s->retransmits_state = s->waiting_state = s->bytes_state = s->sent_state =
		s->received_state = s->namespace_state = s->dropped_state = UNSUPPORTED;
	out->file.type = FDS_SOCKET;
	snprintf(out->protocol, sizeof(out->protocol), "other");
	if (kind == KIND_INTERNET || kind == KIND_TCP) {
		decode_internet(out, &b, kind == KIND_TCP);
	} else if (kind == KIND_UNIX) {
		decode_unix(out, &b);
	} else {
		s->local_state = s->peer_state = s->port_state = s->peer_port_state =
			SOOTH_STATE_ABSENT;
		s->state = SOCKETS_CLOSE;
	}
	memcpy(out->detail, out->protocol, sizeof(out->protocol));
	out->file.detail_state = SOOTH_STATE_VALUE;
	return true;
}

/* --- the rest --- */

#define PIPE_FD(name, member, offset) AT_##name = offset,
enum pipe_at {
#include "os/darwin/decode/layouts.def"
};

bool pipe_fd_decode(struct bsd_descriptor *out, const void *data, size_t size)
{
	const struct bsd_bytes b = { data, size };

	if (size < PIPE_FD_SIZE)
		return false;
	*out = descriptor_of(&b);
	out->file.type = FDS_PIPE;
	out->own = bsd_u64(&b, AT_HANDLE);
	out->peer = bsd_u64(&b, AT_PEER_HANDLE);
	/* Both ends get the same number, like the inode of a pipe on Linux. */
	out->file.inode = out->peer && out->peer < out->own ? out->peer : out->own;
	snprintf(out->detail, sizeof(out->detail), "%llu bytes unread",
		(unsigned long long)bsd_u64(&b, AT_PIPE_BYTES));
	out->file.detail_state = SOOTH_STATE_VALUE;
	return true;
}

void other_fd(struct bsd_descriptor *out, uint32_t kind)
{
	static const struct {
		uint8_t type;
		const char *name;
	} kinds[] = {
		[FD_SHARED_MEMORY] = { FDS_MEMFD, "shared memory" },
		[FD_SEMAPHORE] = { FDS_ANONYMOUS, "semaphore" },
		[FD_KQUEUE] = { FDS_EPOLL, "kqueue" },
		[FD_FSEVENTS] = { FDS_INOTIFY, "file system events" },
	};
	const struct bsd_bytes none = { NULL, 0 };

	*out = descriptor_of(&none);
	out->file.flags_state = out->file.inode_state = UNSUPPORTED;
	if (kind >= ARRAY_SIZE(kinds) || !kinds[kind].name)
		return;
	out->file.type = kinds[kind].type;
	snprintf(out->detail, sizeof(out->detail), "%s", kinds[kind].name);
	out->file.detail_state = SOOTH_STATE_VALUE;
}
