/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/process_table/host_state.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/units.h"

/* --- short-lived processes --- */

/* Processes that started and ended between two samples. Only their ends are recorded; they belong
 * to the session of their parent. */

#define PROCESSES_MAX 65536
#define GROUPS_MAX    8192
#define TEXTS_MAX     512
#define TEXT_SIZE     256
#define CLIMB_MAX     64 /* most short-lived ancestors that are followed */

void short_lived_init(struct short_lived *b)
{
	*b = (struct short_lived){ 0 };
	map_init(&b->processes, sizeof(struct process_id), sizeof(struct short_lived_process),
		PROCESSES_MAX);
	map_init(&b->commands, sizeof(struct process_id), sizeof(uint64_t), PROCESSES_MAX);
	map_init(&b->command_texts, sizeof(uint64_t), sizeof(struct short_lived_text), TEXTS_MAX);
	map_init(&b->groups, sizeof(struct short_lived_key), sizeof(struct short_lived_group),
		GROUPS_MAX);
	map_init(&b->sessions, sizeof(struct process_id), sizeof(struct short_lived_group),
		GROUPS_MAX);
}

void short_lived_fini(struct short_lived *b)
{
	map_fini(&b->processes);
	map_fini(&b->commands);
	map_fini(&b->command_texts);
	buffer_fini(&b->command_bytes);
	map_fini(&b->groups);
	map_fini(&b->sessions);
}

static void keep_text(struct short_lived *b, uint64_t hash, struct span arguments)
{
	struct short_lived_text *text = map_put(&b->command_texts, &hash, NULL);
	size_t size = arguments.size < TEXT_SIZE ? arguments.size : TEXT_SIZE;

	if (!text || text->size)
		return;
	*text = (struct short_lived_text){ (uint32_t)b->command_bytes.size, (uint32_t)size };
	buffer_append(&b->command_bytes, arguments.data, size);
}

struct span short_lived_command(const struct short_lived *b, uint64_t hash)
{
	assert(b);

	const struct short_lived_text *text = map_get(&b->command_texts, &hash);

	if (!text || buffer_failed(&b->command_bytes))
		return (struct span){ 0 };
	return span_of((const char *)b->command_bytes.data + text->at, text->size);
}

static void store_command(struct short_lived *b, const struct sooth_record *r)
{
	const struct process_exec *e = record_as(r, PROCESS_EXEC, sizeof(*e));
	struct process_id id = process_id_of(r);
	uint64_t *hash = NULL;
	struct span arguments;

	if (!e || e->arguments_state > SOOTH_STATE_TRUNCATED)
		return;
	arguments = record_text(r, &e->arguments);
	hash = map_put(&b->commands, &id, NULL);
	if (!hash)
		return;
	*hash = hash_bytes(HASH_BEGIN, arguments.data, arguments.size);
	keep_text(b, *hash, arguments);
}

void short_lived_add_record(struct short_lived *b, const struct sooth_record *r)
{
	const struct short_lived_exit *e = record_as(r, SHORT_LIVED_PROCESS, sizeof(*e));
	const struct short_lived_watch *watch = record_as(r, SHORT_LIVED_WATCH, sizeof(*watch));
	struct process_id id = process_id_of(r);
	struct short_lived_process *p;

	store_command(b, r);
	if (r->kind == SHORT_LIVED_WATCH && !b->is_watched)
		b->from_ns = r->time_ns;
	b->is_watched |= r->kind == SHORT_LIVED_WATCH;
	/* Two threads that end together may both be reported as the last: count the process
	 * once. */
	p = e ? map_put(&b->processes, &id, NULL) : NULL;
	if (!p)
		return;
	*p = (struct short_lived_process){ .parent = { .start_ticks = e->parent_start_ticks,
						   .pid = e->parent_pid },
		.end_ns = r->time_ns,
		.life_ns = e->life_ns,
		.cpu_ns = e->cpu_ns,
		.status = e->status,
		.uid = e->uid };
	memcpy(p->name, e->name, strnlen(e->name, sizeof(e->name)));
}

static const struct process_entry *find_starter(const struct short_lived *b,
	const struct process_table *c, const struct short_lived_process *p)
{
	for (unsigned i = 0; p && i < CLIMB_MAX; i++) {
		const struct process_entry *parent = process_table_get(c, &p->parent);

		if (parent)
			return parent;
		p = map_get(&b->processes, &p->parent);
	}
	return NULL;
}

/* Returns the main process of the session; NULL: no session, or the parent ended earlier. */
static const struct process_entry *main_of(const struct process_entry *starter)
{
	if (!starter)
		return NULL;
	return starter->link == PROCESS_LINK_SELF ? starter : starter->main;
}

/* Adds a process to a group. Groups beyond the map's bound count in the total only. */
static void add_process(struct short_lived_group *to, const struct short_lived_process *p)
{
	if (!to)
		return;
	to->count++;
	to->cpu_ns += p->cpu_ns;
	to->failed += p->status != 0;
	if (p->life_ns > to->life_most_ns)
		to->life_most_ns = p->life_ns;
}

static void forget_findings(struct short_lived *b)
{
	map_clear(&b->groups);
	map_clear(&b->sessions);
	b->all = (struct short_lived_group){ .count = b->processes.refused };
	b->in_sessions = 0;
}

