/* SPDX-License-Identifier: BSD-2-Clause */
/* Options of the stages that diagnose. */
#pragma once

#include <sooth/probe_options.h>

#include "analyze/diagnosis/check_settings.h"
#include "analyze/processes/processes.h"
#include "analyze/sockets/sockets.h"

/* The limit of a recording for which samples of stacks were requested, and refused. */
#define DIAGNOSIS_LIMIT_SAMPLES "stacks of busy threads"

/* The worst result, for the exit status. */
struct findings_reported {
	bool has_any;
	enum finding_severity worst;
	/* The highest severity that a refused check could have reported. */
	bool has_refused;
	enum finding_severity refused;
};

/* The first line of a diagnosis, as far as it is known now. */
struct findings_so_far {
	bool is_requested;  /* the view makes only this line, and emits no rows */
	struct buffer line; /* without escapes; empty: nothing is known yet */
	const char *color;  /* color of the finding's severity; NULL: there is no finding */
};

/* The recording of calls that a diagnosis needs: findings use only a part of the calls. */
extern const struct sooth_calls_options diagnosis_calls;

struct findings_options {
	const struct check_settings *settings; /* NULL: the built-in ones */
	const struct sockets_options *labels;  /* labels of peers; NULL: the built-in ones */
	bool is_verbose;		       /* also show processes without a finding */
	uint64_t interval_ns;		  /* time between diagnoses of "finding-changes"; 0: 10 s */
	struct findings_reported *result; /* NULL: not needed */
	struct findings_so_far *so_far;	  /* NULL: never requested */
	/* Only processes that run this agent's program; NULL: all selected ones. */
	const char *agent;
	bool is_one_look; /* skip detectors that need an interval */
	/* `result` leaves out checks of system calls that were refused: the user did not name them.
	 */
	bool are_calls_optional;
	/* Takes the answers of "finding-changes" as records (model/answer_records.h) when they end,
	 * each few minutes, and at the end; the view then has rows only with `has_rows`. NULL:
	 * rows. */
	int (*take)(void *user, const struct batch *answers, struct sooth_error *err);
	void *user;
	bool has_rows;
	bool needs_process; /* processes were named: without any of them there is no answer */
};
