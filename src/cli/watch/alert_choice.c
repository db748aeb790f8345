/* SPDX-License-Identifier: BSD-2-Clause */
/* Events beside the thresholds that alerts are for. */
#include "cli/watch/alert_choice.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

const struct sooth_names *alert_activities(const struct sooth_schema *schema)
{
	const struct sooth_field *f = sooth_schema_field(schema, "activity");
	const struct sooth_field *state =
		f && f->rows ? sooth_schema_field(f->rows, "state") : NULL;

	return state ? state->names : NULL;
}

/* "waits-for-user" is waits_for_user. */
static bool is_called(const char *name, const char *typed)
{
	size_t i = 0;

	while (name && name[i] && (name[i] == typed[i] || (name[i] == '_' && typed[i] == '-')))
		i++;
	return name && !name[i] && !typed[i];
}

static int unknown(const char *typed, const struct sooth_names *names,
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

int alert_choose(struct alert_choice *out, const struct option_list *list,
	const struct sooth_schema *schema, const struct alert_help *help, struct sooth_error *err)
{
	const struct sooth_names *names = alert_activities(schema);

	*out = (struct alert_choice){ 0 };
	for (size_t i = 0; i < list->count; i++) {
		const char *typed = list->items[i];
		uint64_t bits = 0;

		for (size_t k = 0; names && k < names->count && k < 64; k++) {
			if (is_called(names->names[k], typed) || !strcmp(typed, "activity"))
				bits |= 1ull << k;
		}
		out->activities |= bits;
		if (!strcmp(typed, "finding"))
			out->finding = true;
		else if (!strcmp(typed, "end"))
			out->end = true;
		else if (!bits)
			return unknown(typed, names, help, err);
	}
	return 0;
}
