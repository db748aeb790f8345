/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads findings from a command of sooth, as CSV (RFC 4180). */
#include "cli/top/finder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/escape.h"
#include "base/units.h"
#include "explain/registry.h"
#include "os/os.h"

#define CELL_SIZE TOP_FINDING_KEY
#define TEXT_MAX  (1u << 20)
#define FIRST_NS  (5 * NS_PER_S)
#define LATE_NS	  (3 * NS_PER_S) /* a command has printed its findings after this time */
#define SILENT_NS                                                                                  \
	(20 * NS_PER_S) /* after which one without a finding is complete, on a busy host */
#define WIDE 1000	/* columns: nothing is cut */

/* --- a record of CSV --- */

struct csv_cell {
	char text[CELL_SIZE];
};

/* Returns the end of the record that begins at `text`, after its newline; 0: it is incomplete. */
static size_t record_end(const char *text, size_t size)
{
	bool is_quoted = false;

	for (size_t i = 0; i < size; i++) {
		if (text[i] == '"')
			is_quoted = !is_quoted;
		else if (text[i] == '\n' && !is_quoted)
			return i + 1;
	}
	return 0;
}

/* Fills the cells, cut at their size; returns how many there are. */
static size_t split_cells(const char *text, size_t size, struct csv_cell *cells, size_t most)
{
	size_t count = 0, used = 0;
	bool is_quoted = false;

	for (size_t i = 0; i < size && count < most; i++) {
		char c = text[i];

		if (c == '"') {
			/* Two quotes within quotes are one quote. */
			if (is_quoted && i + 1 < size && text[i + 1] == '"')
				i++;
			else {
				is_quoted = !is_quoted;
				continue;
			}
		} else if (!is_quoted && (c == ',' || c == '\n' || c == '\r')) {
			cells[count].text[used] = '\0';
			count += c != '\r';
			used = c == '\r' ? used : 0;
			continue;
		}
		if (used + 1 < CELL_SIZE)
			cells[count].text[used++] = c;
	}
	return count;
}

/* --- what it means --- */

static uint8_t level_of(const char *severity)
{
	static const char *const names[] = { "info", "low", "medium", "high", "critical" };

	for (uint8_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (!strcmp(names[i], severity))
			return i + 1;
	}
	return 1;
}

/* Returns the process of a key, "cpu-spin:4811@1299866", perhaps with ":" and a subject; zeros for
 * the host. */
static struct process_id process_of(const char *key)
{
	const char *colon = strchr(key, ':');
	struct process_id id = { 0 };
	unsigned long long start;
	unsigned pid;

	if (colon && sscanf(colon + 1, "%u@%llu", &pid, &start) == 2)
		id = (struct process_id){ .start_ticks = start, .pid = pid };
	return id;
}

static size_t column_of(const struct csv_cell *cells, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++) {
		if (!strcmp(cells[i].text, name))
			return i + 1;
	}
	return 0;
}

static void parse_head(struct finder *f, const struct csv_cell *cells, size_t count)
{
	f->state = column_of(cells, count, "state");
	f->severity = column_of(cells, count, "severity");
	f->found_id = column_of(cells, count, "id");
	f->claim = column_of(cells, count, "claim");
	f->remedy = column_of(cells, count, "remedy");
	f->key = column_of(cells, count, "key");
	f->answer = column_of(cells, count, "answer");
	f->answer_key = column_of(cells, count, "answer_key");
	f->has_head = f->state && f->severity && f->found_id && f->claim && f->key;
}

bool top_finding_is(const struct top_finding *f, const char *key)
{
	return !strcmp(f->key, key);
}

bool finder_is_effect(const struct finder *f, const struct top_finding *of)
{
	for (size_t i = 0; of->answer_key[0] && i < f->count; i++) {
		if (top_finding_is(&f->findings[i], of->answer_key))
			return !process_id_equal(&f->findings[i].id, &of->id);
	}
	return false;
}

static void put_escaped(char *out, size_t size, const char *text)
{
	struct buffer b = { 0 };

	escape_terminal(&b, text, strlen(text));
	snprintf(out, size, "%s", buffer_cstr(&b));
	buffer_fini(&b);
}

