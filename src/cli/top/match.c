/* SPDX-License-Identifier: BSD-2-Clause */
/* Text, expression and user against rows. */
#include "cli/top/match.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"

#define OPERATORS "=<>~"

void top_match_fini(struct top_match *m)
{
	filter_free(m->expression);
	m->expression = NULL;
}

/* --- a text --- */

bool top_session_has(const struct top_session *s, const char *text)
{
	const char *const all[] = { s->project, s->agent, s->doing_text, top_doings[s->doing].word,
		s->model, s->session, s->flags, s->finding, s->finding_name, s->branch, s->task };
	char pid[16];

	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		if (strcasestr(all[i], text))
			return true;
	}
	snprintf(pid, sizeof(pid), "%u", s->id.pid);
	return strstr(pid, text) != NULL;
}

bool top_process_has(
	const struct sooth_schema *schema, const struct top_process *p, const char *text)
{
	static const char *const fields[] = { "name", "command", "role", "flags", "user", "pid",
		"project" };
	/* The row of a leftover process shows its project; other rows have it in their session's.
	 */
	size_t count = ARRAY_SIZE(fields) - (p->session ? 1 : 0);
	char value[1024];

	for (size_t i = 0; i < count; i++) {
		if (top_word(schema, fields[i], p->row, value, sizeof(value)) &&
			strcasestr(value, text))
			return true;
	}
	return false;
}

/* --- an expression --- */

void top_match_changed(struct top_match *m, const struct sooth_schema *schema)
{
	struct sooth_error err;

	filter_free(m->expression);
	m->expression = NULL;
	m->why[0] = '\0';
	if (!strpbrk(m->text, OPERATORS))
		return;
	if (filter_new(&m->expression, m->text, &err)) {
		m->expression = NULL;
		snprintf(m->why, sizeof(m->why), "%s", err.why[0] ? err.why : err.tried);
	} else if (schema && !filter_fits_schema(m->expression, schema)) {
		snprintf(m->why, sizeof(m->why),
			"no field %s here: sooth ps --columns help lists them",
			filter_unknown(m->expression, &schema, 1));
	}
}

/* Returns whether a row fits; a filter that cannot be decided hides no row. */
static bool row_fits(
	struct top_match *m, const struct sooth_schema *schema, const struct top_process *p)
{
	struct sooth_error err;
	char user[64];
	int status;

	if (m->user[0] && (!top_word(schema, "user", p->row, user, sizeof(user)) ||
				  !strcasestr(user, m->user)))
		return false;
	if (!m->expression || m->why[0])
		return true;
	status = filter_matches_record(m->expression, schema, p->row, &err);
	if (status < 0)
		snprintf(m->why, sizeof(m->why), "%s", err.why[0] ? err.why : err.tried);
	return status != 0;
}

/* --- rows --- */

static bool is_plain_text(const struct top_match *m)
{
	return m->text[0] && !m->expression && !m->why[0];
}

void top_match_prepare(struct top_match *m, const struct top_model *model)
{
	struct top_session *s;
	size_t position = 0;

	if (!m->user[0] && !m->expression)
		return;
	/* A session that has ended stays as it was matched. */
	while ((s = top_session_next(model, &position)))
		s->is_fit = s->is_fit && s->mark == TOP_MARK_GONE;
	buffer_each (const struct top_process, p, &model->processes) {
		if (p->session && !p->session->is_fit)
			p->session->is_fit = row_fits(m, model->schema, p);
	}
}

bool top_match_session(const struct top_match *m, const struct top_session *s)
{
	if ((m->user[0] || m->expression) && !s->is_fit)
		return false;
	return !is_plain_text(m) || top_session_has(s, m->text);
}

bool top_match_process(
	struct top_match *m, const struct sooth_schema *schema, const struct top_process *p)
{
	if (!row_fits(m, schema, p))
		return false;
	return !is_plain_text(m) || top_process_has(schema, p, m->text) ||
	       (p->session && top_session_has(p->session, m->text));
}
