/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/diagnosis/endings.h"

#include <assert.h>
#include <stdlib.h>

#include "base/units.h"
#include "probes/signal_names.h"

#define PROCESSES_MAX 65536
#define LOGS_BYTES    ((size_t)1 << 20)
#define KILL_SIGNAL   9

void endings_init(struct endings *e)
{
	assert(e);
	*e = (struct endings){ .launched_status = -1 };
	map_init(&e->processes, sizeof(struct process_id), sizeof(struct ending), PROCESSES_MAX);
	map_init(&e->children, sizeof(struct process_id), sizeof(struct exit_reasons_child),
		PROCESSES_MAX);
}

void endings_fini(struct endings *e)
{
	assert(e);
	map_for_each_value (&e->processes, struct ending *, value)
		free(value->core);
	map_fini(&e->processes);
	map_fini(&e->children);
	buffer_fini(&e->logs);
	buffer_fini(&e->stored);
	free(e->host);
	e->host = NULL;
}

void endings_forget_before(struct endings *e, uint64_t time_ns)
{
	struct endings kept;

	assert(e);
	endings_init(&kept);
	kept.launched_pid = e->launched_pid;
	kept.launched_status = e->launched_status;
	map_for_each (&e->processes, const void *, id, struct ending *, of) {
		struct ending *to = of->has_end && of->end.record.time_ns >= time_ns
					    ? map_put(&kept.processes, id, NULL)
					    : NULL;

		if (!to)
			continue;
		*to = *of;
		of->core = NULL; /* moved */
	}
	endings_fini(e);
	*e = kept;
}

/* --- taking --- */

static void replace_record(void *at, const struct sooth_record *r)
{
	void **place = at, *copy = malloc(record_bytes(r));

	if (!copy)
		return;
	memcpy(copy, r, record_bytes(r));
	free(*place);
	*place = copy;
}

static struct ending *ending_put(struct endings *e, const struct sooth_record *r)
{
	struct process_id id = process_id_of(r);
	struct ending *of = map_put(&e->processes, &id, NULL);

	if (of)
		of->id = id;
	return of;
}

/* Keeps the record of an exit: a watched exit has more values than an exit found later. */
static void take_end(struct ending *of, const struct exit_reasons_end *end)
{
	if (of->has_end && !of->end.signals_state)
		return;
	of->end = *end;
	of->has_end = true;
}

static void take_of_process(struct endings *e, const struct sooth_record *r)
{
	struct ending *of = ending_put(e, r);
	const void *known;

	if (!of)
		return;
	if ((known = record_as(r, EXIT_REASONS_END, sizeof(struct exit_reasons_end)))) {
		take_end(of, known);
	} else if ((known = record_as(r, EXIT_REASONS_OOM, sizeof(struct exit_reasons_oom)))) {
		of->oom = *(const struct exit_reasons_oom *)known;
		of->has_oom = true;
	} else if ((known = record_as(
			    r, EXIT_REASONS_SIGNAL, sizeof(struct exit_reasons_signal)))) {
		if (of->signal_count < ENDING_SIGNALS)
			of->signals[of->signal_count++] =
				*(const struct exit_reasons_signal *)known;
	} else if (record_as(r, EXIT_REASONS_CORE, sizeof(struct exit_reasons_core))) {
		replace_record(&of->core, r);
	}
}

static void take_launched(struct endings *e, const struct stream_target *target)
{
	struct span pids = record_text(&target->record, &target->pids);

	if (target_is_command(&target->record) && pids.size == sizeof(uint32_t))
		memcpy(&e->launched_pid, pids.data, sizeof(uint32_t));
}

static void take_child(struct endings *e, const struct exit_reasons_child *child)
{
	struct process_id id = { .start_ticks = child->child_start_ticks, .pid = child->child_pid };
	struct exit_reasons_child *of = map_put(&e->children, &id, NULL);

	if (of)
		*of = *child;
}

