/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/heap/heap_notes.h"

#include <stdio.h>

#include "analyze/records.h"
#include "base/hash.h"
#include "base/units.h"
#include "model/process_id.h"
#include "model/schema.h"

#define GAPS_MAX  4096
#define SITES_MAX 16384
#define TEXT_MAX  4096 /* most bytes of a path */

struct gap_key {
	struct process_id process;
	uint64_t path_hash;
};

struct gap {
	struct sooth_text path; /* path of the file, in `texts` */
	uint64_t unseen_ns;
};

struct site_key {
	uint64_t device, inode; /* key of the file */
	uint64_t offset, function;
};

struct site {
	struct sooth_text path, why; /* path of the file and reason, in `texts` */
	uint8_t has_return, is_emulated;
};

void heap_notes_init(struct heap_notes *n)
{
	map_init(&n->gaps, sizeof(struct gap_key), sizeof(struct gap), GAPS_MAX);
	map_init(&n->sites, sizeof(struct site_key), sizeof(struct site), SITES_MAX);
	map_init(&n->files, 2 * sizeof(uint64_t), 0, SITES_MAX);
	pauses_init(&n->pauses);
}

void heap_notes_samples(struct output *output, const struct heap_live *live)
{
	char reason[96], text[UNITS_SIZE];

	if (!live->estimates.sample_bytes)
		return;
	snprintf(reason, sizeof(reason), "estimated from samples, one per %s allocated",
		format_bytes(text, live->estimates.sample_bytes));
	output_limit(output, "exact values of stacks", reason, "");
}

void heap_notes_fini(struct heap_notes *n)
{
	map_fini(&n->gaps);
	map_fini(&n->sites);
	map_fini(&n->files);
	buffer_fini(&n->texts);
}

static struct sooth_text store_text(
	struct heap_notes *n, const struct sooth_record *r, const struct sooth_text *text)
{
	size_t size = text->size < TEXT_MAX ? text->size : TEXT_MAX;
	struct sooth_text kept = { (uint32_t)n->texts.size, (uint32_t)size };

	if (!record_has_text(r, text))
		return (struct sooth_text){ 0 };
	buffer_append(&n->texts, (const char *)r + text->offset, size);
	return buffer_failed(&n->texts) ? (struct sooth_text){ 0 } : kept;
}

static struct record_tail tail_of(
	const struct heap_notes *n, struct sooth_text *to, const struct sooth_text *kept)
{
	return (struct record_tail){ to, buffer_at(&n->texts, kept->offset), kept->size };
}

/* Returns whether only frees of sampled blocks were unseen. */
static bool is_of_samples(const struct heap_gap *g)
{
	return record_holds(&g->record, sizeof(*g)) && g->is_of_samples;
}

static void store_gap(struct heap_notes *n, const struct heap_gap *g)
{
	struct span path = record_text(&g->record, &g->path);
	/* To separate the few files of a process. */
	struct gap_key key = { process_id_of(&g->record),
		path.size ? hash_bytes(HASH_BEGIN, path.data, path.size) : 0 };
	uint64_t unseen_ns = g->record.time_ns > g->from_ns ? g->record.time_ns - g->from_ns : 0;
	uint64_t *most = is_of_samples(g) ? &n->unfollowed_ns_max : &n->unseen_ns_max;
	struct gap *gap;
	bool is_new;

	if (unseen_ns > *most)
		*most = unseen_ns;
	if (is_of_samples(g))
		return;
	gap = map_put(&n->gaps, &key, &is_new);
	if (!gap)
		return; /* the map counts it */
	if (is_new)
		gap->path = store_text(n, &g->record, &g->path);
	gap->unseen_ns += unseen_ns;
}

static void store_site(struct heap_notes *n, const struct heap_site *s)
{
	struct site_key key = { s->device, s->inode, s->offset, s->function };
	bool is_new;
	struct site *site = map_put(&n->sites, &key, &is_new);

	if (!site || !is_new)
		return;
	map_put(&n->files, &key, NULL);
	site->path = store_text(n, &s->record, &s->path);
	site->why = store_text(n, &s->record, &s->why);
	site->has_return = s->has_return;
	site->is_emulated = s->is_emulated;
}

static void store_cost(struct heap_notes *n, const struct heap_cost *c)
{
	n->has_cost = true;
	n->attach_ns += c->attach_ns;
	n->forgotten_ns += c->forgotten_ns;
	n->sessions += c->sessions;
}

