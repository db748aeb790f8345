/* SPDX-License-Identifier: BSD-2-Clause */
/* The content of a bug report: versions, details of each selected process, and the findings. Names
 * and paths are unchanged: the sink "redacted" replaces them. */
#include "analyze/overview/bundle.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/diagnosis/diagnosis.h"
#include "analyze/answer/findings_emit.h"
#include "analyze/maps/map_classes.h"
#include "analyze/sockets/socket_sums.h"
#include "analyze/sockets/socket_text.h"
#include "analyze/threads/thread_roles.h"
#include "base/cleanup.h"
#include "base/units.h"
#include "explain/stage.h"
#include "probes/fd_names.h"

#define NAMES_MOST 8 /* most thread names per role */
#define UNREADABLE SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED)

/* --- rows --- */

#define BUNDLE_INSTALLED_ROW(F, S)                                                                 \
	F(S, TEXT, agent, ALWAYS, "id of an installed agent")                                      \
	F(S, TEXT, version, ALWAYS, "installed version of the agent")                              \
	F(S, TEXT, path, ALWAYS, "path of the installed agent")

ROW_TABLE(bundle_installed, BUNDLE_INSTALLED_ROW, "bundle.installed", bundle_installed_row);

#define BUNDLE_THREADS_ROW(F, S)                                                                   \
	F(S, ENUM32, role, ALWAYS, "role of the threads, recognized by their names",               \
		.names = &thread_role_names)                                                       \
	F(S, U32, count, ALWAYS, "number of threads with this role")                               \
	F(S, REAL, cpu_percent, MAYBE(cpu_state),                                                  \
		"CPU use of all these threads, in percent of one CPU", .decimals = 1,              \
		.unit = SOOTH_UNIT_PERCENT)                                                        \
	F(S, TEXTS, names, ALWAYS, "names of some of the threads")

ROW_TABLE(bundle_threads, BUNDLE_THREADS_ROW, "bundle.threads", bundle_threads_row);

#define BUNDLE_SOCKETS_ROW(F, S)                                                                   \
	F(S, TEXT, protocol, ALWAYS, "protocol of the sockets: tcp, tcp6, unix stream, ...")       \
	F(S, TEXT, state, ALWAYS,                                                                  \
		"state of the sockets: ESTABLISHED, LISTEN, ...; empty: unknown")                  \
	F(S, U64, count, ALWAYS, "number of sockets")

ROW_TABLE(bundle_sockets, BUNDLE_SOCKETS_ROW, "bundle.sockets", bundle_sockets_row);

#define BUNDLE_MEMORY_ROW(F, S)                                                                    \
	F(S, NAMED, ENUM32, class_, class, ALWAYS,                                                 \
		"use of the memory: glibc-heap, thread-stack, file, v8, ...",                      \
		.names = &map_class_names)                                                         \
	F(S, U64, mappings, ALWAYS, "number of memory mappings")                                   \
	F(S, U64, size_bytes, ALWAYS, "size of the address space (virtual memory)",                \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, U64, rss_bytes, MAYBE(figures_state), "resident memory of this use",                  \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, U64, dirty_bytes, WITH(figures_state), "memory in changed (dirty) pages",             \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, U64, reserved_bytes, WITH(figures_state),                                             \
		"address space reserved without memory behind it", .unit = SOOTH_UNIT_BYTES)

ROW_TABLE(bundle_memory, BUNDLE_MEMORY_ROW, "bundle.memory", bundle_memory_row);