static bool parse_finding(struct finder *f, const struct csv_cell *cells, size_t cell_count)
{
	struct top_finding found = { .id = process_of(cells[f->key - 1].text),
		.level = level_of(cells[f->severity - 1].text),
		.run = f->run,
		.seen_ns = clock_monotonic_ns() };
	size_t i = 0;

	put_escaped(found.name, sizeof(found.name), cells[f->found_id - 1].text);
	put_escaped(found.claim, sizeof(found.claim), cells[f->claim - 1].text);
	if (f->remedy)
		put_escaped(found.remedy, sizeof(found.remedy), cells[f->remedy - 1].text);
	if (f->answer && f->answer <= cell_count)
		put_escaped(found.answer, sizeof(found.answer), cells[f->answer - 1].text);
	if (f->answer_key && f->answer_key <= cell_count)
		snprintf(found.answer_key, sizeof(found.answer_key), "%s",
			cells[f->answer_key - 1].text);
	snprintf(found.key, sizeof(found.key), "%s", cells[f->key - 1].text);
	while (i < f->count && !top_finding_is(&f->findings[i], found.key))
		i++;
	if (!strcmp(cells[f->state - 1].text, "cleared")) {
		if (i == f->count)
			return false;
		f->findings[i] = f->findings[--f->count];
		return true;
	}
	if (i == FINDINGS_MAX)
		return false;
	f->findings[i] = found;
	f->count += i == f->count;
	return true;
}

static bool parse_record(struct finder *f, const char *text, size_t size)
{
	struct csv_cell *cells = calloc(FINDER_COLUMNS_MAX, sizeof(*cells));
	size_t count = cells ? split_cells(text, size, cells, FINDER_COLUMNS_MAX) : 0;
	bool is_changed = false;

	if (!f->has_head) {
		if (count > 1)
			parse_head(f, cells, count);
	} else if (count >= f->key && count >= f->claim && count >= f->severity &&
		   count >= f->state && count >= f->found_id) {
		is_changed = parse_finding(f, cells, count);
	}
	free(cells);
	return is_changed;
}

bool finder_add_lines(struct finder *f, const char *text, size_t size)
{
	bool is_changed = false;
	size_t end;

	buffer_append(&f->text, text, size);
	while ((end = record_end((const char *)f->text.data, f->text.size))) {
		is_changed |= parse_record(f, (const char *)f->text.data, end);
		buffer_consume(&f->text, end);
	}
	if (f->text.size > TEXT_MAX)
		buffer_reset(&f->text);
	return is_changed;
}

bool top_finding_is_alive(const struct top_finding *f)
{
	return os_native.is_alive(&os_native, &f->id);
}

/* Returns whether findings of that name are about the end of a process. */
static bool is_of_the_gone(const char *name)
{
	const struct finding_entry *entry = registry_finding(name);

	return entry && entry->type->diagnoses_gone;
}

bool finder_drop_ended(struct finder *f)
{
	size_t kept = 0, count = f->count;

	for (size_t i = 0; i < count; i++) {
		if (!f->findings[i].id.pid || is_of_the_gone(f->findings[i].name) ||
			top_finding_is_alive(&f->findings[i]))
			f->findings[kept++] = f->findings[i];
	}
	f->count = kept;
	return kept != count;
}

/* --- the command --- */

static void run_diagnose(struct finder *f, uint64_t interval_ns)
{
	char interval[32];
	const char *words[] = { "sooth", "diagnose", "-w", interval, "--passive", "--format", "csv",
		NULL };

	snprintf(interval, sizeof(interval), "%llums",
		(unsigned long long)(interval_ns / NS_PER_MS));
	own_command_end(&f->command);
	buffer_reset(&f->text);
	f->has_head = false;
	f->run++;
	f->start_ns = clock_monotonic_ns();
	f->interval_ns = interval_ns;
	own_command_start(&f->command, words, WIDE);
}

void finder_start(struct finder *f, uint64_t wanted_ns)
{
	f->is_started = true;
	f->wanted_ns = wanted_ns;
	run_diagnose(f, wanted_ns < FIRST_NS ? wanted_ns : FIRST_NS);
}

