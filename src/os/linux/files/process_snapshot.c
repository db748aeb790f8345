/* SPDX-License-Identifier: BSD-2-Clause */
/* A process while it is read. */
#include "os/linux/files/process_snapshot.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "os/linux/files/as_caller.h"
#include "os/os.h"

static int gone_status(struct process_snapshot *r, const struct process_id *expected, int status)
{
	if (!expected)
		return 1; /* listed as one of all processes, but gone by now */
	r->id = *expected;
	/* Without descriptors, a living process cannot be opened. */
	return status == -EMFILE || status == -ENFILE ? status : -ESRCH;
}

int process_snapshot_open_stat(struct process_snapshot *r, const struct backend_run *run, pid_t pid,
	const struct process_id *expected, struct procfs_stat *stat, struct buffer *bytes)
{
	assert(stat);

	struct stat owner;
	int status;

	assert(r);
	assert(run);
	*r = (struct process_snapshot){ .process = procfs_open(pid) };
	if (r->process < 0 || fstat(r->process, &owner))
		return gone_status(r, expected, r->process);
	r->uid = owner.st_uid;
	if (run->options.has_uid && r->uid != run->options.uid)
		return 1;
	status = procfs_stat_at(r->process, stat, bytes);
	if (status || (expected && expected->start_ticks != stat->start_ticks))
		return gone_status(r, expected, status);
	r->id = (struct process_id){ .start_ticks = stat->start_ticks, .pid = stat->pid };
	procfs_open_living(&r->process, stat);
	return 0;
}

int process_snapshot_open(struct process_snapshot *r, const struct backend_run *run, pid_t pid,
	const struct process_id *expected)
{
	struct buffer bytes = { 0 };
	struct procfs_stat stat;
	int status = process_snapshot_open_stat(r, run, pid, expected, &stat, &bytes);

	buffer_fini(&bytes);
	return status;
}

void process_snapshot_close(struct process_snapshot *r)
{
	assert(r);
	cleanup_close(&r->process);
	r->process = -1;
}

struct sooth_record process_snapshot_head(const struct process_snapshot *r,
	const struct backend_run *run, uint32_t tid, uint16_t kind)
{
	assert(r);
	assert(run);
	return (struct sooth_record){ .time_ns = run->os->now_ns(run->os),
		.start_ticks = r->id.start_ticks,
		.pid = r->id.pid,
		.tid = tid,
		.kind = kind,
		.cpu = SOOTH_CPU_NONE };
}

int process_snapshot_status(const struct process_snapshot *r, int status)
{
	struct process_id now;

	assert(r);
	if (status != -ENOENT && status != -EINVAL && status != -EIO)
		return status;
	return procfs_identify_at(r->process, &now) ? -ESRCH : status;
}

int process_snapshot_file(
	const struct process_snapshot *r, uint32_t tid, const char *name, struct buffer *out)
{
	char path[48];
	_cleanup_close_ int fd = -1;
	ssize_t got;
	void *to;

	assert(r);
	buffer_reset(out);
	to = buffer_reserve(out, PROCFS_SMALL);
	if (!to)
		return -ENOMEM;
	snprintf(path, sizeof(path), "task/%u/%s", tid, name);
	fd = open_as_caller(r->process, path, O_RDONLY | O_CLOEXEC);
	got = fd < 0 ? -1 : read(fd, to, PROCFS_SMALL);
	if (got < 0)
		return -errno;
	buffer_commit(out, (size_t)got);
	return 0;
}

uint8_t process_snapshot_state(const struct process_snapshot *r, uint32_t tid, int status)
{
	char path[32];

	assert(r);
	if (status != -ENOENT)
		return procfs_state(status);
	snprintf(path, sizeof(path), "task/%u", tid);
	return SOOTH_NOT_MEASURED(faccessat(r->process, path, F_OK, 0) ? SOOTH_REASON_ENDED
								       : SOOTH_REASON_UNSUPPORTED);
}

static bool thread_number(const char *name, uint32_t *tid)
{
	struct cursor c = cursor_over(name, strlen(name));
	uint64_t value = cursor_decimal(&c);

	*tid = (uint32_t)value;
	return !c.failed && cursor_at_end(&c) && value && value <= INT32_MAX;
}

int process_snapshot_threads(const struct process_snapshot *r, struct buffer *tids, size_t limit)
{
	assert(r);

	int fd = openat(r->process, "task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_dir_ DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	size_t count = 0;

	buffer_reset(tids);
	if (!dir) {
		int status = -errno;

		cleanup_close(&fd);
		return process_snapshot_status(r, status);
	}
	for (struct dirent *entry; (entry = readdir(dir));) {
		uint32_t tid;

		if (!thread_number(entry->d_name, &tid))
			continue;
		if (count++ == limit)
			return 1;
		buffer_append(tids, &tid, sizeof(tid));
	}
	if (buffer_failed(tids))
		return -ENOMEM;
	return count ? 0 : -ESRCH;
}
