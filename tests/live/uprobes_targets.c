/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is probed. Nothing here asserts: it runs in children, where cmocka would go on
 * with the next test.
 */
#include "uprobes_targets.h"

#include <pthread.h>
#include <sched.h>
#include <spawn.h>
#include <sys/prctl.h>

#include "uprobes_support.h"

#define PROBED(n)                                                                                  \
	static __attribute__((noinline)) unsigned probed_##n(unsigned x)                           \
	{                                                                                          \
		__asm__ volatile("" : "+r"(x));                                                    \
		return x * 3 + n;                                                                  \
	}

PROBED(0)
PROBED(1)
PROBED(2)
PROBED(3)
PROBED(4)
PROBED(5)
PROBED(6)
PROBED(7)

typedef unsigned (*probed)(unsigned);

static const probed calls[PROBED_COUNT] = { probed_0, probed_1, probed_2, probed_3, probed_4,
	probed_5, probed_6, probed_7 };
const void *const probed_functions[PROBED_COUNT] = { probed_0, probed_1, probed_2, probed_3,
	probed_4, probed_5, probed_6, probed_7 };

/* lock incl (%rdi), svc #0: never run */
#ifdef __x86_64__
__asm__(".pushsection .text; .globl refused_function; refused_function: .byte 0xf0, 0xff, 0x07; "
	"ret; .popsection");
#else
__asm__(".pushsection .text; .globl refused_function; refused_function: svc #0; ret; .popsection");
#endif

/* False when a function came back with something else than it should. */
static bool call_all(unsigned times)
{
	bool is_right = true;

	for (unsigned i = 0; i < times; i++)
		for (unsigned n = 0; n < PROBED_COUNT; n++)
			is_right &= calls[n](i) == i * 3 + n;
	return is_right;
}

static void *thread_calls(void *is_nested)
{
	pthread_t thread;
	void *wrong = NULL;

	if (is_nested &&
		(pthread_create(&thread, NULL, thread_calls, NULL) || pthread_join(thread, &wrong)))
		return (void *)1;
	return call_all(TIMES) ? wrong : (void *)1;
}

static bool child_is_well(pid_t pid)
{
	int status;

	return waitpid(pid, &status, 0) == pid && !status;
}

static bool fork_calls(void)
{
	pid_t pid = fork();

	if (!pid)
		_exit(!call_all(TIMES));
	return child_is_well(pid);
}

int run_executed(char **argv)
{
	char self[] = "/proc/self/exe", leaf[] = "leaf";
	char *arguments[] = { self, leaf, NULL };
	pthread_t thread;
	void *wrong;
	pid_t pid;
	char byte;

	if (!strcmp(argv[1], leaf))
		return !call_all(TIMES);
	if (read(0, &byte, 1) != 1 || !call_all(TIMES) || !fork_calls())
		return 2;
	if (pthread_create(&thread, NULL, thread_calls, argv) || pthread_join(thread, &wrong) ||
		wrong)
		return 3;
	if (posix_spawn(&pid, self, NULL, NULL, arguments, arguments + 2) || !child_is_well(pid))
		return 4;
	pid = fork();
	if (!pid) {
		execv(self, arguments);
		_exit(1);
	}
	return child_is_well(pid) ? 0 : 5;
}

void until_go(const struct shared *shared)
{
	while (!shared->go)
		usleep(200);
}

static void *thread_waits(void *user)
{
	struct shared *shared = user;

	__atomic_add_fetch(&shared->ready, 1, __ATOMIC_RELAXED);
	until_go(shared);
	return call_all(TIMES) ? NULL : (void *)1;
}

static void *thread_waits_and_forks(void *user)
{
	return thread_waits(user) || !fork_calls() ? (void *)1 : NULL;
}

int work_in_threads(struct shared *shared)
{
	void *(*const works[])(
		void *) = { thread_waits, thread_waits_and_forks, thread_waits_and_forks };
	pthread_t threads[ARRAY_SIZE(works)];
	void *wrong;
	int status = 0;

	for (size_t i = 0; i < ARRAY_SIZE(works); i++)
		status |= pthread_create(&threads[i], NULL, works[i], shared);
	status |= thread_waits(shared) != NULL;
	for (size_t i = 0; i < ARRAY_SIZE(works); i++)
		status |= pthread_join(threads[i], &wrong) || wrong;
	return status;
}

/* On one processor, so that it and its children are switched to each other. */
static bool fork_and_go_on(void)
{
	cpu_set_t one;
	bool is_right = true;

	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	sched_setaffinity(0, sizeof(one), &one);
	for (int i = 0; i < CHILD_FORKS; i++) {
		pid_t pid = fork();

		if (!pid)
			_exit(!call_all(1));
		is_right &= child_is_well(pid) && call_all(10);
	}
	return is_right;
}

int fork_in_child(struct shared *shared)
{
	pid_t pid;

	until_go(shared);
	pid = fork();
	if (pid)
		return !child_is_well(pid);
	shared->other = getpid();
	shared->ready = 1;
	while (!shared->kept)
		usleep(200);
	_exit(!fork_and_go_on());
}

