/* SPDX-License-Identifier: BSD-2-Clause */
/* Diagnoses a process by all probes or, if some are refused, by those that only read. */
#include <sooth/diagnose.h>

#include <errno.h>
#include <string.h>

#include "analyze/diagnosis/diagnosis_options.h"
#include "base/error.h"
#include "base/options.h"
#include "library/observation.h"
#include "library/table.h"

#define DURATION_NS  (5000 * NS_PER_MS)
#define LEAST_NS     (10 * NS_PER_MS)
#define SAMPLE_NS    (500 * NS_PER_MS) /* shorter if needed for SAMPLES samples */
#define SAMPLES	     5
#define BUFFER_BYTES (4u << 20)

#define READ  (SOOTH_SAMPLE | SOOTH_BRIEF)
#define EDGES (READ | SOOTH_EDGES)

/* The probes of `sooth diagnose`; the system may refuse the last three. */
static const struct observation_probe probes[] = {
	{ "proc", READ | SOOTH_TRANSCRIPT },
	{ "host", SOOTH_SAMPLE },
	{ "threads", READ | SOOTH_DETAIL },
	{ "fds", EDGES },
	{ "sockets", EDGES | SOOTH_DETAIL },
	{ "maps", EDGES | SOOTH_DETAIL },
	{ "limits", EDGES },
	{ "waits", EDGES },
	{ "malloc", EDGES },
	{ "logs", EDGES },
	{ "exit_reasons", READ },
	{ "syscalls", SOOTH_STREAM },
	{ "profile", SOOTH_STREAM },
	{ "stacks", EDGES | SOOTH_ONCE },
	{ NULL, 0 },
};

#define PROBES	(sizeof(probes) / sizeof(probes[0]))
#define PASSIVE 11 /* the first 11 probes only read */

static bool is_same_text(
	const struct sooth_row *row, const struct sooth_row *other, const char *field)
{
	return !strcmp(sooth_row_text(row, field), sooth_row_text(other, field));
}

static struct sooth_value subject_of(const struct sooth_row *row)
{
	return sooth_field_get(
		sooth_schema_field(sooth_row_schema(row), "subject"), sooth_row_record(row));
}

/* Returns whether both findings are about the same thing: a process may have several of one id. */
static bool has_same_subject(const struct sooth_row *row, const struct sooth_row *other)
{
	struct sooth_value a = subject_of(row), b = subject_of(other);

	return a.state == b.state &&
	       (a.state != SOOTH_STATE_VALUE ||
		       (a.text.size == b.text.size &&
			       !memcmp(a.text.data, b.text.data, a.text.size)));
}

/* Drops earlier findings about the same thing, because `last` replaces them. */
static void drop_earlier(struct sooth_table *t, const struct sooth_row *last)
{
	const struct sooth_row *row = NULL, *next = sooth_table_next(t, NULL);

	while ((row = next) && row != last) {
		next = sooth_table_next(t, row);
		if (is_same_text(row, last, "id") && is_same_text(row, last, "pid") &&
			has_same_subject(row, last))
			table_remove(t, row);
	}
}

struct tables {
	struct sooth_table *findings, *unseen, *answers;
	bool has_unseen, has_answers; /* requested */
};

/* Adds the checks that could not be made, which are nested in the row of the process. */
static int add_checks_not_made(struct sooth_table *t, const struct sooth_schema *schema,
	const struct sooth_record *process)
{
	const struct sooth_field *field = sooth_schema_field(schema, "unseen");
	const struct sooth_record *row = NULL;
	struct sooth_value rows;
	int status = 0;

	if (!t || !field)
		return 0;
	rows = sooth_field_get(field, process);
	if (rows.state != SOOTH_STATE_VALUE)
		return 0;
	while (!status && (row = sooth_rows_next(&rows, row)))
		status = table_append(t, field->rows, row);
	return status;
}

