/* SPDX-License-Identifier: BSD-2-Clause */
/* Collects sections. Each view passes its sections at its end to a sink that keeps them. It gets a
 * record of each kind, so that sections are included that it has only with content. Commands that
 * observe nothing have their tables in their descriptors. */
#include "cli/output/json_sections.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/comparison/comparison.h"
#include "analyze/heap/heap_table.h"
#include "analyze/processes/processes.h"
#include "analyze/waits/waits.h"
#include "base/cleanup.h"
#include "cli/command/command.h"
#include "explain/registry.h"
#include "explain/report.h"
#include "model/probe.h"

#define RECORD_WORDS_MAX 256

bool json_sections_same_table(const struct sooth_schema *a, const struct sooth_schema *b)
{
	return a->fields == b->fields && a->field_count == b->field_count;
}

static void add_table(struct json_sections *s, const struct sooth_schema *schema)
{
	for (size_t i = 0; i < s->table_count; i++) {
		if (json_sections_same_table(s->tables[i], schema))
			return;
	}
	if (s->table_count == TABLES_MAX)
		return;
	s->tables[s->table_count++] = schema;
	for (size_t i = 0; i < schema->field_count; i++) {
		if (schema->fields[i].rows)
			add_table(s, schema->fields[i].rows);
	}
}

static void describe_section(struct json_sections *s, const char *name,
	const struct sooth_schema *schema, enum section_shape shape)
{
	for (size_t i = 0; i < s->section_count; i++) {
		const struct found_section *known = &s->sections[i];

		if (!strcmp(known->name, name) && known->shape == shape && known->schema &&
			schema && json_sections_same_table(known->schema, schema))
			return;
	}
	if (s->section_count == SECTIONS_MAX)
		return;
	s->sections[s->section_count++] = (struct found_section){ name, schema, shape };
	if (schema)
		add_table(s, schema);
}

struct sections_sink {
	struct json_sections *to;
};

static int open_sink(void *state, const struct sink_options *options, struct sooth_error *err)
{
	struct sections_sink *s = state;

	(void)err;
	s->to = options->user;
	return 0;
}

static int add_section(void *state, const struct section *section, struct sooth_error *err)
{
	struct sections_sink *s = state;

	(void)err;
	describe_section(s->to, section->name, section->schema, section->shape);
	for (size_t i = 0; section->asides && section->asides[i]; i++)
		add_section(state, section->asides[i], err);
	return 0;
}

static int add_rows(void *state, const struct section *section, const struct batch *batch,
	struct sooth_error *err)
{
	(void)batch;
	return add_section(state, section, err);
}

static const struct sink_type sections_sink = {
	.name = "sections",
	.help = "which sections there are",
	.state_size = sizeof(struct sections_sink),
	.takes_asides = true,
	.open = open_sink,
	.section = add_section,
	.rows = add_rows,
};

/* Gives a report one record of the schema. All its values are zero, except the head. */
static int feed_record(
	struct sooth_report *report, const struct sooth_schema *schema, struct sooth_error *err)
{
	uint64_t words[RECORD_WORDS_MAX] = { 0 };
	struct sooth_record *record = (void *)words;
	struct block block = { .batch = { (void *)words, schema->fixed_size } };

	if (schema->fixed_size > sizeof(words))
		return 0;
	record->time_ns = record->start_ticks = record->pid = record->tid = 1;
	record->kind = schema->kind;
	record->words = record->fixed_words = (uint16_t)(schema->fixed_size / SOOTH_RECORD_WORD);
	return report_block(report, &block, err);
}

static int feed_records(struct sooth_report *report, struct sooth_error *err)
{
	int status = 0;

	for (size_t p = 0; registry_probes[p]; p++) {
		const struct sooth_schema *const *all = registry_probes[p]->schemas;

		for (; *all && !status; all++)
			status = feed_record(report, *all, err);
	}
	return status;
}

/* Collects the sections of a view. Empty records suffice: a view has its sections even if they have
 * no rows. */
static int collect_view(struct json_sections *s, const char *view, const void *view_options,
	struct sooth_error *err)
{
	struct sink_options options = { .user = s };
	struct sooth_report *report = NULL;
	int status = sooth_report_new(&report, view, err);

