/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sample(1) of macOS: its report, and through the backends, with a script in its place. The report
 * is put together by hand in the form that its manual page describes and that reports in public
 * issues have (anthropics/claude-code 56481: a process named claude; its threads and an image
 * without symbols).
 */
#include "bsd_host.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/bsd/tool.h"
#include "os/bsd/waits.h"
#include "analyze/waits/waits.h"
#include "os/darwin/decode/sample.h"
#include "os/darwin/sample_run.h"

extern const struct backend backend_profile_sample, backend_stacks_sample;

static const char report[] =
	"Sampling process 100 for 1 second with 1 millisecond of run time between samples\n"
	"Sampling completed, processing symbols...\n"
	"Analysis of sampling claude (pid 100) every 1 millisecond\n"
	"Process:         claude.exe [100]\n"
	"Path:            /Users/USER/*/claude.exe\n"
	"Load Address:    0x10177d000\n"
	"Code Type:       ARM64\n"
	"Platform:        macOS\n"
	"\n"
	"OS Version:      macOS 15.7.4 (24G517)\n"
	"Report Version:  7\n"
	"----\n"
	"\n"
	"Call graph:\n"
	"    100 Thread_51128: Main Thread   DispatchQueue_<multiple>\n"
	"    + 100 start  (in dyld) + 3056  [0x7ff804e3c530]\n"
	"    +   60 ???  (in claude.exe)  load address 0x10177d000 + 0xca4e3d  [0x102421e3d]\n"
	"    +   ! 40 work(int, char (*)[8])  (in claude.exe) + 12,24,...  "
	"[0x102426732,0x10242673e]\n"
	"    +   40 kevent64  (in libsystem_kernel.dylib) + 8  [0x7ff805000008]\n"
	"    90 Thread_51140: HTTP Client\n"
	"      90 thread_start  (in libsystem_pthread.dylib) + 15  [0x7ff806000100]\n"
	"        90 __psynch_cvwait  (in libsystem_kernel.dylib) + 10  [0x7ff80500000a]\n"
	"    30 Thread_51141   DispatchQueue_7: com.example.parser  (serial)\n"
	"      30 parse  (in claude.exe) + 1  [0x102430001]\n"
	"\n"
	"Total number in stack (recursive counted multiple, when >=5):\n"
	"        100       start  (in dyld) + 3056  [0x7ff804e3c530]\n"
	"\n"
	"Sort by top of stack, same collapsed (when >= 5):\n"
	"        __psynch_cvwait  (in libsystem_kernel.dylib)        90\n"
	"\n"
	"Binary Images:\n"
	"       0x10177d000 -        0x108ffffff +claude.exe (0) "
	"<0A1B2C3D-0000-1111-2222-333344445555> "
	"/Users/USER/*/claude.exe\n"
	"    0x7ff804e36000 -     0x7ff804ecdfff  dyld (*) <AAAAAAAA-0000-1111-2222-333344445555> "
	"/usr/lib/dyld\n"
	"\n";

static struct span whole(void)
{
	return span_of(report, sizeof(report) - 1);
}

struct seen {
	unsigned visits;
	uint64_t sum;
	char text[1024];
};

static void see(void *user, const struct sample_thread *thread, const struct sample_frame *frames,
	size_t depth, uint64_t weight, bool is_cut)
{
	struct seen *s = user;
	size_t used = strlen(s->text);

	assert_false(is_cut);
	s->visits++;
	s->sum += weight;
	used += (size_t)snprintf(s->text + used, sizeof(s->text) - used, "%llu %.*s ",
		(unsigned long long)thread->tid, (int)thread->name.size, thread->name.data);
	for (size_t i = 0; i < depth; i++)
		used += (size_t)snprintf(s->text + used, sizeof(s->text) - used, "%.*s;",
			(int)frames[i].function.size, frames[i].function.data);
	snprintf(s->text + used, sizeof(s->text) - used, " %llu\n", (unsigned long long)weight);
}

/* The weight that a frame did not hand on to its callees is its own. */
static void test_weights(void **state)
{
	struct seen s = { 0 };
	struct sample_head head;

	(void)state;
	assert_true(sample_head_decode(&head, whole()));
	assert_int_equal(head.pid, 100);
	assert_int_equal(head.interval_ns, 1000000);
	assert_true(span_equal(head.name, "claude"));
	assert_true(sample_walk(whole(), see, &s));
	assert_int_equal(s.sum, 100 + 90 + 30);
	assert_string_equal(s.text, "51128 Main Thread start;;work(int, char (*)[8]); 40\n"
				    "51128 Main Thread start;; 20\n"
				    "51128 Main Thread start;kevent64; 40\n"
				    "51140 HTTP Client thread_start;__psynch_cvwait; 90\n"
				    "51141 com.example.parser parse; 30\n");
}

