/* SPDX-License-Identifier: BSD-2-Clause */
/* The lines of the view "inspect", one for each aspect of the process. */
#include "analyze/inspect/inspect_lines.h"

#include <stdio.h>
#include <string.h>

#include "recognize/agent.h"
#include "analyze/activity/activity_rows.h"
#include "analyze/fds/fd_sums.h"
#include "analyze/inspect/limits.h"
#include "analyze/maps/map_classes.h"
#include "analyze/process_table/process_table.h"
#include "analyze/process_table/process_match.h"
#include "analyze/sockets/socket_sums.h"
#include "analyze/sockets/socket_text.h"
#include "analyze/waits/wait_activity.h"
#include "analyze/waits/wait_rows.h"
#include "analyze/waits/wait_text.h"
#include "analyze/waits/why_rows.h"
#include "base/cleanup.h"
#include "base/units.h"
#include "model/probe.h"
#include "probes/fd_names.h"
#include "probes/signal_names.h"
#include "probes/signals.h"

/* --- fields: the lines of the text output are templates --- */

ROW_SCHEMA(inspect_process, INSPECT_PROCESS_ROW, "inspect.process", inspect_process_row,
	.line = "{name} (pid {pid})[, {agent_title}]: state {state}[ (frozen: {frozen})], started "
		"{elapsed_s} ago by {ppid}, user {uid}\n"
		"program      {executable}[ ({deleted_text})]\n"
		"command      {command}\n"
		"directory    {cwd}"
		"[\ngroup        {control_group}]");

ROW_SCHEMA(inspect_activity, ACTIVITY_ROW, "inspect.activity", activity_row,
	.line = "activity     {text}");

ROW_SCHEMA(inspect_session, INSPECT_SESSION_ROW, "inspect.session", inspect_session_row,
	.line = "tokens       {tokens_a_minute} a minute[; context {context_percent} % of the "
		"window][; quota {quota_percent} % used]"
		"[\nMCP server   {mcp_server}: {mcp_calls call} answered, {mcp_errors} with an "
		"error, "
		"in {mcp_mean_ns} in the mean, {mcp_longest_ns} at most]"
		"[\nMCP server   {mcp_log}[: not connected, tried for {mcp_tried_ns}]"
		"[: prints text beside its messages, {mcp_word_lines line}]]");

ROW_SCHEMA(inspect_waits, INSPECT_WAITS_ROW, "inspect.waits", inspect_waits_row,
	.line = "waits        {text}[\n             not known: {reason}]");

ROW_SCHEMA(inspect_cpu, INSPECT_CPU_ROW, "inspect.cpu", inspect_cpu_row,
	.line = "CPU          {cpu_percent} %[ over {interval_ns}], {cpu_ns} so far; "
		"{threads thread}[: {states}]");

ROW_SCHEMA(inspect_memory, INSPECT_MEMORY_ROW, "inspect.memory", inspect_memory_row,
	.line = "memory       {rss_bytes} resident: {rss_anonymous_bytes} anonymous, "
		"{rss_file_bytes} of files, {rss_shared_bytes} shared; peak {rss_peak_bytes}"
		"[; {swap_bytes} swapped]\n"
		"addresses    {vsz_bytes} in {mappings mapping}[, {reserved_bytes} of it reserved "
		"and unused]");

ROW_SCHEMA(inspect_descriptors, INSPECT_DESCRIPTORS_ROW, "inspect.descriptors",
	inspect_descriptors_row,
	.line = "descriptors  {open_files}[ of {soft_limit} allowed][ ({percent} %)][: {types}]"
		"[\ninotify      watches {watches} of {watches_max}, instances {instances} of "
		"{instances_max} (limits per user)]");

ROW_SCHEMA(inspect_sockets, INSPECT_SOCKETS_ROW, "inspect.sockets", inspect_sockets_row,
	.line = "sockets      {count}[: {kinds}][; {unread_bytes} unread][; retransmits: "
		"{retransmits}]"
		"[\nsilence      longest silent connection: fd {silent_fd} to {silent_peer}, "
		"{silent_ns}]");

ROW_SCHEMA(inspect_signals, INSPECT_SIGNALS_ROW, "inspect.signals", inspect_signals_row,
	.line = "signals      {caught} caught, {ignored} ignored, {pending} pending[: "
		"{pending_names}]");

