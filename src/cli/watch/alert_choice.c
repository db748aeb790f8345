/* SPDX-License-Identifier: BSD-2-Clause */
/* Events beside the thresholds that alerts are for. */
#include "cli/watch/alert_choice.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "explain/registry.h"

const struct sooth_names *alert_activities(const struct sooth_schema *schema)
{
	const struct sooth_field *f = sooth_schema_field(schema, "activity");
	const struct sooth_field *state =
		f && f->rows ? sooth_schema_field(f->rows, "state") : NULL;

	return state ? state->names : NULL;
}

/* Returns whether a word is the name of a state: "waits-for-user" is waits_for_user. */
static bool is_called(const char *name, const char *typed)
{
	size_t i = 0;

	while (name && name[i] && (name[i] == typed[i] || (name[i] == '_' && typed[i] == '-')))
		i++;
	return name && !name[i] && !typed[i];
}

/* Returns the severity with a name; 0: it is none. */
static uint8_t severity_called(const char *name)
{
	for (uint8_t i = 0; i < finding_severity_names.count; i++) {
		if (finding_severity_names.names[i] &&
			!strcmp(finding_severity_names.names[i], name))
			return i + 1;
	}
	return 0;
}

static int refuse_unknown_event(const char *typed, const struct sooth_names *names,
	const struct alert_help *help, struct sooth_error *err)
{
	char all[200] = "";
	size_t used = 0;

	for (size_t i = 0; names && i < names->count && used < sizeof(all); i++) {
		if (names->names[i])
			used += (size_t)snprintf(
				all + used, sizeof(all) - used, "%s, ", names->names[i]);
	}
	for (char *at = all; *at; at++)
		*at = *at == '_' ? '-' : *at;
	error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "alert on \"%s\"", typed);
	error_why(err, "the names are: %sactivity (for any of these), %s", all, help->events);
	return error_remedy(err, "%s", help->remedy);
}

/* Selects "finding", a severity, or an id. False: the word is none of these. */
static bool choose_finding(struct alert_choice *out, const char *typed)
{
	uint8_t severity = !strcmp(typed, "finding") ? 1 : severity_called(typed);

	if (severity) {
		if (!out->severity || severity < out->severity)
			out->severity = severity;
		return true;
	}
	if ((!registry_finding(typed) && !registry_finding_is_retired(typed)) ||
		out->id_count == ALERT_IDS_MAX)
		return false;
	out->ids[out->id_count++] = typed;
	return true;
}

int alert_choose_findings(
	struct alert_choice *out, const struct option_list *list, struct sooth_error *err)
{
	assert(list);
	*out = (struct alert_choice){ 0 };
	for (size_t i = 0; i < list->count; i++) {
		if (choose_finding(out, list->items[i]))
			continue;
		error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "alert on \"%s\"", list->items[i]);
		error_why(err,
			"the name is neither finding, nor the id of a finding, nor a severity");
		return error_remedy(err, "sooth diagnose --list-findings");
	}
	return 0;
}

void alert_finding_words(const struct alert_choice *c, char *out, size_t size)
{
	size_t used = 0;

	assert(c);
	out[0] = '\0';
	if (c->severity)
		used = (size_t)snprintf(
			out, size, "%s", finding_severity_names.names[c->severity - 1]);
	for (size_t i = 0; i < c->id_count && used < size; i++)
		used += (size_t)snprintf(
			out + used, size - used, "%s%s", used ? "," : "", c->ids[i]);
}

bool alert_wants_findings(const struct alert_choice *c)
{
	assert(c);
	return c->severity || c->id_count;
}

bool alert_wants_finding(const struct alert_choice *c, const char *id, const char *severity)
{
	if (c->severity && severity_called(severity) >= c->severity)
		return true;
	for (size_t i = 0; i < c->id_count; i++) {
		if (!strcmp(c->ids[i], id))
			return true;
	}
	return false;
}

int alert_choose(struct alert_choice *out, const struct option_list *list,
	const struct sooth_schema *schema, const struct alert_help *help, struct sooth_error *err)
{
	const struct sooth_names *names = alert_activities(schema);

	assert(out);
	assert(list);
	*out = (struct alert_choice){ 0 };
	for (size_t i = 0; i < list->count; i++) {
		const char *typed = list->items[i];
		uint64_t bits = 0;

		for (size_t k = 0; names && k < names->count && k < 64; k++) {
			if (is_called(names->names[k], typed) || !strcmp(typed, "activity"))
				bits |= 1ull << k;
		}
		out->activities |= bits;
		if (!strcmp(typed, "end"))
			out->end = true;
		else if (!choose_finding(out, typed) && !bits)
			return refuse_unknown_event(typed, names, help, err);
	}
	return 0;
}
