/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/evidence/watch_failure.h"

#include <stdio.h>

#include "analyze/evidence/limit_users.h"
#include "analyze/evidence/watch_use.h"
#include "explain/finding.h"
#include "model/errno_names.h"
#include "probes/fds.h"

static const struct {
	const char *claim, *names, *sysctl;
	enum limits_shared resource;
} texts[WATCH_KINDS] = {
	[WATCH_WATCHES] = { "cannot watch more files for changes", "watches", "max_user_watches",
		LIMITS_SHARED_WATCHES },
	[WATCH_INSTANCES] = { "cannot watch files for changes", "instances", "max_user_instances",
		LIMITS_SHARED_INSTANCES },
};

/* Finds the user's processes with most watches, also those that are not diagnosed. */
static bool find_users(const struct check *e, enum watch_kind kind, struct limit_users *out)
{
	limit_users_find(out, e, texts[kind].resource, span_of("", 0));
	return out->count > 0;
}

/* Returns whether descriptors are left: without any, a new instance fails with the same error. */
static bool has_descriptors_left(const struct check *e)
{
	const struct fds_process *end = snapshot_end(check_last(e, &e->input->fds), sizeof(*end));

	return end && end->descriptors_state == SOOTH_STATE_VALUE &&
	       end->limit_state == SOOTH_STATE_VALUE && end->descriptors < end->soft_limit;
}

/* Returns the kind of the reached limit; WATCH_KINDS: neither limit. */
static enum watch_kind kind_of(const struct check *e, const struct call_place *place)
{
	const struct syscall_row *row = syscall_by_number(place->abi, place->number);

	if (!row)
		return WATCH_KINDS;
	if (row->traits & SYSCALL_ADDS_WATCH && place->error == LINUX_ENOSPC)
		return WATCH_WATCHES;
	if (row->traits & SYSCALL_MAKES_WATCHER && place->error == LINUX_EMFILE &&
		has_descriptors_left(e))
		return WATCH_INSTANCES;
	return WATCH_KINDS;
}

bool watch_failure_is(const struct check *e, const struct call_place *place)
{
	return kind_of(e, place) != WATCH_KINDS;
}

/* --- the finding --- */

static void emit_most(const struct check *e, struct check_result *out, const struct watch_use *u,
	enum watch_kind kind)
{
	const struct process_entry *p =
		process_table_get(&e->input->host.process_table, &u->most[kind]);
	struct span name = p ? record_text(&p->process->record, &p->process->name) : span_of("", 0);

	finding_text(out, "process that uses most", "%.*s (%u): %llu", SPAN_ARGS(name),
		u->most[kind].pid, (unsigned long long)u->most_count[kind]);
	finding_count(out, "in use by the sampled processes of the user", u->sum[kind], 0);
	if (u->there > u->read)
		finding_unseen(out,
			"the watches of %u of the user's %u processes: they were not sampled",
			u->there - u->read, u->there);
}

static void emit_remedy(const struct check *e, struct check_result *out, const struct watch_use *u,
	enum watch_kind kind)
{
	if (u->there > u->read)
		finding_remedy(out,
			"sooth diagnose -u %u names the process that uses most; as root: sysctl "
			"fs.inotify.%s=%llu raises the limit",
			e->process->process->uid, texts[kind].sysctl,
			(unsigned long long)u->limit[kind] * 4);
	else
		finding_remedy(out,
			"watch less (exclude node_modules, .git, build), or as root: sysctl "
			"fs.inotify.%s=%llu raises the limit",
			texts[kind].sysctl, (unsigned long long)u->limit[kind] * 4);
}

static void emit_limit(const struct check *e, struct check_result *out, enum watch_kind kind)
{
	struct limit_users users;
	struct watch_use u;
	bool has_users = find_users(e, kind, &users), has_limit = watch_use_of(&u, e);

	if (has_users) {
		finding_number(out, "in use by the processes of the user that were read", users.sum,
			SOOTH_UNIT_NONE, 0);
		limit_users_unseen(out, &users);
		u.there = u.read;
	}
	if (has_limit) {
		finding_count(out, "limit", u.limit[kind], 0);
		if (!has_users)
			emit_most(e, out, &u, kind);
		emit_remedy(e, out, &u, kind);
		return;
	}
	finding_unseen(out,
		"the value of the limit%s: the process is in another user namespace, or sooth "
		"cannot read the limit",
		has_users ? "" : ", and which process uses most");
	finding_remedy(out,
		"in the user namespace of the process: sysctl user.max_inotify_%s shows the limit",
		texts[kind].names);
}

void watch_failure_report(const struct check *e, struct check_result *out,
	const struct call_place *place, double times)
{
	enum watch_kind kind = kind_of(e, place);
	char name[SYSCALL_NAME_SIZE], limit[32] = "";
	struct buffer by = { 0 };
	struct limit_users users;
	struct watch_use u;

	if (watch_use_of(&u, e))
		snprintf(limit, sizeof(limit), " (%llu)", (unsigned long long)u.limit[kind]);
	if (find_users(e, kind, &users))
		limit_users_put(&by, e, &users, texts[kind].resource);
	finding_claim(out,
		"%s: the user's limit of inotify %s%s is reached%s; %s failed %.0f times",
		texts[kind].claim, texts[kind].names, limit, buffer_cstr(&by),
		check_call_name(place->abi, place->number, name), times);
	buffer_fini(&by);
	emit_limit(e, out, kind);
}
