/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads an agent's files. */
#include "os/linux/agent_logs/agent_read.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/units.h"
#include "os/agent_logs/agent_json.h"
#include "os/linux/agent_logs/agent_opencode.h"
#include "os/linux/agent_logs/agent_walk.h"
#include "os/linux/files/process_clock.h"
#include "os/linux/files/root_file.h"

#define SESSION_FILE_MAX (64u << 10)
#define LINE_MAX_BYTES	 (4u << 10)   /* of the first line of a log */
#define TAIL_BYTES	 (256u << 10) /* of a log */
#define HEAD_BYTES	 (128u << 10) /* of a log, with the first prompt */
#define TOKEN_BYTES	 (1u << 20)   /* of a log, at a time */
#define DESCRIPTORS_MAX	 4096
/* Tolerance when the time of a file is compared with the start of the process and with now, because
 * the wall clock may have been set since the start. Files of earlier processes are older. */

static uint64_t ns_of(struct timespec t)
{
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

static struct agent_path path_of(const struct agent_read *job)
{
	return (struct agent_path){ .pid = span_of_string(job->pid),
		.session = span_of_string(job->info.session),
		.directory = span_of_string(job->directory) };
}

/* Returns the keys in the form that agent_session_info_parse() takes. */
static struct agent_files keys_of(const struct agent_read *job)
{
	return (struct agent_files){ .session_key = job->files.session_key,
		.status_key = job->files.status_key,
		.start_key = job->files.start_key,
		.version_key = job->files.version_key,
		.changed_key = job->files.changed_key,
		.waiting_key = job->files.waiting_key,
		.spare_key = job->files.spare_key,
		.job_key = job->files.job_key };
}

/* --- which session --- */

/* Returns whether `ticks` is the start of the process, as the agent reads it in its own time
 * namespace. */
static bool is_its_start(const struct agent_read *job, uint64_t ticks)
{
	int64_t tick_ns = (int64_t)NS_PER_S / sysconf(_SC_CLK_TCK);
	int64_t more = (int64_t)(ticks - job->start_ticks);
	struct process_clock clock;

	if (!more || !process_clock_read(&clock, job->process))
		return !more;
	return clock.boottime_ns && llabs(more - clock.boottime_ns / tick_ns) <= 1;
}

/* Reads the only file that the pattern stands for in the home; one that may stand for several reads
 * nothing, and is no failure. */
static int read_in_home(const struct agent_read *job, int root, const char *pattern,
	const struct agent_path *values, struct buffer *bytes, struct stat *st)
{
	char name[AGENT_READ_TEXT + AGENT_ID_MAX], path[AGENT_READ_PATH * 2];
	_cleanup_close_ int fd = -1;

	if (!agent_path_expand(name, sizeof(name), span_of_string(pattern), values))
		return 0;
	snprintf(path, sizeof(path), "%s/%s", job->home, name);
	fd = root_file_open_owned(root, path, job->uid, st);
	return fd < 0 ? fd : root_file_read_whole(fd, st, bytes, SESSION_FILE_MAX);
}

/* Reads the session file. An earlier process with the same PID may have left it. */
static void read_session_file(struct agent_read *job, int root)
{
	struct agent_path values = path_of(job);
	struct agent_files keys = keys_of(job);
	struct agent_session_info info;
	struct buffer bytes = { 0 };
	struct stat st = { 0 };

	job->status = read_in_home(job, root, job->files.session_file, &values, &bytes, &st);
	if (!job->status && agent_session_info_parse(&info, &keys, bytes.data, bytes.size) &&
		(info.has_start_ticks ? is_its_start(job, info.start_ticks)
				      : agent_read_is_since_start(job, ns_of(st.st_mtim)))) {
		job->info = info;
		job->source = AGENT_READ_FILE;
		job->is_ambiguous = false;
	}
	buffer_fini(&bytes);
}

/* Reads the state of its job from the list that the agent's daemon keeps. */
static void read_job_status(struct agent_read *job, int root)
{
	struct agent_path values = { .session = span_of_string(job->info.job) };
	struct buffer bytes = { 0 };
	struct stat st;

	if (!job->info.job[0])
		return;
	if (!read_in_home(job, root, job->files.job_file, &values, &bytes, &st)) {
		_cleanup_json_ json_t *json = agent_json_object(bytes.data, bytes.size);

		if (json)
			agent_json_word(json, job->files.job_status_key, job->job_status,
				sizeof(job->job_status));
	}
	buffer_fini(&bytes);
}

void agent_read_open_files(struct agent_read *job)
{
	int fd = openat(job->process, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_dir_ DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct agent_path values = path_of(job);
	char path[AGENT_READ_PATH];
	unsigned left = DESCRIPTORS_MAX;

	if (!dir) {
		job->status = -errno;
		return;
	}
	for (struct dirent *entry; left-- && (entry = readdir(dir));) {
		ssize_t size = readlinkat(dirfd(dir), entry->d_name, path, sizeof(path));
		struct span id = { "", 0 };

		if (size <= 0 || (size_t)size == sizeof(path) ||
			!agent_path_ends(span_of_string(job->files.open_file),
				span_of(path, (size_t)size), &values, &id) ||
			!id.size || span_equal(id, job->info.session))
			continue;
		if (job->info.session[0])
			job->is_ambiguous = true;
		snprintf(job->info.session, sizeof(job->info.session), "%.*s", SPAN_ARGS(id));
		job->source = AGENT_READ_OPEN;
	}
	if (job->is_ambiguous)
		job->info.session[0] = '\0';
}

/* --- its log --- */

struct log_search {
	struct agent_read *job;
	int root;
	struct buffer line, members;
};

static void take_log(struct agent_read *job, const struct stat *st)
{
	job->has_log = true;
	job->log = (struct agent_log_file){ st->st_dev, st->st_ino, (uint64_t)st->st_size,
		ns_of(st->st_mtim) };
}

/* Returns whether a text has the directory of the process as one of its values. */
static bool names_directory(const struct agent_read *job, struct span text)
{
	char value[AGENT_READ_PATH + 2];

	snprintf(value, sizeof(value), "\"%s\"", job->directory);
	return span_contains(text, value);
}

/* Returns whether the members with the pid and the directory, if there are such, are those of the
 * process. */
static bool is_its_own(const struct agent_read *job, struct span begin)
{
	_cleanup_json_ json_t *json = agent_json_object(begin.data, begin.size);
	uint64_t own = 0, pid = 0;

	if (job->files.pid_key[0] &&
		(!span_decimal(span_of_string(job->pid), &own) ||
			!agent_json_number(json, job->files.pid_key, &pid) || pid != own))
		return false;
	return !job->files.directory_key[0] || !strcmp(job->files.directory_key, AGENT_ANY_KEY) ||
	       agent_json_is(json, job->files.directory_key, job->directory);
}

static uint64_t birth_ns(int fd)
{
	struct statx st = { 0 };

	if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_BTIME, &st) ||
		!(st.stx_mask & STATX_BTIME))
		return 0;
	return (uint64_t)st.stx_btime.tv_sec * NS_PER_S + st.stx_btime.tv_nsec;
}

