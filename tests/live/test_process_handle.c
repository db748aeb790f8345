/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A number that is given to another process between the look and the deed: a thousand times
 * the one that is meant has ended and an innocent one has its number when it is to be
 * signalled. The kernel gives a wanted number by clone3(2), set_tid, Linux 5.5; needs privilege.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "os/linux/files/procfs.h"
#include "os/os.h"

#define TRIES	1000
#define TICK_NS 11000000 /* longer than the clock tick by which start times are told apart */

/* A child that waits for ever; wanted: its number, 0: any. */
static pid_t start(pid_t wanted)
{
	struct clone_args arguments = { .exit_signal = SIGCHLD,
		.set_tid = wanted ? (uintptr_t)&wanted : 0,
		.set_tid_size = wanted ? 1 : 0 };
	pid_t pid = (pid_t)syscall(SYS_clone3, &arguments, sizeof(arguments));

	if (!pid) {
		for (;;)
			pause();
	}
	return pid;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void a_number_given_anew_hits_nobody(void **state)
{
	struct sooth_error err;
	struct process_id meant;

	(void)state;
	for (int i = 0; i < TRIES; i++) {
		pid_t victim = start(0), innocent;
		int handle;

		assert_true(victim > 0);
		assert_int_equal(procfs_identify(victim, &meant), 0);
		nanosleep(&(struct timespec){ .tv_nsec = TICK_NS }, NULL);
		end(victim);
		innocent = start(victim);
		if (innocent < 0 && (errno == EPERM || errno == ENOSYS))
			skip();
		assert_int_equal(innocent, victim);
		handle = os_native.open_process(&os_native, &meant, &err);
		assert_int_equal(handle, -ESRCH);
		assert_int_equal(kill(innocent, 0), 0);
		end(innocent);
	}
}

static void a_handle_outlives_the_number(void **state)
{
	pid_t victim = start(0), innocent;
	struct process_id meant;
	struct sooth_error err;
	int handle;

	(void)state;
	assert_int_equal(procfs_identify(victim, &meant), 0);
	handle = os_native.open_process(&os_native, &meant, &err);
	assert_true(handle >= 0);
	assert_int_equal(os_native.signal_process(&os_native, handle, &meant, 0, &err), 0);
	end(victim);
	innocent = start(victim);
	if (innocent < 0)
		skip();
	assert_int_equal(os_native.signal_process(&os_native, handle, &meant, SIGKILL, &err), -ESRCH);
	assert_int_equal(poll(&(struct pollfd){ .fd = handle, .events = POLLIN }, 1, 0), 1);
	assert_int_equal(waitpid(innocent, NULL, WNOHANG), 0);
	end(innocent);
	close(handle);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_number_given_anew_hits_nobody),
		cmocka_unit_test(a_handle_outlives_the_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
