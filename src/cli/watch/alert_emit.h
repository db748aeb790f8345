/* SPDX-License-Identifier: BSD-2-Clause */
/* Reporting an alert: on the screen or standard error, by the bell, to a program. */
#ifndef SOOTH_CLI_ALERT_EMIT_H
#define SOOTH_CLI_ALERT_EMIT_H

#include "cli/watch/alerts.h"

/* A threshold on a field of the rows. */
struct alert_watched {
	const char *alert, *field, *unit;
	unsigned decimals;
};

struct alert_key {
	uint64_t start_ticks;
	uint32_t pid;
	uint32_t kind;
};

/* A threshold was exceeded, or the alert is cleared. */
struct alert_event {
	const struct alert_watched *what;
	struct alert_key key;
	const struct sooth_record *row; /* the last row; NULL: it could not be kept */
	const struct sooth_schema *schema;
	const char *name;
	bool is_raised, has_ended;
	double value, threshold;
};

void alert_emit(struct alerts *a, const struct alert_event *e);
/* Frees the slots of programs that have exited. */
void alert_reap(struct alerts *a);

#endif
