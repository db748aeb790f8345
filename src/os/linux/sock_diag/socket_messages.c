/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Messages of sock_diag(7). Each family has its own message, followed by attributes; struct
 * tcp_info is one of them, and its length depends on the kernel.
 *
 * Cannot be seen: sockets that are in no table of their protocol (created, and neither bound nor
 * connected), and those of families without sock_diag.
 */
#include "os/linux/sock_diag/socket_messages.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/netlink_diag.h>
#include <linux/packet_diag.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <linux/unix_diag.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "probes/sockets.h"

/* Waiting for its last packet, or half open: sockets without a descriptor. */
#define STATES_WITHOUT_INODE (1u << SOCKETS_TIME_WAIT | 1u << SOCKETS_NEW_SYN_RECV)
#define BOUND_INACTIVE	     13 /* since Linux 6.8: bound, nothing else */
#define ATTRIBUTES_MAX	     64
#define CONNECTED	     1 /* NETLINK_CONNECTED, net/netlink/af_netlink.c; else TCP_CLOSE */

/* --- requests --- */

static size_t put_attribute(unsigned char *out, size_t at, const void *data, size_t size)
{
	memcpy(out + at, data, size);
	return at + NLMSG_ALIGN(size);
}

static size_t request_inet(unsigned char *out, size_t at, const struct socket_request *q)
{
	struct inet_diag_req_v2 request = {
		.sdiag_family = (uint8_t)q->family,
		.sdiag_protocol = (uint8_t)(q->protocol > 255 ? IPPROTO_RAW : q->protocol),
		.idiag_ext = q->needs_detail
				     ? 1 << (INET_DIAG_INFO - 1) | 1 << (INET_DIAG_SKMEMINFO - 1)
				     : 0,
		.idiag_states = ~STATES_WITHOUT_INODE,
	};
	struct nlattr header = { .nla_len = NLA_HDRLEN + sizeof(uint32_t),
		.nla_type = INET_DIAG_REQ_PROTOCOL };
	uint32_t protocol = (uint32_t)q->protocol;

	at = put_attribute(out, at, &request, sizeof(request));
	if (q->protocol > 255) {
		at = put_attribute(out, at, &header, sizeof(header));
		at = put_attribute(out, at, &protocol, sizeof(protocol));
	}
	return at;
}

size_t socket_messages_request(
	unsigned char out[SOCKET_REQUEST_MAX], const struct socket_request *q, uint32_t sequence)
{
	struct nlmsghdr header = { .nlmsg_type = SOCK_DIAG_BY_FAMILY,
		.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
		.nlmsg_seq = sequence };
	struct unix_diag_req local = { .sdiag_family = AF_UNIX,
		.udiag_states = ~0u,
		.udiag_show = UDIAG_SHOW_NAME | UDIAG_SHOW_PEER | UDIAG_SHOW_RQLEN };
	struct netlink_diag_req netlink = { .sdiag_family = AF_NETLINK,
		.sdiag_protocol = NDIAG_PROTO_ALL,
		.ndiag_show = NDIAG_SHOW_MEMINFO };
	struct packet_diag_req packet = { .sdiag_family = AF_PACKET,
		.pdiag_show = PACKET_SHOW_INFO | PACKET_SHOW_MEMINFO };
	size_t at = NLMSG_HDRLEN;

	if (q->needs_detail)
		local.udiag_show |= UDIAG_SHOW_ICONS;
	memset(out, 0, SOCKET_REQUEST_MAX);
	switch (q->family) {
	case AF_UNIX:
		at = put_attribute(out, at, &local, sizeof(local));
		break;
	case AF_NETLINK:
		at = put_attribute(out, at, &netlink, sizeof(netlink));
		break;
	case AF_PACKET:
		at = put_attribute(out, at, &packet, sizeof(packet));
		break;
	default:
		at = request_inet(out, at, q);
		break;
	}
	header.nlmsg_len = (uint32_t)at;
	memcpy(out, &header, sizeof(header));
	return at;
}

/* --- answers --- */

/* Reads the head of a message; false when the message is too short. */
static bool read_head(struct cursor *c, void *out, size_t size)
{
	struct span bytes = cursor_bytes(c, size);

	if (c->failed)
		return false;
	memcpy(out, bytes.data, size);
	return true;
}

/* Reads the next attribute; false at the end and when the data is no attribute. */
static bool read_attribute(struct cursor *c, unsigned *type, struct span *value)
{
	struct nlattr header;
	size_t size, padding;

	if (cursor_left(c) < sizeof(header) || !read_head(c, &header, sizeof(header)) ||
		header.nla_len < NLA_HDRLEN)
		return false;
	size = header.nla_len - (size_t)NLA_HDRLEN;
	*type = header.nla_type & NLA_TYPE_MASK;
	*value = cursor_bytes(c, size);
	padding = NLA_ALIGN(size) - size;
	if (padding <= cursor_left(c))
		cursor_bytes(c, padding);
	return !c->failed;
}

