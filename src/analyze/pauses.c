/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/pauses.h"

#include <stdio.h>

#include "analyze/records.h"
#include "base/units.h"
#include "model/schema.h"
#include "probes/pause.h"

static const struct sooth_field fields[] = {
	FIELD_NUMBER(pauses_row, count, "how often all threads were held"),
	FIELD_NUMBER(pauses_row, held_ns, "from asking for it to running again, all together",
		.unit = SOOTH_UNIT_NS),
	FIELD_NUMBER(pauses_row, until_held_ns_max,
		"the longest time from asking until the last thread stood", .unit = SOOTH_UNIT_NS),
	FIELD_NUMBER(pauses_row, reserve_ns_min,
		"the shortest time for which the rest of the ring would have lasted",
		.unit = SOOTH_UNIT_NS),
	FIELD_NUMBER(pauses_row, refused, "threads that could not be held"),
	FIELD_NUMBER(pauses_row, late, "holds that took longer than the ring lasted"),
};

const struct sooth_schema pauses_schema = {
	.name = "holds",
	.class_ = SOOTH_CLASS_ROW,
	.fixed_size = sizeof(struct pauses_row),
	.line = "pauses: {count}, {held_ns} in all; stopping all threads took up to "
		"{until_held_ns_max}, with {reserve_ns_min} of buffer left",
	SCHEMA_FIELDS(fields),
};

const struct section pauses_section = {
	.name = "holds",
	.schema = &pauses_schema,
	.shape = SECTION_OBJECT,
};

void pauses_init(struct pauses *h)
{
	*h = (struct pauses){ .row.reserve_ns_min = UINT64_MAX };
}

void pauses_take(struct pauses *h, const struct sooth_record *r, uint16_t kind)
{
	const struct pause_event *one = record_as(r, kind, sizeof(*one));
	struct pauses_row *row = &h->row;
	uint64_t until_ns;

	if (!one)
		return;
	until_ns = one->stopped_ns > one->asked_ns ? one->stopped_ns - one->asked_ns : 0;
	row->count++;
	row->held_ns += r->time_ns > one->asked_ns ? r->time_ns - one->asked_ns : 0;
	row->refused += one->refused;
	row->late += until_ns > one->reserve_ns;
	h->lost_to_ring = one->lost;
	if (until_ns > row->until_held_ns_max)
		row->until_held_ns_max = until_ns;
	if (one->reserve_ns < row->reserve_ns_min)
		row->reserve_ns_min = one->reserve_ns;
}

void pauses_note_late(const struct pauses *h, struct output *output, const char *what)
{
	const struct pauses_row *row = &h->row;
	char reason[192], took[UNITS_SIZE], left[UNITS_SIZE];

	if (!row->late || !h->lost_to_ring)
		return;
	snprintf(reason, sizeof(reason),
		"%llu of %llu pauses took longer (up to %s) than the rest of the buffer lasted "
		"(down to %s)",
		(unsigned long long)row->late, (unsigned long long)row->count,
		format_ns(took, row->until_held_ns_max), format_ns(left, row->reserve_ns_min));
	output_limit(output, what, reason, "use a larger buffer: --buffer");
}

int pauses_emit(struct pauses *h, struct output *output, const char *what, struct sooth_error *err)
{
	int status;

	pauses_note_late(h, output, what);
	if (!h->row.count)
		return 0;
	status = output_section(output, &pauses_section, err);
	return status ? status : OUTPUT_ROW(output, &h->row, NULL, 0, err);
}
