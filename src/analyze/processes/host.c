/* SPDX-License-Identifier: BSD-2-Clause */
/* The host at the last sample: load, memory, pressure, and the tracers with what the caller may
 * trace. */
#include "analyze/processes/host.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/records.h"
#include "base/cleanup.h"
#include "base/map.h"
#include "explain/stage.h"
#include "probes/host.h"

#define LOAD_ROW(F, S)                                                                             \
	F(S, ALSO, REAL, load.load_1m, load_1m, WITH(load.load_state), "load over 1 minute",       \
		.decimals = 2)                                                                     \
	F(S, ALSO, REAL, load.load_5m, load_5m, WITH(load.load_state), "load over 5 minutes",      \
		.decimals = 2)                                                                     \
	F(S, ALSO, REAL, load.load_15m, load_15m, WITH(load.load_state), "load over 15 minutes",   \
		.decimals = 2)                                                                     \
	F(S, ALSO, U32, load.running, running, WITH(load.tasks_state), "runnable threads")         \
	F(S, ALSO, U32, load.tasks, tasks, WITH(load.tasks_state), "threads of the host")          \
	F(S, ALSO, U32, load.cpus, cpus, ALWAYS, "number of online CPUs of the host")              \
	F(S, ALSO, U64, load.uptime_ns, uptime_ns, WITH(load.uptime_state), "time since boot",     \
		.unit = SOOTH_UNIT_NS)                                                             \
	F(S, ALSO, REAL, load.cpu_some_10s, cpu_some_10s_percent, WITH(load.cpu_state),            \
		"share of the last 10 s in which some task waited for a CPU", .decimals = 2,       \
		.unit = SOOTH_UNIT_PERCENT)                                                        \
	F(S, ALSO, REAL, load.io_some_10s, io_some_10s_percent, WITH(load.io_state),               \
		"share of the last 10 s in which some task waited for I/O", .decimals = 2,         \
		.unit = SOOTH_UNIT_PERCENT)                                                        \
	F(S, ALSO, REAL, load.io_full_10s, io_full_10s_percent, WITH(load.io_state),               \
		"share of the last 10 s in which all tasks waited", .decimals = 2,                 \
		.unit = SOOTH_UNIT_PERCENT)

struct load_row {
	struct host_load load;
	ROW_MEMBERS(LOAD_ROW, load_row)
};

#define TRACER_ROW(F, S)                                                                           \
	F(S, ALSO, TEXT, tracer.name, name, ALWAYS, "name of the tracer", .label = "TRACER",       \
		.is_key = true)                                                                    \
	F(S, ALSO, TEXT, tracer.version, version, WITH(tracer.version_state),                      \
		"version of its package")                                                          \
	F(S, ALSO, ENUM8, tracer.reach, reach, ALWAYS,                                             \
		"what the user of sooth can trace with this tool at present",                      \
		.label = "CAN WATCH", .names = &host_reach_names)                                  \
	F(S, ALSO, TEXT, tracer.path, path, WITH(tracer.path_state),                               \
		"path of the program; null: sooth itself")                                         \
	F(S, ALSO, TEXT, tracer.need, need, ALWAYS, "the privilege that the tracer needs",         \
		.label = "NEEDS", .may_shrink = true)                                              \
	F(S, ALSO, TEXT, tracer.missing, missing, WITH(tracer.missing_state),                      \
		"what is missing to trace more; null: nothing", .is_hidden = true)                 \
	F(S, ALSO, TEXT, tracer.purpose, purpose, ALWAYS, "data that the tracer shows",            \
		.is_hidden = true)

struct tracer_row {
	struct host_tracer tracer;
	ROW_MEMBERS(TRACER_ROW, tracer_row)
};

#define CPU_ROW(F, S)                                                                              \
	F(S, U32, number, ALWAYS, "number of the CPU", .label = "CPU", .is_key = true)             \
	F(S, NAMED, REAL, use, use_percent, MAYBE(use_state),                                      \
		"share of the interval in which the CPU was used", .label = "USE%", .decimals = 1, \
		.unit = SOOTH_UNIT_PERCENT)

ROW_TABLE(cpu_row, CPU_ROW, "status.cpu", cpu_row);

/* --- records of the probe --- */

static ROW_SCHEMA(load_row, LOAD_ROW, "status.load", load_row,
	.line = "load: {load_1m} {load_5m} {load_15m} on {cpus CPU}; {running} of {tasks thread} "
		"running; up {uptime_ns}; pressure (10 s): CPU {cpu_some_10s_percent} %, I/O "
		"{io_some_10s_percent} %");

