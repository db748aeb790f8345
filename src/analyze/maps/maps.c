/* SPDX-License-Identifier: BSD-2-Clause */
/* Address spaces of processes at their last snapshot: sums, memory by class, and each mapping,
 * largest resident first. */
#include <stdlib.h>

#include "analyze/maps/map_classes.h"
#include "analyze/process_view.h"
#include "base/cleanup.h"
#include "explain/stage.h"
#include "model/row_list.h"
#include "probes/maps.h"

/* --- rows --- */

#define RESERVED "anonymous address space without pages: it costs no memory"
#define PSS	 "resident, each shared page divided by the processes that share it"

#define MAPS_CLASS_ROW(F, S)                                                                       \
	F(S, PID)                                                                                  \
	F(S, NAMED, ENUM32, class_, class, ALWAYS,                                                 \
		"use of the memory: glibc-heap, thread-stack, file, v8, ...; empty: not "          \
		"recognized",                                                                      \
		.names = &map_class_names, .is_key = true)                                         \
	F(S, U64, mappings, ALWAYS, "number of memory mappings")                                   \
	F(S, U64, size_bytes, ALWAYS, "size of the address space (virtual memory)",                \
		.label = "SIZE", .unit = SOOTH_UNIT_BYTES)                                         \
	F(S, U64, reserved_bytes, MAYBE(figures_state), RESERVED, .label = "RESERVED",             \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, U64, rss_bytes, WITH(figures_state), "resident", .label = "RSS",                      \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, U64, pss_bytes, WITH(figures_state), PSS, .label = "PSS", .unit = SOOTH_UNIT_BYTES)   \
	F(S, U64, dirty_bytes, WITH(figures_state), "resident and changed", .label = "DIRTY",      \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, U64, swap_bytes, WITH(figures_state), "swapped out", .label = "SWAP",                 \
		.unit = SOOTH_UNIT_BYTES)

ROW_TABLE(maps_class, MAPS_CLASS_ROW, "memory_classes", maps_class_row);

#define MAPS_MAPPING_ROW(F, S)                                                                     \
	F(S, PID)                                                                                  \
	F(S, NAMED, U64, from, start_address, ALWAYS, "first address of the memory mapping",       \
		.label = "START", .unit = SOOTH_UNIT_HEX, .is_key = true)                          \
	F(S, NAMED, U64, to, end_address, ALWAYS, "first address after the memory mapping",        \
		.unit = SOOTH_UNIT_HEX, .is_hidden = true)                                         \
	F(S, U64, size_bytes, ALWAYS, "size of the address space (virtual memory)",                \
		.label = "SIZE", .unit = SOOTH_UNIT_BYTES)                                         \
	F(S, U64, rss_bytes, MAYBE(figures_state), "resident", .label = "RSS",                     \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, U64, pss_bytes, WITH(figures_state), PSS, .label = "PSS", .unit = SOOTH_UNIT_BYTES)   \
	F(S, U64, dirty_bytes, WITH(figures_state), "resident and changed", .label = "DIRTY",      \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, U64, swap_bytes, WITH(figures_state), "swapped out", .label = "SWAP",                 \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, ENUM8, protection, ALWAYS, "access: r read, w write, x execute; p private, s shared", \
		.label = "PROT", .names = &maps_protection_names)                                  \
	F(S, NAMED, ENUM8, class_, class, ALWAYS,                                                  \
		"use of the memory: glibc-heap, thread-stack, file, v8, ...; empty: not "          \
		"recognized",                                                                      \
		.names = &map_class_names)                                                         \
	F(S, TEXT, path, MAYBE(path_state),                                                        \
		"path of the mapped file, or the kernel's name in brackets", .may_shrink = true)   \
	F(S, BOOL, is_deleted, ALWAYS, "the mapped file was deleted", .is_hidden = true)           \
	F(S, U64, reserved_bytes, WITH(figures_state), RESERVED, .label = "RESERVED",              \
		.unit = SOOTH_UNIT_BYTES, .is_hidden = true)                                       \
	F(S, U64, shared_clean_bytes, WITH(figures_state), "resident, shared, unchanged",          \
		.unit = SOOTH_UNIT_BYTES, .is_hidden = true)                                       \
	F(S, U64, shared_dirty_bytes, WITH(figures_state), "resident, shared, changed",            \
		.unit = SOOTH_UNIT_BYTES, .is_hidden = true)                                       \
	F(S, U64, private_clean_bytes, WITH(figures_state), "resident, private, unchanged",        \
		.unit = SOOTH_UNIT_BYTES, .is_hidden = true)                                       \
	F(S, U64, private_dirty_bytes, WITH(figures_state), "resident, private, changed",          \
		.unit = SOOTH_UNIT_BYTES, .is_hidden = true)                                       \
	F(S, U64, anonymous_bytes, WITH(figures_state), "resident, anonymous",                     \
		.unit = SOOTH_UNIT_BYTES, .is_hidden = true)                                       \
	F(S, U64, huge_bytes, WITH(figures_state), "in huge pages", .unit = SOOTH_UNIT_BYTES,      \
		.is_hidden = true)                                                                 \
	F(S, U64, locked_bytes, WITH(figures_state), "memory locked against swapping",             \
		.unit = SOOTH_UNIT_BYTES, .is_hidden = true)                                       \
	F(S, U32, page_bytes, MAYBE(page_state), "size of a page of the mapping",                  \
		.unit = SOOTH_UNIT_BYTES, .is_hidden = true)                                       \
	F(S, NAMED, U8, flags, flags_mask, MAYBE(flags_state),                                     \
		"flags of the mapping: 1 not reserved, 2 not in forks, 4 zeroed in forks, 8 huge " \
		"pages on, 16 huge pages off, 32 locked, 64 not in dumps, 128 grows down",         \
		.unit = SOOTH_UNIT_HEX, .is_hidden = true)                                         \
	F(S, U64, offset, ALWAYS, "offset of the mapping in the file", .unit = SOOTH_UNIT_HEX,     \
		.is_hidden = true)                                                                 \
	F(S, U64, inode, ALWAYS, "inode number of the mapped file; 0: no file", .is_hidden = true) \
	F(S, U32, device_major, ALWAYS, "major device number of the mapped file",                  \
		.is_hidden = true)                                                                 \
	F(S, U32, device_minor, ALWAYS, "minor device number of the mapped file", .is_hidden = true)

