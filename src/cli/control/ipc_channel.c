/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/control/ipc_channel.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/closed_at_exec.h"

#define HEADER	    8 /* size of the whole message; here each message is one packet */
#define PACKET_MAX  256
#define DESCRIPTORS 4

enum command { COMMAND_ENABLE, COMMAND_DISABLE, COMMAND_PING };

enum answer { ANSWER_DONE, ANSWER_FAILED };

/* A command, and the index of the descriptor of its channel for the answer. */
struct message {
	uint64_t size;
	uint32_t command;
	uint64_t channel;
} __attribute__((packed));

/* The descriptors of a packet. */
/* The flag is missing on macOS; there the descriptors are closed right away. */
#ifndef MSG_CMSG_CLOEXEC
#define MSG_CMSG_CLOEXEC 0
#endif

union passed {
	struct cmsghdr head;
	char bytes[CMSG_SPACE(sizeof(int) * DESCRIPTORS)];
};

/* --- opening --- */

static int connect_to(const char *name, struct sooth_error *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = closed_at_exec_socket(AF_UNIX, SOCK_SEQPACKET, true), status;

	if (fd < 0)
		return error_errno(err, -errno, "make a socket");
	if (!*name || strlen(name) >= sizeof(address.sun_path)) {
		close(fd);
		return error_errno(err, -ENAMETOOLONG, "connect to %s", name);
	}
	memcpy(address.sun_path, name, strlen(name));
	if (!connect(fd, (const void *)&address, sizeof(address)))
		return fd;
	status = -errno;
	close(fd);
	return error_errno(err, status, "connect to %s", name);
}

/* Sends a message that is a sender: its index among the descriptors. */
static int send_sender(int to, int sender)
{
	uint64_t words[2] = { sizeof(uint64_t), 0 };
	struct iovec data = { words, sizeof(words) };
	union passed passed = { 0 };
	struct msghdr packet = { .msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = &passed,
		.msg_controllen = CMSG_SPACE(sizeof(int)) };
	struct cmsghdr *head = CMSG_FIRSTHDR(&packet);

	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_RIGHTS;
	head->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(head), &sender, sizeof(sender));
	return sendmsg(to, &packet, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int ipc_channel_open(struct ipc_channel *c, const char *name, struct sooth_error *err)
{
	int ends[2], status = 0, server = connect_to(name, err);

	assert(c);
	c->receiver = -1;
	if (server < 0)
		return server;
	if (closed_at_exec_pair(AF_UNIX, SOCK_SEQPACKET, ends)) {
		close(server);
		return error_errno(err, -errno, "make a channel");
	}
	status = send_sender(server, ends[1]);
	close(server);
	close(ends[1]);
	c->receiver = ends[0];
	if (!status)
		return 0;
	ipc_channel_close(c);
	return error_errno(err, status, "send to %s", name);
}

void ipc_channel_close(struct ipc_channel *c)
{
	assert(c);
	if (c->receiver >= 0)
		close(TAKE_FD(c->receiver));
}

/* --- serving --- */

static size_t descriptors_of(struct msghdr *packet, int out[DESCRIPTORS])
{
	size_t count = 0;

	for (struct cmsghdr *h = CMSG_FIRSTHDR(packet); h; h = CMSG_NXTHDR(packet, h)) {
		size_t size = h->cmsg_len - CMSG_LEN(0);

		if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS)
			continue;
		count = size / sizeof(int) > DESCRIPTORS ? DESCRIPTORS : size / sizeof(int);
		memcpy(out, CMSG_DATA(h), count * sizeof(int));
	}
	return count;
}

static void send_reply(int fd, bool is_done)
{
	struct {
		uint64_t size;
		uint32_t answer;
	} __attribute__((packed))
	words = { sizeof(uint32_t), is_done ? ANSWER_DONE : ANSWER_FAILED };

	/* A client that does not wait for the answer gets none. */
	send(fd, &words, sizeof(words), MSG_NOSIGNAL | MSG_DONTWAIT);
}

static bool run_ipc_command(uint32_t command, struct sooth_observer *o)
{
	switch (command) {
	case COMMAND_ENABLE:
		return !sooth_observer_resume(o, NULL);
	case COMMAND_DISABLE:
		return !sooth_observer_pause(o, NULL);
	default:
		return command == COMMAND_PING;
	}
}

/* Serves one command. False: there is none for now, or the client is gone. */
static bool handle_command(struct ipc_channel *c, struct sooth_observer *o)
{
	char bytes[PACKET_MAX] = { 0 };
	struct iovec data = { bytes, sizeof(bytes) };
	union passed passed = { 0 };
	struct msghdr packet = { .msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = &passed,
		.msg_controllen = sizeof(passed) };
	ssize_t size = recvmsg(c->receiver, &packet, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	int descriptors[DESCRIPTORS];
	struct message message;
	size_t count;

	if (size <= 0) {
		if (!size || (errno != EAGAIN && errno != EINTR))
			ipc_channel_close(c);
		return false;
	}
	count = descriptors_of(&packet, descriptors);
	memcpy(&message, bytes, sizeof(message));
	if ((size_t)size == sizeof(message) && message.size == sizeof(message) - HEADER &&
		message.channel < count)
		send_reply(descriptors[message.channel], run_ipc_command(message.command, o));
	for (size_t i = 0; i < count; i++)
		close(descriptors[i]);
	return true;
}

int ipc_channel_serve(void *channel, struct sooth_observer *o, struct sooth_error *err)
{
	struct ipc_channel *c = channel;

	(void)err;
	while (c->receiver >= 0 && handle_command(c, o))
		;
	return 0;
}
