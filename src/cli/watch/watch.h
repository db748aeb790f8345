/* SPDX-License-Identifier: BSD-2-Clause */
/* A repeated run: one report after the other, or a screen of the caller's. */
#ifndef SOOTH_CLI_WATCH_H
#define SOOTH_CLI_WATCH_H

#include "cli/watch/alerts.h"

struct sooth_report;

/* A screen for the frames. */
struct watch_front {
	const struct sink_type *sink;
	void *user;		     /* of the sink */
	bool (*step)(void *stepped); /* to be called often; false: the user has quit */
	/* For a key, until something else is due. */
	void (*wait)(void *stepped);
	void *stepped;
	void (*say)(void *stepped, const char *text); /* a line, such as an alert */
	/* It reports the findings that it has itself: alert_on_finding(). NULL: it has none. */
	void (*take_alerts)(void *stepped, struct alerts *alerts);
	const uint64_t *interval_ns; /* between frames, now; NULL: it does not change */
};

struct watch_options {
	const char *schema;		    /* name of the schema whose records end a frame */
	uint64_t interval_ns;		    /* between frames; a long one is announced. 0: not */
	bool in_intervals;		    /* one table after the other, the last one of all */
	const struct alert_options *alerts; /* NULL: none */
	const struct watch_front *front;    /* NULL: one report after the other */
};

/* A number behind -w may be a mistyped PID. */
void watch_announce(uint64_t interval_ns);
/* Begins alerts of a report; a front reports what it finds itself. */
int watch_alerts(struct alerts *a, const struct alert_options *options,
	const struct watch_front *front, struct sooth_report *report, struct sooth_error *err);

#endif
