/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * FreeBSD's sysctls, recorded or made by hand, through its backends: processes, agents, what a
 * process has; answers that grow between two calls, end early, or lie about their sizes.
 */
#include "freebsd_host.h"

#include <fcntl.h>

#include "analyze/processes/processes.h"
#include "os/bsd/signal_numbers.h"
#include "os/freebsd/decode/kinfo_file.h"
#include "os/freebsd/decode/kinfo_kstack.h"
#include "os/freebsd/decode/kinfo_vmentry.h"
#include "os/freebsd/decode/tcp_pcb.h"
#include "probes/signal_names.h"

static void test_proc(void **state)
{
	struct kinfo k = kinfo(42, 1, 1001, "claude");
	const struct kinfo_scale scale = { .boot_utc_ns = BOOT_S * 1000000000ull,
		.page_bytes = 4096 };
	struct bsd_process p;
	struct bsd_thread t;

	(void)state;
	assert_true(kinfo_proc_decode(&p, k.bytes, sizeof(k.bytes), &scale));
	assert_int_equal(p.id.pid, 42);
	assert_int_equal(p.id.start_ticks, 6050);
	assert_int_equal(p.ppid, 1);
	assert_int_equal(p.uid, 1001);
	assert_int_equal(p.rss_bytes, 10 << 20);
	assert_int_equal(p.vsz_bytes, 100 << 20);
	assert_int_equal(p.cpu_ns, 1500000000);
	assert_int_equal(p.threads, 3);
	assert_int_equal(p.terminal, 0);
	assert_int_equal(p.state, 'S');
	assert_int_equal(p.signals.ignored, 1);
	assert_string_equal(p.name, "claude");
	put(k.bytes, 1080, 0, 8);
	assert_true(kinfo_thread_decode(&t, k.bytes, sizeof(k.bytes)));
	assert_int_equal(t.tid, 100042);
	assert_string_equal(t.name, "main thread 6789abc");
	assert_string_equal(t.wait_channel, "kqread");
	assert_int_equal(t.state, 'D');
	assert_int_equal(t.processor, 2);
	assert_int_equal(t.voluntary_switches, 77);
	/* Cut, or of another layout. */
	assert_false(kinfo_proc_decode(&p, k.bytes, sizeof(k.bytes) - 1, &scale));
	put(k.bytes, 0, KINFO_PROC_SIZE - 8, 4);
	assert_false(kinfo_proc_decode(&p, k.bytes, sizeof(k.bytes), &scale));
}

/* --- a session of an agent: the agent, a tool call below it, a shell that has nothing to do with
 * it --- */

static const char claude_arguments[] =
	"/home/u/.local/bin/claude\0--resume\0secret-key=sk-ant-api03-"
	"0123456789abcdefghijklmnopqrstuv\0";
static const char claude_path[] = "/home/u/.local/share/claude/versions/2.1.299/claude";
static const char tool_environment[] = "CLAUDECODE=1\0HOME=/home/u\0TOKEN=abc\0";

/* net.inet.tcp.pcblist: a head, a listening socket, one connection of the agent, a tail. */
static void add_connections(struct host *h)
{
	static unsigned char list[64 + 744 + 744 + 64];

	memset(list, 0, sizeof(list));
	put(list, 0, 64, 8);
	put(list, 64, 744, 8);
	put(list, 64 + 32, 0xfffff80003000000, 8);
	put(list, 64 + 568, 1, 4);
	put(list, 808, 744, 8);
	put(list, 808 + 32, 0xfffff80002000000, 8);
	put(list, 808 + 568, 5, 4); /* CLOSE_WAIT */
	put(list, 808 + 580, 2, 4);
	put(list, 1552, 64, 8);
	h->answers[h->count++] = (struct answer){
		.name = { 4, 2, 6, 11 }, .names = 4, .data = list, .size = sizeof(list)
	};
}

