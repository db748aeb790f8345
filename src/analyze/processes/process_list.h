/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The row of the view "processes", with the members of the scan contract; and the listed processes
 * of a host, with verdicts, sorted by a field or as a tree.
 */
#pragma once

#include "analyze/process_table/host_state.h"
#include "analyze/process_table/verdicts.h"
#include "analyze/processes/processes.h"
#include "analyze/activity/urgency.h"
#include "model/row_list.h"

#define PROCESS_ROW(F, S)                                                                          \
	F(S, PID)                                                                                  \
	F(S, U32, ppid, ALWAYS, "process id of the parent")                                        \
	F(S, REAL, cpu_percent, MAYBE(cpu_state),                                                  \
		"CPU use over the interval, in percent of one CPU", .label = "CPU%",               \
		.decimals = 1, .unit = SOOTH_UNIT_PERCENT, .levels = cpu_levels)                   \
	F(S, REAL, mem_percent, MAYBE(mem_state),                                                  \
		"resident memory of the process, in percent of the host's memory",                 \
		.label = "MEM%", .decimals = 1, .unit = SOOTH_UNIT_PERCENT)                        \
	F(S, U64, rss_bytes, ALWAYS, "resident memory of the process", .label = "RSS",             \
		.unit = SOOTH_UNIT_BYTES, .levels = rss_levels)                                    \
	F(S, U64, rss_kb, ALWAYS, "resident memory of the process, in KiB", .is_hidden = true)     \
	F(S, U64, vsz_kb, ALWAYS, "size of the address space (virtual memory), in KiB",            \
		.is_hidden = true)                                                                 \
	F(S, ALSO, CHARS, state, state, ALWAYS,                                                    \
		"process state: R running, S sleeping, D uninterruptible, T stopped, Z zombie, I " \
		"idle")                                                                            \
	F(S, TEXT, elapsed_time, ALWAYS,                                                           \
		"time since the process started: [[days-]hours:]minutes:seconds", .label = "TIME") \
	F(S, U64, elapsed_s, ALWAYS, "seconds since the process started", .is_hidden = true,       \
		.unit = SOOTH_UNIT_S)                                                              \
	F(S, RECORD, U64, start_ticks, start_ticks, ALWAYS,                                        \
		"start of the process, in clock ticks after boot; unique together with the pid",   \
		.is_hidden = true)                                                                 \
	F(S, U32, uid, ALWAYS, "effective user id of the process", .is_hidden = true)              \
	F(S, TEXT, user, MAYBE(user_state), "name of the owner of the process", .is_hidden = true, \
		.placeholder = "user")                                                             \
	F(S, TEXT, terminal, MAYBE(terminal_state), "controlling terminal of the process",         \
		.is_hidden = true, .label = "TTY")                                                 \
	F(S, U32, threads, ALWAYS, "number of threads of the process", .is_hidden = true,          \
		.label = "THRDS")                                                                  \
	F(S, U32, open_files, MAYBE(open_files_state),                                             \
		"number of open file descriptors of the process", .is_hidden = true,               \
		.label = "FILES")                                                                  \
	F(S, TEXT, role, MAYBE(role_state),                                                        \
		"role of the process: main, launcher, helper, daemon, tool call, MCP server, "     \
		"status line, language server")                                                    \
	F(S, TEXT, role_name, MAYBE(role_name_state), "name of the MCP or language server",        \
		.is_hidden = true, .label = "SERVER", .may_shrink = true, .placeholder = "server") \
	F(S, U32, role_pid, WITH(role_state),                                                      \
		"process id that defines the role: this process or an ancestor",                   \
		.is_hidden = true)                                                                 \
	F(S, TEXT, agent, MAYBE(agent_state),                                                      \
		"id of the agent that the process was recognized as")                              \
	F(S, TEXT, rule, WITH(agent_state), "rule that recognized the agent", .is_hidden = true,   \
		.may_shrink = true)                                                                \
	F(S, TEXT, version, MAYBE(version_state), "version of the agent")                          \
	F(S, TEXT, newest_version, MAYBE(newest_state),                                            \
		"newest version of the agent installed on the host", .is_hidden = true,            \
		.label = "NEWEST")                                                                 \
	F(S, TEXT, project, MAYBE(project_state), "project directory the agent works in",          \
		.may_shrink = true, .placeholder = "project")                                      \
	F(S, TEXT, branch, MAYBE(branch_state), "git branch of the project directory",             \
		.is_hidden = true, .may_shrink = true, .placeholder = "branch")                    \
	F(S, TEXT, task, MAYBE(task_state),                                                        \
		"first words of the user's first prompt, from the agent's log, secrets masked",    \
		.is_hidden = true, .may_shrink = true, .placeholder = "task")                      \
	F(S, TEXT, session_agent, MAYBE(session_agent_state),                                      \
		"id of the agent that owns the process", .is_hidden = true, .label = "OF")         \
	F(S, TEXT, session_id, MAYBE(session_state), "id of the agent's session",                  \
		.is_hidden = true, .label = "SESSION", .may_shrink = true,                         \
		.placeholder = "session")                                                          \
	F(S, U32, session_pid, MAYBE(session_pid_state),                                           \
		"process id of the main process of the session", .is_hidden = true,                \
		.label = "MAIN")                                                                   \
	F(S, NAMED, ENUM8, tie, session_reason, MAYBE(tie_state),                                  \
		"what links the process to its session", .names = &links, .is_hidden = true)       \
	F(S, TEXT, flags, MAYBE(flags_state),                                                      \
		"flags that apply to the process: NEEDS-YOU ASKS-AGAIN SILENT ORPHANED ABANDONED " \
		"OLD-GENERATION ZOMBIE FROZEN OUTDATED DELETED CPU MEM")                           \
	F(S, ENUM8, urgency, MAYBE(urgency_state),                                                 \
		"place of the process in the table: needs_you, sick, silent, model, tool, "        \
		"computes, idle, other, left_over",                                                \
		.names = &urgency_names, .is_hidden = true)                                        \
	F(S, BOOL, is_orphaned, MAYBE(orphaned_state),                                             \
		"its session has ended and left it running", .is_hidden = true)                    \
	F(S, TEXT, orphaned_reason, MAYBE(orphaned_reason_state),                                  \
		"reason why the process is orphaned or not, or why that is unknown",               \
		.is_hidden = true, .may_shrink = true)                                             \
	F(S, BOOL, is_daemon, MAYBE(daemon_state), "its session has ended, and it is a daemon",    \
		.is_hidden = true)                                                                 \
	F(S, BOOL, is_abandoned, MAYBE(abandoned_state), "an MCP server without a client",         \
		.is_hidden = true)                                                                 \
	F(S, TEXT, abandoned_reason, MAYBE(abandoned_reason_state),                                \
		"reason why the process is abandoned or not, or why that is unknown",              \
		.is_hidden = true, .may_shrink = true)                                             \
	F(S, BOOL, is_superseded, MAYBE(superseded_state),                                         \
		"a newer process of the same server runs for the project", .is_hidden = true)      \
	F(S, U32, generation, MAYBE(generation_state),                                             \
		"rank of the process among those of the same MCP server; 1: the oldest",           \
		.is_hidden = true)                                                                 \
	F(S, U32, generations, WITH(generation_state),                                             \
		"number of processes of the same MCP server", .is_hidden = true)                   \
	F(S, BOOL, is_frozen, MAYBE(frozen_state), "it is stopped or frozen", .is_hidden = true)   \
	F(S, TEXT, frozen_reason, MAYBE(frozen_reason_state),                                      \
		"how the process was frozen, or why that is unknown", .is_hidden = true,           \
		.may_shrink = true)                                                                \
	F(S, BOOL, is_zombie, MAYBE(zombie_state), "it has exited and is not reaped",              \
		.is_hidden = true)                                                                 \
	F(S, BOOL, is_outdated, MAYBE(outdated_state), "a newer version is installed",             \
		.is_hidden = true)                                                                 \
	F(S, BOOL, is_deleted, MAYBE(deleted_state), "its executable was removed or replaced",     \
		.is_hidden = true)                                                                 \
	F(S, NAMED, BOOL, is_over, is_over_threshold, MAYBE(over_state),                           \
		"the process is over the CPU (-k) or memory (-m) threshold", .is_hidden = true)    \
	F(S, TEXT, status, MAYBE(status_state),                                                    \
		"status that the agent reports about itself: busy, idle, ...", .is_hidden = true)  \
	F(S, U64, activity_ago_s, MAYBE(activity_state),                                           \
		"seconds since the agent last did something", .is_hidden = true,                   \
		.label = "LAST ACTIVE", .unit = SOOTH_UNIT_S)                                      \
	F(S, U64, activity_utc_ns, WITH(activity_state),                                           \
		"time of the agent's last activity, ns since 1970", .is_hidden = true,             \
		.unit = SOOTH_UNIT_UTC_NS)                                                         \
	F(S, TEXT, tool, MAYBE(tool_state), "last tool that the agent called", .is_hidden = true)  \
	F(S, U64, tool_ago_s, WITH(tool_state), "seconds since the agent's last tool call",        \
		.is_hidden = true, .label = "TOOL TIME", .unit = SOOTH_UNIT_S)                     \
	F(S, U64, tool_utc_ns, WITH(tool_state),                                                   \
		"time of the agent's last tool call, ns since 1970", .is_hidden = true,            \
		.unit = SOOTH_UNIT_UTC_NS)                                                         \
	F(S, TEXT, model, MAYBE(model_state), "model, as the agent itself writes it",              \
		.is_hidden = true, .may_shrink = true)                                             \
	F(S, U64, context_tokens, MAYBE(context_state),                                            \
		"tokens of context in use, as the agent itself writes them", .is_hidden = true,    \
		.label = "CONTEXT")                                                                \
	F(S, U32, turns, MAYBE(tokens_state), "answers of the model, as the agent counts them",    \
		.is_hidden = true)                                                                 \
	F(S, U64, input_tokens, WITH(tokens_state),                                                \
		"tokens sent to the model, with cached ones, as the agent counts them",            \
		.is_hidden = true, .label = "INPUT")                                               \
	F(S, U64, output_tokens, WITH(tokens_state),                                               \
		"tokens that the model answered, as the agent counts them", .is_hidden = true,     \
		.label = "OUTPUT")                                                                 \
	F(S, U64, tokens_a_minute, MAYBE(rate_state),                                              \
		"tokens in and out a minute in the last five minutes", .is_hidden = true,          \
		.label = "TOKENS/MIN")                                                             \
	F(S, REAL, context_percent, MAYBE(window_state),                                           \
		"context in use, in percent of the model's window", .is_hidden = true,             \
		.decimals = 0, .unit = SOOTH_UNIT_PERCENT)                                         \
	F(S, REAL, quota_percent, MAYBE(quota_state),                                              \
		"used share of the account's nearest limit, as the agent writes it",               \
		.is_hidden = true, .decimals = 0, .unit = SOOTH_UNIT_PERCENT)                      \
	F(S, U64, quota_resets_utc_ns, WITH(quota_state),                                          \
		"time that limit is reset, ns since 1970; 0: unknown", .is_hidden = true,          \
		.unit = SOOTH_UNIT_UTC_NS)                                                         \
	F(S, TEXT, mcp_server, MAYBE(mcp_state),                                                   \
		"MCP server with an open call, or with the most errors or the slowest answers",    \
		.is_hidden = true, .may_shrink = true, .placeholder = "server")                    \
	F(S, U32, mcp_calls, WITH(mcp_state), "calls that it answered", .is_hidden = true)         \
	F(S, U32, mcp_errors, WITH(mcp_state), "calls that it answered with an error",             \
		.is_hidden = true)                                                                 \
	F(S, REAL, mcp_mean_s, WITH(mcp_state), "mean seconds from a call to its answer",          \
		.is_hidden = true, .decimals = 3, .unit = SOOTH_UNIT_S)                            \
	F(S, REAL, mcp_longest_s, WITH(mcp_state), "longest time from a call to its answer",       \
		.is_hidden = true, .decimals = 3, .unit = SOOTH_UNIT_S)                            \
	F(S, TEXTS, log_end, MAYBE(log_end_state),                                                 \
		"last lines of the log: time, and prompt, answer, call or result, without their "  \
		"text",                                                                            \
		.is_hidden = true)                                                                 \
	F(S, TEXT, job, MAYBE(job_state), "id of the session in the list of the agent's daemon",   \
		.is_hidden = true)                                                                 \
	F(S, TEXT, job_status, WITH(job_state),                                                    \
		"state of the session in that list: working, blocked, stopped, ...",               \
		.is_hidden = true)                                                                 \
	F(S, U64, received_bytes, MAYBE(traffic_state),                                            \
		"bytes received on the open TCP connections of the process", .is_hidden = true,    \
		.label = "RECEIVED", .unit = SOOTH_UNIT_BYTES)                                     \
	F(S, U64, sent_bytes, WITH(traffic_state),                                                 \
		"bytes sent on the open TCP connections of the process", .is_hidden = true,        \
		.label = "SENT", .unit = SOOTH_UNIT_BYTES)                                         \
	F(S, U64, written_bytes, MAYBE(written_state),                                             \
		"bytes written by the process and by children that it waited for, to files, "      \
		"pipes and sockets",                                                               \
		.is_hidden = true, .label = "WRITTEN", .unit = SOOTH_UNIT_BYTES)                   \
	F(S, U64, read_bytes, MAYBE(io_state),                                                     \
		"bytes read by the process and by children that it waited for, from files, pipes " \
		"and sockets",                                                                     \
		.is_hidden = true, .label = "READ", .unit = SOOTH_UNIT_BYTES)                      \
	F(S, U64, disk_read_bytes, WITH(io_state), "bytes of these that came from storage",        \
		.is_hidden = true, .label = "DISK_READ", .unit = SOOTH_UNIT_BYTES)                 \
	F(S, U64, disk_written_bytes, WITH(io_state), "bytes of these that went to storage",       \
		.is_hidden = true, .label = "DISK_WRITTEN", .unit = SOOTH_UNIT_BYTES)              \
	F(S, TEXT, container, MAYBE(container_state),                                              \
		"container of the process, from its control group", .is_hidden = true,             \
		.placeholder = "container")                                                        \
	F(S, TEXT, control_group, MAYBE(control_group_state), "control group of the process",      \
		.is_hidden = true, .may_shrink = true)                                             \
	F(S, U64, pid_namespace, MAYBE(namespace_state),                                           \
		"inode number of the process's pid namespace", .is_hidden = true)                  \
	F(S, U32, inner_pid, WITH(namespace_state),                                                \
		"process id in the innermost pid namespace of the process", .is_hidden = true)     \
	F(S, U32, depth, ALWAYS, "depth of the process in the process tree", .is_hidden = true)    \
	F(S, TEXT, name, ALWAYS, "name of the main thread of the process")                         \
	F(S, TEXT, executable, MAYBE(executable_state), "path of the executable of the process",   \
		.is_hidden = true, .may_shrink = true)                                             \
	F(S, TEXT, cwd, MAYBE(cwd_state), "working directory of the process", .is_hidden = true,   \
		.may_shrink = true)                                                                \
	F(S, TEXT, root, MAYBE(root_state),                                                        \
		"top of the git working tree that contains the working directory",                 \
		.is_hidden = true, .may_shrink = true)                                             \
	F(S, ARGS, command, MAYBE(command_state), "command line of the process, secrets masked")   \
	F(S, NAMED, ROWS, doing, activity, MAYBE(doing_state),                                     \
		"what the agent is doing now; of the main process of a session",                   \
		.rows = &activity_row_schema, .is_single = true, .is_hidden = true)                \
	F(S, NAMED, U64, doing_s, activity_since_s, MAYBE(doing_s_state),                          \
		"seconds that the agent has been doing this", .label = "FOR",                      \
		.unit = SOOTH_UNIT_S)                                                              \
	F(S, NAMED, TEXT, doing_text, activity_text, MAYBE(doing_text_state),                      \
		"what the agent is doing now", .label = "ACTIVITY", .may_shrink = true,            \
		.least_width = 32)                                                                 \
	F(S, TEXT, finding, MAYBE(finding_state),                                                  \
		"first line of a diagnosis of these samples, if it finds what holds the session "  \
		"up",                                                                              \
		.is_hidden = true, .may_shrink = true, .placeholder = "finding")

