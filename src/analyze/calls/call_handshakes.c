/* SPDX-License-Identifier: BSD-2-Clause */
/* Results of TLS handshakes that the process makes or accepts (see call_history.h), read from plain
 * record headers (bpf/api.bpf.h). In TLS 1.3 alerts after the server's hello are encrypted too, and
 * are recognized by length. A record sent after the hello and the last handshake message is data:
 * the handshake succeeded. */
#include <string.h>

#include "analyze/calls/call_history_parts.h"
#include "analyze/calls/call_pieces.h"
#include "model/errno_names.h"

#define TLS_ALERT	21
#define TLS_HANDSHAKE	22
#define TLS_DATA	23
#define ENCRYPTED_ALERT 19 /* two bytes, the type, and a tag of 16 bytes */
/* Length of the last handshake message, encrypted: 53 or 69 bytes by hash (RFC 8446, 4.4.4). */
#define FINISHED_MOST 80

static struct call_handshakes *handshakes_at(
	struct call_history *h, const struct call_hello *hello, uint64_t now_ns)
{
	struct map *all = hello->is_served ? &h->served_handshakes : &h->handshakes;
	struct call_handshakes *s = map_put(all, &hello->peer, NULL);

	if (s)
		s->last_ns = now_ns;
	return s;
}

static void begin_handshake(const struct call_at_hand *c, uint32_t fd, struct span offers_and_name)
{
	const struct fd_followed *file = c->folded->to.file;
	struct call_hello *hello;
	size_t size = offers_and_name.size ? offers_and_name.size - 1 : 0;

	if (!file || file->kind != FD_FOLLOWED_SOCKET || !*file->peer)
		return;
	hello = map_put(&c->history->hellos, &fd, NULL);
	if (!hello)
		return;
	*hello = (struct call_hello){ .peer = call_path_key(span_of_string(file->peer)) };
	if (size > sizeof(hello->server) - 1)
		size = sizeof(hello->server) - 1;
	if (size)
		memcpy(hello->server, offers_and_name.data + 1, size);
}

static void count_made_handshake(
	const struct call_at_hand *c, const struct call_hello *hello, uint32_t fd)
{
	uint64_t now_ns = c->folded->call->record.time_ns;
	struct call_handshakes *s = handshakes_at(c->history, hello, now_ns);

	if (s) {
		s->made += c->weight;
		s->last_made_ns = now_ns;
	}
	map_remove(&c->history->hellos, &fd);
}

static void count_failed_handshake(
	const struct call_at_hand *c, const struct call_hello *hello, uint32_t fd)
{
	struct call_handshakes *s =
		handshakes_at(c->history, hello, c->folded->call->record.time_ns);

	if (s && hello->is_served) {
		*(hello->is_refused_here	  ? &s->refused_here
			: hello->is_refused_there ? &s->refused_there
						  : &s->closed) += c->weight;
	} else if (s) {
		/* node closes the connection without an alert after it has read a bad
		 * certificate. */
		bool is_here = hello->is_refused_here || hello->is_finished || hello->is_met;

		*(hello->is_refused_there ? &s->refused_there
			: is_here	  ? &s->refused_here
					  : &s->closed) += c->weight;
		memcpy(s->server, hello->server, sizeof(s->server));
	}
	map_remove(&c->history->hellos, &fd);
}

static bool is_alert(const struct syscalls_tls_record *r)
{
	return r->type == TLS_ALERT || (r->type == TLS_DATA && r->length == ENCRYPTED_ALERT);
}

/* Adds a client's record that is no alert, and returns whether it is data. The first encrypted
 * record ends a TLS 1.3 handshake; after more plain handshake records (TLS 1.2) it is data. */
static bool add_record_of_handshake(struct call_hello *hello, const struct syscalls_tls_record *r)
{
	if (r->type == TLS_DATA && (hello->is_finished || hello->is_plain))
		return true;
	hello->is_finished |= r->type == TLS_DATA;
	hello->is_plain |= r->type == TLS_HANDSHAKE;
	return false;
}

