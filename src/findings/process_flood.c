/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * process-flood: a process starts others and ever more of them are alive; or an agent starts
 * the same MCP server again and again. A build starts many processes too, but few are alive at
 * a time.
 *
 * Processes are sampled: one that lives for less than a sample interval may never be seen.
 */
#include <stdio.h>
#include <string.h>

#include "analyze/diagnosis/check_verdict.h"
#include "analyze/diagnosis/finding_units.h"
#include "analyze/inspect/limit_sums.h"
#include "analyze/process_table/server_name.h"
#include "base/map.h"
#include "core/finding.h"

#define WINDOWS	      8 /* at most: on a busy host any single sample may be late */
#define SAMPLES_MAX   (2 * WINDOWS)
#define WAY_MAX	      64 /* exited ancestors up to the first one alive */
#define CHILD_SHARE   0.9
#define SERVERS_MAX   1024
#define SERVER_NAME   64
#define RESTARTS_NAME "min-restarts"

static const struct finding_option options[] = {
	{ .name = "min-rate",
		.help = "minimum number by which living descendants increase per second",
		.default_value = 2,
		.min = 0.001,
		.max = 1e6 },
	{ .name = "min-gain",
		.help = "minimum number by which living descendants increase during the "
			"observation",
		.default_value = 20,
		.min = 1,
		.max = 1e6 },
	{ .name = "min-windows",
		.help = "minimum number of intervals between samples that show growth",
		.default_value = 4,
		.min = 2,
		.max = 500 },
	{ .name = "many",
		.help = "severity is high from this number of living descendants",
		.default_value = 200,
		.min = 1,
		.max = 1e6 },
	{ .name = RESTARTS_NAME,
		.help = "minimum number of restarts of one MCP server",
		.default_value = 3,
		.min = 1,
		.max = 1e6 },
};

/* --- the processes it started --- */

struct samples {
	struct growth_point living[SAMPLES_MAX];
	size_t count;
	uint64_t slack_ns; /* samples of one moment are this close together */
};

static void take_times(const struct check *e, struct samples *s)
{
	size_t all = e->series.count, step = all > 2 ? (all - 2) / WINDOWS + 1 : 1;

	*s = (struct samples){ 0 };
	if (all < 2)
		return;
	/* Always includes the last sample. */
	for (size_t i = (all - 1) % step; i < all && s->count < SAMPLES_MAX; i += step)
		s->living[s->count++].time_ns = e->series.points[i].time_ns;
	s->slack_ns = sample_series_ns(&e->series) / (all - 1) / 2;
}

/* Its closest ancestor that is alive. */
static const struct process_entry *living_above(const struct process_entry *p)
{
	for (unsigned i = 0; p && !p->is_there && i < WAY_MAX; i++)
		p = p->last_parent;
	return p && p->is_there ? p : NULL;
}

static bool is_started_by(const struct process_entry *top, const struct process_entry *p)
{
	const struct process_entry *at = living_above(p);

	if (!at || p == top)
		return false;
	if (at->number >= top->number && at->number < top->number_end)
		return true;
	return top->main == top && at->main == top;
}

static bool has_come(const struct samples *s, const struct process_entry *p)
{
	return p->first_ns > s->living[0].time_ns + s->slack_ns;
}

/* Alive from its first to its last sample, except as a zombie. */
static void add_life(struct samples *s, const struct process_entry *p)
{
	uint64_t end_ns = p->zombie_ns ? p->zombie_ns - s->slack_ns : p->last_ns + s->slack_ns;

	for (size_t i = 0; i < s->count; i++) {
		struct growth_point *at = &s->living[i];

		at->value += p->first_ns <= at->time_ns + s->slack_ns && at->time_ns <= end_ns;
	}
}

/* Returns the number of processes that started during the observation. */
static unsigned count_all(const struct check *e, struct samples *s)
{
	const struct process_table *c = &e->input->host.process_table;
	unsigned came = 0;
	size_t position = 0;
	void *value;

	while (map_next(&c->processes, &position, NULL, &value)) {
		const struct process_entry *p = *(struct process_entry **)value;

		if (!is_started_by(e->process, p))
			continue;
		add_life(s, p);
		came += has_come(s, p);
	}
	return came;
}

/* --- the process that starts most of them --- */

static const struct process_entry *heaviest_child(const struct process_entry *top)
{
	const struct process_entry *best = NULL;

	for (const struct process_entry *p = top->first_child; p; p = p->next_sibling) {
		if (!best || p->number_end - p->number > best->number_end - best->number)
			best = p;
	}
	return best;
}

