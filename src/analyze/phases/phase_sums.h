/* SPDX-License-Identifier: BSD-2-Clause */
/* Spans joined to whole phases, and sums of time and resources by session, state and tool. */
#pragma once

#include "analyze/phases/phase_history.h"

struct phase_sum {
	uint64_t total_ns, longest_ns;
	uint64_t cpu_ns, own_cpu_ns, rss_bytes, written_bytes, read_bytes, io_calls;
	uint64_t input_tokens, output_tokens;
	uint32_t count, turns;
	bool is_cpu_least;
	bool lacks_written, lacks_io; /* the value of some phase is unknown */
	bool has_tokens;
	uint8_t written_state, io_state, tokens_state; /* reasons why values are unknown */
};

struct phase_session_sum {
	uint32_t agent; /* number of the phase_agent */
	struct phase_sum all, states[ACTIVITY_STATES];
	uint64_t begin_utc_ns, end_utc_ns, context_tokens;
	bool has_ended;
	uint8_t context_state;
};

struct phase_tool_sum {
	uint32_t label;
	uint8_t state;
	struct phase_sum all;
};

struct phase_sums {
	struct buffer phases; /* struct phase_piece, whole phases, in the order of their start */
	struct map sessions;  /* uint32_t -> struct phase_session_sum */
	struct map tools;     /* label and state -> struct phase_tool_sum */
	struct phase_sum states[ACTIVITY_STATES], all;
	uint64_t begin_utc_ns, end_utc_ns; /* 0: no phases */
	uint64_t refused;
};

/* Makes the sums, which are incomplete if memory runs out: `refused` says so. */
void phase_sums_make(struct phase_sums *s, const struct phase_history *h);
void phase_sums_fini(struct phase_sums *s);