static void append_record(struct buffer *to, const struct sooth_record *r)
{
	if (to->size + record_bytes(r) <= LOGS_BYTES)
		buffer_append(to, r, record_bytes(r));
}

void endings_add_record(struct endings *e, const struct sooth_record *r)
{
	const void *known;

	assert(e);
	assert(r);
	if ((known = record_as(r, STREAM_TARGET, sizeof(struct stream_target))))
		take_launched(e, known);
	else if ((known = record_as(r, STREAM_END, sizeof(struct stream_end))))
		e->launched_status = ((const struct stream_end *)known)->child_status;
	if (r->kind >> 8 != EXIT_REASONS_SIGNAL >> 8)
		return;
	if (record_as(r, EXIT_REASONS_LOG, sizeof(struct exit_reasons_log)))
		append_record(&e->logs, r);
	else if (record_as(r, EXIT_REASONS_HOST, sizeof(struct exit_reasons_host)))
		replace_record(&e->host, r);
	else if ((known = record_as(r, EXIT_REASONS_CHILD, sizeof(struct exit_reasons_child))))
		take_child(e, known);
	else if (r->pid)
		take_of_process(e, r);
	else if (record_as(r, EXIT_REASONS_CORE, sizeof(struct exit_reasons_core)))
		append_record(&e->stored, r);
}

void endings_next_interval(struct endings *e)
{
	assert(e);
	map_clear(&e->children);
	e->children.refused = 0;
}

/* --- reading --- */

const struct ending *endings_get(const struct endings *e, const struct process_id *id)
{
	assert(e);

	const struct ending *of = map_get(&e->processes, id);

	return of && of->has_end ? of : NULL;
}

const struct ending *endings_next(const struct endings *e, size_t *position)
{
	void *value;

	while (map_next(&e->processes, position, NULL, &value)) {
		if (((const struct ending *)value)->has_end)
			return value;
	}
	return NULL;
}

const struct exit_reasons_log *endings_log(const struct endings *e, uint32_t pid, uint64_t from_ns)
{
	assert(e);

	const struct exit_reasons_log *last = NULL;

	rows_for_each (struct exit_reasons_log, log, &e->logs) {
		if (log->log_pid == pid && log->logged_ns >= from_ns)
			last = log;
	}
	return last;
}

const struct exit_reasons_core *endings_stored(const struct endings *e, uint32_t pid)
{
	assert(e);

	const struct exit_reasons_core *last = NULL;

	rows_for_each (struct exit_reasons_core, core, &e->stored) {
		if (core->core_pid == pid)
			last = core;
	}
	return last;
}

struct span ending_name(const struct endings *e, const struct process_id *id)
{
	const struct ending *of = endings_get(e, id);
	const struct exit_reasons_log *log = endings_log(e, id->pid, 0);
	const char *name = of && *of->end.name ? of->end.name : log ? log->name : "?";

	return span_of(name, strnlen(name, EXIT_REASONS_NAME_SIZE));
}

uint8_t ending_status(const struct endings *e, const struct ending *of, uint32_t *status)
{
	assert(e);
	assert(of);

	bool is_launched = of->id.pid == e->launched_pid && e->launched_status != -1;

	if (of->end.status_state && !is_launched)
		return of->end.status_state;
	*status = of->end.status_state ? (uint32_t)e->launched_status : of->end.status;
	return SOOTH_STATE_VALUE;
}

const struct exit_reasons_signal *ending_signal(const struct ending *of, unsigned number)
{
	assert(of);
	for (unsigned i = 0; i < of->signal_count; i++) {
		if (of->signals[i].signal == number)
			return &of->signals[i];
	}
	return NULL;
}

const struct exit_reasons_signal *ending_request(const struct ending *of)
{
	assert(of);
	for (unsigned i = 0; i < of->signal_count; i++) {
		uint32_t number = of->signals[i].signal;

		if (number == 15 || number == 2 || number == 1 || number == 3)
			return &of->signals[i];
	}
	return NULL;
}

