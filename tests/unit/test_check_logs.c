/* SPDX-License-Identifier: BSD-2-Clause */
/* errors-logged and thread-ended, at both sides of their thresholds. */
#include "check_records.h"

#include "probes/fds.h"
#include "probes/logs.h"
#include "probes/sockets.h"
#include "probes/syscalls.h"

#define LOG_INODE 5

static struct logs_error error_of(uint32_t times)
{
	return (struct logs_error){ .inode = LOG_INODE,
		.fd = 3,
		.times = times,
		.times_new = 2,
		.messages = 2 * times,
		.other_most = times };
}

static struct logs_file log_file(void)
{
	return (struct logs_file){ .inode = LOG_INODE, .fd = 3, .messages = 20, .errors = 10 };
}

static void file_at(double s, struct logs_file f, const char *path)
{
	struct record_tail tail[] = { put_text(&f.path, path) };

	f.record = head_of(s, PID, LOGS_FILE);
	RECORD_APPEND(&records, &f, tail, 1);
}

static const char *error_text = "KeyError: 'price'";

static void error_at(double s, struct logs_error e)
{
	struct record_tail tail[] = { put_text(&e.text, error_text) };

	e.record = head_of(s, PID, LOGS_ERROR);
	RECORD_APPEND(&records, &e, tail, 1);
}

static void logs_end_at(double s, uint8_t state)
{
	struct logs_process p = {
		.record = head_of(s + 0.01, PID, LOGS_PROCESS), .files = 1, .files_state = state
	};

	RECORD_APPEND(&records, &p, NULL, 0);
}

/* Its log with that error, and at the second look these figures. */
static void logs(struct logs_error e, struct logs_file f)
{
	is_there();
	for (int look = 0; look < 2; look++) {
		file_at(5.0 * look, f, "/srv/app.log");
		error_at(5.0 * look, e);
		logs_end_at(5.0 * look, SOOTH_STATE_VALUE);
	}
}

static void comes(double times)
{
	logs(error_of((uint32_t)times), log_file());
}

/* Another message comes so often beside ten errors. */
static void other_comes(double times)
{
	struct logs_error e = error_of(10);

	e.other_most = (uint32_t)times;
	e.messages = e.times + e.other_most;
	logs(e, log_file());
}

/* It is so many of the messages since the first one, all others differ. */
static void is_among(double messages)
{
	struct logs_error e = error_of(10);

	e.messages = (uint32_t)messages;
	e.other_most = 1;
	logs(e, log_file());
}

/* So many messages say that something was stored. */
static void stores(double times)
{
	struct logs_error e = error_of(10);

	e.done = (uint32_t)times;
	logs(e, log_file());
}

/* Another file of it has so many bytes at the second look, and had 10. */
static void fills(double bytes)
{
	is_there();
	for (int look = 0; look < 2; look++) {
		struct fds_descriptor d = { .record = head_of(5.0 * look, PID, FDS_DESCRIPTOR),
			.fd = 4,
			.type = FDS_FILE,
			.access = FDS_ACCESS_WRITE,
			.inode = 6,
			.size_bytes = look ? (uint64_t)bytes : 10 };
		struct fds_process end = { .record = head_of(5.0 * look + 0.01, PID, FDS_PROCESS) };

		RECORD_APPEND(&records, &d, NULL, 0);
		RECORD_APPEND(&records, &end, NULL, 0);
	}
	logs(error_of(10), log_file());
}

/* None came meanwhile, and the log is silent for so long. */
static void is_silent(double s)
{
	struct logs_error e = error_of(10);
	struct logs_file f = log_file();

	e.times_new = 0;
	f.silent_ns = (uint64_t)(s * 1e9);
	logs(e, f);
}

static void warns(double times)
{
	struct logs_error e = error_of((uint32_t)times);

	e.is_warning = 1;
	logs(e, log_file());
}