static void add_session(struct host *h)
{
	static struct kinfo all[4];
	static unsigned char cwd[1024];
	static unsigned char files[8192];
	size_t at = 0, size;

	all[0] = kinfo(0, 0, 0, "kernel");
	all[1] = kinfo(100, 1, 1001, "claude");
	all[2] = kinfo(101, 100, 1001, "bash");
	all[3] = kinfo(102, 1, 1002, "sh");
	h->answers[h->count++] = (struct answer){
		.name = { 1, 14, 8 }, .names = 3, .data = all, .size = sizeof(all)
	};
	for (size_t i = 1; i < 4; i++)
		answer(h, 1, 99 + (int)i, &all[i], sizeof(all[i]));
	answer(h, 7, 100, claude_arguments, sizeof(claude_arguments) - 1);
	answer(h, 12, 100, claude_path, sizeof(claude_path));
	answer(h, 7, 101, "/bin/bash\0-c\0make", 18);
	answer(h, 12, 101, "/usr/local/bin/bash", 20);
	answer(h, 35, 101, tool_environment, sizeof(tool_environment) - 1);
	answer(h, 7, 102, "sh", 3);
	answer(h, 12, 102, "/bin/sh", 8);
	memset(cwd, 0, sizeof(cwd));
	put(cwd, 4, 1, 4);
	put(cwd, 8, UINT32_MAX, 4);
	put(cwd, 32, 2, 4);
	size = pack(cwd, 368, "/home/u/project");
	answer(h, 42, 100, cwd, size);
	/* Descriptor 0: a pipe; 1: a file without a name; 2: a terminal; 3: a TCP connection. */
	memset(files, 0, sizeof(files));
	put(files + at, 4, 1, 4); /* first the executable, which no program opened */
	put(files + at, 8, (uint64_t)-5, 4);
	put(files + at, 32, 1, 4);
	at += pack(files + at, 368, claude_path);
	put(files + at, 4, 3, 4);
	put(files + at, 16, 1, 4);
	put(files + at, 304, 0xfffff80001000000, 8);
	put(files + at, 312, 0xfffff80001000160, 8);
	put(files + at, 320, 17, 4);
	at += pack(files + at, 368, "");
	put(files + at, 4, 1, 4);
	put(files + at, 8, 1, 4);
	put(files + at, 16, 2, 4);
	put(files + at, 32, 1, 4);
	put(files + at, 304, 4711, 8);
	put(files + at, 312, 123456, 8);
	put(files + at, 336, 1, 2);
	at += pack(files + at, 368, "");
	put(files + at, 4, 10, 4);
	put(files + at, 8, 2, 4);
	put(files + at, 16, 3, 4);
	at += pack(files + at, 368, "/dev/pts/3");
	put(files + at, 4, 2, 4);
	put(files + at, 8, 3, 4);
	put(files + at, 16, 3, 4);
	put(files + at, 32, 5, 4); /* bytes to send */
	put(files + at, 36, 2, 4); /* AF_INET */
	put(files + at, 40, 1, 4); /* SOCK_STREAM */
	put(files + at, 44, 6, 4); /* TCP */
	memcpy(files + at + 48, "\x10\x02\xc0\x00\x7f\x00\x00\x01", 8);
	memcpy(files + at + 176, "\x10\x02\x01\xbb\xa0\x4f\x68\x0a", 8);
	put(files + at, 304, 0xfffff80002000000, 8);
	put(files + at, 332, 9, 4);
	at += pack(files + at, 368, "");
	answer(h, 33, 100, files, at);
	add_connections(h);
}

static void test_ps(void **state)
{
	struct processes_options o = { .shown = PROCESSES_AGENTS };
	struct host h;
	char *shown;

	(void)state;
	host_open(&h);
	add_session(&h);
	shown = bsd_test_report(&h.os, "proc", "processes", &o, NULL, 0);
	assert_true(has(shown, "\"pid\": 100"));
	assert_false(has(shown, "\"pid\": 102"));
	assert_true(has(shown, "\"agent\": \"claude\""));
	assert_true(has(shown, "2.1.299"));
	assert_true(has(shown, "/home/u/project"));
	assert_true(has(shown, "\"open_files\": 4"));
	assert_true(has(shown, "\"tools\": 1"));
	assert_true(has(shown, "runs a tool: /bin/bash -c make"));
	assert_false(has(shown, "sk-ant"));
	assert_false(has(shown, "TOKEN"));
	free(shown);
}

