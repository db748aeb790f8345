/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads a file that may not answer, piece by piece. */
#include "os/linux/files/timed_file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/units.h"
#include "os/linux/files/as_caller.h"

#define READ_BYTES (32u << 10) /* per call: seq files return a few pages at a time */

struct piece {
	int fd;
	size_t most;
	struct buffer bytes;
	int status;
};

static void run_read_job(void *argument)
{
	struct piece *p = argument;

	p->status = 1;
	while (p->status == 1 && p->bytes.size < p->most) {
		void *to = buffer_reserve(&p->bytes, READ_BYTES);
		ssize_t got = to ? read(p->fd, to, READ_BYTES) : -1;

		if (!to)
			p->status = -ENOMEM;
		else if (got < 0 && errno != EINTR && errno != EAGAIN)
			p->status = -errno;
		else if (!got)
			p->status = 0;
		else if (got > 0)
			buffer_commit(&p->bytes, (size_t)got);
	}
}

static void drop_read(void *argument)
{
	struct piece *p = argument;

	buffer_fini(&p->bytes);
	close(p->fd);
}

int timed_file_open(struct timed_file *f, struct timeout *timeout, int process, const char *name,
	int timeout_ms)
{
	assert(f);
	*f = (struct timed_file){ .timeout = timeout,
		.fd = open_as_caller(process, name, O_RDONLY | O_CLOEXEC),
		.deadline_ns = clock_monotonic_ns() + (uint64_t)timeout_ms * NS_PER_MS };
	return f->fd < 0 ? -errno : 0;
}

int timed_file_read(struct timed_file *f, struct buffer *out, size_t most)
{
	assert(f);

	struct piece p = { .fd = f->fd, .most = most };
	uint64_t now = clock_monotonic_ns();
	int status;

	if (now >= f->deadline_ns || f->fd < 0)
		return -ETIMEDOUT;
	status = timeout_call(f->timeout, run_read_job, drop_read, &p, sizeof(p), p.fd,
		(int)((f->deadline_ns - now) / NS_PER_MS) + 1);
	if (status == -ETIMEDOUT)
		f->fd = -1; /* the stuck reader owns it */
	if (status)
		return status;
	buffer_append(out, p.bytes.data, p.bytes.size);
	buffer_fini(&p.bytes);
	return buffer_failed(out) ? -ENOMEM : p.status;
}

void timed_file_close(struct timed_file *f)
{
	assert(f);
	if (f->fd >= 0)
		close(f->fd);
	f->fd = -1;
}
