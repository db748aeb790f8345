/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/diagnosis/diagnosis.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/diagnosis/starts.h"
#include "base/cleanup.h"
#include "base/order.h"
#include "explain/registry.h"

#define ROWS_BYTES_MAX 400000 /* limit per process: the rows have to fit into one record */

const struct sooth_calls_options diagnosis_calls = { .has_call_budget = true, .records_api = true };

int diagnosis_init(
	struct diagnosis *s, const struct findings_options *options, struct sooth_error *err)
{
	assert(s);
	if (options)
		s->options = *options;
	check_settings_init(&s->settings);
	if (s->options.settings)
		s->settings = *s->options.settings;
	diagnosis_input_init(&s->input);
	finding_tracker_init(&s->tracker);
	return peer_labels_load(&s->input.labels, s->options.labels, err);
}

/* --- the processes to diagnose --- */

static bool is_of_agent(const struct diagnosis *s, const struct process_entry *p)
{
	const char *agent = s->options.agent;

	return !agent || (p->agent && !strcmp(p->agent->name, agent));
}

static bool is_chosen(const struct diagnosis *s, uint64_t pid)
{
	for (size_t i = 1; i < s->count; i++) {
		if (s->all[i].id.pid == pid)
			return true;
	}
	return false;
}

/* Adds processes that ended before a sample; if requested, also those that ended long before. */
static void choose_gone(struct diagnosis *s)
{
	const struct host_state *h = &s->input.host;
	const uint32_t *requested = (const void *)h->asked.data;
	const struct ending *ending;
	size_t position = 0;

	while ((ending = endings_next(&s->input.endings, &position))) {
		if ((h->is_named || host_state_is_asked(h, ending->id.pid)) &&
			!is_chosen(s, ending->id.pid))
			s->all[s->count++] = (struct diagnosed){ .id = ending->id };
	}
	for (size_t i = 0; i < h->asked.size / sizeof(*requested); i++) {
		if (!is_chosen(s, requested[i]) && endings_log(&s->input.endings, requested[i], 0))
			s->all[s->count++] = (struct diagnosed){ .id = { .pid = requested[i] } };
	}
}

/* Selects the processes. A requested one that has ended is included: the user asks why it ended. */
static int choose_processes(struct diagnosis *s)
{
	const struct process_table *c = &s->input.host.process_table;

	s->all = calloc(c->processes.count + s->input.endings.processes.count +
				s->input.host.asked.size / sizeof(uint32_t) + 1,
		sizeof(*s->all));
	if (!s->all)
		return -ENOMEM;
	s->all[0].is_host = true;
	s->count = 1;
	map_for_each_pointer (&c->processes, const struct process_entry *, p) {
		if (is_of_agent(s, p) && diagnosis_input_is_selected(&s->input, p))
			s->all[s->count++] = (struct diagnosed){ .id = p->id, .process = p };
	}
	choose_gone(s);
	return 0;
}

/* --- diagnosing --- */

static void diagnosed_fini(struct diagnosed *j)
{
	buffer_fini(&j->findings);
	buffer_fini(&j->fine);
	buffer_fini(&j->blind);
}

static bool is_below_requested(const struct diagnosis *s, const struct process_entry *p)
{
	for (size_t i = 1; i < s->count; i++) {
		const struct process_entry *top = s->all[i].process;

		if (top && top->is_there && host_state_is_asked(&s->input.host, top->id.pid) &&
			starts_is_below(top, p))
			return true;
	}
	return false;
}

/* Leaves out ended descendants of a requested process, unless they have a finding of at least
 * medium severity: commands end. */
static void leave_out_ended(struct diagnosis *s)
{
	for (size_t i = s->count; i-- > 1;) {
		struct diagnosed *j = &s->all[i];

		if (!j->process || j->process->is_there || !s->input.host.asked.size ||
			(j->count && j->worst >= FINDING_MEDIUM) ||
			!is_below_requested(s, j->process))
			continue;
		diagnosed_fini(j);
		memmove(j, j + 1, (s->count - i - 1) * sizeof(*j));
		s->count--;
	}
}

static void diagnose_one(struct diagnosis *s, struct diagnosed *j)
{
	enum finding_scope scope = j->is_host ? FINDING_OF_HOST : FINDING_OF_PROCESS;
	bool is_gone = !j->is_host && !j->process;
	struct check check = { .raised = &s->tracker, .is_one_look = s->options.is_one_look };
	struct check_result *out = &s->result;

	out->tracker = &s->tracker;
	out->findings = &j->findings;
	out->fine = &j->fine;
	out->blind = &j->blind;
	check_begin(&check, &s->input, j->is_host ? NULL : &j->id);
	for (size_t i = 0; registry_findings[i].type; i++) {
		enum finding_scope of = registry_findings[i].type->scope;

		if ((of != scope && of != FINDING_OF_BOTH) ||
			(is_gone && !registry_findings[i].type->diagnoses_gone))
			continue;
		check_run(&check, out, &registry_findings[i], &s->settings.all[i]);
		j->count += out->found;
	}
}

/* --- order --- */

static int compare_by_severity(const void *a, const void *b)
{
	const struct finding_row *x = *(const struct finding_row *const *)a;
	const struct finding_row *y = *(const struct finding_row *const *)b;

	return larger_first(x->severity, y->severity) ?: y->confidence - x->confidence;
}

const struct finding_type *diagnosis_type_of(const struct finding_row *f)
{
	const struct finding_entry *entry = registry_finding_of(record_text(&f->record, &f->id));

	return entry ? entry->type : NULL;
}

