/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/linux/heap/preload/preload_around.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "os/linux/heap/heap_source.h"
#include "os/linux/heap/preload/preload_processes.h"
#include "preload/layout.h"
#include "probes/heap.h"

void preload_around_limits(struct backend_run *run, const struct preload_run *s, uint32_t around)
{
	static const struct {
		uint32_t around;
		const char *what, *why;
	} limits[] = {
		{ PRELOAD_AROUND_OWN,
			"allocations by functions of libraries that were loaded later",
			"they define an allocator, which is not sooth's library" },
		{ PRELOAD_AROUND_DEEP,
			"allocations of libraries that were loaded with RTLD_DEEPBIND",
			"they call the C library's functions around sooth's library" },
		{ PRELOAD_AROUND_NEXT, "calls of functions that were looked up with RTLD_NEXT",
			"they may go around sooth's library" },
	};
	const char *remedy = !heap_engine_cost(&run->options, SOOTH_ENGINE_PRELOAD)
				     ? "use --engine auto"
			     : s->pauses ? "use --engine bpf"
					 : "leave out --no-hold";

	for (size_t i = 0; i < ARRAY_SIZE(limits); i++)
		if (around & limits[i].around)
			backend_limit(run, limits[i].what, limits[i].why, remedy);
}

void preload_run_limits(struct backend_run *run, struct preload_run *s)
{
	uint64_t unknown = preload_unknown(s);
	char why[160];

	if (unknown) {
		snprintf(why, sizeof(why),
			"%" PRIu64
			" thread%s of forked processes ended before sooth knew which they were",
			unknown, unknown > 1 ? "s" : "");
		backend_limit(run, HEAP_UNCONNECTED, why, "use --engine bpf");
	}
	if (s->missing.gave_up) {
		snprintf(why, sizeof(why),
			"sooth was stopped, or got no CPU for 2 s: %" PRIu64
			" program%s went on without it",
			s->missing.gave_up, s->missing.gave_up > 1 ? "s" : "");
		backend_limit(run, HEAP_UNCONNECTED, why,
			"run the program again on a host with less load");
	}
	if (s->failed)
		backend_limit(run, "allocations of some processes",
			"the processes had no memory left for sooth's buffers", "use --engine bpf");
	if (s->is_coarse)
		backend_limit(run, "exact times of some calls",
			"a program turned its time-stamp counter off: its calls have the time at "
			"which sooth last read the clock, some milliseconds earlier",
			"use --engine bpf");
}
