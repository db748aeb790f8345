/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Uses the CPU in functions of known shares: profile-* MODE SECONDS, in CPU time of each thread or
 * process. Built with frame pointers and without unwind information, and the other way round.
 *
 *   shares    main > outer > inner > seventy, twenty, ten: 70, 20 and 10 %
 *   threads   two threads, hot-a in thread_a and hot-b in thread_b
 *   children  three forked children, one after the other, each in child_work
 *   exec      a child that runs this program again, with shares
 *   signal    a handler of a signal that signal_caller raised
 *   deep      recursion of a hundred frames above its work
 *   wide      recursion of forty frames of 4 KiB each above its work
 *
 * For measurements, with a number of pieces of work in place of seconds; the CPU time that they took
 * is printed on standard error:
 *
 *   fixed       all in one thread
 *   fixed-deep  the same below a hundred frames
 *   fixed-many  by 64 threads
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define HOT __attribute__((noinline))
#define CHUNK 40000
#define DEPTH 100
#define WIDE 40
#define MANY 64

static volatile unsigned long sink[4];
static double seconds;

static double cpu_now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Works until the clock of the thread shows `end`. It looks after each piece, so it is no leaf: with
 * frame pointers the caller of a leaf may be missing. */
#define WORK(name, place)                                                                          \
	HOT static void name(double end)                                                           \
	{                                                                                          \
		while (cpu_now(CLOCK_THREAD_CPUTIME_ID) < end)                                     \
			for (unsigned long i = 0; i < CHUNK; i++)                                  \
				sink[place] += i;                                                  \
		sink[place]++;                                                                     \
	}

WORK(seventy, 0)
WORK(twenty, 1)
WORK(ten, 2)
WORK(work, 3)

/* Ten milliseconds; what one function takes too long, the next has less. */
HOT static void inner(double from)
{
	seventy(from + 0.007);
	twenty(from + 0.009);
	ten(from + 0.010);
	sink[3]++;
}

HOT static void outer(void)
{
	double from = cpu_now(CLOCK_THREAD_CPUTIME_ID), end = from + seconds;

	for (; from < end; from += 0.010)
		inner(from);
	sink[3]++;
}

HOT static void spend(void)
{
	work(cpu_now(CLOCK_THREAD_CPUTIME_ID) + seconds);
	sink[3]++;
}

HOT static void *thread_a(void *unused)
{
	(void)unused;
	pthread_setname_np(pthread_self(), "hot-a");
	spend();
	sink[0]++;
	return NULL;
}

HOT static void *thread_b(void *unused)
{
	(void)unused;
	pthread_setname_np(pthread_self(), "hot-b");
	spend();
	sink[1]++;
	return NULL;
}

static void run_threads(void)
{
	pthread_t a, b;

	pthread_create(&a, NULL, thread_a, NULL);
	pthread_create(&b, NULL, thread_b, NULL);
	pthread_join(a, NULL);
	pthread_join(b, NULL);
}

HOT static void child_work(void)
{
	spend();
	sink[2]++;
}

static void run_children(const char *program)
{
	for (int i = 0; i < (program ? 1 : 3); i++) {
		pid_t child = fork();

		if (!child && program) {
			char text[32];

			snprintf(text, sizeof(text), "%f", seconds);
			execl(program, program, "shares", text, (char *)NULL);
			_exit(1);
		}
		if (!child) {
			child_work();
			_exit(0);
		}
		waitpid(child, NULL, 0);
	}
}

HOT static void handler(int number)
{
	(void)number;
	spend();
	sink[0]++;
}

HOT static void signal_caller(void)
{
	raise(SIGUSR1);
	sink[0]++;
}

HOT static void deep(int left)
{
	if (left)
		deep(left - 1);
	else
		spend();
	sink[0]++;
}

HOT static void wide(int left)
{
	volatile char room[4096];

	room[0] = (char)left;
	if (left)
		wide(left - 1);
	else
		spend();
	sink[0] += (unsigned long)room[0];
}

HOT static void pieces(double count)
{
	for (; count > 0; count--)
		for (unsigned long i = 0; i < CHUNK; i++)
			sink[0] += i;
	sink[1]++;
}

HOT static void fixed(int left)
{
	if (left)
		fixed(left - 1);
	else
		pieces(seconds);
	sink[2]++;
}

HOT static void *fixed_thread(void *unused)
{
	(void)unused;
	pieces(seconds / MANY);
	sink[3]++;
	return NULL;
}

static void run_fixed_many(void)
{
	pthread_t threads[MANY];

	for (int i = 0; i < MANY; i++)
		pthread_create(&threads[i], NULL, fixed_thread, NULL);
	for (int i = 0; i < MANY; i++)
		pthread_join(threads[i], NULL);
}

static void run_measured(const char *mode)
{
	if (!strcmp(mode, "fixed-many"))
		run_fixed_many();
	else
		fixed(!strcmp(mode, "fixed-deep") ? DEPTH : 1);
	fprintf(stderr, "cpu %.6f\n", cpu_now(CLOCK_PROCESS_CPUTIME_ID));
}

int main(int count, char **arguments)
{
	const char *mode = count == 3 ? arguments[1] : "";

	seconds = count == 3 ? atof(arguments[2]) : 0;
	signal(SIGUSR1, handler);
	if (!strcmp(mode, "shares"))
		outer();
	else if (!strcmp(mode, "threads"))
		run_threads();
	else if (!strcmp(mode, "children"))
		run_children(NULL);
	else if (!strcmp(mode, "exec"))
		run_children(arguments[0]);
	else if (!strcmp(mode, "signal"))
		signal_caller();
	else if (!strcmp(mode, "deep"))
		deep(DEPTH);
	else if (!strcmp(mode, "wide"))
		wide(WIDE);
	else if (!strncmp(mode, "fixed", 5))
		run_measured(mode);
	else
		return 2;
	return 0;
}