#define BUNDLE_PROCESS_ROW(F, S)                                                                   \
	F(S, PID)                                                                                  \
	F(S, U32, ppid, ALWAYS, "process id of the parent")                                        \
	F(S, TEXT, name, ALWAYS, "name of the program of the process")                             \
	F(S, TEXT, agent, MAYBE(agent_state), "id of the agent that the process is or belongs to") \
	F(S, TEXT, version, MAYBE(version_state), "version of the agent")                          \
	F(S, TEXT, rule, MAYBE(rule_state), "rule that recognized the agent")                      \
	F(S, TEXT, role, MAYBE(role_state),                                                        \
		"role of the process in its session: main, helper, tool call, ...")                \
	F(S, TEXT, user, MAYBE(user_state), "name of the owner of the process",                    \
		.placeholder = "user")                                                             \
	F(S, TEXT, project, MAYBE(project_state), "project directory the agent works in",          \
		.placeholder = "project")                                                          \
	F(S, ALSO, CHARS, state, state, ALWAYS,                                                    \
		"process state: R running, S sleeping, D uninterruptible, T stopped, Z zombie, I " \
		"idle")                                                                            \
	F(S, U64, elapsed_s, ALWAYS, "seconds since the process started", .unit = SOOTH_UNIT_S)    \
	F(S, REAL, cpu_percent, MAYBE(cpu_state),                                                  \
		"CPU use over the interval, in percent of one CPU", .decimals = 1,                 \
		.unit = SOOTH_UNIT_PERCENT)                                                        \
	F(S, U64, rss_bytes, ALWAYS, "resident memory of the process", .unit = SOOTH_UNIT_BYTES)   \
	F(S, U64, vsz_bytes, ALWAYS, "size of the address space (virtual memory)",                 \
		.unit = SOOTH_UNIT_BYTES)                                                          \
	F(S, TEXT, executable, MAYBE(executable_state), "path of the executable of the process")   \
	F(S, BOOL, is_deleted, ALWAYS, "the executable of the process was removed or replaced")    \
	F(S, NAMED, TEXT, directory, cwd, MAYBE(directory_state),                                  \
		"working directory of the process")                                                \
	F(S, ARGS, command, MAYBE(command_state), "command line of the process, secrets masked")   \
	F(S, NAMED, U32, thread_count, threads, ALWAYS, "number of threads of the process")        \
	F(S, NAMED, ROWS, threads, threads_by_role, MAYBE(threads_state),                          \
		"number of threads of each role", .rows = &bundle_threads_schema)                  \
	F(S, NAMED, U32, descriptor_count, open_files, MAYBE(descriptors_state),                   \
		"number of open file descriptors of the process")                                  \
	F(S, U64, soft_limit, MAYBE(limit_state), "soft limit of open files; null: none")          \
	F(S, NAMED, ROWS, descriptors, descriptors_by_type, WITH(descriptors_state),               \
		"number of file descriptors of each type", .rows = &bundle_count_schema,           \
		.is_keyed = true)                                                                  \
	F(S, U32, watches, WITH(descriptors_state), "number of inotify watches of the process")    \
	F(S, NAMED, ROWS, sockets, sockets_by_state, MAYBE(sockets_state),                         \
		"number of sockets of each protocol and state", .rows = &bundle_sockets_schema)    \
	F(S, NAMED, ROWS, peers, connections_by_peer, WITH(sockets_state),                         \
		"number of established connections to each service", .rows = &bundle_count_schema, \
		.is_keyed = true)                                                                  \
	F(S, NAMED, ROWS, memory, memory_by_class, MAYBE(maps_state),                              \
		"memory of the process by purpose (heap, stack, code, files)",                     \
		.rows = &bundle_memory_schema)                                                     \
	F(S, ROWS, findings, ALWAYS, "list of findings, worst first", .rows = &finding_schema)     \
	F(S, ROWS, fine, ALWAYS, "checks that found no problem", .rows = &finding_fine_schema)     \
	F(S, ROWS, unseen, ALWAYS, "checks that could not be done, with the reason",               \
		.rows = &finding_blind_schema)

ROW_STRUCT(bundle_process_row, BUNDLE_PROCESS_ROW, char state;);
static ROW_SCHEMA(bundle_process, BUNDLE_PROCESS_ROW, "bundle.process", bundle_process_row);
static ROW_SCHEMA(bundle_head, BUNDLE_HEAD_ROW, "bundle.head", bundle_head_row);
ROW_SCHEMA(bundle_count, BUNDLE_COUNT_ROW, "bundle.count", bundle_count_row);

/* --- lists of a row --- */

void bundle_count(struct span what, uint64_t count, struct buffer *out)
{
	struct bundle_count_row row = { .count = count };
	struct record_tail tail[] = { tail_span(&row.what, what) };

	if (count)
		RECORD_APPEND(out, &row, tail, 1);
}

void bundle_count_types(const struct fd_sums *sums, struct buffer *out)
{
	for (size_t i = 0; i < FDS_TYPES; i++)
		bundle_count(span_of_string(fd_type_names.names[i]), sums->types[i], out);
	bundle_count(span_of_string("other"), sums->other, out);
}

void bundle_text(struct buffer *texts, struct span text, size_t most)
{
	size_t count = 0;

	for (size_t at = 0; at < texts->size; count++) {
		const char *known = (const char *)texts->data + at;

		if (span_equal(text, known))
			return;
		at += strlen(known) + 1;
	}
	if (count >= most)
		return;
	buffer_append(texts, text.data, text.size);
	buffer_char(texts, '\0');
}

/* --- threads --- */

