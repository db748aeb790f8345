/* SPDX-License-Identifier: BSD-2-Clause */
/* deleted-binary: the program file of the process was removed or replaced. The process is fine
 * until it starts itself again, or loads files of another version. If a newer version of the agent
 * explains the removal, `outdated` reports the same thing, so the severity is info. */
#include "analyze/diagnosis/check_verdict.h"

static bool is_outdated(const struct check *e)
{
	struct verdict verdict;

	verdict_decide(&e->input->host.process_table, e->process, VERDICT_OUTDATED, &verdict);
	return verdict.holds;
}

/* Returns whether the parent runs the same file: a launcher and its child do, and a pool of
 * workers. */
static bool is_with_parent(const struct check *e)
{
	const struct process_entry *p = e->process, *parent = p->parent;

	return check_is_reported_of(e, parent, VERDICT_DELETED) &&
	       !span_compare(record_text(&p->process->record, &p->process->executable),
		       record_text(&parent->process->record, &parent->process->executable));
}

static void diagnose(const struct check *e, struct check_result *out)
{
	const struct process_entry *p = e->process;
	struct verdict verdict;
	struct span path;

	if (!check_holds(e, out, VERDICT_DELETED, "", &verdict))
		return;
	if (is_with_parent(e)) {
		check_fine(out, "reported for %u", p->parent->id.pid);
		return;
	}
	path = record_text(&p->process->record, &p->process->executable);
	finding_begin(out, FINDING_CONFIDENCE_HIGH, "");
	if (is_outdated(e))
		finding_severity(out, FINDING_INFO);
	finding_path(out, path);
	finding_claim(out,
		"the program file was removed or replaced after the process started: %.*s",
		SPAN_ARGS(path));
	finding_text(out, "known by", "/proc/PID/exe: the kernel marks the path as deleted");
	finding_time(out, "age", check_age_ns(e));
	finding_unseen(out, "whether another file is at that path now");
	finding_remedy(out,
		"restart the process: files that it loads from now on may be of another version");
}

const struct finding_detector finding_deleted_binary = { .diagnose = diagnose };
