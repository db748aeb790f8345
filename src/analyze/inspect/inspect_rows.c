/* SPDX-License-Identifier: BSD-2-Clause */
/* Field tables of the view "inspect". Lines of the text output are templates here. */
#include "analyze/inspect/inspect_rows.h"

#include "analyze/activity/activity_rows.h"
#include "analyze/maps/map_classes.h"
#include "analyze/waits/why_rows.h"
#include "model/schema.h"

ROW_FIELDS(inspect_process_fields, INSPECT_PROCESS_ROW, inspect_process_row);
ROW_SCHEMA(inspect_process, "inspect.process", inspect_process_row,
	.line = "{name} (pid {pid})[, {agent_title}]: state {state}[ (frozen: {frozen})], started "
		"{elapsed_s} ago by {ppid}, user {uid}\n"
		"program      {executable}[ ({deleted_text})]\n"
		"command      {command}\n"
		"directory    {cwd}"
		"[\ngroup        {control_group}]");

ROW_FIELDS(inspect_activity_fields, ACTIVITY_ROW, activity_row);
ROW_SCHEMA(inspect_activity, "inspect.activity", activity_row, .line = "activity     {text}");

ROW_FIELDS(inspect_waits_fields, INSPECT_WAITS_ROW, inspect_waits_row);
ROW_SCHEMA(inspect_waits, "inspect.waits", inspect_waits_row,
	.line = "waits        {text}[\n             not known: {reason}]");

ROW_FIELDS(inspect_cpu_fields, INSPECT_CPU_ROW, inspect_cpu_row);
ROW_SCHEMA(inspect_cpu, "inspect.cpu", inspect_cpu_row,
	.line = "CPU          {cpu_percent} %[ over {interval_ns}], {cpu_ns} so far; "
		"{threads thread}[: {states}]");

ROW_FIELDS(inspect_memory_fields, INSPECT_MEMORY_ROW, inspect_memory_row);
ROW_SCHEMA(inspect_memory, "inspect.memory", inspect_memory_row,
	.line = "memory       {rss_bytes} resident: {rss_anonymous_bytes} anonymous, "
		"{rss_file_bytes} of files, {rss_shared_bytes} shared; peak {rss_peak_bytes}"
		"[; {swap_bytes} swapped]\n"
		"addresses    {vsz_bytes} in {mappings mapping}[, {reserved_bytes} of it reserved "
		"and unused]");

ROW_FIELDS(inspect_descriptors_fields, INSPECT_DESCRIPTORS_ROW, inspect_descriptors_row);
ROW_SCHEMA(inspect_descriptors, "inspect.descriptors", inspect_descriptors_row,
	.line = "descriptors  {open_files}[ of {soft_limit} allowed][ ({percent} %)][: {types}]"
		"[\ninotify      watches {watches} of {watches_max}, instances {instances} of "
		"{instances_max} (limits per user)]");

ROW_FIELDS(inspect_sockets_fields, INSPECT_SOCKETS_ROW, inspect_sockets_row);
ROW_SCHEMA(inspect_sockets, "inspect.sockets", inspect_sockets_row,
	.line = "sockets      {count}[: {kinds}][; {unread_bytes} unread][; retransmits: "
		"{retransmits}]"
		"[\nsilence      longest silent connection: fd {silent_fd} to {silent_peer}, "
		"{silent_ns}]");

ROW_FIELDS(inspect_signals_fields, INSPECT_SIGNALS_ROW, inspect_signals_row);
ROW_SCHEMA(inspect_signals, "inspect.signals", inspect_signals_row,
	.line = "signals      {caught} caught, {ignored} ignored, {pending} pending[: "
		"{pending_names}]");

ROW_FIELDS(inspect_danger_fields, INSPECT_DANGER_ROW, inspect_danger_row);
ROW_SCHEMA(inspect_danger, "inspect.danger", inspect_danger_row,
	.line = "OOM score    {oom_score} (adjustment {oom_score_adjustment}); host memory: "
		"{memory_available_bytes} available of {memory_bytes}"
		"[\ngroup limit  "
		"{control_group_used_bytes} of {control_group_limit_bytes} memory used in "
		"{control_group}]");

ROW_FIELDS(inspect_thread_fields, INSPECT_THREAD_ROW, inspect_thread_row);
ROW_SCHEMA(inspect_thread, "inspect.thread", inspect_thread_row);

ROW_FIELDS(inspect_class_fields, INSPECT_CLASS_ROW, inspect_class_row);
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

ROW_FIELDS(inspect_limit_fields, INSPECT_LIMIT_ROW, inspect_limit_row);
ROW_SCHEMA(inspect_limit, "inspect.limit", inspect_limit_row);
