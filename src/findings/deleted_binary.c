/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * deleted-binary: the program file of the process was removed or replaced. That goes well
 * until it starts itself again, or loads files of another version. Where a newer version of
 * the agent explains it, `outdated` reports the same thing, so the severity is info.
 */
#include "analyze/diagnosis/check_verdict.h"
#include "core/finding.h"

static bool is_outdated(const struct check *e)
{
	struct verdict verdict;

	verdict_decide(&e->input->host.process_table, e->process, VERDICT_OUTDATED, &verdict);
	return verdict.holds;
}

/* A launcher and its child, or a pool of workers, run the same file. */
static bool is_with_parent(const struct check *e)
{
	const struct process_entry *p = e->process, *parent = p->parent;

	return check_is_reported_of(e, parent, VERDICT_DELETED) &&
	       !span_compare(record_text(&p->process->record, &p->process->executable),
		       record_text(&parent->process->record, &parent->process->executable));
}

static void diagnose(struct check *e)
{
	const struct process_entry *p = e->process;
	struct verdict verdict;
	struct span path;

	if (!check_holds(e, VERDICT_DELETED, "", &verdict))
		return;
	if (is_with_parent(e)) {
		check_fine(e, "reported for %llu", (unsigned long long)p->parent->id.pid);
		return;
	}
	path = record_text(&p->process->record, &p->process->executable);
	finding_begin(e, FINDING_CONFIDENCE_HIGH, "");
	if (is_outdated(e))
		finding_severity(e, FINDING_INFO);
	finding_path(e, path);
	finding_claim(e, "the program file was removed or replaced after the process started: %.*s",
		(int)path.size, path.data);
	finding_text(e, "known by", "/proc/PID/exe: the kernel marks the path as deleted");
	finding_number(e, "age", (double)check_age_ns(e), SOOTH_UNIT_NS, 0);
	finding_unseen(e, "whether another file is at that path now");
	finding_remedy(e,
		"restart the process: files that it loads from now on may be of another version");
	finding_end(e);
}

const struct finding_type finding_deleted_binary = {
	.id = "deleted-binary",
	.claim = "the program file of the process was removed or replaced",
	.probes = "proc",
	.diagnose = diagnose,
};
