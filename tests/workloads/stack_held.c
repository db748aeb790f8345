/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Threads that stay where they are: stack-held THREADS [SPINNING]. Built without frame pointers.
 * Thread 0 waits in a handler of a signal, the others below frames of all kinds; the last SPINNING
 * ones compute. It says "ready" when all are there, and ends with its input.
 */
#include <alloca.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define HELD __attribute__((noinline))

static int never[2]; /* a pipe that nothing is written to */
static volatile int arrived, sink;
static int threads, spinning;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

HELD static void arrive(void)
{
	__sync_fetch_and_add(&arrived, 1);
}

HELD static void hold_read(void)
{
	char byte;

	arrive();
	sink += (int)read(never[0], &byte, 1);
}

HELD static void hold_lock(void)
{
	arrive();
	pthread_mutex_lock(&lock);
	sink++;
}

HELD static void hold_sleep(void)
{
	struct timespec long_time = { 100000, 0 };

	arrive();
	nanosleep(&long_time, NULL);
	sink++;
}

HELD static void hold_computing(void)
{
	arrive();
	for (;;)
		sink++;
}

HELD static void on_signal(int number)
{
	sink += number;
	hold_read();
	sink++;
}

/* Its frame is found by the frame pointer alone. */
HELD static void with_array(int number, size_t size)
{
	char *bytes = alloca(size);

	memset(bytes, number, size);
	if (number % 3 == 1)
		hold_lock();
	else
		hold_sleep();
	sink += bytes[size / 2];
}

/* Its stack is aligned. */
HELD static void with_alignment(int number)
{
	char bytes[64] __attribute__((aligned(64)));

	memset(bytes, number, sizeof(bytes));
	with_array(number, 100 + (size_t)number % 50);
	sink += bytes[number % 64];
}

HELD static void deeper(int number, int left)
{
	if (left)
		deeper(number, left - 1);
	else if (number % 2)
		with_alignment(number);
	else
		hold_read();
	sink += left;
}

HELD static void *one(void *argument)
{
	int number = (int)(long)argument;
	char name[16];

	snprintf(name, sizeof(name), "held-%d", number % 10000);
	pthread_setname_np(pthread_self(), name);
	if (number >= threads - spinning)
		hold_computing();
	else if (number)
		deeper(number, number % 7);
	else
		raise(SIGUSR1);
	sink++;
	return NULL;
}

int main(int count, char **arguments)
{
	pthread_attr_t small;
	char bytes[64];

	threads = count > 1 ? atoi(arguments[1]) : 1;
	spinning = count > 2 ? atoi(arguments[2]) : 0;
	if (pipe(never))
		return 1;
	signal(SIGUSR1, on_signal);
	pthread_mutex_lock(&lock);
	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 64 << 10);
	for (long i = 0; i < threads; i++) {
		pthread_t thread;

		if (pthread_create(&thread, &small, one, (void *)i))
			return 1;
	}
	while (arrived < threads)
		usleep(1000);
	puts("ready");
	fflush(stdout);
	while (read(STDIN_FILENO, bytes, sizeof(bytes)) > 0)
		sink++;
	_exit(0);
}
