/* SPDX-License-Identifier: BSD-2-Clause */
/* Meaning of a wait message of FreeBSD's kernel (bsd_channels.def). */
#pragma once

#include "base/cursor.h"

enum bsd_channel {
	BSD_CHANNEL_NONE, /* an unknown message */
	BSD_CHANNEL_PIPE_READ,
	BSD_CHANNEL_PIPE_WRITE,
	BSD_CHANNEL_FIFO_OPEN,
	BSD_CHANNEL_SOCKET, /* data to read, or room to write */
	BSD_CHANNEL_ACCEPTS,
	BSD_CHANNEL_CONNECTS,
	BSD_CHANNEL_TERMINAL_READ,
	BSD_CHANNEL_TERMINAL_WRITE,
	BSD_CHANNEL_CHILD,
	BSD_CHANNEL_EVENTS, /* waits for several descriptors; the message does not name them */
	BSD_CHANNEL_SLEEP,
	BSD_CHANNEL_FILE_LOCK,
	BSD_CHANNEL_SIGNAL,
	BSD_CHANNEL_LOCK,
	BSD_CHANNEL_IPC,
	BSD_CHANNEL_DISK,
	BSD_CHANNEL_FILE_SYSTEM, /* a file system of a server or a daemon */
};

enum bsd_channel bsd_channel_of(struct span name);
