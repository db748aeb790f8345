/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads the files of one agent's process once. The files may be on a dead mount, so this runs with
 * timeout.h: its input is copied, and its output is names, times and the first words of a session's
 * first prompt. */
#pragma once

#include "base/clock.h"
#include "base/units.h"
#include "os/linux/agent_logs/agent_branch.h"
#include "os/linux/agent_logs/agent_database.h"
#include "os/linux/agent_logs/agent_servers.h"
#include "os/agent_logs/agent_task.h"
#include "os/agent_logs/agent_tokens.h"
#include "os/agent_logs/agent_turn.h"

#define AGENT_READ_PATH 1024
#define CLOCK_SLACK_NS	(2 * NS_PER_S)
#define AGENT_READ_TEXT 128 /* of a pattern or a key of an agent */

/* A log file's state; an unchanged one has the same contents. */
struct agent_log_file {
	uint64_t device, inode, size, changed_ns;
};

struct agent_read {
	int process;		    /* its own descriptor of /proc/PID */
	char home[AGENT_READ_PATH]; /* home of the agent, as the process sees it */
	char directory[AGENT_READ_PATH];
	char pid[16];		       /* in its own pid namespace */
	char option[AGENT_ID_MAX + 1]; /* the session named by the command line */
	uint64_t start_ticks, start_utc_ns;
	uint32_t uid;	     /* of the process: files of other users are not read */
	uint64_t end_cpu_ns; /* CLOCK_THREAD_CPUTIME_ID: afterwards no new read begins; 0: no end */
	struct {
		char session_file[AGENT_READ_TEXT], open_file[AGENT_READ_TEXT],
			log[AGENT_READ_TEXT], project_file[AGENT_READ_TEXT],
			database[AGENT_READ_TEXT];
		char session_key[AGENT_READ_TEXT], status_key[AGENT_READ_TEXT],
			start_key[AGENT_READ_TEXT], version_key[AGENT_READ_TEXT],
			changed_key[AGENT_READ_TEXT], waiting_key[AGENT_READ_TEXT],
			spare_key[AGENT_READ_TEXT], pid_key[AGENT_READ_TEXT],
			directory_key[AGENT_READ_TEXT], job_file[AGENT_READ_TEXT],
			job_key[AGENT_READ_TEXT], job_status_key[AGENT_READ_TEXT],
			server_logs[AGENT_READ_TEXT];
		enum agent_log log_kind;
	} files; /* copies: the agent set may be freed while this call is still stuck */
	struct agent_log_file known; /* state of the log that needs no new read */
	/* Also output: how far its tokens are counted. The count of another file starts over. */
	struct agent_token_place {
		uint64_t device, inode, offset;
		bool is_read; /* counting of this log has begun */
		bool is_cut;  /* when it was first seen, it was longer than was read */
		struct agent_tokens sum;
		struct agent_turn calls; /* of a database: how its last tool calls are repeated */
	} tokens;
	struct agent_database_place database; /* also output: where the tokens were read instead */
	struct agent_servers servers;	      /* also output */
	char task[AGENT_TASK_MAX + 1];	      /* also output: first words of the `known` log */
	bool needs_tool;
	bool is_shared; /* another process of the agent has the same home and directory */

	/* Output. */
	int database_status;
	int status; /* of finding the session; 0 also when there is none; -EDQUOT: no time was left
		     */
	struct agent_session_info info;
	enum {
		AGENT_READ_NONE,
		AGENT_READ_FILE,
		AGENT_READ_OPEN,
		AGENT_READ_OPTION,
		AGENT_READ_LOG,
		AGENT_READ_NEWEST /* log of its directory */
	} source;
	char job_status[AGENT_STATUS_MAX + 1]; /* by the list of the agent's daemon */
	bool is_ambiguous; /* several sessions, and it is unknown which one is current */
	bool has_log;
	struct agent_log_file log;
	char log_path[AGENT_READ_PATH * 2];
	int log_status;		    /* status of reading the log */
	bool has_tool, is_tool_cut; /* the log is longer than was read, and that part has no call */
	struct agent_tool tool;
	bool has_turn;
	struct agent_turn turn;
	int branch_status;
	char branch[AGENT_BRANCH_MAX + 1];
};

/* Finds open files that belong to a session, in /proc: with the right to trace the process. */
void agent_read_open_files(struct agent_read *job);
/* Reads its files below its root, perhaps with no more rights than their owner has. */
void agent_read_files(struct agent_read *job, int root);
/* Does both, the second in a process that has only the rights of the owner if this one has more.
 * `left_ns`: of CPU time; 0: no limit. Sets how much of it was used. */
void agent_read(struct agent_read *job, pid_t pid, uint64_t left_ns, uint64_t *spent_ns);
/* Returns whether a time is after the start of the process. A future time was written before the
 * clock was set back: any process may have written it. */
static inline bool agent_read_is_since_start(const struct agent_read *job, uint64_t utc_ns)
{
	return utc_ns + CLOCK_SLACK_NS >= job->start_utc_ns &&
	       utc_ns <= clock_realtime_ns() + CLOCK_SLACK_NS;
}
static inline void agent_read_fail(struct agent_read *job, int status)
{
	job->status = job->log_status = job->database_status = job->branch_status = status;
}
/* The session named by the command line, if there is at most one. */
void agent_read_option(struct agent_read *job);
