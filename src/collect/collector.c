/* SPDX-License-Identifier: BSD-2-Clause */
/* The collector's own records; see collector.h. */
#include "collect/collector.h"

#include <assert.h>
#include <string.h>

#include "base/cleanup.h"
#include "capture/block.h"
#include "model/schema.h"

static struct sooth_record record_head(const struct os *os, uint16_t kind)
{
	return (struct sooth_record){
		.time_ns = os->now_ns(os), .kind = kind, .cpu = SOOTH_CPU_NONE
	};
}

uint64_t collector_segment(const struct os *os, struct buffer *out)
{
	struct stream_segment segment = { .record = record_head(os, STREAM_SEGMENT) };
	struct host_facts host = { 0 };

	os->host(os, &host);
	segment.realtime_offset_ns = host.realtime_offset_ns;
	segment.boottime_offset_ns = host.boottime_offset_ns;
	segment.memory_bytes = host.memory_bytes;
	segment.cpus = host.cpus;
	segment.page_bytes = host.page_bytes;
	segment.ticks_per_s = host.ticks_per_s;
	segment.format = CAPTURE_FORMAT;
	struct record_tail tail[] = {
		tail_string(&segment.sooth_version, SOOTH_VERSION),
		tail_string(&segment.hostname, host.hostname),
		tail_string(&segment.os, host.os),
		tail_string(&segment.os_version, host.os_version),
		tail_string(&segment.architecture, host.architecture),
		tail_string(&segment.boot_id, host.boot_id),
	};
	RECORD_APPEND(out, &segment, tail, ARRAY_SIZE(tail));
	return segment.record.time_ns;
}

uint64_t collector_schema(
	const struct os *os, struct buffer *out, const struct sooth_schema *schema)
{
	struct stream_schema definition = { .record = record_head(os, STREAM_SCHEMA),
		.kind = schema->kind,
		.class_ = schema->class_ };
	struct buffer fields = { 0 };

	schema_describe(&fields, schema);
	struct record_tail tail[] = {
		tail_string(&definition.name, schema->name),
		{ &definition.fields, fields.data, fields.size },
	};
	RECORD_APPEND(out, &definition, tail, ARRAY_SIZE(tail));
	buffer_fini(&fields);
	return definition.record.time_ns;
}

uint64_t collector_source(const struct os *os, struct buffer *out, unsigned source,
	const struct backend *backend, const char *refusals)
{
	struct stream_source definition = { .record = record_head(os, STREAM_SOURCE),
		.source = source,
		.others_ns = (uint16_t)backend->bystander_ns,
		.others_state = backend->bystander_ns ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT };
	struct record_tail tail[] = {
		tail_string(&definition.probe, backend->probe),
		tail_string(&definition.backend, backend->name),
		tail_string(&definition.fallback_reason, refusals),
	};

	RECORD_APPEND(out, &definition, tail, ARRAY_SIZE(tail));
	return definition.record.time_ns;
}

uint64_t collector_begin(const struct os *os, struct buffer *out)
{
	struct stream_begin begin = { .record = record_head(os, STREAM_BEGIN) };

	RECORD_APPEND(out, &begin, NULL, 0);
	return begin.record.time_ns;
}

uint64_t collector_tick(const struct os *os, struct buffer *out)
{
	struct stream_tick tick = { .record = record_head(os, STREAM_TICK),
		.realtime_offset_ns = os->realtime_offset_ns(os) };

	RECORD_APPEND(out, &tick, NULL, 0);
	return tick.record.time_ns;
}

uint64_t collector_end(
	const struct os *os, struct buffer *out, uint32_t reason, int child_status, uint64_t end_ns)
{
	struct stream_end end = { .record = record_head(os, STREAM_END),
		.reason = reason,
		.child_status = child_status };

	end.record.time_ns = end_ns;
	RECORD_APPEND(out, &end, NULL, 0);
	return end_ns;
}

uint64_t collector_limit(const struct os *os, struct buffer *out, const struct process_id *process,
	const char *what, const char *reason, const char *remedy)
{
	struct stream_limit limit = { .record = record_head(os, STREAM_LIMIT) };
	struct record_tail tail[] = {
		tail_string(&limit.what, what),
		tail_string(&limit.reason, reason),
		tail_string(&limit.remedy, remedy),
	};

	if (process) {
		limit.record.pid = process->pid;
		limit.record.start_ticks = process->start_ticks;
	}
	RECORD_APPEND(out, &limit, tail, ARRAY_SIZE(tail));
	return limit.record.time_ns;
}

uint64_t collector_mark(const struct os *os, struct buffer *out, uint32_t what, const char *name)
{
	struct stream_mark mark = { .record = record_head(os, STREAM_MARK), .what = what };
	struct record_tail tail[] = {
		{ &mark.name, name, strnlen(name, STREAM_MARK_MAX) },
	};

	RECORD_APPEND(out, &mark, tail, ARRAY_SIZE(tail));
	return mark.record.time_ns;
}

void collector_agents(const struct os *os, struct buffer *out, const struct agent_set *agents)
{
	agent_set_for_each (agents, agent) {
		const struct agent_text *text = agent_set_text(agents, agent);
		struct stream_agent definition = { .record = record_head(os, STREAM_AGENT) };

		if (!text)
			continue;
		struct record_tail tail[] = {
			tail_string(&definition.file, text->file),
			{ &definition.text, text->text, text->text_size },
		};
		RECORD_APPEND(out, &definition, tail, ARRAY_SIZE(tail));
	}
}

uint64_t collector_self(const struct os *os, struct buffer *out, uint64_t records, uint64_t bytes)
{
	assert(os);

	struct stream_self self = {
		.record = record_head(os, STREAM_SELF), .records = records, .bytes = bytes
	};
	struct self_cost cost = { 0 };

	os->self(os, &cost);
	self.cpu_ns = cost.cpu_ns;
	self.rss_bytes = cost.rss_bytes;
	RECORD_APPEND(out, &self, NULL, 0);
	return self.record.time_ns;
}
