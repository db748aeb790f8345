/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/freebsd/decode/kinfo_file.h"
#include "os/freebsd/decode/kinfo_list.h"

#include <stdio.h>

#include "base/cleanup.h"

#include "os/bsd/bytes.h"
#include "os/bsd/socket_address.h"

#define FIXED_SIZE   368 /* the path begins there */
#define PATH_MAX_    1024
#define ADDRESS_SIZE 128

#define KINFO_FILE(name, member, offset) AT_##name = offset,
enum kinfo_file_at {
#include "os/freebsd/decode/layouts.def"
};

#define FILE_NUMBER(name, theirs, value) name = value,
enum kinfo_file_number {
#include "os/freebsd/decode/layouts.def"
};

#define SOCK_STREAM_	1
#define SOCK_DGRAM_	2
#define SOCK_RAW_	3
#define SOCK_SEQPACKET_ 5
#define IPPROTO_TCP_	6
#define IPPROTO_UDP_	17
#define AF_NETLINK_	38

static const struct {
	uint8_t type;
	const char *name; /* name of a kind of descriptor without its own type */
} other_types[] = {
	[TYPE_KQUEUE] = { FDS_EPOLL, "kqueue" },
	[TYPE_MQUEUE] = { FDS_ANONYMOUS, "message queue" },
	[TYPE_SHM] = { FDS_MEMFD, "shared memory" },
	[TYPE_SEM] = { FDS_ANONYMOUS, "semaphore" },
	[TYPE_PTS] = { FDS_PTY, NULL },
	[TYPE_PROCDESC] = { FDS_PIDFD, NULL },
	[TYPE_DEV] = { FDS_DEVICE, NULL },
	[TYPE_EVENTFD] = { FDS_EVENTFD, NULL },
};

static bool is_terminal(struct span path)
{
	return span_starts(path, "/dev/pts/") || span_starts(path, "/dev/tty") ||
	       span_equal(path, "/dev/console");
}

static uint8_t device_type(struct span path)
{
	if (span_starts(path, "/dev/pts/"))
		return FDS_PTY;
	return is_terminal(path) ? FDS_TTY : FDS_DEVICE;
}

static uint8_t vnode_type(struct bsd_descriptor *d, const struct bsd_bytes *b, bool is_valid)
{
	switch (bsd_u32(b, AT_VNODE_TYPE)) {
	case VNODE_REG:
		return is_valid && !bsd_u64(b, AT_NLINK) ? FDS_DELETED : FDS_FILE;
	case VNODE_DIR:
		return FDS_DIRECTORY;
	case VNODE_BLK:
		return FDS_DEVICE;
	case VNODE_CHR:
		return device_type(d->path);
	case VNODE_FIFO:
		return FDS_FIFO;
	case VNODE_SOCK:
		return FDS_UNIX;
	default:
		return FDS_UNKNOWN;
	}
}

static void decode_vnode(struct bsd_descriptor *d, const struct bsd_bytes *b)
{
	bool is_valid = bsd_u16(b, AT_STATUS) & STATUS_VALID;
	uint64_t device = bsd_u64(b, AT_FSID), node = bsd_u64(b, AT_RDEV);

	d->file.type = vnode_type(d, b, is_valid);
	if (!is_valid) {
		d->file.inode_state = d->file.size_state = d->file.deleted_state =
			SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED);
		return;
	}
	d->file.inode_state = SOOTH_STATE_VALUE;
	d->file.inode = bsd_u64(b, AT_FILEID);
	d->file.device_major = (uint32_t)(device >> 32);
	d->file.device_minor = (uint32_t)device;
	d->file.is_deleted = d->file.type == FDS_DELETED;
	if (d->file.type == FDS_FILE || d->file.type == FDS_DELETED) {
		d->file.size_state = SOOTH_STATE_VALUE;
		d->file.size_bytes = bsd_u64(b, AT_SIZE);
	}
	if (d->file.type == FDS_DEVICE || d->file.type == FDS_TTY || d->file.type == FDS_PTY) {
		d->file.node_state = SOOTH_STATE_VALUE;
		d->file.node_major = (uint32_t)(node >> 32);
		d->file.node_minor = (uint32_t)node;
	}
}

