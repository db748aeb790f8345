/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Finds API calls in the bytes that a call moved on a connection: the request line of HTTP without
 * its query, the status of an answer, the heads of TLS records, and the server's name and the
 * offered protocols in a TLS hello. Nothing else leaves the kernel: no header, no body, no random
 * bytes.
 *
 * Only data at the beginning of a call is seen: the first of several buffers, and no TLS record
 * that begins in the middle of the data.
 */
#pragma once

#include "bpf/error_output.bpf.h"

#define TLS_HEAD	5 /* type, version, length */
#define TLS_FIRST_TYPE	20
#define TLS_LAST_TYPE	23
#define TLS_HANDSHAKE	22
#define TLS_HELLO	1
#define TLS_RECORD_MOST 16640
#define HELLO_SESSION	43 /* offset of the session: after record, message, version and random */
#define HELLO_LEAST	64
#define EXTENSIONS	40
#define EXTENSION_NAME	0
#define EXTENSION_ALPN	16
#define NAME_AT		9 /* in an extension: behind its head, list and type */
#define OFFERS		6
#define OFFERS_AT	6
#define METHOD_MOST	8
#define LINE_MOST	240

#define API_DROPPED_ERROR (-11) /* EAGAIN: nothing was moved */

static inline uint32_t user_u8(uint64_t at)
{
	uint8_t value = 0;

	bpf_probe_read_user(&value, sizeof(value), (const void *)(unsigned long)at);
	return value;
}

static inline uint32_t user_u16(uint64_t at)
{
	uint8_t value[2] = {};

	bpf_probe_read_user(value, sizeof(value), (const void *)(unsigned long)at);
	return (uint32_t)value[0] << 8 | value[1];
}

static inline bool is_tls(const uint8_t head[8])
{
	return head[0] >= TLS_FIRST_TYPE && head[0] <= TLS_LAST_TYPE && head[1] == 3 &&
	       head[2] <= 4 && ((uint32_t)head[3] << 8 | head[4]) <= TLS_RECORD_MOST;
}

/* --- TLS --- */

/* Computes the place in the piece after all reads: older kernels forget the bounds of a value that
 * is spilled in between. */
static inline void keep_records(
	struct call_with_pieces *p, uint8_t argument, uint64_t from, uint64_t done)
{
	struct syscalls_tls_record found[SYSCALLS_TLS_RECORDS] = {};
	uint32_t at, count = 0;

	for (uint32_t i = 0; i < SYSCALLS_TLS_RECORDS; i++) {
		uint8_t head[8] = {};
		uint32_t length;

		if (done < TLS_HEAD ||
			bpf_probe_read_user(head, TLS_HEAD, (const void *)(unsigned long)from) ||
			!is_tls(head))
			break;
		length = (uint32_t)head[3] << 8 | head[4];
		found[i].type = head[0];
		found[i].length = (uint16_t)length;
		count = i + 1;
		if (done <= TLS_HEAD + (uint64_t)length)
			break;
		done -= TLS_HEAD + length;
		from += TLS_HEAD + length;
	}
	at = p->at;
	if (!count || at > PIECE_AT_MAX)
		return;
	__builtin_memcpy(p->pieces + at + sizeof(struct syscalls_piece), found, sizeof(found));
	put_head(p, at, argument, SYSCALLS_PART_TLS, 0,
		(count & 7) * (uint32_t)sizeof(struct syscalls_tls_record));
}

/* Returns whether "h2" and "http/1.1" are among the offered protocols. */
static inline uint8_t offers_of(uint64_t at, uint32_t length)
{
	uint64_t end = at + length;
	uint8_t offers = 0;

	at += OFFERS_AT;
	for (uint32_t i = 0; i < OFFERS && at < end; i++) {
		uint32_t size = user_u8(at);

		if (size == 2 && user_u16(at + 1) == ('h' << 8 | '2'))
			offers |= SYSCALLS_OFFERS_HTTP_2;
		else if (size == 8)
			offers |= SYSCALLS_OFFERS_HTTP_1;
		at += 1 + size;
	}
	return offers;
}

struct hello {
	uint64_t name, alpn;
	uint32_t name_size, alpn_size;
};

static inline void walk_extensions(struct hello *h, uint64_t at, uint64_t end)
{
	for (uint32_t i = 0; i < EXTENSIONS && at + 4 <= end; i++) {
		uint32_t type = user_u16(at), length = user_u16(at + 2);

		if (type == EXTENSION_NAME && length > 5) {
			h->name = at + NAME_AT;
			h->name_size = user_u16(at + NAME_AT - 2);
		} else if (type == EXTENSION_ALPN) {
			h->alpn = at;
			h->alpn_size = length + 4;
		}
		at += 4 + length;
	}
}