ROW_TABLE(maps_mapping_row, MAPS_MAPPING_ROW, "maps", maps_mapping_row);

#define MAPS_RUNTIME_ROW(F, S)                                                                     \
	F(S, PID)                                                                                  \
	F(S, ENUM32, runtime, ALWAYS, "allocator or language runtime found in the process",        \
		.names = &maps_runtime_names, .is_key = true)                                      \
	F(S, NAMED, TEXT, why, reason, ALWAYS, "how the runtime was recognized", .may_shrink = true)

ROW_TABLE(maps_runtime, MAPS_RUNTIME_ROW, "map_runtimes", maps_runtime_row);

#define MAPS_MEMORY_ROW(F, S)                                                                      \
	F(S, PID)                                                                                  \
	F(S, U64, vsz_bytes, MAYBE(status_state),                                                  \
		"size of the address space (virtual memory), mostly reservations",                 \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, U64, vsz_peak_bytes, WITH(status_state),                                              \
		"largest address space of the process so far", .unit = SOOTH_UNIT_BYTES)           \
	F(S, U64, rss_bytes, WITH(status_state),                                                   \
		"resident memory of the process, as the kernel counts it",                         \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, U64, rss_peak_bytes, WITH(status_state),                                              \
		"highest resident memory of the process so far", .unit = SOOTH_UNIT_BYTES)         \
	F(S, U64, rss_anonymous_bytes, WITH(status_state),                                         \
		"resident anonymous memory of the process (heap, stacks)",                         \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, U64, rss_file_bytes, WITH(status_state), "resident pages of mapped files",            \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, U64, rss_shared_bytes, WITH(status_state),                                            \
		"resident pages of shared memory and tmpfs", .unit = SOOTH_UNIT_BYTES)             \
	F(S, U64, swap_bytes, WITH(status_state), "memory that is swapped out",                    \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, U64, locked_bytes, WITH(status_state), "memory locked against swapping",              \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, U64, pss_bytes, MAYBE(pss_state), "sum over the mappings; " PSS,                      \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, U32, mappings, MAYBE(mappings_state), "number of memory mappings of the process")     \
	F(S, U32, mappings_max, MAYBE(max_state),                                                  \
		"maximum mappings of a process (vm.max_map_count)")

ROW_TABLE(maps_memory, MAPS_MEMORY_ROW, "map_memory", maps_memory_row,
	.line = "{pid}: {rss_bytes} resident (peak {rss_peak_bytes}): {rss_anonymous_bytes} "
		"anonymous, {rss_file_bytes} of files, {rss_shared_bytes} shared; {swap_bytes} "
		"swapped, {locked_bytes} locked\naddress space {vsz_bytes} (peak {vsz_peak_bytes}) "
		"in {mappings mapping} of {mappings_max} allowed");

/* --- the view --- */

#define ROWS_FOR_PEOPLE 40

#define CLASS_COLUMNS                                                                              \
	"pid,class,mappings,size_bytes,reserved_bytes,rss_bytes,pss_bytes,dirty_bytes,swap_bytes"