	if (!status)
		status = report_add_sink_type(report, &sections_sink, &options, err);
	if (!status)
		status = sooth_report_add_view(report, view, view_options, err);
	if (!status)
		status = feed_records(report, err);
	if (!status)
		status = sooth_report_finish(report, err);
	sooth_report_free(report);
	return status;
}

/* Collects views with options that give them other sections. */
static int collect_variants(struct json_sections *s, struct sooth_error *err)
{
	const struct processes_options processes[] = { { .is_tree = true },
		{ .emits_versions = true } };
	const struct waits_options waits = { 0 };
	struct heap_table_options heap = { .sites = true, .stacks = true, .every_section = true };
	int status = 0;

	for (size_t i = 0; i < ARRAY_SIZE(processes) && !status; i++)
		status = collect_view(s, "processes", &processes[i], err);
	if (!status)
		status = collect_view(s, "waits", &waits, err);
	for (int by = 0; by < HEAP_BYS && !status; by++) {
		heap.by = (enum heap_by)by;
		status = collect_view(s, "heap-table", &heap, err);
	}
	heap.by = HEAP_BY_STACK;
	for (int answer = 0; answer < HEAP_ANSWERS && !status; answer++) {
		heap.answer = (enum heap_answer)answer;
		status = collect_view(s, "heap-table", &heap, err);
	}
	return status;
}

/* Collects the sections of a comparison, made from two empty reports. */
static int collect_comparison(struct json_sections *s, struct sooth_error *err)
{
	struct sink_options options = { .user = s };
	const struct report_head head = { "diff", REPORT_SCHEMA_VERSION };
	struct comparison_side *sides = calloc(2, sizeof(*sides));
	struct comparison_reported reported = { 0 };
	struct output *o = NULL;
	int status = sides ? output_new(&o, err) : error_no_memory(err);

	if (!status)
		status = output_add_sink(o, &sections_sink, &options, err);
	if (!status)
		status = output_begin(o, &head, err);
	if (!status) {
		sides[0].file = sides[1].file = "";
		sides[0].is_part = sides[1].is_part = true;
		status = comparison_emit(o, &sides[0], &sides[1], 0, &reported, err);
	}
	if (!status)
		status = output_end(o, err);
	output_free(o);
	free(sides);
	return status;
}

int json_sections_collect(struct json_sections *s, struct sooth_error *err)
{
	int status = collect_variants(s, err);

	if (!status)
		status = collect_comparison(s, err);

	for (size_t i = 0; registry_stages[i] && !status; i++)
		status = collect_view(s, registry_stages[i]->name, NULL, err);
	for (size_t i = 0; commands[i] && !status; i++) {
		const struct command_table *own = commands[i]->tables;

		for (; own && own->name; own++)
			describe_section(s, own->name, own->schema, SECTION_TABLE);
	}
	if (!status && (s->section_count == SECTIONS_MAX || s->table_count == TABLES_MAX))
		status = error_errno(err, -E2BIG, "list the sections of reports");
	return status;
}

int json_sections_collect_view(struct json_sections *s, const char *view, struct sooth_error *err)
{
	return collect_view(s, view, NULL, err);
}

/* --- lines --- */

/* Returns whether a line is a row of the view, or the end of a process, which comes among them. */
static bool is_line_of(const struct stage_type *view, const struct sooth_schema *schema)
{
	const struct sooth_schema *const *own = view->tables;

	while (*own && *own != schema)
		own++;
	return *own || !strcmp(schema->name, "exits");
}

static int collect_line_view(struct json_sections *s, const char *view, struct sooth_error *err)
{
	struct json_sections *all = calloc(1, sizeof(*all));
	int status = all ? collect_view(all, view, NULL, err) : error_no_memory(err);

	for (size_t i = 0; !status && i < all->section_count; i++) {
		const struct found_section *section = &all->sections[i];

		if (is_line_of(registry_stage(view), section->schema))
			describe_section(s, section->name, section->schema, section->shape);
	}
	free(all);
	return status;
}

int json_sections_collect_lines(struct json_sections *s, struct sooth_error *err)
{
	int status = 0;

	for (size_t i = 0; commands[i]; i++) {
		const struct command_table *own = commands[i]->lines;
		const char *const *view = commands[i]->line_views;

		for (; own && own->name; own++)
			describe_section(s, own->name, own->schema, SECTION_TABLE);
		for (; view && *view && !status; view++)
			status = collect_line_view(s, *view, err);
	}
	return status;
}
