/* SPDX-License-Identifier: BSD-2-Clause */
/* See judging.h. */
#include "analyze/judging/judging.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "core/registry.h"
#include "model/batch.h"

#define ROWS_BYTES_MAX 400000 /* of one process: they have to fit one record */

int judging_init(struct judging *s, const struct findings_options *options, struct sooth_error *err)
{
	if (options)
		s->options = *options;
	exam_settings_init(&s->settings);
	if (s->options.settings)
		s->settings = *s->options.settings;
	readings_init(&s->readings);
	finding_book_init(&s->book);
	return peer_labels_load(&s->readings.labels, s->options.labels, err);
}

/* --- who is judged --- */

static bool is_of_agent(const struct judging *s, const struct census_process *p)
{
	const char *agent = s->options.agent;

	return !agent || (p->agent && !strcmp(p->agent->name, agent));
}

static bool is_asked(const struct host_state *h, uint64_t pid)
{
	const uint32_t *asked = (const void *)h->asked.data;
	size_t count = h->asked.size / sizeof(*asked);

	for (size_t i = 0; i < count; i++) {
		if (asked[i] == pid)
			return true;
	}
	return false;
}

static bool is_chosen(const struct judging *s, uint64_t pid)
{
	for (size_t i = 1; i < s->count; i++) {
		if (s->all[i].id.pid == pid)
			return true;
	}
	return false;
}

/* Those that ended before a reading of them was made; of the asked ones also long before. */
static void choose_gone(struct judging *s)
{
	const struct host_state *h = &s->readings.host;
	const uint32_t *asked = (const void *)h->asked.data;
	const struct ending *ending;
	size_t position = 0;

	while ((ending = endings_next(&s->readings.endings, &position))) {
		if ((h->is_named || is_asked(h, ending->id.pid)) && !is_chosen(s, ending->id.pid))
			s->all[s->count++] = (struct judged){ .id = ending->id };
	}
	for (size_t i = 0; i < h->asked.size / sizeof(*asked); i++) {
		if (!is_chosen(s, asked[i]) && endings_log(&s->readings.endings, asked[i], 0))
			s->all[s->count++] = (struct judged){ .id = { .pid = asked[i] } };
	}
}

/* Who is gone is judged too where it was named: why it ended is a question. */
static int choose(struct judging *s)
{
	const struct census *c = &s->readings.host.census;
	size_t position = 0;
	void *value;

	s->all = calloc(c->processes.count + s->readings.endings.processes.count +
				s->readings.host.asked.size / sizeof(uint32_t) + 1,
		sizeof(*s->all));
	if (!s->all)
		return -ENOMEM;
	s->all[0].is_host = true;
	s->count = 1;
	while (map_next(&c->processes, &position, NULL, &value)) {
		const struct census_process *p = *(struct census_process **)value;

		if (is_of_agent(s, p) && readings_mean(&s->readings, p))
			s->all[s->count++] = (struct judged){ .id = p->id, .process = p };
	}
	choose_gone(s);
	return 0;
}

/* --- judging --- */

static void judge_one(struct judging *s, struct judged *j)
{
	enum finding_scope scope = j->is_host ? FINDING_OF_HOST : FINDING_OF_PROCESS;
	bool is_gone = !j->is_host && !j->process;
	struct exam *e = &s->exam;

	e->findings = &j->findings;
	e->fine = &j->fine;
	e->blind = &j->blind;
	for (size_t i = 0; registry_findings[i].type; i++) {
		enum finding_scope of = registry_findings[i].type->scope;

		if ((of != scope && of != FINDING_OF_BOTH) ||
			(is_gone && !registry_findings[i].type->judges_gone))
			continue;
		exam_run(e, &registry_findings[i], &s->settings.all[i], &s->readings,
			j->is_host ? NULL : &j->id);
		j->count += e->found;
	}
}

/* --- order --- */

static int by_severity(const void *a, const void *b)
{
	const struct finding_row *x = *(const struct finding_row *const *)a;
	const struct finding_row *y = *(const struct finding_row *const *)b;

	if (x->severity != y->severity)
		return y->severity - x->severity;
	return y->confidence - x->confidence;
}

static int sort_findings(struct judged *j)
{
	const struct finding_row **rows = calloc(j->count + 1, sizeof(*rows));
	struct batch all = { j->findings.data, j->findings.size };
	struct buffer sorted = { 0 };
	size_t n = 0;

	if (!rows)
		return -ENOMEM;
	batch_for_each (r, &all)
		rows[n++] = (const void *)r;
	qsort(rows, n, sizeof(*rows), by_severity);
	for (size_t i = 0; i < n && sorted.size < ROWS_BYTES_MAX; i++)
		buffer_append(&sorted, rows[i], record_bytes(&rows[i]->record));
	if (n)
		j->worst = rows[0]->severity;
	free(rows);
	buffer_fini(&j->findings);
	j->findings = sorted;
	return buffer_failed(&sorted) ? -ENOMEM : 0;
}

static double cpu_of(const struct judged *j)
{
	return j->process ? census_cpu_percent(j->process) : 0;
}

static int by_worst(const void *a, const void *b)
{
	const struct judged *x = a, *y = b;
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

static void note_worst(struct judging *s)
{
	struct findings_told *told = s->options.told;

	for (size_t i = 0; told && i < s->count; i++) {
		if (!s->all[i].count)
			continue;
		if (!told->has_any || s->all[i].worst > told->worst)
			told->worst = s->all[i].worst;
		told->has_any = true;
	}
}

int judging_run(struct judging *s, struct sooth_error *err)
{
	int status = readings_settle(&s->readings, err);

	if (!status && choose(s))
		status = error_no_memory(err);
	if (status)
		return status;
	finding_book_begin(&s->book, s->readings.end_ns, host_state_utc(&s->readings.host));
	s->exam.book = &s->book;
	s->exam.is_one_look = s->options.is_one_look;
	for (size_t i = 0; i < s->count; i++) {
		judge_one(s, &s->all[i]);
		if (sort_findings(&s->all[i]) || buffer_failed(&s->all[i].fine) ||
			buffer_failed(&s->all[i].blind))
			return error_no_memory(err);
	}
	qsort(s->all + 1, s->count - 1, sizeof(*s->all), by_worst);
	note_worst(s);
	return 0;
}

void judging_forget(struct judging *s)
{
	for (size_t i = 0; i < s->count; i++) {
		buffer_fini(&s->all[i].findings);
		buffer_fini(&s->all[i].fine);
		buffer_fini(&s->all[i].blind);
	}
	free(s->all);
	s->all = NULL;
	s->count = 0;
}

void judging_fini(struct judging *s)
{
	judging_forget(s);
	exam_fini(&s->exam);
	finding_book_fini(&s->book);
	readings_fini(&s->readings);
}