ROW_SCHEMA(inspect_danger, INSPECT_DANGER_ROW, "inspect.danger", inspect_danger_row,
	.line = "OOM score    {oom_score} (adjustment {oom_score_adjustment}); host memory: "
		"{memory_available_bytes} available of {memory_bytes}"
		"[\ngroup limit  "
		"{control_group_used_bytes} of {control_group_limit_bytes} memory used in "
		"{control_group}]");

ROW_SCHEMA(inspect_thread, INSPECT_THREAD_ROW, "inspect.thread", inspect_thread_row);
ROW_SCHEMA(inspect_class, INSPECT_CLASS_ROW, "inspect.class", inspect_class_row);
ROW_SCHEMA(inspect_peer, INSPECT_PEER_ROW, "inspect.peer", inspect_count_row);
ROW_SCHEMA(inspect_directory, INSPECT_DIRECTORY_ROW, "inspect.directory", inspect_count_row);
ROW_SCHEMA(inspect_limit, INSPECT_LIMIT_ROW, "inspect.limit", inspect_limit_row);

/* --- lines --- */

#define NOT_REQUESTED SOOTH_NOT_MEASURED(SOOTH_REASON_NOT_REQUESTED)
#define STATES	      128 /* letters */

static struct span text_of(const struct sooth_record *r, const char *name)
{
	return text_named(registry_schema(r->kind), r, name);
}

#define OBJECT_SECTION(name_, schema_)                                                             \
	static const struct section section = {                                                    \
		.name = name_, .schema = &schema_, .shape = SECTION_OBJECT                         \
	}

/* --- identity --- */

static uint64_t elapsed_s(const struct inspect_snapshots *s, const struct sooth_record *r)
{
	uint64_t now_s = (r->time_ns + (uint64_t)s->boottime_offset_ns) / NS_PER_S;
	uint64_t start_s = r->start_ticks / s->ticks_per_s;

	return now_s > start_s ? now_s - start_s : 0;
}

static const struct agent *agent_of(const struct inspect_snapshots *s, const struct sooth_record *r)
{
	struct agent_evidence evidence = process_evidence(r);
	struct agent_match match;

	return agent_recognise(s->agents, &evidence, &match);
}

static const char *frozen_by(const struct proc_process *p)
{
	if (p->state == 'T')
		return "stopped by a signal";
	if (record_holds(&p->record, sizeof(*p)) && p->frozen == PROC_FROZEN_YES)
		return "by the freezer of its control group";
	return "";
}

static int emit_process(
	struct inspect_snapshots *s, const struct proc_process *p, struct sooth_error *err)
{
	OBJECT_SECTION("process", inspect_process_schema);
	static const char deleted[] = "deleted or replaced";
	const struct agent *agent = agent_of(s, &p->record);
	struct span group = text_of(&p->record, "control_group");
	bool is_kernel = process_match_kernel_record(p);
	struct inspect_process_row row = { .record = p->record,
		.elapsed_s = elapsed_s(s, &p->record),
		.ppid = p->ppid,
		.uid = p->uid,
		.state = p->state,
		.is_deleted = p->is_deleted,
		.agent_state = agent ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT,
		.title_state = agent || is_kernel ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT,
		.frozen_state = *frozen_by(p) ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT,
		.deleted_state = p->is_deleted ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT,
		.executable_state = p->executable_state,
		.command_state = p->arguments_state,
		.directory_state = p->directory_state,
		/* The root group is not shown. */
		.control_group_state =
			group.size > 1 ? p->control_group_state : SOOTH_STATE_ABSENT };
	struct record_tail tail[] = {
		tail_span(&row.name, text_of(&p->record, "name")),
		tail_string(&row.agent, agent ? agent->name : ""),
		tail_string(&row.agent_title, agent	  ? agent->title
					      : is_kernel ? "a kernel thread"
							  : ""),
		tail_span(&row.executable, text_of(&p->record, "executable")),
		tail_span(&row.command, text_of(&p->record, "command")),
		tail_span(&row.directory, text_of(&p->record, "cwd")),
		tail_span(&row.control_group, group),
		tail_string(&row.frozen, frozen_by(p)),
		tail_span(&row.deleted, span_of_string(deleted)),
	};

	return OUTPUT_OBJECT(s->output, &section, &row, tail, ARRAY_SIZE(tail), err);
}

/* --- the activity --- */

