/* SPDX-License-Identifier: BSD-2-Clause */
/* Converts the kernel's data about a socket to a record. */
#include "os/linux/sockets/socket_record.h"

#include <arpa/inet.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sooth/field.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/units.h"

#define UNSUPPORTED   SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED)
#define NOT_REQUESTED SOOTH_NOT_MEASURED(SOOTH_REASON_NOT_REQUESTED)

static uint8_t family_of(int family)
{
	switch (family) {
	case AF_UNIX:
		return SOCKETS_UNIX;
	case AF_INET:
		return SOCKETS_INET;
	case AF_INET6:
		return SOCKETS_INET6;
	case AF_NETLINK:
		return SOCKETS_NETLINK;
	case AF_PACKET:
		return SOCKETS_PACKET;
	default:
		return SOCKETS_OTHER;
	}
}

/* --- addresses --- */

static bool is_address_zero(const unsigned char address[16])
{
	static const unsigned char zero[16];

	return !memcmp(address, zero, sizeof(zero));
}

/* Puts the name of an interface. Interface numbers belong to a namespace, so `netlink` must be of
 * the same namespace. */
static size_t put_interface(char *out, size_t room, uint32_t index, int netlink)
{
	struct ifreq request = { .ifr_ifindex = (int)index };
	int size;

	if (netlink >= 0 && !ioctl(netlink, SIOCGIFNAME, &request))
		size = snprintf(out, room, "%.*s", (int)sizeof(request.ifr_name), request.ifr_name);
	else
		size = snprintf(out, room, "%u", index);
	return size > 0 && (size_t)size < room ? (size_t)size : 0;
}

static size_t put_address(char out[SOCKET_TEXT_MAX], const struct socket_fact *f,
	const unsigned char address[16], bool is_scoped, int netlink)
{
	size_t size;

	if (!inet_ntop(f->family, address, out, SOCKET_TEXT_MAX))
		return 0;
	size = strlen(out);
	if (!is_scoped || !f->interface)
		return size;
	out[size++] = '%';
	return size + put_interface(out + size, SOCKET_TEXT_MAX - size, f->interface, netlink);
}

static bool is_link_local(const struct socket_fact *f, const unsigned char address[16])
{
	return f->family == AF_INET6 && address[0] == 0xfe && (address[1] & 0xc0) == 0x80;
}

static void fill_inet(
	struct sockets_socket *r, struct socket_texts *t, const struct socket_fact *f, int netlink)
{
	bool has_local = f->local_port || !is_address_zero(f->local);
	bool has_peer = f->peer_port || !is_address_zero(f->peer);

	r->local_port = f->local_port;
	r->peer_port = f->peer_port;
	r->local_state = r->port_state = has_local ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT;
	r->peer_state = has_peer ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT;
	r->peer_port_state = f->peer_port ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT;
	if (has_local)
		t->local_size = put_address(t->local, f, f->local, true, netlink);
	if (has_peer)
		t->peer_size = put_address(t->peer, f, f->peer, is_link_local(f, f->peer), netlink);
}

/* Fills in the address of a unix socket. A path ends with a NUL that is not part of it; an abstract
 * name begins with a NUL. */
static void fill_unix(struct sockets_socket *r, struct socket_texts *t, const struct socket_fact *f)
{
	size_t size = f->name.size < SOCKET_TEXT_MAX ? f->name.size : SOCKET_TEXT_MAX;

	if (size)
		memcpy(t->local, f->name.data, size);
	if (size && !t->local[0])
		t->local[0] = '@';
	else if (size && !t->local[size - 1])
		size--;
	t->local_size = size;
	r->local_state = size ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT;
	r->peer_inode = f->peer_inode;
}

