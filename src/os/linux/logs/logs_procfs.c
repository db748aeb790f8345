/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * logs by procfs: the end of each log file that a process has open to write, read by
 * /proc/PID/fd, so that it is the file it writes, also if another one has its name now. In a child
 * with a timeout: it may lie where nothing answers. Nothing of what is read is kept but messages
 * about errors.
 *
 * Of logs that are opened for each message, as Redis does: those in its working directory that were
 * written just now, and of which most lines begin with its pid.
 *
 * Cannot be seen: other logs that are opened for each line (`echo >> log`). What goes into a pipe, a
 * terminal, or to the system's journal is seen by calls alone (os/linux/syscalls/error_output.h).
 */
#include <ctype.h>
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
#include "base/log_tail.h"
#include "base/units.h"
#include "os/linux/bpf/members.h"
#include "os/linux/fds/fdinfo.h"
#include "os/linux/files/process_snapshot.h"
#include "os/linux/files/procfs.h"
#include "os/linux/files/timed_open.h"
#include "os/linux/files/timeout.h"
#include "os/linux/rights/needs.h"
#include "os/os.h"
#include "probes/logs.h"

#define NAME_SIZE   16 /* of a descriptor's number */
#define PLACE_SIZE  288
#define LINE_BEGIN  80 /* bytes of a line in which a pid stands */
#define FILES_MAX   16 /* of a process */
#define SIZES_MAX   65536
#define TAIL_BYTES  (64u << 10)
#define ERRORS_MAX  4	/* forms of one file */
#define TEXT_BYTES  200 /* of a message */
#define PIECE_BYTES 120 /* of it, if it has two parts */

/* A log file of a process, for its size at the snapshot before. */
struct logs_key {
	struct process_id process;
	uint64_t inode, device;
};

struct logs_state {
	struct members members;
	struct timeout timeout;
	struct map sizes; /* logs_key -> uint64_t */
	struct buffer link, other, info, text;
	struct log_tail tail;
	/* The current process. */
	const struct process_snapshot *of;
	struct logs_key seen[FILES_MAX];
	struct logs_process summary;
};

/* --- which files --- */

static bool has_ending(struct span name, const char *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (span_ends(name, list[i]))
			return true;
	}
	return false;
}

/* Records of a program for itself: conversations of agents, tables, journals. */
static bool is_data(struct span path)
{
	static const char *const endings[] = { ".jsonl", ".json", ".csv", ".aof", ".db", ".sqlite",
		".sqlite3", "-wal", "-journal", ".lock", ".pid", ".md", ".sql", ".xml", ".html" };

	return has_ending(path, endings, ARRAY_SIZE(endings));
}

static bool is_named_log(struct span path)
{
	static const char *const endings[] = { ".log", ".err", ".out", ".stderr", "_log", "-log",
		".errors", ".stdout" };
	struct span name = path_base(path);

	return has_ending(path, endings, ARRAY_SIZE(endings)) || span_contains(path, "/log/") ||
	       span_contains(path, "/logs/") || span_contains(name, ".log.") ||
	       span_equal(name, "nohup.out");
}

static uint32_t flags_of(struct logs_state *s, const char *name)
{
	struct fdinfo f = { 0 };
	char path[32];

	snprintf(path, sizeof(path), "fdinfo/%.*s", NAME_SIZE, name);
	if (procfs_read_at(s->of->process, path, &s->info, PROCFS_SMALL) >= 0)
		fdinfo_parse(&f, s->info.data, s->info.size);
	return f.has & FDINFO_FLAGS ? f.flags : O_RDONLY;
}

/* A file that the process writes, and that is a log by its name, by its number, or because it is
 * only added to. `*is_log`: by one of the first two. */
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
		span_starts(path, "/proc/") || span_starts(path, "/memfd:") || is_data(path))
		return false;
	*is_log = is_named_log(path) || !strcmp(name, "2") ||
		  (!strcmp(name, "1") && !procfs_link_at(table, "2", &s->other) &&
			  s->other.size == s->link.size &&
			  !memcmp(s->other.data, s->link.data, s->link.size));
	flags = flags_of(s, name);
	return (flags & O_ACCMODE) != O_RDONLY &&
	       (*is_log || !strcmp(name, "1") || flags & O_APPEND);
}

/* --- reading --- */

struct request {
	int process; /* its own descriptor */
	int status;
	char name[PLACE_SIZE]; /* below /proc/PID: "fd/7", "cwd/logs/app.log" */
	struct stat st;
	uint64_t from; /* where the bytes begin in the file */
	size_t size;
	char bytes[TAIL_BYTES];
};