static bool read_number(struct span value, size_t index, uint32_t *out)
{
	if (value.size < (index + 1) * sizeof(*out))
		return false;
	memcpy(out, value.data + index * sizeof(*out), sizeof(*out));
	return true;
}

#define TCP_HAS(value, member)                                                                     \
	((value).size >= offsetof(struct tcp_info, member) + sizeof(((struct tcp_info *)0)->member))

/* Sets which end opened the connection: the kernel counts an acknowledged SYN as a byte, and only
 * the end that opened the connection sent one that counts. While data or a FIN is in transit, the
 * counts cannot be compared. */
static void set_opener(struct socket_tcp *tcp, const struct tcp_info *info, struct span value)
{
	uint64_t sent = info->tcpi_bytes_sent - info->tcpi_bytes_retrans;
	bool is_open =
		info->tcpi_state == SOCKETS_ESTABLISHED || info->tcpi_state == SOCKETS_CLOSE_WAIT;

	if (!TCP_HAS(value, tcpi_bytes_retrans) || !is_open || info->tcpi_unacked ||
		info->tcpi_notsent_bytes || info->tcpi_bytes_acked < sent ||
		info->tcpi_bytes_acked - sent > 1)
		return;
	tcp->has |= SOCKET_TCP_OPENER;
	tcp->is_opened_here = info->tcpi_bytes_acked - sent == 1;
}

static void parse_tcp(struct socket_tcp *tcp, struct span value)
{
	struct tcp_info info = { 0 };

	memcpy(&info, value.data, value.size < sizeof(info) ? value.size : sizeof(info));
	if (TCP_HAS(value, tcpi_last_data_recv)) {
		tcp->has |= SOCKET_TCP_TIMES;
		tcp->sent_ago_ms = info.tcpi_last_data_sent;
		tcp->received_ago_ms = info.tcpi_last_data_recv;
	}
	if (TCP_HAS(value, tcpi_rttvar) && info.tcpi_rtt) {
		tcp->has |= SOCKET_TCP_RTT;
		tcp->rtt_us = info.tcpi_rtt;
		tcp->rtt_variance_us = info.tcpi_rttvar;
	}
	if (TCP_HAS(value, tcpi_total_retrans)) {
		tcp->has |= SOCKET_TCP_RETRANSMITS | SOCKET_TCP_WAITING;
		tcp->retransmits = info.tcpi_total_retrans;
		tcp->retransmits_waiting = info.tcpi_retransmits;
	}
	if (TCP_HAS(value, tcpi_bytes_received)) {
		tcp->has |= SOCKET_TCP_BYTES;
		tcp->acknowledged_bytes = info.tcpi_bytes_acked;
		tcp->received_bytes = info.tcpi_bytes_received;
	}
	if (TCP_HAS(value, tcpi_bytes_sent)) {
		tcp->has |= SOCKET_TCP_SENT;
		tcp->sent_bytes = info.tcpi_bytes_sent;
	}
	set_opener(tcp, &info, value);
}

static bool parse_inet(struct socket_fact *f, struct cursor *c, const struct socket_request *q)
{
	struct inet_diag_msg m;
	uint32_t dropped; /* since Linux 4.7 */
	struct span value;
	unsigned type;

	if (!read_head(c, &m, sizeof(m)))
		return false;
	f->inode = m.idiag_inode;
	f->family = m.idiag_family;
	f->protocol = q->protocol;
	f->state = m.idiag_state == BOUND_INACTIVE ? SOCKETS_CLOSE : m.idiag_state;
	f->interface = m.id.idiag_if;
	f->local_port = ntohs(m.id.idiag_sport);
	f->peer_port = ntohs(m.id.idiag_dport);
	memcpy(f->local, m.id.idiag_src, sizeof(f->local));
	memcpy(f->peer, m.id.idiag_dst, sizeof(f->peer));
	f->receive_queue = m.idiag_rqueue;
	f->send_queue = m.idiag_wqueue;
	f->has_receive_queue = f->has_send_queue = true;
	for (int i = 0; i < ATTRIBUTES_MAX && read_attribute(c, &type, &value); i++) {
		if (type == INET_DIAG_INFO && q->protocol == IPPROTO_TCP)
			parse_tcp(&f->tcp, value);
		if (type == INET_DIAG_SKMEMINFO && read_number(value, SK_MEMINFO_DROPS, &dropped)) {
			f->dropped = dropped;
			f->has_dropped = true;
		}
	}
	return true;
}

static bool parse_unix(struct socket_fact *f, struct cursor *c)
{
	struct unix_diag_msg m;
	struct span value;
	unsigned type;
	uint32_t receive, send, peer;

	if (!read_head(c, &m, sizeof(m)))
		return false;
	f->inode = m.udiag_ino;
	f->family = AF_UNIX;
	f->type = m.udiag_type;
	f->state = m.udiag_state;
	for (int i = 0; i < ATTRIBUTES_MAX && read_attribute(c, &type, &value); i++) {
		if (type == UNIX_DIAG_NAME)
			f->name = value;
		if (type == UNIX_DIAG_PEER && read_number(value, 0, &peer))
			f->peer_inode = peer;
		if (type == UNIX_DIAG_ICONS)
			f->pending = value;
		if (type == UNIX_DIAG_RQLEN && read_number(value, 0, &receive) &&
			read_number(value, 1, &send)) {
			f->receive_queue = receive;
			f->send_queue = send;
			f->has_receive_queue = f->has_send_queue = true;
		}
	}
	return true;
}

