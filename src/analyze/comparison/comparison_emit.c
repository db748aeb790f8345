/* SPDX-License-Identifier: BSD-2-Clause */
/* The sections of a comparison. */
#include "analyze/comparison/comparison_emit.h"

#include "analyze/comparison/comparing.h"
#include "analyze/records.h"
#include "base/cleanup.h"

/* One of the two captures. */
#define COMPARED_SIDE_ROW(F, S)                                                                    \
	F(S, TEXT, side, ALWAYS, "which of the two captures: first or second")                     \
	F(S, TEXT, file, ALWAYS, "file name of the capture", .may_shrink = true)                   \
	F(S, U64, interval_ns, MAYBE(observed_state), "length of the recording",                   \
		.label = "OBSERVED", .unit = SOOTH_UNIT_NS)                                        \
	F(S, TEXT, hostname, ALWAYS, "name of the host", .label = "HOST")                          \
	F(S, NAMED, TEXT, version, sooth_version, ALWAYS,                                          \
		"version of sooth that recorded the data", .label = "SOOTH")                       \
	F(S, U64, lost, ALWAYS, "records lost during the recording")                               \
	F(S, BOOL, has_losses, ALWAYS,                                                             \
		"records were lost, or the capture file is truncated or damaged",                  \
		.label = "LOSSES")                                                                 \
	F(S, U64, refused, ALWAYS, "rows not compared because the capture has too many",           \
		.is_hidden = true)                                                                 \
	F(S, TEXT, probes, ALWAYS, "probes that recorded data", .may_shrink = true)

ROW_TABLE(compared_side, COMPARED_SIDE_ROW, "diff.side", compared_side_row);

/* The compared time range, if one was requested. */
#define COMPARED_PART_ROW(F, S)                                                                    \
	F(S, TEXT, side, ALWAYS, "which of the two captures: first or second")                     \
	F(S, U64, from_ns, ALWAYS,                                                                 \
		"start of the compared time range, from the start of the recording",               \
		.label = "FROM", .unit = SOOTH_UNIT_NS)                                            \
	F(S, U64, to_ns, ALWAYS,                                                                   \
		"end of the compared time range, from the start of the recording", .label = "TO",  \
		.unit = SOOTH_UNIT_NS)                                                             \
	F(S, NAMED, U64, whole_ns, capture_ns, ALWAYS, "total length of the capture",              \
		.label = "OF", .unit = SOOTH_UNIT_NS)                                              \
	F(S, U64, left_out, ALWAYS,                                                                \
		"number of records left out because their time window is only partly in the "      \
		"range",                                                                           \
		.label = "LEFT-OUT")

ROW_TABLE(compared_part, COMPARED_PART_ROW, "diff.range", compared_part_row);

/* A table that only one of the captures has. */
#define ONE_SIDED_ROW(F, S)                                                                        \
	F(S, TEXT, table, ALWAYS, "name of the table")                                             \
	F(S, TEXT, side, ALWAYS, "capture that has the table: first or second")                    \
	F(S, TEXT, reason, ALWAYS, "reason why the table was not compared")

ROW_TABLE(one_sided, ONE_SIDED_ROW, "diff.one_sided", one_sided_row);

#define COMPARISON_ROW(F, S)                                                                       \
	F(S, NAMED, TEXT, words, text, ALWAYS, "summary of the result in one sentence")            \
	F(S, TEXT, rule, ALWAYS, "rule that separates noise from a real change")                   \
	F(S, U64, rows, ALWAYS, "number of rows found in both captures")                           \
	F(S, U64, changed, ALWAYS, "number of values that differ by more than noise")              \
	F(S, U64, appeared, ALWAYS, "number of rows found only in the second capture")             \
	F(S, U64, vanished, ALWAYS, "number of rows found only in the first capture")              \
	F(S, U64, within_noise, ALWAYS, "number of values that differ only by noise")              \
	F(S, NAMED, U64, not_measured, unmeasured, ALWAYS,                                         \
		"number of values measured in only one of the two captures")                       \
	F(S, U64, incomparable, ALWAYS,                                                            \
		"rows identified only by memory addresses, which cannot be compared")              \
	F(S, REAL, noise_percent, ALWAYS,                                                          \
		"difference that counts as noise, in percent of the larger value",                 \
		.unit = SOOTH_UNIT_PERCENT, .decimals = 1)