/* Linux's program by the Linuxulator, the script run by node, with a title over its arguments and
 * without; and what only lies beside them. */
static void test_kinds_of_agents(void **state)
{
	static const struct {
		const char *path, *arguments;
		size_t size;
	} programs[] = {
		{ "/compat/linux/home/u/.local/share/claude/versions/2.1.299/claude",
			"claude\0--resume", 15 },
		{ "/usr/local/bin/node", "claude                         ", 32 },
		{ "/usr/local/bin/node",
			"node\0/usr/local/lib/node_modules/@anthropic-ai/claude-code/cli.js", 66 },
		{ "/usr/local/bin/node", "node\0/home/u/claude/server.js", 30 },
	};
	struct processes_options o = { .shown = PROCESSES_AGENTS };
	static struct kinfo all[ARRAY_SIZE(programs)];
	struct host h;
	char *shown;

	(void)state;
	host_open(&h);
	for (uint32_t i = 0; i < ARRAY_SIZE(programs); i++) {
		all[i] = kinfo(200 + i, 1, 1001, i ? "node" : "claude");
		answer(&h, 1, 200 + (int)i, &all[i], sizeof(all[i]));
		answer(&h, 7, 200 + (int)i, programs[i].arguments, programs[i].size);
		answer(&h, 12, 200 + (int)i, programs[i].path, strlen(programs[i].path) + 1);
	}
	h.answers[h.count++] = (struct answer){
		.name = { 1, 14, 8 }, .names = 3, .data = all, .size = sizeof(all)
	};
	shown = bsd_test_report(&h.os, "proc", "processes", &o, NULL, 0);
	assert_true(has(shown, "\"pid\": 200"));
	assert_true(has(shown, "\"pid\": 201"));
	assert_true(has(shown, "\"pid\": 202"));
	assert_false(has(shown, "\"pid\": 203"));
	free(shown);
}

static void test_growth(void **state)
{
	struct processes_options o = { .shown = PROCESSES_ALL };
	struct buffer out = { 0 };
	struct host h;
	char *shown;

	(void)state;
	host_open(&h);
	add_session(&h);
	h.grows = 3;
	shown = bsd_test_report(&h.os, "proc", "processes", &o, NULL, 0);
	assert_true(has(shown, "\"pid\": 102"));
	free(shown);
	/* It grows for ever: an error, no endless loop. */
	h.grows = 1000000;
	h.calls = 0;
	assert_int_equal(h.source.processes(&h.source, &out), -ENOMEM);
	assert_true(h.calls < 20);
	buffer_fini(&out);
}

static void test_partial(void **state)
{
	static struct kinfo two[2];
	struct buffer out = { 0 };
	struct host h;

	(void)state;
	host_open(&h);
	two[0] = kinfo(7, 1, 0, "a");
	two[1] = kinfo(8, 1, 0, "b");
	h.answers[h.count++] = (struct answer){
		.name = { 1, 14, 8 }, .names = 3, .data = two, .size = sizeof(two) - 10
	};
	assert_int_equal(h.source.processes(&h.source, &out), 0);
	assert_int_equal(out.size, sizeof(struct bsd_process));
	buffer_reset(&out);
	/* A struct of another layout is no process. */
	put(two[0].bytes, 0, 1100, 4);
	assert_int_equal(h.source.processes(&h.source, &out), -EOPNOTSUPP);
	assert_int_equal(h.source.process(&h.source, 99, &(struct bsd_process){ 0 }), -ESRCH);
	buffer_fini(&out);
}

