/* SPDX-License-Identifier: BSD-2-Clause */
/* `sooth freeze` and `sooth thaw`: everything except the direction. */
#include "cli/act/freezing.h"

#include <errno.h>
#include <stdio.h>

#include "base/units.h"
#include "cli/act/act.h"

static const struct option who_options[] = {
	FLAG_ROW('t', "tree", freezing_config, who.tree,
		"include the descendants of the selected processes"),
	FLAG_ROW(0, "dry-run", freezing_config, who.dry_run,
		"only list the processes, and change nothing"),
	FLAG_ROW(0, "any", freezing_config, who.any,
		"also accept processes that belong to no agent"),
};

const struct option_group freezing_groups[FREEZING_GROUP_COUNT] = {
	OPTION_GROUP("Processes", who_options, 0),
	TARGET_LIVE_GROUP(struct freezing_config, target),
	OUTPUT_GROUP(struct freezing_config, output),
	FILE_GROUP(struct freezing_config, output),
};

const struct option_rule freezing_rules[FREEZING_RULE_COUNT] = {
	{ OPTION_NEVER, "filter", NULL, "--filter selects rows of a report, not processes",
		"give PIDs; --dry-run lists the processes" },
	ACT_NEVER_ALL("stop"),
};

static int select_processes(const char *name, const struct freezing_config *c,
	const struct arguments *arguments, struct act *a, struct sooth_error *err)
{
	int status = act_targets_select(a, name, &c->target, arguments, err);

	if (status)
		return status;
	while (act_select_others(a))
		;
	act_sort(a);
	return 0;
}

/* They stay frozen when sooth has exited: the way back must be visible. */
static void emit_way_back(const struct freezing_config *c, const struct act *a, const char *how)
{
	fprintf(stderr, "sooth: frozen %s; to resume them:\n  sooth thaw", how);
	for (size_t i = 0; i < c->target.sessions.count; i++)
		fprintf(stderr, " --session %s", c->target.sessions.items[i]);
	if (c->who.tree)
		fprintf(stderr, " -t");
	if (c->who.any)
		fprintf(stderr, " --any");
	for (size_t i = 0; !c->target.sessions.count && i < act_count(a); i++) {
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

	status = act_targets_check(name, &c->target, arguments, err);
	if (status)
		return status;
	if (!target_is_given(&c->target, arguments)) {
		error_set(err, -EINVAL, SOOTH_FAULT_USAGE, "%s without a target", name);
		error_why(err, "no process, session or agent is given");
		return error_remedy(err, "sooth %s PID; `sooth ps` lists processes", name);
	}
	act_init(&a, &os_native);
	a.may_be_any = c->who.any;
	a.reach = c->who.tree ? ACT_TREE : ACT_ONLY;
	a.is_whole = !c->target.sessions.count;
	a.is_detailed = true;
	status = act_look(&a, err);
	if (!status)
		status = select_processes(name, c, arguments, &a, err);
	if (!status)
		status = act_on(name, c, &a, is_frozen, err);
	act_fini(&a);
	return status;
}
