/* SPDX-License-Identifier: BSD-2-Clause */
/* loop-stuck: an event loop of Python or node that nothing can wake any more: it watches only
 * descriptors by which its own threads wake it, and all of these threads wait too. A process that
 * waits for a signal on purpose has a handler for it; node has handlers of its own for some. */
#include "analyze/diagnosis/check_waits.h"
#include "analyze/waits/wait_lookup.h"
#include "base/cleanup.h"
#include "probes/signal_names.h"

#define BIT(signal) (1u << ((signal)-1))

static const struct finding_option options[] = {
	TIME_THRESHOLD("min-time", 8e9, 1e9, 86400e9, "minimum time that all its threads wait"),
};

static const struct runtime {
	const char *program;  /* the name of its executable begins with this text */
	uint32_t own_signals; /* signals that the runtime itself handles */
	const char *remedy;
} runtimes[] = {
	{ "python", BIT(SIGNAL_INTERRUPT),
		"find the await that never ends: PYTHONASYNCIODEBUG=1, or asyncio.all_tasks() and "
		"print_stack() of each; await the producer of a queue too (TaskGroup, gather), so "
		"that its error ends the consumer" },
	{ "node",
		BIT(SIGNAL_INTERRUPT) | BIT(SIGNAL_TERMINATE) | BIT(SIGNAL_USER1) |
			BIT(SIGNAL_SEGV) | BIT(SIGNAL_BUS),
		"find the promise that is never resolved: kill -USR1 opens the inspector "
		"(chrome://inspect); a worker or producer that failed has to reject what others "
		"await" },
};

static const struct runtime *runtime_of(const struct check *e)
{
	struct span program = e->process ? record_text(&e->process->process->record,
						   &e->process->process->executable)
					 : span_of("", 0);

	for (size_t i = 0; i < ARRAY_SIZE(runtimes); i++) {
		if (span_starts(path_base(program), runtimes[i].program))
			return &runtimes[i];
	}
	return NULL;
}

/* --- what could wake it --- */

static bool is_own_pair(
	const struct wait_graph *g, const struct waits_thread *t, const struct waits_object *o)
{
	unsigned own = 0;

	wait_parties_each (g, t->node_pid, t->record.tid, p) {
		if (p->waiting_fd != o->fd)
			continue;
		if (p->party_pid != t->node_pid)
			return false;
		own++;
	}
	return own > 0;
}

static bool is_woken_from_inside(
	const struct wait_graph *g, const struct waits_thread *t, const struct waits_object *o)
{
	switch (o->type) {
	case FDS_EVENTFD:
		return true;
	case FDS_PIPE:
	case FDS_UNIX:
		return is_own_pair(g, t, o);
	default:
		return false;
	}
}

enum wait_kind { CAN_WAKE, IS_LOOP, IS_WAITING };

static enum wait_kind wait_kind_of(const struct wait_graph *g, const struct waits_thread *t)
{
	unsigned count = 0;

	if (t->state != 'S' || t->call_state || t->since_state ||
		t->timeout_state != SOOTH_STATE_ABSENT || wait_graph_has_run(g, t) ||
		wait_youngest_party(g, t, WAITS_RELATION_CHILD, &count))
		return CAN_WAKE;
	count = 0;
	if (t->lock != WAITS_LOCK_NONE)
		return t->arguments[1] & WAITS_FUTEX_PRIVATE ? IS_WAITING : CAN_WAKE;
	wait_objects_each (g, t, o) {
		if (o->role != WAITS_ROLE_WATCHED || !is_woken_from_inside(g, t, o))
			return CAN_WAKE;
		count++;
	}
	return count ? IS_LOOP : CAN_WAKE;
}

static bool handles_signals(const struct check *e, const struct runtime *runtime)
{
	const struct waits_signals *s = check_signals(e, check_last(e, &e->input->waits));

	return !s || s->caught & ~runtime->own_signals;
}

struct stuck {
	unsigned threads, loops;
	uint64_t for_ns; /* the shortest wait */
};

static bool find_stuck(const struct check *e, const struct wait_graph *g, struct stuck *s)
{
	bool has_main = false;

	*s = (struct stuck){ .for_ns = UINT64_MAX };
	wait_threads_each (g, e->id.pid, t) {
		enum wait_kind so = wait_kind_of(g, t);

		if (so == CAN_WAKE)
			return false;
		s->threads++;
		s->loops += so == IS_LOOP;
		has_main |= so == IS_LOOP && t->record.tid == e->id.pid;
		if (t->since_ns < s->for_ns)
			s->for_ns = t->since_ns;
	}
	return has_main;
}

#define CLAIM                                                                                      \
	"nothing can wake its event loop any more: for {time} it has waited without a timer, a "   \
	"connection or a child, and {others}: what its code awaits never comes, as from a queue "  \
	"that nothing is put into any more"

static void report_loop(
	struct check_result *out, const struct stuck *s, const struct runtime *runtime)
{
	struct claim_row row = { CLAIM, "which await it is", runtime->remedy };

	finding_begin(out, FINDING_CONFIDENCE_MEDIUM, "");
	finding_value_time(out, "time", s->for_ns);
	finding_value_text(out, "others", "%s",
		s->threads == 1 ? "no other thread is there" : "all its other threads wait too");
	finding_time(out, "waiting for at least", s->for_ns);
	finding_count(out, "threads", s->threads, 0);
	finding_count(out, "event loops", s->loops, 0);
	finding_claim_row(out, &row);
}

static void diagnose(const struct check *e, struct check_result *out)
{
	const struct runtime *runtime = runtime_of(e);
	struct wait_graph g;
	struct stuck s;

	if (!check_graph_begin(e, out, &g))
		return;
	if (!runtime)
		check_fine(out, "it has no event loop of Python or node");
	else if (!find_stuck(e, &g, &s) || handles_signals(e, runtime))
		check_fine(out, "something can wake its event loop");
	else if (check_is_long(e, out, "min-time", s.for_ns, "nothing could wake its event loop"))
		report_loop(out, &s, runtime);
}

const struct finding_detector finding_loop_stuck = { diagnose, FINDING_OPTIONS(options) };
