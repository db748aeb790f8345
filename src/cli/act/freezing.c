/* SPDX-License-Identifier: BSD-2-Clause */
/* `sooth freeze` and `sooth thaw`: everything except the direction. */
#include "cli/act/freezing.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/units.h"
#include "cli/act/act.h"
#include "cli/command/options.h"
#include "cli/command/target.h"
#include "cli/output/output.h"
#include "cli/terminal/stop.h"
#include "os/os.h"

#define LOOKS_NS  (3 * NS_PER_S) /* time for a signal to take effect */
#define PAUSE_MS  10
#define EXIT_LEFT 1 /* as act_exit() */
#define LOOKS_SURE                                                                                 \
	2 /* number of samples in a row without a change: a parent may continue its child at once  \
	   */

/* --- freezing and thawing --- */

/* Freezes and thaws: by the control group if it contains no other process, else by signals,
 * children first, so that no parent sees its children stop. Frozen processes stay frozen when sooth
 * has exited, and the command that thaws them is printed. */

/* Collects the ids of the selected processes. */
static int collect_ids(const struct act *a, struct buffer *ids)
{
	for (size_t i = 0; i < act_count(a); i++) {
		if (act_at(a, i)->outcome == ACT_SELECTED)
			buffer_append(ids, &act_at(a, i)->id, sizeof(struct process_id));
	}
	return buffer_failed(ids) ? -ENOMEM : 0;
}

static int freeze_by_group(
	struct act *a, bool is_frozen, char *group, size_t room, struct sooth_error *err)
{
	struct buffer ids = { 0 };
	int status = collect_ids(a, &ids);

	if (status)
		error_no_memory(err);
	else if (!ids.size)
		status = 1;
	else
		status = a->os->freeze_group(a->os, (const struct process_id *)(void *)ids.data,
			ids.size / sizeof(struct process_id), is_frozen, group, room, err);
	buffer_fini(&ids);
	for (size_t i = 0; i < act_count(a) && !status; i++) {
		if (act_at(a, i)->outcome != ACT_SELECTED)
			continue;
		act_at(a, i)->outcome = is_frozen ? ACT_STOPPED : ACT_GOING;
		snprintf(act_at(a, i)->why, sizeof(act_at(a, i)->why),
			"by the freezer of its control group");
	}
	return status;
}

static void signal_one(struct act *a, struct act_process *p, int signal)
{
	struct sooth_error err;
	int status;

	if (p->outcome != ACT_SELECTED || p->handle < 0)
		return;
	status = a->os->signal_process(a->os, p->handle, &p->id, signal, &err);
	if (status == -ESRCH) {
		p->outcome = ACT_GONE;
	} else if (status) {
		p->outcome = ACT_FAILED;
		snprintf(p->why, sizeof(p->why), "%s", strerror(-status));
	}
}

static bool is_stopped(const struct process_entry *p)
{
	return p->process->state == 'T' || p->process->state == 't';
}

/* Marks the processes that have changed; returns how many have not changed, or have changed
 * back. */
static size_t mark_done(struct act *a, bool is_frozen)
{
	enum act_outcome done = is_frozen ? ACT_STOPPED : ACT_GOING;
	size_t left = 0;

	buffer_each (struct act_process, one, &a->processes) {
		const struct process_entry *p = process_table_get(&a->process_table, &one->id);

		if (one->outcome != ACT_SELECTED && one->outcome != done)
			continue;
		if (!p || !p->is_there)
			one->outcome = ACT_GONE;
		else
			one->outcome = is_stopped(p) == is_frozen ? done : ACT_SELECTED;
		left += one->outcome == ACT_SELECTED;
	}
	return left;
}

/* Explains why selected processes did not stop, or did not go on. A terminal multiplexer continues
 * the process of a pane whenever it stops. */
static void explain_left(struct act *a, bool is_frozen)
{
	buffer_each (struct act_process, one, &a->processes) {
		const struct process_entry *p = process_table_get(&a->process_table, &one->id);
		const struct proc_process *parent = p && p->parent ? p->parent->process : NULL;
		struct span name = parent ? record_text(&parent->record, &parent->name)
					  : span_of_string("process");

		if (one->outcome != ACT_SELECTED)
			continue;
		if (is_frozen)
			snprintf(one->why, sizeof(one->why),
				"runs after SIGSTOP: another process continues it, perhaps its "
				"parent %.*s (%u)",
				(int)name.size, name.data, p ? p->process->ppid : 0);
		else
			snprintf(one->why, sizeof(one->why), "stopped again after SIGCONT");
	}
}