ROW_TABLE(comparison, COMPARISON_ROW, "diff.summary", comparison_row,
	.line = "{text}\nnoise: {rule}");

/* --- fields --- */

static const char *const kinds[CHANGES] = { "changed", "appeared", "vanished" };
static const struct sooth_names kind_names = { CHANGES, kinds };

static ROW_SCHEMA(change, CHANGE_ROW, "diff.change", change_row);

/* --- comparison emit --- */

static int emit_side(struct comparing *c, const struct comparison_side *side, const char *name,
	struct sooth_error *err)
{
	struct compared_side_row row = { .interval_ns = comparison_side_ns(side),
		.lost = side->lost,
		.has_losses = side->has_losses,
		.refused = side->refused };
	struct record_tail tail[] = {
		tail_string(&row.side, name),
		tail_string(&row.file, side->file),
		tail_string(&row.hostname, side->hostname),
		tail_string(&row.version, side->version),
		tail_buffer(&row.probes, &side->probes),
	};

	row.observed_state =
		row.interval_ns ? SOOTH_STATE_VALUE : SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED);
	return OUTPUT_ROW(c->output, &row, tail, ARRAY_SIZE(tail), err);
}

static int emit_sides(struct comparing *c, struct sooth_error *err)
{
	static const struct section section = SECTION_OF("captures", compared_side_schema, TABLE);
	int status = output_section(c->output, &section, err);

	if (!status)
		status = emit_side(c, c->a.side, "first", err);
	return status ? status : emit_side(c, c->b.side, "second", err);
}

static int emit_part_of(struct comparing *c, const struct comparison_side *side, const char *name,
	struct sooth_error *err)
{
	struct compared_part_row row = { .from_ns = side->time_range_from_ns,
		.to_ns = side->time_range_to_ns,
		.whole_ns = side->time_range_whole_ns,
		.left_out = side->time_range_left_out };
	struct record_tail tail[] = { tail_string(&row.side, name) };

	return side->is_part ? OUTPUT_ROW(c->output, &row, tail, ARRAY_SIZE(tail), err) : 0;
}

/* Emits the compared time ranges, if any was selected. */
static int emit_parts(struct comparing *c, struct sooth_error *err)
{
	static const struct section section =
		SECTION_OF("ranges", compared_part_schema, TABLE, .title = "compared time ranges");
	int status = 0;

	if (!c->a.side->is_part && !c->b.side->is_part)
		return 0;
	status = output_section(c->output, &section, err);
	if (!status)
		status = emit_part_of(c, c->a.side, "first", err);
	return status ? status : emit_part_of(c, c->b.side, "second", err);
}

static int emit_changes(struct comparing *c, const struct section *section,
	const struct buffer *rows, struct sooth_error *err)
{
	struct batch all = { rows->data, rows->size };
	int status = output_section(c->output, section, err);

	batch_for_each (r, &all) {
		if (!status)
			status = output_record(c->output, r, err);
	}
	return status;
}

static int emit_table_of(struct comparing *c, const struct comparison_side *has,
	const struct comparison_side *lacks, const char *side, struct sooth_error *err)
{
	int status = 0;

	for (size_t i = 0; i < has->table_count && !status; i++) {
		struct one_sided_row row = { 0 };
		struct record_tail tail[] = {
			tail_string(&row.table, has->tables[i].name),
			tail_string(&row.side, side),
			tail_string(&row.reason, "only one of the two captures has this table"),
		};

		if (!comparing_has_table(lacks, has->tables[i].schema))
			status = OUTPUT_ROW(c->output, &row, tail, ARRAY_SIZE(tail), err);
	}
	return status;
}

