/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs that a library in them could change: sandboxed, with many threads, without a clock, on
 * stacks of their own, forked in odd ways. Each mode prints what it found and ends with its own
 * status, always the same: what is observed has to give the same.
 *
 *   heap-odd MODE [COUNT]        heap-odd list
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#define STACK_BYTES (64u << 10)
#define FEW	    40

static unsigned count_of = 4000;

static void allocate(unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		void *volatile block = malloc(100 + i % 300); /* not left out by a compiler */

		free(block);
	}
}

static void say(const char *text)
{
	if (write(1, text, strlen(text)) < 0)
		_exit(90);
}

static int status_of(pid_t pid)
{
	int status;

	return waitpid(pid, &status, 0) == pid ? status : -1;
}

/* --- threads --- */

static void *allocate_once(void *unused)
{
	(void)unused;
	allocate(10);
	return NULL;
}

static int short_threads(void)
{
	pthread_t threads[FEW];

	for (unsigned done = 0; done < count_of; done += FEW) {
		for (int i = 0; i < FEW; i++)
			if (pthread_create(&threads[i], NULL, allocate_once, NULL))
				return 2;
		for (int i = 0; i < FEW; i++)
			pthread_join(threads[i], NULL);
	}
	return 0;
}

static pthread_barrier_t barrier;

static void *allocate_together(void *unused)
{
	(void)unused;
	pthread_barrier_wait(&barrier);
	allocate(50);
	pthread_barrier_wait(&barrier);
	return NULL;
}

/* More at a time than there are slots. */
static int live_threads(void)
{
	enum { LIVE = 700 };
	pthread_t threads[LIVE];
	pthread_attr_t attributes;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	pthread_barrier_init(&barrier, NULL, LIVE);
	for (int i = 0; i < LIVE; i++)
		if (pthread_create(&threads[i], &attributes, allocate_together, NULL))
			return 2;
	for (int i = 0; i < LIVE; i++)
		pthread_join(threads[i], NULL);
	return 0;
}

/* --- filters --- */

/* What these modes call themselves, bare. Nothing else, whatever is loaded into them. */
static const int allowed[] = { SYS_write, SYS_exit, SYS_exit_group, SYS_brk, SYS_mmap, SYS_munmap,
	SYS_mprotect, SYS_madvise, SYS_mremap, SYS_clone, SYS_clone3, SYS_wait4, SYS_rt_sigprocmask,
	SYS_rt_sigreturn, SYS_set_robust_list, SYS_rseq, SYS_futex, SYS_execve, SYS_getrandom,
	SYS_rt_sigaction };

static int filter_others(unsigned answer)
{
	enum { COUNT = sizeof(allowed) / sizeof(allowed[0]) };
	struct sock_filter code[COUNT + 3];
	struct sock_fprog program = { COUNT + 3, code };

	code[0] = (struct sock_filter)BPF_STMT(
		BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	for (unsigned i = 0; i < COUNT; i++)
		code[1 + i] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
			(unsigned)allowed[i], (unsigned char)(COUNT - i), 0);
	code[COUNT + 1] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, answer);
	code[COUNT + 2] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
}

static int under_filter(unsigned answer)
{
	pthread_t thread;
	pid_t child;

	if (filter_others(answer))
		return 2;
	allocate(count_of * 10); /* also fills a ring */
	child = fork();
	if (!child) {
		allocate(count_of);
		child = fork();
		if (!child) {
			allocate(100);
			_exit(3);
		}
		_exit(status_of(child) == 3 << 8 ? 4 : 5);
	}
	if (status_of(child) != 4 << 8)
		return 6;
	if (pthread_create(&thread, NULL, allocate_once, NULL) || pthread_join(thread, NULL))
		return 7;
	say("filtered\n");
	return 0;
}

static int filter_kill(void)
{
	return under_filter(SECCOMP_RET_KILL_PROCESS);
}

static int filter_error(void)
{
	return under_filter(SECCOMP_RET_ERRNO | EPERM);
}

/* By an instruction: no library sees that a filter is set. */
static long raw_call(long number, long a, long b, long c)
{
#if defined(__x86_64__)
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c)
			 : "rcx", "r11", "memory");
	return result;
#else
	return syscall(number, a, b, c);
#endif
}

