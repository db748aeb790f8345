/* SPDX-License-Identifier: BSD-2-Clause */
/* Watching programs load: every library is seen before its code runs, and nothing changes. */
#include "pause_support.h"

#include <sys/stat.h>

#define CALLS_MAX 100000

/* --- what is mapped --- */

struct files {
	char names[128][256];
	size_t count;
};

static bool is_among(const struct files *f, const char *name)
{
	for (size_t i = 0; i < f->count; i++)
		if (!strcmp(f->names[i], name))
			return true;
	return false;
}

/* The files of executable mappings in the text of a /proc/PID/maps. */
static void collect(struct files *f, FILE *maps)
{
	char line[4096], permissions[8], name[2048];

	f->count = 0;
	while (fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%*s %7s %*s %*s %*s %2047s", permissions, name) != 2)
			continue;
		if (permissions[2] != 'x' || name[0] != '/' || is_among(f, name) || f->count == 128)
			continue;
		snprintf(f->names[f->count++], sizeof(f->names[0]), "%.255s", name);
	}
}

/* --- a launch, as sooth does it --- */

struct load {
	pid_t pid;
	bool is_before_exec;
	unsigned calls_max;
	volatile bool cancel;
	void (*act)(struct load *l); /* in each call of mapped() */
	int result;
	struct sooth_error error;
	unsigned calls;
	bool has_run; /* said so by one of them */
	struct files seen;
	volatile bool is_over;
	unsigned kill_at;
	int pipe, out;
	char text[1 << 17];
};

static void on_mapped(void *user, pid_t pid, bool has_run)
{
	struct load *l = user;
	char path[64];
	FILE *maps;

	l->calls++;
	l->has_run |= has_run;
	snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	maps = fopen(path, "re");
	if (maps) {
		collect(&l->seen, maps);
		fclose(maps);
	}
	if (l->act)
		l->act(l);
}

static void *watch(void *argument)
{
	struct load *l = argument;

	l->result = pause_loading(
		l->pid, l->is_before_exec, on_mapped, l, l->calls_max, &l->cancel, &l->error);
	l->is_over = true;
	return NULL;
}

static struct load *launch_as(char *const *command, bool survives)
{
	struct load *l = calloc(1, sizeof(*l));
	int hold[2], out[2];
	char byte;

	l->is_before_exec = true;
	l->calls_max = CALLS_MAX;
	assert_false(pipe2(hold, O_CLOEXEC) || pipe2(out, O_CLOEXEC));
	l->pid = fork();
	assert_true(l->pid >= 0);
	if (!l->pid) {
		close(hold[1]);
		prctl(PR_SET_PDEATHSIG, survives ? 0 : SIGKILL);
		dup2(out[1], 1);
		if (read(hold[0], &byte, 1) == 1)
			execvp(command[0], command);
		_exit(127);
	}
	close(hold[0]);
	close(out[1]);
	l->pipe = hold[1];
	l->out = out[0];
	return l;
}

static struct load *launch(char *const *command)
{
	return launch_as(command, false);
}

static void let_exec(struct load *l)
{
	assert_int_equal(write(l->pipe, "", 1), 1);
	close(l->pipe);
	l->pipe = -1;
}

static int finish(struct load *l)
{
	size_t size = 0;
	ssize_t got;

	while ((got = read(l->out, l->text + size, sizeof(l->text) - 1 - size)) > 0)
		size += (size_t)got;
	l->text[size] = '\0';
	close(l->out);
	return exit_status(l->pid);
}

static int watch_exec(struct load *l)
{
	pthread_t thread;
	int status;

	assert_int_equal(pthread_create(&thread, NULL, watch, l), 0);
	while (!pause_is_seized(l->pid))
		usleep(100);
	usleep(2000);
	let_exec(l);
	status = finish(l);
	pthread_join(thread, NULL);
	return status;
}

/* --- programs --- */

