/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/linux/files/process_clock.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/cursor.h"
#include "base/units.h"
#include "os/linux/files/procfs.h"

/* The kernel accepts offsets of at most KTIME_SEC_MAX / 2 (proc_timens_set_offset()). */
#define SECONDS_MAX (INT64_MAX / (int64_t)NS_PER_S / 2)

static bool parse_line(struct span line, const char *clock, int64_t *offset_ns)
{
	struct cursor c = cursor_over(line.data, line.size);
	int64_t seconds, ns;

	if (!cursor_skip(&c, clock))
		return false;
	cursor_blanks(&c);
	seconds = cursor_signed(&c);
	cursor_blanks(&c);
	ns = cursor_signed(&c);
	cursor_blanks(&c);
	if (c.failed || !cursor_at_end(&c) || seconds < -SECONDS_MAX || seconds > SECONDS_MAX ||
		ns < 0 || ns >= (int64_t)NS_PER_S)
		return false;
	*offset_ns = seconds * (int64_t)NS_PER_S + ns;
	return true;
}

bool process_clock_parse(struct process_clock *c, const void *data, size_t size)
{
	struct cursor text = cursor_over(data, size);

	return parse_line(cursor_line(&text), "monotonic ", &c->monotonic_ns) &&
	       parse_line(cursor_line(&text), "boottime ", &c->boottime_ns);
}

/* Reads the clock offsets. The file has those of the namespace that children will be in, which is
 * not that of a process that has called unshare(2) and runs on. */
static bool read_offsets(int process, const struct stat *of, struct process_clock *c)
{
	struct buffer text = { 0 };
	struct stat now, children;
	bool is_read = procfs_read_at(process, "timens_offsets", &text, PROCFS_STAT) == 0 &&
		       process_clock_parse(c, text.data, text.size) &&
		       !fstatat(process, "ns/time", &now, 0) &&
		       !fstatat(process, "ns/time_for_children", &children, 0) &&
		       now.st_ino == of->st_ino && children.st_ino == of->st_ino;

	buffer_fini(&text);
	return is_read;
}

static bool read_own_offsets(const struct stat *own, struct process_clock *c)
{
	_cleanup_close_ int self = open("/proc/self", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return self >= 0 && read_offsets(self, own, c);
}

bool process_clock_read(struct process_clock *c, int process)
{
	struct process_clock here;
	struct stat its, own;

	*c = (struct process_clock){ 0 };
	if (stat("/proc/self/ns/time", &own))
		return errno == ENOENT; /* before Linux 5.6 there was only one */
	if (fstatat(process, "ns/time", &its, 0))
		return false;
	if (its.st_ino == own.st_ino)
		return true;
	if (!read_offsets(process, &its, c) || !read_own_offsets(&own, &here))
		return false;
	c->monotonic_ns -= here.monotonic_ns;
	c->boottime_ns -= here.boottime_ns;
	return true;
}

bool process_clock_now(int process, clockid_t clock, uint64_t *now_ns)
{
	struct process_clock c = { 0 };
	int64_t offset = 0;

	switch (clock) {
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_ALARM:
	case CLOCK_TAI:
		break;
	case CLOCK_MONOTONIC:
		if (!process_clock_read(&c, process))
			return false;
		offset = c.monotonic_ns;
		break;
	case CLOCK_BOOTTIME:
	case CLOCK_BOOTTIME_ALARM:
		if (!process_clock_read(&c, process))
			return false;
		offset = c.boottime_ns;
		break;
	default:
		return false;
	}
	*now_ns = clock_ns(clock) + (uint64_t)offset;
	return true;
}

static int64_t own_ns;

static void find_own(void)
{
	struct process_clock c;
	struct stat own;

	if (!stat("/proc/self/ns/time", &own) && read_own_offsets(&own, &c))
		own_ns = c.monotonic_ns;
}

int64_t process_clock_offset_ns(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, find_own);
	return own_ns;
}
