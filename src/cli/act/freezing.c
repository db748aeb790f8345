/* SPDX-License-Identifier: BSD-2-Clause */
/* See freezing.h. */
#include "cli/act/freezing.h"

#include <errno.h>
#include <stdio.h>

#include "base/units.h"
#include "cli/act/act.h"

static const struct option who_options[] = {
	{ .letter = 't',
		.name = "tree",
		.type = OPTION_FLAG,
		.offset = offsetof(struct freezing_config, who.tree),
		.help = "and what they have started" },
	{ .name = "session",
		.type = OPTION_TEXT,
		.argument = "ID",
		.offset = offsetof(struct freezing_config, who.session),
		.help = "all of that session; its id, the beginning of it, or the main pid" },
	{ .name = "dry-run",
		.type = OPTION_FLAG,
		.offset = offsetof(struct freezing_config, who.dry_run),
		.help = "only say who is meant" },
	{ .name = "any",
		.type = OPTION_FLAG,
		.offset = offsetof(struct freezing_config, who.any),
		.help = "also processes that are no agent's" },
};

const struct option_group freezing_groups[FREEZING_GROUP_COUNT] = {
	OPTION_GROUP("Processes", who_options, 0),
	OUTPUT_GROUP(struct freezing_config, output),
	FILE_GROUP(struct freezing_config, output),
};

const struct option_rule freezing_rules[FREEZING_RULE_COUNT] = {
	{ OPTION_NEVER, "filter", NULL, "it chooses rows of a report, and not who is meant",
		"name them by PID; --dry-run shows who is meant" },
};

static int mean(const struct freezing_config *c, const struct arguments *arguments, struct act *a,
	struct sooth_error *err)
{
	int status = act_mean_pids(a, arguments, err);

	if (!status && c->who.session)
		status = act_mean_session(a, c->who.session, err);
	if (status)
		return status;
	while (act_mean_others(a))
		;
	act_sort(a);
	return 0;
}

/* They stay as they are when sooth has ended: how to undo it must not be lost. */
static void emit_way_back(const struct freezing_config *c, const struct act *a, const char *how)
{
	fprintf(stderr, "sooth: frozen %s; they stay so until:\n  sooth thaw", how);
	if (c->who.session)
		fprintf(stderr, " --session %s", c->who.session);
	if (c->who.tree)
		fprintf(stderr, " -t");
	if (c->who.any)
		fprintf(stderr, " --any");
	for (size_t i = 0; !c->who.session && i < act_count(a); i++) {
		if (!act_at(a, i)->depth && act_at(a, i)->outcome == ACT_STOPPED)
			fprintf(stderr, " %u", (unsigned)act_at(a, i)->id.pid);
	}
	fputc('\n', stderr);
}

static int act_on(const char *name, const struct freezing_config *c, struct act *a, bool is_frozen,
	struct sooth_error *err)
{
	char how[640] = "";
	bool has_frozen = false;
	int status = 0;

	if (c->who.dry_run)
		act_would(a);
	else
		status = act_freeze(a, is_frozen, how, sizeof(how), err);
	if (!status)
		status = act_emit(name, &c->output, a, err);
	if (status)
		return status;
	for (size_t i = 0; i < act_count(a); i++)
		has_frozen |= act_at(a, i)->outcome == ACT_STOPPED;
	if (has_frozen)
		emit_way_back(c, a, how);
	return act_exit(a);
}

int freezing_run(const char *name, const struct freezing_config *c,
	const struct arguments *arguments, bool is_frozen, struct sooth_error *err)
{
	struct act a;
	int status;

	if ((arguments->count > 0) == (c->who.session != NULL) || arguments->command) {
		error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "%s nothing in particular", name);
		error_why(err, "either PIDs or --session ID says who is meant");
		return error_remedy(err, "sooth %s PID; `sooth ps` lists them", name);
	}
	act_init(&a, &os_native);
	a.may_be_any = c->who.any;
	a.reach = c->who.session ? ACT_SESSION : c->who.tree ? ACT_TREE : ACT_ONLY;
	a.is_whole = arguments->count > 0;
	status = act_look(&a, err);
	if (!status)
		status = mean(c, arguments, &a, err);
	if (!status)
		status = act_on(name, c, &a, is_frozen, err);
	act_fini(&a);
	return status;
}