static void fill_netlink(
	struct sockets_socket *r, struct socket_texts *t, const struct socket_fact *f)
{
	if (f->local_id) {
		t->local_size = (size_t)snprintf(t->local, sizeof(t->local), "%u", f->local_id);
		r->local_state = SOOTH_STATE_VALUE;
	}
	if (f->peer_id) {
		t->peer_size = (size_t)snprintf(t->peer, sizeof(t->peer), "%u", f->peer_id);
		r->peer_state = SOOTH_STATE_VALUE;
	}
}

static void fill_packet(
	struct sockets_socket *r, struct socket_texts *t, const struct socket_fact *f, int netlink)
{
	r->local_state = SOOTH_STATE_VALUE;
	t->local[0] = '*';
	t->local_size =
		f->interface ? put_interface(t->local, sizeof(t->local), f->interface, netlink) : 1;
}

/* --- TCP --- */

static bool is_connection(const struct socket_fact *f)
{
	return (f->family == AF_INET || f->family == AF_INET6) && f->protocol == IPPROTO_TCP &&
	       f->state != SOCKETS_LISTEN && f->state != SOCKETS_CLOSE;
}

static uint8_t state_if(const struct socket_fact *f, unsigned has, uint8_t otherwise)
{
	return f->tcp.has & has ? SOOTH_STATE_VALUE : otherwise;
}

/* The kernel counts the peer's FIN as a received byte. Returns 1 if the FIN has come, so that the
 * caller can subtract it. */
static unsigned has_end(const struct socket_fact *f)
{
	return f->state == SOCKETS_CLOSE_WAIT || f->state == SOCKETS_LAST_ACK ||
	       f->state == SOCKETS_CLOSING;
}

static void fill_tcp(
	struct sockets_socket *r, const struct socket_fact *f, const struct socket_record_way *way)
{
	uint8_t missing = way->is_from_tables || way->needs_detail ? UNSUPPORTED : NOT_REQUESTED;
	const struct socket_tcp *tcp = &f->tcp;

	/* If the kernel gave other times but no round trip, it has not measured one yet. */
	r->rtt_state = state_if(
		f, SOCKET_TCP_RTT, tcp->has & SOCKET_TCP_TIMES ? SOOTH_STATE_ABSENT : missing);
	r->retransmits_state = state_if(f, SOCKET_TCP_RETRANSMITS, missing);
	r->waiting_state = state_if(f, SOCKET_TCP_WAITING, missing);
	r->bytes_state = state_if(f, SOCKET_TCP_BYTES, missing);
	r->sent_state = state_if(f, SOCKET_TCP_TIMES, missing);
	r->received_state = state_if(f, SOCKET_TCP_TIMES, missing);
	if (tcp->has & SOCKET_TCP_SENT && !tcp->sent_bytes)
		r->sent_state = SOOTH_STATE_ABSENT;
	if (tcp->has & SOCKET_TCP_BYTES && tcp->received_bytes <= has_end(f))
		r->received_state = SOOTH_STATE_ABSENT;
	if (tcp->has & SOCKET_TCP_OPENER)
		r->opener = tcp->is_opened_here ? SOCKETS_OPENER_SELF : SOCKETS_OPENER_PEER;
	r->rtt_ns = tcp->rtt_us * NS_PER_US;
	r->rtt_variance_ns = tcp->rtt_variance_us * NS_PER_US;
	r->retransmits = tcp->retransmits;
	r->retransmits_waiting = tcp->retransmits_waiting;
	r->sent_bytes = tcp->acknowledged_bytes;
	r->received_bytes = tcp->received_bytes;
	r->sent_ago_ns = tcp->sent_ago_ms * NS_PER_MS;
	r->received_ago_ns = tcp->received_ago_ms * NS_PER_MS;
}

static const char *type_text(int type)
{
	static const char *const names[] = { [SOCK_STREAM] = "stream",
		[SOCK_DGRAM] = "dgram",
		[SOCK_RAW] = "raw",
		[SOCK_SEQPACKET] = "seqpacket",
		[SOCK_PACKET] = "packet" };

	return type >= 0 && type < (int)ARRAY_SIZE(names) ? names[type] : NULL;
}

