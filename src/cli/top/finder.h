/* SPDX-License-Identifier: BSD-2-Clause */
/* Findings beside the list: `sooth diagnose -w --passive` runs as a process of its own, at its own
 * pace, and its rows are read from a pipe. */
#pragma once

#include "base/map.h"
#include "cli/command/own_command.h"
#include "cli/top/model.h"

#define FINDINGS_MAX	   256
#define FINDER_COLUMNS_MAX 32

#define TOP_FINDING_KEY 512
#define TOP_LEVEL_SICK	3 /* medium: a session with such a finding comes first */

struct top_finding {
	struct process_id id; /* zeros: the host */
	uint8_t level;	      /* 1 info to 5 critical */
	uint8_t run;	      /* number of the run that last reported the finding */
	bool has_ended;	      /* the finding was cleared because the process has ended */
	uint64_t seen_ns;     /* time at which the claim was made, on the monotonic clock */
	char name[48], claim[240], remedy[240];
	char answer[320];		  /* line of the cause that it belongs to; "": none */
	char key[TOP_FINDING_KEY];	  /* unique key from `sooth diagnose` */
	char answer_key[TOP_FINDING_KEY]; /* key of the finding that is this cause; "": unknown */
};

struct finder {
	struct own_command command;
	bool is_started, has_head;
	bool has_first; /* at least one diagnosis is complete */
	uint8_t run;	/* number of the current run of the command */
	uint64_t start_ns, interval_ns, wanted_ns;
	uint64_t complete_ns; /* time the last diagnosis was complete; 0: none */
	struct buffer text;
	/* Positions of the CSV columns, by the head line, from 1; 0: missing. */
	size_t state, severity, key, claim, remedy, found_id, answer, answer_key;
	struct top_finding findings[FINDINGS_MAX];
	size_t count;
};

/* Starts the command. The first diagnosis is short, so that findings come soon; later ones take
 * `wanted_ns`. */
void finder_start(struct finder *f, uint64_t wanted_ns);
/* Reads available output. True: findings changed. */
bool finder_update_findings(struct finder *f);
/* Takes CSV lines, complete or not. True: findings changed. */
bool finder_add_lines(struct finder *f, const char *text, size_t size);
/* Drops findings of processes that have ended. True: there were some. */
bool finder_drop_ended(struct finder *f);
bool top_finding_is(const struct top_finding *f, const char *key);
/* Returns whether the finding of another process is its cause, so that this one has no line. */
bool finder_is_effect(const struct finder *f, const struct top_finding *of);
/* Returns whether the process of the finding still runs, or may run. */
bool top_finding_is_alive(const struct top_finding *f);
/* Returns the worst finding of a process; NULL: none. */
const struct top_finding *finder_of(const struct finder *f, const struct process_id *id);
/* Sets the finding of each session: the worst one of its processes. */
void finder_set_session_findings(const struct finder *f, struct top_model *m);
/* Returns the age of the last complete diagnosis; negative: there is none. */
double finder_age_s(const struct finder *f);
void finder_end(struct finder *f);
