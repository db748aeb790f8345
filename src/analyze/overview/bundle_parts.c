/* SPDX-License-Identifier: BSD-2-Clause */
/* Threads by role, descriptors by type, sockets by state, memory by class. */
#include "analyze/overview/bundle_parts.h"

#include <errno.h>
#include <string.h>

#include "analyze/fds/fd_sums.h"
#include "analyze/maps/map_classes.h"
#include "analyze/sockets/socket_sums.h"
#include "analyze/sockets/socket_text.h"
#include "analyze/threads/thread_roles.h"
#include "base/cleanup.h"
#include "probes/fd_names.h"

#define NAMES_MOST 8 /* of threads of one role */
#define UNREADABLE SOOTH_NOT_MEASURED(SOOTH_REASON_FAILED)

/* --- threads --- */

struct role_sum {
	double cpu_percent;
	uint32_t count;
	bool has_cpu;
	struct buffer names; /* each NUL-terminated */
	unsigned named;
};

static void add_name(struct role_sum *sum, const char *name)
{
	for (size_t at = 0; at < sum->names.size;) {
		const char *known = (const char *)sum->names.data + at;

		if (!strcmp(known, name))
			return;
		at += strlen(known) + 1;
	}
	if (sum->named++ >= NAMES_MOST)
		return;
	buffer_string(&sum->names, name);
	buffer_char(&sum->names, '\0');
}

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
	add_name(sum, name);
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

static void add_count(
	const struct process_id *id, struct span what, uint64_t count, struct buffer *out)
{
	struct bundle_count_row row = { .record = row_head(id), .count = count };
	struct record_tail tail[] = { tail_span(&row.what, what) };

	if (count)
		RECORD_APPEND(out, &row, tail, 1);
}

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
	for (size_t i = 0; i < FDS_TYPES; i++)
		add_count(&j->id, span_of_string(fd_type_names.names[i]), sums.types[i], out);
	add_count(&j->id, span_of_string("other"), sums.other, out);
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
static void list_peers(
	const struct process_id *id, const struct socket_sums *sums, struct buffer *out)
{
	size_t position = 0;
	uint64_t others = 0;
	const void *key;
	void *value;

	while (map_next(&sums->peers, &position, &key, &value)) {
		const struct socket_peer_key *peer = key;
		const struct socket_peer_sum *sum = value;

		if (sum->has_label)
			add_count(id, span_of(peer->text, strnlen(peer->text, SOCKET_SUMS_TEXT)),
				sum->count, out);
		else
			others += sum->count;
	}
	add_count(id, span_of_string("without a label"), others, out);
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
		const struct sockets_socket *s = record_as(r, SOCKETS_SOCKET, sizeof(*s));
		enum peer_label_strength strength;

		if (s)
			socket_sums_add(&sums, s, socket_sums_label(&input->labels, s, &strength));
	}
	list_kinds(&j->id, &sums, &parts->sockets);
	list_peers(&j->id, &sums, &parts->peers);
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

int bundle_parts_make(struct bundle_parts *parts, const struct diagnosis_input *input,
	const struct diagnosed *j, struct bundle_process_row *row)
{
	*parts = (struct bundle_parts){ 0 };
	list_threads(input, j, &parts->threads);
	row->threads_state = parts->threads.size ? SOOTH_STATE_VALUE : UNREADABLE;
	list_descriptors(input, j, row, &parts->descriptors);
	list_sockets(input, j, row, parts);
	return list_memory(input, j, row, &parts->memory);
}

void bundle_parts_fini(struct bundle_parts *parts)
{
	buffer_fini(&parts->threads);
	buffer_fini(&parts->descriptors);
	buffer_fini(&parts->sockets);
	buffer_fini(&parts->peers);
	buffer_fini(&parts->memory);
}
