/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Processes by procfs and by the kernel's iterator: both backends look at the whole host, and of
 * every process that did not change meanwhile, which is one that procfs tells the same of before
 * and after, every byte of every record is the same. Among them are some made here, one of each
 * state and kind. Without root it is skipped.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/units.h"
#include "model/batch.h"
#include "os/linux/files/procfs.h"
#include "os/os.h"
#include "probes/proc.h"

#define NOBODY	 65534
#define TRIES	 20 /* until all that were made here stood still for three looks */
#define STATE_MS 20000
#define PIECE	 (4 << 20)
#define VERSION	 "2.1.99"
#define WORDS	 8
#define GONE	 "gone"

extern const struct backend backend_proc_procfs, backend_proc_bpf;

struct kind {
	const char *name;
	void (*be)(int ready);
	char state;
	bool has_exec;
};

/* --- the kinds --- */

static void say(int ready)
{
	if (write(ready, "r", 1) != 1)
		_exit(1);
}

static void stay(int ready)
{
	say(ready);
	for (;;)
		pause();
}

static void be_named(int ready)
{
	prctl(PR_SET_NAME, "a\nb\\n) R 1");
	stay(ready);
}

static void be_backslashed(int ready)
{
	prctl(PR_SET_NAME, "\\\\n\\\n\\");
	stay(ready);
}

static void be_of_nobody(int ready)
{
	if (setresgid(NOBODY, NOBODY, NOBODY) || setresuid(NOBODY, NOBODY, NOBODY))
		_exit(1);
	stay(ready);
}

/* Its real user stays root. */
static void be_as_nobody(int ready)
{
	if (seteuid(NOBODY))
		_exit(1);
	stay(ready);
}

static void be_ended(int ready)
{
	say(ready);
	_exit(0);
}

static void be_stopped(int ready)
{
	say(ready);
	raise(SIGSTOP);
	stay(ready);
}

static void be_traced(int ready)
{
	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
	say(ready);
	raise(SIGSTOP);
	stay(ready);
}

static void *burn(void *unused)
{
	(void)unused;
	for (volatile unsigned i = 0; i < 20000000; i++)
		;
	return NULL;
}

static void *sleep_on(void *unused)
{
	(void)unused;
	for (;;)
		pause();
	return NULL;
}

/* Some that sleep, and the time of some that have ended. */
static void be_threaded(int ready)
{
	pthread_t thread;

	for (int i = 0; i < 3; i++) {
		if (pthread_create(&thread, NULL, burn, NULL) || pthread_join(thread, NULL))
			_exit(1);
	}
	for (int i = 0; i < 4; i++)
		pthread_create(&thread, NULL, sleep_on, NULL);
	stay(ready);
}

/* One thread, whose time is not all. */
static void be_alone_again(int ready)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, burn, NULL) || pthread_join(thread, NULL))
		_exit(1);
	stay(ready);
}

/* The first thread has ended, another goes on. */
static void be_headless(int ready)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, sleep_on, NULL))
		_exit(1);
	say(ready);
	syscall(SYS_exit, 0); /* pthread_exit() loads libgcc, which a small machine lacks */
}

static void be_large(int ready)
{
	int flags[] = { MAP_PRIVATE | MAP_ANONYMOUS, MAP_SHARED | MAP_ANONYMOUS };

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		void *piece = mmap(NULL, PIECE, PROT_READ | PROT_WRITE, flags[i], -1, 0);

		if (piece == MAP_FAILED)
			_exit(1);
		memset(piece, 1, PIECE);
	}
	stay(ready);
}

static void be_per_process(int ready)
{
	setsid();
	stay(ready);
}

static void be_grouped(int ready)
{
	setpgid(0, 0);
	stay(ready);
}

/* Of a terminal's session, in the group it listens to or in another. */
static void be_on_terminal(int ready, bool is_behind)
{
	int side = posix_openpt(O_RDWR | O_NOCTTY), other;
	pid_t child;

	setsid();
	if (side < 0 || grantpt(side) || unlockpt(side))
		_exit(1);
	other = open(ptsname(side), O_RDWR);
	if (other < 0 || ioctl(other, TIOCSCTTY, 0))
		_exit(1);
	if (!is_behind)
		stay(ready);
	signal(SIGTTOU, SIG_IGN);
	child = fork();
	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		setpgid(0, 0);
		tcsetpgrp(other, getpid());
		stay(ready);
	}
	for (;;)
		pause();
}