static void read_end(void *argument)
{
	struct request *a = argument;
	int fd = regular_open(a->process, a->name, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOATIME);
	ssize_t got = 0;

	/* Only the owner may leave the time of access as it is. */
	if (fd == -EPERM)
		fd = regular_open(a->process, a->name, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	a->status = fd < 0 ? fd : fstat(fd, &a->st) ? -errno : 0;
	if (!a->status) {
		uint64_t size = (uint64_t)a->st.st_size;

		a->from = size > TAIL_BYTES ? size - TAIL_BYTES : 0;
		got = pread(fd, a->bytes, TAIL_BYTES, (off_t)a->from);
		a->status = got < 0 ? -errno : 0;
	}
	a->size = got < 0 ? 0 : (size_t)got;
	if (fd >= 0)
		close(fd);
}

/* What is called with a timeout begins with the descriptor of /proc/PID, its own. */
static void drop_call(void *argument)
{
	close(*(int *)argument);
}

static int call_timed(
	struct logs_state *s, void (*work)(void *argument), void *argument, size_t size)
{
	int *process = argument, status;

	*process = fcntl(s->of->process, F_DUPFD_CLOEXEC, 0);
	if (*process < 0)
		return -errno;
	status = timeout_call(&s->timeout, work, drop_call, argument, size, *process, TIMEOUT_MS);
	if (status != -ETIMEDOUT)
		close(*process); /* else the thread owns it */
	return status;
}

static int read_tail(struct logs_state *s, struct request *a)
{
	int status = call_timed(s, read_end, a, sizeof(*a));

	return status ? status : a->status;
}

/* --- records --- */

/* At most `most` bytes, of whole words: half a secret would not be known for one. */
static void put_cut(struct logs_state *s, struct span message, size_t most)
{
	size_t size = message.size;

	if (size > most) {
		for (size = most; size && !isspace((unsigned char)message.data[size]);)
			size--;
	}
	buffer_append(&s->text, message.data, size);
	if (size < message.size)
		buffer_string(&s->text, " ...");
}

static void write_error(
	struct backend_run *run, const struct logs_file *file, const struct log_form *f)
{
	struct logs_state *s = run->state;
	struct log_repeat repeat = log_tail_repeat(&s->tail, f);
	struct logs_error e = { .record = file->record,
		.inode = file->inode,
		.fd = file->fd,
		.fd_state = file->fd_state,
		.times = f->times,
		.times_new = f->times_new,
		.messages = repeat.messages,
		.other_most = repeat.other_most,
		.done = repeat.done,
		.behind = repeat.behind,
		.is_warning = f->kind == LOG_LINE_WARNING,
		.new_state = file->new_state };

	e.record.kind = LOGS_ERROR;
	buffer_reset(&s->text);
	put_cut(s, f->text, f->end.size ? PIECE_BYTES : TEXT_BYTES);
	if (f->end.size) {
		buffer_string(&s->text, "; ");
		put_cut(s, f->end, PIECE_BYTES);
	}
	struct record_tail tail[] = { { &e.text, s->text.data, s->text.size } };
	RECORD_APPEND(&run->out, &e, tail, 1);
}

static uint64_t silent_ns(const struct stat *st)
{
	struct timespec now;
	int64_t ns;

	clock_gettime(CLOCK_REALTIME, &now);
	ns = (int64_t)(now.tv_sec - st->st_mtim.tv_sec) * (int64_t)NS_PER_S + now.tv_nsec -
	     st->st_mtim.tv_nsec;
	return ns > 0 ? (uint64_t)ns : 0;
}

/* Reads the messages of what `a` holds, and remembers the size for the next snapshot. */
static void count_messages(struct logs_state *s, struct request *a, const struct logs_key *key,
	bool is_log, struct logs_file *file)
{
	uint64_t *before = map_get(&s->sizes, key), size = a->from + a->size;
	/* One that is shorter now was emptied. */
	uint64_t new_from = before && *before <= size ? *before : 0;
	bool is_first = !before;

	log_tail_read(&s->tail, a->bytes, a->size,
		new_from > a->from ? (size_t)(new_from - a->from) : 0, a->from > 0, is_log);
	file->messages = s->tail.lines;
	file->errors = s->tail.errors;
	file->messages_new = is_first ? 0 : s->tail.lines_new;
	file->errors_new = is_first ? 0 : s->tail.errors_new;
	file->messages_state = state_if(s->tail.is_text);
	file->new_state = is_first || !s->tail.is_text ? SOOTH_STATE_ABSENT
			  : new_from < a->from	       ? SOOTH_STATE_TRUNCATED
						       : SOOTH_STATE_VALUE;
	before = map_put(&s->sizes, key, NULL);
	if (before)
		*before = size;
}

static bool was_seen(const struct logs_state *s, const struct logs_key *key)
{
	for (uint32_t i = 0; i < s->summary.files; i++) {
		if (!memcmp(&s->seen[i], key, sizeof(*key)))
			return true;
	}
	return false;
}

/* As a number of its own. */
static bool has_number(const char *line, size_t size, const char *digits)
{
	const char *at = line, *end = line + size;
	size_t length = strlen(digits);

	while ((at = memmem(at, (size_t)(end - at), digits, length))) {
		bool begins = at == line || !isdigit((unsigned char)at[-1]);

		at += length;
		if (begins && (at == end || !isdigit((unsigned char)*at)))
			return true;
	}
	return false;
}

/* Most lines begin with its pid, as those of servers do; one that stands somewhere may be any
 * number. */
static bool has_pid(const struct request *a, uint32_t pid)
{
	size_t lines = 0, own = 0;
	char digits[16];

	snprintf(digits, sizeof(digits), "%u", pid);
	for (size_t at = 0; at < a->size; lines++) {
		const char *line = a->bytes + at, *end = memchr(line, '\n', a->size - at);
		size_t size = end ? (size_t)(end - line) : a->size - at;

		own += has_number(line, size < LINE_BEGIN ? size : LINE_BEGIN, digits);
		at += size + 1;
	}
	return own * 2 > lines;
}

/* A file that may be a log of the process. */
struct place {
	struct span path;
	uint32_t fd;
	bool is_log;
	bool is_open;		/* it has it open; else its pid has to stand in it */
	char below[PLACE_SIZE]; /* as in struct request */
};

static void write_file(struct backend_run *run, const struct place *p, struct request *a,
	const struct logs_key *key)
{
	struct logs_state *s = run->state;
	const struct log_form *worst[ERRORS_MAX];
	struct logs_file file = { .record = process_snapshot_head(s->of, run, 0, LOGS_FILE),
		.inode = a->st.st_ino,
		.size_bytes = (uint64_t)a->st.st_size,
		.silent_ns = silent_ns(&a->st),
		.fd = p->fd,
		.fd_state = state_if(p->is_open),
		.device_major = major(a->st.st_dev),
		.device_minor = minor(a->st.st_dev) };
	struct record_tail tail[] = { { &file.path, p->path.data, p->path.size } };
	size_t count;

	count_messages(s, a, key, p->is_log, &file);
	RECORD_APPEND(&run->out, &file, tail, 1);
	count = log_tail_worst(&s->tail, worst, ERRORS_MAX);
	for (size_t i = 0; i < count; i++)
		write_error(run, &file, worst[i]);
}

static void read_file(struct backend_run *run, const struct place *p)
{
	struct logs_state *s = run->state;
	struct request *a = calloc(1, sizeof(*a));
	struct logs_key key = { .process = s->of->id };

	if (!a)
		return;
	snprintf(a->name, sizeof(a->name), "%s", p->below);
	/* Refused, or no regular file: the probe fds has it. */
	if (!read_tail(s, a) && (p->is_open || has_pid(a, s->of->id.pid))) {
		key.inode = a->st.st_ino;
		key.device = a->st.st_dev;
		if (!was_seen(s, &key) && s->summary.files < FILES_MAX) {
			s->seen[s->summary.files++] = key;
			write_file(run, p, a, &key);
		}
	}
	/* Nothing of what was read is kept longer than needed. */
	explicit_bzero(a->bytes, a->size);
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

static void take_entry(struct listing *l, int folder, const char *name, time_t now)
{
	struct stat st;

	if (l->count < LISTED_MAX && is_named_log(span_of_string(name)) &&
		!is_data(span_of_string(name)) &&
		!fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) && S_ISREG(st.st_mode) &&
		st.st_size && now - st.st_mtim.tv_sec <= RECENT_S)
		snprintf(l->names[l->count++], sizeof(l->names[0]), "%s", name);
}

/* In the timed child: without the memory of opendir(3), of which another thread may have the lock.
 */
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

			take_entry(l, folder, d->d_name, now);
			at += d->d_reclen;
		}
	}
}

