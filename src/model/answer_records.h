/* SPDX-License-Identifier: BSD-2-Clause */
/* The answers of repeated diagnoses: what was wrong, with which process, from when until when.
 * Names are texts: an older reader shows unknown ones. */
#pragma once

#include <sooth/record.h>

enum answer_kind {
	ANSWER_SPAN = 0x0021,
};

/* The header's process is the main process of the session, else the subject; zeros: the host.
 * time_ns is the end. An answer that lasts long has several spans, one after the other. */
struct answer_span {
	struct sooth_record record;
	uint64_t begin_ns;		   /* CLOCK_MONOTONIC */
	uint64_t begin_utc_ns, end_utc_ns; /* ns since 1970 */
	uint64_t subject_start_ticks;	   /* of subject_pid */
	uint32_t subject_pid;		   /* 0: the host */
	uint8_t is_cleared;		   /* it ended; 0: it lasted at the end, or longer */
	uint8_t unused[3];
	struct sooth_text id;	 /* of the finding */
	struct sooth_text words; /* the first line of a diagnosis */
	struct sooth_text severity, confidence;
	struct sooth_text remedy;
	struct sooth_text agent, session, project;
	struct sooth_text key; /* the same for all spans of one answer */
	/* Older histories have nothing from here on. */
	struct sooth_text
		subject_name; /* name of the MCP server, or of the process; empty: the host */
};

#define ANSWER_SPAN_LEAST 144
_Static_assert(
	ANSWER_SPAN_LEAST == offsetof(struct answer_span, subject_name), "records only grow");
