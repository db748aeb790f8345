/* SPDX-License-Identifier: BSD-2-Clause */
/* What the parts of the alerts share: what is raised now, and by which row. */
#ifndef SOOTH_CLI_ALERT_STATE_H
#define SOOTH_CLI_ALERT_STATE_H

#include "cli/watch/alert_emit.h"
#include "explain/sink.h"

struct raised_alert {
	uint32_t frame;	   /* frame in which it was last seen */
	uint32_t state;	   /* of an activity */
	bool is_reported;  /* of an end */
	struct buffer row; /* its row then: needed when the process is gone */
};

void alert_copy_name(
	char out[64], const struct sooth_schema *schema, const struct sooth_record *row);
/* A zombie stays in the table with values of its last moment. */
bool alert_has_ended(const struct sooth_schema *schema, const struct sooth_record *row);
void alert_keep(struct raised_alert *known, const struct alerts *a, const struct alert_event *e);
const struct sooth_record *alert_row(const struct raised_alert *known);

#endif