/* What it says itself of its mappings was all seen before. Returns how many files. */
static size_t assert_seen(struct load *l)
{
	struct files *said = calloc(1, sizeof(*said));
	FILE *maps = fmemopen(l->text, strlen(l->text), "r");
	size_t count;

	assert_non_null(maps);
	collect(said, maps);
	fclose(maps);
	for (size_t i = 0; i < said->count; i++)
		if (!is_among(&l->seen, said->names[i]))
			fail_msg("%s was not seen", said->names[i]);
	count = said->count;
	free(said);
	return count;
}

static void check(const char *variable, unsigned calls_least, size_t files_least)
{
	char *command[] = { getenv(variable), NULL };
	struct load *l;
	int status;

	if (!command[0] || !*command[0])
		skip();
	l = launch(command);
	status = watch_exec(l);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 7);
	if (l->result)
		fail_msg("%s: %s", l->error.tried, l->error.why);
	assert_in_range(l->calls, calls_least, 40);
	assert_true(assert_seen(l) >= files_least);
	assert_false(l->has_run);
	free(l);
}

static void test_dynamic(void **state)
{
	(void)state;
	for (int i = 0; i < 20; i++)
		check("HOLD_TARGET", 3, 4); /* itself, its library, libc, the loader */
}

static void test_static(void **state)
{
	(void)state;
	check("HOLD_TARGET_STATIC", 1, 1);
}

static void test_musl(void **state)
{
	(void)state;
	for (int i = 0; i < 20; i++)
		check("HOLD_TARGET_MUSL", 2, 3); /* its loader is its libc */
}

/* The loader as a program, with the program's name. */
static void test_loader(void **state)
{
	char *command[] = { NULL, getenv("HOLD_TARGET"), NULL };
	struct files own;
	FILE *maps = fopen("/proc/self/maps", "re");
	struct load *l;
	int status;

	(void)state;
	collect(&own, maps);
	fclose(maps);
	for (size_t i = 0; i < own.count; i++)
		if (strstr(own.names[i], "/ld-linux"))
			command[0] = own.names[i];
	if (!command[0] || !command[1])
		skip();
	l = launch(command);
	status = watch_exec(l);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 7);
	assert_int_equal(l->result, 0);
	assert_true(assert_seen(l) >= 4);
	free(l);
}

#define PYTHON_SAYS_MAPS "import sys; sys.stdout.write(open('/proc/self/maps').read()); sys.exit(3)"

static void test_python(void **state)
{
	char *command[] = { getenv("PYTHON"), "-I", "-S", "-c", PYTHON_SAYS_MAPS, NULL };
	struct load *l;
	int status;

	(void)state;
	if (!command[0])
		skip();
	l = launch(command);
	status = watch_exec(l);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 3);
	assert_int_equal(l->result, 0);
	assert_true(assert_seen(l) >= 3);
	free(l);
}

static void test_same_output(void **state)
{
	char *command[] = { "sh", "-c", "echo $0 $1; cd /; pwd; echo $((6 * 7)); exit 9", "a", "b",
		NULL };
	struct load *plain = launch(command), *l;
	int status;

	(void)state;
	let_exec(plain);
	status = finish(plain);
	l = launch(command);
	assert_int_equal(watch_exec(l), status);
	assert_int_equal(l->result, 0);
	assert_string_equal(l->text, plain->text);
	free(plain);
	free(l);
}

static void test_script(void **state)
{
	char path[] = "/tmp/sooth-script-XXXXXX";
	char *command[] = { path, NULL };
	const char *text = "#!/bin/sh\ncat /proc/$$/maps\nexit 4\n";
	int fd = mkstemp(path), status;
	struct load *l;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	fchmod(fd, 0700);
	close(fd);
	l = launch(command);
	status = watch_exec(l);
	unlink(path);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 4);
	assert_int_equal(l->result, 0);
	assert_true(l->calls >= 2);
	assert_true(assert_seen(l) >= 3);
	free(l);
}

static void test_preload(void **state)
{
	const char *library = getenv("HOLD_LIBRARY");
	char *command[] = { "cat", "/proc/self/maps", NULL };
	struct load *l;
	bool is_seen = false;

	(void)state;
	if (!library)
		skip();
	setenv("LD_PRELOAD", library, 1);
	l = launch(command);
	unsetenv("LD_PRELOAD");
	assert_int_equal(watch_exec(l), 0);
	assert_int_equal(l->result, 0);
	assert_seen(l);
	for (size_t i = 0; i < l->seen.count; i++)
		is_seen = is_seen || strstr(l->seen.names[i], "pause_library");
	assert_true(is_seen);
	free(l);
}

