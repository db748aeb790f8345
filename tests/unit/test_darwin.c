/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * macOS' libproc through its backends, with answers put together by hand from the structs in
 * sys/proc_info.h and what xnu's sysctl_procargsx() writes.
 */
#include "bsd_host.h"

#include <errno.h>

#include "analyze/processes/processes.h"
#include "os/darwin/darwin_source.h"
#include "os/darwin/decode/proc_info.h"

#define BOOT_S 1000000

static void put(unsigned char *at, size_t offset, uint64_t value, size_t size)
{
	for (size_t i = 0; i < size; i++)
		at[offset + i] = (unsigned char)(value >> 8 * i);
}

static const char arguments[] =
	"\3\0\0\0/Users/u/.local/share/claude/versions/2.1.299/claude\0\0\0\0"
	"claude\0--resume\0secret\0CLAUDECODE=1\0HOME=/Users/u\0\0th_port=";

/* --- a host with an agent (100), a child of it (101) and another user's process (102) --- */

struct host {
	struct darwin_calls system;
	struct bsd_source source;
	struct os os;
	unsigned processes; /* more than it said at first */
	unsigned regions;
};

static int host_list_pids(const struct darwin_calls *c, void *out, size_t size)
{
	struct host *h = c->user;
	size_t all = (3 + h->processes) * 4;

	if (!out)
		return 3 * 4;
	for (size_t i = 0; i < all / 4 && i < size / 4; i++)
		put(out, 4 * i, i < 3 ? 100 + i : 5000 + i, 4);
	return (int)(all < size ? all : size);
}

static int give_task(pid_t pid, unsigned char *out, size_t size)
{
	if (pid > 102)
		return -ESRCH; /* it has ended meanwhile */
	if (pid == 102 && size > BSDINFO_SIZE)
		return -EPERM;
	memset(out, 0, size);
	put(out, 4, 2, 4);
	put(out, 12, (uint64_t)pid, 4);
	put(out, 16, pid == 101 ? 100 : 1, 4);
	put(out, 20, pid == 102 ? 0 : 501, 4);
	memcpy(out + 48, pid == 100 ? "2.1.299" : "zsh", pid == 100 ? 8 : 4);
	put(out, 108, UINT32_MAX, 4);
	put(out, 120, BOOT_S + 5, 8);
	if (size < TASKALL_SIZE)
		return (int)size;
	put(out, 144, 50 << 20, 8);
	put(out, 152, 24000000, 8); /* units of 125/3 ns: one second */
	put(out, 220, 7, 4);
	return TASKALL_SIZE;
}

static int give_region(const struct host *h, uint64_t address, unsigned char *out)
{
	uint64_t number = address / 0x1000000;

	if (number >= h->regions)
		return -EINVAL;
	memset(out, 0, REGION_SIZE);
	put(out, 0, 5, 4);
	put(out, 36, 3, 4);
	put(out, 32, number ? 2 : 0, 4);
	put(out, 80, number * 0x1000000, 8);
	put(out, 88, 0x1000000, 8);
	if (!number)
		memcpy(out + 248, "/usr/lib/dyld", 14);
	return REGION_SIZE;
}

static int host_pid_info(const struct darwin_calls *c, pid_t pid, int flavor, uint64_t argument,
	void *out, size_t size)
{
	static const int kinds[] = { 6, 1, 2, 5 };

	switch (flavor) {
	case 2:
	case 3:
		return give_task(pid, out, size);
	case 1:
		for (size_t i = 0; i < 4; i++) {
			put(out, 8 * i, i, 4);
			put(out, 8 * i + 4, (uint64_t)kinds[i], 4);
		}
		return 32;
	case 8:
		return give_region(c->user, argument, out);
	case 9:
		memset(out, 0, size);
		memcpy((char *)out + 152, "/Users/u/project", 17);
		return (int)size;
	case 28:
		put(out, 0, 0x1234, 8);
		return 8;
	case 15:
		memset(out, 0, size);
		put(out, 0, 1500000000, 8);
		put(out, 24, 3, 4);
		memcpy((char *)out + 48, "JITWorker", 10);
		return (int)size;
	default:
		return -EINVAL;
	}
}

static int host_fd_info(
	const struct darwin_calls *c, pid_t pid, int fd, int flavor, void *out, size_t size)
{
	unsigned char *b = out;

	(void)c;
	(void)pid;
	(void)fd;
	memset(out, 0, size);
	put(b, 0, 3, 4);
	if (flavor == 6) {
		put(b, 112, 17, 8);
		put(b, 160, 0x2000, 8);
		put(b, 168, 0x3000, 8);
	} else if (flavor == 2) {
		put(b, 28, 0100644, 2);
		put(b, 30, 1, 2);
		put(b, 32, 4711, 8);
		put(b, 112, 1000, 8);
		memcpy(b + 176, "/Users/u/notes", 15);
	} else {
		put(b, 160, 0x9000, 8);
		put(b, 176, 1, 4);
		put(b, 184, 2, 4);
		put(b, 208, 9, 4);
		put(b, 256, 2, 4);
		memcpy(b + 264, "\x01\xbb", 2);
		memcpy(b + 268, "\xc0\x00", 2);
		put(b, 288, 1, 1);
		memcpy(b + 308, "\xa0\x4f\x68\x0a", 4);
		memcpy(b + 324, "\x0a\x00\x00\x02", 4);
		put(b, 344, 5, 4); /* CLOSE_WAIT */
	}
	return (int)size;
}