static void test_images(void **state)
{
	struct sample_image images[4];

	(void)state;
	assert_int_equal(sample_images(images, 4, whole()), 2);
	assert_true(span_equal(images[0].name, "claude.exe"));
	assert_true(span_equal(images[0].path, "/Users/USER/*/claude.exe"));
	assert_true(span_equal(images[0].uuid, "0A1B2C3D-0000-1111-2222-333344445555"));
	assert_int_equal(images[0].begin, 0x10177d000);
	assert_int_equal(sample_images(images, 1, whole()), 1);
}

static void ignore(void *user, const struct sample_thread *thread,
	const struct sample_frame *frames, size_t depth, uint64_t weight, bool is_cut)
{
	(void)thread;
	(void)frames;
	(void)is_cut;
	assert_true(depth <= SAMPLE_DEPTH_MAX);
	*(uint64_t *)user += weight;
}

static void test_hostile(void **state)
{
	static const char more[] = "Call graph:\n    10 Thread_1\n      20 f  (in a) + 1  [0x1]\n";
	char *deep = malloc(SAMPLE_DEPTH_MAX * 8000);
	uint64_t sum = 0;
	size_t used;

	(void)state;
	/* A callee with more than its caller: it does not add up, and that is said. */
	assert_false(sample_walk(span_of(more, sizeof(more) - 1), ignore, &sum));
	/* Cut anywhere. */
	for (size_t size = 0; size < sizeof(report); size++) {
		char *copy = malloc(size ? size : 1);
		struct sample_image images[4];
		struct sample_head head;

		memcpy(copy, report, size);
		sample_head_decode(&head, span_of(copy, size));
		sample_walk(span_of(copy, size), ignore, &sum);
		sample_images(images, 4, span_of(copy, size));
		free(copy);
	}
	/* Deeper than what is kept. */
	used = (size_t)sprintf(deep, "Call graph:\n    5 Thread_1\n");
	for (size_t i = 0; i < SAMPLE_DEPTH_MAX + 100; i++)
		used += (size_t)sprintf(
			deep + used, "%*s5 f%zu  (in a) + 1  [0x1]\n", (int)(6 + 2 * i), "", i);
	sum = 0;
	assert_true(sample_walk(span_of(deep, used), ignore, &sum));
	assert_int_equal(sum, 5);
	free(deep);
}

/* --- through the backends --- */

static const struct backend *const backends[] = { &backend_profile_sample, &backend_stacks_sample,
	NULL };

static int host_process(const struct bsd_source *s, pid_t pid, struct bsd_process *out)
{
	(void)s;
	*out = (struct bsd_process){
		.id = { .pid = (uint32_t)pid, .start_ticks = 77 }, .state = 'S', .name = "claude"
	};
	return pid == 100 ? 0 : -3;
}

static void no_host(const struct os *os, struct host_facts *facts)
{
	(void)os;
	*facts = (struct host_facts){ .ticks_per_s = 100 };
}

static void no_arguments(const struct os *os, const struct process_id *p, struct buffer *out)
{
	(void)os;
	(void)p;
	(void)out;
}

/* A program that prints these bytes. */
static char *write_program(const char *body, size_t size)
{
	char *path = strdup("/tmp/sooth-tool-XXXXXX");
	int fd = mkstemp(path);
	static const char head[] = "#!/bin/sh\ncat <<'END-OF-REPORT'\n", tail[] = "END-OF-REPORT\n";

	assert_true(fd >= 0);
	assert_int_equal(write(fd, head, sizeof(head) - 1), sizeof(head) - 1);
	assert_int_equal(write(fd, body, size), size);
	assert_int_equal(write(fd, tail, sizeof(tail) - 1), sizeof(tail) - 1);
	assert_int_equal(fchmod(fd, 0700), 0);
	close(fd);
	return path;
}

static struct os open_host(struct bsd_source *source, const char *program)
{
	struct os os;

	*source = (struct bsd_source){ .process = host_process, .sample = program };
	os = bsd_test_os("darwin", backends, source);
	os.host = no_host;
	os.command_line = no_arguments;
	return os;
}

static void test_stacks(void **state)
{
	const int pids[] = { 100 };
	struct bsd_source source;
	char *program = write_program(report, sizeof(report) - 1), *shown;
	struct os os = open_host(&source, program);

	(void)state;
	shown = bsd_test_report(&os, "stacks", "stacks", NULL, pids, 1);
	assert_true(has(shown, "work(int, char (*)[8])"));
	assert_true(has(shown, "51140"));
	assert_true(has(shown, "__psynch_cvwait"));
	assert_true(has(shown, "HTTP Client"));
	free(shown);
	unlink(program);
	free(program);
	/* It is not there, or has nothing to say. */
	source.sample = "/nowhere/sample";
	shown = bsd_test_report(&os, "stacks", "stacks", NULL, pids, 1);
	assert_false(has(shown, "kevent64"));
	free(shown);
}

