/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages of sock_diag(7): what is asked and what comes back. */
#ifndef SOOTH_OS_LINUX_SOCKET_MESSAGES_H
#define SOOTH_OS_LINUX_SOCKET_MESSAGES_H

#include "os/linux/sock_diag/socket_fact.h"

struct socket_request {
	int family;	   /* AF_* */
	int protocol;	   /* IPPROTO_* of inet; else 0 */
	bool wants_detail; /* what the kernel must look at each connection for */
};

#define SOCKET_REQUEST_MAX 128

/* Writes the request; its size. */
size_t socket_messages_ask(
	unsigned char out[SOCKET_REQUEST_MAX], const struct socket_request *q, uint32_t sequence);

struct socket_answer {
	const struct socket_request *question;
	uint32_t sequence;
	uint64_t messages;   /* so far */
	bool is_interrupted; /* the table changed while it was told: some may be missing or twice */
	bool is_done;
};

/*
 * One datagram of the answer. 0, the error the kernel answers with, or -EBADMSG when
 * it is none. Messages of another sequence are passed over.
 */
int socket_messages_take(struct socket_answer *answer, const void *data, size_t size,
	socket_fact_consumer take, void *user);

#endif
