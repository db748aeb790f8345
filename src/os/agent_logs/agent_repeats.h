/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tool calls that are made again and again with the same result, by the end of an agent's log: one
 * call, or some in turn. Calls and results are compared by hashes; no text is kept.
 */
#pragma once

#include <stdint.h>

#include <jansson.h>

#define AGENT_PERIOD_MAX 4 /* calls of a pattern */

struct agent_repeats {
	uint64_t keys[AGENT_PERIOD_MAX];   /* of the last calls, the newest first */
	uint64_t begins[AGENT_PERIOD_MAX]; /* when they were made */
	uint64_t since[AGENT_PERIOD_MAX];  /* when the pattern of this many calls was seen first */
	uint32_t runs[AGENT_PERIOD_MAX];   /* calls that continued it */
};

/* Returns a hash of a call or of its result. Times and numbers of processes in a result are left
 * out. */
uint64_t agent_call_key(const json_t *call);
uint64_t agent_result_key(const json_t *result);
/* The same of a call that has its result as a member, as Gemini CLI writes it. */
uint64_t agent_whole_call_key(const json_t *call);

/* Adds a call with its result, which was made at that time. */
void agent_repeats_add(struct agent_repeats *r, uint64_t key, uint64_t utc_ns);
/* Returns how many times the last pattern was made, and sets its calls and its begin; 1: once. */
uint32_t agent_repeats_times(
	const struct agent_repeats *r, uint8_t *period, uint64_t *since_utc_ns);