/* Reads the session from the first line of a log, or from all of it if that is one object. */
static bool read_begin(struct log_search *s, int fd, bool is_object, struct agent_session_info *out)
{
	struct agent_files keys = keys_of(s->job);
	struct span begin;
	const char *end;

	buffer_reset(&s->line);
	if (root_file_read(fd, &s->line, 0, is_object ? SESSION_FILE_MAX : LINE_MAX_BYTES) ||
		!s->line.size)
		return false;
	begin = span_of((const char *)s->line.data, s->line.size);
	if (is_object && !strcmp(s->job->files.directory_key, AGENT_ANY_KEY) &&
		!names_directory(s->job, begin))
		return false;
	if (is_object && begin.size == SESSION_FILE_MAX) {
		buffer_reset(&s->members);
		if (!agent_json_first_members(&s->members, begin))
			return false;
		begin = span_of((const char *)s->members.data, s->members.size);
	}
	end = memchr(begin.data, '\n', begin.size);
	if (!is_object && end)
		begin.size = (size_t)(end - begin.data);
	if ((!is_object && !end) || !agent_session_info_parse(out, &keys, begin.data, begin.size) ||
		!is_its_own(s->job, begin))
		return false;
	if (!keys.start_key[0])
		out->start_utc_ns = birth_ns(fd);
	return out->start_utc_ns && agent_read_is_since_start(s->job, out->start_utc_ns);
}

/* Takes a log whose first line names the session: if only one such log was begun after the process
 * started, it belongs to the process. */
