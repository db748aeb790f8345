/* SPDX-License-Identifier: BSD-2-Clause */
/* Samples of the probes limits and host. */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/units.h"
#include "os/bsd/sampling.h"
#include "probes/host.h"
#include "probes/limits.h"

#define UNSUPPORTED SOOTH_NOT_MEASURED(SOOTH_REASON_UNSUPPORTED)

/* --- limits --- */

static bool count_descriptor(void *user, const struct bsd_descriptor *d)
{
	*(uint64_t *)user += !d->special;
	return true;
}

static uint8_t count_descriptors(
	const struct bsd_source *s, const struct bsd_process *process, uint64_t *used)
{
	return bsd_state(s->descriptors(s, (pid_t)process->id.pid, count_descriptor, used));
}

static uint8_t count_processes(
	const struct bsd_source *s, const struct bsd_process *process, uint64_t *used)
{
	struct buffer all = { 0 };
	int status = s->processes(s, &all);

	buffer_each_while (const struct bsd_process, p, &all, !status)
		*used += p->uid == process->uid;
	buffer_fini(&all);
	return bsd_state(status);
}

static void count_use(const struct bsd_source *s, const struct bsd_process *process,
	const struct bsd_limit *limit, struct limits_resource *r)
{
	r->used_state = UNSUPPORTED;
	if (limit->use == BSD_USE_UNKNOWN)
		return;
	if (limit->use == BSD_USE_DESCRIPTORS || !strcmp(limit->name, "NOFILE")) {
		r->used_state = count_descriptors(s, process, &r->used);
	} else if (limit->use == BSD_USE_PROCESSES || !strcmp(limit->name, "NPROC")) {
		r->used_state = count_processes(s, process, &r->used);
	} else if (!strcmp(limit->name, "CPU")) {
		r->used = process->cpu_ns / NS_PER_S;
		r->used_state = process->cpu_state;
	} else if (!strcmp(limit->name, "AS")) {
		r->used = process->vsz_bytes;
		r->used_state = process->memory_state;
	} else if (!strcmp(limit->name, "RSS")) {
		r->used = process->rss_bytes;
		r->used_state = process->memory_state;
	}
}

static uint8_t limit_state(const struct bsd_limit *limit, bool has_value)
{
	if (limit->state)
		return limit->state;
	return has_value ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT;
}

static void visit_limits(struct backend_run *run, const struct bsd_process *process)
{
	const struct bsd_source *s = bsd_source_of(run->os);
	struct bsd_limit limits[BSD_LIMITS_MAX];
	struct limits_process end = {
		.oom_state = UNSUPPORTED, .groups_state = UNSUPPORTED, .pressure_state = UNSUPPORTED
	};
	struct host_memory memory = { 0 };
	size_t count = 0;
	int status = s->limits ? s->limits(s, (pid_t)process->id.pid, limits, &count) : -EOPNOTSUPP;

	for (size_t i = 0; i < count; i++) {
		struct limits_resource r = { .record = bsd_record(
						     run, &process->id, 0, LIMITS_RESOURCE),
			.soft = limits[i].soft,
			.hard = limits[i].hard,
			.unit = limits[i].unit,
			.soft_state = limit_state(&limits[i], limits[i].has_soft),
			.hard_state = limit_state(&limits[i], limits[i].has_hard) };
		struct record_tail tail[] = { { &r.name, limits[i].name, strlen(limits[i].name) } };

		count_use(s, process, &limits[i], &r);
		RECORD_APPEND(&run->out, &r, tail, ARRAY_SIZE(tail));
	}
	s->memory(s, &memory);
	end.record = bsd_record(run, &process->id, 0, LIMITS_PROCESS);
	end.resources_state = bsd_state(status);
	end.memory_bytes = memory.total_bytes;
	end.memory_available_bytes = memory.available_bytes;
	end.memory_state = memory.available_state;
	RECORD_APPEND(&run->out, &end, NULL, 0);
}

BSD_SAMPLING_FUNCTIONS(limits, visit_limits)

/* --- host --- */

int bsd_host_sample(struct backend_run *run, struct sooth_error *err)
{
	const struct bsd_source *s = bsd_source_of(run->os);
	struct sooth_record head = { .time_ns = run->os->now_ns(run->os), .cpu = SOOTH_CPU_NONE };
	struct host_load load = { .uptime_ns = head.time_ns,
		.cpu_state = UNSUPPORTED,
		.io_state = UNSUPPORTED,
		.forks_state = UNSUPPORTED,
		.tasks_state = UNSUPPORTED };
	struct host_memory memory = { .pressure_state = UNSUPPORTED };

	(void)err;
	s->load(s, &load);
	load.record = head;
	load.record.kind = HOST_LOAD;
	RECORD_APPEND(&run->out, &load, NULL, 0);
	s->memory(s, &memory);
	memory.record = head;
	memory.record.kind = HOST_MEMORY;
	RECORD_APPEND(&run->out, &memory, NULL, 0);
	return 0;
}