void short_lived_resolve(struct short_lived *b, const struct process_table *c)
{
	forget_findings(b);
	map_for_each (&b->processes, const void *, id, struct short_lived_process *, p) {
		const struct process_entry *main;
		struct short_lived_key key = { 0 };

		p->starter = find_starter(b, c, p);
		if (process_table_get(c, id))
			continue; /* the process is in a sample */
		main = main_of(p->starter);
		memcpy(key.name, p->name, sizeof(key.name));
		if (main)
			key.main = main->id;
		add_process(&b->all, p);
		b->in_sessions += main != NULL;
		add_process(map_put(&b->groups, &key, NULL), p);
		if (main)
			add_process(map_put(&b->sessions, &main->id, NULL), p);
	}
}

void short_lived_next_interval(struct short_lived *b, uint64_t now_ns)
{
	b->from_ns = b->is_watched ? now_ns : 0;
	map_clear(&b->processes);
	map_clear(&b->commands);
	map_clear(&b->command_texts);
	buffer_reset(&b->command_bytes);
	b->processes.refused = 0;
}

/* --- the host --- */

void host_state_init(struct host_state *h)
{
	assert(h);
	*h = (struct host_state){ 0 };
	process_table_init(&h->process_table);
	short_lived_init(&h->short_lived);
	snapshots_init(&h->sockets, SOCKETS_PROCESS);
	snapshots_init(&h->waits, WAITS_SNAPSHOT);
}

void host_state_fini(struct host_state *h)
{
	assert(h);
	process_table_fini(&h->process_table);
	short_lived_fini(&h->short_lived);
	snapshots_fini(&h->sockets);
	snapshots_fini(&h->waits);
	free(h->segment);
	h->segment = NULL;
	buffer_fini(&h->asked);
}

static void handle_segment(struct host_state *h, const struct stream_segment *segment)
{
	struct stream_segment *copy = malloc(record_bytes(&segment->record));

	if (!copy)
		return;
	memcpy(copy, segment, record_bytes(&segment->record));
	free(h->segment);
	h->segment = copy;
}

static void handle_target(struct host_state *h, const struct stream_target *target)
{
	struct span selector = record_text(&target->record, &target->selector);

	struct span pids = record_text(&target->record, &target->pids);

	h->is_named = span_equal(selector, "pid") || span_equal(selector, "command");
	buffer_reset(&h->asked);
	if (span_equal(selector, "host"))
		buffer_append(
			&h->asked, pids.data, pids.size / sizeof(uint32_t) * sizeof(uint32_t));
}

void host_state_add_batch(struct host_state *h, const struct batch *batch)
{
	assert(h);
	batch_for_each (r, batch) {
		const void *known;

		if (r->time_ns > h->last_ns)
			h->last_ns = r->time_ns;
		process_table_add_record(&h->process_table, r);
		short_lived_add_record(&h->short_lived, r);
		snapshots_add_record(&h->sockets, r);
		snapshots_add_record(&h->waits, r);
		record_reads_clock(r, &h->realtime_offset_ns);
		if ((known = record_as(r, STREAM_SEGMENT, sizeof(struct stream_segment))))
			handle_segment(h, known);
		else if ((known = record_as(r, STREAM_TARGET, sizeof(struct stream_target))))
			handle_target(h, known);
	}
}

int host_state_resolve(struct host_state *h, struct sooth_error *err)
{
	assert(h);

	int status = process_table_resolve(&h->process_table);

	if (status)
		return error_errno(err, status, "assign processes to agents");
	short_lived_resolve(&h->short_lived, &h->process_table);
	return 0;
}

void host_state_next_interval(struct host_state *h)
{
	assert(h);
	process_table_next_interval(&h->process_table);
	short_lived_next_interval(&h->short_lived, h->last_ns);
}

static void drop_ended(const struct host_state *h, struct snapshots *s)
{
	map_for_each_key (&s->processes, const void *, id) {
		if (!process_table_get(&h->process_table, id))
			snapshots_drop(s, id);
	}
}

void host_state_drop_ended(struct host_state *h)
{
	assert(h);
	process_table_drop_ended(&h->process_table);
	drop_ended(h, &h->sockets);
	drop_ended(h, &h->waits);
}

bool host_state_is_asked(const struct host_state *h, uint64_t pid)
{
	const uint32_t *asked = (const void *)h->asked.data;

	for (size_t i = 0; i < h->asked.size / sizeof(*asked); i++) {
		if (asked[i] == pid)
			return true;
	}
	return false;
}

struct span host_state_text(const struct host_state *h, const struct sooth_text *text)
{
	assert(h);
	return h->segment ? record_text(&h->segment->record, text) : span_of("", 0);
}

uint64_t host_state_memory(const struct host_state *h)
{
	assert(h);
	return h->segment ? h->segment->memory_bytes : 0;
}

uint64_t host_state_utc(const struct host_state *h)
{
	assert(h);
	return h->segment ? h->last_ns + (uint64_t)h->realtime_offset_ns : 0;
}

uint64_t host_state_elapsed(const struct host_state *h, const struct process_entry *p)
{
	assert(h);
	assert(p);

	uint64_t ticks = h->segment && h->segment->ticks_per_s ? h->segment->ticks_per_s : 100;
	int64_t boottime = h->segment ? h->segment->boottime_offset_ns : 0;
	uint64_t now_s = (p->last_ns + (uint64_t)boottime) / NS_PER_S;
	uint64_t start_s = p->id.start_ticks / ticks;

	return now_s > start_s ? now_s - start_s : 0;
}