static ROW_SCHEMA(memory_row, MEMORY_ROW, "status.memory", memory_row,
	.line = "memory: {available_bytes} available of {total_bytes}, {free_bytes} free; swap: "
		"{swap_used_bytes} used of {swap_total_bytes}; pressure (10 s): {some_10s_percent} "
		"%, all tasks {full_10s_percent} %");

static ROW_SCHEMA(tracer_row, TRACER_ROW, "tracers", tracer_row);

bool host_load_read_record(struct host_load *out, const struct sooth_record *r)
{
	assert(r);

	size_t size = (size_t)r->fixed_words * SOOTH_RECORD_WORD;

	assert(out);
	if (!record_as(r, HOST_LOAD, HOST_LOAD_LEAST))
		return false;
	*out = (struct host_load){ .forks_state = SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED) };
	memcpy(out, r, size < sizeof(*out) ? size : sizeof(*out));
	if (size < sizeof(*out))
		out->forks_state = SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED);
	return true;
}

/* --- the view --- */

#define TRACERS_MAX 256
#define CPUS_MAX    4096

/* times of one CPU: at the start of the interval, and of its last record (last_*) */
struct cpu_times {
	uint64_t busy_ns, idle_ns;
	uint64_t last_busy_ns, last_idle_ns;
};

struct host_view {
	struct output *output;
	struct host_load load;
	struct host_memory memory;
	bool has_load, has_memory;
	struct host_tracer *tracers[TRACERS_MAX]; /* owned, in the order of the stream */
	size_t count;
	bool is_full;
	struct map cpus; /* uint32_t -> struct cpu_times */
};

static struct span tracer_name(const struct host_tracer *tracer)
{
	return record_text(&tracer->record, &tracer->name);
}

static int init(void *state, struct output *output, const void *options, struct sooth_error *err)
{
	struct host_view *h = state;

	(void)options;
	(void)err;
	h->output = output;
	map_init(&h->cpus, sizeof(uint32_t), sizeof(struct cpu_times), CPUS_MAX);
	return 0;
}

/* Stores a tracer. A capture of several runs repeats it: the last record takes the first one's
 * place. */
static int store_tracer(
	struct host_view *h, const struct host_tracer *tracer, struct sooth_error *err)
{
	struct span name = tracer_name(tracer);
	struct host_tracer *copy;
	size_t at = 0;

	while (at < h->count && span_compare(tracer_name(h->tracers[at]), name))
		at++;
	if (at == TRACERS_MAX) {
		h->is_full = true;
		return 0;
	}
	copy = malloc(record_bytes(&tracer->record));
	if (!copy)
		return error_no_memory(err);
	memcpy(copy, tracer, record_bytes(&tracer->record));
	free(h->tracers[at]);
	h->tracers[at] = copy;
	h->count += at == h->count;
	return 0;
}

static void add_cpu(struct host_view *h, const struct host_cpu *r)
{
	bool is_new;
	struct cpu_times *t = map_put(&h->cpus, &r->number, &is_new);

	if (!t)
		return;
	if (is_new)
		*t = (struct cpu_times){ .busy_ns = r->busy_ns, .idle_ns = r->idle_ns };
	t->last_busy_ns = r->busy_ns;
	t->last_idle_ns = r->idle_ns;
}

static int push(void *state, const struct batch *batch, struct sooth_error *err)
{
	struct host_view *h = state;
	const void *known;
	int status = 0;

	batch_for_each (r, batch) {
		if (host_load_read_record(&h->load, r)) {
			h->has_load = true;
		} else if ((known = record_as(r, HOST_MEMORY, sizeof(h->memory)))) {
			h->memory = *(const struct host_memory *)known;
			h->has_memory = true;
		} else if ((known = record_as(r, HOST_TRACER, sizeof(struct host_tracer)))) {
			status = store_tracer(h, known, err);
		} else if ((known = record_as(r, HOST_CPU, sizeof(struct host_cpu)))) {
			add_cpu(h, known);
		}
		if (status)
			break;
	}
	return status;
}

static void emit_state_note(struct host_view *h, const char *what, uint8_t state)
{
	if (state_is_unmeasured(state))
		output_limit(
			h->output, what, sooth_reason_text((enum sooth_reason)(state >> 4)), "");
}

