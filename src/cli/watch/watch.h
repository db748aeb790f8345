/* SPDX-License-Identifier: BSD-2-Clause */
/* A repeated run: on a terminal a screen, elsewhere one report after the other. */
#ifndef SOOTH_CLI_WATCH_H
#define SOOTH_CLI_WATCH_H

#include "cli/watch/alerts.h"
#include "cli/output/output.h"
#include "cli/screen/screen.h"

struct sooth_report;

/* Another screen for the frames than the common one. */
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
	const char *schema; /* name of the schema whose records end a frame */
	const char *title;
	uint64_t interval_ns;		    /* between frames, for the title; 0: none */
	const struct screen_key *keys;	    /* NULL: none */
	const struct alert_options *alerts; /* NULL: none */
	bool is_tree;
	bool *has_screen;  /* set when a screen shows the frames; NULL: not needed */
	bool in_intervals; /* never a screen: one table after the other, the last one of all */
	const struct watch_front *front; /* NULL: the common screen */
};

/* NULL in *out: no terminal, or a format other than text. */
int watch_open(struct screen **out, const struct output_options *output,
	const struct watch_options *watch, struct sooth_report *report, struct sooth_error *err);
/* Begins alerts of a report, on either screen or on none; a front reports what it finds itself. */
int watch_alerts(struct alerts *a, const struct alert_options *options, struct screen *screen,
	const struct watch_front *front, struct sooth_report *report, struct sooth_error *err);
/* To be called often. False: the user has quit. */
bool watch_step(struct screen *s);

#endif
