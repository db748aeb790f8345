/* SPDX-License-Identifier: BSD-2-Clause */
/* debugger-awaited: the process does nothing until a debugger connects or gives an order. The stack
 * of the waiting thread shows that: a process that only listens for a debugger runs on. frozen and
 * held-up report a process that a debugger stopped by ptrace(2). */
#include "analyze/diagnosis/check_waits.h"
#include "analyze/evidence/stack_waits.h"
#include "analyze/sockets/socket_sums.h"
#include "analyze/sockets/socket_text.h"
#include "base/cleanup.h"

static const struct finding_option options[] = {
	TIME_THRESHOLD("min-time", 5e9, 1e9, 86400e9, "minimum time it waits for the debugger"),
};

#define FIRST_LINE "waits for a debugger before its first line"

#define SUSPENDED                                                                                  \
	{                                                                                          \
		FIRST_LINE " (suspend=y), for {time}", NULL,                                       \
			"connect a debugger to {address}, or start it with suspend=n"              \
	}

/* A function that waits for the debugger; `file` of a script, or of a library ("libjdwp.so"). */
static const struct stop {
	const char *function, *file;
	struct claim_row texts;
} stops[] = {
	{ "WaitForConnectByOptions", "",
		{ FIRST_LINE " (--inspect-brk), for {time}", NULL,
			"connect a debugger to {address} (chrome://inspect), or start it without "
			"--inspect-brk" } },
	{ "runMessageLoop", "",
		{ "is paused at a breakpoint by its debugger, for {time}", NULL,
			"continue it in the debugger that is connected to {address}" } },
	{ "transport_waitForConnection", "libjdwp.so", SUSPENDED },
	{ "debugInit_waitInitComplete", "libjdwp.so", SUSPENDED },
	{ "wait_for_client", "",
		{ "waits for a debugger in debugpy.wait_for_client(), for {time}", NULL,
			"connect a debugger to {address}, or remove wait_for_client()" } },
	{ "interaction", "pdb.py",
		{ "is stopped at the prompt of its debugger (pdb), for {time}", NULL,
			"answer at its terminal: c continues, q ends it; or remove "
			"breakpoint()" } },
};

static bool is_stop(const struct check *e, const struct profile_function *f, const struct stop *s)
{
	return span_contains(stack_wait_function(e->input, f), s->function) &&
	       span_contains(stack_wait_file(e->input, f), s->file);
}

static const struct stop *stop_of(const struct check *e, uint32_t tid)
{
	struct profile_stacked stack;

	if (!stack_wait_frames(e->input, &e->id, tid, &stack))
		return NULL;
	for (size_t i = 0; i < stack.depth; i++) {
		for (size_t k = 0; k < ARRAY_SIZE(stops); k++) {
			if (is_stop(e, stack.frames[i], &stops[k]))
				return &stops[k];
		}
	}
	return NULL;
}

/* Returns whether the thread belongs to the debugger itself: such threads always wait for
 * orders. */
static bool is_of_debugger(const struct waits_thread *t)
{
	struct span name = record_text(&t->record, &t->name);

	return span_starts(name, "JDWP") || span_starts(name, "pydevd");
}

static const struct stop *find_debugger(
	const struct check *e, const struct wait_graph *g, const struct waits_thread **thread)
{
	wait_threads_each (g, e->id.pid, t) {
		const struct stop *s =
			t->state == 'S' && !is_of_debugger(t) ? stop_of(e, t->record.tid) : NULL;

		if (s) {
			*thread = t;
			return s;
		}
	}
	return NULL;
}

/* Appends the address at which the process listens for the debugger. If it listens at several
 * addresses, none is known to be the debugger's. */
static void put_address(struct buffer *out, const struct check *e)
{
	const struct sockets_socket *only = NULL;
	unsigned count = 0;

	sockets_each (check_last(e, &e->input->sockets), s) {
		if (socket_is_inet(s) && s->state == SOCKETS_LISTEN) {
			only = s;
			count++;
		}
	}
	if (count == 1)
		socket_put_local(out, only);
	else
		buffer_string(out, "its debugging port");
}

static void report_wait(const struct check *e, struct check_result *out, const struct stop *s,
	const struct waits_thread *t)
{
	finding_begin(out, FINDING_CONFIDENCE_HIGH, "");
	finding_thread(out, t->record.tid);
	finding_value_time(out, "time", t->since_ns);
	put_address(finding_value(out, "address"), e);
	finding_time(out, "waiting for", t->since_ns);
	finding_text(out, "waits in", "%s", s->function);
	finding_claim_row(out, &s->texts);
}

static void diagnose(const struct check *e, struct check_result *out)
{
	const struct waits_thread *t = NULL;
	const struct stop *s;
	struct wait_graph g;

	if (!check_graph_begin(e, out, &g))
		return;
	s = find_debugger(e, &g, &t);
	if (!s)
		check_fine(out, "no thread waits for a debugger");
	else if (check_is_stopped(e) || t->since_state)
		check_fine(out, "it is stopped, or has just begun to wait for a debugger");
	else if (check_is_long(e, out, "min-time", t->since_ns, "it waits for a debugger"))
		report_wait(e, out, s, t);
}

const struct finding_detector finding_debugger_awaited = { diagnose, FINDING_OPTIONS(options) };