static void be_before(int ready)
{
	be_on_terminal(ready, false);
}

static void be_behind(int ready)
{
	be_on_terminal(ready, true);
}

static void be_fed(int ready)
{
	int ends[2];

	if (pipe(ends) || dup2(ends[0], 0) < 0)
		_exit(1);
	stay(ready);
}

static void be_without_input(int ready)
{
	close(0);
	stay(ready);
}

static char folder[] = "/tmp/sooth-proc-iterator-XXXXXX";

static void copy_of_sleep(const char *to)
{
	char command[1024];

	snprintf(command, sizeof(command), "cp /bin/sleep '%s'", to);
	if (system(command))
		_exit(1);
}

static void run_with(int ready, const char *program, char *variable)
{
	char *const environment[] = { variable, NULL };

	say(ready); /* closed by the exec, which is waited for */
	execle(program, "sleep", "100000", NULL, environment);
	_exit(1);
}

static void run(int ready, const char *program)
{
	run_with(ready, program, "A=b");
}

/* An agent's marker, under a parent that is none's and lives. */
static void be_marked(int ready)
{
	run_with(ready, "/bin/sleep", "CLAUDECODE=1");
}

static void be_deleted(int ready)
{
	char path[1024];

	snprintf(path, sizeof(path), "%s/" GONE, folder);
	copy_of_sleep(path);
	run(ready, path);
}

static void be_an_agent(int ready)
{
	char path[1024], command[1100];

	snprintf(command, sizeof(command), "mkdir -p %s/.local/share/claude/versions", folder);
	if (system(command))
		_exit(1);
	snprintf(path, sizeof(path), "%s/.local/share/claude/versions/" VERSION, folder);
	copy_of_sleep(path);
	run(ready, path);
}

static const struct kind kinds[] = {
	{ "plain", stay, 'S', false },
	{ "called \"a\\nb\\\\n) R 1\"", be_named, 'S', false },
	{ "called by backslashes", be_backslashed, 'S', false },
	{ "another user's", be_of_nobody, 'S', false },
	{ "with another user's rights", be_as_nobody, 'S', false },
	{ "zombie", be_ended, 'Z', false },
	{ "stopped", be_stopped, 'T', false },
	{ "traced", be_traced, 't', false },
	{ "several threads", be_threaded, 'S', false },
	{ "one thread after others", be_alone_again, 'S', false },
	{ "without its first thread", be_headless, 'S', false },
	{ "memory of each kind", be_large, 'S', false },
	{ "its own session", be_per_process, 'S', false },
	{ "its own group", be_grouped, 'S', false },
	{ "in the foreground", be_before, 'S', false },
	{ "in the background", be_behind, 'S', false },
	{ "input from a pipe", be_fed, 'S', false },
	{ "no input", be_without_input, 'S', false },
	{ "program removed", be_deleted, 'S', true },
	{ "agent", be_an_agent, 'S', true },
	{ "with an agent's marker", be_marked, 'S', true },
};

static struct process_id made[ARRAY_SIZE(kinds)];

/* Without its first thread it has the state of another one. */
static void wait_for_state(pid_t pid, char state, bool is_headless)
{
	for (int i = 0; i < STATE_MS; i++) {
		struct buffer bytes = { 0 };
		_cleanup_close_ int process = procfs_open(pid);
		struct procfs_stat stat = { 0 };
		int status = procfs_stat_at(process, &stat, &bytes);

		buffer_fini(&bytes);
		if (!status && stat.state == state && !stat.living == !is_headless)
			return;
		usleep(1000);
	}
	fail_msg("process %d does not come to state %c", (int)pid, state);
}

static void make(const struct kind *kind, struct process_id *id)
{
	char said;
	int ready[2];
	pid_t pid;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(ready[0]);
		kind->be(ready[1]);
		_exit(1);
	}
	close(ready[1]);
	if (read(ready[0], &said, 1) != 1)
		fail_msg("%s: it could not be made", kind->name);
	if (kind->has_exec)
		assert_int_equal(read(ready[0], &said, 1), 0);
	wait_for_state(pid, kind->state, kind->be == be_headless);
	assert_int_equal(procfs_identify(pid, id), 0);
	close(ready[0]);
}

static int make_all(void **state)
{
	char path[1024];

	(void)state;
	assert_non_null(mkdtemp(folder));
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		make(&kinds[i], &made[i]);
	snprintf(path, sizeof(path), "%s/" GONE, folder);
	return unlink(path);
}

