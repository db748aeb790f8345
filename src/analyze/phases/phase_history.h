/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The spans of phases that a report shows, each with its session, from live records or ones written
 * weeks ago. Times are UTC, so that records of several boots can be ordered.
 */
#pragma once

#include "analyze/activity/activity.h"
#include "analyze/phases/phase_answers.h"
#include "analyze/phases/phases.h"
#include "base/buffer.h"
#include "base/map.h"
#include "model/phase_records.h"

#define PHASE_TEXT     64
#define PHASE_END_TEXT 128

/* A session of an agent: one main process, which belongs to one boot. */
struct phase_agent {
	uint32_t number;
	uint32_t pid;
	uint64_t start_ticks;
	char agent[PHASE_TEXT], session[PHASE_TEXT], project[PHASE_TEXT], model[PHASE_TEXT];
	char end[PHASE_END_TEXT]; /* how the main process ended */
	uint8_t end_state;
};

/* name of a tool, an MCP server or a question */
struct phase_label {
	uint32_t number;
	char name[ACTIVITY_NAME_SIZE], command[ACTIVITY_COMMAND_SIZE];
};

struct phase_piece {
	uint64_t begin_utc_ns, end_utc_ns;
	uint64_t cpu_ns, own_cpu_ns, rss_bytes, written_bytes, read_bytes, io_calls;
	uint64_t input_tokens, output_tokens, context_tokens;
	uint32_t agent, label; /* numbers; label 0: none */
	uint32_t turns;
	uint8_t state; /* enum activity_state */
	uint8_t flags; /* enum phase_flag */
	uint8_t source_state, source, confidence;
	uint8_t cpu_state, written_state, io_state, tokens_state, context_state;
};

struct phase_history {
	struct phase_selection selection;
	struct map agents;    /* process and boot -> agent */
	struct map labels;    /* hash of name and command -> label */
	struct buffer pieces; /* struct phase_piece */
	struct phase_answers answers;
	uint64_t boot;
	uint64_t first_utc_ns; /* time of the first record, selected or not */
	uint64_t refused;
};

void phase_history_init(struct phase_history *h, const struct phase_selection *selection);
void phase_history_fini(struct phase_history *h);
/* Adds a span. Other kinds of records are ignored, except for the boot they name. */
void phase_history_add_record(struct phase_history *h, const struct sooth_record *r);

static inline const struct phase_piece *phase_pieces(const struct phase_history *h, size_t *count)
{
	*count = h->pieces.size / sizeof(struct phase_piece);
	return (const void *)h->pieces.data;
}

/* Returns the label with a number; number 0 gives an empty label. */
const struct phase_label *phase_label_of(const struct phase_history *h, uint32_t number);
/* Returns the text of a label: "npm test", else the tool's name; "": neither. */
const char *phase_label_text(const struct phase_label *l);