static void test_fds(void **state)
{
	const int pids[] = { 100 };
	struct host h;
	char *shown;

	(void)state;
	host_open(&h);
	add_session(&h);
	shown = bsd_test_report(&h.os, "fds", "fds", NULL, pids, 1);
	assert_true(has(shown, "17 bytes unread"));
	assert_true(has(shown, "/dev/pts/3"));
	assert_true(has(shown, "\"kind\": \"deleted\""));
	assert_true(has(shown, "\"kind\": \"tcp\""));
	assert_false(has(shown, "versions/2.1.299/claude\""));
	free(shown);
	shown = bsd_test_report(&h.os, "sockets", "sockets", NULL, pids, 1);
	assert_true(has(shown, "160.79.104.10"));
	assert_true(has(shown, "443"));
	assert_true(has(shown, "49152"));
	assert_true(has(shown, "close-wait") || has(shown, "CLOSE_WAIT"));
	free(shown);
}

static void test_connections(void **state)
{
	static const unsigned char lies[][8] = { { 0 }, { 7 },
		{ 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f } };
	unsigned char bytes[1024] = { 0 };
	struct tcp_pcb found;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lies); i++) {
		struct cursor c = cursor_over(bytes, sizeof(bytes));

		memcpy(bytes, lies[i], 8);
		assert_false(tcp_pcb_next(&found, &c));
		assert_true(c.failed);
	}
	/* It ends within the second one. */
	put(bytes, 0, 744, 8);
	put(bytes, 32, 0x1000, 8);
	put(bytes, 568, 1, 4);
	put(bytes, 120, 3, 4);
	put(bytes, 128, 128, 4);
	put(bytes, 744, 744, 8);
	struct cursor c = cursor_over(bytes, sizeof(bytes));
	assert_true(tcp_pcb_next(&found, &c));
	assert_int_equal(found.pcb, 0x1000);
	assert_int_equal(found.state, SOCKETS_LISTEN);
	assert_int_equal(found.waiting, 3);
	assert_int_equal(found.waiting_max, 128);
	assert_false(tcp_pcb_next(&found, &c));
	assert_true(c.failed);
}

static bool count_descriptor(void *user, const struct bsd_descriptor *d)
{
	(void)d;
	++*(unsigned *)user;
	return true;
}

/* In the form of procstat -kk and of stack_sbuf_print_ddb() in the kernel (stack(9)). */
static void test_kernel_stacks(void **state)
{
	static unsigned char two[2 * 1096];
	static const char trace[] = "#0 0xffffffff80c2a1be at mi_switch+0xbe\n"
				    "#1 0xffffffff80c7a0f1 at sleepq_catch_signals+0x2e1\n"
				    "#2 0xffffffff8108f0ab at ??+0\n";
	const int pids[] = { 100 };
	struct kstack_thread t;
	struct kstack_frame f;
	struct cursor c, lines;
	struct host h;
	char *shown;

	(void)state;
	put(two, 0, 100100, 4);
	memcpy(two + 8, trace, sizeof(trace));
	put(two, 1096, 100101, 4);
	put(two, 1100, 2, 4);
	c = cursor_over(two, sizeof(two));
	assert_true(kstack_next(&t, &c));
	lines = cursor_over(t.trace.data, t.trace.size);
	assert_true(kstack_frame_next(&f, &lines));
	assert_true(span_equal(f.function, "mi_switch"));
	assert_int_equal(f.into, 0xbe);
	assert_true(kstack_frame_next(&f, &lines));
	assert_true(kstack_frame_next(&f, &lines));
	assert_int_equal(f.function.size, 0);
	assert_false(kstack_frame_next(&f, &lines));
	c = cursor_over(two, sizeof(two) - 1);
	assert_true(kstack_next(&t, &c));
	assert_false(kstack_next(&t, &c));
	assert_true(c.failed);
	host_open(&h);
	add_session(&h);
	answer(&h, 15, 100, two, sizeof(two));
	shown = bsd_test_report(&h.os, "stacks", "stacks", NULL, pids, 1);
	assert_true(has(shown, "sleepq_catch_signals"));
	assert_true(has(shown, "100101"));
	free(shown);
}