static int end_all(void **state)
{
	char command[1100];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (!made[i].pid) /* it was not made; 0 would be the own group */
			continue;
		kill((pid_t)made[i].pid, SIGKILL);
		waitpid((pid_t)made[i].pid, NULL, 0);
	}
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command);
}

/* --- looking --- */

struct look {
	struct backend_run run;
	struct log log;
};

/* Of the verifier's words the last say why. */
static char words[WORDS][160];

static void keep_words(void *unused, enum log_level level, const char *line)
{
	(void)unused;
	(void)level;
	memmove(words[0], words[1], sizeof(words) - sizeof(words[0]));
	snprintf(words[WORDS - 1], sizeof(words[0]), "%s", line);
}

static void look_open(struct look *l, const struct backend *backend, unsigned interest)
{
	struct sooth_error err = { 0 };

	*l = (struct look){ .run = { .backend = backend,
				    .os = &os_native,
				    .options = { .interest = interest, .is_host = true } } };
	l->log = (struct log){ .level = LOG_WARNING, .write = keep_words };
	l->run.log = &l->log;
	if (backend_test_needs(backend, &os_native, &err)) {
		print_message("%s\n", err.tried);
		skip();
	}
	l->run.state = calloc(1, backend->state_size);
	assert_non_null(l->run.state);
	if (!backend->open(&l->run, &err))
		return;
	for (size_t i = 0; i < WORDS; i++)
		print_message("%s\n", words[i]);
	fail_msg("%s: %s: %s", backend->name, err.tried, err.why);
}

static void look_again(struct look *l)
{
	struct sooth_error err = { 0 };

	buffer_reset(&l->run.out);
	if (l->run.backend->sample(&l->run, &err))
		fail_msg("%s: %s: %s", l->run.backend->name, err.tried, err.why);
}

static void look_close(struct look *l)
{
	l->run.backend->close(&l->run);
	buffer_fini(&l->run.out);
	free(l->run.state);
}

static const struct sooth_record *find(
	const struct look *l, uint16_t kind, const struct process_id *id)
{
	struct batch all = { l->run.out.data, l->run.out.size };

	batch_for_each (record, &all) {
		if (record->kind == kind && record->pid == id->pid &&
			record->start_ticks == id->start_ticks)
			return record;
	}
	return NULL;
}

/* All but the time, which is when it was seen. */
static bool same(const struct sooth_record *a, const struct sooth_record *b)
{
	size_t from = offsetof(struct sooth_record, start_ticks);

	if (!a || !b)
		return a == b;
	return record_bytes(a) == record_bytes(b) &&
	       !memcmp((const char *)a + from, (const char *)b + from, record_bytes(a) - from);
}

static void fail_different(const struct proc_process *x, const struct proc_process *y)
{
	fail_msg("process %u %.*s, %.*s: ppid %u %u, uid %u %u, threads %u %u, session %u %u, "
		 "group %u %u, terminal %x %x, foreground %d %d, state %c %c, cpu %" PRIu64
		 " %" PRIu64 ", rss %" PRIu64 " %" PRIu64 ", vsz %" PRIu64 " %" PRIu64
		 ", brief %d %d, bytes %zu %zu",
		x->record.pid, (int)x->name.size, (const char *)x + x->name.offset,
		(int)y->name.size, (const char *)y + y->name.offset, x->ppid, y->ppid, x->uid,
		y->uid, x->threads, y->threads, x->session, y->session, x->process_group,
		y->process_group, x->terminal, y->terminal, x->is_foreground, y->is_foreground,
		x->state, y->state, x->cpu_ns, y->cpu_ns, x->rss_bytes, y->rss_bytes, x->vsz_bytes,
		y->vsz_bytes, x->is_brief, y->is_brief, record_bytes(&x->record),
		record_bytes(&y->record));
}

/* Of those that stood still: how many. */
static size_t compare_all(
	const struct look *before, const struct look *by_bpf, const struct look *after)
{
	struct batch all = { before->run.out.data, before->run.out.size };
	size_t count = 0;

	batch_for_each (record, &all) {
		struct process_id id = { .start_ticks = record->start_ticks, .pid = record->pid };
		const struct sooth_record *seen;

		if (record->kind == PROC_SNAPSHOT || record->kind == PROC_INSTALLED ||
			!same(record, find(after, record->kind, &id)))
			continue;
		seen = find(by_bpf, record->kind, &id);
		if (!seen)
			fail_msg("no record of kind %x of process %u", record->kind, record->pid);
		if (!same(record, seen) && record->kind == PROC_PROCESS)
			fail_different((const void *)record, (const void *)seen);
		if (!same(record, seen))
			fail_msg("records of kind %x of process %u differ", record->kind,
				record->pid);
		count++;
	}
	return count;
}

