/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * In the loop of a program that has one already (libuv's): the system calls of a process that fail,
 * as lines, with a timer of the program's own beside them. It ends with the process.
 *
 *   cc event_loop.c $(pkg-config --cflags --libs sooth libuv) -o event_loop && ./event_loop PID
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include <sooth/sooth.h>

#define TICK_MS 200

struct watched {
	struct sooth_trace *trace;
	uv_poll_t events;
	uv_timer_t timer;
	unsigned ticks;
	int status; /* of the program */
};

static int fail(const struct sooth_error *err)
{
	fprintf(stderr, "cannot %s: %s\n%s\n", err->tried, err->why, err->remedy);
	return EXIT_FAILURE;
}

static void end(struct watched *w)
{
	uv_close((uv_handle_t *)&w->events, NULL);
	uv_close((uv_handle_t *)&w->timer, NULL);
}

/* All that is there; nothing here waits. */
static void on_events(uv_poll_t *handle, int status, int events)
{
	struct watched *w = handle->data;
	const struct sooth_trace_event *e;
	struct sooth_error err;
	int got = status;

	(void)events;
	while (!status && (got = sooth_trace_next(w->trace, 0, &e, &err)) > 0) {
		if (e->error)
			printf("%d %s(%s): %s\n", (int)e->tid, e->call, e->arguments,
				strerror(e->error));
	}
	if (got < 0 && got != -EINTR)
		w->status = status ? EXIT_FAILURE : fail(&err);
	if (w->status || sooth_trace_is_over(w->trace))
		end(w);
}

static void on_tick(uv_timer_t *timer)
{
	struct watched *w = timer->data;

	w->ticks++;
}

int main(int argc, char **argv)
{
	const struct sooth_trace_options options = {
		.size = sizeof(options), .calls.failures_only = true, .is_plain = true
	};
	struct watched w = { 0 };
	struct sooth_error err;

	if (argc < 2) {
		fprintf(stderr, "usage: event_loop PID\n");
		return 2;
	}
	if (sooth_trace_track(atoi(argv[1]), &options, &w.trace, &err))
		return fail(&err);
	w.events.data = w.timer.data = &w;
	uv_poll_init(uv_default_loop(), &w.events, sooth_trace_fd(w.trace));
	uv_poll_start(&w.events, UV_READABLE, on_events);
	uv_timer_init(uv_default_loop(), &w.timer);
	uv_timer_start(&w.timer, on_tick, TICK_MS, TICK_MS);
	fprintf(stderr, "tracing\n");
	uv_run(uv_default_loop(), UV_RUN_DEFAULT);
	uv_loop_close(uv_default_loop());
	sooth_trace_close(w.trace);
	fprintf(stderr, "%u ticks\n", w.ticks);
	return w.status;
}
