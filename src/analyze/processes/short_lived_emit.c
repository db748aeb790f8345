/* SPDX-License-Identifier: BSD-2-Clause */
/* The sections about short-lived processes: groups by name, and their sum. */
#include <stdlib.h>
#include <string.h>

#include "analyze/processes/host_emit.h"
#include "base/cleanup.h"
#include "model/row_list.h"
#include "model/schema.h"

#define ROWS_MOST 10 /* in text output; JSON has all */

#define SHORT_LIVED_ROW(F, S)                                                                      \
	F(S, U32, session_pid, MAYBE(session_state),                                               \
		"process id of the main process of the session", .label = "MAIN", .is_key = true)  \
	F(S, TEXT, agent, MAYBE(agent_state), "id of the agent that owns the session")             \
	F(S, ALSO, CHARS, name, name, ALWAYS, "name of the program of the process",                \
		.is_key = true)                                                                    \
	F(S, U64, count, ALWAYS, "number of processes that started and ended between two samples") \
	F(S, U64, failed, ALWAYS, "number of short-lived processes with a nonzero exit status")    \
	F(S, U64, cpu_ns, ALWAYS, "CPU time of all these short-lived processes", .label = "CPU",   \
		.unit = SOOTH_UNIT_NS)                                                             \
	F(S, NAMED, U64, life_most_ns, max_lifetime_ns, ALWAYS,                                    \
		"longest lifetime of one of these processes", .label = "LONGEST",                  \
		.unit = SOOTH_UNIT_NS)

struct short_lived_row {
	struct sooth_record record;
	ROW_MEMBERS(SHORT_LIVED_ROW, short_lived_row)
	char name[SHORT_LIVED_NAME_SIZE];
};

ROW_FIELDS(row_fields, SHORT_LIVED_ROW, short_lived_row);

const struct sooth_schema short_lived_row_schema = {
	.name = "short_lived",
	.class_ = SOOTH_CLASS_ROW,
	.fixed_size = sizeof(struct short_lived_row),
	SCHEMA_FIELDS(row_fields),
};

#define SUM_ROW(F, S)                                                                              \
	F(S, U64, count, MAYBE(state),                                                             \
		"number of processes that started and ended between two samples")                  \
	F(S, U64, in_sessions, WITH(state),                                                        \
		"number of short-lived processes that belong to agent sessions")                   \
	F(S, U64, cpu_ns, WITH(state), "CPU time of all these short-lived processes",              \
		.unit = SOOTH_UNIT_NS)                                                             \
	F(S, NAMED, TEXT, unseen, reason, MAYBE(unseen_state),                                     \
		"reason why short-lived processes could not be counted")

struct sum_row {
	struct sooth_record record;
	ROW_MEMBERS(SUM_ROW, sum_row)
};

ROW_FIELDS(sum_fields, SUM_ROW, sum_row);

static const struct sooth_schema sum_schema = {
	.name = "short_lived_totals",
	.class_ = SOOTH_CLASS_ROW,
	.fixed_size = sizeof(struct sum_row),
	SCHEMA_FIELDS(sum_fields),
	.line = "short-lived processes: {count}, {in_sessions} of agents; {cpu_ns} CPU",
};

/* Without values: the reason comes first in the line. */
static const struct sooth_schema unseen_schema = {
	.name = "short_lived_totals",
	.class_ = SOOTH_CLASS_ROW,
	.fixed_size = sizeof(struct sum_row),
	SCHEMA_FIELDS(sum_fields),
	.line = "short-lived processes: not measured: {reason}",
};

/* --- in order --- */

struct shown {
	const struct short_lived_key *key;
	const struct short_lived_group *group;
};

static int most_first(const void *a, const void *b)
{
	const struct shown *x = a, *y = b;

	if (x->group->count != y->group->count)
		return x->group->count > y->group->count ? -1 : 1;
	if (x->key->main.pid != y->key->main.pid)
		return x->key->main.pid < y->key->main.pid ? -1 : 1;
	return strncmp(x->key->name, y->key->name, sizeof(x->key->name));
}

static size_t choose(const struct host_emit *t, struct shown *out)
{
	bool shows_all = t->options->shown == PROCESSES_ALL && !t->options->pid_count;
	size_t position = 0, count = 0;
	const void *key;
	void *value;

	while (map_next(&t->host->short_lived.groups, &position, &key, &value)) {
		out[count] = (struct shown){ key, value };
		count += shows_all || out[count].key->main.pid;
	}
	qsort(out, count, sizeof(*out), most_first);
	return count;
}

/* --- output --- */

static int emit_group(const struct host_emit *t, const struct shown *s, struct sooth_error *err)
{
	const struct process_entry *main =
		process_table_get(&t->host->process_table, &s->key->main);
	const char *agent = main && main->agent ? main->agent->name : "";
	struct short_lived_row row = { .session_pid = (uint32_t)s->key->main.pid,
		.count = s->group->count,
		.failed = s->group->failed,
		.cpu_ns = s->group->cpu_ns,
		.life_most_ns = s->group->life_most_ns,
		.session_state = s->key->main.pid ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT,
		.agent_state = *agent ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT };
	struct record_tail tail[] = { tail_string(&row.agent, agent) };

	memcpy(row.name, s->key->name, sizeof(row.name));
	return OUTPUT_ROW(t->output, &row, tail, ARRAY_SIZE(tail), err);
}

static int emit_groups(const struct host_emit *t, struct sooth_error *err)
{
	static const struct section section = { .name = "short_lived",
		.title = "short-lived processes",
		.schema = &short_lived_row_schema,
		.shape = SECTION_TABLE,
		.is_of_interval = true,
		.rows_least = 1,
		.rows_most = ROWS_MOST };
	_cleanup_free_ struct shown *shown =
		calloc(t->host->short_lived.groups.count + 1, sizeof(*shown));
	size_t count = shown ? choose(t, shown) : 0;
	int status = shown ? output_section(t->output, &section, err) : error_no_memory(err);

	for (size_t i = 0; i < count && !status; i++)
		status = emit_group(t, &shown[i], err);
	return status;
}

int host_emit_short_lived(const struct host_emit *t, struct sooth_error *err)
{
	static const struct section seen = {
		.name = "short_lived_totals", .schema = &sum_schema, .shape = SECTION_OBJECT
	};
	static const struct section not_seen = {
		.name = "short_lived_totals", .schema = &unseen_schema, .shape = SECTION_OBJECT
	};
	static const char unseen[] = "sooth gets no events when processes exit";
	const struct short_lived *f = &t->host->short_lived;
	struct sum_row row = { .count = f->all.count,
		.in_sessions = f->in_sessions,
		.cpu_ns = f->all.cpu_ns,
		.state = SOOTH_NOT_MEASURED(SOOTH_REASON_PERMISSION) };
	struct record_tail tail[] = { tail_string(&row.unseen, unseen) };
	int status;

	if (!f->is_watched && !t->options->is_repeated)
		return 0; /* exits were not requested */
	if (f->is_watched) {
		row.state = SOOTH_STATE_VALUE;
		row.unseen_state = SOOTH_STATE_ABSENT;
	}
	status = emit_groups(t, err);
	if (!status)
		status = output_section(t->output, f->is_watched ? &seen : &not_seen, err);
	return status ? status : OUTPUT_ROW(t->output, &row, tail, ARRAY_SIZE(tail), err);
}
