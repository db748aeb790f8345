/* SPDX-License-Identifier: BSD-2-Clause */
/* Alerts, each reported once when it is raised and once when it clears: a process exceeds a
 * threshold (clears well below it), an agent is in a chosen activity, a finding. The end of a
 * process is raised only. As a sink it sees the rows of the screen or the reports. */
#pragma once

#include <sys/types.h>

#include "base/map.h"
#include "cli/command/own_command.h"
#include "cli/watch/alert_choice.h"

/* Cleared only below this fraction of the threshold, so that a value near it does not alternate. */
#define ALERT_CLEAR_AT 0.9

/* Most programs that run at the same time; further alerts start none. */
#define ALERT_PROGRAMS_MAX 8

struct alert_program {
	pid_t pid; /* 0: none */
	bool is_notice;
};

struct alert_options {
	double cpu_percent; /* 0: none */
	uint64_t rss_bytes; /* 0: none */
	struct alert_choice on;
	bool is_any_end; /* the end of any listed process counts */
	/* Words of the `sooth diagnose -w` to start for alerts on findings; NULL: the rows are
	 * findings, or no such alerts are requested. */
	const char *const *finder;
	bool has_bell, has_desktop;
	const char *command; /* program that gets each alert as JSON on its input; NULL: none */
	bool is_users;	     /* `command` runs as the user of sudo */
};

struct alerts {
	void (*say)(void *said_to,
		const char *text); /* prints a text on a screen; NULL: on standard error */
	void *said_to;
	struct alert_options options;
	struct map raised;		   /* alert_key -> struct raised_alert */
	const struct sooth_schema *schema; /* schema of the rows, which are copied */
	uint32_t frame;
	struct own_command finder;
	struct buffer finder_text; /* output of `finder`; the last line may be incomplete */
	bool is_silent;		   /* print no lines: the report itself shows alerts */
	struct alert_program programs[ALERT_PROGRAMS_MAX];
	bool has_no_desktop, said_no_notice; /* see alert_programs.c */
};

void alerts_init(struct alerts *a, const struct alert_options *options);
/* Starts the command for the findings, if one is needed. */
void alerts_start(struct alerts *a);
void alerts_fini(struct alerts *a);
/* A finding for alert_on_finding(). */
struct alert_finding {
	uint64_t start_ticks;
	uint32_t pid; /* 0: of the host */
	const char *id, *severity, *claim, *remedy, *key;
	/* The last row of its process, and the row's schema; NULL: none. */
	const struct sooth_record *row;
	const struct sooth_schema *schema;
	bool is_raised, has_ended;
};
/* Handles a finding that the owner of the alerts has read itself; false: it is not chosen. */
bool alert_on_finding(struct alerts *a, const struct alert_finding *f);

/* A sink; its `user` is the struct alerts. */
extern const struct sink_type alert_sink;
