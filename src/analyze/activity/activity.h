/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The current activity of an agent session's main process: it waits for its user or the model, runs
 * a tool, computes, or is idle. The evidence is the agent's own files if it writes them, else its
 * processes, connections, CPU time and arguments. docs/activity.md has the evidence for each state.
 */
#pragma once

#include "analyze/process_table/host_state.h"
#include "base/units.h"

enum activity_state {
	ACTIVITY_UNKNOWN,
	ACTIVITY_WAITS_FOR_USER,
	ACTIVITY_WAITS_FOR_MODEL,
	ACTIVITY_ASKS_AGAIN, /* the agent repeats a request to the model that failed */
	ACTIVITY_RUNS_TOOL,
	ACTIVITY_TALKS_TO_MCP,
	ACTIVITY_COMPUTES,
	ACTIVITY_STARTS,
	ACTIVITY_STOPPED, /* the process is stopped by a signal, or frozen */
	ACTIVITY_IDLE,
	ACTIVITY_STATES,
};

enum activity_source {
	ACTIVITY_FROM_SESSION_FILE,
	ACTIVITY_FROM_LOG,
	ACTIVITY_FROM_CONNECTION,
	ACTIVITY_FROM_PROCESSES,
	ACTIVITY_FROM_ARGUMENTS,
	ACTIVITY_FROM_CPU,
	ACTIVITY_SOURCES,
};

enum activity_confidence {
	ACTIVITY_HIGH,
	ACTIVITY_MEDIUM,
	ACTIVITY_LOW,
	ACTIVITY_CONFIDENCES,
};

/* State of the answer to a request to the model. */
enum activity_answer {
	ACTIVITY_ANSWER_NONE, /* no request, or the request was refused or failed */
	ACTIVITY_ANSWER_AWAITED,
	ACTIVITY_ANSWER_ARRIVES,
	ACTIVITY_ANSWER_SILENT, /* no data for ACTIVITY_SILENT_NS, or over whole attempts */
	ACTIVITY_ANSWERS,
};

#define ACTIVITY_SILENT_NS	(10 * NS_PER_S)
#define ACTIVITY_COMPUTES_LEAST 50.0 /* percent of one CPU */

#define ACTIVITY_NAME_SIZE    72
#define ACTIVITY_LISTED_SIZE  40
#define ACTIVITY_COMMAND_SIZE 160
#define ACTIVITY_DETAIL_SIZE  (ACTIVITY_NAME_SIZE + ACTIVITY_COMMAND_SIZE + 32)

struct activity {
	enum activity_state state;
	uint8_t unknown_state; /* if `state` is unknown: why it was not measured */
	enum activity_source source;
	enum activity_confidence confidence;
	bool has_since;
	uint64_t since_ns; /* time in that state, up to the last sample */
	/* name of the tool or MCP server, or the user's next action; "": unknown */
	char name[ACTIVITY_NAME_SIZE];
	bool is_permission; /* the user has to allow the tool of that name, and the command */
	/* process that the tool waits for, and its command */
	uint32_t pid; /* 0: none */
	char command[ACTIVITY_COMMAND_SIZE];
	bool is_silent_cpu;   /* the tool's processes used no CPU between samples */
	bool is_tool_stopped; /* the process that the tool waits for is stopped or frozen */
	bool has_cpu;	      /* cpu_percent is set */
	/* CPU use of the tool's processes between samples, or of an agent that computes while the
	 * model is silent; in percent of one CPU. */
	double cpu_percent;
	bool is_status_idle;  /* the agent computes, although its session file says that it is idle
			       */
	bool has_output;      /* the output values are set: the tool has a process */
	uint8_t output_state; /* state of output_ns */
	bool is_output_least; /* output_ns may be longer: writes before the samples are unseen */
	uint64_t output_ns;   /* time since the tool last wrote, or since its start */
	/* attempts for a request to the model */
	unsigned attempts;     /* 0: not counted */
	unsigned error_status; /* HTTP status of the previous attempt; 0: unknown */
	enum activity_answer answer;
	bool has_silence;
	uint64_t silence_ns;   /* time since data last came from the model, or since the request */
	unsigned deadline_s;   /* silence after which the agent ends the request; 0: unknown */
	bool is_pausing;       /* the agent repeats a request, and no request is under way */
	const char *agent;     /* title of the agent that ends the request */
	uint64_t socket_inode; /* inode of the connection with the request; 0: unknown */
	/* Time since the last request in this turn, if it was made after the turn's first one and
	 * data came at once and none since: a refusal looks so; 0: none. */
	uint64_t again_ns;
	uint64_t queued_ns; /* time that a prompt is queued while no turn is under way; 0: none */
	/* state by the list that the agent's daemon keeps, or by its session file, if it differs;
	 * "": it does not */
	char listed[ACTIVITY_LISTED_SIZE];
	/* object that the main thread waits for, if the state is unknown; "": unknown too */
	char wait[ACTIVITY_DETAIL_SIZE];
};

/* Finds the activity of `main`, a main process (link PROCESS_LINK_SELF). The process table must be
 * resolved. */
void activity_find(
	struct activity *a, const struct host_state *host, const struct process_entry *main);

/* Returns the process if it is the main process of a running session, else NULL. */
const struct process_entry *activity_main(
	const struct host_state *host, const struct process_id *id);

/* Returns whether an argument says that the process works without a user from its start to its
 * end. */
bool activity_has_headless_argument(const struct process_entry *p);

enum activity_text {
	ACTIVITY_TEXT_WHOLE,	    /* "runs Bash 8 min: sleep 3000 (pid 21897), no CPU" */
	ACTIVITY_TEXT_WITHOUT_TIME, /* beside a column with the time */
};
/* Appends the activity as a sentence. */
void activity_write(struct buffer *out, const struct activity *a, enum activity_text form);

extern const struct sooth_names activity_state_names, activity_source_names,
	activity_confidence_names, activity_answer_names;
