/* SPDX-License-Identifier: BSD-2-Clause */
/* Log files of a process on FreeBSD, by its list of descriptors: real files, in a folder that is
 * made for the test; and calls that do not return. */
#include "freebsd_host.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analyze/records.h"
#include "os/bsd/timed_call.h"
#include "probes/logs.h"

#define WRITES	2 /* KF_FLAG_WRITE */
#define APPENDS 4 /* KF_FLAG_APPEND */
#define ERRORS                                                                                     \
	"2026-11-27 10:00:00 INFO start\n2026-11-27 10:00:01 ERROR cannot reach db 1\n"            \
	"2026-11-27 10:00:02 ERROR cannot reach db 2\n"

static char folder[64];
static unsigned char files[16384];
static size_t files_size;
static struct kinfo process;

/* The report. */
static struct text seen;

static const char *path_of(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static void write_file(const char *name, const char *text)
{
	FILE *file = fopen(path_of(name), "w");

	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

static int begin(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/sooth-logs-XXXXXX");
	assert_non_null(mkdtemp(folder));
	memset(files, 0, sizeof(files));
	files_size = 0;
	return 0;
}

static int end(void **state)
{
	char command[96];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command) ? -1 : 0;
}

/* A descriptor of that file, of which another one was at that path if `inode` is not 0. */
static void add(int fd, const char *name, unsigned flags, ino_t inode)
{
	unsigned char *at = files + files_size;
	struct stat st;

	assert_int_equal(lstat(path_of(name), &st), 0);
	put(at, 4, 1, 4);
	put(at, 8, (uint64_t)fd, 4);
	put(at, 16, flags, 4);
	put(at, 32, 1, 4);
	put(at, 280, 1, 8);
	put(at, 288, (uint64_t)st.st_dev, 8);
	put(at, 304, inode ? inode : st.st_ino, 8);
	put(at, 312, (uint64_t)st.st_size, 8);
	put(at, 336, 1, 2);
	files_size += pack(at, 368, path_of(name));
	assert_true(files_size < sizeof(files));
}

static int take(void *user, const struct sooth_schema *schema, const struct sooth_record *r)
{
	const struct logs_file *f = record_as(r, LOGS_FILE, sizeof(*f));
	const struct logs_error *e = record_as(r, LOGS_ERROR, sizeof(*e));
	const struct logs_process *p = record_as(r, LOGS_PROCESS, sizeof(*p));
	struct span text;

	(void)user;
	(void)schema;
	if (f) {
		text = record_text(r, &f->path);
		fprintf(seen.stream, "file %u %.*s: %u of %u\n", f->fd, (int)path_base(text).size,
			path_base(text).data, f->errors, f->messages);
	}
	if (e) {
		text = record_text(r, &e->text);
		fprintf(seen.stream, "error %u %.*s: %u\n", e->fd, (int)text.size, text.data,
			e->times);
	}
	if (p)
		fprintf(seen.stream, "files %u state %u\n", p->files, p->files_state);
	return 0;
}

extern const struct backend backend_logs_files;

static const char *look(void)
{
	static const struct backend *const logs[] = { &backend_logs_files, NULL };
	struct sooth_observer *o;
	struct sooth_report *r;
	struct sooth_error err;
	struct host h;

	host_open(&h);
	h.os = bsd_test_os("freebsd", logs, &h.source);
	process = kinfo(100, 1, 1001, "server");
	answer(&h, 1, 100, &process, sizeof(process));
	answer(&h, 33, 100, files, files_size);
	text_free(&seen);
	text_open(&seen);
	assert_int_equal(sooth_report_new(&r, "logs", &err), 0);
	sooth_report_on_record(r, take, NULL);
	assert_int_equal(observer_new_on(&o, &h.os, NULL, &err), 0);
	assert_int_equal(sooth_observer_add_pid(o, 100, &err), 0);
	assert_int_equal(sooth_observer_add_probe(o, "logs", SOOTH_SAMPLE, &err), 0);
	assert_int_equal(sooth_observer_connect_report(o, r, &err), 0);
	if (sooth_observer_start(o, &err))
		fail_msg("%s: %s", err.tried, err.why);
	assert_int_equal(sooth_observer_stop(o, SOOTH_END_STOPPED, &err), 0);
	assert_int_equal(sooth_report_finish(r, &err), 0);
	sooth_report_free(r);
	sooth_observer_free(o);
	return text_close(&seen);
}

static void test_errors(void **state)
{
	(void)state;
	write_file("app.log", ERRORS);
	add(7, "app.log", WRITES, 0);
	assert_string_equal(look(), "file 7 app.log: 2 of 3\nerror 7 cannot reach db 2: 2\n"
				    "files 1 state 0\n");
}

/* Only what it writes, and what is a log by its name, its number, or because it is added to. */
static void test_which(void **state)
{
	(void)state;
	write_file("read.log", ERRORS);
	add(3, "read.log", 1, 0);
	write_file("talk.jsonl", ERRORS);
	add(4, "talk.jsonl", WRITES | APPENDS, 0);
	write_file("image", ERRORS);
	add(5, "image", WRITES, 0);
	assert_string_equal(look(), "files 0 state 0\n");
	write_file("notes", ERRORS);
	add(6, "notes", WRITES | APPENDS, 0);
	write_file("both", ERRORS);
	add(1, "both", WRITES, 0);
	add(2, "both", WRITES, 0);
	assert_string_equal(look(), "file 6 notes: 2 of 3\nerror 6 cannot reach db 2: 2\n"
				    "file 1 both: 2 of 3\nerror 1 cannot reach db 2: 2\n"
				    "files 2 state 0\n");
}

/* The path has another file, or none that is read, by now. */
static void test_replaced(void **state)
{
	(void)state;
	write_file("app.log", ERRORS);
	add(7, "app.log", WRITES, 1);
	assert_int_equal(symlink("app.log", path_of("link.log")), 0);
	add(8, "link.log", WRITES, 0);
	assert_int_equal(mkfifo(path_of("pipe.log"), 0600), 0);
	add(9, "pipe.log", WRITES, 0);
	write_file("gone.log", ERRORS);
	add(10, "gone.log", WRITES, 0);
	assert_int_equal(unlink(path_of("gone.log")), 0);
	assert_string_equal(look(), "files 0 state 0\n");
}

static void test_many(void **state)
{
	char name[16];

	(void)state;
	for (int i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "%d.log", i);
		write_file(name, "INFO start\n");
		add(10 + i, name, WRITES, 0);
	}
	assert_true(has(look(), "files 16 state 2\n"));
}

