/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/linux/files/descriptors.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

union control {
	struct cmsghdr head;
	char bytes[CMSG_SPACE(DESCRIPTORS_MAX * sizeof(int))];
};

int descriptors_send(
	int socket, const int *fds, size_t count, const void *data, size_t size, int flags)
{
	union control control = { .head = { .cmsg_len = CMSG_LEN(count * sizeof(*fds)),
					  .cmsg_level = SOL_SOCKET,
					  .cmsg_type = SCM_RIGHTS } };
	struct iovec bytes = { (void *)data, size };
	struct msghdr message = { .msg_iov = &bytes,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = CMSG_SPACE(count * sizeof(*fds)) };
	ssize_t sent;

	assert(count <= DESCRIPTORS_MAX);
	memcpy(CMSG_DATA(&control.head), fds, count * sizeof(*fds));
	do
		sent = sendmsg(socket, &message, MSG_NOSIGNAL | flags);
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? -errno : 0;
}

int descriptors_receive(int socket, int *fds, size_t count, void *data, size_t size, int flags)
{
	union control control;
	struct iovec bytes = { data, size };
	struct msghdr message = { .msg_iov = &bytes,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes) };
	ssize_t got;

	do
		got = recvmsg(socket, &message, MSG_CMSG_CLOEXEC | flags);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return -errno;
	if ((size_t)got != size || message.msg_controllen < CMSG_LEN(count * sizeof(*fds)) ||
		control.head.cmsg_len != CMSG_LEN(count * sizeof(*fds)))
		return -EBADF;
	memcpy(fds, CMSG_DATA(&control.head), count * sizeof(*fds));
	return 0;
}
