/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of descriptor types and access modes. */
#include "probes/fd_names.h"

#include "probes/fds.h"

static const char *const types[FDS_TYPES] = {
	[FDS_UNKNOWN] = "unknown",
	[FDS_FILE] = "file",
	[FDS_DELETED] = "deleted",
	[FDS_DIRECTORY] = "directory",
	[FDS_PIPE] = "pipe",
	[FDS_FIFO] = "fifo",
	[FDS_UNIX] = "unix",
	[FDS_TCP] = "tcp",
	[FDS_UDP] = "udp",
	[FDS_NETLINK] = "netlink",
	[FDS_PACKET] = "packet",
	[FDS_SOCKET] = "socket",
	[FDS_EPOLL] = "epoll",
	[FDS_EVENTFD] = "eventfd",
	[FDS_TIMERFD] = "timerfd",
	[FDS_SIGNALFD] = "signalfd",
	[FDS_INOTIFY] = "inotify",
	[FDS_FANOTIFY] = "fanotify",
	[FDS_MEMFD] = "memfd",
	[FDS_PIDFD] = "pidfd",
	[FDS_BPF] = "bpf",
	[FDS_PERF] = "perf",
	[FDS_IO_URING] = "io_uring",
	[FDS_USERFAULTFD] = "userfaultfd",
	[FDS_PTY] = "pty",
	[FDS_TTY] = "tty",
	[FDS_DEVICE] = "device",
	[FDS_NAMESPACE] = "namespace",
	[FDS_ANONYMOUS] = "anonymous",
	[FDS_QUEUE] = "queue",
};

static const char *const accesses[FDS_ACCESSES] = {
	[FDS_ACCESS_NONE] = "-",
	[FDS_ACCESS_READ] = "r",
	[FDS_ACCESS_WRITE] = "w",
	[FDS_ACCESS_BOTH] = "rw",
};

const struct sooth_names fd_type_names = { FDS_TYPES, types };
const struct sooth_names fd_access_names = { FDS_ACCESSES, accesses };
