/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * deleted-binary: the file that a process runs was removed or replaced. That goes well until
 * it starts itself once more, or loads what belongs to another version. Where a newer version
 * of the agent is the reason, it is the same thing as `outdated` and worth a word only.
 */
#include "analyze/diagnosis/check_verdict.h"
#include "core/finding.h"

static bool is_outdated(const struct check *e)
{
	struct verdict verdict;

	verdict_decide(&e->input->host.process_table, e->process, VERDICT_OUTDATED, &verdict);
	return verdict.holds;
}

/* Of the same file: a launcher and what it launched, a pool of workers. */
static bool is_with_parent(const struct check *e)
{
	const struct process_entry *p = e->process, *parent = p->parent;

	return check_is_reported_of(e, parent, VERDICT_DELETED) &&
	       !span_compare(record_text(&p->process->record, &p->process->executable),
		       record_text(&parent->process->record, &parent->process->executable));
}

static void judge(struct check *e)
{
	const struct process_entry *p = e->process;
	struct verdict verdict;
	struct span path;

	if (!check_holds(e, VERDICT_DELETED, "", &verdict))
		return;
	if (is_with_parent(e)) {
		check_fine(e, "it is told of %llu", (unsigned long long)p->parent->id.pid);
		return;
	}
	path = record_text(&p->process->record, &p->process->executable);
	finding_begin(e, FINDING_CONFIDENCE_HIGH, "");
	if (is_outdated(e))
		finding_severity(e, FINDING_INFO);
	finding_path(e, path);
	finding_claim(e, "runs %.*s, which was removed or replaced since it started",
		(int)path.size, path.data);
	finding_text(e, "known by", "the file that it runs has no name any more");
	finding_number(e, "age", (double)check_age_ns(e), SOOTH_UNIT_NS, 0);
	finding_unseen(e, "whether another file has that path by now");
	finding_remedy(e, "start it anew: what it loads or starts from now on may not fit it");
	finding_end(e);
}

const struct finding_type finding_deleted_binary = {
	.id = "deleted-binary",
	.claim = "the program it runs was removed or replaced",
	.probes = "proc",
	.judge = judge,
};