/* Emits the activity, which depends on other processes: those of the host were read. */
static int emit_activity(
	struct inspect_snapshots *s, const struct process_id *id, struct sooth_error *err)
{
	OBJECT_SECTION("activity", inspect_activity_schema);
	const struct process_entry *main = s->host.is_named ? NULL : activity_main(&s->host, id);
	struct activity a;
	int status;

	if (!main)
		return 0;
	wait_activity_find(&a, &s->host, main);
	status = output_section(s->output, &section, err);
	return status ? status : activity_emit_row(s->output, id, &a, err);
}

/* Emits what the log of a main process says of its tokens, limits and MCP servers. */
static int emit_session(
	struct inspect_snapshots *s, const struct process_id *id, struct sooth_error *err)
{
	OBJECT_SECTION("session", inspect_session_schema);
	const struct process_entry *main = s->host.is_named ? NULL : activity_main(&s->host, id);
	const struct proc_session *p = main ? main->session : NULL;

	if (!p || !record_holds(&p->record, PROC_SESSION_WITH_JOB) || p->rate_state)
		return 0;
	uint8_t state = record_holds(&p->record, sizeof(*p))
				? p->mcp_log_state
				: SOOTH_NOT_MEASURED(SOOTH_REASON_NOT_REQUESTED);
	bool has_trouble = !state && p->mcp_start && text_of(&p->record, "mcp_log").size;
	bool has_words = has_trouble && p->mcp_start == PROC_MCP_CONNECTED;

	struct inspect_session_row row = { .record = row_head(id),
		.tokens_a_minute = p->tokens_a_minute,
		.window_state = p->window_state ? p->window_state : p->context_state,
		.quota_state = p->quota_state,
		.quota_percent = p->quota_percent,
		.mcp_state = p->mcp_state,
		.mcp_calls = p->mcp_calls,
		.mcp_errors = p->mcp_errors,
		.mcp_mean_ns = p->mcp_calls ? p->mcp_total_ns / p->mcp_calls : 0,
		.mcp_longest_ns = p->mcp_longest_ns,
		.mcp_log_state = state || has_trouble ? state : SOOTH_STATE_ABSENT,
		.mcp_tried_state = has_trouble && !has_words ? 0 : SOOTH_STATE_ABSENT,
		.mcp_tried_ns =
			has_trouble ? increase_u64(host_state_utc(&s->host), p->mcp_start_utc_ns)
				    : 0,
		.mcp_words_state = has_words ? 0 : SOOTH_STATE_ABSENT,
		.mcp_word_lines = has_words ? p->mcp_word_lines : 0 };
	if (p->window_tokens)
		row.context_percent = 100.0 * (double)p->context_tokens / (double)p->window_tokens;
	struct record_tail tail[] = { tail_span(&row.mcp_server, text_of(&p->record, "mcp")),
		tail_span(&row.mcp_log, text_of(&p->record, "mcp_log")) };

	return OUTPUT_OBJECT(s->output, &section, &row, tail, ARRAY_SIZE(tail), err);
}

/* --- the wait --- */

/* Follows the waits; captures of an older version have none. */
static bool follow_waits(struct wait_graph *g, struct wait_chain *chain,
	const struct inspect_snapshots *s, const struct process_id *id)
{
	const struct snapshot *first = snapshots_get(&s->first_waits, id),
			      *last = snapshots_get(&s->waits, id);

	*chain = (struct wait_chain){ 0 };
	if (!last)
		return false;
	*g = wait_graph_of(last, first);
	wait_chain_follow(g, id->pid, chain);
	return true;
}

static int emit_waits(
	struct inspect_snapshots *s, const struct process_id *id, struct sooth_error *err)
{
	OBJECT_SECTION("waits", inspect_waits_schema);
	struct wait_graph g = { 0 };
	struct wait_chain chain;
	bool is_there = follow_waits(&g, &chain, s, id);
	const char *reason = chain.count ? wait_chain_unknown(&chain) : NULL;
	struct inspect_waits_row row = { .record = row_head(id),
		.confidence = (uint32_t)wait_chain_confidence(&chain),
		.text_state = chain.count ? SOOTH_STATE_VALUE
			      : is_there  ? SOOTH_NOT_MEASURED(SOOTH_REASON_ENDED)
					  : NOT_REQUESTED,
		.reason_state = state_if(reason != NULL) };
	struct buffer text = { 0 }, links = { 0 }, remedies = { 0 };
	int status;

