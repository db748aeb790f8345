/* SPDX-License-Identifier: BSD-2-Clause */
/* Reporting an alert: on the screen or standard error, by the bell, to a program. */
#pragma once

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

enum alert_kind { ALERT_CPU, ALERT_MEMORY, ALERT_ACTIVITY, ALERT_END, ALERT_FINDING };

/* An alert is raised or cleared. */
struct alert_event {
	const char *alert;		  /* name of the alert */
	const struct alert_watched *what; /* NULL: no threshold */
	struct alert_key key;
	const struct sooth_record *row; /* the last row; NULL: it could not be kept */
	const struct sooth_schema *schema;
	const struct alert_finding *finding; /* NULL: `row` is one, or the alert has none */
	const char *name;
	bool is_raised, has_ended;
	double value, threshold;
	/* Without a threshold: text after the process, as the target wrote it. */
	const char *text;
};

void alert_emit(struct alerts *a, const struct alert_event *e);
