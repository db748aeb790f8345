/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/linux/heap/heap_adapt.h"

#include <stdio.h>

#include "base/units.h"
#include "os/linux/heap/heap_source.h"
#include "os/linux/heap/heap_sums.h"
#include "os/os.h"

#define LOOK_NS	       (200 * NS_PER_MS)
#define MOST_PERCENT   50  /* of its CPU time */
#define LEAST_PERCENT  20  /* of the time: what is nearly idle has little to lose */
#define CALLS_A_SAMPLE 128 /* a stack takes some 10 us, a call some 2 us at its probes */
/* Where blocks replace those of before the attach, only every call shows it: of a free it is not
 * known whether its block would have been a sample. */
#define OLDER_SHARE  50 /* of the calls */
#define SAMPLE_LEAST 4096
#define SAMPLE_MOST  (512u << 10)
/* Until calls that began before have their stacks: they are in no sum. */
#define SETTLE_NS (20 * NS_PER_MS)

static uint64_t cpu_ns_of(clockid_t clock)
{
	struct timespec t;

	return clock_gettime(clock, &t) ? 0 : (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

void heap_adapt_add(struct heap_adapt *a, struct backend_run *run, const struct process_id *process)
{
	struct heap_adapt_process *p = &a->processes[a->count];

	if (!run->options.heap_adapts || a->count == HEAP_ADAPT_PROCESSES ||
		clock_getcpuclockid((pid_t)process->pid, &p->clock))
		return;
	p->cpu_ns = cpu_ns_of(p->clock);
	a->count++;
	if (a->since_ns)
		return;
	a->since_ns = run->os->now_ns(run->os);
	a->is_pending = true;
}

static uint64_t cpu_ns(const struct heap_adapt *a)
{
	uint64_t all = 0;

	for (size_t i = 0; i < a->count; i++) {
		uint64_t now_ns = cpu_ns_of(a->processes[i].clock);

		all += now_ns > a->processes[i].cpu_ns ? now_ns - a->processes[i].cpu_ns : 0;
	}
	return all;
}

static uint64_t sample_bytes_for(uint64_t calls, uint64_t bytes)
{
	uint64_t wanted = calls ? bytes / calls * CALLS_A_SAMPLE : SAMPLE_MOST, size = SAMPLE_LEAST;

	while (size < wanted && size < SAMPLE_MOST)
		size *= 2;
	return size;
}

static void go_on_with_samples(struct heap_state *s, struct backend_run *run, unsigned percent)
{
	struct heap_sums_total total = heap_sums_total(s->sums);
	char reason[128], took[UNITS_SIZE];

	if (total.older_frees >= total.calls / OLDER_SHARE &&
		total.older_frees >= total.live_blocks / 2) {
		log_line(run->log, LOG_INFO,
			"every call is added up: blocks of before the attach are replaced");
		return;
	}
	s->control->sample_bytes = sample_bytes_for(total.calls, total.bytes);
	__sync_synchronize();
	s->control->since_ns = run->os->now_ns(run->os) + SETTLE_NS;
	heap_sums_restart(s->sums, run);
	snprintf(reason, sizeof(reason),
		"probes took %u %% of the target's CPU time in the first %s, so samples are added "
		"up instead",
		percent, format_ns(took, LOOK_NS));
	backend_limit(run, "every call", reason, "for every call: --exact");
}

bool heap_adapt_waits(struct heap_state *s, struct backend_run *run, bool is_stopping)
{
	struct heap_adapt *a = &s->adapt;
	uint64_t used_ns, probes_ns, took_ns;
	unsigned percent;

	if (!a->is_pending)
		return false;
	took_ns = run->os->now_ns(run->os) - a->since_ns;
	if (took_ns < LOOK_NS && !is_stopping)
		return true;
	a->is_pending = false;
	if (is_stopping)
		return false;
	used_ns = cpu_ns(a);
	heap_probed_measure(&s->attach, &s->hit_cost, run->log);
	probes_ns = heap_probed_total(&s->hit_cost, &s->follow.code);
	percent = used_ns ? (unsigned)(100 * probes_ns / used_ns) : 0;
	log_line(run->log, LOG_INFO,
		"first look: in %.0f ms probes took %u %% of the target's CPU time",
		(double)took_ns / NS_PER_MS, percent);
	if (percent >= MOST_PERCENT && probes_ns >= took_ns / 100 * LEAST_PERCENT)
		go_on_with_samples(s, run, percent < 99 ? percent : 99);
	return false;
}
