/* SPDX-License-Identifier: BSD-2-Clause */
/* Field tables of the view "inspect". Lines of the text output are templates here. */
#include "analyze/inspect/inspect_rows.h"

#include "analyze/maps/map_classes.h"
#include "analyze/waits/why_rows.h"
#include "model/schema.h"

#define FIELD_PERCENT(type_, member, state, help_)                                                 \
	{                                                                                          \
		.name = #member, .type = SOOTH_FIELD_REAL, .decimals = 1,                          \
		.unit = SOOTH_UNIT_PERCENT, FIELD_AT(type_, member), FIELD_STATE_AT(type_, state), \
		.help = help_                                                                      \
	}

static const struct sooth_field inspect_process_fields[] = {
	FIELD_PID(inspect_process_row),
	{ .name = "start_ticks",
		.type = SOOTH_FIELD_UNSIGNED,
		FIELD_AT(inspect_process_row, record.start_ticks),
		.help = "start of the process, in clock ticks after boot; unique together with the "
			"pid" },
	FIELD_STRING(inspect_process_row, name, "name of the main thread of the process (comm)"),
	FIELD_STRING(inspect_process_row, agent,
		"id of the agent that the process was recognized as",
		FIELD_STATE_AT(inspect_process_row, agent_state)),
	FIELD_STRING(inspect_process_row, agent_title,
		"display name of the agent, or \"a kernel thread\"",
		FIELD_STATE_AT(inspect_process_row, title_state)),
	{ .name = "state",
		.type = SOOTH_FIELD_CHARS,
		FIELD_AT(inspect_process_row, state),
		.help = "process state: R running, S sleeping, D uninterruptible, T stopped, Z "
			"zombie, I idle" },
	FIELD_STRING(inspect_process_row, frozen,
		"how the process was frozen: signal or control group",
		FIELD_STATE_AT(inspect_process_row, frozen_state)),
	FIELD_NUMBER(inspect_process_row, elapsed_s, "seconds since the process started",
		.unit = SOOTH_UNIT_S),
	FIELD_NUMBER(inspect_process_row, ppid, "process id of the parent"),
	FIELD_NUMBER(inspect_process_row, uid, "effective user id of the process"),
	FIELD_STRING(inspect_process_row, executable, "path of the executable of the process",
		FIELD_STATE_AT(inspect_process_row, executable_state)),
	FIELD_TRUTH(inspect_process_row, is_deleted,
		"the executable of the process was removed or replaced"),
	FIELD_STRING_AS(inspect_process_row, deleted, deleted_text,
		"whether the executable of the process was removed or replaced, as text",
		.is_hidden = true, FIELD_STATE_AT(inspect_process_row, deleted_state)),
	{ .name = "command",
		.type = SOOTH_FIELD_ARGS,
		FIELD_AT(inspect_process_row, command),
		FIELD_STATE_AT(inspect_process_row, command_state),
		.help = "command line of the process, secrets masked" },
	FIELD_STRING_AS(inspect_process_row, directory, cwd, "working directory of the process",
		FIELD_STATE_AT(inspect_process_row, directory_state)),
	FIELD_STRING(inspect_process_row, control_group, "control group of the process",
		FIELD_STATE_AT(inspect_process_row, control_group_state)),
};
ROW_SCHEMA(inspect_process, "inspect.process", inspect_process_row,
	.line = "{name} (pid {pid})[, {agent_title}]: state {state}[ (frozen: {frozen})], started "
		"{elapsed_s} ago by {ppid}, user {uid}\n"
		"program      {executable}[ ({deleted_text})]\n"
		"command      {command}\n"
		"directory    {cwd}"
		"[\ngroup        {control_group}]");

