/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows of what processes wait for. */
#ifndef SOOTH_ANALYZE_WHY_ROWS_H
#define SOOTH_ANALYZE_WHY_ROWS_H

#include "model/field.h"
#include "probes/waits.h"

/* A link of the chain. */
struct why_link_row {
	struct sooth_record record; /* pid and tid of the waiting thread */
	double cpu_percent;
	double since_s;
	uint32_t what;
	uint32_t party_pid;
	char state;
	uint8_t tid_state, call_state, object_state, since_state, party_state, party_name_state;
	uint8_t source, confidence, source_state, cpu_state, thread_state;
	uint8_t is_idle;
	uint8_t unused[3];
	struct sooth_text name, thread, call, object, party, relation, text;
};

/* A thread, for those who want the evidence. */
struct why_thread_row {
	struct sooth_record record;
	double since_s, timeout_s;
	uint32_t what;
	char state;
	uint8_t call_state, channel_state, since_state, timeout_state, object_state;
	uint8_t unused[6];
	struct sooth_text name, call, wait_channel, object, text;
};

struct why_remedy_row {
	struct sooth_record record;
	struct sooth_text text;
};

struct why_row {
	struct sooth_record record;
	uint8_t confidence;
	uint8_t reason_state;
	uint8_t agent_state;
	uint8_t unused[5];
	struct sooth_text name, state, text, reason, agent;
	struct sooth_text activity; /* struct activity_row, of the main process of an agent */
	struct sooth_text waits;    /* struct why_link_row */
	struct sooth_text remedies; /* struct why_remedy_row */
	struct sooth_text evidence; /* struct why_thread_row */
};

extern const struct sooth_schema why_schema, why_evidence_schema, why_link_schema,
	why_remedy_schema;

#endif
