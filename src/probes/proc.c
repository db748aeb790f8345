/* SPDX-License-Identifier: BSD-2-Clause */
/* Fields of the proc probe. */
#include "probes/proc.h"

#include "model/probe.h"
#include "model/schema.h"

static const char *const frozen_names[PROC_FROZEN_ANSWERS] = {
	[PROC_FROZEN_NOT_REPORTED] = "not reported",
	[PROC_FROZEN_NO] = "no",
	[PROC_FROZEN_YES] = "yes",
};
static const struct sooth_names frozen_answers = { PROC_FROZEN_ANSWERS, frozen_names };

static const char *const term_names[PROC_TERM_ANSWERS] = {
	[PROC_TERM_NOT_REPORTED] = "",
	[PROC_TERM_ENDS] = "ends",
	[PROC_TERM_IGNORED] = "ignored",
	[PROC_TERM_HANDLED] = "handled",
};
static const struct sooth_names term_answers = { PROC_TERM_ANSWERS, term_names };

static const struct sooth_field process_fields[] = {
	FIELD_PID(proc_process),
	FIELD_NUMBER(proc_process, ppid, "process id of the parent"),
	FIELD_OF(UNSIGNED, proc_process, record.start_ticks, start_ticks,
		"start of the process, in clock ticks after boot; unique together with the pid",
		.is_hidden = true),
	FIELD_OF(CHARS, proc_process, state, state,
		"process state: R running, S sleeping, D uninterruptible, T stopped, Z zombie, I "
		"idle"),
	FIELD_NUMBER(proc_process, uid, "effective user id of the process"),
	FIELD_NUMBER(proc_process, threads, "number of threads of the process"),
	FIELD_NUMBER(proc_process, cpu_ns, "CPU time of the process since its start",
		.unit = SOOTH_UNIT_NS, .merge = SOOTH_MERGE_LAST),
	FIELD_NUMBER(proc_process, rss_bytes, "resident memory of the process",
		.unit = SOOTH_UNIT_BYTES, .merge = SOOTH_MERGE_LAST),
	FIELD_NUMBER(proc_process, vsz_bytes,
		"size of the address space (virtual memory), mostly reservations",
		.unit = SOOTH_UNIT_BYTES, .merge = SOOTH_MERGE_LAST, .is_hidden = true),
	FIELD_AS_WITH(UNSIGNED, proc_process, descriptors, open_files, descriptors_state,
		"number of open file descriptors of the process", .is_hidden = true),
	FIELD_NUMBER_AS(proc_process, session, sid, "session id of the process (setsid(2))",
		.is_hidden = true),
	FIELD_NUMBER(
		proc_process, process_group, "process group id of the process", .is_hidden = true),
	FIELD_NUMBER_AS(proc_process, terminal, terminal_device,
		"controlling terminal of the process as a device number; 0: none",
		.is_hidden = true),
	FIELD_TRUTH_AS(proc_process, cpu_is_ticks, is_cpu_in_ticks,
		"CPU time is only as exact as a clock tick (usually 10 ms)", .is_hidden = true),
	FIELD_TRUTH(proc_process, is_deleted,
		"the executable of the process was removed or replaced", .is_hidden = true),
	FIELD_STRING(proc_process, name, "name of the main thread of the process (comm)"),
	FIELD_AS_WITH(ARGS, proc_process, arguments, command, arguments_state,
		"command line of the process, secrets masked", .masking = SOOTH_MASK_ARGUMENTS_CUT),
	FIELD_WITH(TEXT, proc_process, executable, executable_state,
		"path of the executable of the process", .is_hidden = true),
	FIELD_AS_WITH(TEXT, proc_process, directory, cwd, directory_state,
		"working directory of the process", .is_hidden = true),
	FIELD_WITH(TEXT, proc_process, control_group, control_group_state,
		"control group of the process", .is_hidden = true),
	FIELD_WITH(ARGS, proc_process, marks, marks_state,
		"texts in the executable that identify an agent", .is_hidden = true),
	FIELD_WITH(TEXT, proc_process, mark_version, marks_state,
		"version text after the last agent text in the executable", .is_hidden = true),
	FIELD_WITH(TEXT, proc_process, package, package_state,
		"npm package of the process's script or executable", .is_hidden = true),
	FIELD_WITH(TEXT, proc_process, package_version, package_state,
		"version of the npm package, from package.json", .is_hidden = true),
	FIELD_TRUTH(proc_process, is_foreground,
		"the process is in the foreground group of its terminal", .is_hidden = true),
	FIELD_TRUTH(proc_process, is_brief,
		"the process is not related to an agent: only basic values were read",
		.is_hidden = true),
	FIELD_STRING(proc_process, user, "name of the owner of the process", .is_hidden = true),
	FIELD_STRING_AS(proc_process, terminal_name, terminal,
		"controlling terminal of the process", .is_hidden = true),
	FIELD_OF(ENUM, proc_process, frozen, frozen,
		"whether the control group of the process is frozen", .names = &frozen_answers,
		.is_hidden = true),
	FIELD_OF(ENUM, proc_process, term, sigterm,
		"what SIGTERM does to the process: ends, ignored, or handled by the program",
		.names = &term_answers, .is_hidden = true),
	FIELD_WITH(ARGS, proc_process, proxies, proxies_state,
		"proxies in the environment: variable=host:port, without user and password",
		.is_hidden = true),
};

