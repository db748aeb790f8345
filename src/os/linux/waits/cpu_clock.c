/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/linux/waits/cpu_clock.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/units.h"
#include "os/linux/files/procfs.h"

#define CPUS_MAX 8192

struct wait_offset {
	int64_t ns; /* the scheduler's clock less CLOCK_MONOTONIC */
	bool is_known;
};

void cpu_clock_init(struct cpu_clock *c)
{
	*c = (struct cpu_clock){ 0 };
	map_init(&c->offsets, sizeof(uint32_t), sizeof(struct wait_offset), CPUS_MAX);
}

void cpu_clock_fini(struct cpu_clock *c)
{
	map_fini(&c->offsets);
	buffer_fini(&c->bytes);
}

void cpu_clock_clear(struct cpu_clock *c)
{
	map_clear(&c->offsets);
}

/* Reads when the thread ran last, in ms with six decimals. */
bool cpu_clock_last_run(struct buffer *text, uint64_t *ns)
{
	const char *at = strstr(buffer_cstr(text), "se.exec_start");
	unsigned long long ms, rest;

	if (!at || !(at = strchr(at, ':')) || sscanf(at + 1, "%llu.%6llu", &ms, &rest) != 2)
		return false;
	*ns = ms * NS_PER_MS + rest;
	return true;
}

/* Measures: sooth's own thread runs on the CPU for a moment and reads its own time. */
static bool measure_offset(struct cpu_clock *c, uint32_t cpu, int64_t *offset)
{
	cpu_set_t before, there;
	uint64_t ns = 0;
	bool is_read;

	CPU_ZERO(&there);
	if (cpu >= CPU_SETSIZE || sched_getaffinity(0, sizeof(before), &before))
		return false;
	CPU_SET(cpu, &there);
	if (sched_setaffinity(0, sizeof(there), &there))
		return false;
	is_read = !procfs_read(getpid(), "../thread-self/sched", &c->bytes, PROCFS_SMALL) &&
		  cpu_clock_last_run(&c->bytes, &ns);
	*offset = (int64_t)ns - (int64_t)clock_monotonic_ns();
	sched_setaffinity(0, sizeof(before), &before);
	return is_read;
}

bool cpu_clock_now(struct cpu_clock *c, uint32_t cpu, uint64_t *ns)
{
	bool is_new = false;
	struct wait_offset *o = map_put(&c->offsets, &cpu, &is_new);

	if (!o)
		return false;
	if (is_new)
		o->is_known = measure_offset(c, cpu, &o->ns);
	*ns = (uint64_t)((int64_t)clock_monotonic_ns() + o->ns);
	return o->is_known;
}