static const char *protocol_of(uint32_t type, uint32_t protocol, uint8_t family)
{
	bool is_internet = family == SOCKETS_INET || family == SOCKETS_INET6;

	if (is_internet && (protocol == IPPROTO_TCP_ || (!protocol && type == SOCK_STREAM_)))
		return "tcp";
	if (is_internet && (protocol == IPPROTO_UDP_ || (!protocol && type == SOCK_DGRAM_)))
		return "udp";
	switch (type) {
	case SOCK_STREAM_:
		return "stream";
	case SOCK_DGRAM_:
		return "dgram";
	case SOCK_RAW_:
		return "raw";
	case SOCK_SEQPACKET_:
		return "seqpacket";
	default:
		return "other";
	}
}

static uint8_t family_of(uint32_t domain)
{
	switch (domain) {
	case BSD_AF_UNIX:
		return SOCKETS_UNIX;
	case BSD_AF_INET:
		return SOCKETS_INET;
	case BSD_AF_INET6_FREEBSD:
		return SOCKETS_INET6;
	case AF_NETLINK_:
		return SOCKETS_NETLINK;
	default:
		return SOCKETS_OTHER;
	}
}

static uint8_t fds_type_of_socket(const struct bsd_descriptor *d)
{
	if (d->socket.family == SOCKETS_UNIX)
		return FDS_UNIX;
	if (!strcmp(d->protocol, "tcp"))
		return FDS_TCP;
	if (!strcmp(d->protocol, "udp"))
		return FDS_UDP;
	return d->socket.family == SOCKETS_NETLINK ? FDS_NETLINK : FDS_SOCKET;
}

/* Returns whether an end is unbound or unconnected: all zeros. */
static bool is_any(const char *address, uint16_t port)
{
	return !address[0] || (!port && (!strcmp(address, "0.0.0.0") || !strcmp(address, "::")));
}

static void decode_addresses(struct bsd_descriptor *d, const struct bsd_bytes *b)
{
	struct sockets_socket *s = &d->socket;
	bool is_unix = s->family == SOCKETS_UNIX;

	bsd_socket_address(d->local, &s->local_port, b->data + AT_LOCAL, ADDRESS_SIZE);
	bsd_socket_address(d->remote, &s->peer_port, b->data + AT_PEER, ADDRESS_SIZE);
	if (is_any(d->local, s->local_port))
		s->local_state = s->port_state = SOOTH_STATE_ABSENT;
	if (is_any(d->remote, s->peer_port))
		s->peer_state = s->peer_port_state = SOOTH_STATE_ABSENT;
	if (is_unix || s->family > SOCKETS_INET6)
		s->port_state = s->peer_port_state = SOOTH_STATE_ABSENT;
}

static void decode_socket(struct bsd_descriptor *d, const struct bsd_bytes *b)
{
	uint8_t unsupported = SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED);
	struct sockets_socket *s = &d->socket;

	d->is_socket = true;
	d->path = span_of("", 0); /* the member has the name of the domain */
	s->family = family_of(bsd_u32(b, AT_DOMAIN));
	snprintf(d->protocol, sizeof(d->protocol), "%s",
		protocol_of(bsd_u32(b, AT_SOCK_TYPE), bsd_u32(b, AT_PROTOCOL), s->family));
	d->own = bsd_u64(b, AT_PCB);
	d->peer = s->family == SOCKETS_UNIX ? bsd_u64(b, AT_UNPCONN) : 0;
	s->inode = d->file.inode = d->own;
	s->peer_inode = d->peer;
	s->receive_queue_bytes = bsd_u32(b, AT_RECVQ);
	s->send_queue_bytes = bsd_u32(b, AT_SENDQ);
	decode_addresses(d, b);
	/* The state of TCP is not in this answer. */
	s->state_state = !strcmp(d->protocol, "tcp") ? unsupported : SOOTH_STATE_VALUE;
	s->state = s->family == SOCKETS_UNIX && d->peer ? SOCKETS_ESTABLISHED
		   : s->peer_state == SOOTH_STATE_VALUE ? SOCKETS_ESTABLISHED
							: SOCKETS_CLOSE;
	s->rtt_state = s->retransmits_state = s->waiting_state = s->bytes_state = s->sent_state =
		s->received_state = s->namespace_state = s->dropped_state = unsupported;
	d->file.inode_state = SOOTH_STATE_VALUE;
	d->file.type = fds_type_of_socket(d);
	snprintf(d->detail, sizeof(d->detail), "%s", d->protocol);
}