extern const struct backend backend_exit_reasons_kqueue;

static int ended_status = -EAGAIN;

static int host_watch_exit(pid_t pid)
{
	return pid == 100 ? open("/dev/null", O_RDONLY | O_CLOEXEC) : -ESRCH;
}

static int host_exit_status(int descriptor, uint32_t *status)
{
	assert_true(descriptor >= 0);
	*status = 9; /* of SIGKILL */
	return ended_status;
}

static void end_it(void)
{
	ended_status = 0;
}

static void end_it_unseen(void)
{
	ended_status = -EPERM;
}

static char *show_ends(struct host *h, void (*meanwhile)(void))
{
	static const struct backend *const ends[] = { &backend_exit_reasons_kqueue, NULL };
	const int pids[] = { 100 };
	char *shown;

	host_open(h);
	add_session(h);
	h->source.watch_exit = host_watch_exit;
	h->source.exit_status = host_exit_status;
	h->os = bsd_test_os("freebsd", ends, &h->source);
	ended_status = -EAGAIN;
	bsd_test_meanwhile = meanwhile;
	shown = bsd_test_report(&h->os, "exit_reasons", "ends", NULL, pids, 1);
	bsd_test_meanwhile = NULL;
	return shown;
}

static void test_ends(void **state)
{
	struct host h;
	char *shown;

	(void)state;
	shown = show_ends(&h, end_it);
	assert_true(has(shown, "SIGKILL"));
	free(shown);
	shown = show_ends(&h, end_it_unseen);
	assert_false(has(shown, "SIGKILL"));
	assert_true(has(shown, "\"pid\": 100"));
	free(shown);
	shown = show_ends(&h, NULL);
	assert_false(has(shown, "SIGKILL"));
	free(shown);
}

static void test_hostile_lengths(void **state)
{
	static unsigned char bytes[2048];
	static const uint32_t sizes[] = { 1, 367, 368, 369, 1024, 2047, 2049, 0x7fffffff,
		0xffffffff };
	struct bsd_descriptor d;
	struct host h;
	unsigned count = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct cursor c = cursor_over(bytes, sizeof(bytes));
		unsigned steps = 0;

		memset(bytes, 0xff, sizeof(bytes));
		put(bytes, 0, sizes[i], 4);
		while (kinfo_file_next(&d, &c))
			assert_true(++steps < 10);
		assert_true(c.failed || cursor_at_end(&c));
	}
	host_open(&h);
	put(bytes, 0, 400, 4);
	put(bytes, 400, 5, 4);
	answer(&h, 33, 5, bytes, 1000);
	/* The descriptors before that hold, and -EOVERFLOW says that there is more. */
	assert_int_equal(h.source.descriptors(&h.source, 5, count_descriptor, &count), -EOVERFLOW);
	assert_int_equal(count, 1);
}

static void test_maps(void **state)
{
	static unsigned char maps[4096];
	const int pids[] = { 100 };
	size_t at = 0;
	struct host h;
	char *shown;

	(void)state;
	host_open(&h);
	add_session(&h);
	memset(maps, 0, sizeof(maps));
	put(maps, 4, 2, 4); /* a file */
	put(maps, 8, 0x200000, 8);
	put(maps, 16, 0x300000, 8);
	put(maps, 32, 99, 8);
	put(maps, 48, 16, 4);
	put(maps, 52, 4, 4);
	put(maps, 56, 5, 4);
	at += pack(maps, 136, "/lib/libc.so.7");
	put(maps + at, 4, 3, 4); /* swap */
	put(maps + at, 8, 0x7fffffff0000, 8);
	put(maps + at, 16, 0x7ffffffff000, 8);
	put(maps + at, 44, 0x20, 4);
	put(maps + at, 48, 3, 4);
	put(maps + at, 52, 3, 4);
	put(maps + at, 56, 3, 4);
	at += pack(maps + at, 136, "");
	answer(&h, 32, 100, maps, at);
	shown = bsd_test_report(&h.os, "maps", "maps", NULL, pids, 1);
	assert_true(has(shown, "/lib/libc.so.7"));
	assert_true(has(shown, "jemalloc"));
	assert_true(has(shown, "[stack]"));
	assert_true(has(shown, "65536"));
	free(shown);
}

