/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The task of a known server in most of its samples, by functions anywhere in the stacks: the time
 * of a script or query is spread over many functions, and no single one shows the task.
 */
#pragma once

#include "analyze/profile/profile_sums.h"

struct profile_task {
	const char *text;   /* "a Lua script"; NULL: nothing known has half of the samples */
	const char *remedy; /* NULL: no remedy special to the task */
	const char *effect; /* effect on clients, as a sentence; NULL: none */
	uint64_t samples, of_samples;
};

struct profile_task profile_task_find(const struct profile_sums *s, const struct process_id *id);
