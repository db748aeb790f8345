/* SPDX-License-Identifier: BSD-2-Clause */
/* The sections about short-lived processes: groups by name, and their sum. */
#include <stdlib.h>
#include <string.h>

#include "analyze/processes/host_emit.h"
#include "base/cleanup.h"
#include "model/schema.h"

#define ROWS_MOST 10 /* in text output; JSON has all */

struct short_lived_row {
	struct sooth_record record; /* without a process: they have ended */
	uint64_t count, failed;
	uint64_t cpu_ns, life_most_ns;
	uint32_t session_pid;
	uint8_t session_state, agent_state;
	uint8_t unused[2];
	struct sooth_text agent;
	char name[SHORT_LIVED_NAME_SIZE];
};

static const struct sooth_field row_fields[] = {
	FIELD_NUMBER(short_lived_row, session_pid, "process id of the main process of the session",
		.label = "MAIN", .is_key = true, FIELD_STATE_AT(short_lived_row, session_state)),
	FIELD_STRING(short_lived_row, agent, "id of the agent that owns the session",
		FIELD_STATE_AT(short_lived_row, agent_state)),
	{ .name = "name",
		.type = SOOTH_FIELD_CHARS,
		FIELD_AT(short_lived_row, name),
		.is_key = true,
		.help = "name of the program of the process" },
	FIELD_NUMBER(short_lived_row, count,
		"number of processes that started and ended between two samples"),
	FIELD_NUMBER(short_lived_row, failed,
		"number of short-lived processes with a nonzero exit status"),
	FIELD_NUMBER(short_lived_row, cpu_ns, "CPU time of all these short-lived processes",
		.label = "CPU", .unit = SOOTH_UNIT_NS),
	FIELD_NUMBER_AS(short_lived_row, life_most_ns, max_lifetime_ns,
		"longest lifetime of one of these processes", .label = "LONGEST",
		.unit = SOOTH_UNIT_NS),
};

const struct sooth_schema short_lived_row_schema = {
	.name = "short_lived",
	.class_ = SOOTH_CLASS_ROW,
	.fixed_size = sizeof(struct short_lived_row),
	SCHEMA_FIELDS(row_fields),
};

struct sum_row {
	struct sooth_record record;
	uint64_t count, in_sessions;
	uint64_t cpu_ns;
	uint8_t state; /* of all the members below */
	uint8_t unseen_state;
	uint8_t unused[6];
	struct sooth_text unseen;
};

static const struct sooth_field sum_fields[] = {
	FIELD_NUMBER(sum_row, count,
		"number of processes that started and ended between two samples",
		FIELD_STATE_AT(sum_row, state)),
	FIELD_NUMBER(sum_row, in_sessions,
		"number of short-lived processes that belong to agent sessions",
		FIELD_STATE_AT(sum_row, state)),
	FIELD_NUMBER(sum_row, cpu_ns, "CPU time of all these short-lived processes",
		.unit = SOOTH_UNIT_NS, FIELD_STATE_AT(sum_row, state)),
	FIELD_STRING_AS(sum_row, unseen, reason,
		"reason why short-lived processes could not be counted",
		FIELD_STATE_AT(sum_row, unseen_state)),
};

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