#define MAPPING_COLUMNS                                                                            \
	"pid,start_address,size_bytes,rss_bytes,pss_bytes,dirty_bytes,swap_bytes,protection,"      \
	"class,path"

static int init(void *state, struct output *output, const void *options, struct sooth_error *err)
{
	(void)options;
	(void)err;
	process_view_init(state, output, MAPS_PROCESS);
	return 0;
}

/* --- sums --- */

static int emit_memory(void *state, const struct snapshot *one, struct sooth_error *err)
{
	struct process_view *v = state;
	const struct maps_process *p = snapshot_end(one, sizeof(*p));
	struct maps_memory_row row = { .record = row_head(&one->id) };
	struct map_total totals[MAP_CLASSES];

	if (!p)
		return 0;
	row.vsz_bytes = p->vsz_bytes;
	row.vsz_peak_bytes = p->vsz_peak_bytes;
	row.rss_bytes = p->rss_bytes;
	row.rss_peak_bytes = p->rss_peak_bytes;
	row.rss_anonymous_bytes = p->rss_anonymous_bytes;
	row.rss_file_bytes = p->rss_file_bytes;
	row.rss_shared_bytes = p->rss_shared_bytes;
	row.swap_bytes = p->swap_bytes;
	row.locked_bytes = p->locked_bytes;
	row.mappings = p->mappings;
	row.mappings_max = p->mappings_max;
	row.status_state = p->status_state;
	row.mappings_state = p->mappings_state;
	row.max_state = p->max_state;
	row.pss_state = p->figures_state;
	if (map_totals(one, totals))
		return error_no_memory(err);
	for (size_t i = 0; i < MAP_CLASSES; i++)
		row.pss_bytes += totals[i].pss_bytes;
	return OUTPUT_ROW(v->output, &row, NULL, 0, err);
}

static const struct section memory_section = SECTION_OF("map_memory", maps_memory_schema, TABLE,
	.title = "memory", .if_empty = "nothing could be read");

/* --- classes --- */

static bool comes_before(const struct map_total *a, const struct map_total *b)
{
	return a->rss_bytes != b->rss_bytes ? a->rss_bytes > b->rss_bytes
					    : a->size_bytes > b->size_bytes;
}

static int emit_classes(void *state, const struct snapshot *one, struct sooth_error *err)
{
	struct process_view *v = state;
	struct map_total totals[MAP_CLASSES];
	uint32_t order[MAP_CLASSES];
	int status = map_totals(one, totals) ? error_no_memory(err) : 0;

	for (uint32_t i = 0; i < MAP_CLASSES; i++) {
		uint32_t at = i;

		for (; at && !comes_before(&totals[order[at - 1]], &totals[i]); at--)
			order[at] = order[at - 1];
		order[at] = i;
	}
	for (uint32_t i = 0; i < MAP_CLASSES && !status; i++) {
		const struct map_total *t = &totals[order[i]];
		struct maps_class_row row = { .record = row_head(&one->id),
			.mappings = t->mappings,
			.size_bytes = t->size_bytes,
			.reserved_bytes = t->reserved_bytes,
			.rss_bytes = t->rss_bytes,
			.pss_bytes = t->pss_bytes,
			.dirty_bytes = t->dirty_bytes,
			.swap_bytes = t->swap_bytes,
			.class_ = order[i],
			.figures_state = t->figures_state };

		if (t->mappings)
			status = OUTPUT_ROW(v->output, &row, NULL, 0, err);
	}
	return status;
}

static const struct section classes_section = SECTION_OF("memory_classes", maps_class_schema, TABLE,
	.title = "memory by purpose", .columns = CLASS_COLUMNS);

/* --- mappings --- */

struct placed {
	const struct maps_mapping *mapping;
	uint8_t class_;
};

static int largest_first(const void *a, const void *b)
{
	const struct maps_mapping *left = ((const struct placed *)a)->mapping;
	const struct maps_mapping *right = ((const struct placed *)b)->mapping;

	if (left->rss_bytes != right->rss_bytes)
		return left->rss_bytes < right->rss_bytes ? 1 : -1;
	return (left->from > right->from) - (left->from < right->from);
}

