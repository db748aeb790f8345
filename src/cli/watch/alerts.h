/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Thresholds: an alert is reported once when a process exceeds one, and once when it is well below
 * again or has exited. As a sink it sees the rows of the screen or the reports.
 */
#ifndef SOOTH_CLI_ALERTS_H
#define SOOTH_CLI_ALERTS_H

#include <sys/types.h>

#include "base/map.h"
#include "cli/screen/screen.h"

/* Cleared only below this fraction of the threshold, so that a value near it does not alternate. */
#define ALERT_CLEAR_AT 0.9

/* Programs that run at the same time; a further alert is reported and starts none. */
#define ALERT_COMMANDS_MAX 8

struct alert_options {
	double cpu_percent; /* 0: none */
	uint64_t rss_bytes; /* 0: none */
	bool has_bell;
	const char *command; /* a program that gets each as JSON on its input; NULL: none */
};

struct alerts {
	struct alert_options options;
	struct screen *screen;		   /* where to report; NULL: standard error */
	struct map raised;		   /* alert_key -> struct raised_alert */
	const struct sooth_schema *schema; /* of the rows, which are copied */
	uint32_t frame;
	pid_t commands[ALERT_COMMANDS_MAX]; /* running programs; 0: none */
};

void alerts_init(struct alerts *a, const struct alert_options *options);
void alerts_fini(struct alerts *a);
/* Its user is the struct alerts. */
extern const struct sink_type alert_sink;

#endif
