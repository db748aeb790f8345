/* SPDX-License-Identifier: BSD-2-Clause */
/* Issues, descriptors and connections of a process. */
#include "analyze/overview/overview_parts.h"

#include <string.h>

#include "analyze/fds/fd_sums.h"
#include "analyze/records.h"
#include "analyze/sockets/socket_sums.h"
#include "analyze/sockets/socket_text.h"
#include "base/cleanup.h"
#include "explain/registry.h"
#include "probes/fd_names.h"

#define LIST_MOST  1000 /* paths, connections */
#define PATHS_MOST (64u << 10)

/* --- issues --- */

static bool needs_probe(const struct finding_row *finding, const char *probe)
{
	struct span id = record_text(&finding->record, &finding->id);
	char name[64];
	const struct finding_entry *entry;

	if (id.size >= sizeof(name))
		return false;
	memcpy(name, id.data, id.size);
	name[id.size] = '\0';
	entry = registry_finding(name);
	return entry && strstr(entry->type->probes, probe) != NULL;
}

/* Some findings count descriptors without reading them: their names say so. */
static bool overview_is_of_descriptors(const struct finding_row *finding)
{
	struct span id = record_text(&finding->record, &finding->id);

	return needs_probe(finding, "fds") || needs_probe(finding, "sockets") ||
	       span_starts(id, "fd-") || span_starts(id, "watch-");
}

bool overview_is_of_calls(const struct finding_row *finding)
{
	return needs_probe(finding, "syscalls");
}

/* "opens 4 descriptors a second (descriptors: 120 over 5s; rate: 4.0 a second)" */
static void describe(const struct finding_row *finding, struct buffer *out)
{
	struct span claim = record_text(&finding->record, &finding->claim);
	struct span evidence = record_text(&finding->record, &finding->evidence);
	struct batch rows = { (const void *)evidence.data, evidence.size };
	bool has_any = false;

	buffer_append(out, claim.data, claim.size);
	batch_for_each (r, &rows) {
		const struct finding_evidence_row *row = (const void *)r;
		struct span name = record_text(r, &row->name), text = record_text(r, &row->text);

		buffer_format(out, "%s%.*s: %.*s", has_any ? "; " : " (", (int)name.size, name.data,
			(int)text.size, text.data);
		has_any = true;
	}
	if (has_any)
		buffer_char(out, ')');
}

void overview_add_issues(const struct diagnosed *j, overview_chooser chooser, struct buffer *out)
{
	struct batch all = { j->findings.data, j->findings.size };
	struct buffer description = { 0 };

	batch_for_each (r, &all) {
		const struct finding_row *finding = (const void *)r;
		struct overview_issue_row row = { .record = row_head(&j->id),
			.severity = finding->severity,
			.pid_state = j->process ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT };

		if (chooser && !chooser(finding))
			continue;
		buffer_reset(&description);
		describe(finding, &description);
		struct record_tail tail[] = {
			tail_text(&row.issue, r, &finding->id),
			tail_buffer(&row.description, &description),
			tail_text(&row.remedy, r, &finding->remedy),
		};
		RECORD_APPEND(out, &row, tail, ARRAY_SIZE(tail));
	}
	buffer_fini(&description);
}

/* --- descriptors --- */

static void add_count(
	const struct process_id *id, const char *name, uint64_t count, struct buffer *out)
{
	struct overview_count_row row = { .record = row_head(id), .count = count };
	struct record_tail tail[] = { tail_string(&row.name, name) };

	if (count)
		RECORD_APPEND(out, &row, tail, 1);
}

static void add_types(const struct process_id *id, const struct fd_sums *sums, struct buffer *out)
{
	for (size_t i = 0; i < FDS_TYPES; i++)
		add_count(id, fd_type_names.names[i], sums->types[i], out);
	add_count(id, "other", sums->other, out);
}

static void list_paths(const struct snapshot *snapshot, struct buffer *out)
{
	struct batch records = snapshot_records(snapshot);
	size_t count = 0;

	batch_for_each (r, &records) {
		const struct fds_watch *w = record_as(r, FDS_WATCH, sizeof(*w));
		struct span path = w ? record_text(r, &w->path) : span_of("", 0);

		if (!path.size || count == LIST_MOST || out->size + path.size >= PATHS_MOST)
			continue;
		buffer_append(out, path.data, path.size);
		buffer_char(out, '\0');
		count++;
	}
}