bool diagnosis_leads_to(const struct finding_row *cause, const struct finding_row *of)
{
	const struct finding_type *type = diagnosis_type_of(of), *other = diagnosis_type_of(cause);
	struct cursor c = cursor_over("", 0);

	if (type && other && type->follows)
		c = cursor_over(type->follows, strlen(type->follows));
	while (!cursor_at_end(&c)) {
		if (span_equal(cursor_until(&c, ','), other->id))
			return true;
	}
	return false;
}

bool diagnosis_goes_first(const struct finding_row *cause, const struct finding_row *of)
{
	const struct finding_type *type = diagnosis_type_of(cause);

	return diagnosis_leads_to(cause, of) &&
	       (type->is_of_holder || type->is_of_peer || cause->severity >= FINDING_MEDIUM ||
		       cause->severity >= of->severity);
}

/* Moves each cause before the first finding that it leads to. */
static void put_causes_first(const struct finding_row **rows, size_t count)
{
	size_t moves = 0;

	for (size_t i = 0; i < count; i++) {
		for (size_t k = i + 1; k < count && moves < count * count; k++) {
			const struct finding_row *cause = rows[k];

			if (!diagnosis_goes_first(cause, rows[i]))
				continue;
			memmove(rows + i + 1, rows + i, (k - i) * sizeof(*rows));
			rows[i] = cause;
			k = i;
			moves++;
		}
	}
}

static int sort_findings(struct diagnosed *j)
{
	const struct finding_row **rows = calloc(j->count + 1, sizeof(*rows));
	struct buffer sorted = { 0 };
	size_t n = 0;

	if (!rows)
		return -ENOMEM;
	rows_for_each (struct finding_row, f, &j->findings)
		rows[n++] = f;
	qsort(rows, n, sizeof(*rows), compare_by_severity);
	if (n)
		j->worst = rows[0]->severity;
	put_causes_first(rows, n);
	for (size_t i = 0; i < n && sorted.size < ROWS_BYTES_MAX; i++)
		buffer_append(&sorted, rows[i], record_bytes(&rows[i]->record));
	free(rows);
	buffer_fini(&j->findings);
	j->findings = sorted;
	return buffer_failed(&sorted) ? -ENOMEM : 0;
}

static double cpu_of(const struct diagnosed *j)
{
	return j->process ? process_table_cpu_percent(j->process) : 0;
}

static int compare_by_worst(const void *a, const void *b)
{
	const struct diagnosed *x = a, *y = b;
	double p, q;

	if (!x->count != !y->count)
		return x->count ? -1 : 1;
	if (x->worst != y->worst)
		return (int)y->worst - (int)x->worst;
	if (x->count != y->count)
		return x->count < y->count ? 1 : -1;
	p = cpu_of(x);
	q = cpu_of(y);
	return (q > p) - (q < p);
}

/* Returns the highest severity that the check could have reported. */
static enum finding_severity most_severe(
	const struct finding_entry *entry, const struct check_setting *setting)
{
	enum finding_severity worst = entry->type->worst;

	return setting->is_severity_chosen || setting->severity > worst ? setting->severity : worst;
}

static void note_refused(
	const struct diagnosis *s, const struct diagnosed *j, struct findings_reported *result)
{
	bool are_calls_optional = s->options.are_calls_optional && s->input.are_calls_refused;

	rows_for_each (struct finding_blind_row, row, &j->blind) {
		bool is_refused = row->cause == FINDING_REFUSED || row->cause == FINDING_FAILED;
		const struct finding_entry *entry =
			is_refused ? registry_finding_of(record_text(&row->record, &row->id))
				   : NULL;
		const struct check_setting *setting =
			entry ? &s->settings.all[entry - registry_findings] : NULL;

		if (!entry || setting->is_muted ||
			(are_calls_optional && strstr(entry->type->probes, "syscalls")))
			continue;
		if (!result->has_refused || most_severe(entry, setting) > result->refused)
			result->refused = most_severe(entry, setting);
		result->has_refused = true;
	}
}

static void note_worst(struct diagnosis *s)
{
	struct findings_reported *result = s->options.result;

	for (size_t i = 0; result && i < s->count; i++) {
		note_refused(s, &s->all[i], result);
		if (!s->all[i].count)
			continue;
		if (!result->has_any || s->all[i].worst > result->worst)
			result->worst = s->all[i].worst;
		result->has_any = true;
	}
}

int diagnosis_run(struct diagnosis *s, struct sooth_error *err)
{
	assert(s);

	int status = diagnosis_input_resolve(&s->input, err);

	if (!status && choose_processes(s))
		status = error_no_memory(err);
	if (status)
		return status;
	finding_tracker_begin(&s->tracker, s->input.end_ns, host_state_utc(&s->input.host));
	for (size_t i = 0; i < s->count; i++) {
		diagnose_one(s, &s->all[i]);
		if (sort_findings(&s->all[i]) || buffer_failed(&s->all[i].fine) ||
			buffer_failed(&s->all[i].blind))
			return error_no_memory(err);
	}
	leave_out_ended(s);
	qsort(s->all + 1, s->count - 1, sizeof(*s->all), compare_by_worst);
	note_worst(s);
	return 0;
}

void diagnosis_forget(struct diagnosis *s)
{
	for (size_t i = 0; i < s->count; i++)
		diagnosed_fini(&s->all[i]);
	free(s->all);
	s->all = NULL;
	s->count = 0;
}

void diagnosis_fini(struct diagnosis *s)
{
	assert(s);
	diagnosis_forget(s);
	check_result_fini(&s->result);
	finding_tracker_fini(&s->tracker);
	diagnosis_input_fini(&s->input);
}