/* The compiler must not know what these are for. */
static bool use(void *memory, size_t size)
{
	unsigned char *volatile bytes = memory;

	if (!bytes)
		return false;
	bytes[0] = 0x5a;
	bytes[size - 1] = 0xa5;
	return bytes[0] == 0x5a;
}

static bool call_family(unsigned i)
{
	size_t size = 40 + i % 100;
	void *a = malloc(size), *b = calloc(2, size), *c = NULL, *d;
	bool is_right = use(a, size) && use(b, 2 * size);

	a = realloc(a, 3 * size);
	is_right &= use(a, 3 * size) && ((unsigned char *)a)[0] == 0x5a;
	is_right &= !posix_memalign(&c, 64, size) && use(c, size) && (uintptr_t)c % 64 == 0;
	d = aligned_alloc(128, 256);
	is_right &= use(d, 256) && (uintptr_t)d % 128 == 0;
	free(a);
	free(b);
	free(c);
	free(d);
	return is_right;
}

int work_in_family(struct shared *shared)
{
	bool is_right = true;

	until_go(shared);
	for (unsigned i = 0; i < TIMES; i++)
		is_right &= call_family(i);
	return !is_right;
}

static void *thread_works(void *user)
{
	struct shared *shared = user;
	bool is_right = true;

	for (unsigned i = 0; !shared->stop; i++)
		is_right &= call_family(i) && call_all(1);
	return is_right ? NULL : (void *)1;
}

int work_until_stopped(struct shared *shared)
{
	pthread_t threads[2];
	void *wrong;
	int status = 0;

	until_go(shared);
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		status |= pthread_create(&threads[i], NULL, thread_works, shared);
	shared->ready = 1;
	status |= thread_works(shared) != NULL;
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		status |= pthread_join(threads[i], &wrong) || wrong;
	return status;
}

static void *thread_forks(void *user)
{
	struct shared *shared = user;
	bool is_right = true;

	while (!shared->stop) {
		pid_t pid = fork();

		if (!pid)
			_exit(!(call_family(1) && call_all(1)));
		is_right &= child_is_well(pid);
	}
	return is_right ? NULL : (void *)1;
}

int fork_until_stopped(struct shared *shared)
{
	pthread_t thread;
	void *wrong;
	int status;

	until_go(shared);
	status = pthread_create(&thread, NULL, thread_forks, shared);
	shared->ready = 1;
	status |= thread_forks(shared) != NULL;
	return status | pthread_join(thread, &wrong) || wrong;
}

/* cmocka's handlers would go on with the next test. */
static void become_child(void)
{
	static const int caught[] = { SIGILL, SIGSEGV, SIGBUS, SIGFPE, SIGTRAP };

	for (size_t i = 0; i < ARRAY_SIZE(caught); i++)
		signal(caught[i], SIG_DFL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() == 1)
		_exit(1);
}

void start_forked(struct target *target, int (*work)(struct shared *shared))
{
	*target = (struct target){ .hold = -1 };
	target->shared = mmap(NULL, sizeof(*target->shared), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(target->shared, MAP_FAILED);
	target->pid = fork();
	assert_true(target->pid >= 0);
	if (target->pid)
		return;
	become_child();
	_exit(work(target->shared));
}

void start_executed(struct target *target, const char *path)
{
	int hold[2];

	assert_int_equal(pipe2(hold, O_CLOEXEC), 0);
	*target = (struct target){ .hold = hold[1] };
	target->shared = mmap(NULL, sizeof(*target->shared), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(target->shared, MAP_FAILED);
	target->pid = fork();
	assert_true(target->pid >= 0);
	if (target->pid) {
		close(hold[0]);
		return;
	}
	become_child();
	until_go(target->shared);
	if (dup2(hold[0], 0) == 0)
		execl(path, path, "target", (char *)NULL);
	_exit(127);
}

void pause_executed(struct target *target)
{
	target->shared->go = true;
	await_file(target->pid, "cmdline", "target");
	await_file(target->pid, "syscall", "0 0x0 "); /* read(2) of its standard input */
}

int finish(struct target *target)
{
	int status;

	target->shared->go = true;
	if (target->hold >= 0) {
		assert_int_equal(write(target->hold, "", 1), 1);
		close(target->hold);
	}
	assert_int_equal(waitpid(target->pid, &status, 0), target->pid);
	munmap(target->shared, sizeof(*target->shared));
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

pid_t reaped_pid(void)
{
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	return pid;
}

void copy_own_program(const char *path)
{
	_cleanup_close_ int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	_cleanup_close_ int to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0700);
	char bytes[65536];
	ssize_t got;

	while ((got = read(from, bytes, sizeof(bytes))) > 0)
		assert_int_equal(write(to, bytes, (size_t)got), got);
	assert_int_equal(got, 0);
}
