/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading must not change the agent's data or make the agent wait. The database is opened for
 * reading, and so is the shared memory of its log, which SQLite would otherwise create if it is
 * missing (https://www.sqlite.org/wal.html#read_only_databases). So only a database that a process
 * has open can be read. The reader's lock delays no writer; it only delays the reuse of the log,
 * for some milliseconds. The schema is the target's: only plain tables are read, whose values need
 * no computing, and a query that takes too long is ended.
 */
#include "os/linux/agent_logs/agent_database.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/units.h"
#include "os/linux/files/root_file.h"

#define LIBRARY	   "libsqlite3.so.0"
#define PATH_ROOM  4096
#define STEPS	   50		     /* instructions of SQLite between two checks of the clock */
#define TIME_NS	   (250 * NS_PER_MS) /* CPU time for one database */
#define LOG_MOST   (256u << 20) /* SQLite may read all of it before the first check of the clock */
#define TEXT_MOST  (1 << 20)
#define PARTS_MOST (4u << 20)
#define WAL_FORMAT 2 /* bytes 18 and 19 of the file */

/* As sqlite3.h has them: they are part of its ABI. */
#define OK			0
#define ROW			100
#define DONE			101
#define OPEN_READONLY		0x1
#define OPEN_URI		0x40
#define LIMIT_LENGTH		0
#define DBCONFIG_DEFENSIVE	1010
#define DBCONFIG_TRUSTED_SCHEMA 1017

struct sqlite3;
struct sqlite3_stmt;

struct sqlite {
	void *library;
	struct sqlite3 *db;
	uint64_t end_cpu_ns; /* CLOCK_THREAD_CPUTIME_ID */
	bool is_over;
	int (*open)(const char *, struct sqlite3 **, int, const char *);
	int (*close)(struct sqlite3 *);
	int (*config)(struct sqlite3 *, int, ...);
	int (*limit)(struct sqlite3 *, int, int);
	void (*progress)(struct sqlite3 *, int, int (*)(void *), void *);
	int (*prepare)(struct sqlite3 *, const char *, int, struct sqlite3_stmt **, const char **);
	int (*bind_text)(struct sqlite3_stmt *, int, const char *, int, void (*)(void *));
	int (*bind_number)(struct sqlite3_stmt *, int, long long);
	int (*step)(struct sqlite3_stmt *);
	long long (*number)(struct sqlite3_stmt *, int);
	const unsigned char *(*text)(struct sqlite3_stmt *, int);
	int (*finalize)(struct sqlite3_stmt *);
};

static bool load_sqlite(struct sqlite *s)
{
	const struct {
		void *to;
		const char *name;
	} all[] = { { &s->open, "sqlite3_open_v2" }, { &s->close, "sqlite3_close_v2" },
		{ &s->config, "sqlite3_db_config" }, { &s->limit, "sqlite3_limit" },
		{ &s->progress, "sqlite3_progress_handler" }, { &s->prepare, "sqlite3_prepare_v2" },
		{ &s->bind_text, "sqlite3_bind_text" }, { &s->bind_number, "sqlite3_bind_int64" },
		{ &s->step, "sqlite3_step" }, { &s->number, "sqlite3_column_int64" },
		{ &s->text, "sqlite3_column_text" }, { &s->finalize, "sqlite3_finalize" } };

	*s = (struct sqlite){ .library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL) };
	for (size_t i = 0; s->library && i < ARRAY_SIZE(all); i++) {
		void *found = dlsym(s->library, all[i].name);

		if (!found)
			return false;
		memcpy(all[i].to, &found, sizeof(found));
	}
	return s->library != NULL;
}

void agent_database_prepare(void)
{
	dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
}

static void unload_sqlite(struct sqlite *s)
{
	if (s->db)
		s->close(s->db);
	if (s->library)
		dlclose(s->library);
}

/* --- the file --- */