static const struct sooth_field inspect_waits_fields[] = {
	FIELD_STRING(inspect_waits_row, text,
		"what the process waits for, as sooth why says it; null: not measured",
		FIELD_STATE_AT(inspect_waits_row, text_state)),
	FIELD_STRING(inspect_waits_row, state,
		"waits, runs, idle, stopped, deadlock, ended, unknown",
		FIELD_STATE_AT(inspect_waits_row, text_state)),
	{ .name = "confidence",
		.type = SOOTH_FIELD_ENUM,
		FIELD_AT(inspect_waits_row, confidence),
		FIELD_STATE_AT(inspect_waits_row, text_state),
		.names = &waits_confidence_names,
		.help = "confidence of the weakest link: high, medium, low" },
	FIELD_STRING(inspect_waits_row, reason, "why something is not known",
		FIELD_STATE_AT(inspect_waits_row, reason_state)),
	FIELD_ROWS(inspect_waits_row, chain, why_link_schema,
		"chain of waits: the process, then what it waits for", .is_hidden = true),
	FIELD_ROWS(inspect_waits_row, remedies, why_remedy_schema, "what to do about the wait",
		.is_hidden = true),
};
ROW_SCHEMA(inspect_waits, "inspect.waits", inspect_waits_row,
	.line = "waits        {text}[\n             not known: {reason}]");

static const struct sooth_field inspect_cpu_fields[] = {
	FIELD_PERCENT(inspect_cpu_row, cpu_percent, cpu_state,
		"CPU use in percent of one CPU, without threads that started or ended meanwhile"),
	FIELD_NUMBER(inspect_cpu_row, interval_ns,
		"time between the two samples of the measurement", .unit = SOOTH_UNIT_NS,
		FIELD_STATE_AT(inspect_cpu_row, interval_state)),
	FIELD_NUMBER(inspect_cpu_row, cpu_ns, "CPU time of the process since its start",
		.unit = SOOTH_UNIT_NS),
	FIELD_NUMBER(inspect_cpu_row, threads, "number of threads of the process",
		FIELD_STATE_AT(inspect_cpu_row, threads_state)),
	FIELD_STRING(inspect_cpu_row, states, "number of threads in each state",
		FIELD_STATE_AT(inspect_cpu_row, states_state)),
};
ROW_SCHEMA(inspect_cpu, "inspect.cpu", inspect_cpu_row,
	.line = "CPU          {cpu_percent} %[ over {interval_ns}], {cpu_ns} so far; {threads} "
		"threads[: {states}]");

static const struct sooth_field inspect_memory_fields[] = {
	FIELD_BYTES(inspect_memory_row, rss_bytes, "resident memory of the process",
		FIELD_STATE_AT(inspect_memory_row, status_state)),
	FIELD_BYTES(inspect_memory_row, rss_anonymous_bytes,
		"resident anonymous memory of the process (heap, stacks)",
		FIELD_STATE_AT(inspect_memory_row, status_state)),
	FIELD_BYTES(inspect_memory_row, rss_file_bytes, "resident pages of mapped files",
		FIELD_STATE_AT(inspect_memory_row, status_state)),
	FIELD_BYTES(inspect_memory_row, rss_shared_bytes, "resident shared memory of the process",
		FIELD_STATE_AT(inspect_memory_row, status_state)),
	FIELD_BYTES(inspect_memory_row, rss_peak_bytes,
		"highest resident memory of the process so far",
		FIELD_STATE_AT(inspect_memory_row, status_state)),
	FIELD_BYTES(inspect_memory_row, swap_bytes,
		"memory of the process that is swapped out; null: none",
		FIELD_STATE_AT(inspect_memory_row, swap_state)),
	FIELD_BYTES(inspect_memory_row, vsz_bytes, "size of the address space (virtual memory)",
		FIELD_STATE_AT(inspect_memory_row, status_state)),
	FIELD_BYTES(inspect_memory_row, reserved_bytes,
		"address space reserved without memory behind it (costs nothing)",
		FIELD_STATE_AT(inspect_memory_row, reserved_state)),
	FIELD_NUMBER(inspect_memory_row, mappings, "number of memory mappings",
		FIELD_STATE_AT(inspect_memory_row, mappings_state)),
};
ROW_SCHEMA(inspect_memory, "inspect.memory", inspect_memory_row,
	.line = "memory       {rss_bytes} resident: {rss_anonymous_bytes} anonymous, "
		"{rss_file_bytes} of files, {rss_shared_bytes} shared; peak {rss_peak_bytes}"
		"[; {swap_bytes} swapped]\n"
		"addresses    {vsz_bytes} in {mappings} mappings[, {reserved_bytes} of it reserved "
		"and unused]");

