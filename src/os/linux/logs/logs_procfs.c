/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * logs by procfs: the end of each log file that a process has open to write, read by
 * /proc/PID/fd, so that it is the file it writes, also if another one has its name now. In a child
 * with a timeout: it may lie where nothing answers. Nothing of what is read is kept but messages
 * about errors.
 *
 * Logs that are opened for each message, as Redis does, are read if they are in the process's
 * working directory, were written just now, and most of their lines begin with its pid.
 *
 * Cannot be seen: other logs that are opened for each line (`echo >> log`). Output into a pipe, a
 * terminal, or to the system's journal is seen only by calls (os/linux/syscalls/error_output.h).
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "os/linux/bpf/members.h"
#include "os/linux/fds/fdinfo.h"
#include "os/linux/files/process_snapshot.h"
#include "os/linux/files/procfs.h"
#include "os/linux/files/timed_open.h"
#include "os/linux/files/timeout.h"
#include "os/linux/rights/needs.h"
#include "os/logs/log_paths.h"
#include "os/logs/log_records.h"
#include "os/os.h"

#define NAME_SIZE  16 /* of a descriptor's number */
#define PLACE_SIZE 288

struct logs_state {
	struct members members;
	struct timeout timeout;
	struct log_records records;
	struct buffer link, other, info;
	const struct process_snapshot *of; /* the current process */
};

/* --- which files --- */

static uint32_t flags_of(struct logs_state *s, const char *name)
{
	struct fdinfo f = { 0 };
	char path[32];

	snprintf(path, sizeof(path), "fdinfo/%.*s", NAME_SIZE, name);
	if (procfs_read_at(s->of->process, path, &s->info, PROCFS_SMALL) >= 0)
		fdinfo_parse(&f, s->info.data, s->info.size);
	return f.has & FDINFO_FLAGS ? f.flags : O_RDONLY;
}

/* Returns whether a file may be a log: the process writes it, and it is a log by its name, by its
 * number, or because it is only added to. `*is_log`: by one of the first two. */
static bool is_candidate(struct logs_state *s, int table, const char *name, bool *is_log)
{
	struct span path;
	uint32_t flags;

	if (procfs_link_at(table, name, &s->link))
		return false;
	path = span_of((const char *)s->link.data, s->link.size);
	if (span_ends(path, " (deleted)"))
		path.size -= strlen(" (deleted)");
	if (!path.size || path.data[0] != '/' || span_starts(path, "/dev/") ||
		span_starts(path, "/proc/") || span_starts(path, "/memfd:") ||
		log_path_is_data(path))
		return false;
	*is_log = log_path_is_named_log(path) || !strcmp(name, "2") ||
		  (!strcmp(name, "1") && !procfs_link_at(table, "2", &s->other) &&
			  s->other.size == s->link.size &&
			  !memcmp(s->other.data, s->link.data, s->link.size));
	flags = flags_of(s, name);
	return (flags & O_ACCMODE) != O_RDONLY &&
	       (*is_log || !strcmp(name, "1") || flags & O_APPEND);
}

/* --- reading --- */

struct request {
	int process;	       /* its own descriptor */
	char name[PLACE_SIZE]; /* below /proc/PID: "fd/7", "cwd/logs/app.log" */
	struct log_end end;
};

static struct timespec written_at(const struct stat *st)
{
	return st->st_mtim;
}

static void run_read_job(void *argument)
{
	struct request *a = argument;
	int fd = regular_open(a->process, a->name, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOATIME);

	/* Only the owner may leave the time of access as it is. */
	if (fd == -EPERM)
		fd = regular_open(a->process, a->name, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	log_end_read(&a->end, fd, written_at);
	if (fd >= 0)
		close(fd);
}

/* Calls a function with a timeout. The argument begins with its own descriptor of /proc/PID. */
static int call_timed(
	struct logs_state *s, void (*work)(void *argument), void *argument, size_t size)
{
	return timeout_call_file(&s->timeout, work, argument, size, s->of->process, TIMEOUT_MS);
}

static void read_file(struct backend_run *run, struct log_place *p, const char *below)
{
	struct logs_state *s = run->state;
	struct request *a = calloc(1, sizeof(*a));

	if (!a)
		return;
	snprintf(a->name, sizeof(a->name), "%s", below);
	/* Refused, or no regular file: the probe fds has it. */
	if (!call_timed(s, run_read_job, a, sizeof(*a)) && !a->end.status &&
		(p->is_open || log_end_has_pid(&a->end, s->of->id.pid))) {
		p->device_major = major(a->end.device);
		p->device_minor = minor(a->end.device);
		log_records_add(&s->records, run, p, &a->end);
	}
	/* Nothing of what was read is kept longer than needed. */
	explicit_bzero(a->end.bytes, a->end.size);
	free(a);
}

/* --- logs that it opens for each message --- */

#define LISTED_MAX   12
#define ENTRIES_MAX  2000
#define LISTED_BYTES 8192
#define RECENT_S     60

/* Logs in a folder of the process that were written just now. */
struct listing {
	int process;	    /* its own descriptor */
	const char *folder; /* "cwd", "cwd/logs" */
	unsigned count;
	char names[LISTED_MAX][NAME_MAX + 1];
	char bytes[LISTED_BYTES] __attribute__((aligned(8)));
};

static void add_entry(struct listing *l, int folder, const char *name, time_t now)
{
	struct stat st;

	if (l->count < LISTED_MAX && log_path_is_named_log(span_of_string(name)) &&
		!log_path_is_data(span_of_string(name)) &&
		!fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) && S_ISREG(st.st_mode) &&
		st.st_size && now - st.st_mtim.tv_sec <= RECENT_S)
		snprintf(l->names[l->count++], sizeof(l->names[0]), "%s", name);
}