/* Its other log grows by so many messages meanwhile. */
static void has_other_log(double messages)
{
	is_there();
	for (int look = 0; look < 2; look++) {
		file_at(5.0 * look, log_file(), "/srv/error.log");
		error_at(5.0 * look, error_of(10));
		file_at(5.0 * look,
			(struct logs_file){
				.inode = 6, .fd = 4, .messages_new = (uint32_t)messages },
			"/srv/access.log");
		logs_end_at(5.0 * look, SOOTH_STATE_VALUE);
	}
}

/* A server whose log has errors alone, or so many other messages. */
static void serves(double others)
{
	struct logs_error e = error_of(10);
	struct sockets_socket s = { .record = head_of(5, PID, SOCKETS_SOCKET),
		.state = SOCKETS_LISTEN };
	struct sockets_process end = { .record = head_of(5.01, PID, SOCKETS_PROCESS) };

	e.messages = e.times + (uint32_t)others;
	logs(e, log_file());
	RECORD_APPEND(&records, &s, NULL, 0);
	RECORD_APPEND(&records, &end, NULL, 0);
}

static void is_refused(double unused)
{
	(void)unused;
	is_there();
	logs_end_at(0, SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION));
	logs_end_at(5, SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION));
}

/* --- standard error that is no file --- */

static void say(double s, uint32_t pid, enum syscalls_message_kind kind, const char *text)
{
	struct syscalls_message m = {
		.record = head_of(s, pid, SYSCALLS_MESSAGE), .kind = (uint8_t)kind, .form = 7 + kind
	};
	struct record_tail tail[] = { put_text(&m.text, text) };

	RECORD_APPEND(&records, &m, tail, 1);
}

static void has_no_logs(void)
{
	is_there();
	logs_end_at(0, SOOTH_STATE_VALUE);
	logs_end_at(5, SOOTH_STATE_VALUE);
}

static void says(double times)
{
	has_no_logs();
	for (int i = 0; i < (int)times; i++)
		say(1 + 0.5 * i, PID, SYSCALLS_MESSAGE_ERROR, "cannot parse rules.yaml");
}

/* The same six times, and so many calls that write to its standard output. */
static void prints(double calls)
{
	has_no_logs();
	for (int i = 0; i < 6; i++)
		say(1 + 0.5 * i, PID, SYSCALLS_MESSAGE_ERROR, "cannot parse rules.yaml");
	for (int i = 0; i < (int)calls; i++) {
		struct syscalls_call c = { .record = head_of(1 + 0.5 * i, PID, SYSCALLS_CALL),
			.arguments = { 1 },
			.number = 1, /* write, of x86-64 */
			.result = 20 };

		RECORD_APPEND(&records, &c, NULL, 0);
	}
}

/* An error in each of two lines of an exception: one message. */
static void says_parts(double unused)
{
	(void)unused;
	has_no_logs();
	for (int i = 0; i < 3; i++) {
		say(1 + i, PID, SYSCALLS_MESSAGE_ERROR, "job failed");
		say(1 + i, PID, SYSCALLS_MESSAGE_ROUTINE, "");
	}
}

static void test_standard_error(void **state)
{
	static const struct check_case cases[] = {
		{ "errors-logged", says, 6, NULL,
			"medium/high: writes to standard error the same error again and again: "
			"\"cannot parse rules.yaml\"|" },
		{ "errors-logged", says, 3, NULL, "low/high: writes to standard error" },
		{ "errors-logged", says, 2, NULL, "fine: " },
		{ "errors-logged", says_parts, 0, NULL, "low/high: " },
		{ "errors-logged", prints, 7, NULL, "medium/high: " },
		{ "errors-logged", prints, 8, NULL, "fine: " },
	};

	(void)state;
	TRY_CASES(cases);
}

/* --- the end of a thread --- */

/* The log ends with that message, and so many others. */
static void ends_with(const char *text, double behind)
{
	struct logs_error e = error_of(1);
	struct logs_file f = log_file();

	e.times_new = 0;
	e.behind = (uint32_t)behind;
	f.silent_ns = 2000000000;
	error_text = text;
	logs(e, f);
	error_text = "KeyError: 'price'";
}

static void ends_in_java(double behind)
{
	ends_with("Exception in thread \"acceptor\" java.lang.Error: no", behind);
}

