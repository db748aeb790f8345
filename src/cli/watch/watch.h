/* SPDX-License-Identifier: BSD-2-Clause */
/* A repeated run: one report after the other, or a screen of the caller's. */
#pragma once

#include "cli/watch/alerts.h"

struct sooth_report;

/* A screen for the frames. */
struct watch_front {
	const struct sink_type *sink;
	void *user;		     /* of the sink */
	bool (*step)(void *stepped); /* called often; false: the user has quit */
	/* Waits for a key, until something else is due. */
	void (*wait)(void *stepped);
	void *stepped;
	void (*say)(void *stepped, const char *text); /* a line, such as an alert */
	/* Passes the alerts to a front that calls alert_on_finding() for its own findings. NULL:
	 * it has none. */
	void (*take_alerts)(void *stepped, struct alerts *alerts);
	const uint64_t *interval_ns; /* current time between frames; NULL: constant */
};

struct watch_options {
	const char *schema;		    /* name of the schema whose records end a frame */
	uint64_t interval_ns;		    /* between frames; announced if long. 0: not repeated */
	bool in_intervals;		    /* a table per interval, then one of the whole run */
	const struct alert_options *alerts; /* NULL: none */
	const struct watch_front *front;    /* NULL: one report after the other */
};

/* Announces a long interval: a number after -w may be a mistyped PID. */
void watch_announce(uint64_t interval_ns);
/* Begins the alerts of a report; a front reports its own findings. */
int watch_alerts(struct alerts *a, const struct alert_options *options,
	const struct watch_front *front, struct sooth_report *report, struct sooth_error *err);