RECORD_SCHEMA(proc_process, 208, "proc.process", PROC_PROCESS, SAMPLE, process_fields);

static const struct sooth_field snapshot_fields[] = {
	FIELD_NUMBER_AS(proc_snapshot, from_ns, start_ns,
		"start of the scan of all processes (CLOCK_MONOTONIC)", .unit = SOOTH_UNIT_TIME_NS),
	FIELD_TRUTH(proc_snapshot, is_of_host, "all processes of the host were scanned"),
	FIELD_TRUTH(proc_snapshot, is_partial, "some processes are hidden from the user of sooth"),
	FIELD_TRUTH_AS(proc_snapshot, hides_users, has_hidden_users,
		"processes of other users are hidden from the user of sooth"),
	FIELD_TRUTH(proc_snapshot, is_of_root, "sooth ran as root, or root could not see more"),
};

RECORD_SCHEMA(proc_snapshot, 48, "proc.snapshot", PROC_SNAPSHOT, EVENT, snapshot_fields);

static const char *const stream_names[PROC_STREAMS] = {
	[PROC_STREAM_NONE] = "none",
	[PROC_STREAM_NULL] = "null",
	[PROC_STREAM_FILE] = "file",
	[PROC_STREAM_TERMINAL] = "terminal",
	[PROC_STREAM_PIPE] = "pipe",
	[PROC_STREAM_SOCKET] = "socket",
	[PROC_STREAM_OTHER] = "other",
};
static const struct sooth_names streams = { PROC_STREAMS, stream_names };

#define FIELDS_STREAM(name_, i_, help_)                                                            \
	{ .name = name_,                                                                           \
		.type = SOOTH_FIELD_ENUM,                                                          \
		FIELD_AT(proc_ties, stream[i_]),                                                   \
		FIELD_STATE_AT(proc_ties, stream_state[i_]),                                       \
		.names = &streams,                                                                 \
		.help = help_ },                                                                   \
		{ .name = name_ "_inode",                                                          \
			.type = SOOTH_FIELD_UNSIGNED,                                              \
			FIELD_AT(proc_ties, stream_inode[i_]),                                     \
			FIELD_STATE_AT(proc_ties, stream_state[i_]),                               \
			.help = "inode number of the file, pipe or socket at this standard "       \
				"stream" },                                                        \
	{                                                                                          \
		.name = name_ "_path", .type = SOOTH_FIELD_TEXT,                                   \
		FIELD_AT(proc_ties, stream_path[i_]), FIELD_STATE_AT(proc_ties, stream_state[i_]), \
		.help = "path of the file at this standard stream; empty: not a file"              \
	}

