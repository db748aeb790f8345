/* SPDX-License-Identifier: BSD-2-Clause */
/* The host: what is measured now, and the last minutes of it. */
#include "cli/top/model_host.h"

#include <stdlib.h>

#include "base/units.h"
#include "model/batch.h"

static double value_or_gap(bool is_there, double value)
{
	return is_there ? value : (double)NAN;
}

static void read_load(struct top_model *m)
{
	const struct top_table *t = top_table_of(&m->frame, "load");
	const struct sooth_record *r = top_row_of(t);
	struct top_host *h = &m->host;

	h->has_load = h->has_cpu_pressure = h->has_io_pressure = false;
	if (!r)
		return;
	h->has_load = top_number(t->schema, "load_1m", r, &h->load[0]) &&
		      top_number(t->schema, "load_5m", r, &h->load[1]) &&
		      top_number(t->schema, "load_15m", r, &h->load[2]);
	top_number(t->schema, "cpus", r, &h->cpus);
	top_number(t->schema, "running", r, &h->running);
	top_number(t->schema, "tasks", r, &h->tasks);
	if (top_number(t->schema, "uptime_ns", r, &h->uptime_s))
		h->uptime_s /= (double)NS_PER_S;
	h->has_cpu_pressure = top_number(t->schema, "cpu_some_10s_percent", r, &h->cpu_pressure);
	h->has_io_pressure = top_number(t->schema, "io_some_10s_percent", r, &h->io_pressure);
}

static void read_memory(struct top_model *m)
{
	const struct top_table *t = top_table_of(&m->frame, "memory");
	const struct sooth_record *r = top_row_of(t);
	struct top_host *h = &m->host;

	h->has_memory = h->has_swap = h->has_memory_pressure = false;
	if (!r)
		return;
	h->has_memory = top_number(t->schema, "total_bytes", r, &h->memory_total) &&
			top_number(t->schema, "available_bytes", r, &h->memory_available) &&
			h->memory_total > 0;
	h->has_swap = top_number(t->schema, "swap_total_bytes", r, &h->swap_total) &&
		      top_number(t->schema, "swap_used_bytes", r, &h->swap_used);
	h->has_memory_pressure = top_number(t->schema, "some_10s_percent", r, &h->memory_pressure);
}

static struct top_cpu *cpu_numbered(struct top_host *h, uint32_t number)
{
	struct top_cpu *all;

	for (size_t i = 0; i < h->cpu_count; i++) {
		if (h->cpu_of[i].number == number)
			return &h->cpu_of[i];
	}
	all = h->cpu_count < TOP_CPUS_MAX ? realloc(h->cpu_of, (h->cpu_count + 1) * sizeof(*all))
					  : NULL;
	if (!all)
		return NULL;
	h->cpu_of = all;
	all[h->cpu_count] = (struct top_cpu){ .number = number };
	return &all[h->cpu_count++];
}

/* Reads the times of each processor, and of all together. */
static void read_cpu_times(struct top_model *m)
{
	const struct top_table *t = top_table_of(&m->frame, "cpu_use");
	struct top_host *h = &m->host;
	struct batch batch = { 0 };
	double number, use, sum = 0;
	unsigned count = 0;

	if (t)
		batch = (struct batch){ t->records.data, t->records.size };
	batch_for_each (r, &batch) {
		bool has = top_number(t->schema, "use_percent", r, &use);
		struct top_cpu *cpu = top_number(t->schema, "number", r, &number)
					      ? cpu_numbered(h, (uint32_t)number)
					      : NULL;

		if (cpu)
			recent_add(&cpu->use, value_or_gap(has, use));
		sum += has ? use : 0;
		count += has;
	}
	h->has_cpu = count > 0;
	recent_add(&h->cpu, value_or_gap(count > 0, count ? sum / count : 0));
}

void top_host_read_rows(struct top_model *m)
{
	struct top_host *h = &m->host;
	const struct top_table *t = top_table_of(&m->frame, "host");

	if (t)
		top_word(t->schema, "hostname", top_row_of(t), h->name, sizeof(h->name));
	read_load(m);
	read_memory(m);
	read_cpu_times(m);
	recent_add(&h->memory,
		h->has_memory ? 100 - h->memory_available * 100 / h->memory_total : (double)NAN);
	recent_add(&h->pressure_cpu, value_or_gap(h->has_cpu_pressure, h->cpu_pressure));
	recent_add(&h->pressure_io, value_or_gap(h->has_io_pressure, h->io_pressure));
	recent_add(&h->pressure_memory, value_or_gap(h->has_memory_pressure, h->memory_pressure));
}