/* The filter that forbids sockets, as a sandbox has it; what it starts inherits it. */
static int filter_sockets(const char *self, unsigned answer)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_connect, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, answer),
	};
	struct sock_fprog program = { sizeof(code) / sizeof(code[0]), code };
	pid_t child;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
		raw_call(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, (long)&program))
		return 2;
	for (int i = 0; i < 3; i++) {
		child = fork();
		if (!child) {
			allocate(count_of);
			_exit(3);
		}
		if (status_of(child) != 3 << 8)
			return 4;
		child = fork();
		if (!child) {
			execl(self, self, "plain", "100", (char *)NULL);
			_exit(5);
		}
		if (status_of(child))
			return 6;
	}
	say("no sockets\n");
	return 0;
}

static int sockets_kill(void)
{
	return filter_sockets("/proc/self/exe", SECCOMP_RET_KILL_PROCESS);
}

static int sockets_error(void)
{
	return filter_sockets("/proc/self/exe", SECCOMP_RET_ERRNO | EPERM);
}

static int plain(void)
{
	allocate(count_of);
	return 0;
}

/* Only read, write, exit, sigreturn. */
static int strict_by(bool by_number)
{
	allocate(1000); /* so that the heap is there */
	if (by_number ? syscall(SYS_prctl, PR_SET_SECCOMP, SECCOMP_MODE_STRICT, 0, 0, 0)
		      : prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT, 0, 0, 0))
		return 2;
	allocate(count_of);
	say("strict\n");
	syscall(SYS_exit, 8);
	return 3;
}

static int strict(void)
{
	return strict_by(false);
}

static int strict_number(void)
{
	return strict_by(true);
}

static int strict_seccomp(void)
{
	allocate(1000);
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 0, NULL))
		return 2;
	allocate(count_of);
	syscall(SYS_exit, 8);
	return 3;
}

/* --- the clock --- */

static int without_clock_by(bool by_number)
{
	pid_t child;

	if (by_number ? syscall(SYS_prctl, PR_SET_TSC, PR_TSC_SIGSEGV, 0, 0, 0)
		      : prctl(PR_SET_TSC, PR_TSC_SIGSEGV, 0, 0, 0))
		return 2;
	allocate(count_of * 10);
	child = fork();
	if (!child) {
		allocate(count_of);
		_exit(3);
	}
	if (status_of(child) != 3 << 8)
		return 4;
	child = fork();
	if (!child) {
		/* The loader of glibc reads the counter at its start. */
		prctl(PR_SET_TSC, PR_TSC_ENABLE, 0, 0, 0);
		execl("/proc/self/exe", "heap-odd", "plain", "100", (char *)NULL);
		_exit(5);
	}
	return status_of(child);
}

static int without_clock(void)
{
	return without_clock_by(false);
}

static int without_clock_number(void)
{
	return without_clock_by(true);
}

/* --- forks --- */

static int fork_storm(void)
{
	unsigned left = 0;

	for (unsigned i = 0; i < count_of; i++) {
		pid_t child = fork();

		if (!child) {
			allocate(10);
			_exit(0);
		}
		left += child > 0;
	}
	while (left && wait(NULL) > 0)
		left--;
	return left ? 2 : 0;
}

static int raw_fork(void)
{
	for (int i = 0; i < 20; i++) {
		pid_t child = (pid_t)raw_call(SYS_clone, SIGCHLD, 0, 0);

		if (!child) {
			allocate(count_of);
			_exit(3);
		}
		if (status_of(child) != 3 << 8)
			return 2;
	}
	return 0;
}

/* The number of the call by the function: it returns twice, on one stack. */
static int vfork_number(void)
{
	for (int i = 0; i < 20; i++) {
		pid_t child = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);

		if (!child) {
			allocate(100);
			_exit(3);
		}
		if (status_of(child) != 3 << 8)
			return 2;
	}
	return 0;
}

static int vforks(void)
{
	for (int i = 0; i < 20; i++) {
		pid_t child = vfork();

		if (!child) {
			execl("/proc/self/exe", "heap-odd", "plain", "10", (char *)NULL);
			_exit(5);
		}
		if (status_of(child))
			return 2;
	}
	return 0;
}

