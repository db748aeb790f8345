/* SPDX-License-Identifier: BSD-2-Clause */
/* children-blocked: several processes that the process started wait for the same file system, which
 * does not answer, or in the same function of the kernel in state D. Each process by itself has the
 * finding blocked-io; together they have one cause, and the process that started them need not wait
 * for them.
 *
 * Readers of a slow file system wait often, but each wait is short. */
#include "analyze/evidence/blocked_children.h"
#include "analyze/diagnosis/check_verdict.h"
#include "base/sentence_units.h"
#include "explain/finding.h"

#define PIDS_MAX 8

static const struct finding_option options[] = {
	THRESHOLD("min-count", BLOCKED_CHILDREN_LEAST, 2, BLOCKED_CHILDREN_MAX,
		"minimum number of processes in the same wait"),
	THRESHOLD("min-time", 1.5e9, 1e6, 86400e9, "minimum time of each of these waits",
		.unit = SOOTH_UNIT_NS),
};

static void claim_object(struct check_result *out, const struct blocked_children *b)
{
	const struct waits_party *server = b->server;
	struct span name = server ? record_text(&server->record, &server->name) : span_of("", 0);
	struct span what = b->point.size ? b->point : b->path;

	if (what.size) {
		finding_claim(out, "%.*s", (int)what.size, what.data);
		finding_path(out, what);
	} else {
		finding_claim(out, "%s",
			b->are_of_file_system ? "the server of a file system" : "a file or device");
	}
	if (server && server->party_pid)
		finding_claim(out, ", because its server %.*s (%u) does not answer", (int)name.size,
			name.data, server->party_pid);
	else if (b->point.size)
		finding_claim(out, ", which does not answer");
}

static void emit_evidence(struct check_result *out, const struct blocked_children *b)
{
	struct buffer pids = { 0 };

	for (size_t i = 0; i < b->count && i < PIDS_MAX; i++)
		buffer_format(&pids, "%s%u", i ? ", " : "", b->all[i]->id.pid);
	if (b->count > PIDS_MAX)
		buffer_format(&pids, " and %zu more", b->count - PIDS_MAX);
	finding_text(out, "processes", "%s", buffer_cstr(&pids));
	finding_number(out, "longest wait", (double)b->most_ns, SOOTH_UNIT_NS, 0);
	finding_number(out, "shortest wait", (double)b->least_ns, SOOTH_UNIT_NS, 0);
	if (b->channel.size)
		finding_text(out, "kernel function", "%.*s", (int)b->channel.size, b->channel.data);
	if (b->point.size && b->path.size)
		finding_text(out, "file", "%.*s", (int)b->path.size, b->path.data);
	if (!b->server || !b->server->party_pid)
		finding_unseen(out, "which process or host serves the file system");
	buffer_fini(&pids);
}

static void emit_remedy(struct check_result *out, const struct blocked_children *b)
{
	if (b->server && b->server->party_pid)
		blocked_children_remedy(out, b->server->party_pid);
	else if (b->are_of_file_system)
		finding_remedy(out,
			"repair or restart the server of the file system, or drop the mount "
			"(umount -f -l)");
	else
		finding_remedy(out,
			"repair the disk, mount or device: dmesg shows disk and network "
			"errors");
}

static void report(
	const struct check *e, struct check_result *out, const struct blocked_children *b)
{
	const struct process_entry *starter = blocked_children_starter(b, e->process);
	struct span name = check_name(b->all[0]), by = check_name(starter);
	char time[UNITS_SIZE];

	if (starter != e->process && diagnosis_input_is_selected(e->input, starter)) {
		check_fine(out, "reported for %u, which started them", starter->id.pid);
		return;
	}
	finding_begin(out,
		b->server && b->server->party_pid && b->server->confidence < WAITS_HIGH
			? FINDING_CONFIDENCE_MEDIUM
			: FINDING_CONFIDENCE_HIGH,
		"");
	finding_claim(out, "%zu%s processes (%.*s) that ", b->count, b->is_cut ? " or more" : "",
		(int)name.size, name.data);
	if (starter == e->process)
		finding_claim(out, "it started wait for ");
	else
		finding_claim(
			out, "%.*s (%u) started wait for ", (int)by.size, by.data, starter->id.pid);
	claim_object(out, b);
	finding_claim(out, ": up to %s", sentence_duration(time, b->most_ns));
	emit_evidence(out, b);
	emit_remedy(out, b);
	finding_end(out);
}

static void diagnose(const struct check *e, struct check_result *out)
{
	struct blocked_children b;

	if (!e->process || !e->process->is_there) {
		check_blind(out, SOOTH_NOT_MEASURED(SOOTH_REASON_ENDED));
		return;
	}
	blocked_children_of(&b, e, (uint64_t)check_option(e, "min-time"));
	if (b.count && (double)b.count >= check_option(e, "min-count"))
		report(e, out, &b);
	else
		check_fine(out, "processes below it in one wait for a file system: %zu", b.count);
}

const struct finding_type finding_children_blocked = {
	.id = "children-blocked",
	.claim = "processes that it started wait for one file system that does not answer",
	.probes = "proc,waits",
	FINDING_OPTIONS(options),
	.diagnose = diagnose,
};