/* The one above is named by its own path. */
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
		struct place p = { .fd = UINT32_MAX, .is_log = true };

		if (procfs_link_at(s->of->process, "cwd", &s->link))
			break;
		put_folder(&s->link, folder + strlen("cwd"));
		buffer_format(&s->link, "/%s", l->names[i]);
		p.path = span_of((const char *)s->link.data, s->link.size);
		snprintf(p.below, sizeof(p.below), "%s/%s", folder, l->names[i]);
		read_file(run, &p);
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
		struct place p = { .is_open = true };

		if (entry->d_name[0] == '.' || !is_candidate(s, table, entry->d_name, &p.is_log))
			continue;
		if (s->summary.files == FILES_MAX)
			return 1;
		p.path = span_of((const char *)s->link.data, s->link.size);
		p.fd = (uint32_t)strtoul(entry->d_name, NULL, 10);
		snprintf(p.below, sizeof(p.below), "fd/%.*s", NAME_SIZE, entry->d_name);
		read_file(run, &p);
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
		s->summary = (struct logs_process){ 0 };
		if (!status)
			status = read_files(run);
		s->summary.record = process_snapshot_head(&snapshot, run, 0, LOGS_PROCESS);
		s->summary.files_state = procfs_state(process_snapshot_status(&snapshot, status));
		RECORD_APPEND(&run->out, &s->summary, NULL, 0);
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
	map_init(&s->sizes, sizeof(struct logs_key), sizeof(uint64_t), SIZES_MAX);
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
	map_fini(&s->sizes);
	buffer_fini(&s->link);
	buffer_fini(&s->other);
	buffer_fini(&s->info);
	buffer_fini(&s->text);
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
