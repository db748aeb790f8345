/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages of sock_diag(7): requests and answers. */
#pragma once

#include "os/linux/sock_diag/socket_fact.h"

struct socket_request {
	int family;	   /* AF_* */
	int protocol;	   /* IPPROTO_* of inet; else 0 */
	bool needs_detail; /* request details that the kernel has to collect per connection */
};

#define SOCKET_REQUEST_MAX 128

/* Writes the request; returns its size. */
size_t socket_messages_request(
	unsigned char out[SOCKET_REQUEST_MAX], const struct socket_request *q, uint32_t sequence);

struct socket_answer {
	const struct socket_request *request;
	uint32_t sequence;
	uint64_t messages; /* messages so far */
	/* the table changed while it was read: some sockets may be missing or reported twice */
	bool is_interrupted;
	bool is_done;
};

/* Parses one datagram of the answer. Returns 0, the error in the kernel's answer, or -EBADMSG if
 * the datagram is invalid. Messages with another sequence number are skipped. */
int socket_messages_parse(struct socket_answer *answer, const void *data, size_t size,
	socket_fact_consumer take, void *user);