/* --- connections --- */

/* "127.0.0.1:5000->160.79.104.10:443 (ESTABLISHED)" */
static void put_connection(const struct sockets_socket *s, struct buffer *out)
{
	const char *state = socket_state_text(s->state, s->state_state);

	socket_put_local(out, s);
	if (s->peer_state == SOOTH_STATE_VALUE) {
		buffer_string(out, "->");
		socket_put_peer(out, s);
	}
	if (*state)
		buffer_format(out, "%s(%s)", out->size ? " " : "", state);
}

static void add_connection(
	const struct diagnosis_input *input, const struct sockets_socket *s, struct buffer *out)
{
	enum peer_label_strength strength;
	struct span label = socket_sums_label(&input->labels, s, &strength);
	struct overview_connection_row row = { .record = row_head_like(&s->record),
		.label_state = label.size ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT };
	struct buffer type = { 0 }, connection = { 0 };

	socket_put_protocol(&type, s);
	put_connection(s, &connection);
	struct record_tail tail[] = {
		tail_buffer(&row.conn_type, &type),
		tail_buffer(&row.connection, &connection),
		tail_span(&row.label, label),
	};
	RECORD_APPEND(out, &row, tail, ARRAY_SIZE(tail));
	buffer_fini(&type);
	buffer_fini(&connection);
}

/* Returns the state of the list: whether it could be read. */
static uint8_t list_connections(
	const struct diagnosis_input *input, const struct process_id *id, struct buffer *out)
{
	const struct snapshot *snapshot = snapshots_get(&input->sockets.last, id);
	const struct sockets_process *end = snapshot ? snapshot_end(snapshot, sizeof(*end)) : NULL;
	struct batch records = { 0 };
	size_t count = 0;

	if (!end)
		return SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED);
	records = snapshot_records(snapshot);
	batch_for_each (r, &records) {
		const struct sockets_socket *s = record_as(r, SOCKETS_SOCKET, sizeof(*s));

		if (s && socket_is_inet(s) && count++ < LIST_MOST)
			add_connection(input, s, out);
	}
	return end->sockets_state;
}

/* --- both --- */

static void fill_values(struct overview_descriptors_row *row, const struct fd_sums *sums)
{
	uint8_t state = sums->process ? sums->process->descriptors_state
				      : SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED);

	row->total_state = state;
	row->watches_state = state;
	row->error_state = SOOTH_STATE_ABSENT;
	if (state_is_unmeasured(state))
		row->error_state = SOOTH_STATE_VALUE;
	if (!sums->process)
		return;
	row->total_fds = sums->process->descriptors;
	row->watches = sums->process->watches;
}

void overview_add_descriptors(
	const struct diagnosis_input *input, const struct diagnosed *j, struct buffer *out)
{
	const struct snapshot *snapshot = snapshots_get(&input->fds.last, &j->id);
	struct overview_descriptors_row row = { .record = row_head(&j->id) };
	struct buffer types = { 0 }, connections = { 0 }, issues = { 0 }, paths = { 0 };
	struct fd_sums sums = { 0 };
	const char *error;

	if (snapshot) {
		fd_sums_of(&sums, snapshot);
		add_types(&j->id, &sums, &types);
		list_paths(snapshot, &paths);
	}
	fill_values(&row, &sums);
	row.sockets_state = list_connections(input, &j->id, &connections);
	overview_add_issues(j, overview_is_of_descriptors, &issues);
	error = sooth_reason_text((enum sooth_reason)(row.total_state >> 4));
	struct record_tail tail[] = {
		tail_buffer(&row.by_type, &types),
		tail_buffer(&row.network_connections, &connections),
		tail_buffer(&row.issues, &issues),
		tail_buffer(&row.watched_paths, &paths),
		tail_string(&row.error, row.error_state ? "" : error),
	};
	RECORD_APPEND(out, &row, tail, ARRAY_SIZE(tail));
	buffer_fini(&types);
	buffer_fini(&connections);
	buffer_fini(&issues);
	buffer_fini(&paths);
}
