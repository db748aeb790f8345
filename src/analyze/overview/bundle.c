/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The content of a bug report: versions, each selected process in detail, and the findings of the
 * view "findings". It has names and paths as they are: the sink "redacted" replaces them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/diagnosis/diagnosed.h"
#include "analyze/diagnosis/diagnosis.h"
#include "analyze/diagnosis/findings_emit.h"
#include "analyze/maps/map_classes.h"
#include "analyze/overview/bundle_rows.h"
#include "analyze/sockets/socket_sums.h"
#include "analyze/sockets/socket_text.h"
#include "analyze/threads/thread_roles.h"
#include "base/cleanup.h"
#include "base/units.h"
#include "explain/stage.h"

#define NAMES_MOST 8 /* of threads of one role */
#define UNREADABLE SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED)

/* --- the tables of a process --- */

struct bundle_parts {
	struct buffer threads, descriptors, sockets, peers, memory; /* rows */
};

/* --- threads --- */

struct role_sum {
	double cpu_percent;
	uint32_t count;
	bool has_cpu;
	struct buffer names; /* each NUL-terminated */
};

static void add_thread(
	struct role_sum *sums, const struct diagnosed *j, const struct thread_history *t)
{
	const struct proc_process *p = j->process->process;
	char name[THREAD_HISTORY_NAME + 1] = { 0 };
	double cpu = thread_history_cpu(t);
	struct role_sum *sum;

	memcpy(name, t->name, THREAD_HISTORY_NAME);
	sum = &sums[thread_role_of(
		span_of_string(name), record_text(&p->record, &p->name), t->tid == j->id.pid)];
	sum->count++;
	if (cpu >= 0) {
		sum->cpu_percent += cpu;
		sum->has_cpu = true;
	}
	bundle_text(&sum->names, span_of_string(name), NAMES_MOST);
}

static void list_threads(
	const struct diagnosis_input *input, const struct diagnosed *j, struct buffer *out)
{
	struct role_sum sums[THREAD_ROLES] = { 0 };
	const struct thread_history *t;
	size_t position = 0;

	while ((t = thread_histories_next(&input->threads, &j->id, &position)))
		add_thread(sums, j, t);
	for (uint32_t i = 0; i < THREAD_ROLES; i++) {
		struct bundle_threads_row row = { .record = row_head(&j->id),
			.cpu_percent = sums[i].cpu_percent,
			.count = sums[i].count,
			.role = i,
			.cpu_state = sums[i].has_cpu ? SOOTH_STATE_VALUE
						     : SOOTH_NOT_MEASURED(SOOTH_REASON_INTERVAL) };
		struct record_tail tail[] = { tail_buffer(&row.names, &sums[i].names) };

		if (row.count)
			RECORD_APPEND(out, &row, tail, 1);
		buffer_fini(&sums[i].names);
	}
}

/* --- descriptors --- */

static void list_descriptors(const struct diagnosis_input *input, const struct diagnosed *j,
	struct bundle_process_row *row, struct buffer *out)
{
	const struct snapshot *snapshot = snapshots_get(&input->fds.last, &j->id);
	struct fd_sums sums = { 0 };

	if (snapshot)
		fd_sums_of(&sums, snapshot);
	row->descriptors_state = sums.process ? sums.process->descriptors_state : UNREADABLE;
	row->limit_state = sums.process ? sums.process->limit_state : UNREADABLE;
	if (!sums.process)
		return;
	row->descriptor_count = sums.process->descriptors;
	row->soft_limit = sums.process->soft_limit;
	row->watches = sums.process->watches;
	bundle_count_types(&sums, out);
}

/* --- sockets --- */

static void list_kinds(
	const struct process_id *id, const struct socket_sums *sums, struct buffer *out)
{
	size_t position = 0;
	const void *key;
	void *value;

	while (map_next(&sums->kinds, &position, &key, &value)) {
		const struct socket_kind_key *kind = key;
		struct bundle_sockets_row row = { .record = row_head(id),
			.count = *(uint64_t *)value };
		struct record_tail tail[] = {
			tail_span(&row.protocol,
				span_of(kind->protocol,
					strnlen(kind->protocol, sizeof(kind->protocol)))),
			tail_string(&row.state, socket_state_text(kind->state, kind->state_state)),
		};

		RECORD_APPEND(out, &row, tail, ARRAY_SIZE(tail));
	}
}