/* A daemon: its parents have ended, and it goes on. */
static int daemon_like(void)
{
	int ends[2];
	char done = 0;

	if (pipe(ends))
		return 2;
	if (!fork()) {
		if (!fork()) {
			setsid();
			allocate(count_of);
			execl("/proc/self/exe", "heap-odd", "say", "100", (char *)NULL);
			_exit(5);
		}
		_exit(0);
	}
	wait(NULL);
	close(ends[1]);
	(void)!read(ends[0], &done, 1);
	return 0;
}

static int say_plain(void)
{
	allocate(count_of);
	say("plain\n");
	return 0;
}

static volatile sig_atomic_t signals;

static void fork_in_handler(int number)
{
	pid_t child;

	(void)number;
	child = fork();
	if (!child) {
		allocate(20);
		_exit(3);
	}
	if (status_of(child) == 3 << 8)
		signals++;
}

static int fork_by_signal(void)
{
	signal(SIGUSR1, fork_in_handler);
	for (int i = 0; i < 100; i++) {
		allocate(100);
		raise(SIGUSR1);
	}
	return signals == 100 ? 0 : 2;
}

/* --- stacks --- */

static void allocate_in_handler(int number)
{
	(void)number;
	allocate(100);
	signals++;
}

static int signal_stack(void)
{
	stack_t stack = { .ss_size = STACK_BYTES };
	struct sigaction action = { .sa_handler = allocate_in_handler, .sa_flags = SA_ONSTACK };

	stack.ss_sp =
		mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	sigaltstack(&stack, NULL);
	sigaction(SIGUSR1, &action, NULL);
	for (int i = 0; i < 100; i++) {
		allocate(10);
		raise(SIGUSR1);
	}
	return signals == 100 ? 0 : 2;
}

static ucontext_t outside, inside;

static void on_own_stack(void)
{
	allocate(100);
}

/* Its memory is there only while it runs. */
static int coroutines(void)
{
	for (int i = 0; i < 100; i++) {
		void *stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		getcontext(&inside);
		inside.uc_stack.ss_sp = stack;
		inside.uc_stack.ss_size = STACK_BYTES;
		inside.uc_link = &outside;
		makecontext(&inside, on_own_stack, 0);
		swapcontext(&outside, &inside);
		munmap(stack, STACK_BYTES);
		allocate(1);
	}
	return 0;
}

/* Calls allocate(1) from a function without unwind information, whose frame pointer register has
 * another value: code of a JIT compiler, or written by hand. */
#if defined(__x86_64__)
void allocate_without_rule(const void *register_value);
void allocate_one(void);
void allocate_one(void)
{
	allocate(1);
}
asm(".text\n"
    ".globl allocate_without_rule\n"
    ".type allocate_without_rule, @function\n"
    "allocate_without_rule:\n"
    "	push %rbp\n"
    "	mov %rdi, %rbp\n"
    "	call allocate_one\n"
    "	pop %rbp\n"
    "	ret\n"
    ".size allocate_without_rule, . - allocate_without_rule\n");
#else
static void allocate_without_rule(const void *register_value)
{
	(void)register_value;
	allocate(1);
}
#endif

static char *lower_stack;

static void on_lower_stack(void)
{
	char *upper = lower_stack + STACK_BYTES;

	allocate(1);
	munmap(upper, STACK_BYTES);
	allocate_without_rule(upper + 64);
}

