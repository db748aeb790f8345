/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The answers of the model, as an agent's log records them: how many, with how many tokens, of
 * which model. Numbers and one plain word leave it, no text of the conversation. A log is read as
 * it grows, each line once.
 */
#pragma once

#include "recognize/agent.h"
#include "recognize/agent_path.h"
#include "os/agent_logs/agent_progress.h"

#define AGENT_MODEL_MAX 63
#define AGENT_MINUTES	5

/* Zeroed: nothing was read yet. */
struct agent_tokens {
	bool has_any;	/* an answer was counted */
	uint32_t turns; /* answers of the model, those of subagents too */
	uint64_t input; /* also what came from a cache, or went into one */
	uint64_t output;
	uint64_t context; /* of the last request and its answer; 0: unknown */
	char model[AGENT_MODEL_MAX + 1];
	/* An answer may be written in several lines, each with what it has so far. */
	char last_id[AGENT_ID_MAX + 1];
	uint64_t last_input, last_output;
	/* Those of the last minutes with an answer. */
	struct {
		uint64_t minute, tokens; /* minutes since 1970 */
	} minutes[AGENT_MINUTES];
	uint64_t window; /* the model takes at most so many; 0: the log does not say it */
	/* The limit of the account with the most use. */
	bool has_quota;
	double quota_percent;
	uint64_t quota_resets_utc_ns; /* 0: unknown */
	struct agent_progress progress;
};

/* Whether the sums may be those of a session: files of an agent may hold any number. */
bool agent_tokens_are_plausible(const struct agent_tokens *t);
/* Returns the tokens a minute, in and out, of the last minutes before that time. */
uint64_t agent_tokens_a_minute(const struct agent_tokens *t, uint64_t utc_ns);
/* Takes whole lines; gives the bytes that it took: what follows the last newline is left. */
size_t agent_tokens_read(
	struct agent_tokens *t, enum agent_log kind, const void *data, size_t size);