static bool take_begun(void *user, const char *path, const struct stat *seen)
{
	struct log_search *s = user;
	_cleanup_close_ int fd = -1;
	struct agent_session_info info;
	struct stat st;

	if (!agent_read_is_since_start(s->job, ns_of(seen->st_mtim)))
		return true;
	fd = root_file_open_owned(s->root, path, s->job->uid, &st);
	if (fd < 0 || !read_begin(s, fd, span_ends(span_of_string(path), ".json"), &info))
		return true;
	if (s->job->has_log) {
		s->job->is_ambiguous = true;
		return false;
	}
	take_log(s->job, &st);
	s->job->info = info;
	s->job->source = AGENT_READ_LOG;
	snprintf(s->job->log_path, sizeof(s->job->log_path), "%s", path);
	return true;
}

static bool take_only(void *user, const char *path, const struct stat *st)
{
	struct log_search *s = user;

	take_log(s->job, st);
	snprintf(s->job->log_path, sizeof(s->job->log_path), "%s", path);
	return false;
}

/* Returns whether a log belongs to the directory. Its end names the session and the directory; the
 * path has only the letters of the directory. */
static bool is_of_directory(struct log_search *s, const char *path, struct agent_session_info *out)
{
	struct agent_path values = { .directory = span_of_string(s->job->directory) };
	struct agent_files keys = keys_of(s->job);
	char place[AGENT_READ_PATH + 16];
	struct agent_session_info info;
	struct span id = { 0 };
	bool is_there = false;
	struct stat st;
	_cleanup_close_ int fd = root_file_open_owned(s->root, path, s->job->uid, &st);
	off_t from = fd >= 0 && st.st_size > (off_t)TAIL_BYTES ? st.st_size - TAIL_BYTES : 0;
	struct cursor c;

	buffer_reset(&s->line);
	if (fd < 0 || root_file_read(fd, &s->line, (uint64_t)from, TAIL_BYTES) ||
		!agent_path_ends(
			span_of_string(s->job->files.log), span_of_string(path), &values, &id))
		return false;
	snprintf(place, sizeof(place), "\"cwd\":\"%s\"", s->job->directory);
	c = cursor_over(s->line.data, s->line.size);
	while (!cursor_at_end(&c)) {
		struct span line = cursor_line(&c);

		if (!agent_session_info_parse(&info, &keys, line.data, line.size) ||
			!span_equal(id, info.session))
			continue;
		is_there |= span_contains(line, place);
		*out = info;
	}
	return is_there;
}

/* Takes the newest log: older versions of the agent do not show which process writes a log. */
static bool take_newest(void *user, const char *path, const struct stat *st)
{
	struct log_search *s = user;
	uint64_t changed_ns = ns_of(st->st_mtim);
	struct agent_session_info info;

	if (agent_read_is_since_start(s->job, changed_ns) &&
		(!s->job->has_log || changed_ns > s->job->log.changed_ns) &&
		is_of_directory(s, path, &info)) {
		s->job->info = info;
		s->job->source = AGENT_READ_NEWEST;
		take_only(user, path, st);
	}
	return true;
}

static void find_log(struct agent_read *job, int root)
{
	struct agent_path values = path_of(job);
	bool is_begun = !job->files.session_file[0] && job->files.session_key[0];
	bool is_newest = job->files.session_file[0] && !job->info.session[0] &&
			 (job->status == -ENOENT || job->status == -ENOTDIR);
	struct log_search s = { .job = job, .root = root };
	struct agent_walk walk = { .root = root,
		.values = &values,
		.project_file = job->files.project_file,
		.end_cpu_ns = job->end_cpu_ns,
		.visit = is_begun    ? take_begun
			 : is_newest ? take_newest
				     : take_only,
		.user = &s };

	job->is_ambiguous |= is_newest && job->is_shared;
	if (is_newest ? job->is_shared
		      : !is_begun && !job->info.session[0] &&
				job->files.log_kind != AGENT_LOG_OPENCODE)
		return;
	job->log_status = agent_walk(&walk, job->home, job->files.log);
	if (!is_newest && !job->has_log && !job->log_status &&
		strstr(job->files.log, "{directory}")) {
		values.is_any_directory = true;
		job->log_status = agent_walk(&walk, job->home, job->files.log);
	}
	if (job->is_ambiguous) {
		job->has_log = false;
		job->info = (struct agent_session_info){ 0 };
		job->source = AGENT_READ_NONE;
	}
	buffer_fini(&s.line);
	buffer_fini(&s.members);
}

/* Finds where to go on: behind the part of the log that was read. A new log is read from its start
 * if it is short. */
static void find_place(struct agent_read *job)
{
	struct agent_token_place *p = &job->tokens;

	if (p->is_read && p->device == job->log.device && p->inode == job->log.inode &&
		p->offset <= job->log.size)
		return;
	*p = (struct agent_token_place){ .device = job->log.device,
		.inode = job->log.inode,
		.offset = job->log.size > TOKEN_BYTES ? job->log.size - TOKEN_BYTES : 0,
		.is_read = true };
	p->is_cut = p->offset != 0;
}