/* --- what does not come to its end --- */

static void test_exec_fails(void **state)
{
	char *command[] = { "/there/is/no/such/program", NULL };
	struct load *l = launch(command);
	int status = watch_exec(l);

	(void)state;
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 127);
	assert_int_equal(l->result, -ESRCH);
	assert_int_equal(l->error.code, -ESRCH);
	assert_int_equal(l->calls, 0);
	free(l);
}

static void kill_it(struct load *l)
{
	if (l->calls == l->kill_at)
		kill(l->pid, SIGKILL);
}

static void test_killed_while_loading(void **state)
{
	char *command[] = { "cat", "/proc/self/maps", NULL };

	(void)state;
	for (int i = 0; i < 20; i++) {
		struct load *l = launch(command);
		int status;

		l->act = kill_it;
		l->kill_at = 1 + (unsigned)i % 2;
		status = watch_exec(l);
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
		assert_int_equal(l->result, -ESRCH);
		free(l);
	}
}

static void test_calls_max(void **state)
{
	char *command[] = { "cat", "/proc/self/maps", NULL };

	(void)state;
	for (unsigned most = 0; most < 12; most++) {
		struct load *l = launch(command);

		l->calls_max = most;
		assert_int_equal(watch_exec(l), 0);
		assert_int_equal(l->result, -ETIME);
		assert_true(strstr(l->text, "libc"));
		free(l);
	}
}

static void cancel_it(struct load *l)
{
	l->cancel = l->calls == 2;
}

static void test_cancelled(void **state)
{
	char *command[] = { "cat", "/proc/self/maps", NULL };
	struct load *l = launch(command);
	pthread_t thread;

	(void)state;
	/* Before its exec, in the middle of read(): it reads on. */
	assert_int_equal(pthread_create(&thread, NULL, watch, l), 0);
	while (!pause_is_seized(l->pid))
		usleep(100);
	usleep(2000);
	l->cancel = true;
	pthread_join(thread, NULL);
	assert_int_equal(l->result, -ECANCELED);
	assert_false(pause_is_seized(l->pid));
	usleep(2000);
	assert_true(becomes(l->pid, 'S'));
	let_exec(l);
	assert_int_equal(finish(l), 0);
	assert_true(strstr(l->text, "libc"));
	free(l);

	l = launch(command);
	l->act = cancel_it;
	assert_int_equal(watch_exec(l), 0);
	assert_int_equal(l->result, -ECANCELED);
	assert_true(strstr(l->text, "libc"));
	free(l);
}

static void stop_it(struct load *l)
{
	kill(l->pid, SIGSTOP);
}

/* While a stop signal keeps it: it stays stopped, and nobody's. */
static void test_cancelled_while_stopped(void **state)
{
	char *command[] = { "cat", "/proc/self/maps", NULL };
	struct load *l = launch(command);
	pthread_t thread;

	(void)state;
	l->act = stop_it;
	assert_int_equal(pthread_create(&thread, NULL, watch, l), 0);
	while (!pause_is_seized(l->pid))
		usleep(100);
	let_exec(l);
	for (int i = 0; i < STATE_TURNS && !*(volatile unsigned *)&l->calls; i++)
		usleep(1000);
	usleep(50000);
	assert_false(l->is_over);
	l->cancel = true;
	pthread_join(thread, NULL);
	assert_int_equal(l->result, -ECANCELED);
	assert_true(becomes(l->pid, 'T'));
	usleep(5000);
	assert_int_equal(state_of(l->pid), 'T');
	kill(l->pid, SIGCONT);
	assert_int_equal(finish(l), 0);
	assert_true(strstr(l->text, "libc"));
	free(l);
}

/* --- signals while it loads --- */