	wait_chain_text(&text, &g, &chain);
	wait_append_link_rows(&links, &g, &chain);
	wait_append_remedy_row(&remedies, &chain);
	/* Nested rows come first, because they must be aligned. */
	struct record_tail tail[] = {
		tail_buffer(&row.chain, &links),
		tail_buffer(&row.remedies, &remedies),
		tail_string(&row.state, wait_chain_state(&chain)),
		tail_buffer(&row.text, &text),
		tail_string(&row.reason, reason ? reason : ""),
	};
	status = OUTPUT_OBJECT(s->output, &section, &row, tail, ARRAY_SIZE(tail), err);
	buffer_fini(&text);
	buffer_fini(&links);
	buffer_fini(&remedies);
	return status;
}

/* --- CPU --- */

static void count_states(struct buffer *out, const struct buffer *threads)
{
	unsigned counts[STATES] = { 0 };

	buffer_each (const struct thread_time, thread, threads)
		counts[(unsigned char)thread->thread->state % STATES]++;
	for (unsigned letter = 0; letter < STATES; letter++)
		inspect_add_count(out, counts[letter], (char[]){ (char)letter, '\0' });
}

static int emit_cpu(struct inspect_snapshots *s, const struct process_id *id,
	const struct proc_process *p, struct sooth_error *err)
{
	OBJECT_SECTION("cpu", inspect_cpu_schema);
	const struct snapshot *snapshot = thread_times_get(&s->threads, id);
	const struct thread_sums *sums = &s->thread_sums;
	struct buffer states = { 0 };
	struct inspect_cpu_row row = { .record = p->record, .cpu_ns = p->cpu_ns };
	int status;

	count_states(&states, &s->thread_list);
	row.cpu_percent = sums->cpu_percent;
	row.cpu_state = snapshot ? sums->cpu_state : NOT_REQUESTED;
	row.interval_ns = sums->interval_ns;
	row.interval_state =
		!snapshot || sums->changes_state ? SOOTH_STATE_ABSENT : SOOTH_STATE_VALUE;
	row.threads = snapshot ? sums->threads : p->threads;
	row.threads_state = snapshot ? sums->threads_state : SOOTH_STATE_VALUE;
	row.states_state = states.size ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT;
	struct record_tail tail[] = { tail_buffer(&row.states, &states) };
	status = OUTPUT_OBJECT(s->output, &section, &row, tail, ARRAY_SIZE(tail), err);
	buffer_fini(&states);
	return status;
}

/* --- resources --- */

static void fill_reserved(struct inspect_memory_row *row, const struct inspect_snapshots *s)
{
	row->reserved_state = SOOTH_STATE_ABSENT;
	for (int i = 0; i < MAP_CLASSES; i++)
		row->reserved_bytes += s->map_totals[i].reserved_bytes;
	if (row->reserved_bytes)
		row->reserved_state = SOOTH_STATE_VALUE;
}

/* Fills in two values from the process table if the system has no sums for the address space. */
static void fill_from_table(struct inspect_memory_row *row, const struct proc_process *p)
{
	if (row->rss_state && p->rss_bytes) {
		row->rss_bytes = p->rss_bytes;
		row->rss_state = SOOTH_STATE_VALUE;
	}
	if (row->vsz_state && p->vsz_bytes) {
		row->vsz_bytes = p->vsz_bytes;
		row->vsz_state = SOOTH_STATE_VALUE;
	}
}

static int emit_memory(struct inspect_snapshots *s, const struct process_id *id,
	const struct proc_process *p, struct sooth_error *err)
{
	OBJECT_SECTION("memory", inspect_memory_schema);
	const struct snapshot *snapshot = snapshots_get(&s->maps, id);
	const struct maps_process *end = snapshot ? snapshot_end(snapshot, sizeof(*end)) : NULL;
	struct inspect_memory_row row = { .record = p->record,
		.status_state = NOT_REQUESTED,
		.mappings_state = NOT_REQUESTED,
		.swap_state = SOOTH_STATE_ABSENT,
		.reserved_state = SOOTH_STATE_ABSENT };

	if (end) {
		row.status_state = end->status_state;
		row.mappings_state = end->mappings_state;
		row.mappings = end->mappings;
		row.rss_bytes = end->rss_bytes;
		row.rss_peak_bytes = end->rss_peak_bytes;
		row.rss_anonymous_bytes = end->rss_anonymous_bytes;
		row.rss_file_bytes = end->rss_file_bytes;
		row.rss_shared_bytes = end->rss_shared_bytes;
		row.vsz_bytes = end->vsz_bytes;
		row.swap_bytes = end->swap_bytes;
		if (end->swap_bytes)
			row.swap_state = end->status_state;
		fill_reserved(&row, s);
	}
	row.rss_state = row.vsz_state = row.status_state;
	fill_from_table(&row, p);
	return OUTPUT_OBJECT(s->output, &section, &row, NULL, 0, err);
}