static void ends_in_python(double behind)
{
	ends_with("Exception in thread reader (f):; ValueError: bad", behind);
}

static void ends_in_rust(double unused)
{
	(void)unused;
	ends_with("thread 'consumer' (7031) panicked at a.rs:2:1", 0);
}

static void ends_in_ruby(double unused)
{
	(void)unused;
	ends_with(
		"#<Thread:0x1 a.rb:1 run> terminated with exception (report_on_exception is true):",
		0);
}

static void ends_in_perl(double unused)
{
	(void)unused;
	ends_with("Thread 1 terminated abnormally: no such file", 0);
}

static void says_otherwise(double unused)
{
	(void)unused;
	ends_with("cannot start thread 'consumer': no memory", 0);
}

static void ends_without_name(double unused)
{
	(void)unused;
	ends_with("Exception in thread \"\" java.lang.Error: no", 0);
}

static void test_thread_ended(void **state)
{
	static const struct check_case cases[] = {
		{ "thread-ended", ends_in_java, 3, NULL,
			"low/medium: its thread acceptor ended by an exception, and the process "
			"goes on without it: \"java.lang.Error: no\"|" },
		{ "thread-ended", ends_in_java, 4, NULL, "fine: " },
		{ "thread-ended", ends_in_python, 0, NULL,
			"low/medium: its thread reader (f) ended by an exception, and the process "
			"goes on without it: \"ValueError: bad\"|" },
		{ "thread-ended", ends_in_rust, 0, NULL,
			"low/medium: its thread consumer ended by an exception, and the process "
			"goes on without it: \"a.rs:2:1\"|" },
		{ "thread-ended", ends_in_ruby, 0, NULL,
			"low/medium: its thread ended by an exception, and the process goes on "
			"without it|" },
		{ "thread-ended", ends_in_perl, 0, NULL,
			"low/medium: its thread 1 ended by an exception, and the process goes on "
			"without it: \"no such file\"|" },
		{ "thread-ended", says_otherwise, 0, NULL, "fine: " },
		{ "thread-ended", ends_without_name, 0, NULL, "fine: " },
		{ "thread-ended", is_refused, 0, NULL, "blind: " },
	};

	(void)state;
	TRY_CASES(cases);
}

static void test_errors_logged(void **state)
{
	static const struct check_case cases[] = {
		{ "errors-logged", comes, 6, NULL,
			"medium/high: logs the same error again and again: \"KeyError: "
			"'price'\"|" },
		{ "errors-logged", comes, 5, NULL, "low/high: logs the same error" },
		{ "errors-logged", comes, 3, NULL, "low/high: logs the same error" },
		{ "errors-logged", comes, 2, NULL, "fine: " },
		{ "errors-logged", other_comes, 10, NULL, "medium/high: " },
		{ "errors-logged", other_comes, 11, NULL, "fine: " },
		{ "errors-logged", stores, 1, NULL, "medium/high: " },
		{ "errors-logged", stores, 2, NULL, "fine: " },
		{ "errors-logged", fills, 10, NULL, "medium/high: " },
		{ "errors-logged", fills, 11, NULL, "fine: " },
		{ "errors-logged", is_among, 100, NULL, "medium/high: " },
		{ "errors-logged", is_among, 101, NULL, "fine: " },
		{ "errors-logged", is_silent, 20, NULL, "medium/medium: " },
		{ "errors-logged", is_silent, 21, NULL, "fine: " },
		{ "errors-logged", warns, 10, NULL, "low/high: logs the same warning" },
		{ "errors-logged", has_other_log, 3, NULL, "medium/high: " },
		{ "errors-logged", has_other_log, 4, NULL, "fine: " },
		{ "errors-logged", serves, 1, NULL, "medium/high: " },
		{ "errors-logged", serves, 0, NULL, "fine: " },
		{ "errors-logged", is_refused, 0, NULL, "blind: " },
	};

	(void)state;
	TRY_CASES(cases);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_errors_logged),
		cmocka_unit_test(test_standard_error), cmocka_unit_test(test_thread_ended) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
