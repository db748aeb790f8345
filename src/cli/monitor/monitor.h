/* SPDX-License-Identifier: BSD-2-Clause */
/* The monitor: FIFOs of records, each fed while a process reads it. */
#ifndef SOOTH_CLI_MONITOR_H
#define SOOTH_CLI_MONITOR_H

#include "cli/selected/target_found.h"

struct monitor_options {
	const char *fifo_folder;	   /* NULL: ~/.claude/fifos */
	const struct target_found *target; /* NULL: every agent, also those to come */
	const char *control;		   /* name of a socket; NULL: none */
	uint64_t duration_ns;		   /* 0: until it is stopped */
	uint64_t buffer_bytes;	    /* of each kind of records, and for each reader; 0: 8 MiB */
	bool has_history;	    /* what sessions do is kept */
	const char *history_folder; /* NULL: ~/.local/state/sooth/history */
	uint64_t history_bytes;	    /* at most; 0: 64 MiB */
	uint64_t sample_ns;	    /* between two samples for it; 0: 2 s */
	/* Puts the settings of now into the options, of which only those of the history are applied
	 * while it runs. NULL: SIGHUP ends it. */
	int (*reload)(void *user, struct monitor_options *options, struct sooth_error *err);
	void *user;
};

/* 0 or a negative errno with err filled. */
int monitor_run(const struct monitor_options *options, struct sooth_error *err);

#endif