static const struct sooth_field inspect_descriptors_fields[] = {
	FIELD_NUMBER_AS(inspect_descriptors_row, count, open_files,
		"number of open file descriptors of the process",
		FIELD_STATE_AT(inspect_descriptors_row, count_state)),
	FIELD_NUMBER(inspect_descriptors_row, soft_limit, "soft limit of open files; null: none",
		FIELD_STATE_AT(inspect_descriptors_row, limit_state)),
	FIELD_PERCENT(
		inspect_descriptors_row, percent, percent_state, "use in percent of the limit"),
	FIELD_STRING(inspect_descriptors_row, types, "number of file descriptors of each type",
		FIELD_STATE_AT(inspect_descriptors_row, types_state)),
	FIELD_NUMBER(inspect_descriptors_row, watches,
		"inotify watches of the process; null: no inotify instance",
		FIELD_STATE_AT(inspect_descriptors_row, watches_state)),
	FIELD_NUMBER(inspect_descriptors_row, instances,
		"inotify instances of the process; null: none",
		FIELD_STATE_AT(inspect_descriptors_row, watches_state)),
	FIELD_NUMBER(inspect_descriptors_row, watches_max, "maximum inotify watches per user",
		FIELD_STATE_AT(inspect_descriptors_row, inotify_state)),
	FIELD_NUMBER(inspect_descriptors_row, instances_max, "maximum inotify instances per user",
		FIELD_STATE_AT(inspect_descriptors_row, inotify_state)),
};
ROW_SCHEMA(inspect_descriptors, "inspect.descriptors", inspect_descriptors_row,
	.line = "descriptors  {open_files}[ of {soft_limit} allowed][ ({percent} %)][: {types}]"
		"[\ninotify      watches {watches} of {watches_max}, instances {instances} of "
		"{instances_max} (limits per user)]");

static const struct sooth_field inspect_sockets_fields[] = {
	FIELD_NUMBER(inspect_sockets_row, count, "number of sockets of the process",
		FIELD_STATE_AT(inspect_sockets_row, count_state)),
	FIELD_NUMBER(inspect_sockets_row, established, "number of established TCP connections",
		.is_hidden = true, FIELD_STATE_AT(inspect_sockets_row, count_state)),
	FIELD_NUMBER(inspect_sockets_row, listening, "number of listening sockets",
		.is_hidden = true, FIELD_STATE_AT(inspect_sockets_row, count_state)),
	FIELD_STRING(inspect_sockets_row, kinds, "number of sockets of each protocol and state",
		FIELD_STATE_AT(inspect_sockets_row, count_state)),
	FIELD_NUMBER(inspect_sockets_row, retransmits,
		"TCP segments retransmitted on all connections; null: no connection",
		FIELD_STATE_AT(inspect_sockets_row, retransmits_state)),
	FIELD_BYTES_AS(inspect_sockets_row, waiting_bytes, unread_bytes,
		"bytes received that the process has not read yet; null: no connection",
		FIELD_STATE_AT(inspect_sockets_row, waiting_state)),
	FIELD_NUMBER(inspect_sockets_row, silent_ns,
		"time since the last data on the connection that is silent longest",
		.unit = SOOTH_UNIT_NS, FIELD_STATE_AT(inspect_sockets_row, silent_state)),
	FIELD_NUMBER(inspect_sockets_row, silent_fd,
		"file descriptor of the connection that is silent longest",
		FIELD_STATE_AT(inspect_sockets_row, silent_state)),
	FIELD_STRING(inspect_sockets_row, silent_peer,
		"peer of the connection that is silent longest",
		FIELD_STATE_AT(inspect_sockets_row, silent_state)),
};
ROW_SCHEMA(inspect_sockets, "inspect.sockets", inspect_sockets_row,
	.line = "sockets      {count}[: {kinds}][; {unread_bytes} unread][; retransmits: "
		"{retransmits}]"
		"[\nsilence      longest silent connection: fd {silent_fd} to {silent_peer}, "
		"{silent_ns}]");