/* Writes a URI. "%41" and the like would be characters of its path. */
static bool write_uri(char *uri, size_t room, const char *path)
{
	size_t size = (size_t)snprintf(uri, room, "file:");

	for (; *path && size + 4 < room; path++) {
		bool is_plain = *path != '?' && *path != '#' && *path != '%';

		size += (size_t)snprintf(
			uri + size, room - size, is_plain ? "%c" : "%%%02x", (unsigned char)*path);
	}
	if (*path)
		return false;
	return (size_t)snprintf(uri + size, room - size, "?mode=ro&readonly_shm=1") < room - size;
}

/* Makes the URI of the opened file from its path in this mount namespace, so that SQLite finds the
 * write-ahead log beside it. */
static bool find_uri(char *uri, size_t room, int fd, const struct stat *wanted)
{
	char link[40], path[PATH_ROOM];
	struct stat st;
	ssize_t size;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	size = readlink(link, path, sizeof(path) - 1);
	if (size <= 0 || (size_t)size == sizeof(path) - 1)
		return false;
	path[size] = '\0';
	/* In another mount namespace the file has another path, or none. */
	return !stat(path, &st) && st.st_dev == wanted->st_dev && st.st_ino == wanted->st_ino &&
	       write_uri(uri, room, path);
}

static bool has_log_format(int fd)
{
	uint8_t format[2];

	return pread(fd, format, sizeof(format), 18) == sizeof(format) && format[0] == WAL_FORMAT &&
	       format[1] == WAL_FORMAT;
}

static struct agent_database_place place_now(
	const struct agent_database_request *r, const struct stat *st)
{
	struct agent_database_place place = { .device = st->st_dev, .inode = st->st_ino };
	char path[PATH_ROOM];
	_cleanup_close_ int fd = -1;
	struct stat log;

	snprintf(path, sizeof(path), "%s-wal", r->path);
	fd = root_file_open_regular(r->root, path, &log);
	if (fd >= 0) {
		place.log_size = (uint64_t)log.st_size;
		place.log_changed_ns =
			(uint64_t)log.st_mtim.tv_sec * NS_PER_S + (uint64_t)log.st_mtim.tv_nsec;
	}
	return place;
}

/* --- reading the tables --- */

/* Views, virtual tables and generated columns would run code of the target. */
static const char plain_text[] =
	"SELECT count(*) FROM sqlite_master WHERE type = 'table' AND rootpage > 0"
	" AND name IN ('session', 'message', 'part') AND ?1 = ?1 AND ?2 = ?2 AND NOT EXISTS"
	" (SELECT 1 FROM pragma_table_xinfo(sqlite_master.name) WHERE hidden)";
static const char sessions_text[] =
	"SELECT count(*), total(tokens_input + tokens_cache_read + tokens_cache_write),"
	" total(tokens_output + tokens_reasoning), min(time_created)"
	" FROM session WHERE directory = ?1 AND time_updated >= ?2";
static const char answers_text[] =
	"SELECT count(*) FROM message m JOIN session s ON s.id = m.session_id"
	" WHERE s.directory = ?1 AND s.time_updated >= ?2"
	" AND json_extract(m.data, '$.role') = 'assistant'"
	" AND json_extract(m.data, '$.time.completed') IS NOT NULL";
/* The session's own last answer, not a subagent's. */
static const char last_text[] =
	"SELECT json_extract(m.data, '$.tokens.total'), json_extract(m.data, '$.modelID')"
	" FROM message m JOIN session s ON s.id = m.session_id"
	" WHERE s.directory = ?1 AND s.time_updated >= ?2 AND s.parent_id IS NULL"
	" AND json_extract(m.data, '$.role') = 'assistant'"
	" AND json_extract(m.data, '$.time.completed') IS NOT NULL"
	" ORDER BY m.time_created DESC LIMIT 1";

/* The last prompts, answers and tool calls of the session used last, each as a line of Gemini CLI's
 * log; of a long result only both ends. */
