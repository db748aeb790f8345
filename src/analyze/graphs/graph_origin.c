/* SPDX-License-Identifier: BSD-2-Clause */
/* The text about the origin of a graph; target and host come from the capture. */
#include "analyze/graphs/graph_origin.h"

#include <assert.h>
#include <string.h>

#include "analyze/records.h"
#include "base/units.h"
#include "model/stream_records.h"

#define COMMAND_BYTES 80
#define PIDS_MOST     4

/* Writes a command, whose arguments are separated by NULs. */
static void put_command(struct buffer *out, struct span command)
{
	for (size_t i = 0; i < command.size && i < COMMAND_BYTES; i++)
		buffer_char(out, command.data[i] ? command.data[i] : ' ');
	if (command.size > COMMAND_BYTES)
		buffer_string(out, "...");
	while (out->size && out->data[out->size - 1] == ' ')
		out->size--;
}

static void put_pids(struct buffer *out, struct span pids)
{
	uint32_t pid;
	size_t count = pids.size / sizeof(pid);

	for (size_t i = 0; i < count && i < PIDS_MOST; i++) {
		/* In a capture the PID may be unaligned. */
		memcpy(&pid, pids.data + i * sizeof(pid), sizeof(pid));
		buffer_format(out, "%s%u", i ? ", " : " ", pid);
	}
	if (count > PIDS_MOST)
		buffer_format(out, " and %zu more", count - PIDS_MOST);
}

static void store_target(struct graph_origin *o, const struct stream_target *target)
{
	struct span selector = record_text(&target->record, &target->selector);
	struct span command = record_text(&target->record, &target->command);

	buffer_reset(&o->target);
	buffer_append(&o->target, selector.data, selector.size);
	put_pids(&o->target, record_text(&target->record, &target->pids));
	if (!command.size)
		return;
	buffer_string(&o->target, ": ");
	put_command(&o->target, command);
}

void graph_origin_add_batch(struct graph_origin *o, const struct batch *batch)
{
	assert(o);
	batch_for_each (r, batch) {
		const struct stream_segment *segment =
			record_as(r, STREAM_SEGMENT, sizeof(*segment));
		const struct stream_target *target = record_as(r, STREAM_TARGET, sizeof(*target));
		const struct stream_loss *loss = record_as(r, STREAM_LOSS, sizeof(*loss));

		if (segment) {
			o->realtime_offset_ns = segment->realtime_offset_ns;
			o->has_segment = true;
		} else if (target) {
			store_target(o, target);
		} else if (loss) {
			o->lost += loss->records;
		} else if (r->kind == STREAM_BEGIN) {
			o->begin_ns = r->time_ns;
		}
	}
}

void graph_origin_put(const struct graph_origin *o, struct buffer *out)
{
	char time[UNITS_SIZE];

	assert(o);
	buffer_append(out, o->target.data, o->target.size);
	if (o->has_segment && o->begin_ns)
		buffer_format(out, "%s%s", o->target.size ? "; " : "",
			format_utc(time, o->begin_ns + (uint64_t)o->realtime_offset_ns));
}

void graph_origin_put_lost(const struct graph_origin *o, struct buffer *out)
{
	assert(o);
	buffer_format(out, "; %llu %s lost", (unsigned long long)o->lost,
		o->lost == 1 ? "record" : "records");
}

void graph_origin_fini(struct graph_origin *o)
{
	assert(o);
	buffer_fini(&o->target);
}
