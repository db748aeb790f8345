/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/closed_at_exec.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#ifdef SOCK_CLOEXEC

int closed_at_exec_pipe(int ends[2])
{
	return pipe2(ends, O_CLOEXEC);
}

int closed_at_exec_socket(int family, int type, bool blocks)
{
	return socket(family, type | SOCK_CLOEXEC | (blocks ? 0 : SOCK_NONBLOCK), 0);
}

int closed_at_exec_pair(int family, int type, int ends[2])
{
	return socketpair(family, type | SOCK_CLOEXEC, 0, ends);
}

int closed_at_exec_accept(int listener, bool blocks)
{
	return accept4(listener, NULL, NULL, SOCK_CLOEXEC | (blocks ? 0 : SOCK_NONBLOCK));
}

#else

static int set_flags(int fd, bool blocks)
{
	int flags = fd < 0 ? 0 : fcntl(fd, F_GETFL);

	if (fd >= 0) {
		fcntl(fd, F_SETFD, FD_CLOEXEC);
		/* The accepted socket may have O_NONBLOCK from the listener. */
		fcntl(fd, F_SETFL, blocks ? flags & ~O_NONBLOCK : flags | O_NONBLOCK);
	}
	return fd;
}

int closed_at_exec_pipe(int ends[2])
{
	if (pipe(ends))
		return -1;
	set_flags(ends[0], true);
	set_flags(ends[1], true);
	return 0;
}

int closed_at_exec_socket(int family, int type, bool blocks)
{
	return set_flags(socket(family, type, 0), blocks);
}

int closed_at_exec_pair(int family, int type, int ends[2])
{
	if (socketpair(family, type, 0, ends))
		return -1;
	set_flags(ends[0], true);
	set_flags(ends[1], true);
	return 0;
}

int closed_at_exec_accept(int listener, bool blocks)
{
	return set_flags(accept(listener, NULL, NULL), blocks);
}

#endif
