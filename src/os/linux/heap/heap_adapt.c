/* SPDX-License-Identifier: BSD-2-Clause */
#include "os/linux/heap/heap_adapt.h"

#include <stdio.h>
#include <time.h>

#include "base/units.h"
#include "os/linux/heap/heap_source.h"
#include "os/linux/heap/heap_sums.h"
#include "os/os.h"

#define LOOK_NS	       (200 * NS_PER_MS)
#define MOST_PERCENT   40 /* by default; the true share is half */
#define LEAST_PART     2 /* of that, of the elapsed time: a nearly idle target has little to lose */
#define SURE_SHARE     20  /* of the elapsed time: below this share, measuring is not worth it */
#define CALLS_A_SAMPLE 128 /* a stack takes some 10 us, a call some 2 us at its probes */
#define SAMPLE_LEAST   4096
#define SAMPLE_MOST    (512u << 10)
#define PROCESSES_MAX  4096

/* Values at the last measurement. */
struct heap_adapt_process {
	uint64_t cpu_ns;
	struct heap_probed_value hits;
};

void heap_adapt_init(struct heap_adapt *a, bool is_requested, uint64_t most_percent)
{
	a->is_over = !is_requested;
	a->most_percent = most_percent ? (unsigned)most_percent : MOST_PERCENT;
	map_init(&a->processes, sizeof(struct process_id), sizeof(struct heap_adapt_process),
		PROCESSES_MAX);
}

void heap_adapt_fini(struct heap_adapt *a)
{
	map_fini(&a->processes);
}

/* Returns the CPU time of a process; 0: it has ended. */
static uint64_t cpu_ns_of(const struct process_id *process)
{
	struct timespec t;
	clockid_t clock;

	if (clock_getcpuclockid((pid_t)process->pid, &clock) || clock_gettime(clock, &t))
		return 0;
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

void heap_adapt_add(struct heap_adapt *a, const struct process_id *process)
{
	struct heap_adapt_process *p = a->is_over ? NULL : map_put(&a->processes, process, NULL);

	if (p)
		p->cpu_ns = cpu_ns_of(process);
}

/* Returns how much a growing value has increased, and keeps the new value. */
static uint64_t update_gain(uint64_t *known, uint64_t now)
{
	uint64_t before = *known;

	if (now <= before)
		return 0;
	*known = now;
	return now - before;
}

/* Returns the sum over all processes since the last measurement. A process that is met for the
 * first time was observed from its beginning. */
static struct heap_probed_value used_since(struct heap_state *s)
{
	int map = bpf_code_map(&s->follow.code, "probed");
	struct heap_probed_key key, *last = NULL;
	struct heap_probed_value now, all = { 0 };

	for (int i = 0; i < HEAP_PROBED_ENTRIES && !bpf_map_get_next_key(map, last, &key); i++) {
		struct process_id process = { .start_ticks = key.start_ticks, .pid = key.pid };
		struct heap_adapt_process *p = map_put(&s->adapt.processes, &process, NULL);

		last = &key;
		if (!p || bpf_map_lookup_elem(map, &key, &now))
			continue;
		all.cpu_ns += update_gain(&p->cpu_ns, cpu_ns_of(&process));
		all.programs_ns += update_gain(&p->hits.programs_ns, now.programs_ns);
		all.entries += update_gain(&p->hits.entries, now.entries);
		all.returns += update_gain(&p->hits.returns, now.returns);
		all.stepped += update_gain(&p->hits.stepped, now.stepped);
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

static void switch_to_samples(struct heap_state *s, struct backend_run *run, unsigned percent)
{
	struct heap_sums_total total = heap_sums_total(s->sums);
	char reason[160], one_per[UNITS_SIZE], took[UNITS_SIZE];

	s->control->sample_bytes = sample_bytes_for(total.calls, total.bytes);
	s->adapt.is_over = true;
	snprintf(reason, sizeof(reason),
		"probes took %u %% of the CPU time, so samples are added up after the first %s, "
		"one per %s allocated",
		percent, format_ns(took, s->adapt.looked_ns - s->adapt.began_ns),
		format_bytes(one_per, s->control->sample_bytes));
	backend_limit(run, HEAP_EVERY_CALL, reason, "for every call: --exact");
}

void heap_adapt_decide(struct heap_state *s, struct backend_run *run)
{
	struct heap_adapt *a = &s->adapt;
	uint64_t now_ns = run->os->now_ns(run->os), took_ns = now_ns - a->looked_ns, probes_ns;
	struct heap_probed_value used;
	unsigned percent;

	if (a->is_over || took_ns < LOOK_NS)
		return;
	a->looked_ns = now_ns;
	used = used_since(s);
	if (!a->began_ns)
		a->began_ns = now_ns;
	if (a->began_ns == now_ns || used.programs_ns < took_ns / SURE_SHARE)
		return;
	heap_probed_measure(&s->attach, &s->hit_cost, run->log);
	probes_ns = heap_probed_ns(&s->hit_cost, &used);
	percent = used.cpu_ns ? (unsigned)(100 * probes_ns / used.cpu_ns) : 0;
	log_line(run->log, LOG_DEBUG, "in %.0f ms probes took %u %% of the target's CPU time",
		(double)took_ns / NS_PER_MS, percent);
	if (percent >= a->most_percent && probes_ns >= took_ns / 100 * a->most_percent / LEAST_PART)
		switch_to_samples(s, run, percent < 99 ? percent : 99);
}