static const char parts_text[] =
	"WITH last AS (SELECT p.id AS id, p.time_created AS at, p.data AS d, m.data AS m"
	" FROM part p JOIN message m ON m.id = p.message_id WHERE p.session_id ="
	" (SELECT id FROM session WHERE directory = ?1 AND time_updated >= ?2"
	" AND parent_id IS NULL ORDER BY time_updated DESC LIMIT 1) ORDER BY p.id DESC LIMIT 400),"
	" named AS (SELECT *, json_extract(d, '$.type') AS type, coalesce(json_extract(d,"
	" '$.state.output'), json_extract(d, '$.state.error'), '') AS result FROM last)"
	" SELECT CASE type WHEN 'text' THEN json_object('type', 'user', 'timestamp', at)"
	" WHEN 'step-finish' THEN json_object('type', 'gemini', 'id', id, 'timestamp', at, "
	"'tokens',"
	" json_object('input', json_extract(d, '$.tokens.input') + json_extract(d,"
	" '$.tokens.cache.read') + json_extract(d, '$.tokens.cache.write'), 'output',"
	" json_extract(d, '$.tokens.output'), 'thoughts', json_extract(d, '$.tokens.reasoning')))"
	" ELSE json_object('type', 'gemini', 'timestamp', at, 'toolCalls', json_array(json_object("
	"'name', json_extract(d, '$.tool'), 'args', json_extract(d, '$.state.input'), 'status',"
	" json_extract(d, '$.state.status'), 'result', json_array(json_object('functionResponse',"
	" json_object('response', json_object('output', substr(result, 1, 4000) || length(result)"
	" || substr(result, -4000)))))))) END FROM named WHERE type = 'step-finish'"
	" OR (type = 'text' AND json_extract(m, '$.role') = 'user') OR (type = 'tool' AND"
	" json_extract(d, '$.state.status') IN ('completed', 'error')) ORDER BY id";

/* Returns the statement on its first row; NULL: there is none, or the database has another form. */
static struct sqlite3_stmt *first_row(
	struct sqlite *s, const char *text, const struct agent_database_request *r, bool *is_read)
{
	struct sqlite3_stmt *statement = NULL;
	long long start_ms = (long long)(r->start_utc_ns / NS_PER_MS);
	int status = s->prepare(s->db, text, -1, &statement, NULL);

	if (!status)
		status = s->bind_text(statement, 1, r->directory, -1, NULL);
	if (!status)
		status = s->bind_number(statement, 2, start_ms);
	if (!status)
		status = s->step(statement);
	*is_read = status == ROW || status == DONE;
	if (status == ROW)
		return statement;
	s->finalize(statement);
	return NULL;
}

static uint64_t number_at(struct sqlite *s, struct sqlite3_stmt *row, int column)
{
	long long number = s->number(row, column);

	return number > 0 ? (uint64_t)number : 0;
}

/* Returns how many of the tables can be read. */
static uint64_t count_plain(struct sqlite *s, const struct agent_database_request *r)
{
	bool is_read;
	struct sqlite3_stmt *row = first_row(s, plain_text, r, &is_read);
	uint64_t count = row ? number_at(s, row, 0) : 0;

	if (row)
		s->finalize(row);
	return count;
}

static bool read_sums(struct sqlite *s, const struct agent_database_request *r,
	struct agent_tokens *t, bool *is_cut)
{
	bool is_read;
	struct sqlite3_stmt *row = first_row(s, sessions_text, r, &is_read);

	if (!row)
		return false;
	t->has_any = number_at(s, row, 0) != 0;
	t->input = number_at(s, row, 1);
	t->output = number_at(s, row, 2);
	*is_cut = t->has_any && number_at(s, row, 3) < r->start_utc_ns / NS_PER_MS;
	s->finalize(row);
	return true;
}

static bool read_answers(
	struct sqlite *s, const struct agent_database_request *r, struct agent_tokens *t)
{
	bool is_read;
	struct sqlite3_stmt *row = first_row(s, answers_text, r, &is_read);

	if (!row)
		return false;
	t->turns = (uint32_t)number_at(s, row, 0);
	s->finalize(row);
	return true;
}

static bool read_last(
	struct sqlite *s, const struct agent_database_request *r, struct agent_tokens *t)
{
	bool is_read;
	struct sqlite3_stmt *row = first_row(s, last_text, r, &is_read);
	const char *model = row ? (const char *)s->text(row, 1) : NULL;