/* Returns the name of a netlink protocol (linux/netlink.h). */
static const char *netlink_text(int protocol)
{
	static const char *const names[] = { [NETLINK_ROUTE] = "route",
		[NETLINK_USERSOCK] = "usersock",
		[NETLINK_FIREWALL] = "firewall",
		[NETLINK_SOCK_DIAG] = "sock_diag",
		[NETLINK_NFLOG] = "nflog",
		[NETLINK_XFRM] = "xfrm",
		[NETLINK_SELINUX] = "selinux",
		[NETLINK_ISCSI] = "iscsi",
		[NETLINK_AUDIT] = "audit",
		[NETLINK_FIB_LOOKUP] = "fib_lookup",
		[NETLINK_CONNECTOR] = "connector",
		[NETLINK_NETFILTER] = "netfilter",
		[NETLINK_KOBJECT_UEVENT] = "uevent",
		[NETLINK_GENERIC] = "generic",
		[NETLINK_SCSITRANSPORT] = "scsitransport",
		[NETLINK_RDMA] = "rdma",
		[NETLINK_CRYPTO] = "crypto" };

	return protocol >= 0 && protocol < (int)ARRAY_SIZE(names) ? names[protocol] : NULL;
}

/* Returns the name of a protocol whose sockets have types of their own: "stream", "route", ...
 * NULL: unknown. */
static const char *socket_protocol_text(const struct socket_fact *f)
{
	return f->family == AF_NETLINK ? netlink_text(f->protocol) : type_text(f->type);
}

void socket_record_fill(struct sockets_socket *r, struct socket_texts *texts,
	const struct socket_fact *f, const struct socket_record_way *way)
{
	*texts = (struct socket_texts){ .protocol = socket_protocol_text(f) };
	r->family = family_of(f->family);
	r->is_from_tables = way->is_from_tables;
	r->state = f->state;
	r->state_state = f->state == SOCKETS_NO_STATE ? UNSUPPORTED : SOOTH_STATE_VALUE;
	r->receive_queue_bytes = f->receive_queue;
	r->send_queue_bytes = f->send_queue;
	r->receive_queue_state = f->has_receive_queue ? SOOTH_STATE_VALUE : UNSUPPORTED;
	r->send_queue_state = f->has_send_queue ? SOOTH_STATE_VALUE : UNSUPPORTED;
	r->dropped = f->dropped;
	/* Sockets of other families drop nothing, or do not report it. */
	r->dropped_state = SOOTH_STATE_ABSENT;
	if (f->has_dropped)
		r->dropped_state = SOOTH_STATE_VALUE;
	else if (f->family == AF_INET || f->family == AF_INET6)
		r->dropped_state =
			way->is_from_tables || way->needs_detail ? UNSUPPORTED : NOT_REQUESTED;
	r->local_state = r->peer_state = SOOTH_STATE_ABSENT;
	r->port_state = r->peer_port_state = SOOTH_STATE_ABSENT;
	r->rtt_state = r->retransmits_state = r->waiting_state = SOOTH_STATE_ABSENT;
	r->bytes_state = r->sent_state = r->received_state = SOOTH_STATE_ABSENT;
	if (is_connection(f))
		fill_tcp(r, f, way);
	switch (r->family) {
	case SOCKETS_INET:
	case SOCKETS_INET6:
		fill_inet(r, texts, f, way->netlink);
		break;
	case SOCKETS_UNIX:
		fill_unix(r, texts, f);
		if (way->is_from_tables && f->state == SOCKETS_ESTABLISHED)
			r->peer_state = UNSUPPORTED;
		break;
	case SOCKETS_NETLINK:
		fill_netlink(r, texts, f);
		if (way->is_from_tables)
			r->peer_state = UNSUPPORTED;
		break;
	case SOCKETS_PACKET:
		fill_packet(r, texts, f, way->netlink);
		break;
	default:
		break;
	}
}
