/* SPDX-License-Identifier: BSD-2-Clause */
/* A look at an agent's files; see agent_read.h. */
#include "os/linux/agents/agent_read.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/units.h"
#include "os/linux/agents/agent_walk.h"
#include "os/linux/files/root_file.h"

#define SESSION_FILE_MAX (64u << 10)
#define LINE_MAX_BYTES	 (4u << 10)   /* of the first line of a log */
#define TAIL_BYTES	 (256u << 10) /* of a log */
#define DESCRIPTORS_MAX	 4096
/* The wall clock may have been set since; a file of another process is older by more. */
#define CLOCK_SLACK_NS (2 * NS_PER_S)

static uint64_t ns_of(struct timespec t)
{
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

static struct agent_path path_of(const struct agent_read *look)
{
	return (struct agent_path){ .pid = span_of_string(look->pid),
		.session = span_of_string(look->words.session),
		.directory = span_of_string(look->directory) };
}

/* The keys once more, as agent_words_parse() takes them. */
static struct agent_files keys_of(const struct agent_read *look)
{
	return (struct agent_files){ .session_key = look->files.session_key,
		.status_key = look->files.status_key,
		.start_key = look->files.start_key,
		.version_key = look->files.version_key,
		.changed_key = look->files.changed_key };
}

static bool is_since_start(const struct agent_read *look, uint64_t utc_ns)
{
	return utc_ns + CLOCK_SLACK_NS >= look->start_utc_ns;
}

/* --- which session --- */

/* A process that had the pid before may have left its file. */
static void look_at_session_file(struct agent_read *look, int root)
{
	struct agent_path values = path_of(look);
	struct agent_files keys = keys_of(look);
	char name[AGENT_READ_TEXT + AGENT_ID_MAX], path[AGENT_READ_PATH * 2];
	struct agent_words words;
	struct buffer bytes = { 0 };
	struct stat st;

	if (!agent_path_expand(
		    name, sizeof(name), span_of_string(look->files.session_file), &values))
		return;
	snprintf(path, sizeof(path), "%s/%s", look->home, name);
	look->status = root_file_whole(root, path, &bytes, SESSION_FILE_MAX, &st);
	if (!look->status && agent_words_parse(&words, &keys, bytes.data, bytes.size) &&
		(words.has_start_ticks ? words.start_ticks == look->start_ticks
				       : is_since_start(look, ns_of(st.st_mtim)))) {
		look->words = words;
		look->source = AGENT_READ_FILE;
	}
	buffer_fini(&bytes);
}

/* What of its open files is of a session. */
static void look_at_open_files(struct agent_read *look)
{
	int fd = openat(look->process, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_dir_ DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct agent_path values = path_of(look);
	char path[AGENT_READ_PATH];
	unsigned left = DESCRIPTORS_MAX;

	if (!dir) {
		look->status = -errno;
		return;
	}
	for (struct dirent *entry; left-- && (entry = readdir(dir));) {
		ssize_t size = readlinkat(dirfd(dir), entry->d_name, path, sizeof(path));
		struct span id = { "", 0 };

		if (size <= 0 || (size_t)size == sizeof(path) ||
			!agent_path_ends(span_of_string(look->files.open_file),
				span_of(path, (size_t)size), &values, &id) ||
			!id.size || span_equal(id, look->words.session))
			continue;
		if (look->words.session[0])
			look->is_ambiguous = true;
		snprintf(look->words.session, sizeof(look->words.session), "%.*s", (int)id.size,
			id.data);
		look->source = AGENT_READ_OPEN;
	}
	if (look->is_ambiguous)
		look->words.session[0] = '\0';
}

/* --- its log --- */

struct log_search {
	struct agent_read *look;
	int root;
	struct buffer line;
};

static void take_log(struct agent_read *look, const struct stat *st)
{
	look->has_log = true;
	look->log = (struct agent_log_file){ st->st_dev, st->st_ino, (uint64_t)st->st_size,
		ns_of(st->st_mtim) };
}

/* A log that begins with the session: of those that began after the process the only one is its
 * own. */
static bool take_begun(void *user, const char *path, const struct stat *seen)
{
	struct log_search *s = user;
	struct agent_files keys = keys_of(s->look);
	_cleanup_close_ int fd = -1;
	struct agent_words words;
	struct stat st;
	const char *end;

	if (!is_since_start(s->look, ns_of(seen->st_mtim)))
		return true;
	buffer_reset(&s->line);
	fd = root_file_open_regular(s->root, path, &st);
	if (fd < 0 || root_file_read(fd, &s->line, 0, LINE_MAX_BYTES))
		return true;
	end = s->line.size ? memchr(s->line.data, '\n', s->line.size) : NULL;
	if (!end ||
		!agent_words_parse(
			&words, &keys, s->line.data, (size_t)(end - (const char *)s->line.data)) ||
		!words.start_utc_ns || !is_since_start(s->look, words.start_utc_ns))
		return true;
	if (s->look->has_log) {
		s->look->is_ambiguous = true;
		return false;
	}
	take_log(s->look, &st);
	s->look->words = words;
	s->look->source = AGENT_READ_LOG;
	snprintf(s->look->log_path, sizeof(s->look->log_path), "%s", path);
	return true;
}

static bool take_only(void *user, const char *path, const struct stat *st)
{
	struct log_search *s = user;

	take_log(s->look, st);
	snprintf(s->look->log_path, sizeof(s->look->log_path), "%s", path);
	return false;
}

static void find_log(struct agent_read *look, int root)
{
	struct agent_path values = path_of(look);
	bool is_begun = !look->files.session_file[0] && look->files.session_key[0];
	struct log_search s = { .look = look, .root = root };
	struct agent_walk walk = { .root = root,
		.values = &values,
		.project_file = look->files.project_file,
		.visit = is_begun ? take_begun : take_only,
		.user = &s };

	if (!is_begun && !look->words.session[0])
		return;
	look->log_status = agent_walk(&walk, look->home, look->files.log);
	if (!look->has_log && !look->log_status && strstr(look->files.log, "{directory}")) {
		values.is_any_directory = true;
		look->log_status = agent_walk(&walk, look->home, look->files.log);
	}
	if (look->is_ambiguous) {
		look->has_log = false;
		look->words = (struct agent_words){ 0 };
		look->source = AGENT_READ_NONE;
	}
	buffer_fini(&s.line);
}

static void read_log(struct agent_read *look, int root)
{
	_cleanup_close_ int fd = -1;
	struct buffer bytes = { 0 };
	uint64_t from;
	struct stat st;

	fd = root_file_open_regular(root, look->log_path, &st);
	if (fd < 0) {
		look->log_status = fd;
		return;
	}
	take_log(look, &st);
	from = look->log.size > TAIL_BYTES ? look->log.size - TAIL_BYTES : 0;
	look->log_status = root_file_read(fd, &bytes, from, TAIL_BYTES);
	if (!look->log_status)
		look->has_tool = agent_log_last_tool(
			&look->tool, look->files.log_kind, bytes.data, bytes.size, from);
	look->is_tool_cut = from && !look->has_tool;
	buffer_fini(&bytes);
}

void agent_read_option(struct agent_read *look)
{
	if (look->is_ambiguous || !look->option[0])
		return;
	memcpy(look->words.session, look->option, sizeof(look->option));
	look->source = AGENT_READ_OPTION;
}

void agent_read(struct agent_read *look)
{
	_cleanup_close_ int root = root_open(look->process);

	if (root < 0) {
		look->status = root;
		return;
	}
	if (look->files.session_file[0])
		look_at_session_file(look, root);
	if (look->files.open_file[0])
		look_at_open_files(look);
	if (!look->words.session[0])
		agent_read_option(look);
	if (look->files.log[0])
		find_log(look, root);
	if (look->has_log && look->wants_tool &&
		memcmp(&look->log, &look->known, sizeof(look->log)))
		read_log(look, root);
}
