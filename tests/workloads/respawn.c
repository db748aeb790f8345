/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A tree that never stands still: every process in it keeps as many children as it is told, and
 * starts another as soon as one has ended; those at the bottom end by themselves after some
 * milliseconds. There are never more than 1 + B + B*B + ... of them, whatever is done to them.
 * Nobody is bound to a parent: who ends the root alone finds that the others go on, until their
 * time is over.
 */
#include "workload.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#define BREADTH_MAX 8
#define DEPTH_MAX   3

static uint64_t breadth = 3;
static uint64_t depth = 2;
static uint64_t life_ms = 20;

static void node(uint64_t below, uint64_t end_ns, uint64_t seed);

static pid_t start(uint64_t below, uint64_t end_ns, uint64_t seed)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	node(below, end_ns, seed);
	_exit(EXIT_SUCCESS);
}

/* The children are this one's own: by waiting it hears of each end. */
static void keep_children(uint64_t below, uint64_t end_ns, uint64_t seed)
{
	uint64_t living = 0;

	while (clock_ns(CLOCK_MONOTONIC) < end_ns) {
		pid_t pid = 0;

		if (living < breadth)
			pid = start(below - 1, end_ns, random_next(&seed));
		if (pid > 0)
			living++;
		else if (waitpid(-1, NULL, 0) > 0)
			living--;
		else
			sleep_ns(NS_PER_MS);
	}
	while (waitpid(-1, NULL, 0) > 0)
		;
}

static void node(uint64_t below, uint64_t end_ns, uint64_t seed)
{
	if (below)
		keep_children(below, end_ns, seed);
	else
		sleep_ns((1 + random_next(&seed) % life_ms) * NS_PER_MS);
}

static int run(const struct workload *w)
{
	int err = workload_ready(w);

	if (!err)
		node(depth, clock_ns(CLOCK_MONOTONIC) + w->duration_ns, w->seed);
	return err;
}

static const struct param params[] = {
	{ "breadth", "B", "children of each (3)", PARAM_NUMBER, &breadth, 1, BREADTH_MAX },
	{ "depth", "D", "generations below the first (2)", PARAM_NUMBER, &depth, 1, DEPTH_MAX },
	{ "life", "MS", "the youngest live at most so long (20)", PARAM_NUMBER, &life_ms, 1,
		10000 },
	{ 0 },
};

const struct scenario scenario_respawn = {
	.name = "respawn",
	.help = "a tree whose processes are replaced as soon as they end",
	.params = params,
	.run = run,
};
