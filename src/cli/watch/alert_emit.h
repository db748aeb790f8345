/* SPDX-License-Identifier: BSD-2-Clause */
/* What is told of an alert, and to whom: the screen or standard error, the bell, a program. */
#ifndef SOOTH_CLI_ALERT_EMIT_H
#define SOOTH_CLI_ALERT_EMIT_H

#include "cli/watch/alerts.h"

/* What is watched: a field of the rows, and the threshold. */
struct alert_watched {
	const char *alert, *field, *unit;
	unsigned decimals;
};

struct alert_key {
	uint64_t start_ticks;
	uint32_t pid;
	uint32_t kind;
};

/* A threshold was passed, or it is over. */
struct alert_event {
	const struct alert_watched *what;
	struct alert_key key;
	const struct sooth_record *row; /* as it was last seen; NULL: it could not be kept */
	const struct sooth_schema *schema;
	const char *name;
	bool is_raised, has_ended;
	double value, threshold;
};

void alert_emit(struct alerts *a, const struct alert_event *e);
/* Programs that have ended give their places up. */
void alert_reap(struct alerts *a);

#endif
