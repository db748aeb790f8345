/* SPDX-License-Identifier: BSD-2-Clause */
/* The monitor: FIFOs of records, each written while a process reads it. */
#pragma once

#include "cli/monitor/metrics.h"
#include "cli/otlp/push.h"
#include "cli/selected/target_found.h"
#include "cli/watch/alerts.h"

struct monitor_options {
	const char *fifo_folder;	   /* NULL: ~/.claude/fifos */
	const struct target_found *target; /* NULL: every agent, also later ones */
	const char *control;		   /* name of a socket; NULL: none */
	uint64_t duration_ns;		   /* 0: until it is stopped */
	uint64_t buffer_bytes;		   /* size per kind of record, and per reader; 0: 8 MiB */
	bool has_history;		   /* keep a history of what sessions do */
	const char *history_folder;	   /* NULL: ~/.local/state/sooth/history */
	uint64_t history_bytes;		   /* maximum size; 0: 64 MiB */
	uint64_t max_overhead_percent;	   /* of the CPU time of the observed processes */
	uint64_t sample_ns;		   /* time between samples of agents; 0: 2 s */
	struct metrics_options metrics;
	struct otlp_push_options otlp;	    /* the collector of OpenTelemetry */
	const struct alert_options *alerts; /* on findings; NULL: none */
	/* Called on SIGHUP: reads the settings again; only those of the history take effect while
	 * the monitor runs. NULL: SIGHUP ends the monitor. */
	int (*reload)(void *user, struct monitor_options *options, struct sooth_error *err);
	/* Drops what reload() has read: the monitor goes on with the options of before. */
	void (*undo_reload)(void *user);
	void *user;
};

/* Runs the monitor. Returns 0, or a negative errno with err filled. */
int monitor_run(const struct monitor_options *options, struct sooth_error *err);