/* Two stacks stand in one mapping, and the upper one is gone when the lower one is walked. */
static int cut_mapping(void)
{
	for (int i = 0; i < 20; i++) {
		lower_stack = mmap(NULL, 2 * STACK_BYTES, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		getcontext(&inside);
		inside.uc_stack.ss_sp = lower_stack;
		inside.uc_stack.ss_size = STACK_BYTES;
		inside.uc_link = &outside;
		makecontext(&inside, on_lower_stack, 0);
		swapcontext(&outside, &inside);
		munmap(lower_stack, STACK_BYTES);
	}
	return 0;
}

static sigjmp_buf back;

static void jump_out(int number)
{
	(void)number;
	siglongjmp(back, 1);
}

static int jumps(void)
{
	volatile int jumped = 0;

	signal(SIGUSR1, jump_out);
	while (jumped < 100) {
		if (!sigsetjmp(back, 1)) {
			allocate(10);
			raise(SIGUSR1);
		}
		jumped++;
	}
	allocate(100);
	return jumped == 100 ? 0 : 2;
}

/* --- limits --- */

/* What a limit of the address space leaves is the program's. */
static int failed_calls(void)
{
	struct rlimit limit = { 600u << 20, 600u << 20 };
	void *volatile block = NULL;
	unsigned failed = 0;

	if (setrlimit(RLIMIT_AS, &limit))
		return 2;
	for (int i = 0; i < 100; i++) {
		block = malloc(1u << 30);
		failed += !block;
	}
	block = malloc(100u << 20);
	return failed == 100 && block ? 0 : 3;
}

/* Needs most of what `ulimit -v 60000` allows. */
static int much_memory(void)
{
	unsigned made = 0;

	for (int i = 0; i < 40; i++) {
		void *volatile block = malloc(1u << 20);

		made += block != NULL;
	}
	return made == 40 ? 0 : 3;
}

static int closed_descriptors(void)
{
	struct rlimit none = { 3, 3 };

	for (int i = 3; i < 1024; i++)
		close(i);
	setrlimit(RLIMIT_NOFILE, &none);
	allocate(count_of);
	if (!fork()) {
		allocate(100);
		_exit(0);
	}
	wait(NULL);
	return open("/dev/null", O_RDONLY) < 0 && errno == EMFILE ? 0 : 2;
}

static int other_user(void)
{
	if (!geteuid() && (setgid(65534) || setuid(65534)))
		return 2;
	for (int i = 0; i < 3; i++) {
		if (!fork()) {
			allocate(count_of);
			_exit(0);
		}
	}
	while (wait(NULL) > 0)
		;
	return 0;
}

static int other_root(void)
{
	if (!geteuid() && (chroot("/proc/self/fdinfo") || chdir("/")))
		return 2;
	for (int i = 0; i < 3; i++) {
		if (!fork()) {
			allocate(count_of);
			_exit(0);
		}
	}
	while (wait(NULL) > 0)
		;
	return 0;
}

static int other_numbers(void)
{
	if (!geteuid() && unshare(CLONE_NEWPID))
		return 2;
	for (int i = 0; i < 3; i++) {
		pid_t child = fork();

		if (!child) {
			allocate(count_of);
			usleep(200000);
			_exit(3);
		}
		if (status_of(child) != 3 << 8)
			return i && errno == ECHILD ? 0 : 4;
		if (!geteuid())
			break; /* the first of a namespace ends it */
	}
	return 0;
}

static int locked_memory(void)
{
	if (mlockall(MCL_CURRENT | MCL_FUTURE))
		return geteuid() ? 0 : 2;
	allocate(count_of);
	return 0;
}

/* --- which --- */

static const struct mode {
	const char *name;
	int (*run)(void);
} modes[] = {
	{ "plain", plain },
	{ "say", say_plain },
	{ "short-threads", short_threads },
	{ "live-threads", live_threads },
	{ "filter-kill", filter_kill },
	{ "filter-error", filter_error },
	{ "sockets-kill", sockets_kill },
	{ "sockets-error", sockets_error },
	{ "strict", strict },
	{ "strict-number", strict_number },
	{ "strict-seccomp", strict_seccomp },
	{ "no-clock", without_clock },
	{ "no-clock-number", without_clock_number },
	{ "fork-storm", fork_storm },
	{ "raw-fork", raw_fork },
	{ "clone-number", vfork_number },
	{ "vfork", vforks },
	{ "daemon", daemon_like },
	{ "fork-by-signal", fork_by_signal },
	{ "signal-stack", signal_stack },
	{ "coroutines", coroutines },
	{ "cut-mapping", cut_mapping },
	{ "jumps", jumps },
	{ "failed-calls", failed_calls },
	{ "much-memory", much_memory },
	{ "closed-descriptors", closed_descriptors },
	{ "other-user", other_user },
	{ "other-root", other_root },
	{ "other-numbers", other_numbers },
	{ "locked-memory", locked_memory },
};

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "list";

	if (argc > 2)
		count_of = (unsigned)strtoul(argv[2], NULL, 10);
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		if (!strcmp(name, "list"))
			puts(modes[i].name);
		else if (!strcmp(name, modes[i].name))
			return modes[i].run();
	}
	return strcmp(name, "list") ? 91 : 0;
}
