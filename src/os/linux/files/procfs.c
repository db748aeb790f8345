/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads /proc. Formats: proc(5). */
#include "os/linux/files/procfs.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "os/linux/files/as_caller.h"

/* Skips words of a line with single blanks; stops at the end of the line. */
static void skip_words(struct cursor *c, unsigned count)
{
	while (count--) {
		const unsigned char *blank = memchr(c->at, ' ', cursor_left(c));

		c->at = blank ? blank + 1 : c->end;
	}
}

bool procfs_parse_stat(struct procfs_stat *stat, const void *data, size_t size)
{
	struct cursor c = cursor_over(data, size);
	const unsigned char *open, *close;

	assert(stat);
	*stat = (struct procfs_stat){ .pid = (uint32_t)cursor_decimal(&c) };
	/* The name may contain anything, even ") R 1": only the last parenthesis ends it. */
	open = memchr(data, '(', size);
	close = memrchr(data, ')', size);
	if (c.failed || !open || !close || close < open)
		return false;
	stat->name = span_of((const char *)open + 1, (size_t)(close - open - 1));
	c = cursor_over(close + 1, size - (size_t)(close + 1 - (const unsigned char *)data));
	cursor_blanks(&c);
	stat->state = (char)cursor_u8(&c);
	stat->ppid = (uint32_t)cursor_decimal(&c);
	stat->process_group = (uint32_t)cursor_signed(&c);
	stat->session = (uint32_t)cursor_signed(&c);
	stat->terminal = (uint32_t)cursor_signed(&c);
	stat->terminal_group = (uint32_t)cursor_signed(&c);
	stat->flags = (uint32_t)cursor_decimal(&c);
	for (int i = 10; i <= 13; i++)
		cursor_decimal(&c); /* faults */
	stat->cpu_ticks = cursor_decimal(&c);
	stat->cpu_ticks += cursor_decimal(&c);
	stat->waited_ticks = (uint64_t)cursor_signed(&c);
	stat->waited_ticks += (uint64_t)cursor_signed(&c);
	for (int i = 18; i <= 19; i++)
		cursor_signed(&c); /* priority, nice */
	stat->threads = (uint32_t)cursor_decimal(&c);
	cursor_signed(&c); /* itrealvalue */
	stat->start_ticks = cursor_decimal(&c);
	stat->vsz_bytes = cursor_decimal(&c);
	stat->rss_pages = cursor_decimal(&c);
	if (c.failed)
		return false;
	cursor_blanks(&c);
	skip_words(&c, 1); /* the limit of resident memory does not fit 63 bits */
	stat->code_from = cursor_decimal(&c);
	stat->code_to = cursor_decimal(&c);
	cursor_blanks(&c);
	skip_words(&c, 32 - 28 + 1);
	stat->ignored = cursor_decimal(&c);
	stat->caught = cursor_decimal(&c);
	cursor_blanks(&c);
	skip_words(&c, 49 - 35 + 1);
	stat->environment_from = cursor_decimal(&c);
	stat->environment_to = cursor_decimal(&c);
	return true; /* values missing on older kernels are 0 */
}

bool procfs_parse_exit_code(uint32_t *status, const void *data, size_t size)
{
	const unsigned char *close = size ? memrchr(data, ')', size) : NULL;
	struct cursor c;
	uint64_t value;

	if (!close)
		return false;
	c = cursor_over(close + 1, size - (size_t)(close + 1 - (const unsigned char *)data));
	cursor_blanks(&c);
	skip_words(&c, 52 - 3); /* the state is the third */
	value = cursor_decimal(&c);
	if (c.failed || value > UINT32_MAX)
		return false;
	*status = (uint32_t)value;
	return true;
}

