/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/timeline/allocator_use.h"

#include <math.h>
#include <string.h>

#include "analyze/maps/map_classes.h"
#include "analyze/records.h"
#include "analyze/timeline/timeline_rows.h"
#include "explain/stage.h"
#include "model/schema.h"

#define ALLOCATOR_USE_ROW(F, S)                                                                    \
	F(S, RECORD, U32, pid, pid, ALWAYS, "process id in the pid namespace of sooth")            \
	F(S, TEXT, process, ALWAYS, "name of the process (comm)", .may_shrink = true)              \
	F(S, U64, live_bytes, ALWAYS, "bytes of live blocks at its last look", .label = "LIVE",    \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, U64, resident_bytes, ALWAYS,                                                          \
		"resident memory of its allocator then, by the classes of its mappings",           \
		.label = "RESIDENT", .unit = SOOTH_UNIT_BYTES)                                     \
	F(S, REAL, percent, MAYBE(percent_state),                                                  \
		"share of it in live blocks; the rest is fragmented, or kept by the allocator. "   \
		"Not measured: blocks of before the observation are live too. Absent: large "      \
		"blocks have mappings of their own",                                               \
		.label = "USED", .unit = SOOTH_UNIT_PERCENT, .decimals = 0)

ROW_STRUCT(allocator_use_row, ALLOCATOR_USE_ROW);
ROW_SCHEMA(allocator_use, ALLOCATOR_USE_ROW, "allocator_use", allocator_use_row);

static const struct section use_section = SECTION_OF("allocator_use", allocator_use_schema, TABLE,
	.title = "live blocks, and the resident memory of the allocator");

static bool is_of_allocator(uint32_t class)
{
	return class == MAP_GLIBC_HEAP || class == MAP_GLIBC_ARENA || class == MAP_MIMALLOC ||
	       class == MAP_JEMALLOC || class == MAP_TCMALLOC || class == MAP_BRK ||
	       class == MAP_MALLOC_ZONE;
}

/* Values; NaN: there is no such track. */
struct use {
	double live, resident;
};

static struct use use_of(
	const struct timeline_tracker *tracker, const struct timeline_process *p, double *values)
{
	struct use use = { NAN, NAN };
	enum timeline_group group;
	size_t position = 0;
	struct track *track;
	uint32_t what;

	while ((track = timeline_track_next(p, &position, &group, &what))) {
		bool is_live = group == TIMELINE_HEAP;
		struct track_values found;

		if (!is_live && (group != TIMELINE_MEMORY || !what || !is_of_allocator(what - 1)))
			continue;
		found = track_values(track, NULL, &tracker->axis, values);
		if (found.has_any && is_live)
			use.live = found.last;
		else if (found.has_any)
			use.resident = (isnan(use.resident) ? 0 : use.resident) + found.last;
	}
	return use;
}

static int put_use(struct output *output, const struct timeline_process *p, struct use use,
	bool is_launched, struct sooth_error *err)
{
	struct allocator_use_row row = { .record = row_head(&p->id),
		.live_bytes = (uint64_t)use.live,
		.resident_bytes = (uint64_t)use.resident };
	struct record_tail tail[] = { tail_span(
		&row.process, span_of(p->name, strnlen(p->name, sizeof(p->name)))) };

	row.percent_state = !is_launched ? SOOTH_NOT_MEASURED(SOOTH_REASON_UNSEEN)
					 : state_if(use.live <= use.resident && use.resident > 0);
	if (row.percent_state == SOOTH_STATE_VALUE)
		row.percent = 100 * use.live / use.resident;
	return OUTPUT_ROW(output, &row, tail, 1, err);
}

int allocator_use_emit(struct output *output, const struct timeline_tracker *tracker,
	struct timeline_process *const *processes, size_t count, bool is_launched, double *values,
	struct sooth_error *err)
{
	bool has_section = false;
	int status = 0;

	for (size_t i = 0; i < count && !status; i++) {
		struct use use = use_of(tracker, processes[i], values);

		if (isnan(use.live) || isnan(use.resident))
			continue;
		if (!has_section)
			status = output_section(output, &use_section, err);
		has_section = true;
		if (!status)
			status = put_use(output, processes[i], use, is_launched, err);
	}
	return status;
}
