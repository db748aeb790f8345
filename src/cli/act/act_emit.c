/* SPDX-License-Identifier: BSD-2-Clause */
/* Emits the result of an act for each process. */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error_remedy.h"
#include "base/escape.h"
#include "cli/act/act.h"
#include "cli/output/own_report.h"
#include "model/row_list.h"
#include "model/schema.h"

#define ACT_ROW(F, S)                                                                              \
	F(S, PID)                                                                                  \
	F(S, RECORD, U64, start_ticks, start_ticks, ALWAYS,                                        \
		"start of the process, in clock ticks after boot; unique together with the pid",   \
		.is_hidden = true)                                                                 \
	F(S, TEXT, name, ALWAYS, "name of the main thread of the process")                         \
	F(S, TEXT, agent, MAYBE(agent_state), "id of the agent")                                   \
	F(S, TEXT, role, MAYBE(role_state),                                                        \
		"role of the process in its session: main, helper, tool call, ...")                \
	F(S, TEXT, session_id, MAYBE(session_state), "id of the agent's session",                  \
		.is_hidden = true)                                                                 \
	F(S, ENUM32, outcome, ALWAYS, "result for the process: ended, frozen, refused, ...",       \
		.names = &outcomes)                                                                \
	F(S, NAMED, TEXT, why, reason, MAYBE(why_state),                                           \
		"reason why the process was selected, or why nothing was done",                    \
		.may_shrink = true)

ROW_STRUCT(act_row, ACT_ROW);

static const char *const outcome_names[ACT_OUTCOMES] = {
	[ACT_SELECTED] = "not done",
	[ACT_WOULD] = "would be",
	[ACT_ENDED] = "ended",
	[ACT_GONE] = "was gone",
	[ACT_STILL] = "still there",
	[ACT_STOPPED] = "frozen",
	[ACT_GOING] = "running",
	[ACT_REFUSED] = "refused",
	[ACT_FAILED] = "failed",
};
static const struct sooth_names outcomes = { ACT_OUTCOMES, outcome_names };

static ROW_SCHEMA(act, ACT_ROW, "results", act_row);

const struct command_table act_tables[] = { { "results", &act_schema }, { 0 } };

static int emit_process(struct output *o, const struct act_process *p, struct sooth_error *err)
{
	struct act_row row = {
		.record = { .start_ticks = p->id.start_ticks, .pid = p->id.pid },
		.outcome = p->outcome,
		.agent_state = state_if(p->agent[0]),
		.role_state = state_if(p->has_role),
		.session_state = state_if(p->session[0]),
		.why_state = state_if(p->why[0]),
	};
	struct record_tail tail[] = { tail_string(&row.name, p->name),
		tail_string(&row.agent, p->agent),
		tail_string(&row.role, p->has_role ? agent_role_name(p->role) : ""),
		tail_string(&row.session_id, p->session), tail_string(&row.why, p->why) };

	return OUTPUT_ROW(o, &row, tail, ARRAY_SIZE(tail), err);
}

static void note_undecided(struct output *o, size_t count, const char *reason, const char *remedy)
{
	char what[80];

	if (!count)
		return;
	snprintf(what, sizeof(what), "%zu more process%s possibly of the selected kind", count,
		count == 1 ? " is" : "es are");
	output_limit(o, what, reason, remedy);
}

static int emit_results(struct output *o, void *user, struct sooth_error *err)
{
	struct act *a = user;
	const struct section section = { .name = "results",
		.schema = &act_schema,
		.shape = SECTION_TABLE,
		.if_empty =
			a->undecided_access || a->doubted
				? "sooth is not certain that any process is of the selected kind"
				: "no process of the selected kind was found" };
	int status = output_section(o, &section, err);
	char text[ERROR_REMEDY_SIZE];

	note_undecided(o, a->undecided_access, "permission denied",
		error_remedy_of(
			text, sizeof(text), "run sooth as root", a->process_table.is_of_root));
	note_undecided(o, a->doubted, "sooth saw too little of these processes to decide",
		"`sooth ps -t -v` shows the reason for each process");
	for (size_t i = 0; i < act_count(a) && !status; i++)
		status = emit_process(o, act_at(a, i), err);
	/* The section is on the stack of this function, so it ends first. */
	return status ? status : output_close_section(o, err);
}

int act_emit(const char *name, const struct output_options *options, struct act *a,
	struct sooth_error *err)
{
	int status = own_report_emit(name, options, emit_results, a, err);

	return status == -EPIPE ? 0 : status;
}

int act_exit(const struct act *a)
{
	bool is_refused = false, is_still = false, has_failed = false;

	for (size_t i = 0; i < act_count(a); i++) {
		is_refused |= act_at(a, i)->outcome == ACT_REFUSED;
		is_still |=
			act_at(a, i)->outcome == ACT_STILL || act_at(a, i)->outcome == ACT_SELECTED;
		has_failed |= act_at(a, i)->outcome == ACT_FAILED;
	}
	return has_failed ? 3 : is_refused ? 2 : is_still ? 1 : 0;
}