/* Keeps a flag byte, then the name, which is empty if the hello has none, as for an address. */
VERIFIED_ALONE_BY_NUMBERS int keep_hello(
	uint32_t scratch_index, uint32_t argument, uint64_t from, uint64_t done)
{
	uint64_t at = from + HELLO_SESSION, end = from + done;
	struct call_with_pieces *p = bpf_map_lookup_elem(&scratch, &scratch_index);
	struct hello h = {};
	uint32_t place, size;
	uint8_t offers;
	char *to;

	if (!p || done < HELLO_LEAST || user_u8(from + TLS_HEAD) != TLS_HELLO)
		return 0;
	at += 1 + user_u8(at);
	at += 2 + user_u16(at);
	at += 1 + user_u8(at);
	walk_extensions(&h, at + 2, end);
	offers = offers_of(h.alpn, h.alpn_size);
	size = h.name_size > SYSCALLS_NAME_MAX ? SYSCALLS_NAME_MAX : h.name_size;
	place = p->at;
	if (place > PIECE_AT_MAX)
		return 0;
	to = p->pieces + place + sizeof(struct syscalls_piece);
	to[0] = (char)offers;
	size &= SYSCALLS_NAME_MAX;
	if (bpf_probe_read_user(to + 1, size, (const void *)(unsigned long)h.name))
		size = 0;
	put_head(p, place, (uint8_t)argument, SYSCALLS_PART_SERVER, 0, size + 1);
	return 0;
}

/* --- HTTP --- */

/* Returns the length of the method; 0: this is no request line. */
static inline uint32_t method_size(const uint8_t head[16])
{
	uint32_t size = 0;

	for (uint32_t i = 0; i < METHOD_MOST; i++) {
		if (head[i] == ' ')
			break;
		if (head[i] < 'A' || head[i] > 'Z')
			return 0;
		size = i + 1;
	}
	return size >= 3 && size < METHOD_MOST ? size : 0;
}

/* Returns whether a target begins: "/path", "http://..." for a proxy, "*"; for CONNECT a host. */
static inline bool begins_target(const uint8_t head[16], uint32_t method)
{
	uint8_t first = head[(method + 1) & 15];

	return first == '/' || first == '*' || first == 'h' || (method == 7 && head[0] == 'C');
}

/* Returns the length of the target without its query, in the line in the current piece, behind the
 * method. The loop has one comparison with a number that is unknown at load, else the verifier
 * checks each iteration for each value. */
VERIFIED_ALONE_BY_NUMBERS int target_size(uint32_t scratch_index, uint32_t from, uint32_t most)
{
	struct call_with_pieces *p = bpf_map_lookup_elem(&scratch, &scratch_index);
	uint32_t at = p ? p->at : 0, size = 0;
	const char *target;

	if (!p || at > PIECE_AT_MAX)
		return 0;
	target = p->pieces + at + sizeof(struct syscalls_piece) + (from & 15);
	for (uint32_t i = 0; i < LINE_MOST; i++) {
		uint8_t c = (uint8_t)target[i];

		if (i >= most || c <= ' ' || c == '?' || c == '#' || c >= 127)
			break;
		size = i + 1;
	}
	return (int)size;
}

/* Keeps a request like "POST /v1/messages": the query behind a '?' does not leave the kernel. */
VERIFIED_ALONE_BY_NUMBERS int keep_request(
	uint32_t scratch_index, uint32_t argument, uint64_t from, uint64_t done)
{
	struct call_with_pieces *p = bpf_map_lookup_elem(&scratch, &scratch_index);
	uint8_t head[16] __attribute__((aligned(8))) = {};
	uint32_t at, method, size, end;
	char *to;

	if (!p || done < sizeof(head) ||
		bpf_probe_read_user(head, sizeof(head), (const void *)(unsigned long)from))
		return 0;
	method = method_size(head);
	if (!method || !begins_target(head, method))
		return 0;
	at = p->at;
	if (at > PIECE_AT_MAX)
		return 0;
	to = p->pieces + at + sizeof(struct syscalls_piece);
	size = done > LINE_MOST ? LINE_MOST : (uint32_t)done;
	size &= 0xff;
	if (bpf_probe_read_user(to, size, (const void *)(unsigned long)from))
		return 0;
	end = method + 1 +
	      (uint32_t)target_size(scratch_index, method + 1, (size - method - 1) & 0xff);
	at = p->at;
	if (at > PIECE_AT_MAX)
		return 0;
	to = p->pieces + at + sizeof(struct syscalls_piece);
	/* Padding of the piece must not be the query. The piece is a string: a masked one ends
	 * early. */
	for (uint32_t i = 0; i < 9; i++)
		to[(end + i) & 0xff] = 0;
	put_head(p, at, (uint8_t)argument, SYSCALLS_PART_REQUEST,
		end == LINE_MOST ? STATE_TRUNCATED : 0, (end + 1) & 0xff);
	return 0;
}

#define LAST_CHUNK_SIZE 7 /* CR LF 0 CR LF CR LF, or without the first two */

static inline void keep_last_chunk(
	struct call_with_pieces *p, uint8_t argument, uint64_t from, uint64_t done)
{
	uint8_t end[8] = {};