static uint64_t ticks_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return ((uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec) /
	       (NS_PER_S / (uint64_t)sysconf(_SC_CLK_TCK));
}

/* Nobody but who has come meanwhile. */
static void assert_no_others(
	const struct look *before, const struct look *by_bpf, uint64_t from_ticks)
{
	struct batch all = { by_bpf->run.out.data, by_bpf->run.out.size };

	batch_for_each (record, &all) {
		struct process_id id = { .start_ticks = record->start_ticks, .pid = record->pid };

		if (record->kind == PROC_PROCESS && id.start_ticks < from_ticks &&
			!find(before, PROC_PROCESS, &id))
			fail_msg("process %u is not there", record->pid);
	}
}

static bool stood_still(const struct look *before, const struct look *after, size_t i)
{
	const struct sooth_record *is = find(before, PROC_PROCESS, &made[i]);

	if (!is)
		fail_msg("%s: procfs does not tell of it", kinds[i].name);
	return same(is, find(after, PROC_PROCESS, &made[i]));
}

static void compare(unsigned interest)
{
	struct look before, by_bpf, after;
	bool was_compared[ARRAY_SIZE(kinds)] = { 0 };
	size_t left = ARRAY_SIZE(kinds), count = 0;

	look_open(&before, &backend_proc_procfs, interest);
	look_open(&by_bpf, &backend_proc_bpf, interest);
	look_open(&after, &backend_proc_procfs, interest);
	for (int i = 0; i < TRIES && left; i++) {
		uint64_t from_ticks = ticks_now();

		look_again(&before);
		look_again(&by_bpf);
		look_again(&after);
		count = compare_all(&before, &by_bpf, &after);
		assert_no_others(&before, &by_bpf, from_ticks);
		for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
			if (was_compared[k] || !stood_still(&before, &after, k))
				continue;
			was_compared[k] = true;
			left--;
		}
	}
	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		if (!was_compared[k])
			fail_msg("%s: it did not stand still", kinds[k].name);
	}
	print_message("%zu records\n", count);
	assert_true(count >= ARRAY_SIZE(kinds));
	look_close(&before);
	look_close(&by_bpf);
	look_close(&after);
}

/* --- the tests --- */

static void test_brief(void **state)
{
	(void)state;
	compare(INTEREST_SAMPLE | INTEREST_BRIEF);
}

static void test_whole(void **state)
{
	(void)state;
	compare(INTEREST_SAMPLE);
}

static const struct proc_process *seen_by_bpf(struct look *l, const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (!strcmp(kinds[i].name, name))
			return (const void *)find(l, PROC_PROCESS, &made[i]);
	}
	fail_msg("no %s", name);
	return NULL;
}

/* What was made is what is told, so that both are not wrong in the same way. */
static void test_truth(void **state)
{
	const struct proc_process *p;
	struct look l;

	(void)state;
	look_open(&l, &backend_proc_bpf, INTEREST_SAMPLE | INTEREST_BRIEF);
	look_again(&l);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		p = (const void *)find(&l, PROC_PROCESS, &made[i]);
		if (!p || p->state != kinds[i].state || p->ppid != (uint32_t)getpid())
			fail_msg("%s: %c, child of %u", kinds[i].name, p ? p->state : '-',
				p ? p->ppid : 0);
	}
	p = seen_by_bpf(&l, kinds[1].name);
	assert_int_equal(p->name.size, 10);
	assert_memory_equal((const char *)p + p->name.offset, "a\nb\\n) R 1", 10);
	assert_int_equal(seen_by_bpf(&l, "another user's")->uid, NOBODY);
	assert_int_equal(seen_by_bpf(&l, "with another user's rights")->uid, NOBODY);
	assert_int_equal(seen_by_bpf(&l, "several threads")->threads, 5);
	p = seen_by_bpf(&l, "one thread after others");
	assert_int_equal(p->threads, 1);
	assert_true(p->cpu_ns > 1000000);
	assert_true(seen_by_bpf(&l, "memory of each kind")->rss_bytes >= 2 * PIECE);
	p = seen_by_bpf(&l, "its own session");
	assert_int_equal(p->session, p->record.pid);
	p = seen_by_bpf(&l, "its own group");
	assert_int_equal(p->process_group, p->record.pid);
	assert_true(p->session != p->record.pid);
	assert_true(seen_by_bpf(&l, "in the foreground")->is_foreground);
	assert_false(seen_by_bpf(&l, "in the background")->is_foreground);
	assert_int_not_equal(seen_by_bpf(&l, "in the background")->terminal, PROC_NO_TERMINAL);
	assert_true(seen_by_bpf(&l, "agent")->executable.size > 0);
	assert_false(seen_by_bpf(&l, "agent")->is_brief);
	assert_false(seen_by_bpf(&l, "with an agent's marker")->is_brief);
	assert_true(seen_by_bpf(&l, "plain")->is_brief);
	look_close(&l);
}