ROW_STRUCT(process_row, PROCESS_ROW, char state;);

extern const struct sooth_schema process_row_schema;

struct listed {
	struct process_entry *p;
	/* Array of VERDICTS entries, owned; NULL: the process is unrelated to agents. */
	struct verdict *verdicts;
	double cpu_percent;	  /* negative: not measured */
	const char *urgency_flag; /* set with the row */
	bool is_over_cpu_limit, is_over_rss_limit;
	bool is_over_unknown; /* CPU was not measured, and no other threshold is exceeded */
	unsigned depth;
	struct process_row *row; /* for callers that make rows; also needed to sort by a field */
	const struct processes_options *options;
	/* indexes of the tree; LISTED_NONE: none */
	size_t above, first, last, next;
};

#define LISTED_NONE SIZE_MAX

struct process_list {
	struct listed *all;
	size_t count;
	size_t unknown; /* unreadable processes that might be listed: process_table_is_unknown() */
	size_t undecided; /* listed processes that may be orphaned */
};

/* Makes the list. The process table must be resolved; the options are borrowed. Returns -ENOMEM on
 * failure. */
int process_list_make(
	struct process_list *list, const struct host_state *h, const struct processes_options *o);
/* Sorts as the options say; in a tree, the children of each process. 0 or -ENOMEM. */
int process_list_sort(struct process_list *list, const struct processes_options *o);
void process_list_fini(struct process_list *list);

static inline bool listed_holds(const struct listed *l, enum verdict_kind kind)
{
	return l->verdicts && l->verdicts[kind].holds;
}

/* Returns whether an ended session or a lost client left the process, or its parent has not reaped
 * it. */
static inline bool listed_is_left_over(const struct listed *l)
{
	return listed_holds(l, VERDICT_ORPHANED) || listed_holds(l, VERDICT_ABANDONED) ||
	       listed_holds(l, VERDICT_GENERATION) || listed_holds(l, VERDICT_ZOMBIE);
}