static unsigned came_below(
	const struct check *e, const struct samples *s, const struct process_entry *top)
{
	const struct process_table *c = &e->input->host.process_table;
	struct process_entry *p;
	unsigned came = 0;
	size_t position = 0;

	while ((p = process_table_next(c, &position)))
		came += p != top && p->number >= top->number && p->number < top->number_end &&
			!p->zombie_ns && has_come(s, p);
	return came;
}

/* The child below which nearly all new processes are; NULL: the process itself starts
 * them. */
static const struct process_entry *culprit_of(
	const struct check *e, const struct samples *s, double gain)
{
	const struct process_entry *child = heaviest_child(e->process);

	return child && child->number_end - child->number > CHILD_SHARE * gain &&
			       came_below(e, s, child) >= CHILD_SHARE * gain
		       ? child
		       : NULL;
}

/* --- the finding --- */

static void emit_host(struct check *e)
{
	const struct host_load *first = &e->input->first_load, *last = &e->input->load;
	uint64_t interval_ns = last->record.time_ns - first->record.time_ns;

	if (!interval_ns || first->forks_state || last->forks_state || last->forks < first->forks)
		return;
	finding_rate(e, "process starts on the host",
		(double)(last->forks - first->forks) * (double)NS_PER_S / (double)interval_ns,
		SOOTH_UNIT_NONE, interval_ns);
}

/* The tightest of its control groups; 0: no limit. */
static uint64_t room_for_processes(const struct check *e)
{
	const struct snapshot *last = check_last(e, &e->input->limits);
	struct batch all = last ? snapshot_records(last) : (struct batch){ 0 };
	uint64_t least = 0;

	batch_for_each (r, &all) {
		const struct limits_group *g = limit_sums_group(r);

		if (!g || !limit_sums_group_is(g, "pids") || g->limit_state != SOOTH_STATE_VALUE ||
			g->used_state != SOOTH_STATE_VALUE)
			continue;
		if (g->limit > g->used && (!least || g->limit - g->used < least))
			least = g->limit - g->used;
	}
	return least;
}

static void emit_limit(struct check *e, const struct growth *g)
{
	uint64_t room = room_for_processes(e), left_ns;

	if (!room) {
		finding_unseen(e, "how many processes can still start: the control groups have no "
				  "limit, and processes of the user cannot be counted");
		return;
	}
	finding_number(e, "number of processes that the control group can still start",
		(double)room, SOOTH_UNIT_NONE, 0);
	if (!growth_reaches(g, g->last + (double)room, &left_ns))
		return;
	finding_severity(e, FINDING_HIGH);
	finding_number(
		e, "time until the process limit is reached", (double)left_ns, SOOTH_UNIT_NS, 0);
}

/* `sooth freeze` refuses a process of no agent without --any. */
static void emit_remedy(struct check *e, const struct process_entry *p)
{
	const char *any = p->agent || p->owner_agent ? "" : "--any ";

	finding_remedy(e,
		"sooth ps -t shows the processes; sooth freeze %s--tree %llu stops them while you "
		"look",
		any, (unsigned long long)p->id.pid);
}

static void emit_growth(
	struct check *e, const struct growth *g, unsigned came, const struct process_entry *culprit)
{
	finding_begin(e, g->is_steady ? FINDING_CONFIDENCE_HIGH : FINDING_CONFIDENCE_MEDIUM, "");
	if (g->last >= check_option(e, "many"))
		finding_severity(e, FINDING_HIGH);
	finding_claim(e, "starts processes faster than they end: %.0f alive, then %.0f", g->first,
		g->last);
	finding_rate(e, "growth", g->per_s, SOOTH_UNIT_NONE, g->interval_ns);
	finding_number(
		e, "processes alive when the observation started", g->first, SOOTH_UNIT_NONE, 0);
	finding_number(
		e, "processes alive when the observation ended", g->last, SOOTH_UNIT_NONE, 0);
	finding_text(e, "steadiness", "grew in %u of %u equal parts of the observation", g->grown,
		g->windows);
	finding_number(e, "starts seen", came, SOOTH_UNIT_NONE, g->interval_ns);
	if (culprit) {
		struct span name = check_name(culprit);

		finding_text(e, "parent of most of the new processes", "%.*s (%llu)",
			(int)name.size, name.data, (unsigned long long)culprit->id.pid);
	}
	emit_host(e);
	emit_limit(e, g);
	finding_unseen(e, "how many processes started and ended between two samples");
	emit_remedy(e, culprit ? culprit : e->process);
	finding_end(e);
}