static int take_row(void *user, const char *section, const struct sooth_schema *schema,
	const struct sooth_record *record)
{
	const struct tables *tables = user;
	struct sooth_table *t = tables->findings;
	const struct sooth_row *last;
	int status;

	if (!strcmp(section, "processes"))
		return add_checks_not_made(tables->unseen, schema, record);
	if (!strcmp(section, "answers"))
		return tables->answers ? table_append(tables->answers, schema, record) : 0;
	if (strcmp(section, "finding") != 0)
		return 0;
	status = table_append(t, schema, record);
	if (status)
		return status;
	last = table_last(t);
	drop_earlier(t, last);
	if (!strcmp(sooth_row_text(last, "state"), "cleared"))
		table_remove(t, last);
	return 0;
}

static void free_tables(struct tables *t)
{
	sooth_table_free(t->findings);
	sooth_table_free(t->unseen);
	sooth_table_free(t->answers);
	t->findings = t->unseen = t->answers = NULL;
}

static int run_observation(struct observation *n, const struct observation_probe *chosen,
	struct tables *tables, struct sooth_error *err)
{
	int status;

	tables->findings = table_new(err);
	tables->unseen = tables->has_unseen ? table_new(err) : NULL;
	tables->answers = tables->has_answers ? table_new(err) : NULL;
	if (!tables->findings || (tables->has_unseen && !tables->unseen) ||
		(tables->has_answers && !tables->answers)) {
		free_tables(tables);
		return -ENOMEM;
	}
	n->user = tables;
	n->probes = chosen;
	status = observation_run(n, err);
	if (status)
		free_tables(tables);
	return status;
}

/* Runs all probes. If one is refused that does more than read, or if is_passive, runs only those
 * that read. */
static int run_permitted(
	struct observation *n, bool is_passive, struct tables *tables, struct sooth_error *err)
{
	struct observation_probe chosen[PROBES];
	struct sooth_error refusal = { 0 };
	int status = -EPERM;

	memcpy(chosen, probes, sizeof(chosen));
	if (!is_passive)
		status = run_observation(n, chosen, tables, &refusal);
	if (!status || (!is_passive && refusal.fault != SOOTH_FAULT_PRIVILEGE &&
			       refusal.fault != SOOTH_FAULT_UNSUPPORTED)) {
		if (status && err)
			*err = refusal;
		return status;
	}
	chosen[PASSIVE] = (struct observation_probe){ NULL, 0 };
	return run_observation(n, chosen, tables, err);
}

static void set_times(struct observation *n, uint64_t duration_ns)
{
	n->duration_ns = duration_ns ? duration_ns : DURATION_NS;
	if (n->duration_ns < LEAST_NS)
		n->duration_ns = LEAST_NS;
	n->options.sample_ns =
		n->duration_ns / SAMPLES < SAMPLE_NS ? n->duration_ns / SAMPLES : SAMPLE_NS;
	n->options.edges_ns = 0;
}

struct sooth_table *sooth_diagnose(
	pid_t pid, const struct sooth_diagnose_options *options, struct sooth_error *err)
{
	ERROR_HERE(err);
	struct sooth_diagnose_options o;
	struct observation n = {
		.name = "diagnose", .view = "finding-changes", .pid = pid, .take = take_row
	};
	struct tables tables;

	if (options_copy(&o, sizeof(o), options, err) ||
		observation_check_pid(pid, "diagnose", err) ||
		observation_options(&n.options, o.observer, err))
		return NULL;
	n.options.calls = diagnosis_calls;
	if (!n.options.buffer_bytes)
		n.options.buffer_bytes = BUFFER_BYTES;
	set_times(&n, o.duration_ns);
	tables = (struct tables){ .has_unseen = o.unseen, .has_answers = o.answers };
	if (o.unseen || o.answers)
		n.also_view = "findings";
	if (o.unseen)
		*o.unseen = NULL;
	if (o.answers)
		*o.answers = NULL;
	run_permitted(&n, o.is_passive, &tables, err);
	if (o.unseen)
		*o.unseen = tables.unseen;
	if (o.answers)
		*o.answers = tables.answers;
	return tables.findings;
}
