/* SPDX-License-Identifier: BSD-2-Clause */
/* What is kept of an alert that is raised. */
#include "cli/watch/alert_state.h"

#include <stdio.h>
#include <string.h>

#include "cli/watch/alerts.h"

void alert_copy_name(
	char out[64], const struct sooth_schema *schema, const struct sooth_record *row)
{
	const struct sooth_field *f = sooth_schema_field(schema, "name");
	struct sooth_value v = { .state = SOOTH_STATE_ABSENT };

	if (f && row)
		v = sooth_field_get(f, row);
	out[0] = '\0';
	if (value_is_there(&v))
		snprintf(out, 64, "%.*s", (int)v.text.size, v.text.data);
}

/* A zombie stays in the table with values of its last moment. */
bool alert_has_ended(const struct sooth_schema *schema, const struct sooth_record *row)
{
	const struct sooth_field *f = sooth_schema_field(schema, "state");
	struct sooth_value v;

	if (!f)
		return false;
	v = sooth_field_get(f, row);
	return value_is_there(&v) && v.text.size && (*v.text.data == 'Z' || *v.text.data == 'X');
}

void alert_keep(struct raised_alert *known, const struct alerts *a, const struct alert_event *e)
{
	known->frame = a->frame;
	if (e->has_ended)
		return; /* an exited process may have lost its name */
	buffer_reset(&known->row);
	buffer_append(&known->row, e->row, record_bytes(e->row));
}

const struct sooth_record *alert_row(const struct raised_alert *known)
{
	return known->row.size && !buffer_failed(&known->row) ? (const void *)known->row.data
							      : NULL;
}