static void test_profile(void **state)
{
	const int pids[] = { 100 };
	struct bsd_source source;
	char *program = write_program(report, sizeof(report) - 1), *shown;
	struct os os = open_host(&source, program);

	(void)state;
	shown = bsd_test_calls(&os, "profile", "profile-table", SOOTH_STREAM, pids, 1);
	assert_true(has(shown, "work(int, char (*)[8])"));
	assert_true(has(shown, "parse"));
	assert_false(has(shown, "kevent64"));
	free(shown);
	unlink(program);
	free(program);
}

static int host_processes(const struct bsd_source *s, struct buffer *out)
{
	struct bsd_process p = {
		.id = { .pid = 101, .start_ticks = 78 }, .ppid = 100, .state = 'S', .name = "make"
	};

	(void)s;
	buffer_append(out, &p, sizeof(p));
	return 0;
}

static int host_threads(const struct bsd_source *s, pid_t pid, struct buffer *out)
{
	const struct bsd_thread all[] = { { .tid = 51128, .state = 'S', .name = "Main Thread" },
		{ .tid = 51140, .state = 'S', .name = "HTTP Client" },
		{ .tid = 51141, .state = 'S', .name = "parser" },
		{ .tid = 51142, .state = 'R', .name = "other" } };

	(void)s;
	if (pid == 100)
		buffer_append(out, all, sizeof(all));
	return 0;
}

static int host_text(const struct bsd_source *s, pid_t pid, struct buffer *out)
{
	(void)s;
	(void)pid;
	buffer_string(out, "/");
	return 0;
}

static int host_descriptors(
	const struct bsd_source *s, pid_t pid, bsd_descriptor_visitor visitor, void *user)
{
	(void)s;
	(void)pid;
	(void)visitor;
	(void)user;
	return 0;
}

static char *show_waits(struct bsd_source *source, const char *program, unsigned interest)
{
	static const struct backend waits_backend = BSD_WAITS_BACKEND("libproc", "");
	static const struct backend *const waits[] = { &waits_backend, NULL };
	struct waits_options options = { .with_threads = true };
	struct os os = open_host(source, program);
	const int pids[] = { 100 };

	source->processes = host_processes;
	source->threads = host_threads;
	source->arguments = source->directory = host_text;
	source->descriptors = host_descriptors;
	source->wait_functions = darwin_wait_functions;
	source->waits_lack = "what threads wait for";
	os.backends = waits;
	return bsd_test_show(&os, "waits", "waits", &options, SOOTH_SAMPLE | interest, pids, 1);
}

/* The main thread waits for its child, another one for a lock; one that runs waits for nothing. */
static void test_wait_functions(void **state)
{
	static const char waiting[] =
		"Analysis of sampling claude (pid 100) every 1 millisecond\n"
		"\nCall graph:\n"
		"    2 Thread_51128: Main Thread\n"
		"    + 2 start  (in dyld) + 3056  [0x7ff804e3c530]\n"
		"    +   2 __wait4  (in libsystem_kernel.dylib) + 8  [0x7ff805000008]\n"
		"    2 Thread_51140: HTTP Client\n"
		"      2 __psynch_cvwait  (in libsystem_kernel.dylib) + 10  [0x7ff80500000a]\n"
		"    2 Thread_51141: parser\n"
		"      2 __fcntl  (in libsystem_kernel.dylib) + 10  [0x7ff80500000a]\n"
		"    2 Thread_51142: other\n"
		"      1 parse  (in claude) + 1  [0x102430001]\n"
		"      1 read  (in claude) + 1  [0x102430001]\n";
	char *program = write_program(waiting, sizeof(waiting) - 1), *shown;
	struct bsd_source source;

	(void)state;
	shown = show_waits(&source, program, SOOTH_DETAIL);
	assert_true(has(shown, "waits for its child make (101)"));
	assert_true(has(shown, "\"wait_channel\": \"__wait4\""));
	assert_true(has(shown, "\"wait_channel\": \"__psynch_cvwait\""));
	assert_true(has(shown, "\"wait_channel\": \"__fcntl\""));
	assert_false(has(shown, "\"wait_channel\": \"read\""));
	assert_false(has(shown, "what threads wait for"));
	free(shown);
	/* Not asked for, and not to be had. */
	shown = show_waits(&source, program, 0);
	assert_false(has(shown, "__wait4"));
	assert_true(has(shown, "what threads wait for"));
	free(shown);
	unlink(program);
	shown = show_waits(&source, program, SOOTH_DETAIL);
	assert_false(has(shown, "__wait4"));
	assert_true(has(shown, "what threads wait for"));
	free(shown);
	free(program);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_weights),
		cmocka_unit_test(test_images),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_stacks),
		cmocka_unit_test(test_profile),
		cmocka_unit_test(test_wait_functions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
