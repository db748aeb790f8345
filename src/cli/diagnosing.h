/* SPDX-License-Identifier: BSD-2-Clause */
/* What every way to diagnose shares: who is meant, what is observed of them, and how the
 * detectors are set. */
#ifndef SOOTH_CLI_DIAGNOSING_H
#define SOOTH_CLI_DIAGNOSING_H

#include "analyze/overview/bundle.h"
#include "analyze/diagnosis/findings.h"
#include "cli/agents/labels.h"
#include "cli/run.h"

#define DIAGNOSING_NS (5 * NS_PER_S)

struct diagnosing {
	/* Filled by the command. */
	bool is_deep;	      /* also what takes long to find out */
	bool is_quick;	      /* one look; a duration is of the processes' CPU alone */
	bool wants_calls;     /* also the system calls of those that are meant */
	const char *session;  /* only that one; NULL: see arguments */
	const char *agent;    /* only what is itself this one; NULL: all agents' */
	uint64_t duration_ns; /* 0: the usual */
	uint64_t watch_ns;    /* judged again and again, after so long each time; 0: once */
	const struct option_list *set; /* NULL: nothing */
	const char *bundle_path;       /* a report to hand on goes there; NULL: none does */

	/* Filled by diagnosing_begin(). */
	struct check_settings settings;
	struct labels labels;
	struct sockets_options peers;
	struct findings_options options;
	struct bundle_options bundle;
	struct findings_reported told;
	struct buffer meant; /* uint32_t */
	struct buffer gone;  /* uint32_t: of those who were named who is not there */
	char gone_text[256];
	bool is_gone;	    /* everybody who was named: only what is left of them can be told */
	bool has_calls;	    /* system calls are among the probes */
	char no_calls[512]; /* why not although they were wanted; empty: nothing refused them */
};

/* The detectors' own, what the user's file says instead, and behind that `set` (NULL: nothing). */
int diagnosing_settings(
	struct check_settings *settings, const struct option_list *set, struct sooth_error *err);
/* Reads what the user has set, finds who is meant, and completes the run. */
int diagnosing_begin(struct diagnosing *d, struct run *run, struct sooth_error *err);
/*
 * The run itself. Of who was named and is gone it is told what the kernel still knows; when that is
 * nothing it is an error, as for any other command, whoever else is there.
 */
int diagnosing_run(struct diagnosing *d, struct run *run, struct sooth_error *err);
/*
 * After a run that failed: when that was for its system calls, they are taken out of it, no_calls
 * says why, so does the report, and it may be run again.
 */
bool diagnosing_without_calls(
	struct diagnosing *d, struct run *run, const struct sooth_error *refusal);
/* Of a run that told what it could: 3 when system calls were wanted and could not be had. */
int diagnosing_exit(const struct diagnosing *d);
void diagnosing_end(struct diagnosing *d);

#endif