static void signal_it(struct load *l)
{
	kill(l->pid, SIGWINCH); /* ignored by default: delivered all the same */
	kill(l->pid, l->calls % 2 ? SIGSTOP : SIGCONT);
}

static void test_signals(void **state)
{
	char *command[] = { "cat", "/proc/self/maps", NULL };
	struct load *l = launch(command);
	pthread_t thread;

	(void)state;
	l->act = signal_it;
	assert_int_equal(pthread_create(&thread, NULL, watch, l), 0);
	while (!pause_is_seized(l->pid))
		usleep(100);
	let_exec(l);
	while (!l->is_over) {
		usleep(20000);
		kill(l->pid, SIGCONT);
	}
	pthread_join(thread, NULL);
	kill(l->pid, SIGCONT);
	assert_int_equal(finish(l), 0);
	assert_int_equal(l->result, 0);
	assert_seen(l);
	free(l);
}

/* --- a tracer that is killed --- */

static void watch_for_ever(struct shared *s)
{
	char *command[] = { getenv("HOLD_TARGET"), NULL };
	struct load *l = launch_as(command, true);
	pthread_t thread;

	pthread_create(&thread, NULL, watch, l);
	while (!pause_is_seized(l->pid))
		usleep(100);
	s->tids[0] = l->pid;
	let_exec(l);
	s->go = 1;
	for (;;)
		pause();
}

static void test_killed_tracer(void **state)
{
	(void)state;
	if (!getenv("HOLD_TARGET"))
		skip();
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	for (useconds_t delay = 0; delay < 4000; delay += 25) {
		struct shared *s = share();
		pid_t tracer = start(watch_for_ever, s), pid;
		int status;

		wait_until(&s->go, 1);
		pid = s->tids[0];
		usleep(delay);
		end(tracer);
		status = exit_status(pid);
		/* Soon nobody reads what it says. */
		if (status != W_EXITCODE(7, 0) && status != W_EXITCODE(0, SIGPIPE))
			fail_msg("after %u us: status %x", (unsigned)delay, (unsigned)status);
		unshare_memory(s);
	}
	prctl(PR_SET_CHILD_SUBREAPER, 0);
}

/* --- a process that runs already --- */

/* With all it needs: nothing else makes it sleep. */
static bool is_asleep_as(pid_t pid, const char *name)
{
	char path[64], comm[16] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	file = fopen(path, "r");
	if (!file)
		return false;
	if (fscanf(file, "%15s", comm) != 1)
		comm[0] = '\0';
	fclose(file);
	return !strcmp(comm, name) && state_of(pid) == 'S';
}

static void test_running(void **state)
{
	char *command[] = { "sleep", "1000", NULL };
	struct load *l = launch(command);

	(void)state;
	let_exec(l);
	for (int i = 0; i < STATE_TURNS && !is_asleep_as(l->pid, "sleep"); i++)
		usleep(1000);
	l->is_before_exec = false;
	on_tracer(watch, l);
	assert_int_equal(l->result, 0);
	assert_int_equal(l->calls, 1);
	assert_true(l->has_run);
	assert_true(l->seen.count >= 3);
	/* It was asked for as one before its exec, but had been let go. */
	l->is_before_exec = true;
	on_tracer(watch, l);
	assert_int_equal(l->result, 0);
	assert_int_equal(l->calls, 2);
	kill(l->pid, SIGTERM);
	assert_int_equal(WTERMSIG(finish(l)), SIGTERM);
	free(l);
}

static char held_path[64];
static int held = -1;

