/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/linux/heap/preload_around.h"

#include <stdio.h>

#include "base/cleanup.h"
#include "preload/layout.h"
#include "probes/heap.h"

void preload_around_limits(struct backend_run *run, uint32_t around)
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
	const char *remedy = run->options.heap_engine == HEAP_ENGINE_PRELOAD ? "use --engine auto"
			     : run->options.may_pause			     ? "use --engine bpf"
						      : "leave out --no-hold";

	for (size_t i = 0; i < ARRAY_SIZE(limits); i++)
		if (around & limits[i].around)
			backend_limit(run, limits[i].what, limits[i].why, remedy);
}

void preload_unconnected_limit(struct backend_run *run, uint32_t processes)
{
	char why[128];

	if (!processes)
		return;
	snprintf(why, sizeof(why),
		"%u forked process%s with another root directory or mounts found no socket of "
		"sooth there",
		processes, processes > 1 ? "es" : "");
	backend_limit(run, HEAP_UNCONNECTED, why, "use --engine bpf");
}
