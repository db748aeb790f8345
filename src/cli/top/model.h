/* SPDX-License-Identifier: BSD-2-Clause */
/* The model of the screen, made from the rows of frames: the host, the sessions with sums of their
 * processes, both with a history, and the processes. Sessions stay for some frames after their
 * end. */
#pragma once

#include "analyze/activity/urgency.h"
#include "base/map.h"
#include "cli/top/frame.h"
#include "cli/top/recent.h"
#include "cli/top/style.h"
#include "model/process_id.h"

#define TOP_SESSIONS_MAX  1024
#define TOP_PROCESSES_MAX 65536
#define TOP_CPUS_MAX	  512
#define TOP_GONE_S	  10 /* seconds for which an ended session is shown */
#define TOP_FRESH_FRAMES  3  /* frames for which a new or changed row is marked */

enum top_mark { TOP_MARK_NONE, TOP_MARK_NEW, TOP_MARK_CHANGED, TOP_MARK_GONE, TOP_MARKS };

/* The activities of a session. */
struct top_doing {
	const char *state; /* name of the state in JSON */
	const char *word;  /* a short one */
	uint8_t style;
	/* Seconds after which the activity is shown as notable, and as worrying; 0: never. */
	unsigned look_s, worry_s;
};

#define TOP_DOINGS 10
extern const struct top_doing top_doings[TOP_DOINGS];

#define TOP_PHASES_MAX 64

/* An activity of a session, since it was first seen. */
struct top_phase {
	double begin_s;
	uint8_t doing;
	char text[100];
};

struct top_session {
	struct process_id id; /* main process of the session; zeros: processes of ended sessions */
	char agent[32], project[96], session[64], version[32], model[48], doing_text[200];
	char flags[64], tool[96], terminal[32], finding[320], branch[96], task[128];
	char finding_name[48];	/* id of the finding */
	unsigned finding_count; /* findings of its processes that are no effect of another */
	char mcp[128];		/* its MCP server with the most trouble */
	uint8_t finding_level;	/* 0: none; 1 info to 5 critical */
	uint8_t doing;		/* index of top_doings */
	enum urgency urgency;
	bool has_since, has_context, has_window, has_tokens, has_traffic, has_cpu;
	double since_s;
	double context_tokens, context_percent, input_tokens, output_tokens, tokens_a_minute;
	double quota_percent; /* below 0: unknown */
	double cpu_percent, rss_bytes;
	double growth; /* of memory, in bytes a minute; 0: it does not grow steadily */
	double received_rate, sent_rate; /* bytes per second of all its processes */
	unsigned processes, tools, servers;
	unsigned frame; /* number of the last frame with the session */
	double seen_s;	/* time of that frame */
	unsigned since_frame, changed_frame;
	bool is_new; /* the session came after the first frame */
	bool is_fit; /* one of its processes matches the filter */
	enum top_mark mark;
	struct recent cpu, rss, received, sent, doings;
	struct top_phase phases[TOP_PHASES_MAX]; /* a ring */
	unsigned phase_count; /* number of all phases, including overwritten ones */
};

struct top_process {
	const struct sooth_record *row;
	struct process_id id;
	uint32_t ppid, session_pid;
	double cpu_percent, rss_bytes;
	double received, sent; /* bytes since the previous frame */
	bool has_cpu, has_traffic, has_session, is_main;
	enum top_mark mark;
	uint8_t role; /* rank of its role */
	unsigned depth;
	struct top_session *session; /* NULL: none */
};

/* The values of a process that are kept between frames. */
struct top_known {
	unsigned first; /* the frame it was first seen in */
	bool has_traffic;
	double received, sent; /* total bytes on the open connections */
};

struct top_cpu {
	uint32_t number;
	struct recent use; /* percent */
};

struct top_host {
	char name[96];
	bool has_load, has_memory, has_swap, has_cpu_pressure, has_io_pressure, has_memory_pressure,
		has_cpu;
	double load[3], cpus, uptime_s, running, tasks;
	double memory_total, memory_available, swap_total, swap_used;
	double cpu_pressure, io_pressure, memory_pressure;
	struct recent cpu, memory, pressure_cpu, pressure_io, pressure_memory;
	struct top_cpu *cpu_of; /* use of each processor */
	size_t cpu_count;
};

struct top_model {
	struct top_frame frame; /* the current one */
	struct top_host host;
	struct map sessions;		   /* struct process_id -> struct top_session * */
	struct buffer processes;	   /* struct top_process, in the order of the report */
	struct map known;		   /* struct process_id -> struct top_known */
	const struct sooth_schema *schema; /* schema of the rows of processes */
	const char *if_empty;
	unsigned frames;     /* number of frames so far */
	struct recent times; /* of the frames, in seconds since the first one */
	double first_s, last_s,
		interval_s; /* time of the last frame; time between it and the previous frame */
	unsigned by_doing[TOP_DOINGS];
	unsigned session_count; /* running sessions */
};

void top_model_init(struct top_model *m);
void top_model_fini(struct top_model *m);
/* Adds a frame, which is copied. */
void top_model_add_frame(struct top_model *m, const struct top_frame *frame);

static inline size_t top_process_count(const struct top_model *m)
{
	return m->processes.size / sizeof(struct top_process);
}

/* Returns the process in the last frame; NULL: it is not there. */
const struct top_process *top_process_find(const struct top_model *m, const struct process_id *id);
static inline struct top_process *top_process_at(const struct top_model *m, size_t i)
{
	return (struct top_process *)(void *)m->processes.data + i;
}

/* Returns whether a session ended so long ago that it has no row. */
static inline bool top_session_is_past(const struct top_model *m, const struct top_session *s)
{
	return s->mark == TOP_MARK_GONE && m->last_s - s->seen_s > TOP_GONE_S;
}

/* Returns the session that left the process when it ended; NULL: not seen. */
const struct top_session *top_session_that_left(
	const struct top_model *m, const struct top_process *p);
/* Walks the sessions. */
struct top_session *top_session_next(const struct top_model *m, size_t *position);
