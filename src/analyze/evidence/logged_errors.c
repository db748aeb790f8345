/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/evidence/logged_errors.h"

#include <assert.h>

#include "base/units.h"
#include "explain/number.h"

#define ABOVE_MAX 64

NUMBER(START_NS, 1 * NS_PER_S, NS, "tolerance, because two clocks are compared");
NUMBER(DONE_FEW, 8, NONE, "successes beside fewer errors are occasional");
NUMBER(SHARE_PERCENT, 10, PERCENT, "of the messages: fewer errors are occasional");

static const struct logs_file *file_in(const struct batch *all, uint64_t inode, uint32_t fd)
{
	batch_for_each (r, all) {
		const struct logs_file *f = record_as(r, LOGS_FILE, sizeof(*f));

		if (f && f->inode == inode && f->fd == fd)
			return f;
	}
	return NULL;
}

static uint64_t new_elsewhere(const struct batch *all, const struct logs_file *but)
{
	uint64_t count = 0;

	batch_for_each (r, all) {
		const struct logs_file *f = record_as(r, LOGS_FILE, sizeof(*f));

		if (f && f != but && f->new_state != SOOTH_STATE_ABSENT)
			count += f->messages_new;
	}
	return count;
}

/* Returns whether a logger writes the file: its lines come from other programs. */
static bool writes_for_others(const struct diagnosis_input *input, const struct process_id *id)
{
	static const char *const names[] = { "rsyslogd", "syslog-ng", "syslogd", "systemd-journal",
		"tee", "multilog", "svlogd", "s6-log", "rotatelogs", "cronolog", "conmon",
		"containerd-shim", "dockerd", "fluentd", "fluent-bit", "vector", "filebeat" };
	const struct process_entry *p = process_table_get(&input->host.process_table, id);
	struct span name = p ? record_text(&p->process->record, &p->process->name) : span_of("", 0);

	return SPAN_ANY(name, span_equal, names);
}

/* Returns error number *i of these; lowers *i by the errors that were passed. */
static const struct logs_error *error_at(const struct batch *all, size_t *i)
{
	batch_for_each (r, all) {
		const struct logs_error *e = record_as(r, LOGS_ERROR, sizeof(*e));

		if (e && !(*i)--)
			return e;
	}
	return NULL;
}

bool logged_errors_at(const struct diagnosis_input *input, const struct process_id *id, size_t i,
	struct logged_error *out)
{
	assert(input);

	struct batch all = snapshot_records(
		writes_for_others(input, id) ? NULL : snapshots_get(&input->logs.last, id));
	struct batch messages = message_logs_get(&input->messages, id);
	const struct logs_error *e = error_at(&all, &i);

	assert(out);
	if (e) {
		*out = (struct logged_error){ .error = e, .file = file_in(&all, e->inode, e->fd) };
		out->elsewhere_new = new_elsewhere(&all, out->file);
		return out->file != NULL;
	}
	e = error_at(&messages, &i);
	if (!e)
		return false;
	*out = (struct logged_error){ .error = e, .file = file_in(&messages, e->inode, e->fd) };
	out->elsewhere_new = new_elsewhere(&all, NULL) + message_logs_outputs(&input->messages, id);
	return out->file != NULL;
}

bool logged_error_is_in_file(const struct logged_error *e)
{
	return record_text(&e->file->record, &e->file->path).size > 0;
}

const struct logs_file *logged_errors_file(const struct diagnosis_input *input,
	const struct process_id *id, uint64_t inode, uint32_t major, uint32_t minor)
{
	snapshot_each (struct logs_file, f, snapshots_get(&input->logs.last, id), LOGS_FILE) {
		if (f->inode == inode && f->device_major == major && f->device_minor == minor)
			return f;
	}
	return NULL;
}

bool logged_errors_are_of_run(const struct diagnosis_input *input, const struct process_entry *p,
	const struct logs_file *file)
{
	assert(input && p && file);

	double age_ns = host_state_elapsed(&input->host, p) * (double)NS_PER_S;

	/* On a busy host the logs are read a second and more after the processes. */
	if (file->record.time_ns > input->host.last_ns)
		age_ns += (double)(file->record.time_ns - input->host.last_ns);
	return (double)file->silent_ns < age_ns + (double)START_NS;
}

bool logged_errors_are_said_above(const struct diagnosis_input *input,
	const struct process_entry *p, const struct logs_file *file)
{
	assert(file);
	for (unsigned depth = 0; p && p->parent && depth < ABOVE_MAX; depth++) {
		p = p->parent;
		if (logged_errors_file(
			    input, &p->id, file->inode, file->device_major, file->device_minor))
			return true;
	}
	return false;
}

bool logged_error_is_all(const struct logged_error *e)
{
	assert(e);

	uint64_t times = e->error->times;

	return (uint64_t)e->error->done * DONE_FEW <= times && e->error->other_most <= times &&
	       times * 100 >= (uint64_t)e->error->messages * SHARE_PERCENT &&
	       e->elsewhere_new <= (uint64_t)e->error->times_new + 1;
}