static const struct sooth_field links_fields[] = {
	FIELD_PID(proc_ties),
	FIELD_WITH(UNSIGNED, proc_ties, pid_namespace, namespace_state,
		"inode number of the process's pid namespace"),
	FIELD_WITH(UNSIGNED, proc_ties, inner_pid, namespace_state,
		"process id in the innermost pid namespace of the process"),
	FIELD_WITH(ARGS, proc_ties, markers, markers_state,
		"environment variables that agents set for their children"),
	FIELDS_STREAM("stdin", 0, "type of standard input: file, pipe, socket, terminal, ..."),
	FIELDS_STREAM("stdout", 1, "type of standard output: file, pipe, socket, terminal, ..."),
	FIELDS_STREAM("stderr", 2, "type of standard error: file, pipe, socket, terminal, ..."),
	FIELD_WITH(BOOL, proc_ties, is_hangup_ignored, hangup_state, "the process ignores SIGHUP"),
	FIELD_AS_WITH(BOOL, proc_ties, has_writer, has_stdin_writer, writer_state,
		"another process has the other end of the process's standard input"),
	FIELD_AS_WITH(LIST, proc_ties, writers, stdin_writers, writers_state,
		"process ids at the other end of the process's standard input"),
	FIELD_WITH(TEXT, proc_ties, root, root_state,
		"top of the git working tree that contains the working directory"),
	FIELD_WITH(UNSIGNED, proc_ties, tracer_pid, tracer_state,
		"thread id of the tracer (ptrace); 0: not traced"),
	FIELD_AS_WITH(UNSIGNED, proc_ties, input_utc_ns, terminal_input_utc_ns, input_state,
		"last input on the terminal of the process, ns since 1970, up to 8 s early",
		.unit = SOOTH_UNIT_UTC_NS),
	FIELD_WITH(UNSIGNED, proc_ties, written_bytes, written_state,
		"bytes written by the process and the children it waited for, to anything",
		.unit = SOOTH_UNIT_BYTES),
	FIELD_AS_WITH(UNSIGNED, proc_ties, output_utc_ns, stdout_file_utc_ns, output_state,
		"last write to the file at standard output, by any process, ns since 1970",
		.unit = SOOTH_UNIT_UTC_NS),
	FIELD_WITH(UNSIGNED, proc_ties, read_bytes, io_state,
		"bytes read by the process and the children it waited for, of anything",
		.unit = SOOTH_UNIT_BYTES),
	FIELD_WITH(UNSIGNED, proc_ties, io_calls, io_state, "calls that read or wrote them"),
	FIELD_WITH(UNSIGNED, proc_ties, disk_read_bytes, io_state,
		"bytes read from storage by them", .unit = SOOTH_UNIT_BYTES),
	FIELD_WITH(UNSIGNED, proc_ties, disk_written_bytes, io_state,
		"bytes written to storage by them", .unit = SOOTH_UNIT_BYTES),
	FIELD_WITH(UNSIGNED, proc_ties, thread_cpu_ns, thread_state, "CPU time of the first thread",
		.unit = SOOTH_UNIT_NS),
	FIELD_WITH(UNSIGNED, proc_ties, thread_ready_ns, thread_state,
		"time in which the first thread was ready to run, but another one had the CPU",
		.unit = SOOTH_UNIT_NS),
	FIELD_WITH(UNSIGNED, proc_ties, rss_anonymous_bytes, memory_state,
		"resident memory that belongs to no file", .unit = SOOTH_UNIT_BYTES),
	FIELD_WITH(UNSIGNED, proc_ties, rss_file_bytes, memory_state, "resident memory of files",
		.unit = SOOTH_UNIT_BYTES),
	FIELD_WITH(UNSIGNED, proc_ties, rss_shared_bytes, memory_state,
		"resident shared memory and tmpfs", .unit = SOOTH_UNIT_BYTES),
	FIELD_WITH(UNSIGNED, proc_ties, swap_bytes, memory_state, "memory in swap",
		.unit = SOOTH_UNIT_BYTES),
};

RECORD_SCHEMA(proc_ties, 280, "proc.ties", PROC_LINKS, SAMPLE, links_fields);

static const char *const turn_names[PROC_TURNS] = {
	[PROC_TURN_UNKNOWN] = "unknown",
	[PROC_TURN_USER] = "user",
	[PROC_TURN_MODEL] = "model",
	[PROC_TURN_TOOL] = "tool",
	[PROC_TURN_PERMISSION] = "permission",
};
static const struct sooth_names turns = { PROC_TURNS, turn_names };

static const char *const mcp_start_names[PROC_MCP_STARTS] = { "unknown", "connects", "connected",
	"no_answer", "failed" };
static const struct sooth_names mcp_starts = { PROC_MCP_STARTS, mcp_start_names };

