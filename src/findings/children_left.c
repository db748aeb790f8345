/* SPDX-License-Identifier: BSD-2-Clause */
/* children-left: children of the process started several processes of one kind, and have ended
 * before these. They are found by their session or process group, which is that of the process
 * and not of their new parent. */
#include "analyze/diagnosis/check_verdict.h"
#include "analyze/evidence/children.h"
#include "analyze/diagnosis/starts.h"
#include "base/sentence_units.h"

#define PIDS_MAX 32

static const struct finding_option options[] = {
	THRESHOLD("min-count", 5, 2, 1e6, "minimum number of processes of one kind"),
	TIME_THRESHOLD("min-age", 2e9, 0, 86400e9, "minimum process age"),
};

/* A user who starts processes in the background of a terminal does so on purpose. */
static bool is_interactive(const struct process_entry *p)
{
	return p->process->terminal != PROC_NO_TERMINAL && starts_are_of_a_shell(p);
}

static const struct child_kind *find_most(const struct children *c)
{
	const struct child_kind *most = NULL;

	map_for_each_value (&c->kinds, const struct child_kind *, kind) {
		if (kind->link == CHILD_ADOPTED && kind->alive &&
			(!most || kind->alive > most->alive))
			most = kind;
	}
	return most;
}

/* Appends the PIDs to the remedy: as many as a command line should have. */
static void put_pids(
	const struct children *c, const struct child_kind *left, struct check_result *out)
{
	unsigned n = 0;

	process_table_for_each (&c->of->input->host.process_table, p) {
		if (n < PIDS_MAX && children_kind_of(c, p) == left && ++n)
			finding_remedy(out, " %u", p->id.pid);
	}
}

static void report_children(const struct check *e, struct check_result *out,
	const struct children *c, const struct child_kind *left)
{
	const struct process_entry *one = left->oldest;
	bool is_sure = e->process->process->session == e->id.pid || one->main == e->process;
	struct span name = check_name(one);
	const struct proc_process *p = e->process->process;
	bool is_leader = p->session == e->id.pid;

	finding_begin(out, confidence_high_if(is_sure), "");
	finding_claim(out, "%u processes (%.*s) %s: %s of memory", left->alive, SPAN_ARGS(name),
		is_sure ? "that its ended children started still run"
			: "of its process group have lost their parent and still run",
		SENTENCE_SIZE(left->rss_bytes));
	finding_text(out, "known by", "%s %u, and their parent is now %.*s (%u)",
		one->main == e->process ? "the agent"
		: is_leader		? "session"
					: "process group",
		is_leader || one->main == e->process ? e->id.pid : p->process_group,
		SPAN_ARGS(check_name(one->parent)), one->parent->id.pid);
	finding_command(out, "command", process_table_known_arguments(one));
	finding_time(out, "age of the oldest", child_age_ns(e, one));
	finding_time(out, "age of the newest", child_age_ns(e, left->newest));
	finding_bytes(out, "resident memory, total (shared pages count once per process)",
		left->rss_bytes);
	finding_unseen(out, "whether they were left running on purpose");
	if (!is_sure)
		finding_unseen(out, "which process of that group started them: it has ended");
	finding_remedy(out, "if they are not needed: sooth kill --any");
	put_pids(c, left, out);
}

static void diagnose(const struct check *e, struct check_result *out)
{
	struct children c;
	const struct child_kind *left;

	children_of(&c, e);
	left = find_most(&c);
	if (!left || is_interactive(e->process) || !check_is_over(e, "min-count", left->alive, ""))
		check_fine(out, "processes of one kind that outlived its children: %u",
			left ? left->alive : 0);
	else if ((double)child_age_ns(e, left->newest) < check_option(e, "min-age"))
		check_too_young(out);
	else
		report_children(e, out, &c, left);
	children_fini(&c);
}

const struct finding_detector finding_children_left = { diagnose, FINDING_OPTIONS(options) };