int procfs_open(pid_t pid)
{
	char path[32];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

void procfs_open_living(int *process, const struct procfs_stat *stat)
{
	assert(stat);

	int thread = stat->living ? procfs_open((pid_t)stat->living) : -1;

	if (thread < 0)
		return;
	cleanup_close(process);
	*process = thread;
}

int procfs_open_place(int proc, pid_t pid)
{
	char name[16];

	snprintf(name, sizeof(name), "%d", (int)pid);
	return openat(proc, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

int procfs_read_at(int process, const char *name, struct buffer *out, size_t limit)
{
	_cleanup_close_ int fd = open_as_caller(process, name, O_RDONLY | O_CLOEXEC);

	assert(out);
	if (fd < 0)
		return -errno;
	buffer_reset(out);
	while (out->size < limit) {
		/* Some files (cmdline, maps) change between reads: read them in large pieces. */
		size_t room = limit - out->size < 32768 ? limit - out->size : 32768;
		void *to = buffer_reserve(out, room);
		ssize_t got;

		if (!to)
			return -ENOMEM;
		got = read(fd, to, room);
		if (got < 0)
			return -errno;
		if (!got)
			return 0;
		buffer_commit(out, (size_t)got);
	}
	return 1;
}

int procfs_read(pid_t pid, const char *name, struct buffer *out, size_t limit)
{
	_cleanup_close_ int process = procfs_open(pid);

	return process < 0 ? process : procfs_read_at(process, name, out, limit);
}

bool procfs_shares_namespace(int process, const char *name)
{
	struct stat own, its;
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/%s", name);
	return !stat(path, &own) && !fstatat(process, name, &its, 0) && own.st_dev == its.st_dev &&
	       own.st_ino == its.st_ino;
}

int procfs_link_at(int process, const char *name, struct buffer *out)
{
	char *to;
	ssize_t got;

	buffer_reset(out);
	to = buffer_reserve(out, PATH_MAX);
	if (!to)
		return -ENOMEM;
	got = readlinkat(process, name, to, PATH_MAX);
	if (got < 0)
		return -errno;
	buffer_commit(out, (size_t)got);
	return 0;
}

/* Finds a living thread of a process: its first thread stays as a zombie until the others have
 * ended too. */
static void find_living(int process, struct procfs_stat *stat)
{
	int fd = openat(process, "task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_dir_ DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct buffer bytes = { 0 };
	struct procfs_stat thread;
	char name[64];

	if (!dir)
		cleanup_close(&fd);
	for (struct dirent *entry; dir && !stat->living && (entry = readdir(dir));) {
		snprintf(name, sizeof(name), "task/%.20s/stat", entry->d_name);
		if (*entry->d_name == '.' || procfs_read_at(process, name, &bytes, PROCFS_STAT) ||
			!procfs_parse_stat(&thread, bytes.data, bytes.size) ||
			procfs_has_ended(&thread))
			continue;
		stat->living = thread.pid;
		stat->state = thread.state;
		stat->vsz_bytes = thread.vsz_bytes;
		stat->rss_pages = thread.rss_pages;
		stat->code_from = thread.code_from;
		stat->code_to = thread.code_to;
		stat->environment_from = thread.environment_from;
		stat->environment_to = thread.environment_to;
	}
	buffer_fini(&bytes);
}

/* Reads a file "stat", whose whole line the kernel makes at the first read. */
int procfs_stat_at(int process, struct procfs_stat *stat, struct buffer *bytes)
{
	assert(stat);

	_cleanup_close_ int fd = openat(process, "stat", O_RDONLY | O_CLOEXEC);
	ssize_t got = -1;
	void *to;

	assert(bytes);
	if (fd < 0)
		return -errno;
	buffer_reset(bytes);
	to = buffer_reserve(bytes, PROCFS_STAT);
	if (!to)
		return -ENOMEM;
	got = read(fd, to, PROCFS_STAT);
	if (got < 0)
		return -errno;
	buffer_commit(bytes, (size_t)got);
	if (!procfs_parse_stat(stat, bytes->data, bytes->size))
		return -EINVAL;
	if (procfs_has_ended(stat) && stat->threads > 1)
		find_living(process, stat);
	return 0;
}

pid_t procfs_living(pid_t pid)
{
	_cleanup_close_ int process = procfs_open(pid);
	struct buffer bytes = { 0 };
	struct procfs_stat stat = { 0 };
	char link;

	/* A thread that has ended has no working directory; kernel threads have one. */
	if (process >= 0 && readlinkat(process, "cwd", &link, 1) < 0 && errno == ENOENT)
		procfs_stat_at(process, &stat, &bytes);
	buffer_fini(&bytes);
	return stat.living ? (pid_t)stat.living : pid;
}

bool procfs_has_ended(const struct procfs_stat *stat)
{
	assert(stat);
	return stat->state == 'Z' || stat->state == 'X';
}

int procfs_identify_at(int process, struct process_id *id)
{
	struct buffer bytes = { 0 };
	struct procfs_stat stat;
	int status = procfs_stat_at(process, &stat, &bytes);

	if (!status)
		*id = (struct process_id){ .start_ticks = stat.start_ticks, .pid = stat.pid };
	buffer_fini(&bytes);
	return status;
}

int procfs_identify(pid_t pid, struct process_id *id)
{
	_cleanup_close_ int process = procfs_open(pid);
	int status = process < 0 ? process : procfs_identify_at(process, id);

	return status == -ENOENT ? -ESRCH : status;
}

uint8_t procfs_state(int status)
{
	switch (status) {
	case 0:
		return SOOTH_STATE_VALUE;
	case 1:
		return SOOTH_STATE_TRUNCATED;
	case -EACCES:
	case -EPERM:
		return SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION);
	case -ETIMEDOUT:
	case -EBUSY: /* earlier calls are still stuck */
		return SOOTH_NOT_MEASURED(SOOTH_REASON_BLOCKED);
	case -ESRCH:
		return SOOTH_NOT_MEASURED(SOOTH_REASON_ENDED);
	case -EDQUOT:
		return SOOTH_NOT_MEASURED(SOOTH_REASON_EXPENSIVE);
	default:
		return SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED);
	}
}

int procfs_count(int process, const char *name, uint64_t *count)
{
	_cleanup_dir_ DIR *dir = NULL;
	struct stat st;
	int fd;

	/* Since Linux 6.2 the size of the directory is the number of descriptors (proc(5)). */
	if (!fstatat(process, name, &st, 0) && st.st_size > 0) {
		*count = (uint64_t)st.st_size;
		return 0;
	}
	*count = 0;
	fd = openat(process, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		int status = -errno;

		cleanup_close(&fd);
		return status;
	}
	for (struct dirent *entry; (entry = readdir(dir));) {
		if (entry->d_name[0] != '.' && ++*count == PROCFS_COUNT_MAX)
			return 1;
	}
	return 0;
}

int procfs_list(struct buffer *pids)
{
	_cleanup_dir_ DIR *dir = opendir("/proc");
	struct dirent *entry;

	if (!dir)
		return -errno;
	while ((entry = readdir(dir))) {
		char *end;
		long pid = strtol(entry->d_name, &end, 10);
		pid_t value = (pid_t)pid;

		if (*end == '\0' && pid > 0)
			buffer_append(pids, &value, sizeof(value));
	}
	return buffer_failed(pids) ? -ENOMEM : 0;
}

void procfs_children(pid_t pid, struct buffer *pids)
{
	_cleanup_close_ int process = procfs_open(pid);
	_cleanup_dir_ DIR *tasks = NULL;
	struct buffer bytes = { 0 };
	const struct dirent *entry;
	char name[sizeof(entry->d_name) + 32];
	int fd = process < 0 ? -1 : openat(process, "task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0 && !(tasks = fdopendir(fd)))
		close(fd);
	while (tasks && (entry = readdir(tasks))) {
		struct cursor c;

		snprintf(name, sizeof(name), "task/%s/children", entry->d_name);
		if (entry->d_name[0] == '.' ||
			procfs_read_at(process, name, &bytes, PROCFS_SMALL) < 0)
			continue;
		c = cursor_over(bytes.data, bytes.size);
		for (pid_t child; (child = (pid_t)cursor_decimal(&c)) && !c.failed;) {
			buffer_append(pids, &child, sizeof(child));
			cursor_skip(&c, " ");
		}
	}
	buffer_fini(&bytes);
}

bool procfs_link_inode(struct span link, const char *kind, uint64_t *inode)
{
	struct cursor c = cursor_over(link.data, link.size);

	if (!cursor_skip(&c, kind))
		return false;
	*inode = cursor_decimal(&c);
	return !c.failed;
}