/* Runs in the timed child, so without opendir(3): that allocates, and another thread may have had
 * the allocator's lock. */
static void list_logs(void *argument)
{
	struct listing *l = argument;
	_cleanup_close_ int folder =
		openat(l->process, l->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	time_t now = time(NULL);
	unsigned entries = 0;
	ssize_t got;

	while (folder >= 0 && entries < ENTRIES_MAX &&
		(got = getdents64(folder, l->bytes, sizeof(l->bytes))) > 0) {
		for (ssize_t at = 0; at < got; entries++) {
			const struct dirent64 *d = (const void *)(l->bytes + at);

			add_entry(l, folder, d->d_name, now);
			at += d->d_reclen;
		}
	}
}

/* Puts the path of a folder. The folder above is named by its own path. */
static void put_folder(struct buffer *path, const char *below)
{
	const char *slash;

	if (strcmp(below, "/..") != 0) {
		buffer_string(path, below);
		return;
	}
	slash = span_last(span_of((const char *)path->data, path->size), '/');
	if (slash)
		path->size = (size_t)(slash - (const char *)path->data);
}

static void read_listed(struct backend_run *run, const char *folder)
{
	struct logs_state *s = run->state;
	struct listing *l = calloc(1, sizeof(*l));

	if (l)
		l->folder = folder;
	for (unsigned i = 0; l && (i || !call_timed(s, list_logs, l, sizeof(*l))) && i < l->count;
		i++) {
		struct log_place p = { .fd = UINT32_MAX, .is_log = true };
		char below[PLACE_SIZE];

		if (procfs_link_at(s->of->process, "cwd", &s->link))
			break;
		put_folder(&s->link, folder + strlen("cwd"));
		buffer_format(&s->link, "/%s", l->names[i]);
		p.path = span_of((const char *)s->link.data, s->link.size);
		snprintf(below, sizeof(below), "%s/%s", folder, l->names[i]);
		read_file(run, &p, below);
	}
	free(l);
}

/* --- processes --- */

static int read_files(struct backend_run *run)
{
	static const char *const folders[] = { "cwd", "cwd/log", "cwd/logs", "cwd/.." };
	struct logs_state *s = run->state;
	int table = openat(s->of->process, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_dir_ DIR *dir = table < 0 ? NULL : fdopendir(table);
	struct dirent *entry;

	if (!dir) {
		int status = -errno;

		if (table >= 0)
			close(table);
		return status;
	}
	while ((entry = readdir(dir))) {
		struct log_place p = { .is_open = true };
		char below[PLACE_SIZE];

		if (entry->d_name[0] == '.' || !is_candidate(s, table, entry->d_name, &p.is_log))
			continue;
		if (log_records_are_full(&s->records))
			return 1;
		p.path = span_of((const char *)s->link.data, s->link.size);
		p.fd = (uint32_t)strtoul(entry->d_name, NULL, 10);
		snprintf(below, sizeof(below), "fd/%.*s", NAME_SIZE, entry->d_name);
		read_file(run, &p, below);
	}
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
		read_listed(run, folders[i]);
	return 0;
}

static void sample_process(struct backend_run *run, pid_t pid, const struct process_id *expected)
{
	struct logs_state *s = run->state;
	struct process_snapshot snapshot;
	int status = process_snapshot_open(&snapshot, run, pid, expected);

	if (status <= 0) {
		s->of = &snapshot;
		log_records_begin(
			&s->records, process_snapshot_head(&snapshot, run, 0, LOGS_PROCESS));
		if (!status)
			status = read_files(run);
		log_records_end(
			&s->records, run, procfs_state(process_snapshot_status(&snapshot, status)));
	}
	process_snapshot_close(&snapshot);
}

static int logs_sample(struct backend_run *run, struct sooth_error *err)
{
	struct logs_state *s = run->state;

	return members_visit(&s->members, run, sample_process, err);
}

static int logs_open(struct backend_run *run, struct sooth_error *err)
{
	struct logs_state *s = run->state;

	(void)err;
	members_init(&s->members);
	log_records_init(&s->records);
	return 0;
}

static void logs_joined(struct backend_run *run, const struct process_id *process)
{
	sample_process(run, (pid_t)process->pid, process);
}

static void logs_close(struct backend_run *run)
{
	struct logs_state *s = run->state;

	members_fini(&s->members);
	timeout_fini(&s->timeout);
	log_records_fini(&s->records);
	buffer_fini(&s->link);
	buffer_fini(&s->other);
	buffer_fini(&s->info);
}

static const struct need *const needs[] = { &need_procfs, NULL };

const struct backend backend_logs_procfs = {
	.name = "procfs",
	.probe = "logs",
	.help = "reads the end of log files that a process has open; nothing is attached to it",
	.needs = needs,
	.state_size = sizeof(struct logs_state),
	.open = logs_open,
	.set = members_backend_set,
	.start = logs_sample,
	.sample = logs_sample,
	.joined = logs_joined,
	.stop = members_backend_stop,
	.close = logs_close,
};
