/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/probe_options.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "model/probe.h"

int probe_options_keep(struct probe_options *options, struct sooth_error *err)
{
	const char **texts[] = { &options->observer.calls.call_set,
		&options->observer.heap.preload_path };
	int status = 0;

	for (size_t i = 0; i < 2; i++) {
		if (*texts[i] && !(*texts[i] = strdup(*texts[i])))
			status = error_no_memory(err);
	}
	return status;
}

void probe_options_fini(struct probe_options *options)
{
	free((void *)(uintptr_t)options->observer.calls.call_set);
	free((void *)(uintptr_t)options->observer.heap.preload_path);
}

static bool is_same_text(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

/* Returns whether options are equal. The structs have no padding (tests/unit/test_hub.c), so a new
 * member is compared too. */
bool probe_options_match(const struct probe_options *a, const struct probe_options *b)
{
	const struct sooth_observer_options *of_a = &a->observer;
	struct sooth_observer_options of_b = b->observer;

	if (a->is_host != b->is_host || of_a->max_overhead_percent != of_b.max_overhead_percent ||
		probe_may_pause(a) != probe_may_pause(b) || a->has_uid != b->has_uid ||
		a->uid != b->uid || !of_a->debuginfod_urls != !of_b.debuginfod_urls ||
		!is_same_text(of_a->calls.call_set, of_b.calls.call_set) ||
		!is_same_text(of_a->heap.preload_path, of_b.heap.preload_path))
		return false;
	of_b.calls.call_set = of_a->calls.call_set;
	of_b.heap.preload_path = of_a->heap.preload_path;
	/* The interest in a whole host or user is fixed too. */
	return (!(a->is_host || a->has_uid) || a->interest == b->interest) &&
	       !memcmp(&of_a->heap, &of_b.heap, sizeof(of_b.heap)) &&
	       !memcmp(&of_a->profile, &of_b.profile, sizeof(of_b.profile)) &&
	       !memcmp(&of_a->calls, &of_b.calls, sizeof(of_b.calls));
}

enum stack_trigger probe_stack_trigger(const struct probe_options *options)
{
	const struct sooth_profile_options *o = &options->observer.profile;

	return o->of_page_faults   ? STACK_OF_PAGE_FAULT
	       : o->of_calls	   ? STACK_OF_CALL
	       : !o->least_wait_ns ? STACK_BY_CLOCK
	       : o->also_samples   ? STACK_OF_WAIT_AND_CLOCK
				   : STACK_OF_WAIT;
}

uint32_t probe_rate_hz(const struct probe_options *options, uint32_t default_hz)
{
	return options->observer.profile.rate_hz ? options->observer.profile.rate_hz : default_hz;
}

bool probe_may_pause(const struct probe_options *options)
{
	return options->observer.heap.may_pause && options->is_launched;
}

bool probe_skips_call(const struct probe_options *options, bool has_failed)
{
	return options->interest & INTEREST_STREAM && options->observer.calls.failures_only &&
	       !has_failed;
}