static const struct sooth_field session_fields[] = {
	FIELD_PID(proc_session),
	FIELD_AS_WITH(TEXT, proc_session, session, session_id, session_state,
		"session id, as the agent names the session"),
	FIELD_STRING(proc_session, source, "file or source the session data was read from"),
	FIELD_WITH(TEXT, proc_session, status, status_state,
		"status that the agent reports about itself: busy, idle, ..."),
	FIELD_WITH(UNSIGNED, proc_session, activity_utc_ns, activity_state,
		"time of the agent's last activity, ns since 1970", .unit = SOOTH_UNIT_UTC_NS),
	FIELD_WITH(TEXT, proc_session, tool, tool_state, "last tool that the agent called"),
	FIELD_WITH(UNSIGNED, proc_session, tool_utc_ns, tool_state,
		"time of the agent's last tool call, ns since 1970", .unit = SOOTH_UNIT_UTC_NS),
	FIELD_WITH(TEXT, proc_session, version, version_state,
		"version that the agent reports about itself"),
	FIELD_AS_WITH(UNSIGNED, proc_session, changed_utc_ns, status_utc_ns, changed_state,
		"time of the last change of the status, ns since 1970", .unit = SOOTH_UNIT_UTC_NS),
	FIELD_WITH(TEXT, proc_session, waiting, waiting_state,
		"what the agent reports to wait for: permission prompt, ..."),
	FIELD_WITH(ENUM, proc_session, turn, turn_state,
		"next to act by the agent's log: user, model, tool", .names = &turns),
	FIELD_WITH(UNSIGNED, proc_session, turn_utc_ns, turn_state,
		"time the turn began, ns since 1970", .unit = SOOTH_UNIT_UTC_NS),
	FIELD_WITH(UNSIGNED, proc_session, attempts, turn_state,
		"attempts of the request to the model, as the log counts them; 0: one"),
	FIELD_WITH(UNSIGNED, proc_session, error_status, error_state,
		"HTTP status of the attempt before, as the log has it"),
	FIELD_WITH(TEXT, proc_session, call, call_state,
		"oldest tool call without a result, by the log"),
	FIELD_WITH(UNSIGNED, proc_session, turns, tokens_state, "answers of the model, by the log"),
	FIELD_WITH(UNSIGNED, proc_session, input_tokens, tokens_state,
		"tokens sent to the model, with cached ones, by the log"),
	FIELD_WITH(UNSIGNED, proc_session, output_tokens, tokens_state,
		"tokens that the model answered, by the log"),
	FIELD_WITH(UNSIGNED, proc_session, context_tokens, context_state,
		"tokens of context in use after the last answer, by the log"),
	FIELD_WITH(TEXT, proc_session, model, model_state, "model of the last answer, by the log"),
	FIELD_WITH(TEXT, proc_session, branch, branch_state,
		"git branch of the directory the agent works in", .placeholder = "branch"),
	FIELD_WITH(TEXT, proc_session, task, task_state,
		"first words of the user's first prompt, by the log", .placeholder = "task"),
	FIELD_WITH(UNSIGNED, proc_session, repeats, repeats_state,
		"times in a row that the last tool calls were made with the same results, by the "
		"log"),
	FIELD_WITH(UNSIGNED, proc_session, repeated_calls, repeats_state,
		"tool calls of the repeated pattern"),
	FIELD_WITH(UNSIGNED, proc_session, repeats_since_utc_ns, repeats_state,
		"time the repeated tool call was made first, ns since 1970",
		.unit = SOOTH_UNIT_UTC_NS),
	FIELD_WITH(UNSIGNED, proc_session, repeats_until_utc_ns, repeats_state,
		"time the repeated tool call ended last, ns since 1970", .unit = SOOTH_UNIT_UTC_NS),
	FIELD_AS_WITH(TEXT, proc_session, repeated, repeated_tool, repeats_state,
		"tool of the repeated call, the last one of the pattern"),
	FIELD_WITH(UNSIGNED, proc_session, prompt_utc_ns, progress_state,
		"time of the user's last prompt, by the log, ns since 1970",
		.unit = SOOTH_UNIT_UTC_NS),
	FIELD_WITH(UNSIGNED, proc_session, effect_utc_ns, progress_state,
		"time of the last prompt, edited file or new result, by the log, ns since 1970",
		.unit = SOOTH_UNIT_UTC_NS),
	FIELD_WITH(UNSIGNED, proc_session, answer_utc_ns, progress_state,
		"time of the model's last answer, by the log, ns since 1970",
		.unit = SOOTH_UNIT_UTC_NS),
	FIELD_WITH(UNSIGNED, proc_session, spent_input_tokens, progress_state,
		"tokens sent to the model since the last effect, by the log"),
	FIELD_WITH(UNSIGNED, proc_session, spent_output_tokens, progress_state,
		"tokens that the model answered since the last effect, by the log"),
	FIELD_WITH(UNSIGNED, proc_session, spent_turns, progress_state,
		"answers of the model since the last effect"),
	FIELD_WITH(UNSIGNED, proc_session, spent_calls, progress_state,
		"tool calls since the last effect"),
	FIELD_WITH(UNSIGNED, proc_session, unprompted_turns, progress_state,
		"answers of the model since the user's last prompt"),
	FIELD_WITH(UNSIGNED, proc_session, tokens_a_minute, rate_state,
		"tokens in and out a minute, of the last five minutes, by the log"),
	FIELD_WITH(UNSIGNED, proc_session, window_tokens, window_state,
		"context window of the model, by the log"),
	FIELD_WITH(REAL, proc_session, quota_percent, quota_state,
		"used share of the account's nearest limit, by the log",
		.unit = SOOTH_UNIT_PERCENT),
	FIELD_WITH(UNSIGNED, proc_session, quota_resets_utc_ns, quota_state,
		"time that limit is reset, by the log, ns since 1970; 0: unknown",
		.unit = SOOTH_UNIT_UTC_NS),
	FIELD_WITH(TEXT, proc_session, mcp, mcp_state,
		"MCP server with an open call, or with the most errors or the slowest answers, by "
		"the log",
		.placeholder = "server"),
	FIELD_WITH(UNSIGNED, proc_session, mcp_calls, mcp_state,
		"calls that this MCP server answered"),
	FIELD_WITH(UNSIGNED, proc_session, mcp_errors, mcp_state,
		"calls that it answered with an error"),
	FIELD_WITH(UNSIGNED, proc_session, mcp_total_ns, mcp_state,
		"time from these calls to their answers", .unit = SOOTH_UNIT_NS),
	FIELD_WITH(UNSIGNED, proc_session, mcp_longest_ns, mcp_state,
		"longest time from a call to its answer", .unit = SOOTH_UNIT_NS),
	FIELD_WITH(TEXTS, proc_session, log_end, progress_state,
		"last lines of the log: time, and prompt, answer, call or result, without their "
		"text"),
	FIELD_WITH(TEXT, proc_session, job, job_state,
		"id of the session in the list of the agent's daemon"),
	FIELD_WITH(TEXT, proc_session, job_status, job_state,
		"state of the session in that list: working, blocked, stopped, ..."),
	FIELD_WITH(UNSIGNED, proc_session, queued_utc_ns, turn_state,
		"time of the oldest prompt in the agent's queue, by the log, ns since 1970; 0: "
		"none",
		.unit = SOOTH_UNIT_UTC_NS),
	FIELD_WITH(TEXT, proc_session, mcp_log, mcp_log_state,
		"MCP server that is not connected, or prints text beside its messages, by the "
		"agent's logs of its servers",
		.placeholder = "server"),
	FIELD_WITH(ENUM, proc_session, mcp_start, mcp_log_state, "state of its connection",
		.names = &mcp_starts),
	FIELD_WITH(UNSIGNED, proc_session, mcp_start_utc_ns, mcp_log_state,
		"time its connection was begun, ns since 1970", .unit = SOOTH_UNIT_UTC_NS),
	FIELD_WITH(UNSIGNED, proc_session, mcp_word_lines, mcp_log_state,
		"lines that it printed beside its messages"),
	FIELD_WITH(TEXT, proc_session, asked, asked_state,
		"first words of the command, or the file, of the oldest tool call without a "
		"result, by the log, secrets masked",
		.placeholder = "command"),
};