static void decode_other(struct bsd_descriptor *d, const struct bsd_bytes *b, uint32_t type)
{
	d->file.type = FDS_UNKNOWN;
	if (type < ARRAY_SIZE(other_types) && other_types[type].type) {
		d->file.type = other_types[type].type;
		if (other_types[type].name)
			snprintf(d->detail, sizeof(d->detail), "%s", other_types[type].name);
	}
	if (type == TYPE_PROCDESC)
		snprintf(d->detail, sizeof(d->detail), "pid %u", bsd_u32(b, AT_PROC_PID));
	if (type == TYPE_EVENTFD)
		snprintf(d->detail, sizeof(d->detail), "count %llu",
			(unsigned long long)bsd_u64(b, AT_EVENTFD_VALUE));
	if (type == TYPE_KQUEUE)
		snprintf(d->detail, sizeof(d->detail), "kqueue, %u events ready",
			bsd_u32(b, AT_KQUEUE_COUNT));
	if (type == TYPE_DEV && is_terminal(d->path))
		d->file.type = device_type(d->path);
	if (type != TYPE_PIPE)
		return;
	d->file.type = FDS_PIPE;
	d->own = bsd_u64(b, AT_PIPE_ADDRESS);
	d->peer = bsd_u64(b, AT_PIPE_PEER);
	/* Both ends get the same number, like the inode of a pipe on Linux. */
	d->file.inode = d->peer && d->peer < d->own ? d->peer : d->own;
	d->file.inode_state = SOOTH_STATE_VALUE;
	snprintf(d->detail, sizeof(d->detail), "%u bytes unread", bsd_u32(b, AT_PIPE_COUNT));
}

/* Returns the kind of a number; those below 0 were not opened by a program. */
static enum bsd_special special_of(int32_t fd)
{
	switch (fd) {
	case FD_DIRECTORY:
		return BSD_DIRECTORY;
	case FD_ROOT:
		return BSD_ROOT;
	case FD_EXECUTABLE:
		return BSD_EXECUTABLE;
	default:
		return fd < 0 ? BSD_OTHER_SPECIAL : BSD_ORDINARY;
	}
}

static uint8_t access_of(uint32_t flags)
{
	bool reads = flags & FLAG_READ, writes = flags & FLAG_WRITE;

	return reads && writes ? FDS_ACCESS_BOTH
	       : reads	       ? FDS_ACCESS_READ
	       : writes	       ? FDS_ACCESS_WRITE
			       : FDS_ACCESS_NONE;
}

static void decode_descriptor(struct bsd_descriptor *d, const struct bsd_bytes *b)
{
	uint32_t type = bsd_u32(b, AT_TYPE);
	int32_t fd = bsd_i32(b, AT_FD);

	*d = (struct bsd_descriptor){ .special = special_of(fd),
		.path = bsd_string(b, AT_PATH, PATH_MAX_) };
	d->file.fd = (uint32_t)fd;
	d->file.flags = bsd_u32(b, AT_FLAGS);
	d->file.access = access_of(d->file.flags);
	d->appends = d->file.flags & FLAG_APPEND;
	d->file.offset = bsd_u64(b, AT_OFFSET);
	d->file.node_state = d->file.size_state = SOOTH_STATE_ABSENT;
	d->file.inode_state = SOOTH_STATE_ABSENT;
	/* The answer does not have the close-on-exec flag. */
	d->file.closes_on_exec = 0;
	if (type == TYPE_VNODE || type == TYPE_FIFO)
		decode_vnode(d, b);
	else if (type == TYPE_SOCKET)
		decode_socket(d, b);
	else
		decode_other(d, b, type);
	d->file.path_state = d->path.size ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT;
	d->file.detail_state = d->detail[0] ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT;
}

bool kinfo_file_next(struct bsd_descriptor *out, struct cursor *c)
{
	struct bsd_bytes record;

	if (!kinfo_list_next(&record, c, FIXED_SIZE))
		return false;
	decode_descriptor(out, &record);
	return true;
}
