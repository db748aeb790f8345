/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/page_answer.h"

#include <assert.h>
#include <string.h>

#include "analyze/heap/malloc_heaps.h"
#include "analyze/maps/map_growth.h"
#include "analyze/profile/profile_table.h"
#include "cli/selected/target_agent.h"
#include "collect/backend.h"
#include "os/os.h"

/* samples a second: a stack takes some 10 us, so they take 1 % of a CPU */
#define PAGES_HZ 997

static const struct profile_options options = { .naming = { .has_lines = true } };
static const struct map_growth_options beside_calls = { .beside_calls = true };

static const struct malloc_heaps_options fragmented = { MALLOC_HEAPS_FIRST };
static const struct malloc_heaps_options in_use = { MALLOC_HEAPS_BEHIND };

static void add_probes(struct run *run, struct run_probe *probes)
{
	probes[0] = (struct run_probe){ "profile", SOOTH_STREAM };
	probes[1] = (struct run_probe){ "proc", SOOTH_SAMPLE };
	probes[2] = (struct run_probe){ "maps", SOOTH_SAMPLE | SOOTH_DETAIL | SOOTH_EDGES };
	run->observer.profile.of_page_faults = true;
	run->observer.profile.has_source_lines = true;
	run->observer.profile.page_fault_hz = PAGES_HZ;
}

void page_answer_alone(struct run *run, bool is_exact)
{
	assert(run);
	add_probes(run, run->probes);
	run->views[0] = (struct run_view){ "profile-pages", &options };
	run->views[1] = (struct run_view){ "map-growth", NULL };
	if (is_exact)
		run->observer.profile.page_fault_hz = 0;
}

/* Returns whether this system can record page faults. */
static bool can_observe_pages(void)
{
	const struct probe_options options = { .observer.profile.of_page_faults = true };

	for (const struct backend *const *b = os_native.backends; *b; b++) {
		if (!strcmp((*b)->probe, "profile") && backend_mode_of(*b, &options).is_on)
			return true;
	}
	return false;
}

int page_answer_beside(struct run *run, struct target_found *found,
	const struct profile_options *pages, struct sooth_error *err)
{
	assert(run);
	assert(found);

	int status = target_find(run->target, run->arguments, run->allowed, found, err);

	if (status)
		return status;
	run->found = found;
	run->views[1] = run->views[0];
	run->views[0] = (struct run_view){ "malloc-heaps", &fragmented };
	run->views[2] = (struct run_view){ "malloc-heaps", &in_use };
	if (!can_observe_pages() && !found->capture) {
		run->probes[2] = (struct run_probe){ "malloc", SOOTH_SAMPLE | SOOTH_EDGES };
		return 0;
	}
	run->views[3] = (struct run_view){ "map-growth", &beside_calls };
	run->views[4] = (struct run_view){ "pages-seen", pages };
	run->probes[0].interest = SOOTH_COUNT;
	add_probes(run, run->probes + 1);
	run->probes[4] = (struct run_probe){ "limits", SOOTH_SAMPLE | SOOTH_EDGES };
	run->probes[5] = (struct run_probe){ "host", SOOTH_SAMPLE | SOOTH_EDGES };
	run->probes[6] = (struct run_probe){ "malloc", SOOTH_SAMPLE | SOOTH_EDGES };
	/* An agent makes a million calls a second. */
	if (found->capture || target_has_agent(found))
		return 0;
	run->observer.heap.sums_in_kernel = true;
	run->observer.heap.adapts_to_load = true;
	run->observer.heap.has_source_lines = true;
	return 0;
}
