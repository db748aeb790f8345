/* SPDX-License-Identifier: BSD-2-Clause */
/* map-leak: the number of memory mappings keeps rising, or is near vm.max_map_count, where mmap,
 * mprotect, malloc and new threads fail with ENOMEM although there is memory. The mappings are
 * listed at the first and the last sample only; the size of the address space at each sample shows
 * whether they rose all the time. A program that maps its libraries stops soon. memory-growth
 * reports a heap that grows by mappings of many pages, as it runs out of memory first; thread-leak
 * reports the stacks of threads. */
#include <stdio.h>
#include <string.h>

#include "analyze/diagnosis/check.h"
#include "analyze/evidence/tally.h"
#include "explain/finding.h"
#include "probes/maps.h"

#define ANONYMOUS	   "anonymous memory"
#define MAPPINGS_OF_THREAD 4 /* stack, guard, and a heap of malloc with its guard */

static const struct finding_option options[] = {
	PERCENT_THRESHOLD("percent", 80, 1, 100, "minimum use of vm.max_map_count, in percent"),
	THRESHOLD("min-rate", 10, 0.01, 1e9,
		"minimum number of mappings per second that are added and stay"),
	THRESHOLD(
		"min-gain", 100, 1, 1e9, "minimum number of mappings added during the observation"),
	BYTES_THRESHOLD("max-memory", 32768, 0, 1e12,
		"maximum growth of resident memory per new mapping without a file (more: "
		"memory-growth)",
		UNLISTED),
	THRESHOLD("min-windows", 4, 2, 500, "minimum number of time slices to judge growth by",
		UNLISTED),
	TIME_THRESHOLD("min-age", 10e9, 0, 86400e9, "minimum process age", UNLISTED),
};

struct mappings {
	uint32_t first, last, most; /* number of mappings; most: allowed, 0: unknown */
	bool is_truncated;
	double per_s; /* new mappings; 0: listed once */
	uint64_t interval_ns;
	struct growth growth;  /* growth of the address space */
	struct tally_row name; /* name of the mappings whose number rose most */
};

/* --- what rose --- */

static void add_names(struct tally *names, const struct snapshot *s, bool is_last)
{
	snapshot_each (struct maps_mapping, m, s, MAPS_MAPPING) {
		struct span path = record_text(&m->record, &m->path);
		bool has_path = m->path_state <= SOOTH_STATE_TRUNCATED && path.size;

		tally_add(names, has_path ? path : span_of_string(ANONYMOUS), is_last);
	}
}

static void find_name(struct mappings *m, const struct snapshot *first, const struct snapshot *last)
{
	struct tally names;

	tally_init(&names);
	add_names(&names, first, false);
	add_names(&names, last, true);
	tally_top(&names, tally_gain, &m->name, 1);
	tally_fini(&names);
}

/* --- whether it rises --- */

static double space_at(const struct sample_point *p)
{
	return p->vsz_bytes ? (double)p->vsz_bytes : -1;
}

static const struct maps_process *end_of(const struct snapshot *s)
{
	const struct maps_process *end = snapshot_end(s, sizeof(*end));

	return end && end->mappings_state <= SOOTH_STATE_TRUNCATED ? end : NULL;
}

static bool mappings_of(const struct check *e, struct mappings *m)
{
	const struct snapshot *first = check_first(e, &e->input->maps);
	const struct snapshot *last = check_last(e, &e->input->maps);
	const struct maps_process *begin = end_of(first), *end = end_of(last);

	*m = (struct mappings){ 0 };
	if (!end)
		return false;
	m->first = m->last = end->mappings;
	m->most = end->max_state ? 0 : end->mappings_max;
	m->is_truncated = end->mappings_state == SOOTH_STATE_TRUNCATED;
	if (!begin || end->record.time_ns <= begin->record.time_ns)
		return true;
	m->first = begin->mappings;
	m->interval_ns = end->record.time_ns - begin->record.time_ns;
	if (m->last > m->first) {
		m->per_s = (double)(m->last - m->first) * (double)NS_PER_S / (double)m->interval_ns;
		find_name(m, first, last);
	}
	check_growth(&m->growth, e, space_at);
	return true;
}

static bool has_gained(const struct check *e, const struct mappings *m)
{
	return m->last - m->first >= check_option(e, "min-gain") &&
	       check_is_over(e, "min-rate", m->per_s, "");
}

static bool is_heap(const struct check *e, const struct mappings *m)
{
	const struct sample_series *s = &e->series;
	uint64_t first = s->count ? s->points[0].rss_bytes : 0;
	uint64_t last = s->count ? s->points[s->count - 1].rss_bytes : 0;

	return !strcmp(m->name.text, ANONYMOUS) && last > first &&
	       (double)(last - first) >
		       check_option(e, "max-memory") * (double)(m->last - m->first);
}