/* Reads the tokens. If the read begins within a line, the rest of that line is skipped. */
static void read_tokens(struct agent_read *job, int fd)
{
	struct agent_token_place *p = &job->tokens;
	struct buffer bytes = { 0 };
	size_t taken;

	if (job->files.database[0])
		return;
	find_place(job);
	if (p->offset == job->log.size)
		return;
	if (!root_file_read(fd, &bytes, p->offset, TOKEN_BYTES)) {
		taken = agent_tokens_read(&p->sum, job->files.log_kind, bytes.data, bytes.size);
		/* A line longer than the whole buffer is no answer. */
		p->offset += taken || bytes.size < TOKEN_BYTES ? taken : bytes.size;
	}
	buffer_fini(&bytes);
}

/* Reads the first prompt, only once: it does not change. */
static void read_task(struct agent_read *job, int fd)
{
	struct buffer bytes = { 0 };

	if (job->task[0] && job->known.device == job->log.device &&
		job->known.inode == job->log.inode)
		return;
	job->task[0] = '\0';
	if (!root_file_read(fd, &bytes, 0, HEAD_BYTES))
		agent_task_read(job->task, job->files.log_kind, bytes.data, bytes.size);
	buffer_fini(&bytes);
}

static void read_log(struct agent_read *job, int root)
{
	bool is_shared = job->files.log_kind == AGENT_LOG_OPENCODE;
	_cleanup_close_ int fd = -1;
	struct buffer bytes = { 0 };
	uint64_t from;
	struct stat st;

	fd = root_file_open_owned(root, job->log_path, job->uid, &st);
	if (fd < 0) {
		job->log_status = fd;
		return;
	}
	take_log(job, &st);
	from = job->log.size > TAIL_BYTES ? job->log.size - TAIL_BYTES : 0;
	job->log_status = root_file_read(fd, &bytes, from, TAIL_BYTES);
	if (!job->log_status)
		job->has_tool = agent_log_last_tool(
			&job->tool, job->files.log_kind, bytes.data, bytes.size, from);
	if (!job->log_status && is_shared)
		job->has_turn = agent_opencode_read(
			&job->turn, bytes.data, bytes.size, from, job->start_utc_ns);
	else if (!job->log_status)
		job->has_turn = agent_turn_read(
			&job->turn, job->files.log_kind, bytes.data, bytes.size, from);
	job->is_tool_cut = from && !job->has_tool && !is_shared;
	if (!job->log_status) {
		read_task(job, fd);
		read_tokens(job, fd);
	}
	buffer_fini(&bytes);
}

void agent_read_option(struct agent_read *job)
{
	if (job->is_ambiguous || !job->option[0])
		return;
	memcpy(job->info.session, job->option, sizeof(job->option));
	job->source = AGENT_READ_OPTION;
}

static void read_database(struct agent_read *job, int root)
{
	char path[AGENT_READ_PATH * 2];
	const struct agent_database_request request = { .root = root,
		.path = path,
		.directory = job->directory,
		.start_utc_ns = job->start_utc_ns,
		.end_cpu_ns = job->end_cpu_ns };

	snprintf(path, sizeof(path), "%s/%s", job->home, job->files.database);
	job->database_status = agent_database_read(&request, &job->database, &job->tokens.sum,
		&job->tokens.calls, &job->tokens.is_cut);
}

static bool is_over(const struct agent_read *job)
{
	return job->end_cpu_ns && clock_ns(CLOCK_THREAD_CPUTIME_ID) >= job->end_cpu_ns;
}

void agent_read_files(struct agent_read *job, int root)
{
	if (is_over(job)) {
		agent_read_fail(job, -EDQUOT);
		return;
	}
	if (job->files.session_file[0])
		read_session_file(job, root);
	if (job->files.job_file[0])
		read_job_status(job, root);
	if (!job->info.session[0])
		agent_read_option(job);
	if (job->files.log[0])
		find_log(job, root);
	if (job->has_log && job->needs_tool && memcmp(&job->log, &job->known, sizeof(job->log)))
		read_log(job, root);
	job->branch_status = agent_branch_read(job->branch, root, job->directory);
	if (job->files.database[0] && job->needs_tool && job->directory[0])
		read_database(job, root);
	if (job->files.server_logs[0] && job->needs_tool && job->info.session[0])
		agent_servers_read(job, root);
}
