/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Standard streams. The time at which a terminal was last read from has a resolution of 8 seconds
 * in the kernel (tty_update_time), so that key strokes cannot be counted.
 *
 * Whether a pipe has writers is found by opening it once more for reading, through /proc/PID/fd,
 * for some microseconds. The effects on the pipe (fs/pipe.c):
 *
 * - It has one more reader. If the last real reader closes in that time, its writer is informed
 * (SIGPIPE, EPIPE) as soon as this one is closed. Only an end that was opened for reading is
 * opened, so there is a real reader, and no writer waiting for one in open(2) is woken by this
 * one.
 * - Nothing is consumed: tee(2) copies without consuming, and for an empty pipe it returns 0 if
 * there is no writer, EAGAIN if there is one. poll(2) would report that too, but it leaves a mark
 * in the pipe for good (poll_usage: from then on each write wakes users of EPOLLET); it is used
 * only when there are bytes in the pipe, where tee() does not report it.
 * - For a FIFO of a file system poll() does not report it to a reader that opened it after the
 * last writer was gone: with bytes in it, the answer is unknown.
 */
#include "os/linux/proc/proc_stream.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/units.h"
#include "os/linux/files/procfs.h"
#include "os/linux/files/terminal_names.h"
#include "probes/proc.h"

#define NULL_MAJOR 1 /* admin-guide/devices.txt */
#define NULL_MINOR 3

static uint8_t kind_of(const struct statx *st)
{
	uint32_t device = terminal_number(st->stx_rdev_major, st->stx_rdev_minor);

	switch (st->stx_mode & S_IFMT) {
	case S_IFREG:
		return PROC_STREAM_FILE;
	case S_IFIFO:
		return PROC_STREAM_PIPE;
	case S_IFSOCK:
		return PROC_STREAM_SOCKET;
	case S_IFCHR:
		if (st->stx_rdev_major == NULL_MAJOR && st->stx_rdev_minor == NULL_MINOR)
			return PROC_STREAM_NULL;
		return is_terminal_number(device) ? PROC_STREAM_TERMINAL : PROC_STREAM_OTHER;
	default:
		return PROC_STREAM_OTHER;
	}
}

static void stream_name(char name[24], unsigned fd)
{
	snprintf(name, 24, "fd/%u", fd);
}

void proc_stream_read(struct proc_stream_info *out, int process, unsigned fd)
{
	struct stat link;
	struct statx st;
	char name[24];
	int status;
	bool is_named;

	stream_name(name, fd);
	status = procfs_link_at(process, name, &out->path);
	if (status == -ENOENT) {
		out->stream = PROC_STREAM_NONE;
		out->state = faccessat(process, "fd", F_OK, 0)
				     ? SOOTH_NOT_MEASURED(SOOTH_REASON_ENDED)
				     : SOOTH_STATE_VALUE;
		return;
	}
	if (!status && fstatat(process, name, &link, AT_SYMLINK_NOFOLLOW))
		status = -errno;
	if (!status && statx(process, name, AT_STATX_DONT_SYNC,
			       STATX_TYPE | STATX_INO | STATX_ATIME | STATX_MTIME, &st))
		status = -errno;
	out->state = procfs_state(status == -ENOENT ? -ESRCH : status);
	if (status) {
		buffer_reset(&out->path);
		return;
	}
	is_named = out->path.size && out->path.data[0] == '/';
	out->is_readable = link.st_mode & S_IRUSR;
	out->stream = kind_of(&st);
	out->inode = st.stx_ino;
	if (out->stream == PROC_STREAM_TERMINAL && st.stx_atime.tv_sec > 0)
		out->input_utc_ns = (uint64_t)st.stx_atime.tv_sec * NS_PER_S;
	if (out->stream == PROC_STREAM_FILE && st.stx_mtime.tv_sec > 0)
		out->output_utc_ns =
			(uint64_t)st.stx_mtime.tv_sec * NS_PER_S + st.stx_mtime.tv_nsec;
	if (S_ISFIFO(st.stx_mode) && is_named)
		out->device = makedev(st.stx_dev_major, st.stx_dev_minor);
	if (out->stream != PROC_STREAM_FILE && !out->device)
		buffer_reset(&out->path);
}

/* Returns whether the kernel reports that no process can write more to a pipe with bytes in it. */
static int poll_hangup(int end, bool is_fifo)
{
	struct pollfd polled = { .fd = end, .events = POLLIN };

	if (is_fifo)
		return -ENODATA;
	if (poll(&polled, 1, 0) < 0)
		return -errno;
	return !(polled.revents & POLLHUP);
}

int proc_stream_has_writer(const struct proc_stream_info *stream, int process, unsigned fd)
{
	_cleanup_close_ int end = -1, from = -1, into = -1;
	char name[24];
	int copy[2];
	ssize_t got;

	if (!stream->is_readable)
		return -ENODATA;
	stream_name(name, fd);
	if (pipe2(copy, O_CLOEXEC | O_NONBLOCK))
		return -errno;
	from = copy[0];
	into = copy[1];
	end = openat(process, name, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	if (end < 0)
		return -errno;
	got = tee(end, into, 1, SPLICE_F_NONBLOCK);
	if (!got)
		return 0;
	if (got > 0)
		return poll_hangup(end, stream->device != 0);
	return errno == EAGAIN ? 1 : -errno;
}