/* Addresses are private: peers without a label are counted together. */
static void list_peers(const struct socket_sums *sums, struct buffer *out)
{
	size_t position = 0;
	uint64_t others = 0;
	const void *key;
	void *value;

	while (map_next(&sums->peers, &position, &key, &value)) {
		const struct socket_peer_key *peer = key;
		const struct socket_peer_sum *sum = value;

		if (sum->has_label)
			bundle_count(span_of(peer->text, strnlen(peer->text, SOCKET_SUMS_TEXT)),
				sum->count, out);
		else
			others += sum->count;
	}
	bundle_count(span_of_string("without a label"), others, out);
}

static void list_sockets(const struct diagnosis_input *input, const struct diagnosed *j,
	struct bundle_process_row *row, struct bundle_parts *parts)
{
	const struct snapshot *snapshot = snapshots_get(&input->sockets.last, &j->id);
	const struct sockets_process *end = snapshot ? snapshot_end(snapshot, sizeof(*end)) : NULL;
	struct batch records = { 0 };
	struct socket_sums sums;

	row->sockets_state = end ? end->sockets_state : UNREADABLE;
	if (end)
		records = snapshot_records(snapshot);
	socket_sums_init(&sums);
	batch_for_each (r, &records) {
		const struct sockets_socket *s = record_as(r, SOCKETS_SOCKET, SOCKETS_SOCKET_LEAST);
		enum peer_label_strength strength;

		if (s)
			socket_sums_add(&sums, s, socket_sums_label(&input->labels, s, &strength));
	}
	list_kinds(&j->id, &sums, &parts->sockets);
	list_peers(&sums, &parts->peers);
	socket_sums_fini(&sums);
}

/* --- memory --- */

static int list_memory(const struct diagnosis_input *input, const struct diagnosed *j,
	struct bundle_process_row *row, struct buffer *out)
{
	const struct snapshot *snapshot = snapshots_get(&input->maps.last, &j->id);
	struct map_total totals[MAP_CLASSES] = { 0 };

	row->maps_state = snapshot ? SOOTH_STATE_VALUE : UNREADABLE;
	if (!snapshot)
		return 0;
	if (map_totals(snapshot, totals))
		return -ENOMEM;
	for (uint32_t i = 0; i < MAP_CLASSES; i++) {
		struct bundle_memory_row one = { .record = row_head(&j->id),
			.mappings = totals[i].mappings,
			.rss_bytes = totals[i].rss_bytes,
			.size_bytes = totals[i].size_bytes,
			.reserved_bytes = totals[i].reserved_bytes,
			.dirty_bytes = totals[i].dirty_bytes,
			.class_ = i,
			.figures_state = totals[i].figures_state };

		if (one.mappings)
			RECORD_APPEND(out, &one, NULL, 0);
	}
	return 0;
}

/* Fills the tables, and the values and states of the row that belong to them. -ENOMEM. */
static int bundle_parts_make(struct bundle_parts *parts, const struct diagnosis_input *input,
	const struct diagnosed *j, struct bundle_process_row *row)
{
	*parts = (struct bundle_parts){ 0 };
	list_threads(input, j, &parts->threads);
	row->threads_state = parts->threads.size ? SOOTH_STATE_VALUE : UNREADABLE;
	list_descriptors(input, j, row, &parts->descriptors);
	list_sockets(input, j, row, parts);
	return list_memory(input, j, row, &parts->memory);
}

static void bundle_parts_fini(struct bundle_parts *parts)
{
	buffer_fini(&parts->threads);
	buffer_fini(&parts->descriptors);
	buffer_fini(&parts->sockets);
	buffer_fini(&parts->peers);
	buffer_fini(&parts->memory);
}

/* --- the view --- */

struct bundle {
	struct output *output;
	struct diagnosis diagnosis;
};

/* --- the host --- */

