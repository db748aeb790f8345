/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/phases/phase_tracks.h"

#include <stdlib.h>

#include "analyze/phases/phase_rows.h"
#include "analyze/records.h"
#include "base/cleanup.h"
#include "base/units.h"

#define SESSIONS_MOST	16
#define ROWS_FOR_PEOPLE 24
#define PERCENT		100.0

static const struct section sections[PHASE_TRACK_GROUPS] = {
	[PHASE_TRACKS_STATES] = { .name = "phase_activity",
		.title = "activity over time (percent of the time)",
		.schema = &phase_share_track_schema,
		.shape = SECTION_TABLE,
		.parts = "track",
		.rows_most = ROWS_FOR_PEOPLE },
	[PHASE_TRACKS_CPU] = { .name = "phase_cpu",
		.title = "CPU of each session (percent of one core)",
		.schema = &phase_cpu_track_schema,
		.shape = SECTION_TABLE,
		.rows_most = ROWS_FOR_PEOPLE },
	[PHASE_TRACKS_MEMORY] = { .name = "phase_memory",
		.title = "resident memory of each session",
		.schema = &phase_memory_track_schema,
		.shape = SECTION_TABLE,
		.rows_most = ROWS_FOR_PEOPLE },
};

/* The tracks of one session. */
struct tracks {
	struct track whole;
	struct track states[ACTIVITY_STATES];
	double values[TRACK_BUCKETS + 1];
};

static void fill_tracks(struct tracks *t, const struct phase_history *h, uint32_t agent,
	struct track_axis *axis, enum phase_track_group group)
{
	size_t count;
	const struct phase_piece *all = phase_pieces(h, &count);

	*t = (struct tracks){ .whole.kind =
				      group == PHASE_TRACKS_MEMORY ? TRACK_LEVEL : TRACK_RATE };
	for (size_t i = 0; i < count; i++) {
		const struct phase_piece *p = &all[i];
		double s = (double)(p->end_utc_ns - p->begin_utc_ns) / (double)NS_PER_S;

		if (p->agent != agent)
			continue;
		if (group == PHASE_TRACKS_STATES) {
			track_rate(&t->whole, axis, p->begin_utc_ns, p->end_utc_ns, PERCENT * s);
			track_rate(&t->states[p->state], axis, p->begin_utc_ns, p->end_utc_ns,
				PERCENT * s);
		} else if (group == PHASE_TRACKS_CPU) {
			track_rate(&t->whole, axis, p->begin_utc_ns, p->end_utc_ns,
				PERCENT * (double)p->cpu_ns / (double)NS_PER_S);
		} else if (p->rss_bytes) {
			track_level(&t->whole, axis, p->begin_utc_ns, p->end_utc_ns,
				(double)p->rss_bytes);
		}
	}
}

static int emit_track(struct output *o, const struct phase_agent *a, struct tracks *t,
	struct track *track, const char *name, struct track_axis *axis, struct sooth_error *err)
{
	struct phase_track_row row = { .record = { .start_ticks = a->start_ticks, .pid = a->pid } };
	struct track_values v =
		track_values(track, track == &t->whole ? NULL : &t->whole, axis, t->values);
	struct buffer session = { 0 };
	int status;

	if (!v.has_any)
		return 0;
	buffer_format(&session, "%s%s%s", a->agent, *a->project ? " " : "", a->project);
	struct record_tail tail[] = {
		tail_buffer(&row.session, &session),
		tail_string(&row.track, name),
		{ &row.values, t->values, track_axis_count(axis) * sizeof(double) },
	};
	status = OUTPUT_ROW(o, &row, tail, ARRAY_SIZE(tail), err);
	buffer_fini(&session);
	return status;
}

static int emit_session(struct output *o, const struct phase_agent *a, struct tracks *t,
	struct track_axis *axis, enum phase_track_group group, struct sooth_error *err)
{
	static const char *const names[PHASE_TRACK_GROUPS] = { "observed", "CPU", "resident" };
	int status = emit_track(o, a, t, &t->whole, names[group], axis, err);

	for (size_t i = 0; group == PHASE_TRACKS_STATES && i < ACTIVITY_STATES && !status; i++)
		status = emit_track(o, a, t, &t->states[i],
			i ? activity_state_names.names[i] : "unknown", axis, err);
	return status;
}

int phase_tracks_emit(struct output *o, const struct phase_history *h,
	const struct phase_session_sum *const *order, size_t count, struct track_axis *axis,
	enum phase_track_group group, struct sooth_error *err)
{
	_cleanup_free_ struct tracks *t = malloc(sizeof(*t));
	int status = t ? output_section(o, &sections[group], err) : error_no_memory(err);

	for (size_t i = 0; i < count && i < SESSIONS_MOST && !status; i++) {
		size_t position = order[i]->agent - 1;
		void *agent = NULL;

		map_next(&h->agents, &position, NULL, &agent);
		fill_tracks(t, h, order[i]->agent, axis, group);
		status = emit_session(o, agent, t, axis, group, err);
	}
	return status;
}
