/* SPDX-License-Identifier: BSD-2-Clause */
/* zombie-children: a process does not reap its exited children, and they pile up. The finding
 * goes to the parent; that of the host covers parents that are not diagnosed themselves. */
#include <stdio.h>

#include "analyze/diagnosis/check_verdict.h"
#include "analyze/diagnosis/check_waits.h"
#include "probes/signal_names.h"

NUMBER(ONE_LOOK_NS, NS_PER_S / 10, NS, "reading /proc takes a moment, so times differ");

static const struct finding_option options[] = {
	THRESHOLD("min-count", 5, 1, 1e6, "minimum number of exited children that are not reaped"),
	TIME_THRESHOLD("min-time", 2e9, 0, 86400e9, "minimum time an exited child stays a zombie"),
	THRESHOLD("many", 500, 1, 1e6, "severity is high from this number of zombies"),
};

struct gathering {
	const struct process_entry *parent; /* NULL: unknown, or several */
	unsigned all;
	unsigned staying; /* zombies for long enough */
	unsigned came;	  /* zombies that exited during the observation */
	uint64_t since_ns;
};

static void add_zombie(const struct check *e, struct gathering *g, const struct process_entry *p)
{
	uint64_t held_ns = p->last_ns > p->zombie_ns ? p->last_ns - p->zombie_ns : 0;

	if (!p->zombie_ns || p->process->threads > 1) /* only its first thread exited */
		return;
	g->all++;
	g->came += p->zombie_ns > p->first_ns || p->zombie_ns > g->parent->first_ns + ONE_LOOK_NS;
	if (held_ns < check_option(e, "min-time"))
		return;
	g->staying++;
	if (!g->since_ns || p->zombie_ns < g->since_ns)
		g->since_ns = p->zombie_ns;
}

static uint64_t watched_ns(const struct check *e)
{
	const struct process_table *c = &e->input->host.process_table;

	return c->last_ns > e->input->begin_ns ? c->last_ns - e->input->begin_ns : 0;
}

/* Returns whether the process is the first of its PID namespace: each process there that loses its
 * parent becomes its child. */
static bool is_init(const struct process_entry *p)
{
	return p->id.pid == 1 ||
	       (p->links && !p->links->namespace_state && p->links->inner_pid == 1);
}

/* Returns whether it waits for the signal that a child has ended, and has blocked it. */
static bool blocks_sigchld(const struct check *e, const struct process_entry *parent)
{
	const struct waits_signals *now =
		e->id.pid == parent->id.pid ? check_signals(e, check_last(e, &e->input->waits))
					    : NULL;
	const uint64_t bit = 1u << (SIGNAL_CHILD - 1);

	return now && now->pending & bit && now->caught & bit;
}

static void report_zombies(const struct check *e, struct check_result *out,
	const struct gathering *g, const char *what)
{
	const struct process_entry *parent = g->parent;

	finding_begin(out, FINDING_CONFIDENCE_HIGH, what);
	if (g->all >= check_option(e, "many"))
		finding_severity(out, FINDING_HIGH);
	finding_claim(out, "%.*s (%u)%s does not reap its exited children: %u zombie%s%s",
		SPAN_ARGS(check_name(parent)), parent->id.pid,
		is_init(parent) ? ", PID 1 of its namespace, which inherits orphans," : "",
		g->staying, g->staying == 1 ? "" : "s",
		blocks_sigchld(e, parent)
			? "; it blocks SIGCHLD, which is pending, so its handler never runs"
			: "");
	finding_count(
		out, "zombies that stayed during the whole observation", g->staying, watched_ns(e));
	finding_count(out, "zombies", g->all, 0);
	finding_count(out, "zombies that appeared during the observation", g->came, watched_ns(e));
	finding_time(out, "the oldest zombie has existed for at least",
		e->input->host.process_table.last_ns - g->since_ns);
	if (blocks_sigchld(e, parent))
		finding_remedy(out, "the program that starts it has blocked SIGCHLD, and the mask "
				    "is inherited: unblock it there, or at its own start; a "
				    "restart without that changes nothing");
	else if (is_init(parent))
		finding_remedy(out,
			"start the container with an init that reaps: docker run --init (PID "
			"1 ends only by SIGKILL, or by a signal that it handles)");
	else
		finding_remedy(out,
			"restart process %u: only the parent can reap its children (a zombie takes "
			"a PID, but no memory)",
			parent->id.pid);
}

static void diagnose_process(const struct check *e, struct check_result *out)
{
	struct gathering g = { .parent = e->process };

	for (const struct process_entry *p = e->process->first_child; p; p = p->next_sibling)
		add_zombie(e, &g, p);
	if (g.staying && check_is_over(e, "min-count", g.staying, ""))
		report_zombies(e, out, &g, "");
	else if (g.all && (double)check_watched_ns(e) < check_option(e, "min-time"))
		check_blind_because(out,
			"the observation is too short to see whether the zombies stay",
			CHECK_LONGER);
	else if (g.all)
		check_fine(out, "%u zombie%s", g.all, g.all == 1 ? "" : "s");
	else
		check_fine(out, "no zombies");
}

/* --- the host --- */

/* Counts the zombies of a parent that is not diagnosed itself, when the walk meets its first
 * zombie. */
static bool count_below(
	const struct check *e, const struct process_entry *first, struct gathering *g)
{
	*g = (struct gathering){ .parent = first->parent };
	for (const struct process_entry *p = first->parent->first_child; p; p = p->next_sibling) {
		if (!g->all && p->zombie_ns && p != first)
			return false;
		add_zombie(e, g, p);
	}
	return g->all > 0;
}

/* Reports zombies of the host. A zombie has only its name left, so its owner is unknown. */
static void diagnose_host(const struct check *e, struct check_result *out)
{
	unsigned all = 0;

	process_table_for_each (&e->input->host.process_table, p) {
		struct gathering g;
		char what[32];

		if (!p->zombie_ns || !p->parent ||
			diagnosis_input_is_selected(e->input, p->parent) || !count_below(e, p, &g))
			continue;
		all += g.all;
		snprintf(what, sizeof(what), "below %u", g.parent->id.pid);
		if (g.staying && check_is_over(e, "many", g.staying, what))
			report_zombies(e, out, &g, what);
	}
	if (!out->found)
		check_fine(out, "%u zombie%s of other processes", all, all == 1 ? "" : "s");
}

static void diagnose(const struct check *e, struct check_result *out)
{
	if (e->id.pid)
		diagnose_process(e, out);
	else
		diagnose_host(e, out);
}

const struct finding_detector finding_zombie_children = { diagnose, FINDING_OPTIONS(options) };