static int emit_descriptors(
	struct inspect_snapshots *s, const struct process_id *id, struct sooth_error *err)
{
	OBJECT_SECTION("descriptors", inspect_descriptors_schema);
	const struct snapshot *snapshot = snapshots_get(&s->fds, id);
	struct inspect_descriptors_row row = { .record = row_head(id),
		.count_state = NOT_REQUESTED,
		.limit_state = SOOTH_STATE_ABSENT,
		.percent_state = SOOTH_STATE_ABSENT,
		.types_state = SOOTH_STATE_ABSENT,
		.watches_state = SOOTH_STATE_ABSENT,
		.inotify_state = SOOTH_STATE_ABSENT };
	struct buffer types = { 0 };
	struct fd_sums sums = { 0 };
	int status;

	if (snapshot)
		fd_sums_of(&sums, snapshot);
	for (unsigned i = 0; i < FDS_TYPES; i++)
		inspect_add_count(&types, sums.types[i], fd_type_names.names[i]);
	inspect_add_count(&types, sums.other, "of unknown types");
	row.types_state = types.size ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT;
	if (sums.process) {
		const struct fds_process *end = sums.process;
		bool is_limited = !end->limit_state && end->soft_limit != UINT64_MAX;

		row.count = end->descriptors;
		row.count_state = end->descriptors_state;
		row.soft_limit = end->soft_limit;
		row.limit_state = is_limited ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT;
		row.percent_state =
			is_limited && end->soft_limit ? end->descriptors_state : SOOTH_STATE_ABSENT;
		row.percent = row.percent_state ? 0 : 100.0 * row.count / (double)row.soft_limit;
		row.watches = end->watches;
		row.watches_max = end->watches_max;
		row.instances_max = end->instances_max;
		row.inotify_state = end->inotify_state;
		row.instances = sums.instances;
		row.watches_state = sums.instances ? SOOTH_STATE_VALUE
				    : sums.types[FDS_UNKNOWN]
					    ? SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION)
					    : SOOTH_STATE_ABSENT;
	}
	struct record_tail tail[] = { tail_buffer(&row.types, &types) };
	status = OUTPUT_OBJECT(s->output, &section, &row, tail, ARRAY_SIZE(tail), err);
	buffer_fini(&types);
	return status;
}

/* --- connections --- */

static void list_kinds(struct buffer *out, const struct socket_sums *sums)
{
	map_for_each (&sums->kinds, const struct socket_kind_key *, kind, uint64_t *, count) {
		const char *state = socket_state_text(kind->state, kind->state_state);
		char what[64];

		snprintf(what, sizeof(what), "%.*s%s%s", (int)sizeof(kind->protocol),
			kind->protocol, *state ? " " : "", state);
		inspect_add_count(out, *count, what);
	}
}

static int emit_sockets(
	struct inspect_snapshots *s, const struct process_id *id, struct sooth_error *err)
{
	OBJECT_SECTION("connections", inspect_sockets_schema);
	const struct snapshot *snapshot = snapshots_get(&s->sockets, id);
	const struct sockets_process *end = snapshot ? snapshot_end(snapshot, sizeof(*end)) : NULL;
	const struct socket_sums *sums = &s->socket_sums;
	struct buffer kinds = { 0 };
	int status;

	list_kinds(&kinds, sums);
	struct inspect_sockets_row row = { .record = row_head(id),
		.count = sums->count,
		.established = sums->established,
		.listening = sums->listening,
		.retransmits = sums->retransmits,
		.waiting_bytes = sums->waiting_bytes,
		.silent_ns = sums->silent_ns,
		.silent_fd = sums->silent_fd,
		.count_state = end ? end->sockets_state : NOT_REQUESTED,
		.silent_state = sums->has_silent ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT,
		.retransmits_state = sums->retransmits ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT,
		.waiting_state = sums->waiting_bytes ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT };
	struct record_tail tail[] = {
		tail_buffer(&row.kinds, &kinds),
		tail_span(&row.silent_peer,
			span_of(sums->silent_peer.text,
				strnlen(sums->silent_peer.text, sizeof(sums->silent_peer.text)))),
	};
	status = OUTPUT_OBJECT(s->output, &section, &row, tail, ARRAY_SIZE(tail), err);
	buffer_fini(&kinds);
	return status;
}

