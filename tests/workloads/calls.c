/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls of every kind that is decoded, with arguments that are known, and a line of truth for
 * each: who made it, its name, what it returned, the path it is about, its arguments. From the
 * first line on the program makes no other call until the last one, but for children after an
 * exec. The truth lies in shared memory, so that children tell theirs, while
 * their parent tells its own: a line takes its place in one step.
 *
 * Flags and structs are told as words, so the words are this file's claim of what was passed.
 */
#include "calls.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <sys/mman.h>

#define TRUTH_SIZE (1 << 20)
#define TEXT_SIZE  8192
#define LINE_SIZE  (8 * TEXT_SIZE)

struct shared {
	_Atomic size_t size;
	char text[TRUTH_SIZE];
};

char calls_folder[256];
char calls_stdin[64];

static char *under;
static struct shared *shared;
static const char *last_name;
static long last_result;
static int last_errno, last_tid;

long call_make(const char *name, long number, const long a[6])
{
	last_name = name;
	last_result = syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
	last_errno = last_result < 0 && last_result >= -4095 ? errno : 0;
	return last_result;
}

static void add(const char *result, const char *path, const char *format, va_list arguments)
{
	static char line[LINE_SIZE];
	int n = snprintf(line, sizeof(line), "%d\t%s\t%s\t%s\t", last_tid, last_name, result,
		path ? path : "-");

	n += vsnprintf(line + n, sizeof(line) - (size_t)n, format, arguments);
	line[n++] = '\n';
	memcpy(shared->text + atomic_fetch_add(&shared->size, (size_t)n), line, (size_t)n);
}

void told(const char *path, const char *format, ...)
{
	char result[64];
	va_list arguments;

	if (last_errno)
		snprintf(result, sizeof(result), "-1 %s", strerrorname_np(last_errno));
	else
		snprintf(result, sizeof(result), "%ld", last_result);
	va_start(arguments, format);
	add(result, path, format, arguments);
	va_end(arguments);
}

void reported_before(
	const char *name, const char *result, const char *path, const char *format, ...)
{
	va_list arguments;

	last_name = name;
	va_start(arguments, format);
	add(result, path, format, arguments);
	va_end(arguments);
}

void calls_in_child(long tid)
{
	last_tid = (int)tid;
}

const char *in_calls(const char *name)
{
	static char paths[3][TEXT_SIZE];
	static unsigned turn;
	char *path = paths[turn++ % ARRAY_SIZE(paths)];

	snprintf(path, sizeof(paths[0]), "%s%s%s", calls_folder, *name ? "/" : "", name);
	return path;
}

const char *fd_is(long fd, const char *words)
{
	static char texts[4][TEXT_SIZE];
	static unsigned turn;
	char *text = texts[turn++ % ARRAY_SIZE(texts)];

	/* The machine may have no more of a kind: what was not made is nothing. */
	if (fd < 0)
		snprintf(text, sizeof(texts[0]), "%ld", fd);
	else
		snprintf(text, sizeof(texts[0]), "%ld<%s>", fd, words);
	return text;
}

const char *fd_of(long fd, const char *name)
{
	return fd_is(fd, in_calls(name));
}

static void clean_up(void)
{
	char command[512];

	/* The name is our own, made by mkdtemp(3). */
	snprintf(command, sizeof(command), "rm -rf '%s'", calls_folder);
	if (system(command))
		fprintf(stderr, "workloads: %s is left\n", calls_folder);
}

static int run(const struct workload *w)
{
	autotruth truth = { 0 };
	int err = truth_begin(&truth);

	if (err)
		return err;
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (shared == MAP_FAILED)
		return -errno;
	snprintf(calls_folder, sizeof(calls_folder), "%s/calls-XXXXXX", under ? under : "/tmp");
	if (!mkdtemp(calls_folder) || chdir(calls_folder))
		return -errno;
	if (readlink("/proc/self/fd/0", calls_stdin, sizeof(calls_stdin) - 1) < 0)
		return -errno;
	last_tid = getpid();
	err = workload_ready(w);
	if (err)
		return err;
	calls_of_files();
	calls_of_descriptors();
	calls_of_names();
	calls_of_hostile_names();
	calls_of_memory();
	calls_of_sockets();
	calls_of_waiting();
	calls_of_time();
	calls_of_processes();
	calls_of_ipc();
	calls_of_flags();
	fwrite(shared->text, 1, shared->size, truth.out);
	err = truth_commit(&truth, w);
	clean_up();
	return err;
}

static const struct param params[] = {
	{ "directory", "DIR", "where to make files (/tmp)", PARAM_TEXT, &under, 0, 0 },
	{ 0 },
};

const struct scenario scenario_calls = {
	.name = "calls",
	.help = "calls of every kind with known arguments",
	.params = params,
	.run = run,
};
