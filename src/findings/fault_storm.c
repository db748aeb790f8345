/* SPDX-License-Identifier: BSD-2-Clause */
/* fault-storm: a process gives memory back to the kernel and takes it again, all the time. Each
 * page of fresh memory costs a page fault and its clearing, so much of the CPU time is the
 * kernel's. A program that fills memory for the first time has as many faults and is healthy: its
 * resident memory grows by the pages that it touches. A program that starts children is healthy
 * too: after a fork both sides copy pages. */
#include "analyze/evidence/batch_program.h"
#include "analyze/diagnosis/check_verdict.h"
#include "base/sentence_units.h"
#include "analyze/diagnosis/starts.h"
#include "analyze/evidence/work_share.h"
#include "base/units.h"
#include "explain/finding.h"

#define PAGE_BYTES 4096 /* the least memory that a fault adds */

NUMBER(GAIN_SHARE, 4, NONE, "part of the faulted pages; a larger gain is memory being filled");
NUMBER(CHILDREN_A_S, 1.0, NONE, "a process that forks so often faults because of that");

static const struct finding_option options[] = {
	PERCENT_THRESHOLD("min-cpu", 50, 1, 1e5,
		"minimum CPU use of the process, in percent of one CPU; time in which its threads "
		"are ready to run counts too"),
	PERCENT_THRESHOLD("min-kernel", 35, 1, 100, "minimum share of its CPU time in the kernel"),
	THRESHOLD(
		"min-faults", 20e3, 1, 1e9, "minimum number of page faults per second of CPU time"),
};

struct storm {
	struct work_cpu of;
	double faults;	   /* page faults a second */
	double kernel;	   /* kernel share, percent of the CPU time */
	double gain;	   /* growth of resident memory, bytes a second */
	bool has_faults;   /* `faults` and `kernel` were measured */
	bool has_children; /* the process starts children */
};

static double faults_per_cpu_s(const struct storm *s)
{
	return s->of.cpu > 0 ? s->faults / (s->of.cpu / 100) : 0;
}

static void add_thread(struct storm *s, const struct thread_history *t)
{
	double faults = thread_history_faults(t), system = thread_history_system(t);

	if (faults < 0 || system < 0 || thread_history_cpu(t) < 0)
		return;
	s->has_faults = true;
	s->faults += faults;
	s->kernel += system * thread_history_cpu(t);
}

static void find_storm(struct storm *s, const struct check *e)
{
	const struct sample_series *points = &e->series;
	uint64_t interval_ns = sample_series_ns(points);
	struct starts starts;

	*s = (struct storm){ 0 };
	work_cpu_of(&s->of, e);
	thread_histories_for_each (&e->input->threads, &e->id, t)
		add_thread(s, t);
	s->kernel = s->of.cpu > 0 ? s->kernel / s->of.cpu : 0;
	starts_of(&starts, e);
	s->has_children = starts_rate(&starts) >= CHILDREN_A_S;
	if (interval_ns)
		s->gain = ((double)points->points[points->count - 1].rss_bytes -
				  (double)points->points[0].rss_bytes) *
			  (double)NS_PER_S / (double)interval_ns;
}

static void report(const struct check *e, struct check_result *out, const struct storm *s)
{
	struct buffer place = { 0 };
	char size[UNITS_SIZE];

	work_put_place(&place, e);
	finding_begin(out, FINDING_CONFIDENCE_MEDIUM, "");
	finding_claim(out,
		"gives memory back and takes it again, %s a second: %.0f %% of its CPU time is in "
		"the kernel for that%s",
		sentence_size(size, (uint64_t)(s->faults * PAGE_BYTES)), s->kernel,
		buffer_cstr(&place));
	buffer_fini(&place);
	finding_rate(out, "page faults", s->faults, SOOTH_UNIT_NONE, s->of.interval_ns);
	finding_percent(out, "CPU", s->of.cpu, s->of.interval_ns);
	finding_percent(out, "kernel share", s->kernel, s->of.interval_ns);
	finding_text(
		out, "resident memory", "grows little or not at all, compared with the faults");
	finding_unseen(out, "what else the kernel does in that time");
	finding_remedy(out,
		"keep the buffer instead of mapping or allocating it for each use; sooth profile "
		"%u shows where, sooth trace --memory %u the calls",
		e->id.pid, e->id.pid);
	finding_end(out);
}

static void diagnose(const struct check *e, struct check_result *out)
{
	struct storm s;

	find_storm(&s, e);
	if (!s.of.is_measured)
		check_blind(out, thread_histories_uncounted(&e->input->threads, &e->id));
	else if (!check_is_over(e, "min-cpu", s.of.demand, ""))
		check_fine(out, "uses %.0f %% of a CPU", s.of.cpu);
	else if (!s.has_faults)
		check_blind(out, SOOTH_NOT_MEASURED(SOOTH_REASON_INTERVAL));
	else if (faults_per_cpu_s(&s) < check_option(e, "min-faults") ||
		 s.kernel < check_option(e, "min-kernel"))
		check_fine(out, "%.0f page faults a second", s.faults);
	else if (s.gain * GAIN_SHARE > s.faults * PAGE_BYTES)
		check_fine(out, "fills memory that it keeps");
	else if (s.has_children || (e->process && batch_program_computes(check_name(e->process))))
		check_fine(out, "%.0f page faults a second, as its task has", s.faults);
	else
		report(e, out, &s);
}

const struct finding_type finding_fault_storm = {
	.id = "fault-storm",
	.claim = "gives memory back and takes it again all the time",
	.probes = "proc,threads",
	.needs_interval = true,
	.follows = "repeated-reads",
	FINDING_OPTIONS(options),
	.diagnose = diagnose,
};
