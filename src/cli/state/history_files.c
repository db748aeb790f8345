/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/state/history_files.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "analyze/process_table/process_table.h"
#include "analyze/records.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/closed_at_exec.h"
#include "base/units.h"
#include "cli/command/options.h"
#include "cli/rights/explaining.h"
#include "explain/finding.h"
#include "explain/report.h"
#include "model/answer_records.h"
#include "model/phase_records.h"
#include "model/stream_records.h"

#define READ_BYTES (256u << 10)
#define LOOK_BYTES (1u << 20) /* bytes of a file in which its first span is */
#define FILES_MAX  4096
/* The clocks of a file's last write and of the begin of the time may differ by this. */
#define SLACK_NS   (10 * NS_PER_S)
#define LASTING_NS (300 * NS_PER_S) /* within which a monitor writes again */
#define TAIL_BYTES (256u << 10)
#define END_NS	   (3600 * NS_PER_S) /* an older end may belong to another process with that PID */

const struct user_folder_kind history_folder_kind = { .below = ".local/state/sooth/history",
	.variable = "XDG_STATE_HOME",
	.below_variable = "sooth/history",
	.option = "history-dir" };

void history_name(char name[HISTORY_NAME_SIZE], uint32_t number)
{
	snprintf(name, HISTORY_NAME_SIZE, "phases-%08u.sooth", number);
}

/* --- which files --- */

static bool is_of_history(const char *name, uint32_t *number)
{
	char again[HISTORY_NAME_SIZE];

	if (sscanf(name, "phases-%8u.sooth", number) != 1)
		return false;
	history_name(again, *number);
	return !strcmp(again, name);
}

static int compare_by_number(const void *a, const void *b)
{
	const struct history_file *x = a, *y = b;

	return (x->number > y->number) - (x->number < y->number);
}

int history_list(int folder, struct buffer *files, struct sooth_error *err)
{
	int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_dir_ DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!dir)
		return error_errno(err, -errno, "list the history");
	while ((entry = readdir(dir)) && files->size < FILES_MAX * sizeof(struct history_file)) {
		struct history_file f = { 0 };
		struct stat st;

		if (!is_of_history(entry->d_name, &f.number) ||
			fstatat(folder, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) ||
			!S_ISREG(st.st_mode))
			continue;
		history_name(f.name, f.number);
		f.bytes = (uint64_t)st.st_size;
		f.changed_utc_ns = (uint64_t)st.st_mtime * NS_PER_S;
		buffer_append(files, &f, sizeof(f));
	}
	if (buffer_failed(files))
		return error_no_memory(err);
	if (files->size)
		qsort(files->data, files->size / sizeof(struct history_file),
			sizeof(struct history_file), compare_by_number);
	return 0;
}

/* --- reading --- */

static void note_damage(struct sooth_report *r, const struct history_file *f)
{
	char what[HISTORY_NAME_SIZE + 32];

	snprintf(what, sizeof(what), "parts of %s", f->name);
	report_note(r, what, "the file is damaged or cut off",
		"to avoid this note, delete the file from the folder of the history");
}

static int feed_file(struct sooth_report *r, int folder, const struct history_file *f, char *bytes,
	struct sooth_error *err)
{
	_cleanup_close_ int fd =
		openat(folder, f->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	uint64_t damages = report_damages(r);
	ssize_t got;
	int status = 0;

	if (fd < 0) /* another process may remove the oldest file at any time */
		return errno == ENOENT ? 0 : error_errno(err, -errno, "open %s", f->name);
	while (!status && (got = read(fd, bytes, READ_BYTES)) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		status = got < 0 ? error_errno(err, -errno, "read %s", f->name)
				 : sooth_report_feed(r, bytes, (size_t)got, err);
	}
	if (!status)
		status = report_end_of_file(r, err);
	if (!status && report_damages(r) > damages)
		note_damage(r, f);
	return status;
}

/* Feeds an end: a monitor that still runs has not written the end of its file. */
static int feed_end(struct sooth_report *r, struct sooth_error *err)
{
	struct stream_end end = { .record = { .kind = STREAM_END,
					  .time_ns = clock_monotonic_ns(),
					  .cpu = SOOTH_CPU_NONE },
		.reason = STREAM_END_STOPPED,
		.child_status = -1 };
	struct buffer one = { 0 };
	struct block block = { .header = { .type = BLOCK_RECORDS } };
	int status;

	RECORD_APPEND(&one, &end, NULL, 0);
	if (buffer_failed(&one))
		return error_no_memory(err);
	block.batch = (struct batch){ one.data, one.size };
	block_describe(&block);
	status = report_block(r, &block, err);
	buffer_fini(&one);
	return status;
}

static int feed_files(
	struct sooth_report *r, int folder, uint64_t from_utc_ns, struct sooth_error *err)
{
	_cleanup_free_ char *bytes = malloc(READ_BYTES);
	struct buffer files = { 0 };
	int status = bytes ? history_list(folder, &files, err) : error_no_memory(err);

