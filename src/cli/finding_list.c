/* SPDX-License-Identifier: BSD-2-Clause */
/* The registry of findings, for `sooth diagnose --list-findings`. */
#include "cli/finding_list.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/units.h"
#include "cli/output/own_report.h"
#include "core/registry.h"
#include "model/schema.h"

struct option_row {
	struct sooth_record record;
	struct sooth_text name, value, otherwise, help;
};

static const struct sooth_field option_fields[] = {
	FIELD_STRING(option_row, name, "name of the threshold, as for --set"),
	FIELD_STRING_AS(option_row, value, current_value, "current value of the threshold"),
	FIELD_STRING_AS(option_row, otherwise, default_value, "default value of the threshold"),
	FIELD_STRING(option_row, help, "meaning of the threshold"),
};

static const struct sooth_schema option_schema = {
	.name = "finding.option",
	.class_ = SOOTH_CLASS_ROW,
	.fixed_size = sizeof(struct option_row),
	.line = "{name} = {current_value}: {help}",
	SCHEMA_FIELDS(option_fields),
};

struct entry_row {
	struct sooth_record record;
	uint8_t severity, is_muted, needs_interval, is_of_host;
	uint8_t unused[4];
	struct sooth_text id, claim, probes, options, muted;
};

static const struct sooth_field entry_fields[] = {
	FIELD_STRING(entry_row, id, "id of the finding; docs/findings has a page for each"),
	{ .name = "severity",
		.type = SOOTH_FIELD_ENUM,
		FIELD_AT(entry_row, severity),
		.names = &finding_severity_names,
		.help = "default severity of the finding; a single case may differ" },
	FIELD_STRING(entry_row, claim, "sentence that the finding reports"),
	FIELD_STRING(entry_row, probes, "probes that the finding needs"),
	FIELD_TRUTH_AS(entry_row, needs_interval, is_interval_needed,
		"the finding needs two samples or more"),
	FIELD_TRUTH(
		entry_row, is_of_host, "the finding is checked for the host, not for each process"),
	FIELD_TRUTH(entry_row, is_muted, "the finding is muted by the user"),
	FIELD_STRING_AS(entry_row, muted, muted_text,
		"\"muted\" if the user muted the finding, else empty", .is_hidden = true),
	{ .name = "options",
		.type = SOOTH_FIELD_ROWS,
		FIELD_AT(entry_row, options),
		.rows = &option_schema,
		.help = "thresholds of the finding" },
};

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
		char name[96], value[UNITS_SIZE], otherwise[UNITS_SIZE];

		snprintf(name, sizeof(name), "%s.%s", type->id, o->name);
		struct record_tail tail[] = {
			{ &row.name, name, strlen(name) },
			{ &row.value, format_value(o, setting->options[i], value), 0 },
			{ &row.otherwise, format_value(o, o->default_value, otherwise), 0 },
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
