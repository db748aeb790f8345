/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * logs: the end of each log file that a process has open to write. The list of descriptors has its
 * path. The file at that path is read if it still has the same device and inode. Only error
 * messages of its content are kept.
 *
 * Cannot be seen: a log that was deleted or renamed, or whose path the system no longer knows; logs
 * that are opened for each line; output into a pipe or a terminal.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "secrets/forget.h"
#include "os/bsd/members.h"
#include "os/bsd/timed_call.h"
#include "os/logs/log_paths.h"
#include "os/logs/log_records.h"

#define PATH_BYTES	1024 /* MAXPATHLEN of both systems */
#define STANDARD_OUTPUT 1
#define STANDARD_ERROR	2

struct logs_bsd {
	struct bsd_members members;
	struct log_records records;
	struct timed_calls calls;
	struct buffer candidates; /* struct candidate */
};

struct candidate {
	uint64_t inode;
	uint32_t fd, device_major, device_minor;
	bool is_log;  /* the name of the file is that of a log */
	bool appends; /* opened with O_APPEND */
	char path[PATH_BYTES];
};

/* --- which files --- */

static bool add_candidate(void *user, const struct bsd_descriptor *d)
{
	struct logs_bsd *s = user;
	struct candidate c = { .inode = d->file.inode,
		.fd = d->file.fd,
		.device_major = d->file.device_major,
		.device_minor = d->file.device_minor,
		.is_log = log_path_is_named_log(d->path),
		.appends = d->appends };
	bool writes = d->file.access == FDS_ACCESS_WRITE || d->file.access == FDS_ACCESS_BOTH;

	if (d->special || d->file.type != FDS_FILE || !writes || !d->path.size ||
		d->path.data[0] != '/' || d->path.size >= PATH_BYTES || log_path_is_data(d->path))
		return true;
	if (c.is_log || c.appends || c.fd == STANDARD_OUTPUT || c.fd == STANDARD_ERROR) {
		memcpy(c.path, d->path.data, d->path.size);
		buffer_append(&s->candidates, &c, sizeof(c));
	}
	return true;
}

static bool is_same_file(const struct candidate *a, const struct candidate *b)
{
	return a->inode == b->inode && a->device_major == b->device_major &&
	       a->device_minor == b->device_minor;
}

/* Returns whether a file is a log: standard output is a log if standard error goes there too. */
static bool is_log(const struct candidate *c, const struct candidate *all, size_t count)
{
	for (size_t i = 0; c->fd == STANDARD_OUTPUT && i < count; i++) {
		if (all[i].fd == STANDARD_ERROR && is_same_file(c, &all[i]))
			return true;
	}
	return c->is_log || c->fd == STANDARD_ERROR;
}

/* --- reading, in a child --- */

struct request {
	struct log_end end;
	/* Not sent back: */
	const char *path;
	uint64_t device, inode;
};

static bool is_requested(const struct request *r, const struct stat *st)
{
	return S_ISREG(st->st_mode) && log_device_of(st) == r->device &&
	       (uint64_t)st->st_ino == r->inode;
}

/* Opens the requested file. It is checked before, so that no device at that path is opened, and
 * after, because it may have been replaced in between. */
static int open_requested(const struct request *r)
{
	_cleanup_close_ int fd = -1;
	struct stat st;

	if (lstat(r->path, &st))
		return -errno;
	if (!is_requested(r, &st))
		return -ESTALE;
	fd = open(r->path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st))
		return -errno;
	return is_requested(r, &st) ? TAKE_FD(fd) : -ESTALE;
}

/* Returns the time of the last write in whole seconds. */
static struct timespec written_at(const struct stat *st)
{
	return (struct timespec){ .tv_sec = st->st_mtime };
}

static void run_read_job(void *argument)
{
	struct request *r = argument;
	_cleanup_close_ int fd = open_requested(r);

	log_end_read(&r->end, fd, written_at);
}

static void read_file(struct backend_run *run, const struct candidate *c, bool is_log)
{
	struct logs_bsd *s = run->state;
	struct request *r = calloc(1, sizeof(*r));
	struct log_place place = { .path = span_of_string(c->path),
		.fd = c->fd,
		.device_major = c->device_major,
		.device_minor = c->device_minor,
		.is_log = is_log,
		.is_open = true };
	int status;

	if (!r)
		return;
	r->path = c->path;
	r->device = (uint64_t)c->device_major << 32 | c->device_minor;
	r->inode = c->inode;
	status = timed_call(&s->calls, run_read_job, r, sizeof(r->end), TIMED_CALL_MS);
	status = status ? status : r->end.status;
	if (!status)
		log_records_add(&s->records, run, &place, &r->end);
	if ((status == -EACCES || status == -EPERM) && !s->members.has_reported) {
		backend_limit(
			run, "errors in some log files", "permission denied", "run sooth as root");
		s->members.has_reported = true;
	}
	/* Nothing of what was read is kept longer than needed. */
	forget_bytes(r->end.bytes, r->end.size);
	free(r);
}

static void sample_process(struct backend_run *run, const struct bsd_process *process)
{
	const struct bsd_source *source = bsd_source_of(run->os);
	struct logs_bsd *s = run->state;
	const struct candidate *all;
	size_t count;
	int status;

	buffer_reset(&s->candidates);
	log_records_begin(&s->records, bsd_record(run, &process->id, 0, LOGS_PROCESS));
	status = source->descriptors(source, (pid_t)process->id.pid, add_candidate, s);
	all = (const void *)s->candidates.data;
	count = s->candidates.size / sizeof(*all);
	for (size_t i = 0; i < count; i++) {
		if (log_records_are_full(&s->records)) {
			status = status ? status : -EOVERFLOW;
			break;
		}
		read_file(run, &all[i], is_log(&all[i], all, count));
	}
	log_records_end(&s->records, run, bsd_state(status));
}

/* --- the backend --- */

static int logs_open(struct backend_run *run, struct sooth_error *err)
{
	struct logs_bsd *s = run->state;
	int status = bsd_members_open(run, err);

	log_records_init(&s->records);
	s->calls = (struct timed_calls){ 0 };
	s->candidates = (struct buffer){ 0 };
	return status;
}

static void logs_close(struct backend_run *run)
{
	struct logs_bsd *s = run->state;

	bsd_members_close(run);
	log_records_fini(&s->records);
	buffer_fini(&s->candidates);
}

static int logs_sample(struct backend_run *run, struct sooth_error *err)
{
	return bsd_members_visit(run, sample_process, err);
}

static void logs_joined(struct backend_run *run, const struct process_id *process)
{
	bsd_members_visit_one(run, process, sample_process);
}

const struct backend backend_logs_files = {
	.name = "files",
	.probe = "logs",
	.help = "reads the end of log files that a process has open; nothing is attached to it",
	.state_size = sizeof(struct logs_bsd),
	.open = logs_open,
	.set = bsd_members_set,
	.start = logs_sample,
	.sample = logs_sample,
	.joined = logs_joined,
	.stop = bsd_members_stop,
	.close = logs_close,
};