static void diagnose_growth(struct check *e)
{
	struct samples s;
	unsigned came;
	struct growth g;
	const struct process_entry *culprit;

	take_times(e, &s);
	came = count_all(e, &s);
	growth_diagnose(&g, s.living, s.count, (unsigned)check_option(e, "min-windows"), 0);
	if (!g.is_measured) {
		check_blind_because(e, "the observation has too few samples", CHECK_LONGER);
		return;
	}
	if (!g.grows || g.last - g.first < check_option(e, "min-gain") ||
		!check_is_over(e, "min-rate", g.per_s, "")) {
		check_fine(e, "started processes alive: %.0f, then %.0f", g.first, g.last);
		return;
	}
	culprit = culprit_of(e, &s, g.last - g.first);
	if (culprit && diagnosis_input_is_selected(e->input, culprit) &&
		CHILD_SHARE * (g.last - g.first) >= check_option(e, "min-gain"))
		check_fine(e, "reported for %llu, which started most of them",
			(unsigned long long)culprit->id.pid);
	else
		emit_growth(e, &g, came, culprit);
}

/* --- servers that keep restarting --- */

struct server {
	char name[SERVER_NAME]; /* cut, not escaped */
};

struct starts {
	const struct process_entry *any;
	unsigned seen, alive;
};

static struct server_name name_of(const struct process_entry *p)
{
	const struct sooth_record *r = &p->process->record;
	const struct server_command command = {
		.executable = record_text(r, &p->process->executable),
		.arguments = record_text(r, &p->process->arguments),
		.package = record_text(r, &p->process->package),
	};

	return server_name(&command);
}

static bool is_server(const struct process_entry *p, struct server *key)
{
	struct server_name name = name_of(p);

	bool is_one = (p->has_role && p->role == AGENT_ROLE_MCP) || server_name_is_mcp(&name);

	if (!name.name.size || !is_one)
		return false;
	*key = (struct server){ 0 };
	memcpy(key->name, name.name.data,
		name.name.size < SERVER_NAME ? name.name.size : SERVER_NAME - 1);
	return true;
}

static void count_servers(const struct check *e, struct map *servers)
{
	const struct process_table *c = &e->input->host.process_table;
	size_t position = 0;
	void *value;

	while (map_next(&c->processes, &position, NULL, &value)) {
		const struct process_entry *p = *(struct process_entry **)value;
		const struct process_entry *parent = p->is_there ? p->parent : p->last_parent;
		struct starts *starts;
		struct server key;

		if (parent != e->process || !is_server(p, &key))
			continue;
		starts = map_put(servers, &key, NULL);
		if (!starts)
			continue;
		starts->any = p;
		starts->seen++;
		starts->alive += p->is_there && !p->zombie_ns;
	}
}

static void emit_server(struct check *e, const struct server *server, const struct starts *starts)
{
	uint64_t interval_ns = sample_series_ns(&e->series);
	unsigned restarts = starts->seen - (starts->alive ? starts->alive : 1);
	char what[SERVER_NAME + 16], time[UNITS_SIZE];

	snprintf(what, sizeof(what), "server %s", server->name);
	if (!check_is_over(e, RESTARTS_NAME, restarts, what))
		return;
	finding_begin(e, FINDING_CONFIDENCE_HIGH, what);
	finding_claim(e, "MCP server %s keeps ending: restarted %u times in %s", server->name,
		restarts, sentence_duration(time, interval_ns));
	finding_number(e, "restarts", restarts, SOOTH_UNIT_NONE, interval_ns);
	finding_number(e, "instances seen", starts->seen, SOOTH_UNIT_NONE, interval_ns);
	finding_number(e, "alive", starts->alive, SOOTH_UNIT_NONE, 0);
	emit_host(e);
	finding_unseen(e, "why the server ends (its standard error or log may say so), and whether "
			  "it also restarted between two samples");
	finding_remedy(e, "start the server by hand to see its error; until it works, remove it "
			  "from the configuration");
	finding_end(e);
}

static void diagnose_servers(struct check *e)
{
	size_t position = 0;
	struct map servers;
	const void *key;
	void *value;

	map_init(&servers, sizeof(struct server), sizeof(struct starts), SERVERS_MAX);
	count_servers(e, &servers);
	while (map_next(&servers, &position, &key, &value)) {
		const struct starts *starts = value;

		if (starts->seen > starts->alive && starts->seen > 1)
			emit_server(e, key, starts);
	}
	map_fini(&servers);
}

static void diagnose(struct check *e)
{
	if (!e->process || !e->process->is_there) {
		check_blind(e, SOOTH_NOT_MEASURED(SOOTH_REASON_ENDED));
		return;
	}
	if (e->process->agent)
		diagnose_servers(e);
	if (!e->found && !e->muted)
		diagnose_growth(e);
}

const struct finding_type finding_process_flood = {
	.id = "process-flood",
	.worst = FINDING_HIGH,
	.claim = "more and more processes are alive, or a server keeps restarting",
	.probes = "proc",
	.needs_interval = true,
	FINDING_OPTIONS(options),
	.diagnose = diagnose,
};
