/* SPDX-License-Identifier: BSD-2-Clause */
/* See agent_list.h. */
#include "cli/agent_list.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/own_report.h"
#include "core/registry.h"
#include "model/schema.h"

struct agent_row {
	struct sooth_record record;
	uint32_t rules;
	uint8_t is_tried;
	uint8_t unused[3];
	struct sooth_text name;
	struct sooth_text title;
	struct sooth_text tried;
};

static const struct sooth_field agent_fields[] = {
	FIELD_STRING(agent_row, name, "as it stands in the column AGENT", .label = "AGENT"),
	FIELD_STRING(agent_row, title, "what it is called"),
	FIELD_STRING(agent_row, tried,
		"versions of the real thing on which the rules were tried, or \"not tried\""),
	FIELD_TRUTH(agent_row, is_tried, "whether they were tried at all", .is_hidden = true),
	FIELD_NUMBER(agent_row, rules, "how many rules it has"),
};

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

static int tell_agents(struct output *o, struct sooth_error *err)
{
	static const struct section section = {
		.name = "agents", .schema = &agent_schema, .shape = SECTION_TABLE
	};
	int status = output_section(o, &section, err);

	for (size_t i = 0; registry_agents[i] && !status; i++) {
		const struct agent *a = registry_agents[i];
		struct agent_row row = { .rules = (uint32_t)agent_rule_count(a),
			.is_tried = a->tried != NULL };
		struct record_tail tail[] = { text(&row.name, a->name), text(&row.title, a->title),
			text(&row.tried, a->tried ? a->tried : "not tried") };

		status = OUTPUT_ROW(o, &row, tail, ARRAY_SIZE(tail), err);
	}
	return status;
}

int agent_list_tell(const struct output_options *options, const struct arguments *arguments,
	struct sooth_error *err)
{
	if (arguments->count || arguments->command)
		return error_set(err, -EINVAL, SOOTH_FAULT_USAGE,
			"list agents of \"%s\": --list-agents tells what is known, not what runs",
			arguments->count ? arguments->items[0] : "--");
	return own_report_tell("agents", options, tell_agents, err);
}