struct role_sum {
	struct bundle_threads_row row;
	struct buffer names; /* names, each NUL-terminated */
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
	if (!sum->row.count++)
		sum->row.cpu_state = SOOTH_NOT_MEASURED(SOOTH_REASON_INTERVAL);
	if (cpu >= 0) {
		sum->row.cpu_percent += cpu;
		sum->row.cpu_state = SOOTH_STATE_VALUE;
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
		struct record_tail tail = tail_buffer(&sums[i].row.names, &sums[i].names);

		sums[i].row.role = i;
		if (sums[i].row.count)
			RECORD_APPEND(out, &sums[i].row, &tail, 1);
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

static void add_kind(const struct socket_kind_key *kind, uint64_t count, struct buffer *out)
{
	struct bundle_sockets_row row = { .count = count };
	struct record_tail tail[] = {
		tail_span(&row.protocol,
			span_of(kind->protocol, strnlen(kind->protocol, sizeof(kind->protocol)))),
		tail_string(&row.state, socket_state_text(kind->state, kind->state_state)),
	};

	RECORD_APPEND(out, &row, tail, ARRAY_SIZE(tail));
}

/* Lists connections by kind and peer. Addresses are private: peers without a label are counted
 * together. */
static void list_sums(const struct socket_sums *sums, struct buffer *kinds, struct buffer *peers)
{
	uint64_t others = 0;

	map_for_each (&sums->kinds, const struct socket_kind_key *, kind, uint64_t *, count)
		add_kind(kind, *count, kinds);
	map_for_each (
		&sums->peers, const struct socket_peer_key *, peer, struct socket_peer_sum *, sum) {
		if (sum->has_label)
			bundle_count(span_of(peer->text, strnlen(peer->text, SOCKET_SUMS_TEXT)),
				sum->count, peers);
		else
			others += sum->count;
	}
	bundle_count(span_of_string("without a label"), others, peers);
}

/* Lists sockets. Returns the state of both lists. */
static uint8_t list_sockets(const struct diagnosis_input *input, const struct process_id *id,
	struct buffer *kinds, struct buffer *peers)
{
	const struct snapshot *snapshot = snapshots_get(&input->sockets.last, id);
	const struct sockets_process *end = snapshot ? snapshot_end(snapshot, sizeof(*end)) : NULL;
	struct batch records = { 0 };
	struct socket_sums sums;

	if (end)
		records = snapshot_records(snapshot);
	socket_sums_init(&sums);
	batch_for_each (r, &records) {
		const struct sockets_socket *s = record_as(r, SOCKETS_SOCKET, SOCKETS_SOCKET_LEAST);
		enum peer_label_strength strength;

		if (s)
			socket_sums_add(&sums, s, socket_sums_label(&input->labels, s, &strength));
	}
	list_sums(&sums, kinds, peers);
	socket_sums_fini(&sums);
	return end ? end->sockets_state : UNREADABLE;
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
	int status = output_section(output, &section, err);

	buffer_each_while (const struct process_table_installed, version, &c->installed, !status) {
		struct bundle_installed_row row = { .record = { 0 } };
		struct record_tail tail[] = {
			tail_string(&row.agent, version->agent ? version->agent->name : ""),
			tail_span(&row.version, process_table_text(c, &version->version)),
			tail_span(&row.path, process_table_text(c, &version->path)),
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
	_cleanup_(buffer_fini) struct buffer threads = { 0 }, descriptors = { 0 }, sockets = { 0 },
					     peers = { 0 }, memory = { 0 };
	struct bundle_process_row row;

	fill_row(input, j, agent, &row);
	list_threads(input, j, &threads);
	row.threads_state = threads.size ? SOOTH_STATE_VALUE : UNREADABLE;
	list_descriptors(input, j, &row, &descriptors);
	row.sockets_state = list_sockets(input, &j->id, &sockets, &peers);
	if (list_memory(input, j, &row, &memory))
		return error_no_memory(err);
	struct record_tail tail[] = {
		tail_buffer(&row.threads, &threads),
		tail_buffer(&row.descriptors, &descriptors),
		tail_buffer(&row.sockets, &sockets),
		tail_buffer(&row.peers, &peers),
		tail_buffer(&row.memory, &memory),
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
	return OUTPUT_ROW(output, &row, tail, ARRAY_SIZE(tail), err);
}

/* --- the stage --- */

static int init(void *state, struct output *output, const void *options, struct sooth_error *err)
{
	struct findings_options findings = { 0 };
	struct bundle *b = state;

	if (options)
		findings = *(const struct findings_options *)options;
	findings.labels = NULL; /* labels of the user are private names */
	findings.result = NULL;
	b->output = output;
	return diagnosis_init(&b->diagnosis, &findings, err);
}

static int push(void *state, const struct batch *batch, struct sooth_error *err)
{
	struct bundle *b = state;

	(void)err;
	diagnosis_input_add_batch(&b->diagnosis.input, batch);
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