static bool is_threads(const struct check *e, const struct mappings *m)
{
	const struct sample_series *s = &e->series;
	uint32_t first = s->count ? s->points[0].threads : 0;
	uint32_t last = s->count ? s->points[s->count - 1].threads : 0;

	return !strcmp(m->name.text, ANONYMOUS) && last > first &&
	       m->last - m->first <= MAPPINGS_OF_THREAD * (last - first);
}

static bool is_near(const struct check *e, const struct mappings *m)
{
	return m->most && check_is_over(e, "percent", 100.0 * m->last / m->most, "");
}

/* Sets the time left until the limit. False: unknown, or too far away to predict. */
static bool time_left(const struct mappings *m, uint64_t *left_ns)
{
	struct growth g = { .grows = m->per_s > 0,
		.last = m->last,
		.per_s = m->per_s,
		.interval_ns = m->interval_ns };

	return m->last < m->most && growth_reaches(&g, m->most, left_ns);
}

/* --- the finding --- */

static void claim(struct check_result *out, const struct mappings *m, bool near)
{
	char most[UNITS_SIZE + 16] = "";

	if (m->most)
		snprintf(most, sizeof(most), " of %u allowed", m->most);
	if (near)
		finding_claim(out,
			"nearly at the limit of memory mappings: %u%s; at the limit mmap, malloc "
			"and new threads fail",
			m->last, most);
	else
		finding_claim(out, "leaks memory mappings: %.0f more a second, now %u%s", m->per_s,
			m->last, most);
}

static void report(
	const struct check *e, struct check_result *out, const struct mappings *m, bool near)
{
	uint64_t left_ns;

	finding_begin(out,
		near || m->growth.is_steady ? FINDING_CONFIDENCE_HIGH : FINDING_CONFIDENCE_MEDIUM,
		"");
	claim(out, m, near);
	finding_count(out, "memory mappings", m->last, 0);
	if (m->interval_ns)
		finding_count(out, "memory mappings when the observation started", m->first, 0);
	if (m->most)
		finding_count(out, "vm.max_map_count", m->most, 0);
	else
		finding_unseen(out, "how many memory mappings the process may have");
	if (m->per_s > 0)
		finding_rate(out, "growth", m->per_s, SOOTH_UNIT_NONE, m->interval_ns);
	if (*m->name.text)
		finding_text(out, "what grew", "%s: %lld more", m->name.text,
			(long long)tally_gain(&m->name));
	if (time_left(m, &left_ns))
		finding_number(out, "time until no more mappings are allowed", (double)left_ns,
			SOOTH_UNIT_NS, 0);
	if (near || time_left(m, &left_ns))
		finding_severity(out, FINDING_HIGH);
	if (m->is_truncated)
		finding_unseen(out, "further memory mappings: the list was truncated");
	finding_remedy(out,
		"sooth inspect --maps %u lists the mappings; restarting the process frees them; "
		"sysctl vm.max_map_count=262144 allows more on this host",
		e->id.pid);
	finding_end(out);
}

static void diagnose(const struct check *e, struct check_result *out)
{
	struct mappings m;

	if (!mappings_of(e, &m)) {
		const struct maps_process *end =
			snapshot_end(check_last(e, &e->input->maps), sizeof(*end));

		check_blind(
			out, end ? end->mappings_state : SOOTH_NOT_MEASURED(SOOTH_REASON_ENDED));
		return;
	}
	if (is_near(e, &m))
		report(e, out, &m, true);
	else if (!has_gained(e, &m))
		check_fine(out, "%u memory mappings, then %u", m.first, m.last);
	else if (is_threads(e, &m))
		check_fine(out, "%u memory mappings, then %u, with the threads that have them",
			m.first, m.last);
	else if (is_heap(e, &m))
		check_fine(out, "%u memory mappings, then %u, with the memory that they hold",
			m.first, m.last);
	else if (check_is_young(e))
		check_too_young(out);
	else if (m.growth.grows)
		report(e, out, &m, false);
	else
		check_blind_because(out,
			"the process added memory mappings, but not all the time: libraries that "
			"it loads, or a leak that pauses",
			CHECK_LONGER);
}

const struct finding_type finding_map_leak = {
	.id = "map-leak",
	.worst = FINDING_HIGH,
	.claim = "the number of memory mappings keeps rising, or is near its limit",
	.probes = "proc,maps",
	FINDING_OPTIONS(options),
	.diagnose = diagnose,
};