void heap_notes_add_record(struct heap_notes *n, const struct sooth_record *r)
{
	if (record_as(r, HEAP_GAP, HEAP_GAP_LEAST))
		store_gap(n, (const void *)r);
	else if (record_as(r, HEAP_COST, sizeof(struct heap_cost)))
		store_cost(n, (const void *)r);
	else if (record_as(r, HEAP_SITE, sizeof(struct heap_site)))
		store_site(n, (const void *)r);
	pauses_add_record(&n->pauses, r, HEAP_PAUSE);
}

/* --- output --- */

static int emit_probes(
	const struct heap_notes *n, struct heap_scope *scope, struct sooth_error *err)
{
	static const struct section section =
		SECTION_OF("heap_probes", heap_probes_schema, OBJECT, .audience = SECTION_DETAIL);
	struct heap_probes_row row = { .sites = n->sites.count,
		.files = n->files.count,
		.attach_ns = n->attach_ns,
		.forgotten_ns = n->forgotten_ns,
		.sessions = n->sessions,
		.sessions_state = state_if(n->sessions),
		.cost_state = state_if(n->has_cost) };
	int status = heap_section(scope, &section, err);

	if (n->sites.refused)
		output_limit(scope->output, "some probed functions",
			"sooth's table is full; the rest is left out", "");
	map_for_each_value (&n->sites, const struct site *, value)
		row.single_stepped += !value->is_emulated;
	if (status || !row.sites)
		return status;
	return OUTPUT_ROW(scope->output, &row, NULL, 0, err);
}

static int emit_sites(const struct heap_notes *n, struct heap_scope *scope, struct sooth_error *err)
{
	static const struct section section = SECTION_OF("heap_sites", heap_site_schema, TABLE);
	int status = heap_section(scope, &section, err);

	map_for_each (
		map_while(!status, &n->sites), const struct site_key *, k, const struct site *, s) {
		struct heap_site_row row = {
			.offset = k->offset,
			.function = k->function < HEAP_FUNCTIONS ? (uint32_t)k->function
								 : HEAP_FUNCTIONS,
			.has_return = s->has_return,
			.is_single_stepped = !s->is_emulated,
		};
		struct record_tail tail[] = { tail_of(n, &row.path, &s->path),
			tail_of(n, &row.why, &s->why) };

		status = OUTPUT_ROW(scope->output, &row, tail, 2, err);
	}
	return status;
}

static int emit_gaps(const struct heap_notes *n, struct heap_scope *scope, struct sooth_error *err)
{
	static const struct section section = SECTION_OF("heap_gaps", heap_gap_schema, TABLE,
		.title = "files whose first allocator calls were not seen");
	int status = heap_section(scope, &section, err);

	if (n->gaps.refused)
		output_limit(scope->output, "some times in which allocations were missed",
			"sooth's table is full; the rest is left out", "");
	map_for_each (
		map_while(!status, &n->gaps), const struct gap_key *, k, const struct gap *, g) {
		struct heap_gap_row row = { .record = row_head(&k->process),
			.unseen_ns = g->unseen_ns };
		struct record_tail tail[] = { tail_of(n, &row.path, &g->path) };

		status = OUTPUT_ROW(scope->output, &row, tail, 1, err);
	}
	return status;
}

/* Emits pauses under a name of their own, because a report may also have pauses of calls. */
static int emit_pauses(struct heap_notes *n, struct heap_scope *scope, struct sooth_error *err)
{
	struct section section = pauses_section;
	int status;

	section.name = "heap_pauses";
	status = heap_section(scope, &section, err);
	pauses_note_late(&n->pauses, scope->output, "every call of the paused command");
	if (status || !n->pauses.row.count)
		return status;
	pauses_end(&n->pauses);
	return OUTPUT_ROW(scope->output, &n->pauses.row, NULL, 0, err);
}

int heap_notes_emit(
	struct heap_notes *n, struct heap_scope *scope, bool with_sites, struct sooth_error *err)
{
	int status = emit_gaps(n, scope, err);

	if (!status)
		status = emit_pauses(n, scope, err);
	if (!status && with_sites)
		status = emit_sites(n, scope, err);
	return status ?: emit_probes(n, scope, err);
}
