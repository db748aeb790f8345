/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Traced processes: processes of agents' sessions that another process traces by ptrace (a
 * debugger, strace, a sandbox of the agent).
 *
 * Not visible: tracers of other threads than the first; tracers without ptrace, such as perf and
 * BPF; tracers in an outer pid namespace.
 */
#include "analyze/processes/traced.h"

#include <string.h>

#include "analyze/process_table/process_table.h"
#include "analyze/process_table/process_match.h"
#include "analyze/records.h"
#include "base/cleanup.h"
#include "explain/stage.h"
#include "model/row_list.h"

struct traced_view {
	struct output *output;
	struct traced_options options;
	struct process_table process_table;
};

#define TRACED_ROW(F, S)                                                                           \
	F(S, PID)                                                                                  \
	F(S, TEXT, name, ALWAYS, "name of the main thread of the process")                         \
	F(S, TEXT, agent, ALWAYS, "id of the agent that owns the process")                         \
	F(S, TEXT, role, MAYBE(role_state),                                                        \
		"role of the process in its session: main, helper, tool call, ...")                \
	F(S, U32, tracer_pid, ALWAYS, "thread id of the tracer (ptrace)", .label = "BY")           \
	F(S, TEXT, tracer, MAYBE(tracer_state),                                                    \
		"name of the tracing process; null: the tracer is not a main thread")

ROW_TABLE(traced, TRACED_ROW, "traced", traced_row);

static int init(void *state, struct output *output, const void *options, struct sooth_error *err)
{
	struct traced_view *v = state;

	(void)err;
	v->output = output;
	if (options)
		v->options = *(const struct traced_options *)options;
	process_table_init(&v->process_table);
	return 0;
}

static int push(void *state, const struct batch *batch, struct sooth_error *err)
{
	struct traced_view *v = state;

	(void)err;
	batch_for_each (r, batch)
		process_table_add_record(&v->process_table, r);
	return 0;
}

static const struct agent *agent_of(const struct process_entry *p)
{
	return p->owner_agent ? p->owner_agent : p->agent;
}

static bool is_selected(const struct traced_view *v, const struct process_entry *p)
{
	return p->links && process_match_choice(p, &v->options.choice);
}

static int emit_row(struct traced_view *v, const struct process_entry *p, struct sooth_error *err)
{
	const struct process_entry *tracer =
		process_table_find(&v->process_table, p->links->tracer_pid);
	struct traced_row row = { .record = p->process->record,
		.tracer_pid = p->links->tracer_pid,
		.role_state = p->has_role ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT,
		.tracer_state = tracer ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT };
	struct record_tail tail[] = {
		tail_span(&row.name, process_table_field(&p->process->record, &p->process->name)),
		tail_string(&row.agent, agent_of(p)->name),
		tail_string(&row.role, p->has_role ? agent_role_name(p->role) : ""),
		tail_span(&row.tracer, tracer ? process_table_field(&tracer->process->record,
							&tracer->process->name)
					      : span_of("", 0)),
	};

	row.record.kind = 0;
	return OUTPUT_ROW(v->output, &row, tail, ARRAY_SIZE(tail), err);
}

static int emit_processes(struct traced_view *v, unsigned *unknown, struct sooth_error *err)
{
	const struct process_entry *p;
	size_t position = 0;
	int status = 0;

	while (!status && (p = process_table_next(&v->process_table, &position))) {
		if (!is_selected(v, p))
			continue;
		*unknown += (p->links->tracer_state & 15) != SOOTH_STATE_VALUE;
		if (!p->links->tracer_state && p->links->tracer_pid)
			status = emit_row(v, p, err);
	}
	return status;
}

static int finish(void *state, struct sooth_error *err)
{
	static const struct section section =
		SECTION_OF("traced", traced_schema, TABLE, .title = "traced processes of agents");
	struct traced_view *v = state;
	unsigned unknown = 0;
	int status = process_table_resolve(&v->process_table);

	if (status)
		return error_errno(err, status, "assign processes to agents");
	status = output_section(v->output, &section, err);
	if (!status)
		status = emit_processes(v, &unknown, err);
	if (unknown)
		output_limit(v->output, "whether a debugger traces some of the agents' processes",
			"the samples of these processes do not say which process traces them", "");
	return status;
}

static void fini(void *state)
{
	struct traced_view *v = state;

	process_table_fini(&v->process_table);
}

const struct stage_type stage_traced = {
	.name = "traced",
	.help = "processes of agents that are traced by ptrace, and their tracers",
	.shows = "proc",
	STAGE_FUNCTIONS(struct traced_view),
};
