/* SPDX-License-Identifier: BSD-2-Clause */
/* See agent_list.h. */
#include "cli/agent_list.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "core/collector.h"
#include "core/output.h"
#include "core/registry.h"
#include "core/summary.h"
#include "model/schema.h"
#include "os/os.h"

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

/* What stands under every report stands here too; nothing was observed, so it is mostly empty. */
static int tell_notes(struct output *o, struct sooth_error *err)
{
	struct summary summary = { .has_self = true };
	struct buffer self = { 0 };
	int status;

	collector_self(&os_native, &self, 0, 0);
	if (!buffer_failed(&self))
		summary_take(&summary, (const void *)self.data);
	status = summary_tell(&summary, o, err);
	buffer_fini(&self);
	summary_fini(&summary);
	return status;
}

static int tell_all(struct output *o, struct sooth_error *err)
{
	static const struct report_head head = { "agents", 1 };
	int status = output_begin(o, &head, err);

	if (!status)
		status = tell_agents(o, err);
	if (!status)
		status = tell_notes(o, err);
	return status ? status : output_end(o, err);
}

int agent_list_tell(const struct output_options *options, const struct arguments *arguments,
	struct sooth_error *err)
{
	struct out_file file = { 0 };
	struct output *o = NULL;
	int status;

	if (arguments->count || arguments->command)
		return error_set(err, -EINVAL, SOOTH_FAULT_USAGE,
			"list agents of \"%s\": --list-agents tells what is known, not what runs",
			arguments->count ? arguments->items[0] : "--");
	status = output_new(&o, err);
	if (!status)
		status = out_file_open(&file, options->output ? options->output : "-", false, err);
	if (!status) {
		struct sooth_sink_options s = output_sink_options(options, file.stream);
		struct sink_options own = { s.stream, s.width, s.use_color };

		status = output_add_sink(
			o, registry_sink(output_sink_name(options, false)), &own, err);
	}
	if (!status)
		status = tell_all(o, err);
	output_free(o);
	if (!status)
		status = out_file_commit(&file, err);
	out_file_close(&file);
	return status;
}