static int emit_load(struct host_view *h, struct sooth_error *err)
{
	static const struct section section = SECTION_OF("load", load_row_schema, OBJECT);
	struct load_row row = { .load = h->load };
	int status;

	if (!h->has_load)
		return 0;
	emit_state_note(h, "CPU pressure of the host", h->load.cpu_state);
	emit_state_note(h, "I/O pressure of the host", h->load.io_state);
	status = output_section(h->output, &section, err);
	return status ? status : output_row(h->output, &row.load.record, sizeof(row), NULL, 0, err);
}

static int emit_memory(struct host_view *h, struct sooth_error *err)
{
	static const struct section section = SECTION_OF("memory", memory_row_schema, OBJECT);
	const struct host_memory *m = &h->memory;
	struct memory_row row = { .memory = *m };
	int status;

	if (!h->has_memory)
		return 0;
	if (m->swap_total_bytes > m->swap_free_bytes)
		row.swap_used_bytes = m->swap_total_bytes - m->swap_free_bytes;
	emit_state_note(h, "memory pressure of the host", m->pressure_state);
	status = output_section(h->output, &section, err);
	return status ? status
		      : output_row(h->output, &row.memory.record, sizeof(row), NULL, 0, err);
}

/* Emits the use of a CPU between two samples; none for a CPU that was removed meanwhile. */
static int emit_cpu(
	struct host_view *h, uint32_t number, struct cpu_times *t, struct sooth_error *err)
{
	struct cpu_row row = { .number = number,
		.use_state = SOOTH_NOT_MEASURED(SOOTH_REASON_INTERVAL) };
	uint64_t busy = t->last_busy_ns - t->busy_ns, idle = t->last_idle_ns - t->idle_ns;

	if (t->last_busy_ns >= t->busy_ns && t->last_idle_ns >= t->idle_ns && busy + idle) {
		row.use = (double)busy * 100 / (double)(busy + idle);
		row.use_state = SOOTH_STATE_VALUE;
	}
	t->busy_ns = t->last_busy_ns;
	t->idle_ns = t->last_idle_ns;
	return OUTPUT_ROW(h->output, &row, NULL, 0, err);
}

static int emit_cpus(struct host_view *h, struct sooth_error *err)
{
	static const struct section section =
		SECTION_OF("cpu_use", cpu_row_schema, TABLE, .audience = SECTION_DETAIL);
	int status = h->cpus.count ? output_section(h->output, &section, err) : 0;

	map_for_each (map_while(!status, &h->cpus), const uint32_t *, number, void *, times)
		status = emit_cpu(h, *number, times, err);
	return status;
}

static int emit_tracer(struct host_view *h, const struct host_tracer *t, struct sooth_error *err)
{
	struct tracer_row row = { .tracer = *t };
	const struct sooth_record *r = &t->record;
	struct record_tail tail[] = {
		tail_text(&row.tracer.name, r, &t->name),
		tail_text(&row.tracer.path, r, &t->path),
		tail_text(&row.tracer.version, r, &t->version),
		tail_text(&row.tracer.purpose, r, &t->purpose),
		tail_text(&row.tracer.need, r, &t->need),
		tail_text(&row.tracer.missing, r, &t->missing),
	};

	return output_row(h->output, &row.tracer.record, sizeof(row), tail, ARRAY_SIZE(tail), err);
}

static int emit_tracers(struct host_view *h, struct sooth_error *err)
{
	static const struct section section = SECTION_OF("tracers", tracer_row_schema, TABLE,
		.title = "tracers on this host", .columns = "name,version,reach,path,need",
		.if_empty = "sooth did not look for tracers");
	int status = output_section(h->output, &section, err);

	if (h->is_full)
		output_limit(h->output, "some tracers",
			"there are more tracers than sooth can keep: the rest is left out", "");
	for (size_t i = 0; i < h->count && !status; i++)
		status = emit_tracer(h, h->tracers[i], err);
	return status;
}

static int finish(void *state, struct sooth_error *err)
{
	struct host_view *h = state;
	int status = emit_load(h, err);

	if (!status)
		status = emit_memory(h, err);
	if (!status)
		status = emit_cpus(h, err);
	return status ? status : emit_tracers(h, err);
}

static void fini(void *state)
{
	struct host_view *h = state;

	for (size_t i = 0; i < h->count; i++)
		free(h->tracers[i]);
	map_fini(&h->cpus);
}

const struct stage_type stage_host = {
	.name = "host",
	.help = "load, memory and pressure of the host, and its tracing tools",
	.probe = "host",
	.shows = "host",
	STAGE_FUNCTIONS(struct host_view),
};