static int emit_one_sided(struct comparing *c, struct sooth_error *err)
{
	static const struct section section = SECTION_OF("not_compared", one_sided_schema, TABLE,
		.title = "tables that only one of the two captures has");
	int status = output_section(c->output, &section, err);

	if (!status)
		status = emit_table_of(c, c->a.side, c->b.side, "first", err);
	return status ? status : emit_table_of(c, c->b.side, c->a.side, "second", err);
}

static void summary_words(const struct comparing *c, struct buffer *out)
{
	const struct comparison_reported *t = &c->reported;

	if (!t->changed && !t->appeared && !t->vanished)
		buffer_string(out, "no value differs by more than the noise");
	else
		buffer_format(out, "%llu value%s changed, %llu row%s appeared, %llu vanished",
			(unsigned long long)t->changed, t->changed == 1 ? "" : "s",
			(unsigned long long)t->appeared, t->appeared == 1 ? "" : "s",
			(unsigned long long)t->vanished);
	buffer_format(out, "; %llu rows in both, %llu differences within noise",
		(unsigned long long)c->rows, (unsigned long long)t->within_noise);
	if (c->not_measured)
		buffer_format(out, ", %llu values measured in one capture only",
			(unsigned long long)c->not_measured);
	if (c->a.incomparable + c->b.incomparable)
		buffer_format(out, "; %llu rows not compared: known by address only",
			(unsigned long long)(c->a.incomparable + c->b.incomparable));
}

static int emit_summary(struct comparing *c, struct sooth_error *err)
{
	static const struct section section = SECTION_OF("summary", comparison_schema, OBJECT);
	struct comparison_row row = { .rows = c->rows,
		.changed = c->reported.changed,
		.appeared = c->reported.appeared,
		.vanished = c->reported.vanished,
		.within_noise = c->reported.within_noise,
		.not_measured = c->not_measured,
		.incomparable = c->a.incomparable + c->b.incomparable,
		.noise_percent = c->share * 100 };
	struct buffer words = { 0 }, rule = { 0 };
	int status;

	summary_words(c, &words);
	buffer_format(&rule,
		"a difference is noise up to %g %% of the larger value; for counts also up to %g "
		"times the square root of the count; counts are compared per second; a maximum may "
		"double",
		c->share * 100, COMPARISON_SIGMAS);
	struct record_tail tail[] = { tail_buffer(&row.words, &words),
		tail_buffer(&row.rule, &rule) };
	status = OUTPUT_OBJECT(c->output, &section, &row, tail, ARRAY_SIZE(tail), err);
	buffer_fini(&words);
	buffer_fini(&rule);
	return status;
}

int comparing_emit(struct comparing *c, struct sooth_error *err)
{
	bool have_findings = c->a.side->has_processes && c->b.side->has_processes;
	const struct section findings = {
		.name = "findings",
		.title = "findings",
		.schema = &change_schema,
		.shape = SECTION_TABLE,
		.if_empty =
			have_findings
				? "no change in findings"
				: "findings were not compared: one capture has no process samples"
	};
	static const struct section changes =
		SECTION_OF("changes", change_schema, TABLE, .title = "changes", .rows_most = 100,
			.if_empty = "no value in any table differs by more than noise");
	int status = comparing_emit_heap(c, err);

	if (!status)
		status = emit_sides(c, err);
	if (!status)
		status = emit_parts(c, err);
	if (!status)
		status = emit_changes(c, &findings, &c->findings, err);
	if (!status) /* the section is a local variable */
		status = output_close_section(c->output, err);
	if (!status)
		status = emit_changes(c, &changes, &c->changes, err);
	if (!status)
		status = emit_one_sided(c, err);
	return status ? status : emit_summary(c, err);
}