static void signal_all(struct act *a, bool is_frozen)
{
	size_t count = act_count(a);

	act_sort(a);
	act_pin_processes(a);
	for (size_t i = 0; i < count; i++) {
		/* Stopped from the leaves up, resumed from the root down. */
		struct act_process *p = act_at(a, is_frozen ? count - 1 - i : i);

		signal_one(a, p, is_frozen ? SIGSTOP : SIGCONT);
	}
}

/* --- the selection --- */

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

/* A request to freeze or thaw. */
struct freezing {
	const char *name;
	const struct freezing_config *config;
	const struct arguments *arguments;
	struct act *act;
	bool is_frozen;
};

static int select_processes(const struct freezing *f, struct sooth_error *err)
{
	struct act *a = f->act;
	int status = act_targets_select(a, f->name, &f->config->target, f->arguments, err);

	if (status)
		return status;
	while (act_select_others(a))
		;
	act_sort(a);
	return 0;
}

/* Sets *added to the number of new processes that belong to the selection. */
static int select_new(const struct freezing *f, size_t *added, struct sooth_error *err)
{
	size_t before = act_count(f->act);
	int status = act_scan_host(f->act, err);

	/* Processes that a resumed one starts were never frozen. */
	if (!status && f->is_frozen && act_targets_are_broad(&f->config->target))
		status = select_processes(f, err);
	else if (!status && f->is_frozen)
		act_select_others(f->act);
	*added = act_count(f->act) - before;
	return status;
}

/* Stops or continues by signals. Processes that the selected ones start before they stop are
 * stopped too. If forks come faster than the stops, some processes are left, and the caller counts
 * them. */
static int freeze_by_signals(const struct freezing *f, size_t *added, struct sooth_error *err)
{
	struct act *a = f->act;
	uint64_t end_ns = a->os->now_ns(a->os) + LOOKS_NS;
	unsigned looks = 0;
	int status;

	signal_all(a, f->is_frozen);
	do {
		a->os->wait(a->os, NULL, 0, PAUSE_MS);
		status = select_new(f, added, err);
		if (!status && *added)
			signal_all(a, f->is_frozen);
		looks = mark_done(a, f->is_frozen) || *added ? 0 : looks + 1;
	} while (!status && looks < LOOKS_SURE && a->os->now_ns(a->os) < end_ns &&
		 !stop_is_selected());
	explain_left(a, f->is_frozen);
	return status;
}

/* Freezes or thaws; sets the method as text. */
static int act_freeze(
	const struct freezing *f, char *how, size_t room, size_t *added, struct sooth_error *err)
{
	char group[512] = "";
	int status = freeze_by_group(f->act, f->is_frozen, group, sizeof(group), err);

	if (status < 0)
		return status;
	if (!status) {
		snprintf(how, room, "by the control group %s", group);
		return 0;
	}
	snprintf(how, room, "by signals: %s", group);
	return freeze_by_signals(f, added, err);
}

/* Prints the command that thaws the processes: they stay frozen after sooth exits. */
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
		if (!act_at(a, i)->depth && (c->who.tree || act_at(a, i)->outcome == ACT_STOPPED))
			fprintf(stderr, " %u", (unsigned)act_at(a, i)->id.pid);
	}
	fputc('\n', stderr);
}

/* Marks the selected processes for --dry-run, without doing anything to them. */
static void mark_dry_run(struct act *a)
{
	for (size_t i = 0; i < act_count(a); i++) {
		if (act_at(a, i)->outcome == ACT_SELECTED)
			act_at(a, i)->outcome = ACT_WOULD;
	}
}

static int act_on(const struct freezing *f, struct sooth_error *err)
{
	const struct freezing_config *c = f->config;
	struct act *a = f->act;
	char how[640] = "";
	bool has_frozen = false;
	size_t added = 0;
	int status = 0;

	if (c->who.dry_run)
		mark_dry_run(a);
	else
		status = act_freeze(f, how, sizeof(how), &added, err);
	if (!status)
		status = act_emit(f->name, &c->output, a, err);
	if (status)
		return status;
	for (size_t i = 0; i < act_count(a); i++)
		has_frozen |= act_at(a, i)->outcome == ACT_STOPPED;
	if (has_frozen)
		emit_way_back(c, a, how);
	if (added)
		fprintf(stderr, "sooth: not all: these processes start new ones without end; to "
				"end them: sooth kill\n");
	return added ? EXIT_LEFT : act_exit(a);
}

int freezing_run(const char *name, const struct freezing_config *c,
	const struct arguments *arguments, bool is_frozen, struct sooth_error *err)
{
	assert(c);

	struct act a;
	const struct freezing f = { name, c, arguments, &a, is_frozen };
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
	status = act_scan_host(&a, err);
	if (!status)
		status = select_processes(&f, err);
	if (!status)
		status = act_on(&f, err);
	act_fini(&a);
	return status;
}