static const struct sooth_field inspect_signals_fields[] = {
	FIELD_NUMBER(inspect_signals_row, caught, "number of signals with a handler",
		FIELD_STATE_AT(inspect_signals_row, masks_state)),
	FIELD_NUMBER(inspect_signals_row, ignored, "number of ignored signals",
		FIELD_STATE_AT(inspect_signals_row, masks_state)),
	FIELD_NUMBER(inspect_signals_row, pending,
		"number of pending signals of the process and its threads",
		FIELD_STATE_AT(inspect_signals_row, masks_state)),
	FIELD_STRING(inspect_signals_row, pending_names, "names of the pending signals",
		FIELD_STATE_AT(inspect_signals_row, masks_state)),
};
ROW_SCHEMA(inspect_signals, "inspect.signals", inspect_signals_row,
	.line = "signals      {caught} caught, {ignored} ignored, {pending} pending[: "
		"{pending_names}]");

static const struct sooth_field inspect_danger_fields[] = {
	{ .name = "oom_score",
		.type = SOOTH_FIELD_SIGNED,
		FIELD_AT(inspect_danger_row, oom_score),
		FIELD_STATE_AT(inspect_danger_row, oom_state),
		.help = "OOM score; a process with a higher score is killed earlier when memory "
			"runs out" },
	{ .name = "oom_score_adjustment",
		.type = SOOTH_FIELD_SIGNED,
		FIELD_AT(inspect_danger_row, oom_score_adjustment),
		FIELD_STATE_AT(inspect_danger_row, oom_state),
		.help = "adjustment of the OOM score; -1000: the OOM killer never chooses the "
			"process" },
	FIELD_BYTES(inspect_danger_row, memory_available_bytes,
		"memory of the host that is available without swapping",
		FIELD_STATE_AT(inspect_danger_row, memory_state)),
	FIELD_BYTES(inspect_danger_row, memory_bytes, "total memory of the host",
		FIELD_STATE_AT(inspect_danger_row, memory_state)),
	FIELD_BYTES(inspect_danger_row, control_group_used_bytes,
		"memory used by the control group closest to its limit",
		FIELD_STATE_AT(inspect_danger_row, group_state)),
	FIELD_BYTES(inspect_danger_row, control_group_limit_bytes,
		"memory limit of the control group closest to its limit; null: none",
		FIELD_STATE_AT(inspect_danger_row, group_state)),
	FIELD_STRING_AS(inspect_danger_row, group, control_group,
		"control group whose memory use is closest to its limit",
		FIELD_STATE_AT(inspect_danger_row, group_state)),
};
ROW_SCHEMA(inspect_danger, "inspect.danger", inspect_danger_row,
	.line = "OOM score    {oom_score} (adjustment {oom_score_adjustment}); host memory: "
		"{memory_available_bytes} available of {memory_bytes}"
		"[\ngroup limit  "
		"{control_group_used_bytes} of {control_group_limit_bytes} memory used in "
		"{control_group}]");

static const struct sooth_field inspect_thread_fields[] = {
	{ .name = "tid",
		.type = SOOTH_FIELD_UNSIGNED,
		FIELD_AT(inspect_thread_row, record.tid),
		.is_key = true,
		.help = "thread id in the initial pid namespace" },
	FIELD_STRING(inspect_thread_row, name, "name of the thread (comm)"),
	FIELD_PERCENT(inspect_thread_row, cpu_percent, cpu_state,
		"CPU use over the interval, in percent of one CPU"),
	{ .name = "state",
		.type = SOOTH_FIELD_CHARS,
		FIELD_AT(inspect_thread_row, state),
		.help = "thread state: R running, S sleeping, D uninterruptible, T stopped" },
};
ROW_SCHEMA(inspect_thread, "inspect.thread", inspect_thread_row);