/* Adds a record sent by a client; returns whether it is data. */
static bool add_record_sent_by_client(struct call_hello *hello, const struct syscalls_tls_record *r)
{
	if (!is_alert(r))
		return (r->type == TLS_DATA && r->length > FINISHED_MOST) ||
		       add_record_of_handshake(hello, r);
	hello->is_refused_here = true;
	return false;
}

/* Adds a record received from a client; returns whether it is data. */
static bool add_record_received_from_client(
	struct call_hello *hello, const struct syscalls_tls_record *r)
{
	if (!is_alert(r))
		return add_record_of_handshake(hello, r);
	hello->is_refused_there |= !hello->is_refused_here;
	return false;
}

/* Adds a record of a server's connection; returns whether it is data. */
static bool add_record_of_server(
	struct call_hello *hello, const struct syscalls_tls_record *r, bool is_sent)
{
	if (!is_sent)
		return add_record_received_from_client(hello, r);
	hello->is_refused_here |= r->type == TLS_ALERT && !hello->is_refused_there;
	return false;
}

static void add_records(
	const struct call_at_hand *c, struct call_hello *hello, uint32_t fd, struct span records)
{
	struct syscalls_tls_record r;
	bool is_sent = c->folded->to.is_there;

	for (size_t at = 0; at + sizeof(r) <= records.size; at += sizeof(r)) {
		memcpy(&r, records.data + at, sizeof(r));
		if (hello->is_served ? add_record_of_server(hello, &r, is_sent)
				     : is_sent && add_record_sent_by_client(hello, &r)) {
			count_made_handshake(c, hello, fd);
			return;
		}
		if (hello->is_served)
			continue;
		hello->is_refused_there |= !is_sent && r.type == TLS_ALERT;
		hello->is_met |= !is_sent && r.type == TLS_HANDSHAKE;
	}
}

/* Begins a served handshake: the first record read from a client is its hello. */
static bool begin_served(const struct call_at_hand *c, uint32_t fd)
{
	const struct call_guest *guest =
		c->folded->from.is_there ? map_get(&c->history->guests, &fd) : NULL;
	struct call_piece records = call_piece_of_any(c->folded->call, SYSCALLS_PART_TLS);
	struct syscalls_tls_record first;
	struct call_hello *hello;

	if (!guest || !records.is_there || records.bytes.size < sizeof(first))
		return false;
	memcpy(&first, records.bytes.data, sizeof(first));
	hello = first.type == TLS_HANDSHAKE ? map_put(&c->history->hellos, &fd, NULL) : NULL;
	if (!hello)
		return false;
	*hello = (struct call_hello){ .peer = guest->listener, .is_served = true };
	return true;
}

void call_handshakes_add_call(const struct call_at_hand *c)
{
	const struct folded_call *call = c->folded;
	bool moves = call->to.is_there || call->from.is_there;
	uint32_t fd = (uint32_t)(call->to.is_there     ? call->to.fd
				 : call->from.is_there ? call->from.fd
						       : call->fd);
	struct call_piece server, records;
	struct call_hello *hello;

	if (!moves && !(call->has_fd && c->history->hellos.count))
		return;
	if (c->history->guests.count && !call->is_error && begin_served(c, fd))
		return;
	if (call->to.is_there && !call->is_error) {
		server = call_piece_of_any(call->call, SYSCALLS_PART_SERVER);
		if (server.is_there) {
			begin_handshake(c, fd, server.bytes);
			return;
		}
	}
	hello = map_get(&c->history->hellos, &fd);
	if (!hello)
		return;
	if (call->row->effect.what == SYSCALL_FD_CLOSES) {
		count_failed_handshake(c, hello, fd);
		return;
	}
	if (call->from.is_there && !hello->is_refused_here &&
		(call->is_error ? call->error == LINUX_ECONNRESET : !call->call->result))
		hello->is_refused_there = true;
	if (!moves || call->is_error)
		return;
	records = call_piece_of_any(call->call, SYSCALLS_PART_TLS);
	if (records.is_there)
		add_records(c, hello, fd, records.bytes);
}