/* Drops findings that an earlier command reported and this command did not: they have ended. */
static bool drop_older(struct finder *f)
{
	size_t kept = 0, count = f->count;

	for (size_t i = 0; i < count; i++) {
		if (f->findings[i].run == f->run)
			f->findings[kept++] = f->findings[i];
	}
	f->count = kept;
	return kept != count;
}

/* Returns whether the command has reported: it writes all its findings at once. */
static bool has_reported(const struct finder *f)
{
	for (size_t i = 0; i < f->count; i++) {
		if (f->findings[i].run == f->run)
			return true;
	}
	return false;
}

bool finder_update_findings(struct finder *f)
{
	uint64_t since = clock_monotonic_ns() - f->start_ns, periods;
	struct buffer text = { 0 };
	bool is_changed = false, was_first = f->has_first;

	if (!f->command.pid)
		return false;
	if (own_command_read(&f->command, &text) && text.size)
		is_changed = finder_add_lines(f, (const char *)text.data, text.size);
	buffer_fini(&text);
	periods = since / f->interval_ns;
	if (periods)
		f->complete_ns = f->start_ns + periods * f->interval_ns;
	f->has_first |= since > f->interval_ns + LATE_NS;
	if (since > f->interval_ns + (has_reported(f) ? LATE_NS : SILENT_NS)) {
		is_changed |= drop_older(f);
		if (f->interval_ns < f->wanted_ns)
			run_diagnose(f, f->wanted_ns);
	}
	return is_changed || was_first != f->has_first;
}

double finder_age_s(const struct finder *f)
{
	return f->complete_ns ? (double)(clock_monotonic_ns() - f->complete_ns) / (double)NS_PER_S
			      : -1;
}

void finder_end(struct finder *f)
{
	own_command_end(&f->command);
	buffer_fini(&f->text);
}

/* --- in the model --- */

const struct top_finding *finder_of(const struct finder *f, const struct process_id *id)
{
	const struct top_finding *worst = NULL;

	for (size_t i = 0; i < f->count; i++) {
		const struct top_finding *g = &f->findings[i];

		if (process_id_equal(&g->id, id) && (!worst || g->level > worst->level))
			worst = g;
	}
	return worst;
}

/* Writes the answer. The row of a session names the session, so its own name is left out, also
 * behind a process of it: "python3 77 (tool of claude 10, app): ...". */
static void put_answer(struct top_session *s, const struct top_finding *found, bool is_main)
{
	char name[64];
	const char *text, *open, *close, *at;

	snprintf(name, sizeof(name), "%s %u", s->agent, s->id.pid);
	text = is_main && !strncmp(found->answer, name, strlen(name)) ? strstr(found->answer, ": ")
								      : NULL;
	snprintf(s->finding_name, sizeof(s->finding_name), "%s", found->name);
	open = is_main ? NULL : strstr(found->answer, " (");
	close = open ? strstr(open, "): ") : NULL;
	at = close ? strstr(open, name) : NULL;
	if (at && at < close) {
		snprintf(s->finding, sizeof(s->finding), "%.*s%s", (int)(open - found->answer),
			found->answer, close + 1);
		return;
	}
	snprintf(s->finding, sizeof(s->finding), "%s",
		text		   ? text + 2
		: found->answer[0] ? found->answer
				   : found->claim);
}

void finder_set_session_findings(const struct finder *f, struct top_model *m)
{
	struct top_session *s;
	size_t position = 0;

	while ((s = top_session_next(m, &position))) {
		s->finding_level = s->finding_count = 0;
		s->finding[0] = s->finding_name[0] = '\0';
	}
	for (size_t i = 0; f->count && i < top_process_count(m); i++) {
		const struct top_process *p = top_process_at(m, i);
		const struct top_finding *found = p->session ? finder_of(f, &p->id) : NULL;

		for (size_t k = 0; found && k < f->count; k++)
			p->session->finding_count += process_id_equal(&f->findings[k].id, &p->id) &&
						     !finder_is_effect(f, &f->findings[k]);
		if (!found || found->level <= p->session->finding_level)
			continue;
		if (found->level >= TOP_LEVEL_SICK && p->session->urgency > URGENCY_SICK)
			p->session->urgency = URGENCY_SICK;
		p->session->finding_level = found->level;
		put_answer(p->session, found, p->is_main);
	}
}