	if (row)
		t->context = number_at(s, row, 0);
	if (model && agent_word_is_plain(span_of_string(model), AGENT_MODEL_MAX))
		snprintf(t->model, sizeof(t->model), "%s", model);
	if (row)
		s->finalize(row);
	return is_read;
}

/* Reads the last calls; if they cannot be read, none is known to be repeated. */
static void read_parts(struct sqlite *s, const struct agent_database_request *r,
	struct agent_tokens *t, struct agent_turn *calls)
{
	struct agent_tokens found = { 0 };
	struct buffer lines = { 0 };
	bool is_read;

	*calls = (struct agent_turn){ 0 };
	for (struct sqlite3_stmt *row = first_row(s, parts_text, r, &is_read); row;) {
		const char *line = (const char *)s->text(row, 0);

		buffer_string(&lines, line ? line : "");
		buffer_char(&lines, '\n');
		if (lines.size < PARTS_MOST && s->step(row) == ROW)
			continue;
		s->finalize(row);
		row = NULL;
	}
	if (!s->is_over && agent_tokens_read(&found, AGENT_LOG_GEMINI, lines.data, lines.size)) {
		agent_turn_read(calls, AGENT_LOG_GEMINI, lines.data, lines.size, false);
		t->progress = found.progress;
		memcpy(t->minutes, found.minutes, sizeof(t->minutes));
	}
	buffer_fini(&lines);
}

static int give_up(void *user)
{
	struct sqlite *s = user;

	s->is_over = clock_ns(CLOCK_THREAD_CPUTIME_ID) >= s->end_cpu_ns;
	return s->is_over;
}

static int read_all(struct sqlite *s, const char *uri, const struct agent_database_request *r,
	struct agent_tokens *tokens, struct agent_turn *calls, bool *is_cut)
{
	struct agent_tokens found = { 0 };
	uint64_t tables;

	if (s->open(uri, &s->db, OPEN_READONLY | OPEN_URI, NULL))
		return -EIO;
	s->config(s->db, DBCONFIG_DEFENSIVE, 1, NULL);
	s->config(s->db, DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	s->limit(s->db, LIMIT_LENGTH, TEXT_MOST);
	s->end_cpu_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID) + TIME_NS;
	if (r->end_cpu_ns && r->end_cpu_ns < s->end_cpu_ns)
		s->end_cpu_ns = r->end_cpu_ns;
	s->progress(s->db, STEPS, give_up, s);
	tables = count_plain(s, r);
	if (tables < 2)
		return s->is_over ? -EDQUOT : -EOPNOTSUPP;
	if (!read_sums(s, r, &found, is_cut) || !read_answers(s, r, &found) ||
		!read_last(s, r, &found))
		return s->is_over ? -EDQUOT : -EIO;
	if (!agent_tokens_are_plausible(&found))
		return -ERANGE;
	if (tables == 3)
		read_parts(s, r, &found, calls);
	*tokens = found;
	return 0;
}

int agent_database_read(const struct agent_database_request *r, struct agent_database_place *place,
	struct agent_tokens *tokens, struct agent_turn *calls, bool *is_cut)
{
	char uri[PATH_ROOM];
	struct agent_database_place now;
	struct sqlite sqlite;
	struct stat st;
	_cleanup_close_ int fd = root_file_open_regular(r->root, r->path, &st);
	int status;

	if (fd < 0)
		return fd;
	now = place_now(r, &st);
	if (!memcmp(&now, place, sizeof(now)))
		return 0;
	if (now.log_size > LOG_MOST)
		return -EDQUOT;
	if (!has_log_format(fd) || !find_uri(uri, sizeof(uri), fd, &st))
		return -EOPNOTSUPP;
	status = load_sqlite(&sqlite) ? read_all(&sqlite, uri, r, tokens, calls, is_cut)
				      : -EOPNOTSUPP;
	unload_sqlite(&sqlite);
	if (!status)
		*place = now;
	return status;
}
