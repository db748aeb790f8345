/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The reading before, kept in a private file: CPU use and growth need two. A reading is replaced
 * after some seconds, so that they do not rest on a short interval.
 */
#pragma once

#include "cli/statusline/sessions.h"

#define READING_TEXT_SIZE 160

/* Results of two readings. */
struct readings {
	double cpu_percent;		 /* of all processes, of one CPU; negative: not known yet */
	char finding[READING_TEXT_SIZE]; /* what both prove; empty: nothing */
};

/* Returns whether there is a reading of the session with this main process. */
bool readings_have(const struct process_id *main);
/* Lists the main processes of all sessions that were found some seconds ago at most. */
size_t readings_list_mains(pid_t *mains, size_t max);
/* Compares with the kept reading, and keeps this one when it is time. `main_pid` 0: of all
 * sessions of the user. */
void readings_compare(struct readings *r, const struct sessions *s, uint32_t main_pid);
