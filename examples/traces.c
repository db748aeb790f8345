/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The system calls of a command as lines, by a handler; it ends with the command's exit status.
 *
 *   cc traces.c $(pkg-config --cflags --libs sooth) -o traces && ./traces ls /
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#include <sooth/sooth.h>

static int fail(const struct sooth_error *err)
{
	fprintf(stderr, "cannot %s: %s\n%s\n", err->tried, err->why, err->remedy);
	return EXIT_FAILURE;
}

static int print(void *user, const struct sooth_trace_event *e)
{
	(void)user;
	if (e->is_end)
		fprintf(stderr, "%d %s: %s\n", (int)e->pid, e->process, e->result_text);
	else
		fprintf(stderr, "%d %s(%s) = %s\n", (int)e->tid, e->call, e->arguments,
			e->has_returned ? e->result_text : "?");
	return 0;
}

int main(int argc, char **argv)
{
	struct sooth_trace_stats stats = { .size = sizeof(stats) };
	struct sooth_trace *trace;
	struct sooth_error err;
	int status;

	if (argc < 2) {
		fprintf(stderr, "usage: traces COMMAND [ARG...]\n");
		return 2;
	}
	if (sooth_trace_track_command(argv + 1, NULL, &trace, &err))
		return fail(&err);
	if (sooth_trace_each(trace, print, NULL, &err))
		return fail(&err);
	sooth_trace_stats(trace, &stats);
	fprintf(stderr, "%" PRIu64 " events, %" PRIu64 " dropped\n", stats.events, stats.dropped);
	status = sooth_trace_child_status(trace);
	sooth_trace_close(trace);
	return status < 0 ? EXIT_FAILURE : WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
