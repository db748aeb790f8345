/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/pauses.h"

#include <assert.h>
#include <stdio.h>

#include "analyze/records.h"
#include "base/units.h"
#include "probes/pause.h"

ROW_SCHEMA(pauses, PAUSES_ROW, "pauses", pauses_row,
	.line = "pauses: {count}, {paused_ns} in total[; stopping all threads took up to "
		"{max_until_paused_ns}; the event buffer had room for at least {min_reserve_ns}]");

const struct section pauses_section = SECTION_OF("pauses", pauses_schema, OBJECT);

void pauses_init(struct pauses *h)
{
	*h = (struct pauses){ .row.min_reserve_ns = PAUSE_NO_RESERVE };
}

void pauses_add_record(struct pauses *h, const struct sooth_record *r, uint16_t kind)
{
	assert(h);
	assert(r);

	const struct pause_event *one = record_as(r, kind, sizeof(*one));
	struct pauses_row *row = &h->row;
	uint64_t until_ns;

	if (!one)
		return;
	until_ns = one->stopped_ns > one->asked_ns ? one->stopped_ns - one->asked_ns : 0;
	row->count++;
	row->paused_ns += r->time_ns > one->asked_ns ? r->time_ns - one->asked_ns : 0;
	row->refused += one->refused;
	row->late += until_ns > one->reserve_ns;
	h->lost_to_ring = one->lost;
	if (until_ns > row->max_until_paused_ns)
		row->max_until_paused_ns = until_ns;
	if (one->reserve_ns < row->min_reserve_ns)
		row->min_reserve_ns = one->reserve_ns;
}

void pauses_note_late(const struct pauses *h, struct output *output, const char *what)
{
	assert(h);

	const struct pauses_row *row = &h->row;
	char reason[192], took[UNITS_SIZE], left[UNITS_SIZE];

	if (!row->late || !h->lost_to_ring)
		return;
	snprintf(reason, sizeof(reason),
		"%llu of %llu pauses came too late: pausing took up to %s, and the event "
		"buffer could be full after %s",
		(unsigned long long)row->late, (unsigned long long)row->count,
		format_ns(took, row->max_until_paused_ns), format_ns(left, row->min_reserve_ns));
	output_limit(output, what, reason, "use a larger buffer, e.g. --buffer 128M");
}

void pauses_end(struct pauses *h)
{
	assert(h);

	struct pauses_row *row = &h->row;

	row->reserve_state =
		row->min_reserve_ns == PAUSE_NO_RESERVE ? SOOTH_STATE_ABSENT : SOOTH_STATE_VALUE;
}

int pauses_emit(struct pauses *h, struct output *output, const char *what, struct sooth_error *err)
{
	assert(h);
	pauses_note_late(h, output, what);
	if (!h->row.count)
		return 0;
	pauses_end(h);
	return OUTPUT_OBJECT(output, &pauses_section, &h->row, NULL, 0, err);
}