static void parse_memory(struct socket_fact *f, struct span value)
{
	uint32_t receive, send;

	if (!read_number(value, SK_MEMINFO_RMEM_ALLOC, &receive) ||
		!read_number(value, SK_MEMINFO_WMEM_ALLOC, &send))
		return;
	f->receive_queue = receive;
	f->send_queue = send;
	f->has_receive_queue = f->has_send_queue = true;
}

static bool parse_netlink(struct socket_fact *f, struct cursor *c)
{
	struct netlink_diag_msg m;
	struct span value;
	unsigned type;

	if (!read_head(c, &m, sizeof(m)))
		return false;
	f->inode = m.ndiag_ino;
	f->family = AF_NETLINK;
	f->type = m.ndiag_type;
	f->protocol = m.ndiag_protocol;
	f->state = m.ndiag_state == CONNECTED ? SOCKETS_ESTABLISHED : SOCKETS_CLOSE;
	f->local_id = m.ndiag_portid;
	f->peer_id = m.ndiag_dst_portid;
	for (int i = 0; i < ATTRIBUTES_MAX && read_attribute(c, &type, &value); i++) {
		if (type == NETLINK_DIAG_MEMINFO)
			parse_memory(f, value);
	}
	return true;
}

static bool parse_packet(struct socket_fact *f, struct cursor *c)
{
	struct packet_diag_msg m;
	struct span value;
	unsigned type;

	if (!read_head(c, &m, sizeof(m)))
		return false;
	f->inode = m.pdiag_ino;
	f->family = AF_PACKET;
	f->type = m.pdiag_type;
	f->protocol = m.pdiag_num;
	f->state = SOCKETS_CLOSE;
	for (int i = 0; i < ATTRIBUTES_MAX && read_attribute(c, &type, &value); i++) {
		if (type == PACKET_DIAG_INFO)
			read_number(value, 0, &f->interface);
		if (type == PACKET_DIAG_MEMINFO)
			parse_memory(f, value);
	}
	return true;
}

static int parse_socket(
	struct socket_answer *answer, struct span body, socket_fact_consumer take, void *user)
{
	struct cursor c = cursor_over(body.data, body.size);
	struct socket_fact fact = { 0 };
	bool is_whole;

	switch (answer->request->family) {
	case AF_UNIX:
		is_whole = parse_unix(&fact, &c);
		break;
	case AF_NETLINK:
		is_whole = parse_netlink(&fact, &c);
		break;
	case AF_PACKET:
		is_whole = parse_packet(&fact, &c);
		break;
	default:
		is_whole = parse_inet(&fact, &c, answer->request);
		break;
	}
	if (!is_whole)
		return -EBADMSG;
	if (fact.state >= SOCKETS_STATES)
		fact.state = SOCKETS_NO_STATE;
	take(user, &fact);
	return 0;
}

/* Returns the code of NLMSG_ERROR or NLMSG_DONE, which begin with a negative errno, or 0. */
static int code_of(struct span body)
{
	int32_t code = 0;

	if (body.size >= sizeof(code))
		memcpy(&code, body.data, sizeof(code));
	return code < 0 && code > -4096 ? code : 0;
}

int socket_messages_parse(struct socket_answer *answer, const void *data, size_t size,
	socket_fact_consumer take, void *user)
{
	struct cursor c = cursor_over(data, size);
	int status = 0;

	while (!status && !answer->is_done && cursor_left(&c) >= sizeof(struct nlmsghdr)) {
		struct nlmsghdr header;
		struct span body;
		size_t padding;

		read_head(&c, &header, sizeof(header));
		if (header.nlmsg_len < sizeof(header))
			return -EBADMSG;
		body = cursor_bytes(&c, header.nlmsg_len - sizeof(header));
		if (c.failed)
			return -EBADMSG;
		padding = NLMSG_ALIGN(header.nlmsg_len) - header.nlmsg_len;
		cursor_bytes(&c, padding <= cursor_left(&c) ? padding : cursor_left(&c));
		if (header.nlmsg_seq != answer->sequence)
			continue;
		answer->messages++;
		answer->is_interrupted |= (header.nlmsg_flags & NLM_F_DUMP_INTR) != 0;
		if (header.nlmsg_type == NLMSG_ERROR || header.nlmsg_type == NLMSG_DONE) {
			answer->is_done = true;
			status = code_of(body);
		} else if (header.nlmsg_type == SOCK_DIAG_BY_FAMILY) {
			status = parse_socket(answer, body, take, user);
		}
	}
	return status;
}