/* What the loader gets is no library, and it goes on without. */
static void feed_loader(struct load *l)
{
	char bytes[4096] = "no library";

	(void)l;
	if (held >= 0)
		return;
	held = open(held_path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	assert_int_equal(write(held, bytes, sizeof(bytes)), (ssize_t)sizeof(bytes));
}

/* It waits for a library that is a FIFO: no code of the program has run. */
static void test_in_its_loader(void **state)
{
	char folder[] = "/tmp/sooth-loading-XXXXXX";
	char *command[] = { getenv("HOLD_TARGET"), NULL };
	const char *name = command[0] ? strrchr(command[0], '/') + 1 : NULL;
	struct load *l;
	int status;

	(void)state;
	if (!command[0])
		skip();
	assert_non_null(mkdtemp(folder));
	snprintf(held_path, sizeof(held_path), "%s/held.so", folder);
	assert_int_equal(mkfifo(held_path, 0600), 0);
	setenv("LD_PRELOAD", held_path, true);
	l = launch(command);
	unsetenv("LD_PRELOAD");
	let_exec(l);
	for (int i = 0; i < STATE_TURNS && !is_asleep_as(l->pid, name); i++)
		usleep(1000);
	assert_true(is_asleep_as(l->pid, name));
	l->is_before_exec = false;
	l->act = feed_loader;
	on_tracer(watch, l);
	status = finish(l);
	close(held);
	unlink(held_path);
	rmdir(folder);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 7);
	assert_int_equal(l->result, 0);
	assert_false(l->has_run);
	free(l);
}

static bool has_execd(pid_t pid)
{
	char path[64], own[1024], its[1024];
	ssize_t own_size = readlink("/proc/self/exe", own, sizeof(own)), size;

	snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
	size = readlink(path, its, sizeof(its));
	return size != own_size || memcmp(own, its, (size_t)size); /* also when it has ended */
}

/* From anywhere in its exec and its loading on. */
static void test_just_begun(void **state)
{
	char *command[] = { getenv("HOLD_TARGET"), NULL };

	(void)state;
	if (!command[0])
		skip();
	for (useconds_t delay = 0; delay < 1500; delay += 20) {
		struct load *l = launch(command);
		int status;

		l->is_before_exec = delay % 40 == 0;
		let_exec(l);
		while (!l->is_before_exec && !has_execd(l->pid))
			continue;
		usleep(delay);
		on_tracer(watch, l);
		status = finish(l);
		assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 7);
		assert_true(l->result == 0 || l->result == -ESRCH);
		if (!l->result)
			assert_seen(l);
		free(l);
	}
}

static void *rest(void *argument)
{
	for (;;)
		pause();
	return argument;
}

static void with_threads(struct shared *s)
{
	pthread_t thread;

	pthread_create(&thread, NULL, rest, NULL);
	s->threads_ready = 1;
	rest(NULL);
}

static void test_threads(void **state)
{
	struct shared *s = share();
	struct load *l = calloc(1, sizeof(*l));

	(void)state;
	l->pid = start(with_threads, s);
	l->calls_max = CALLS_MAX;
	wait_until(&s->threads_ready, 1);
	on_tracer(watch, l);
	assert_int_equal(l->result, 0);
	assert_int_equal(l->calls, 1);
	assert_false(pause_is_seized(l->pid));
	assert_true(becomes(l->pid, 'S'));
	end(l->pid);
	free(l);
	unshare_memory(s);
}

static void test_nobody(void **state)
{
	struct load *l = calloc(1, sizeof(*l));

	(void)state;
	l->pid = 0x3ffffff;
	on_tracer(watch, l);
	assert_int_equal(l->result, -ESRCH);
	l->pid = getpid();
	on_tracer(watch, l);
	assert_int_equal(l->result, -EPERM);
	assert_int_equal(l->error.fault, SOOTH_FAULT_PRIVILEGE);
	assert_int_equal(l->calls, 0);
	free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dynamic),
		cmocka_unit_test(test_static),
		cmocka_unit_test(test_musl),
		cmocka_unit_test(test_loader),
		cmocka_unit_test(test_python),
		cmocka_unit_test(test_same_output),
		cmocka_unit_test(test_script),
		cmocka_unit_test(test_preload),
		cmocka_unit_test(test_exec_fails),
		cmocka_unit_test(test_killed_while_loading),
		cmocka_unit_test(test_calls_max),
		cmocka_unit_test(test_cancelled),
		cmocka_unit_test(test_cancelled_while_stopped),
		cmocka_unit_test(test_signals),
		cmocka_unit_test(test_killed_tracer),
		cmocka_unit_test(test_running),
		cmocka_unit_test(test_in_its_loader),
		cmocka_unit_test(test_just_begun),
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