static int host_pid_path(const struct darwin_calls *c, pid_t pid, void *out, size_t size)
{
	const char *path = pid == 100 ? arguments + 4 : "/bin/zsh";

	(void)c;
	snprintf(out, size, "%s", path);
	return (int)strlen(path);
}

static int host_rusage(const struct darwin_calls *c, pid_t pid, void *out, size_t size)
{
	(void)c;
	if (pid == 102)
		return -EPERM;
	memset(out, 0, size);
	put(out, 72, 70 << 20, 8);
	return RUSAGE_SIZE;
}

/* kern.proc.pid: struct kinfo_proc. 102 gets that of another process, 101 one that is too short. */
static int give_kinfo(const int *name, unsigned char *out, size_t *size)
{
	assert_int_equal(name[1], 14);
	assert_true(*size >= 648);
	memset(out, 0, 648);
	put(out, 32, name[3] == 100 ? 0x800 : 0, 4); /* P_TRACED */
	put(out, 40, (uint64_t)(name[3] == 102 ? 103 : name[3]), 4);
	put(out, 232, 1u << 0 | 1u << 15 | 1u << 28, 4); /* HUP, URG, INFO */
	put(out, 236, 1u << 9 | 1u << 14 | 1u << 29, 4); /* BUS, TERM, USR1 */
	put(out, 560, 55, 4);
	*size = name[3] == 101 ? 647 : 648;
	return 0;
}

static int host_sysctl(
	const struct darwin_calls *c, const int *name, unsigned names, void *out, size_t *size)
{
	static const char zsh[] =
		"\3\0\0\0/bin/zsh\0\0\0\0\0/bin/zsh\0-c\0make\0PATH=/bin\0CLAUDECODE=1\0\0";

	(void)c;
	if (names == 4)
		return give_kinfo(name, out, size);
	assert_int_equal(names, 3);
	if (name[2] == 102)
		return -EINVAL;
	if (name[2] == 100) {
		memcpy(out, arguments, sizeof(arguments));
		*size = sizeof(arguments);
		return 0;
	}
	memcpy(out, zsh, sizeof(zsh));
	*size = sizeof(zsh);
	return 0;
}

static int host_sysctl_by_name(
	const struct bsd_sysctl *c, const char *name, void *out, size_t *size)
{
	(void)c;
	if (!strcmp(name, "hw.pagesize")) {
		put(out, 0, 16384, 4);
		*size = 4;
		return 0;
	}
	if (!strcmp(name, "kern.maxfilesperproc")) {
		put(out, 0, 10240, 4);
		*size = 4;
		return 0;
	}
	if (!strcmp(name, "kern.boottime")) {
		put(out, 0, BOOT_S, 8);
		put(out, 8, 0, 8);
		*size = 16;
		return 0;
	}
	return -ENOENT;
}

static pid_t host_session(const struct darwin_calls *c, pid_t pid)
{
	(void)c;
	return pid;
}

static void host_timebase(const struct darwin_calls *c, uint32_t *numerator, uint32_t *denominator)
{
	(void)c;
	*numerator = 125;
	*denominator = 3;
}

static void host_open(struct host *h)
{
	*h = (struct host){ .system = { .list_pids = host_list_pids,
				    .pid_info = host_pid_info,
				    .fd_info = host_fd_info,
				    .pid_path = host_pid_path,
				    .pid_rusage = host_rusage,
				    .sysctl = host_sysctl,
				    .by_name = { .read = host_sysctl_by_name },
				    .session = host_session,
				    .timebase = host_timebase,
				    .user = h },
		.regions = 2 };
	h->source = (struct bsd_source)DARWIN_SOURCE(&h->system);
	h->os = bsd_test_os("darwin", darwin_backends, &h->source);
}

static void test_ps(void **state)
{
	struct processes_options o = { .shown = PROCESSES_AGENTS };
	struct bsd_process p;
	struct host h;
	char *shown;

	(void)state;
	host_open(&h);
	shown = bsd_test_report(&h.os, "proc", "processes", &o, NULL, 0);
	assert_true(has(shown, "\"pid\": 100"));
	assert_true(has(shown, "\"agent\": \"claude\""));
	assert_true(has(shown, "2.1.299"));
	assert_true(has(shown, "\"rss_kb\": 71680")); /* the footprint */
	assert_true(has(shown, "\"processes\": 2"));  /* the child is of its session */
	assert_true(has(shown, "other users' processes"));
	free(shown);
	assert_int_equal(h.source.process(&h.source, 100, &p), 0);
	assert_int_equal(p.cpu_ns, 1000000000);
	assert_int_equal(p.id.start_ticks, 500);
	assert_int_equal(p.threads, 7);
	assert_int_equal(p.state, 'S');
	assert_int_equal(h.source.process(&h.source, 102, &p), 0);
	assert_int_equal(p.memory_state, SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION));
	assert_int_equal(h.source.process(&h.source, 103, &p), -ESRCH);
}