	buffer_each_while (const struct history_file, file, &files, !status) {
		if (file->changed_utc_ns + SLACK_NS >= from_utc_ns)
			status = feed_file(r, folder, file, bytes, err);
	}
	buffer_fini(&files);
	return status ? status : feed_end(r, err);
}

static int refuse_missing_history(const char *path, struct sooth_error *err)
{
	error_set(err, -ENOENT, SOOTH_FAULT_NOT_FOUND, "read the history of sessions");
	error_why(err, "the folder %s has no history: no monitor ran", path);
	return error_remedy(
		err, "start a monitor, and run this command again later: sooth monitor &");
}

int history_feed(
	struct sooth_report *r, const char *path, uint64_t from_utc_ns, struct sooth_error *err)
{
	struct user_folder f;
	int status = 0;

	user_folder_set(&f, &history_folder_kind);
	if (path)
		snprintf(f.path, sizeof(f.path), "%s", path);
	else
		status = user_folder_default(&f, err);
	if (!status)
		explaining_begin(path);
	if (!status && !path)
		status = user_folder_enter(&f, err);
	if (status)
		return status;
	f.fd = open(f.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (f.fd < 0)
		status = errno == ENOENT ? refuse_missing_history(f.path, err)
					 : error_errno(err, -errno, "open %s", f.path);
	else
		status = feed_files(r, f.fd, from_utc_ns, err);
	user_folder_close(&f);
	if (!path)
		user_folder_leave(&f);
	return status;
}

bool history_is_folder(const struct arguments *a)
{
	struct stat st;

	return a->count == 1 && !a->command && !stat(a->items[0], &st) && S_ISDIR(st.st_mode);
}

int history_read_folder(const char *path, struct sooth_report *report, struct sooth_error *err)
{
	return history_feed(report, path, 0, err);
}

/* --- how a session ended --- */

struct end_search {
	uint32_t pid;
	bool has_ended;
	struct history_end *out;
};

static int find_end_of_process(
	void *user, const struct sooth_schema *schema, const struct sooth_record *record)
{
	const struct phase_span *p = (const void *)record;
	struct end_search *s = user;
	struct span agent, how = span_of("", 0);

	(void)schema;
	if (record->kind != PHASE_SPAN || record->pid != s->pid ||
		!record_holds(record, PHASE_SPAN_LEAST))
		return 0;
	agent = process_table_field(record, &p->agent);
	s->has_ended = p->flags & PHASE_IS_LAST;
	s->out->utc_ns = p->end_utc_ns;
	snprintf(s->out->agent, sizeof(s->out->agent), "%.*s", (int)agent.size, agent.data);
	if (record_holds(record, PHASE_SPAN_END))
		how = process_table_field(record, &p->end);
	snprintf(s->out->how, sizeof(s->out->how), "%.*s", (int)how.size, how.data);
	return 0;
}

static bool search_end(struct history_end *out, uint32_t pid)
{
	struct end_search search = { .pid = pid, .out = out };
	struct sooth_report *report = NULL;
	struct sooth_error ignored;
	uint64_t now = clock_realtime_ns();

	if (!sooth_report_new(&report, "phases", &ignored)) {
		sooth_report_on_record(report, find_end_of_process, &search);
		history_feed(report, NULL, now > END_NS ? now - END_NS : 0, &ignored);
	}
	sooth_report_free(report);
	return search.has_ended;
}

/* A process of its own reads, as this one goes on with its rights. */
bool history_end_of(struct history_end *out, uint32_t pid)
{
	struct history_end found = { 0 };
	int ends[2];
	ssize_t got;
	pid_t reader;

	assert(out);
	if (closed_at_exec_pipe(ends))
		return false;
	reader = fork();
	if (!reader)
		_exit(!search_end(&found, pid) ||
			write(ends[1], &found, sizeof(found)) != sizeof(found));
	close(ends[1]);
	do
		got = reader > 0 ? read(ends[0], &found, sizeof(found)) : 0;
	while (got < 0 && errno == EINTR);
	close(ends[0]);
	while (reader > 0 && waitpid(reader, NULL, 0) < 0 && errno == EINTR)
		;
	found.agent[sizeof(found.agent) - 1] = found.how[sizeof(found.how) - 1] = '\0';
	*out = found;
	return got == sizeof(found);
}

/* --- the answers that last --- */

struct answer_search {
	uint32_t main_pid;
	uint64_t since_utc_ns;
	unsigned rank;
	char key[64]; /* of the answer in `out` */
	char *out;
	size_t size;
};

static unsigned severity_rank(struct span severity)
{
	size_t rank = 0;

	while (rank < finding_severity_names.count &&
		!span_equal(severity, finding_severity_names.names[rank]))
		rank++;
	return (unsigned)rank + 1;
}

static void take_answer(struct answer_search *s, const struct answer_span *a)
{
	struct span text = record_text(&a->record, &a->words);
	struct span key = record_text(&a->record, &a->key);
	unsigned rank = severity_rank(record_text(&a->record, &a->severity));

	if (a->end_utc_ns < s->since_utc_ns || (s->main_pid && a->record.pid != s->main_pid))
		return;
	if (a->is_cleared && s->rank && span_equal(key, s->key)) {
		s->rank = 0;
	} else if (!a->is_cleared && rank >= s->rank) {
		s->rank = rank;
		snprintf(s->key, sizeof(s->key), "%.*s", SPAN_ARGS(key));
		snprintf(s->out, s->size, "%.*s", SPAN_ARGS(text));
	}
}

static int find_answers(void *user, const struct block *block, struct sooth_error *err)
{
	(void)err;
	batch_for_each (r, &block->batch) {
		const struct answer_span *a = record_as(r, ANSWER_SPAN, ANSWER_SPAN_LEAST);

		if (a)
			take_answer(user, a);
	}
	return 0;
}

/* Reads the end of the newest file: a few minutes are written there. */
static void search_answers(struct answer_search *s, int folder, const struct history_file *newest)
{
	_cleanup_close_ int fd =
		openat(folder, newest->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	_cleanup_free_ char *bytes = malloc(TAIL_BYTES);
	struct block_reader reader = { 0 };
	struct sooth_error ignored;
	ssize_t got = -1;

	if (fd >= 0 && bytes)
		got = pread(fd, bytes, TAIL_BYTES,
			newest->bytes > TAIL_BYTES ? (off_t)(newest->bytes - TAIL_BYTES) : 0);
	if (got > 0 && !block_reader_feed(&reader, bytes, (size_t)got, find_answers, s, &ignored))
		block_reader_finish(&reader, find_answers, s, &ignored);
	block_reader_fini(&reader);
}

bool history_answer_of(char *out, size_t size, uint32_t main_pid)
{
	uint64_t now = clock_realtime_ns();
	struct answer_search search = { main_pid, now - LASTING_NS, .out = out, .size = size };
	struct buffer files = { 0 };
	struct sooth_error ignored;
	const struct history_file *all;
	struct user_folder f;
	size_t count;

	user_folder_set(&f, &history_folder_kind);
	if (user_folder_default(&f, &ignored))
		return false;
	explaining_begin(NULL);
	if (user_folder_enter(&f, &ignored))
		return false;
	f.fd = open(f.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (f.fd >= 0 && !history_list(f.fd, &files, &ignored)) {
		all = (const void *)files.data;
		count = files.size / sizeof(*all);
		/* A monitor that runs writes every few minutes. */
		if (count && all[count - 1].changed_utc_ns + LASTING_NS >= now)
			search_answers(&search, f.fd, &all[count - 1]);
	}
	buffer_fini(&files);
	user_folder_close(&f);
	user_folder_leave(&f);
	return search.rank;
}

/* --- a file alone --- */

static int find_span(void *user, const struct block *block, struct sooth_error *err)
{
	(void)err;
	batch_for_each (r, &block->batch)
		*(bool *)user |= r->kind == PHASE_SPAN;
	return 0;
}

bool history_is_file(const char *path)
{
	_cleanup_close_ int fd = open(explaining_begin(path), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	_cleanup_free_ char *bytes = malloc(LOOK_BYTES);
	struct block_reader reader = { 0 };
	struct sooth_error ignored;
	struct stat st;
	bool has_span = false;
	ssize_t got;

	if (fd < 0 || !bytes || fstat(fd, &st) || !S_ISREG(st.st_mode))
		return false;
	got = read(fd, bytes, LOOK_BYTES);
	if (got > 0)
		block_reader_feed(&reader, bytes, (size_t)got, find_span, &has_span, &ignored);
	block_reader_fini(&reader);
	return has_span;
}
