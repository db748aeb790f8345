/* SPDX-License-Identifier: BSD-2-Clause */
/* The registry of findings, for `sooth diagnose --list-findings`. */
#include "cli/finding_list.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/units.h"
#include "cli/output/own_report.h"
#include "explain/registry.h"
#include "model/row_list.h"
#include "model/schema.h"

#define OPTION_ROW(F, S)                                                                           \
	F(S, TEXT, name, ALWAYS, "name of the threshold, as for --set")                            \
	F(S, NAMED, TEXT, value, current_value, ALWAYS, "current value of the threshold")          \
	F(S, TEXT, default_value, ALWAYS, "default value of the threshold")                        \
	F(S, TEXT, help, ALWAYS, "meaning of the threshold")

struct option_row {
	struct sooth_record record;
	ROW_MEMBERS(OPTION_ROW, option_row)
};

ROW_FIELDS(option_fields, OPTION_ROW, option_row);

static const struct sooth_schema option_schema = {
	.name = "finding.option",
	.class_ = SOOTH_CLASS_ROW,
	.fixed_size = sizeof(struct option_row),
	.line = "{name} = {current_value}: {help}",
	SCHEMA_FIELDS(option_fields),
};

#define ENTRY_ROW(F, S)                                                                            \
	F(S, TEXT, id, ALWAYS, "id of the finding; docs/findings has a page for each")             \
	F(S, ENUM8, severity, ALWAYS, "default severity of the finding; a single case may differ", \
		.names = &finding_severity_names)                                                  \
	F(S, TEXT, claim, ALWAYS, "sentence that the finding reports")                             \
	F(S, TEXT, probes, ALWAYS, "probes that the finding needs")                                \
	F(S, NAMED, BOOL, needs_interval, is_interval_needed, ALWAYS,                              \
		"the finding needs two samples or more")                                           \
	F(S, BOOL, is_of_host, ALWAYS,                                                             \
		"the finding is checked for the host, not for each process")                       \
	F(S, BOOL, is_muted, ALWAYS, "the finding is muted by the user")                           \
	F(S, NAMED, TEXT, muted, muted_text, ALWAYS,                                               \
		"\"muted\" if the user muted the finding, else empty", .is_hidden = true)          \
	F(S, ROWS, options, ALWAYS, "thresholds of the finding", .rows = &option_schema)

struct entry_row {
	struct sooth_record record;
	ROW_MEMBERS(ENTRY_ROW, entry_row)
};

ROW_FIELDS(entry_fields, ENTRY_ROW, entry_row);

static const struct sooth_schema entry_schema = {
	.name = "finding.entry",
	.class_ = SOOTH_CLASS_ROW,
	.fixed_size = sizeof(struct entry_row),
	.line = "{id} ({severity}[, {muted_text}]): {claim}",
	SCHEMA_FIELDS(entry_fields),
};

static const char *format_value(const struct finding_option *o, double value, char out[UNITS_SIZE])
{
	if (o->unit == SOOTH_UNIT_NS)
		return format_ns(out, (uint64_t)value);
	if (o->unit == SOOTH_UNIT_BYTES)
		return format_bytes(out, (uint64_t)value);
	snprintf(out, UNITS_SIZE, "%g", value);
	return out;
}

static void add_options(
	const struct finding_type *type, const struct check_setting *setting, struct buffer *out)
{
	for (size_t i = 0; i < type->option_count; i++) {
		const struct finding_option *o = &type->options[i];
		struct option_row row = { 0 };
		char name[96], value[UNITS_SIZE], default_value[UNITS_SIZE];

		snprintf(name, sizeof(name), "%s.%s", type->id, o->name);
		struct record_tail tail[] = {
			{ &row.name, name, strlen(name) },
			{ &row.value, format_value(o, setting->options[i], value), 0 },
			{ &row.default_value, format_value(o, o->default_value, default_value), 0 },
			{ &row.help, o->help, strlen(o->help) },
		};
		tail[1].size = strlen(tail[1].data);
		tail[2].size = strlen(tail[2].data);
		RECORD_APPEND(out, &row, tail, ARRAY_SIZE(tail));
	}
}

static int emit_entry(struct output *o, const struct finding_entry *entry,
	const struct check_setting *setting, struct sooth_error *err)
{
	const struct finding_type *type = entry->type;
	const char *muted = setting->is_muted ? "muted" : "";
	struct buffer options = { 0 };
	struct entry_row row = { .severity = (uint8_t)setting->severity,
		.is_muted = setting->is_muted,
		.needs_interval = type->needs_interval,
		.is_of_host = type->scope != FINDING_OF_PROCESS };
	int status;

	add_options(type, setting, &options);
	struct record_tail tail[] = {
		{ &row.options, options.data, options.size },
		{ &row.id, type->id, strlen(type->id) },
		{ &row.claim, type->claim, strlen(type->claim) },
		{ &row.probes, type->probes, strlen(type->probes) },
		{ &row.muted, muted, strlen(muted) },
	};
	status = OUTPUT_ROW(o, &row, tail, ARRAY_SIZE(tail), err);
	buffer_fini(&options);
	return status;
}

static int emit_entries(struct output *o, void *user, struct sooth_error *err)
{
	static const struct section section = {
		.name = "findings", .schema = &entry_schema, .shape = SECTION_TABLE
	};
	const struct check_settings *settings = user;
	int status = output_section(o, &section, err);

	for (size_t i = 0; registry_findings[i].type && !status; i++)
		status = emit_entry(o, &registry_findings[i], &settings->all[i], err);
	return status;
}

int finding_list(const struct check_settings *settings, const struct output_options *options,
	struct sooth_error *err)
{
	return own_report_emit("findings", options, emit_entries, (void *)settings, err);
}
