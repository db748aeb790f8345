/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Phases of an agent's session, and what it used in each. They are derived from samples, so that
 * weeks of a session stay small. Names of states are texts: an older reader shows unknown names.
 */
#pragma once

#include <sooth/record.h>

enum phase_kind {
	PHASE_SPAN = 0x0020, /* a part of a phase, or all of it */
};

enum phase_flag {
	PHASE_BEGINS = 1,  /* a phase begins with the span; else it continues the previous span */
	PHASE_IS_LAST = 2, /* the process ended at the end of the span */
};

/* The header's process is the main process of the session; time_ns is the end of the span. */
struct phase_span {
	struct sooth_record record;
	uint64_t begin_ns;   /* CLOCK_MONOTONIC */
	uint64_t end_utc_ns; /* ns since 1970 */
	uint64_t cpu_ns;     /* CPU time of all processes of the session */
	uint64_t own_cpu_ns; /* CPU time of the main process */
	uint64_t rss_bytes;  /* maximum over the samples, all processes together */
	uint64_t written_bytes;
	/* Counted by the agent itself. */
	uint64_t input_tokens, output_tokens;
	uint64_t context_tokens; /* tokens in use at the end */
	uint32_t turns;
	uint32_t tool_pid;
	uint32_t samples; /* samples in the span; 0: known only from times that the agent writes */
	uint8_t flags;
	uint8_t cpu_state; /* truncated: cpu_ns is a lower bound */
	uint8_t written_state;
	uint8_t tokens_state; /* state of turns, input_tokens, output_tokens */
	uint8_t context_state;
	uint8_t tool_state;
	uint8_t unused[6];
	struct sooth_text state; /* "waits_for_model" */
	struct sooth_text source, confidence;
	struct sooth_text agent, session, project;
	struct sooth_text name; /* name of the tool, the MCP server, or what the user has to do */
	struct sooth_text command; /* command of a tool, secrets masked */
	struct sooth_text model;   /* model as the agent itself names it */
	/* Older histories have nothing from here on. */
	uint64_t read_bytes;
	uint64_t io_calls; /* calls that read or wrote: files, pipes, terminals, some of sockets */
	uint8_t io_state;  /* state of read_bytes and io_calls */
	uint8_t end_state;
	uint8_t unused_end[6];
	struct sooth_text end; /* last span: how the process ended; "killed by SIGKILL ..." */
	/* Older histories have nothing from here on. */
	struct sooth_text version; /* version of the agent; empty: unknown */
	/* Older histories have nothing from here on. Context of the agent's own trace, as W3C Trace
	 * Context has it: what it gave a tool that runs, else what it was started with; empty:
	 * none. */
	struct sooth_text trace_parent;
};

#define PHASE_SPAN_LEAST 200
#define PHASE_SPAN_IO	 224
#define PHASE_SPAN_END	 232
#define PHASE_SPAN_TRACE 240
_Static_assert(PHASE_SPAN_LEAST == offsetof(struct phase_span, read_bytes), "records only grow");
_Static_assert(PHASE_SPAN_IO == offsetof(struct phase_span, end), "records only grow");
_Static_assert(PHASE_SPAN_END == offsetof(struct phase_span, version), "records only grow");
_Static_assert(PHASE_SPAN_TRACE == offsetof(struct phase_span, trace_parent), "records only grow");
