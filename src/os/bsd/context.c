/* SPDX-License-Identifier: BSD-2-Clause */
/* Samples of the probes context and environment. */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/environ.h"
#include "secrets/forget.h"
#include "collect/secrets.h"
#include "os/bsd/sampling.h"
#include "probes/context.h"
#include "probes/environment.h"
#include "probes/maps.h"

#define UNSUPPORTED   SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED)
#define VARIABLES_MAX 65536

/* --- context --- */

struct visit {
	struct backend_run *run;
	const struct process_id *process;
};

static bool write_mapping(void *user, const struct bsd_mapping *from)
{
	struct visit *v = user;
	const struct maps_mapping *m = &from->mapping;
	struct context_mapping r = { .record = bsd_record(v->run, v->process, 0, CONTEXT_MAPPING),
		.from = m->from,
		.to = m->to,
		.offset = m->offset,
		.inode = m->inode,
		.device_major = m->device_major,
		.device_minor = m->device_minor,
		.protection = m->protection, /* the same bits */
		.build_id_state = UNSUPPORTED };
	struct record_tail tail[] = { { &r.path, from->path.data, from->path.size } };

	if (from->path.size || m->protection & MAPS_EXECUTE)
		RECORD_APPEND(&v->run->out, &r, tail, ARRAY_SIZE(tail));
	return true;
}

static void write_command(struct backend_run *run, const struct bsd_process *process)
{
	const struct bsd_source *s = bsd_source_of(run->os);
	struct buffer raw = { 0 }, masked = { 0 }, path = { 0 };
	pid_t pid = (pid_t)process->id.pid;
	int status = s->arguments(s, pid, &raw);
	struct context_command r = { .record = bsd_record(run, &process->id, 0, CONTEXT_COMMAND),
		.arguments_state = bsd_state(status),
		.executable_state = bsd_state(s->executable(s, pid, &path)) };

	if (!status && secrets_mask_arguments(&masked, (const char *)raw.data, raw.size))
		r.arguments_state = SOOTH_STATE_TRUNCATED;
	struct record_tail tail[] = {
		{ &r.arguments, masked.data, masked.size },
		{ &r.executable, path.data, r.executable_state ? 0 : path.size },
	};
	RECORD_APPEND(&run->out, &r, tail, ARRAY_SIZE(tail));
	buffer_fini(&raw);
	buffer_fini(&masked);
	buffer_fini(&path);
}

static void write_threads(struct backend_run *run, const struct bsd_process *process)
{
	const struct bsd_source *s = bsd_source_of(run->os);
	struct buffer all = { 0 };
	int status = s->threads(s, (pid_t)process->id.pid, &all);

	buffer_each_while (const struct bsd_thread, t, &all, !status) {
		struct context_thread r = { .record = bsd_record(
						    run, &process->id, t->tid, CONTEXT_THREAD) };
		struct record_tail tail[] = { { &r.name, t->name, strlen(t->name) } };

		if (t->name[0])
			RECORD_APPEND(&run->out, &r, tail, ARRAY_SIZE(tail));
	}
	buffer_fini(&all);
}

static void visit_context(struct backend_run *run, const struct bsd_process *process)
{
	const struct bsd_source *s = bsd_source_of(run->os);
	struct visit v = { run, &process->id };

	write_command(run, process);
	write_threads(run, process);
	s->mappings(s, (pid_t)process->id.pid, write_mapping, &v);
}

BSD_SAMPLING_FUNCTIONS(context, visit_context)

/* --- environment: names and sizes, never values --- */

static void write_variables(struct backend_run *run, const struct process_id *process,
	const struct buffer *bytes, struct environment_process *end)
{
	struct environ_walk walk = environ_over(bytes->data, bytes->size, false);
	struct environ_variable variable;

	while (environ_next(&walk, &variable)) {
		struct environment_variable r = { .record = bsd_record(
							  run, process, 0, ENVIRONMENT_VARIABLE),
			.size_bytes = variable.size_bytes,
			.name_state =
				variable.is_redacted ? SOOTH_STATE_REDACTED : SOOTH_STATE_VALUE };
		struct record_tail tail[] = { { &r.name, variable.name.data, variable.name.size } };

		if (end->variables == VARIABLES_MAX) {
			end->variables_state = SOOTH_STATE_TRUNCATED;
			return;
		}
		end->variables++;
		RECORD_APPEND(&run->out, &r, tail, ARRAY_SIZE(tail));
	}
}

static void visit_environment(struct backend_run *run, const struct bsd_process *process)
{
	const struct bsd_source *s = bsd_source_of(run->os);
	struct environment_process end = { 0 };
	struct buffer bytes = { 0 };
	int status =
		s->environment ? s->environment(s, (pid_t)process->id.pid, &bytes) : -EOPNOTSUPP;

	end.variables_state = bsd_state(status);
	if (!status)
		write_variables(run, &process->id, &bytes, &end);
	end.record = bsd_record(run, &process->id, 0, ENVIRONMENT_PROCESS);
	RECORD_APPEND(&run->out, &end, NULL, 0);
	/* sooth's memory keeps no values any longer than needed. */
	forget_bytes(bytes.data, bytes.size);
	buffer_fini(&bytes);
}

BSD_SAMPLING_FUNCTIONS(environment, visit_environment)