/* --- calls that do not return --- */

static int kept[2];

static void ends(void *argument)
{
	*(int *)argument = fcntl(kept[0], F_GETFD) < 0 ? 4711 : 1;
}

static void hangs(void *argument)
{
	(void)argument;
	for (;;)
		pause();
}

static void dies(void *argument)
{
	(void)argument;
	_exit(3);
}

static void test_timed(void **state)
{
	static char large[200000];
	struct timed_calls calls = { 0 };
	int number = 0;

	(void)state;
	assert_int_equal(pipe(kept), 0);
	assert_int_equal(timed_call(&calls, ends, &number, sizeof(number), 10000), 0);
	assert_int_equal(number, 4711);
	/* More than a pipe holds. */
	assert_int_equal(timed_call(&calls, ends, large, sizeof(large), 10000), 0);
	assert_int_equal(timed_call(&calls, dies, &number, sizeof(number), 10000), -EIO);
	for (int i = 0; i < 10; i++)
		assert_int_equal(
			timed_call(&calls, hangs, &number, sizeof(number), 20), -ETIMEDOUT);
	/* Those were killed, and end, on a busy host a little later. */
	for (size_t i = 0; i < TIMED_CALL_STUCK_MAX; i++) {
		while (calls.stuck[i])
			assert_int_equal(
				timed_call(&calls, ends, &number, sizeof(number), 10000), 0);
	}
	/* When they do not end. */
	for (size_t i = 0; i < TIMED_CALL_STUCK_MAX; i++) {
		calls.stuck[i] = fork();
		if (!calls.stuck[i])
			hangs(NULL);
	}
	assert_int_equal(timed_call(&calls, ends, &number, sizeof(number), 10000), -EBUSY);
	for (size_t i = 0; i < TIMED_CALL_STUCK_MAX; i++)
		kill(calls.stuck[i], SIGKILL);
	while (timed_call(&calls, ends, &number, sizeof(number), 10000) == -EBUSY)
		usleep(1000);
	close(kept[0]);
	close(kept[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_errors, begin, end),
		cmocka_unit_test_setup_teardown(test_which, begin, end),
		cmocka_unit_test_setup_teardown(test_replaced, begin, end),
		cmocka_unit_test_setup_teardown(test_many, begin, end),
		cmocka_unit_test(test_timed),
	};
	int status = cmocka_run_group_tests(tests, NULL, NULL);

	text_free(&seen);
	return status;
}
