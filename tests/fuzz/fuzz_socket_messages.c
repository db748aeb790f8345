/* SPDX-License-Identifier: BSD-2-Clause */
/* Answers of sock_diag. The first byte says what was asked; the kernel's are not hostile, but
 * other kernels are other kernels. */
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "fuzz.h"
#include "os/linux/sock_diag/socket_messages.h"
#include "os/linux/sockets/socket_record.h"

struct input {
	const char *data, *end;
	size_t told;
};

static void take(void *user, const struct socket_fact *f)
{
	struct input *in = user;
	struct sockets_socket r = { 0 };
	struct socket_texts texts;
	const struct socket_record_way way = { .needs_detail = true, .netlink = -1 };

	in->told++;
	CHECK(f->state < SOCKETS_STATES);
	if (f->name.size)
		CHECK(f->name.data >= in->data && f->name.data + f->name.size <= in->end);
	socket_record_fill(&r, &texts, f, &way);
	CHECK(texts.local_size <= sizeof(texts.local) && texts.peer_size <= sizeof(texts.peer));
	CHECK(r.family < SOCKETS_FAMILIES);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct socket_request questions[] = {
		{ AF_INET, IPPROTO_TCP, true },
		{ AF_INET6, IPPROTO_TCP, true },
		{ AF_INET, IPPROTO_UDP, true },
		{ AF_UNIX, 0, true },
		{ AF_NETLINK, 0, true },
		{ AF_PACKET, 0, true },
	};
	unsigned char request[SOCKET_REQUEST_MAX];
	struct socket_answer answer = { 0 };
	struct input in;

	if (!size)
		return 0;
	answer.request = &questions[data[0] % (sizeof(questions) / sizeof(questions[0]))];
	in = (struct input){ (const char *)data + 1, (const char *)data + size, 0 };
	/* Sequence 0, as inputs have it. */
	if (socket_messages_parse(&answer, data + 1, size - 1, take, &in) == 0)
		CHECK(in.told <= answer.messages);
	CHECK(in.told <= size / 16);
	CHECK(socket_messages_request(request, answer.request, 1) <= sizeof(request));
	return 0;
}
