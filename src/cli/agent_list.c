/* SPDX-License-Identifier: BSD-2-Clause */
/* The agents that sooth knows, as a report of its own. */
#include "cli/agent_list.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/command/command.h"
#include "cli/output/own_report.h"
#include "cli/agents/user_agents.h"
#include "agents/agent_set.h"
#include "model/row_list.h"
#include "model/schema.h"

#define AGENT_ROW(F, S)                                                                            \
	F(S, TEXT, name, ALWAYS, "id of the agent, as in the column AGENT", .label = "AGENT")      \
	F(S, TEXT, title, ALWAYS, "display name of the agent")                                     \
	F(S, TEXT, tried, ALWAYS,                                                                  \
		"versions of the agent that the rules were tested with, or \"not tried\"")         \
	F(S, BOOL, is_tried, ALWAYS, "the rules were tested with a real version of the agent",     \
		.is_hidden = true)                                                                 \
	F(S, U32, rules, ALWAYS, "number of rules that recognize the agent")                       \
	F(S, TEXT, source, ALWAYS, "\"built in\", or the user's file that describes the agent")

struct agent_row {
	struct sooth_record record;
	ROW_MEMBERS(AGENT_ROW, agent_row)
};

ROW_FIELDS(agent_fields, AGENT_ROW, agent_row);

static const struct sooth_schema agent_schema = {
	.name = "agents",
	.class_ = SOOTH_CLASS_ROW,
	.fixed_size = sizeof(struct agent_row),
	SCHEMA_FIELDS(agent_fields),
};

static struct record_tail text(struct sooth_text *to, const char *value)
{
	return (struct record_tail){ to, value, strlen(value) };
}

#define EXIT_BROKEN 2 /* as for every wrong setting of the user's */
#define BUILT_IN    "built in"
#define SOURCE_SIZE (AGENT_FILE_NAME_MAX + 64)
#define NOTE_SIZE   320

struct user_list {
	struct output *output;
	struct agent_set *agents;
	bool *has_broken;
};

/* As in every command; the notes of this report have it too. */
static int take_user_agent(void *user, const char *path, const struct buffer *text,
	const struct sooth_error *failure, struct sooth_error *err)
{
	struct user_list *list = user;
	struct sooth_error refusal;
	char what[NOTE_SIZE], why[NOTE_SIZE];

	(void)err;
	if (text) {
		if (!agent_set_add(
			    list->agents, path, (const char *)text->data, text->size, &refusal))
			return 0;
		failure = &refusal;
	}
	*list->has_broken = true;
	command_print_error(failure);
	user_agents_note(failure, what, why, sizeof(what));
	output_limit(list->output, what, why, failure->remedy);
	return 0;
}

static int emit_agent(struct output *o, const struct agent *a, const struct agent_text *own,
	struct sooth_error *err)
{
	struct agent_row row = { .rules = (uint32_t)agent_rule_count(a),
		.is_tried = a->tried != NULL };
	char source[SOURCE_SIZE] = BUILT_IN;

	if (own)
		snprintf(source, sizeof(source), "%s%s", own->file,
			own->replaces ? ", instead of the built-in one" : "");
	struct record_tail tail[] = { text(&row.name, a->name), text(&row.title, a->title),
		text(&row.tried, a->tried ? a->tried : "not tried"), text(&row.source, source) };
	return OUTPUT_ROW(o, &row, tail, ARRAY_SIZE(tail), err);
}

static int emit_agents(struct output *o, void *has_broken, struct sooth_error *err)
{
	static const struct section section = {
		.name = "agents", .schema = &agent_schema, .shape = SECTION_TABLE
	};
	struct user_list list = { o, agent_set_new(), has_broken };
	const struct agent *agent;
	size_t position = 0;
	int status =
		list.agents ? user_agents_visit(take_user_agent, &list, err) : error_no_memory(err);

	if (!status)
		status = output_section(o, &section, err);
	while (!status && (agent = agent_set_next(list.agents, &position)))
		status = emit_agent(o, agent, agent_set_text(list.agents, agent), err);
	agent_set_unref(list.agents);
	return status;
}

int agent_list_emit(const struct output_options *options, const struct arguments *arguments,
	struct sooth_error *err)
{
	bool has_broken = false;
	int status;

	if (arguments->count || arguments->command) {
		error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "use --list-agents with \"%s\"",
			arguments->count ? arguments->items[0] : "--");
		error_why(err,
			"--list-agents lists the agents that sooth knows, not running processes");
		return error_remedy(
			err, "`sooth ps --why` lists running agents and how sooth recognized them");
	}
	status = own_report_emit("agents", options, emit_agents, &has_broken, err);
	return status || !has_broken ? status : EXIT_BROKEN;
}