/* --- as text --- */

bool exit_reason_is_fault(unsigned signal)
{
	static const unsigned char faults[] = { SIGNAL_SEGV, SIGNAL_BUS, SIGNAL_ILLEGAL, SIGNAL_FPE,
		SIGNAL_TRAP, SIGNAL_BAD_CALL };

	return memchr(faults, (int)signal, sizeof(faults));
}

void exit_reason_text_status(struct buffer *out, uint32_t status)
{
	char name[SIGNAL_NAME_SIZE];

	if (!END_SIGNAL(status))
		buffer_format(out, "exit status %u", END_EXIT(status));
	else
		buffer_format(out, "%s%s", signal_name(name, END_SIGNAL(status)),
			END_HAS_CORE(status) ? ", with a core" : "");
}

void exit_reason_text_sender(
	struct buffer *out, const struct ending *of, const struct exit_reasons_signal *s)
{
	assert(of);
	assert(s);
	if (s->is_from_kernel) {
		buffer_string(out, "the kernel");
		return;
	}
	if (s->sender_state) {
		buffer_string(out, "a process outside of this container");
		return;
	}
	if (s->sender_pid == of->id.pid) {
		buffer_string(out, "itself");
		return;
	}
	buffer_format(out, "%s%.*s (pid %u)", s->is_from_parent ? "its parent " : "",
		END_NAME(s->sender_name), s->sender_pid);
	/* The parent of the kill command says more than kill itself. */
	if (!s->is_from_parent && s->sender_parent_pid > 1)
		buffer_format(out, ", started by %.*s (pid %u)", END_NAME(s->sender_parent_name),
			s->sender_parent_pid);
}

bool exit_reason_is_oom(const struct ending *of, uint32_t status)
{
	assert(of);
	return END_SIGNAL(status) == KILL_SIGNAL &&
	       (of->has_oom || (!of->end.oom_state && of->end.is_oom_victim));
}

uint8_t exit_reason_text_end(struct buffer *out, const struct endings *all, const struct ending *of)
{
	const struct exit_reasons_signal *sent;
	char name[SIGNAL_NAME_SIZE];
	uint32_t status;
	uint8_t state = ending_status(all, of, &status);
	unsigned signal = state ? 0 : END_SIGNAL(status);

	if (state)
		return state;
	if (exit_reason_is_oom(of, status)) {
		buffer_string(out, "killed by the kernel: out of memory");
		return state;
	}
	sent = signal ? ending_signal(of, signal) : ending_request(of);
	if (exit_reason_is_fault(signal) && (!sent || sent->is_from_kernel)) {
		buffer_format(out, "crashed: %s", signal_name(name, signal));
		return state;
	}
	if (signal)
		buffer_format(out, "%s by %s", signal == KILL_SIGNAL ? "killed" : "ended",
			signal_name(name, signal));
	else
		buffer_format(out, "exited with status %u", END_EXIT(status));
	if (!sent)
		return state;
	if (!signal)
		buffer_format(out, " after %s", signal_name(name, sent->signal));
	buffer_string(out, " from ");
	exit_reason_text_sender(out, of, sent);
	return state;
}

void exit_reason_text_core(struct buffer *out, const struct exit_reasons_core *core)
{
	assert(core);

	struct span path =
		core->path_state ? span_of("", 0) : record_text(&core->record, &core->path);
	struct span handler =
		core->handler_state ? span_of("", 0) : record_text(&core->record, &core->handler);

	if (path.size) {
		buffer_append(out, path.data, path.size);
		if (!core->size_state)
			buffer_format(out, ", %s", FORMAT_BYTES(core->size_bytes));
	} else if (handler.size) {
		buffer_string(out, "handed to ");
		buffer_append(out, handler.data, handler.size);
	}
}
