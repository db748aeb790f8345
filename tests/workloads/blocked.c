/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A thread that is stuck in the kernel: it has vforked, and the child sleeps in its memory instead
 * of starting a program. The child ends after --seconds, whatever happens to the rest: nobody is
 * stuck for longer.
 */
#include "workload.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

/* In the memory of the parent, so it touches nothing but its own stack. */
static void *run_vfork(void *arg)
{
	const struct workload *w = arg;
	struct timespec left = { .tv_sec = (time_t)(w->duration_ns / NS_PER_SEC) + 1 };
	pid_t pid;

	prctl(PR_SET_NAME, "stuck");
	pid = vfork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		while (nanosleep(&left, &left) && errno == EINTR)
			;
		_exit(EXIT_SUCCESS);
	}
	if (pid > 0)
		waitpid(pid, NULL, 0);
	return NULL;
}

static int run(const struct workload *w)
{
	pthread_t thread;
	int err = -pthread_create(&thread, NULL, run_vfork, (void *)(uintptr_t)w);

	sleep_ns(200 * NS_PER_MS); /* it is not told when a thread is in vfork */
	return err ? err : workload_stay(w);
}

const struct scenario scenario_blocked = {
	.name = "blocked",
	.help = "a thread that vforked, and whose child starts nothing",
	.run = run,
};