/* Names by the headers of FreeBSD (sys/signal.h). */
static void test_signal_numbers(void **state)
{
	static const struct {
		unsigned theirs;
		const char *name;
	} all[] = { { 1, "SIGHUP" }, { 6, "SIGABRT" }, { 9, "SIGKILL" }, { 10, "SIGBUS" },
		{ 11, "SIGSEGV" }, { 12, "SIGSYS" }, { 13, "SIGPIPE" }, { 15, "SIGTERM" },
		{ 16, "SIGURG" }, { 17, "SIGSTOP" }, { 18, "SIGTSTP" }, { 19, "SIGCONT" },
		{ 20, "SIGCHLD" }, { 23, "SIGIO" }, { 24, "SIGXCPU" }, { 28, "SIGWINCH" },
		{ 30, "SIGUSR1" }, { 31, "SIGUSR2" }, { 65, "SIGRTMIN" }, { 66, "SIGRTMIN+1" } };
	char name[SIGNAL_NAME_SIZE];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		uint32_t status = bsd_wait_status(all[i].theirs | 0x80);

		assert_string_equal(signal_name(name, status & 0x7f), all[i].name);
		assert_true(status & 0x80);
		if (all[i].theirs < 64)
			assert_int_equal(bsd_signal_mask(1ull << (all[i].theirs - 1)),
				1ull << ((status & 0x7f) - 1));
	}
	/* Linux has no SIGEMT and SIGINFO: no other name for them. */
	assert_int_equal(bsd_signal_mask(1ull << 6 | 1ull << 28), 0);
	assert_string_equal(signal_name(name, bsd_wait_status(7) & 0x7f), "SIG71");
	assert_int_equal(bsd_wait_status(3 << 8), 3 << 8);
}

static void test_the_rest(void **state)
{
	static const uint64_t limit[2] = { 1024, INT64_MAX };
	static struct kinfo threads[2];
	const int pids[] = { 101 };
	struct host h;
	char *shown;

	(void)state;
	host_open(&h);
	add_session(&h);
	threads[0] = kinfo(101, 100, 1001, "bash");
	threads[1] = threads[0];
	put(threads[1].bytes, 600, 100900, 4);
	put(threads[1].bytes, 388, 2, 1);
	memcpy(threads[1].bytes + 394, "worker\0", 7);
	memset(threads[1].bytes + 502, 0, 4);
	answer(&h, 1 | 0x10, 101, threads, sizeof(threads));
	for (int i = 0; i < 3; i++)
		h.answers[h.count++] = (struct answer){ .name = { 1, 14, 37, 101, i ? 8 : 0 },
			.names = 5,
			.data = limit,
			.size = sizeof(limit) };
	shown = bsd_test_report(&h.os, "threads", "threads", NULL, pids, 1);
	assert_true(has(shown, "worker"));
	assert_true(has(shown, "kqread"));
	free(shown);
	shown = bsd_test_report(&h.os, "signals", "signals", NULL, pids, 1);
	assert_true(has(shown, "HUP"));
	free(shown);
	shown = bsd_test_report(&h.os, "environment", "environment", NULL, pids, 1);
	assert_true(has(shown, "CLAUDECODE"));
	assert_false(has(shown, "abc"));
	free(shown);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_proc),
		cmocka_unit_test(test_ps),
		cmocka_unit_test(test_kinds_of_agents),
		cmocka_unit_test(test_growth),
		cmocka_unit_test(test_partial),
		cmocka_unit_test(test_fds),
		cmocka_unit_test(test_connections),
		cmocka_unit_test(test_kernel_stacks),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_hostile_lengths),
		cmocka_unit_test(test_maps),
		cmocka_unit_test(test_signal_numbers),
		cmocka_unit_test(test_the_rest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
