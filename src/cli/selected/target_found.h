/* SPDX-License-Identifier: BSD-2-Clause */
/* The target that the options and words of a command line select, resolved here for all
 * commands. */
#pragma once

#include <sooth/observer.h>
#include <sooth/report.h>
#include "base/buffer.h"
#include "cli/command/target.h"

enum target_allowed {
	TARGET_MAY_BE_HOST = 1,	   /* no target means every process */
	TARGET_MAY_BE_COMMAND = 2, /* a command after "--" is allowed */
	TARGET_IS_HOST = 4,	   /* every process is scanned; the target selects among them */
	TARGET_SELECTS_ROWS = 8,   /* the target selects rows; --all adds rows */
	TARGET_KEEPS_MISSING = 16, /* PIDs without a process are kept */
};

struct target_found {
	const char *capture;  /* NULL: live processes */
	char *const *command; /* command to launch; NULL: none */
	bool is_host;	      /* every process */
	bool has_user;	      /* every process of a user, including later ones */
	uid_t user;
	struct buffer pids; /* uint32_t, each once */
	uint64_t *starts;   /* by index of `pids`, as target_found_identify() read them; owned;
			     * NULL: not read */
	bool is_searched;   /* some PIDs were found by a search, so one may have exited */
	size_t missing;	    /* number of given PIDs that were dropped, as they have no process */
	struct buffer
		note; /* lines about dropped PIDs and names of several processes; empty: none */
};

/* Finds the target. `found` is zeroed before and freed by target_found_fini(), also after a
 * failure. Names, sessions, agents and control groups are searched in a scan of the process table,
 * or in the capture. */
int target_find(const struct target_options *t, const struct arguments *a, unsigned allowed,
	struct target_found *found, struct sooth_error *err);
size_t target_found_count(const struct target_found *found);
const uint32_t *target_found_pids(const struct target_found *found);
/* Reads which processes have the PIDs now, for a command that goes on: a later process with one of
 * them is not selected. An error if one has no process. */
int target_found_identify(struct target_found *found, struct sooth_error *err);
/* Returns whether a process is selected: all are if the target is the host, or a user, whose
 * processes the observer selects. `found`: a
 * struct target_found; NULL: everything is selected. */
bool target_found_has(const void *found, const struct process_id *id);
/* Lets a report show the selected processes of the capture, and the time range. */
int target_found_select(const struct target_found *found, const struct time_range_options *part,
	struct sooth_report *r, struct sooth_error *err);
void target_found_fini(struct target_found *found);

/* Lets a consumer of a capture select in its own report, by target_choice_select(). */
struct target_choice {
	const struct target_options *target;
	struct target_found found;
};

/* Selects in a report; `user` is the struct target_choice. */
int target_choice_select(void *user, struct sooth_report *report, struct sooth_error *err);

/* Does the same as target_find() in a capture of that name; `words` has no other capture. */
int target_find_in(const struct target_options *t, const char *capture,
	const struct arguments *words, struct target_found *found, struct sooth_error *err);