/* --- signals and danger --- */

static uint64_t pending_signals(const struct snapshot *snapshot, uint64_t pending)
{
	struct batch all = snapshot_records(snapshot);

	batch_for_each (r, &all) {
		const struct signals_thread *t = record_as(r, SIGNALS_THREAD, sizeof(*t));

		if (t)
			pending |= t->pending;
	}
	return pending;
}

static void list_signals(struct buffer *out, uint64_t mask)
{
	for (unsigned signal = 1; signal <= SIGNALS_MAX; signal++) {
		char name[SIGNAL_NAME_SIZE];

		if (mask >> (signal - 1) & 1)
			buffer_format(
				out, "%s%s", out->size ? ", " : "", signal_name(name, signal));
	}
}

static int emit_signals(
	struct inspect_snapshots *s, const struct process_id *id, struct sooth_error *err)
{
	OBJECT_SECTION("signal_masks", inspect_signals_schema);
	const struct snapshot *snapshot = snapshots_get(&s->signals, id);
	const struct signals_process *end = snapshot ? snapshot_end(snapshot, sizeof(*end)) : NULL;
	struct inspect_signals_row row = {
		.record = row_head(id), .masks_state = NOT_REQUESTED, .pending_state = NOT_REQUESTED
	};
	struct buffer names = { 0 };
	int status;

	if (end) {
		uint64_t pending = pending_signals(snapshot, end->pending);

		row.masks_state = end->masks_state;
		row.pending_state = end->masks_state ? end->masks_state : end->pending_state;
		row.caught = (uint32_t)__builtin_popcountll(end->caught);
		row.ignored = (uint32_t)__builtin_popcountll(end->ignored);
		row.pending = (uint32_t)__builtin_popcountll(pending);
		list_signals(&names, pending);
	}
	struct record_tail tail[] = { tail_buffer(&row.pending_names, &names) };
	status = OUTPUT_OBJECT(s->output, &section, &row, tail, ARRAY_SIZE(tail), err);
	buffer_fini(&names);
	return status;
}

static int emit_danger(
	struct inspect_snapshots *s, const struct process_id *id, struct sooth_error *err)
{
	OBJECT_SECTION("danger", inspect_danger_schema);
	const struct snapshot *snapshot = snapshots_get(&s->limits, id);
	const struct limits_process *end = snapshot ? snapshot_end(snapshot, sizeof(*end)) : NULL;
	const struct limits_group *group = snapshot ? limit_sums_tightest_memory(snapshot) : NULL;
	struct inspect_danger_row row = { .record = row_head(id),
		.oom_state = NOT_REQUESTED,
		.memory_state = NOT_REQUESTED,
		.group_state = SOOTH_STATE_ABSENT };

	if (end) {
		row.oom_state = end->oom_state;
		row.oom_score = end->oom_score;
		row.oom_score_adjustment = end->oom_score_adjustment;
		row.memory_state = end->memory_state;
		row.memory_available_bytes = end->memory_available_bytes;
		row.memory_bytes = end->memory_bytes;
	}
	if (group) {
		row.control_group_used_bytes = group->used;
		row.control_group_limit_bytes = group->limit;
		row.group_state = group->used_state;
	}
	struct record_tail tail[] = { tail_span(
		&row.group, group ? text_of(&group->record, "control_group") : span_of("", 0)) };
	return OUTPUT_OBJECT(s->output, &section, &row, tail, ARRAY_SIZE(tail), err);
}

int inspect_emit_lines(struct inspect_snapshots *s, const struct process_id *id,
	const struct sooth_record *process, struct sooth_error *err)
{
	const struct proc_process *p = (const void *)process;
	int status = emit_process(s, p, err);

	if (!status)
		status = emit_activity(s, id, err);
	if (!status)
		status = emit_session(s, id, err);
	if (!status)
		status = emit_waits(s, id, err);
	if (!status)
		status = emit_cpu(s, id, p, err);
	if (!status)
		status = emit_memory(s, id, p, err);
	if (!status)
		status = emit_descriptors(s, id, err);
	if (!status)
		status = emit_sockets(s, id, err);
	if (!status)
		status = emit_signals(s, id, err);
	return status ? status : emit_danger(s, id, err);
}