/* There are more processes when they are listed than when they were counted. */
static void test_growth(void **state)
{
	struct buffer out = { 0 };
	struct host h;

	(void)state;
	host_open(&h);
	h.processes = 100000;
	assert_int_equal(h.source.processes(&h.source, &out), 0);
	assert_int_equal(out.size, 3 * sizeof(struct bsd_process));
	buffer_fini(&out);
}

static void test_arguments(void **state)
{
	static const char *const hostile[] = { "\377\377\377\377", "\3\0\0", "\2\0\0\0a\0\0b" };
	struct process_arguments a;
	struct buffer out = { 0 };
	struct host h;

	(void)state;
	assert_true(arguments_decode(&a, arguments, sizeof(arguments)));
	assert_true(span_ends(a.executable, "/claude"));
	assert_int_equal(a.arguments.size, sizeof("claude\0--resume\0secret"));
	assert_int_equal(a.environment.size, sizeof("CLAUDECODE=1\0HOME=/Users/u"));
	assert_false(arguments_decode(&a, hostile[0], 4));
	assert_false(arguments_decode(&a, hostile[1], 3));
	assert_true(arguments_decode(&a, hostile[2], 8));
	for (size_t size = 0; size < sizeof(arguments); size++) {
		char *copy = malloc(size ? size : 1);

		memcpy(copy, arguments, size);
		arguments_decode(&a, copy, size);
		free(copy);
	}
	host_open(&h);
	/* The environment of others is not readable, and that is said. */
	assert_int_equal(h.source.environment(&h.source, 102, &out), -EPERM);
	assert_int_equal(h.source.environment(&h.source, 101, &out), 0);
	buffer_fini(&out);
}

static void test_signals_and_limits(void **state)
{
	const int pids[] = { 100 };
	struct bsd_process p;
	struct host h;
	char *shown;

	(void)state;
	host_open(&h);
	shown = bsd_test_report(&h.os, "signals", "signals", NULL, pids, 1);
	assert_true(has(shown, "SIGHUP"));
	assert_true(has(shown, "SIGURG"));
	assert_true(has(shown, "SIGBUS"));
	assert_true(has(shown, "SIGUSR1"));
	assert_false(has(shown, "SIGPWR"));
	assert_false(has(shown, "SIGIO"));
	assert_true(has(shown, "\"pending_for\": \"not available on this system\""));
	assert_true(has(shown, "\"queued\": \"not available on this system\""));
	free(shown);
	shown = bsd_test_report(&h.os, "limits", "limits", NULL, pids, 1);
	assert_true(has(shown, "maxfilesperproc"));
	assert_true(has(shown, "10240"));
	assert_true(has(shown, "NOFILE"));
	assert_true(has(shown, "\"soft_limit\": \"not available on this system\""));
	assert_true(has(shown, "\"soft_limit_text\": \"?\""));
	assert_false(has(shown, "\"soft_limit_text\": \"0\""));
	free(shown);
	assert_int_equal(h.source.process(&h.source, 100, &p), 0);
	assert_int_equal(p.tracer_pid, 55);
	assert_int_equal(p.tracer_state, SOOTH_STATE_VALUE);
	assert_int_equal(p.pending_state, SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED));
	assert_int_equal(h.source.process(&h.source, 101, &p), 0);
	assert_int_not_equal(p.signals_state, SOOTH_STATE_VALUE);
	assert_int_equal(p.signals.ignored, 0);
	assert_int_equal(h.source.process(&h.source, 102, &p), 0);
	assert_int_not_equal(p.signals_state, SOOTH_STATE_VALUE);
}

static void test_the_rest(void **state)
{
	const int pids[] = { 100 };
	struct host h;
	char *shown;

	(void)state;
	host_open(&h);
	shown = bsd_test_report(&h.os, "fds", "fds", NULL, pids, 1);
	assert_true(has(shown, "/Users/u/notes"));
	assert_true(has(shown, "17 bytes unread"));
	assert_true(has(shown, "kqueue"));
	free(shown);
	shown = bsd_test_report(&h.os, "sockets", "sockets", NULL, pids, 1);
	assert_true(has(shown, "160.79.104.10"));
	assert_true(has(shown, "10.0.0.2"));
	assert_true(has(shown, "CLOSE_WAIT"));
	free(shown);
	shown = bsd_test_report(&h.os, "maps", "maps", NULL, pids, 1);
	assert_true(has(shown, "/usr/lib/dyld"));
	assert_true(has(shown, "[malloc small]"));
	assert_true(has(shown, "malloc-zone"));
	free(shown);
	shown = bsd_test_report(&h.os, "threads", "threads", NULL, pids, 1);
	assert_true(has(shown, "JITWorker"));
	free(shown);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ps),
		cmocka_unit_test(test_growth),
		cmocka_unit_test(test_arguments),
		cmocka_unit_test(test_signals_and_limits),
		cmocka_unit_test(test_the_rest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
