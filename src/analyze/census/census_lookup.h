/* SPDX-License-Identifier: BSD-2-Clause */
/* Main processes by what a marker names; see census_sessions.c. NULL: there is none. */
#ifndef SOOTH_ANALYZE_CENSUS_LOOKUP_H
#define SOOTH_ANALYZE_CENSUS_LOOKUP_H

#include "analyze/census/census_settling.h"

#define CENSUS_ANY    UINT64_MAX       /* user, or pid namespace */
#define CENSUS_UNTOLD (UINT64_MAX - 1) /* pid namespace */

/* CENSUS_UNTOLD when it is not known. */
uint64_t census_namespace(const struct census_process *p);
/* It may have ended. */
struct census_process *census_by_session(
	const struct settling *s, const struct agent *agent, struct span id);
/* Any process that was told in what pid namespace it is. */
struct census_process *census_by_inner(
	const struct settling *s, uint64_t pid_namespace, uint64_t pid);
/* The main process of that agent that is the oldest of that user and namespace. */
struct census_process *census_oldest(
	const struct settling *s, const struct agent *agent, uint64_t uid, uint64_t pid_namespace);

#endif