int bundle_emit_head(struct output *output, const struct section *section,
	const struct host_state *h, uint32_t processes, struct sooth_error *err)
{
	const struct stream_segment none = { 0 }, *s = h->segment ?: &none;
	struct bundle_head_row row = {
		.memory_bytes = s->memory_bytes, .cpus = s->cpus, .process_count = processes
	};
	char timestamp[UNITS_SIZE] = "";

	if (h->segment)
		format_utc(timestamp, host_state_utc(h));
	struct record_tail tail[] = {
		tail_string(&row.timestamp, timestamp),
		tail_span(&row.sooth_version, host_state_text(h, &s->sooth_version)),
		tail_span(&row.hostname, host_state_text(h, &s->hostname)),
		tail_span(&row.os, host_state_text(h, &s->os)),
		tail_span(&row.os_version, host_state_text(h, &s->os_version)),
		tail_span(&row.architecture, host_state_text(h, &s->architecture)),
	};
	return output_section(output, section, err)
		       ?: OUTPUT_ROW(output, &row, tail, ARRAY_SIZE(tail), err);
}

static int emit_installed(
	struct output *output, const struct process_table *c, struct sooth_error *err)
{
	static const struct section section =
		SECTION_OF("installed", bundle_installed_schema, TABLE);
	const struct process_table_installed *all = (const void *)c->installed.data;
	int status = output_section(output, &section, err);

	for (size_t i = 0; i < c->installed.size / sizeof(*all) && !status; i++) {
		struct bundle_installed_row row = { .record = { 0 } };
		struct record_tail tail[] = {
			tail_string(&row.agent, all[i].agent ? all[i].agent->name : ""),
			tail_span(&row.version, process_table_text(c, &all[i].version)),
			tail_span(&row.path, process_table_text(c, &all[i].path)),
		};

		status = OUTPUT_ROW(output, &row, tail, ARRAY_SIZE(tail), err);
	}
	return status;
}

static int emit_host(struct output *output, const struct diagnosis_input *input,
	const struct diagnosed *j, struct sooth_error *err)
{
	static const struct section section = SECTION_OF("host", finding_host_schema, OBJECT);
	const struct stream_segment none = { 0 }, *s = input->host.segment ?: &none;
	struct finding_host_row row = { .finding_count = j->count,
		.severity = (uint8_t)j->worst,
		.severity_state = state_if(j->count),
		.fine_text_state = SOOTH_STATE_ABSENT,
		.blind_text_state = SOOTH_STATE_ABSENT };
	struct record_tail tail[] = {
		tail_buffer(&row.findings, &j->findings),
		tail_buffer(&row.fine, &j->fine),
		tail_buffer(&row.blind, &j->blind),
		tail_span(&row.hostname, host_state_text(&input->host, &s->hostname)),
		tail_span(&row.os_version, host_state_text(&input->host, &s->os_version)),
	};
	return output_section(output, &section, err)
		       ?: OUTPUT_ROW(output, &row, tail, ARRAY_SIZE(tail), err);
}

/* --- processes --- */

static void fill_row(const struct diagnosis_input *input, const struct diagnosed *j,
	const struct agent *agent, struct bundle_process_row *row)
{
	const struct process_entry *c = j->process;
	const struct proc_process *p = c->process;
	bool has_user = record_holds(&p->record, offsetof(struct proc_process, terminal_name));

	*row = (struct bundle_process_row){ .record = row_head(&j->id),
		.cpu_percent = process_table_cpu_percent(c),
		.rss_bytes = p->rss_bytes,
		.vsz_bytes = p->vsz_bytes,
		.elapsed_s = host_state_elapsed(&input->host, c),
		.ppid = p->ppid,
		.thread_count = p->threads,
		.state = p->state,
		.is_deleted = p->is_deleted,
		.agent_state = state_if(agent != NULL),
		.version_state = state_if(c->agent && c->match.version.size),
		.rule_state = state_if(c->agent && c->match.rule),
		.role_state = state_if(c->has_role),
		.user_state = state_if(has_user && p->user.size),
		.project_state = c->project.size ? c->project_state : SOOTH_STATE_ABSENT,
		.executable_state = p->executable_state,
		.directory_state = p->directory_state,
		.command_state = p->arguments_state };
	row->cpu_state = row->cpu_percent >= 0 ? SOOTH_STATE_VALUE
					       : SOOTH_NOT_MEASURED(SOOTH_REASON_INTERVAL);
}

