/* SPDX-License-Identifier: BSD-2-Clause */
/* An artifact has neither names of processes nor VmHWM. */
#include "import/memtrack_processes.h"

#include <sooth/field.h>

#include "model/batch.h"
#include "model/stream_records.h"
#include "probes/resident.h"

#define PROCESSES_MAX 65536

void memtrack_processes_init(struct memtrack_processes *p)
{
	map_init(&p->levels, sizeof(uint32_t), sizeof(struct resident_level), PROCESSES_MAX);
}

void memtrack_processes_fini(struct memtrack_processes *p)
{
	map_fini(&p->levels);
}

static struct sooth_record head_of(const struct memtrack_event *e, uint16_t kind)
{
	return (struct sooth_record){ .time_ns = e->timestamp,
		.kind = kind,
		.pid = e->pid,
		.tid = e->tid,
		.cpu = SOOTH_CPU_NONE };
}

static void add_level(
	struct memtrack_processes *p, const struct memtrack_event *e, struct buffer *records)
{
	bool is_new;
	struct resident_level *level = map_put(&p->levels, &e->pid, &is_new);

	if (!level || e->member >= RESIDENT_MEMBERS)
		return;
	level->record = head_of(e, RESIDENT_LEVEL);
	level->at_ns = e->timestamp;
	level->cause = is_new ? RESIDENT_FIRST : RESIDENT_CHANGED;
	level->bytes[e->member] = e->size;
	if (resident_sum(level->bytes) > level->peak_bytes)
		level->peak_bytes = resident_sum(level->bytes);
	p->has_levels = true;
	RECORD_APPEND(records, level, NULL, 0);
}

static void add_fork(const struct memtrack_event *e, struct buffer *records)
{
	struct process_join join = { .record = head_of(e, PROCESS_JOIN),
		.parent_pid = e->parent_pid };

	RECORD_APPEND(records, &join, NULL, 0);
}

static void add_exec(const struct memtrack_event *e, struct buffer *records)
{
	struct process_exec exec = { .record = head_of(e, PROCESS_EXEC),
		.arguments_state = SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED) };

	RECORD_APPEND(records, &exec, NULL, 0);
}

static void add_exit(const struct memtrack_event *e, struct buffer *records)
{
	struct process_leave leave = { .record = head_of(e, PROCESS_LEAVE),
		.status_state = SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED) };

	RECORD_APPEND(records, &leave, NULL, 0);
}

void memtrack_processes_add(
	struct memtrack_processes *p, const struct memtrack_event *e, struct buffer *records)
{
	p->has_any = true;
	if (e->type == MEMTRACK_RSS) {
		add_level(p, e, records);
		return;
	}
	/* A new program begins with nothing. */
	if (e->type != MEMTRACK_FORK)
		map_remove(&p->levels, &e->pid);
	if (e->type == MEMTRACK_FORK)
		add_fork(e, records);
	else if (e->type == MEMTRACK_EXEC)
		add_exec(e, records);
	else
		add_exit(e, records);
}