	if (done == LAST_CHUNK_SIZE - 2) {
		end[0] = '\r';
		end[1] = '\n';
		if (bpf_probe_read_user(
			    end + 2, LAST_CHUNK_SIZE - 2, (const void *)(unsigned long)from))
			return;
	} else if (done < LAST_CHUNK_SIZE ||
		   bpf_probe_read_user(end, LAST_CHUNK_SIZE,
			   (const void *)(unsigned long)(from + done - LAST_CHUNK_SIZE))) {
		return;
	}
	if (end[0] == '\r' && end[1] == '\n' && end[2] == '0' && end[3] == '\r' && end[4] == '\n' &&
		end[5] == '\r' && end[6] == '\n')
		put_head(p, p->at, argument, SYSCALLS_PART_LAST_CHUNK, 0, 0);
}

/* --- by call --- */

/* Each reader is verified alone: nested, their loops multiply, and the verifier needs half a second
 * for half a million instructions at each load. */
VERIFIED_ALONE_BY_NUMBERS int keep_sent(
	uint32_t scratch_index, uint32_t argument, uint64_t from, uint64_t done)
{
	struct call_with_pieces *p = bpf_map_lookup_elem(&scratch, &scratch_index);
	uint8_t head[8] = {};

	if (!p || done < TLS_HEAD ||
		bpf_probe_read_user(head, TLS_HEAD, (const void *)(unsigned long)from))
		return 0;
	if (!is_tls(head))
		return keep_request(scratch_index, argument, from, done);
	keep_records(p, (uint8_t)argument, from, done);
	return head[0] == TLS_HANDSHAKE ? keep_hello(scratch_index, argument, from, done) : 0;
}

VERIFIED_ALONE_BY_NUMBERS int keep_received(
	uint32_t scratch_index, uint32_t argument, uint64_t from, uint64_t done)
{
	struct call_with_pieces *p = bpf_map_lookup_elem(&scratch, &scratch_index);
	uint8_t head[8] = {};

	if (!p || done < TLS_HEAD ||
		bpf_probe_read_user(head, TLS_HEAD, (const void *)(unsigned long)from))
		return 0;
	if (is_tls(head)) {
		keep_records(p, (uint8_t)argument, from, done);
		return 0;
	}
	if (!config.keeps_status)
		keep_status(p, (uint8_t)argument, from, done);
	keep_last_chunk(p, (uint8_t)argument, from, done);
	return 0;
}

/* Returns the beginning of the moved bytes, limited to the first buffer. */
static inline struct vector first_bytes(
	const volatile struct syscalls_capture *c, uint64_t from, uint64_t moved)
{
	struct vector first = {};
	struct message m = {};

	if (c->keep == SYSCALLS_KEEP_MESSAGE) {
		if (bpf_probe_read_user(&m, sizeof(m), (const void *)(unsigned long)from))
			return first;
		from = m.vectors;
	} else if (c->keep != SYSCALLS_KEEP_VECTORS) {
		if (c->is_data)
			first = (struct vector){ from, moved };
		return first;
	}
	if (!from || bpf_probe_read_user(&first, sizeof(first), (const void *)(unsigned long)from))
		return (struct vector){};
	if (first.size > moved)
		first.size = moved;
	return first;
}

/* Returns whether a descriptor is a socket of IPv4 or IPv6. */
static inline bool is_internet_socket(uint64_t fd)
{
	struct sock *sk = socket_of((uint32_t)fd);
	uint16_t family = sk ? BPF_CORE_READ(sk, __sk_common.skc_family) : 0;

	return family == FAMILY_INET || family == FAMILY_INET6;
}

/* Keeps the API facts of the call in the scratch memory. Returns 0 after its last capture. */
VERIFIED_ALONE_BY_NUMBERS int keep_api(uint32_t number, uint32_t index, uint32_t scratch_index)
{
	struct call_with_pieces *p = bpf_map_lookup_elem(&scratch, &scratch_index);
	const volatile struct syscalls_capture *c;
	struct vector first;
	bool is_elsewhere;
	uint64_t from;

	if (!p || p->call.result <= 0)
		return 0;
	c = &config.captures[number & (SYSCALLS_NUMBERS - 1)][index & (SYSCALLS_PIECES - 1)];
	from = p->arguments[c->argument & (ARGUMENT_SLOTS - 1)];
	if (c->keep == SYSCALLS_KEEP_NOTHING || !from)
		return 0;
	/* A file may begin with text that looks like a request. */
	is_elsewhere = !config.only_api && !is_internet_socket(p->arguments[0]);
	if (is_elsewhere &&
		(!config.keeps_errors || c->is_result || !is_error_output(p->arguments[0])))
		return 0;
	first = first_bytes(c, from, (uint64_t)p->call.result);
	if (is_elsewhere) {
		keep_error_output(scratch_index, c->argument, first.base, first.size);
		return 0;
	}
	if (c->is_result)
		keep_received(scratch_index, c->argument, first.base, first.size);
	else
		keep_sent(scratch_index, c->argument, first.base, first.size);
	return 1;
}

/* Returns false if the call moved no bytes, or not on an internet socket. */
static inline bool is_of_api(const struct thread *t, int64_t result)
{
	if (!moves_bytes(t))
		return true;
	return result != API_DROPPED_ERROR && is_internet_socket(t->arguments[0]);
}
