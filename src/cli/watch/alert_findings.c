/* SPDX-License-Identifier: BSD-2-Clause */
/* Alerts on findings: of the rows of a diagnosis, or by one that runs beside this command. */
#include <stdio.h>
#include <string.h>

#include "base/cursor.h"
#include "cli/watch/alert_state.h"
#include "model/batch.h"
#include "model/field.h"

#define TEXT_SIZE 600
#define PREFIX	  "sooth: "

/* --- of rows --- */

bool alert_is_of_findings(const struct section *section)
{
	return section->shape == SECTION_STREAM && !strcmp(section->schema->name, "finding.change");
}

static struct span text_of(
	const struct sooth_schema *schema, const struct sooth_record *row, const char *name)
{
	const struct sooth_field *f = sooth_schema_field(schema, name);
	struct sooth_value v = { .state = SOOTH_STATE_ABSENT };

	if (f)
		v = sooth_field_get(f, row);
	return value_is_there(&v) ? span_of(v.text.data, v.text.size) : span_of("", 0);
}

static bool is_cleared(const struct sooth_schema *schema, const struct sooth_record *row)
{
	char state[16];

	sooth_field_text(sooth_schema_field(schema, "state"), row, state, sizeof(state));
	return !strcmp(state, "cleared");
}

void alert_findings(struct alerts *a, const struct sooth_schema *schema, const struct batch *batch)
{
	alert_reap(a);
	batch_for_each (r, batch) {
		struct span id = text_of(schema, r, "id"), claim = text_of(schema, r, "claim");
		struct alert_event e = { .alert = "finding",
			.row = r,
			.schema = schema,
			.key = { r->start_ticks, r->pid, ALERT_FINDING },
			.is_raised = !is_cleared(schema, r) };
		char name[64], text[TEXT_SIZE];

		alert_copy_name(name, schema, r);
		snprintf(text, sizeof(text), "%.*s: %.*s", (int)id.size, (const char *)id.data,
			(int)claim.size, (const char *)claim.data);
		e.name = name;
		e.text = text;
		alert_emit(a, &e);
	}
}

/* --- of a command beside this one --- */

void alerts_start(struct alerts *a)
{
	if (a->options.finder && own_command_start(&a->finder, a->options.finder, 0))
		alert_line(a, "no alerts on findings: no process could be started");
}

/* It has escaped the text of targets. */
static void pass_on(struct alerts *a, const char *line, size_t size)
{
	char text[TEXT_SIZE];

	if (size >= strlen(PREFIX) && !memcmp(line, PREFIX, strlen(PREFIX))) {
		line += strlen(PREFIX);
		size -= strlen(PREFIX);
	}
	snprintf(text, sizeof(text), "%.*s", (int)size, line);
	alert_line(a, text);
	if (a->options.has_bell && !strncmp(text, "warning: ", strlen("warning: ")))
		alert_bell();
}

void alert_findings_step(struct alerts *a)
{
	struct buffer *text = &a->finder_text;
	const char *end;

	if (!a->finder.pid)
		return;
	own_command_read(&a->finder, text);
	while (text->size && (end = memchr(text->data, '\n', text->size))) {
		size_t size = (size_t)(end - (const char *)text->data);

		pass_on(a, (const char *)text->data, size);
		buffer_consume(text, size + 1);
	}
	if (!a->finder.pid)
		alert_line(a, "no more alerts on findings: the diagnosis has ended");
}
