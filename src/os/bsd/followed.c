/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/bsd/followed.h"

#include <string.h>

#include "model/batch.h"
#include "model/stream_records.h"
#include "os/bsd/signal_numbers.h"

static struct sooth_record record_head_of(
	const struct process_id *id, uint64_t time_ns, uint16_t kind)
{
	return (struct sooth_record){ .time_ns = time_ns,
		.start_ticks = id->start_ticks,
		.pid = id->pid,
		.tid = id->pid,
		.kind = kind,
		.cpu = SOOTH_CPU_NONE };
}

static void copy_name(char to[PROCESS_NAME_SIZE], const char *name)
{
	memcpy(to, name, strnlen(name, PROCESS_NAME_SIZE - 1));
}

void bsd_write_join(struct backend_run *run, const struct process_id *id,
	const struct process_id *parent, const char *name, uint64_t time_ns)
{
	struct process_join j = { .record = record_head_of(id, time_ns, PROCESS_JOIN),
		.parent_pid = parent->pid,
		.parent_start_ticks = parent->start_ticks };

	copy_name(j.name, name);
	RECORD_APPEND(&run->out, &j, NULL, 0);
}

void bsd_write_exec(
	struct backend_run *run, const struct process_id *id, const char *name, uint64_t time_ns)
{
	struct process_exec e = { .record = record_head_of(id, time_ns, PROCESS_EXEC),
		.arguments_state = SOOTH_NOT_MEASURED(SOOTH_REASON_NOT_REQUESTED) };

	copy_name(e.name, name);
	RECORD_APPEND(&run->out, &e, NULL, 0);
}

void bsd_write_leave(struct backend_run *run, const struct process_id *id, const char *name,
	uint64_t time_ns, const uint32_t *status)
{
	struct process_leave l = { .record = record_head_of(id, time_ns, PROCESS_LEAVE),
		.status = status ? bsd_wait_status(*status) : 0,
		.status_state =
			status ? SOOTH_STATE_VALUE : SOOTH_NOT_MEASURED(SOOTH_REASON_UNSEEN) };

	copy_name(l.name, name);
	RECORD_APPEND(&run->out, &l, NULL, 0);
}