static void *spin(void *stop)
{
	while (!*(volatile bool *)stop)
		;
	return NULL;
}

/* While it runs: between what its CPU clock says before and after. */
static void test_running(void **state)
{
	bool stop = false;
	struct process_id self;
	struct look l;
	pthread_t threads[2];

	(void)state;
	look_open(&l, &backend_proc_bpf, INTEREST_SAMPLE | INTEREST_BRIEF);
	assert_int_equal(procfs_identify(getpid(), &self), 0);
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, spin, &stop), 0);
	for (int i = 0; i < 20; i++) {
		struct timespec from, to;
		const struct proc_process *p;

		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
		look_again(&l);
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
		p = (const void *)find(&l, PROC_PROCESS, &self);
		assert_non_null(p);
		assert_true(p->cpu_ns >= (uint64_t)from.tv_sec * NS_PER_S + (uint64_t)from.tv_nsec);
		assert_true(p->cpu_ns <= (uint64_t)to.tv_sec * NS_PER_S + (uint64_t)to.tv_nsec);
		assert_true(p->threads > ARRAY_SIZE(threads));
	}
	stop = true;
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_join(threads[i], NULL);
	look_close(&l);
}

static uint64_t reported_time_ns;

static uint64_t reported_time(const struct os *os)
{
	(void)os;
	return reported_time_ns;
}

/* The end takes a last sample, but for one that was taken just before. */
static void test_last(void **state)
{
	const struct backend *const both[] = { &backend_proc_procfs, &backend_proc_bpf };
	struct os os = os_native;

	(void)state;
	os.now_ns = reported_time;
	reported_time_ns = 5 * NS_PER_S;
	for (size_t i = 0; i < ARRAY_SIZE(both); i++) {
		struct sooth_error err;
		struct look l;

		look_open(&l, both[i], INTEREST_SAMPLE | INTEREST_BRIEF);
		l.run.os = &os;
		look_again(&l);
		buffer_reset(&l.run.out);
		reported_time_ns += NS_PER_MS / 2;
		assert_int_equal(l.run.backend->stop(&l.run, &err), 0);
		assert_int_equal(l.run.out.size, 0);
		reported_time_ns += NS_PER_MS;
		assert_int_equal(l.run.backend->stop(&l.run, &err), 0);
		assert_non_null(find(&l, PROC_PROCESS, &made[0]));
		look_close(&l);
	}
}

/* Of one user alone. */
static void test_user(void **state)
{
	struct batch all;
	struct look l;
	size_t count = 0;

	(void)state;
	look_open(&l, &backend_proc_bpf, INTEREST_SAMPLE | INTEREST_BRIEF);
	l.run.options.is_host = false;
	l.run.options.has_uid = true;
	l.run.options.uid = NOBODY;
	look_again(&l);
	all = (struct batch){ l.run.out.data, l.run.out.size };
	batch_for_each (record, &all) {
		if (record->kind != PROC_PROCESS)
			continue;
		assert_int_equal(((const struct proc_process *)(const void *)record)->uid, NOBODY);
		count++;
	}
	assert_true(count >= 2);
	look_close(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_brief),
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_truth),
		cmocka_unit_test(test_running),
		cmocka_unit_test(test_last),
		cmocka_unit_test(test_user),
	};

	signal(SIGPIPE, SIG_IGN);
	if (geteuid() != 0)
		return 77;
	return cmocka_run_group_tests(tests, make_all, end_all);
}