static int emit_mapping(struct process_view *v, const struct placed *p, struct sooth_error *err)
{
	const struct maps_mapping *m = p->mapping;
	struct maps_mapping_row row = { .record = row_head_like(&m->record),
		.from = m->from,
		.to = m->to,
		.offset = m->offset,
		.inode = m->inode,
		.size_bytes = m->to - m->from,
		.reserved_bytes = map_reserved_bytes(m),
		.rss_bytes = m->rss_bytes,
		.pss_bytes = m->pss_bytes,
		.dirty_bytes = m->shared_dirty_bytes + m->private_dirty_bytes,
		.swap_bytes = m->swap_bytes,
		.shared_clean_bytes = m->shared_clean_bytes,
		.shared_dirty_bytes = m->shared_dirty_bytes,
		.private_clean_bytes = m->private_clean_bytes,
		.private_dirty_bytes = m->private_dirty_bytes,
		.anonymous_bytes = m->anonymous_bytes,
		.huge_bytes = m->huge_bytes,
		.locked_bytes = m->locked_bytes,
		.device_major = m->device_major,
		.device_minor = m->device_minor,
		.page_bytes = m->page_bytes,
		.class_ = p->class_,
		.protection = m->protection,
		.is_deleted = m->is_deleted,
		.flags = m->flags,
		.figures_state = m->figures_state,
		.path_state = m->path_state,
		.flags_state = m->flags_state,
		.page_state = m->page_bytes ? SOOTH_STATE_VALUE : m->figures_state };
	struct record_tail tail[] = { tail_text(&row.path, &m->record, &m->path) };

	if (!m->page_bytes && m->figures_state == SOOTH_STATE_VALUE)
		row.page_state = SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED);
	return OUTPUT_ROW(v->output, &row, tail, 1, err);
}

static int emit_mappings(void *state, const struct snapshot *one, struct sooth_error *err)
{
	_cleanup_free_ struct placed *all = NULL;
	_cleanup_free_ uint8_t *classes = NULL;
	struct map_facts facts;
	int status = map_facts_gather(&facts, one);

	all = calloc(facts.count + 1, sizeof(*all));
	classes = calloc(facts.count + 1, 1);
	if (status || !all || !classes) {
		status = error_no_memory(err);
	} else {
		map_classify(&facts, classes);
		for (size_t i = 0; i < facts.count; i++)
			all[i] = (struct placed){ facts.mappings[i], classes[i] };
		qsort(all, facts.count, sizeof(*all), largest_first);
		for (size_t i = 0; i < facts.count && !status; i++)
			status = emit_mapping(state, &all[i], err);
	}
	map_facts_fini(&facts);
	return status;
}

static const struct section mappings_section = SECTION_OF("maps", maps_mapping_row_schema, TABLE,
	.title = "mappings, largest resident first", .columns = MAPPING_COLUMNS,
	.if_empty = "no mapping could be read", .rows_most = ROWS_FOR_PEOPLE);

/* --- runtimes --- */

static int emit_runtimes(void *state, const struct snapshot *one, struct sooth_error *err)
{
	struct process_view *v = state;
	const struct batch records = snapshot_records(one);
	int status = 0;

	batch_for_each (r, &records) {
		const struct maps_runtime_found *f = record_as(r, MAPS_RUNTIME, sizeof(*f));
		struct maps_runtime_row row = { .record = row_head(&one->id) };
		struct record_tail tail[1];

		if (!f || status)
			continue;
		row.runtime = f->runtime;
		tail[0] = tail_text(&row.why, r, &f->why);
		status = OUTPUT_ROW(v->output, &row, tail, 1, err);
	}
	return status;
}

static const struct section runtimes_section = SECTION_OF("map_runtimes", maps_runtime_schema,
	TABLE, .title = "runtimes and allocators", .columns = "pid,runtime,reason");

/* --- all --- */

static void emit_limit_notes(struct process_view *v)
{
	snapshots_for_each (v->input, one) {
		const struct maps_process *p = snapshot_end(one, sizeof(*p));

		if (p && p->mappings_state == SOOTH_STATE_TRUNCATED)
			output_limit(v->output, "some mappings",
				"a process has more mappings than sooth can read; the rest is left "
				"out",
				"");
	}
	if (v->input->refused)
		output_limit(v->output, "some processes", "there is more data than sooth can keep",
			"select fewer processes with -p");
}

static int finish(void *state, struct sooth_error *err)
{
	static const struct {
		const struct section *section;
		process_emitter emit;
	} parts[] = {
		{ &memory_section, emit_memory },
		{ &classes_section, emit_classes },
		{ &runtimes_section, emit_runtimes },
		{ &mappings_section, emit_mappings },
	};
	int status = 0;

	for (size_t i = 0; i < ARRAY_SIZE(parts) && !status; i++)
		status = process_view_emit(state, parts[i].section, parts[i].emit, err);
	emit_limit_notes(state);
	return status;
}

const struct stage_type stage_maps = {
	.name = "maps",
	.help = "memory by use, and every memory mapping",
	.probe = "maps",
	.shows = "maps",
	.state_size = sizeof(struct process_view),
	.init = init,
	.push = process_view_push,
	.finish = finish,
	.fini = process_view_fini,
};