static int emit_process(struct output *output, const struct diagnosis_input *input,
	const struct diagnosed *j, struct sooth_error *err)
{
	const struct process_table *c = &input->host.process_table;
	const struct process_entry *one = j->process;
	const struct proc_process *p = one->process;
	const struct agent *agent = one->agent ? one->agent : one->owner_agent;
	struct span none = span_of("", 0);
	struct bundle_process_row row;
	struct bundle_parts parts;
	int status;

	fill_row(input, j, agent, &row);
	if (bundle_parts_make(&parts, input, j, &row)) {
		bundle_parts_fini(&parts);
		return error_no_memory(err);
	}
	struct record_tail tail[] = {
		tail_buffer(&row.threads, &parts.threads),
		tail_buffer(&row.descriptors, &parts.descriptors),
		tail_buffer(&row.sockets, &parts.sockets),
		tail_buffer(&row.peers, &parts.peers),
		tail_buffer(&row.memory, &parts.memory),
		tail_buffer(&row.findings, &j->findings),
		tail_buffer(&row.fine, &j->fine),
		tail_buffer(&row.unseen, &j->blind),
		tail_text(&row.name, &p->record, &p->name),
		tail_string(&row.agent, agent ? agent->name : ""),
		tail_span(&row.version, one->match.version),
		tail_string(&row.rule, one->match.rule ? one->match.rule : ""),
		tail_string(&row.role, one->has_role ? agent_role_name(one->role) : ""),
		tail_span(&row.user, row.user_state ? none : record_text(&p->record, &p->user)),
		tail_span(&row.project, process_table_text(c, &one->project)),
		tail_text(&row.executable, &p->record, &p->executable),
		tail_text(&row.directory, &p->record, &p->directory),
		tail_text(&row.command, &p->record, &p->arguments),
	};
	status = OUTPUT_ROW(output, &row, tail, ARRAY_SIZE(tail), err);
	bundle_parts_fini(&parts);
	return status;
}

/* --- the stage --- */

static int init(void *state, struct output *output, const void *options, struct sooth_error *err)
{
	struct findings_options findings = { 0 };
	struct bundle *b = state;

	if (options)
		findings = *(const struct findings_options *)options;
	findings.labels = NULL; /* the user's own are private names */
	findings.result = NULL;
	b->output = output;
	return diagnosis_init(&b->diagnosis, &findings, err);
}

static int push(void *state, const struct batch *batch, struct sooth_error *err)
{
	struct bundle *b = state;

	(void)err;
	diagnosis_input_take(&b->diagnosis.input, batch);
	return 0;
}

static int finish(void *state, struct sooth_error *err)
{
	static const struct section head = SECTION_OF("bundle", bundle_head_schema, INLINE);
	static const struct section section = SECTION_OF("processes", bundle_process_schema, TABLE);
	struct bundle *b = state;
	const struct diagnosis_input *input = &b->diagnosis.input;
	int status = diagnosis_run(&b->diagnosis, err)
			     ?: bundle_emit_head(b->output, &head, &input->host, 0, err)
			     ?: emit_installed(b->output, &input->host.process_table, err)
			     ?: output_section(b->output, &section, err);
	const struct diagnosed *all = b->diagnosis.all;

	for (size_t i = 1; i < b->diagnosis.count && !status; i++)
		status = all[i].process ? emit_process(b->output, input, &all[i], err) : 0;
	return status ?: finding_gone_emit_all(b->output, input, all, b->diagnosis.count, err)
		      ?: emit_host(b->output, input, &all[0], err);
}

static void fini(void *state)
{
	struct bundle *b = state;

	diagnosis_fini(&b->diagnosis);
}

const struct stage_type stage_bundle = {
	.name = "bundle",
	.help = "versions, process details and findings for a bug report",
	.shows = "proc",
	STAGE_FUNCTIONS(struct bundle),
};
