/* SPDX-License-Identifier: BSD-2-Clause */
/* One side of a comparison: a sink that keeps the rows. */
#include <stdio.h>

#include <assert.h>
#include <string.h>

#include "analyze/comparison/comparison.h"
#include "analyze/records.h"
#include "model/stream_records.h"

#define SIDE_BYTES ((uint64_t)256 << 20)

#define FINDINGS "finding." /* prefix of the schemas of findings */

struct side_sink {
	struct comparison_side *side;
	bool is_in_losses;
	bool is_in_time_range;
};

static int open_sink(void *state, const struct sink_options *options, struct sooth_error *err)
{
	(void)err;
	((struct side_sink *)state)->side = options->user;
	return 0;
}

static bool is_of_findings(const struct section *section)
{
	return !strncmp(section->schema->name, FINDINGS, strlen(FINDINGS));
}

/* Returns whether a section is compared. Not compared: notes, which describe the run; streams,
 * since their sums are compared; summary and answers of a diagnosis, which repeat its findings;
 * findings of a capture without processes. */
static bool is_compared(const struct comparison_side *side, const struct section *section)
{
	if (is_of_findings(section) &&
		(!strcmp(section->schema->name, "finding.summary") ||
			!strcmp(section->schema->name, "finding.cause") || !side->has_processes))
		return false;
	return !section->is_last && section->shape != SECTION_STREAM &&
	       section->shape != SECTION_INLINE;
}

static struct comparison_table *table_of(
	struct comparison_side *side, const struct section *section)
{
	const char *name = is_of_findings(section) ? section->schema->name : section->name;
	struct comparison_table *t;

	for (size_t i = 0; i < side->table_count; i++) {
		t = &side->tables[i];
		if (t->schema == section->schema && !strcmp(t->name, name))
			return t;
	}
	if (side->table_count == COMPARISON_TABLES_MAX)
		return NULL;
	t = &side->tables[side->table_count++];
	t->schema = section->schema;
	snprintf(t->name, sizeof(t->name), "%s", name);
	return t;
}

static int section_begin(void *state, const struct section *section, struct sooth_error *err)
{
	struct side_sink *s = state;
	struct comparison_side *side = s->side;

	(void)err;
	s->is_in_losses = section->is_last && !strcmp(section->name, "loss");
	s->is_in_time_range = section->is_last && !strcmp(section->name, "range");
	side->filling = is_compared(side, section) ? table_of(side, section) : NULL;
	return 0;
}

static uint64_t number_of(
	const struct sooth_schema *schema, const char *name, const struct sooth_record *r)
{
	struct sooth_value v = value_named(schema, r, name);

	return v.state == SOOTH_STATE_VALUE ? v.u : 0;
}

/* Adds the losses of the stream, and those found while reading the file. */
static void add_losses(
	struct comparison_side *side, const struct sooth_schema *schema, const struct batch *batch)
{
	batch_for_each (r, batch) {
		side->has_losses = true;
		side->lost += number_of(schema, "records", r);
	}
}

static void add_records_of_part(
	struct comparison_side *side, const struct sooth_schema *schema, const struct batch *batch)
{
	batch_for_each (r, batch) {
		side->is_part = true;
		side->time_range_from_ns = number_of(schema, "from_ns", r);
		side->time_range_to_ns = number_of(schema, "to_ns", r);
		side->time_range_whole_ns = number_of(schema, "capture_ns", r);
		side->time_range_left_out = number_of(schema, "left_out", r);
	}
}

static int add_rows(void *state, const struct section *section, const struct batch *batch,
	struct sooth_error *err)
{
	struct comparison_side *side = ((struct side_sink *)state)->side;

	if (((struct side_sink *)state)->is_in_losses)
		add_losses(side, section->schema, batch);
	if (((struct side_sink *)state)->is_in_time_range)
		add_records_of_part(side, section->schema, batch);
	if (!side->filling)
		return 0;
	if (side->bytes + batch->size > SIDE_BYTES) {
		batch_for_each (r, batch)
			side->refused += r->words != 0;
		return 0;
	}
	side->bytes += batch->size;
	buffer_append(&side->filling->rows, batch->data, batch->size);
	return buffer_failed(&side->filling->rows) ? error_no_memory(err) : 0;
}

static int section_end(void *state, const struct section *section, struct sooth_error *err)
{
	(void)section;
	(void)err;
	((struct side_sink *)state)->side->filling = NULL;
	return 0;
}

const struct sink_type comparison_sink = {
	.name = "comparison",
	.help = "keeps the rows of a report to compare two captures",
	.state_size = sizeof(struct side_sink),
	.open = open_sink,
	.section = section_begin,
	.rows = add_rows,
	.section_end = section_end,
};

/* --- the stream --- */

static void copy_text(
	char *to, size_t size, const struct sooth_record *r, const struct sooth_text *text)
{
	struct span from = record_text(r, text);

	snprintf(to, size, "%.*s", (int)(from.size < size ? from.size : size - 1), from.data);
}

/* Adds a probe once: every segment of the file repeats it. */
static void add_probe(struct comparison_side *side, struct span probe)
{
	struct span known = { (const char *)side->probes.data, side->probes.size };
	bool is_known = false;

	for (size_t at = 0; at < known.size && !is_known; at++) {
		const char *comma = memchr(known.data + at, ',', known.size - at);
		size_t end = comma ? (size_t)(comma - known.data) : known.size;

		is_known =
			end - at == probe.size && !memcmp(known.data + at, probe.data, probe.size);
		at = end + 1; /* skip the blank too */
	}
	if (!is_known)
		buffer_format(&side->probes, "%s%.*s", known.size ? ", " : "", SPAN_ARGS(probe));
}

int comparison_add_row(
	void *user, const struct sooth_schema *schema, const struct sooth_record *record)
{
	struct comparison_side *side = user;
	const struct stream_segment *segment;
	const struct stream_source *source;
	struct span probe;

	assert(record);
	(void)schema;
	if (record->time_ns > side->last_ns)
		side->last_ns = record->time_ns;
	if ((segment = record_as(record, STREAM_SEGMENT, sizeof(*segment)))) {
		copy_text(side->boot_id, sizeof(side->boot_id), record, &segment->boot_id);
		copy_text(side->hostname, sizeof(side->hostname), record, &segment->hostname);
		copy_text(side->version, sizeof(side->version), record, &segment->sooth_version);
	} else if ((source = record_as(record, STREAM_SOURCE, sizeof(*source)))) {
		probe = record_text(record, &source->probe);
		side->has_processes |= span_equal(probe, "proc");
		add_probe(side, probe);
	} else if (record->kind == STREAM_BEGIN && !side->begin_ns) {
		side->begin_ns = record->time_ns;
	} else if (record->kind == STREAM_END) {
		side->end_ns = record->time_ns;
	}
	return 0;
}

uint64_t comparison_side_ns(const struct comparison_side *side)
{
	assert(side);

	uint64_t end_ns = side->end_ns ? side->end_ns : side->last_ns;

	if (side->is_part && !side->end_ns)
		return side->time_range_to_ns - side->time_range_from_ns;
	return side->begin_ns && end_ns > side->begin_ns ? end_ns - side->begin_ns : 0;
}

void comparison_side_fini(struct comparison_side *side)
{
	assert(side);
	for (size_t i = 0; i < side->table_count; i++)
		buffer_fini(&side->tables[i].rows);
	buffer_fini(&side->probes);
}