static const struct sooth_field inspect_class_fields[] = {
	{ .name = "class",
		.label = "MEMORY",
		.type = SOOTH_FIELD_ENUM,
		FIELD_AT(inspect_class_row, class_),
		.names = &map_class_names,
		.is_key = true,
		.help = "use of the memory: glibc-heap, thread-stack, file, v8, ..." },
	FIELD_BYTES(inspect_class_row, rss_bytes, "resident memory of this use", .label = "RSS",
		FIELD_STATE_AT(inspect_class_row, figures_state)),
	FIELD_BYTES(inspect_class_row, pss_bytes,
		"proportional resident memory (PSS): a shared page counts in parts", .label = "PSS",
		FIELD_STATE_AT(inspect_class_row, figures_state)),
	FIELD_BYTES(inspect_class_row, dirty_bytes, "memory in changed (dirty) pages",
		.label = "DIRTY", FIELD_STATE_AT(inspect_class_row, figures_state)),
	FIELD_BYTES(inspect_class_row, swap_bytes, "memory that is swapped out", .label = "SWAP",
		FIELD_STATE_AT(inspect_class_row, figures_state)),
	FIELD_BYTES(inspect_class_row, size_bytes, "size of the address space (virtual memory)",
		.label = "SIZE"),
	FIELD_BYTES(inspect_class_row, reserved_bytes,
		"address space reserved without memory behind it", .label = "RESERVED",
		FIELD_STATE_AT(inspect_class_row, figures_state)),
	FIELD_NUMBER(inspect_class_row, mappings, "number of memory mappings"),
};
ROW_SCHEMA(inspect_class, "inspect.class", inspect_class_row);

#define COUNT_FIELDS(what_name_, what_, count_name_, count_, help_)                                \
	{                                                                                          \
		FIELD_STRING_AS(inspect_count_row, what, what_name_, help_, .label = what_,        \
			.is_key = true, .may_shrink = true,                                        \
			FIELD_STATE_AT(inspect_count_row, what_state)),                            \
			FIELD_NUMBER_AS(inspect_count_row, count, count_name_,                     \
				"number of items in this group", .label = count_)                  \
	}
#define inspect_peer_row      inspect_count_row
#define inspect_directory_row inspect_count_row

static const struct sooth_field inspect_peer_fields[] = COUNT_FIELDS(label, "PEER", connections,
	"CONNECTIONS", "known name of the service at the peer, or the peer address");
ROW_SCHEMA(inspect_peer, "inspect.peer", inspect_peer_row);
static const struct sooth_field inspect_directory_fields[] =
	COUNT_FIELDS(path, "WATCHED DIRECTORY", watches, "WATCHES", "directory watched by inotify");
ROW_SCHEMA(inspect_directory, "inspect.directory", inspect_directory_row);

static const struct sooth_field inspect_limit_fields[] = {
	FIELD_STRING(inspect_limit_row, name, "name of the resource limit",
		.label = "NEAR ITS LIMIT", .is_key = true),
	FIELD_NUMBER(inspect_limit_row, used, "amount of the limited resource in use"),
	FIELD_NUMBER(inspect_limit_row, limit, "limit of the resource"),
	FIELD_STRING(inspect_limit_row, unit, "unit of the used amount and of the limit"),
	{ .name = "percent",
		.type = SOOTH_FIELD_REAL,
		.decimals = 1,
		.unit = SOOTH_UNIT_PERCENT,
		FIELD_AT(inspect_limit_row, percent),
		.help = "use in percent of the limit" },
};
ROW_SCHEMA(inspect_limit, "inspect.limit", inspect_limit_row);
