/* SPDX-License-Identifier: BSD-2-Clause */
/* The overhead is the number of events times the measured cost of one. */
#include "collect/overhead.h"

#include <assert.h>
#include <stdio.h>

#include "base/units.h"

#define LOOK_NS	     NS_PER_S
#define STRIKES	     3 /* a burst of a tool changes nothing */
#define HIGH_TIMES   4 /* an overhead of so many times the limit is acted on at once */
#define IDLE_PARTS   5 /* a target that uses less than a fifth of a CPU has little to lose */
#define PERCENT_MOST 99

void overhead_begin(struct overhead *o, struct backend_run *run, uint64_t now_ns)
{
	const struct sooth_observer_options *options = &run->options.observer;
	char what[64];

	assert(o);
	o->began_ns = o->looked_ns = now_ns;
	if (!options->max_overhead_percent || run->backend->hits || !run->backend->event ||
		options->heap.adapts_to_load ||
		(run->backend->is_bounded && !backend_mode_of(run->backend, &run->options).is_on))
		return;
	snprintf(what, sizeof(what), "overhead of %s", run->backend->probe);
	backend_limit(run, what, "it cannot observe less, so --max-overhead does not limit it", "");
}

bool overhead_is_due(const struct overhead *o, const struct backend_run *run, uint64_t now_ns)
{
	return run->options.observer.max_overhead_percent && run->backend->hits &&
	       now_ns - o->looked_ns >= (run->backend->look_ns ?: LOOK_NS);
}

unsigned overhead_measure(
	struct overhead *o, struct backend_run *run, uint64_t cpu_ns, uint64_t now_ns)
{
	const struct backend_mode mode = o->is_light ? backend_default_mode(run->backend)
						     : backend_mode_of(run->backend, &run->options);
	uint64_t most = run->options.observer.max_overhead_percent;
	uint64_t passed_ns = now_ns - o->looked_ns, hits = run->backend->hits(run);
	uint64_t used_ns = cpu_ns > o->cpu_ns ? cpu_ns - o->cpu_ns : 0;
	unsigned idle_parts = run->backend->idle_parts ?: IDLE_PARTS;
	uint64_t probes_ns = (hits - o->hits) * mode.target_ns, percent;

	o->looked_ns = now_ns;
	o->hits = hits;
	o->cpu_ns = cpu_ns;
	if (used_ns < passed_ns / idle_parts)
		used_ns = passed_ns / idle_parts;
	percent = 100 * probes_ns / used_ns;
	if (percent <= most)
		o->strikes = 0;
	else
		o->strikes += percent > HIGH_TIMES * most ? STRIKES : 1;
	if (o->strikes < STRIKES)
		return 0;
	o->strikes = 0;
	return (unsigned)(percent < PERCENT_MOST ? percent : PERCENT_MOST);
}

void overhead_report(const struct overhead *o, struct backend_run *run,
	const struct backend_step *step, unsigned percent, uint64_t now_ns)
{
	char what[160], reason[256], remedy[64];

	snprintf(what, sizeof(what), "%s from second %llu on", step->what,
		(unsigned long long)((now_ns - o->began_ns) / NS_PER_S));
	snprintf(reason, sizeof(reason),
		"the probes took %u %% of the CPU time of the target, at most %llu %% are allowed, "
		"so %s",
		percent, (unsigned long long)run->options.observer.max_overhead_percent, step->how);
	snprintf(remedy, sizeof(remedy), "allow more: --max-overhead %u", percent + 1);
	backend_limit(run, what, reason, remedy);
}