RECORD_SCHEMA(proc_session, 424, "proc.session", PROC_SESSION, SAMPLE, session_fields);

static const struct sooth_field installed_fields[] = {
	FIELD_STRING(proc_installed, agent, "id of the agent"),
	FIELD_STRING(proc_installed, version, "installed version of the agent"),
	FIELD_STRING(proc_installed, path, "path of the installed agent"),
	FIELD_NUMBER(proc_installed, uid,
		"user id of the home directory the agent is installed in; 4294967295: system-wide"),
	FIELD_NUMBER(proc_installed, is_unread, "1: the versions in this folder could not be read"),
};

RECORD_SCHEMA(proc_installed, 64, "proc.installed", PROC_INSTALLED, SAMPLE, installed_fields,
	.time_span = SOOTH_TIME_SPAN_RUN);

static const struct sooth_schema *const schemas[] = { &proc_process_schema, &proc_snapshot_schema,
	&proc_ties_schema, &proc_session_schema, &proc_installed_schema, NULL };

const struct probe probe_proc = {
	.name = "proc",
	.help = "processes: parent, state, CPU time, memory, command, directory",
	.offers = INTEREST_SAMPLE | INTEREST_BRIEF | INTEREST_TRANSCRIPT | INTEREST_RUNNING,
	.schemas = schemas,
};
