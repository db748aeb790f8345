/* SPDX-License-Identifier: BSD-2-Clause */
/* children-blocked: several processes that the process started wait for the same file system, or in
 * the same function of the kernel in state D. Each by itself has the finding blocked-io; together
 * they have one cause, and the process that started them need not wait for them. */
#include "analyze/evidence/children.h"
#include "analyze/diagnosis/check_verdict.h"
#include "analyze/waits/wait_party_text.h"
#include "base/cleanup.h"

#define PIDS_MAX 8

static const struct finding_option options[] = {
	THRESHOLD("min-count", BLOCKED_CHILDREN_LEAST, 2, BLOCKED_CHILDREN_MAX,
		"minimum number of processes in the same wait"),
	TIME_THRESHOLD("min-time", 1.5e9, 1e6, 86400e9, "minimum time of each of these waits"),
};

static void put_object(struct check_result *out, const struct blocked_children *b)
{
	struct buffer *object = finding_value(out, "object");
	struct span what = b->point.size ? b->point : b->path;

	if (what.size) {
		buffer_append(object, what.data, what.size);
		finding_path(out, what);
	} else {
		buffer_string(object,
			b->are_of_file_system ? "the server of a file system" : "a file or device");
	}
	if (b->server && b->server->party_pid) {
		buffer_string(object, ", because its server ");
		wait_put_name(object, &b->server->record, &b->server->name, b->server->party_pid);
		buffer_string(object, " does not answer");
	} else if (b->point.size) {
		buffer_string(object, ", which does not answer");
	}
}

#define CLAIM "{count} processes ({name}) that {starter} started wait for {object}: up to {time}"

static const struct claim_row of_server = { CLAIM, NULL, BLOCKED_CHILDREN_REMEDY };
static const struct claim_row of_file_system = { CLAIM, NULL,
	"repair or restart the server of the file system, or drop the mount (umount -f -l)" };
static const struct claim_row of_device = { CLAIM, NULL,
	"repair the disk, mount or device: dmesg shows disk and network errors" };

static void report_children(
	const struct check *e, struct check_result *out, const struct blocked_children *b)
{
	const struct process_entry *starter = blocked_children_starter(b, e->process);
	bool has_server = b->server && b->server->party_pid;
	_cleanup_(buffer_fini) struct buffer pids = { 0 };

	if (starter != e->process && diagnosis_input_is_selected(e->input, starter)) {
		check_fine(out, "reported for %u, which started them", starter->id.pid);
		return;
	}
	finding_begin(out,
		has_server && b->server->confidence < WAITS_HIGH ? FINDING_CONFIDENCE_MEDIUM
								 : FINDING_CONFIDENCE_HIGH,
		"");
	finding_value_text(out, "count", "%zu%s", b->count, b->is_cut ? " or more" : "");
	finding_value_span(out, "name", check_name(b->all[0]));
	if (starter == e->process)
		finding_value_text(out, "starter", "it");
	else
		wait_put_name(finding_value(out, "starter"), &starter->process->record,
			&starter->process->name, starter->id.pid);
	put_object(out, b);
	finding_value_time(out, "time", b->most_ns);
	finding_value_text(out, "server", "%u", has_server ? b->server->party_pid : 0);
	for (size_t i = 0; i < b->count && i < PIDS_MAX; i++)
		buffer_format(&pids, "%s%u", i ? ", " : "", b->all[i]->id.pid);
	if (b->count > PIDS_MAX)
		buffer_format(&pids, " and %zu more", b->count - PIDS_MAX);
	finding_text(out, "processes", "%s", buffer_cstr(&pids));
	finding_time(out, "longest wait", b->most_ns);
	finding_time(out, "shortest wait", b->least_ns);
	if (b->channel.size)
		finding_text(out, "kernel function", "%.*s", SPAN_ARGS(b->channel));
	if (b->point.size && b->path.size)
		finding_text(out, "file", "%.*s", SPAN_ARGS(b->path));
	if (!b->server || !b->server->party_pid)
		finding_unseen(out, "which process or host serves the file system");
	finding_claim_row(out, has_server	       ? &of_server
			       : b->are_of_file_system ? &of_file_system
						       : &of_device);
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
		report_children(e, out, &b);
	else
		check_fine(out, "processes below it in one wait for a file system: %zu", b.count);
}

const struct finding_detector finding_children_blocked = { diagnose, FINDING_OPTIONS(options) };
