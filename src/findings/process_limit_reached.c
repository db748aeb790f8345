/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * process-limit-reached: the control group of the process, or one above it, has as many processes
 * and threads as the limit allows, and refused to start another one. The limit can be read whatever
 * the process does now: a shell that cannot start its command sleeps between its tries.
 *
 * A full group that refused nothing is a pool that fits. Cannot be seen: which process of the group
 * was refused.
 */
#include "analyze/diagnosis/check_verdict.h"
#include "analyze/evidence/held.h"
#include "base/cleanup.h"

static const struct finding_option options[] = {
	PERCENT_THRESHOLD("percent", 90, 1, 100,
		"minimum use of the limit now, if the group refused a start earlier"),
};

static void emit_evidence(
	const struct check *e, struct check_result *out, const struct task_room *room)
{
	const struct limits_group *g = room->group;

	finding_count(out, "processes and threads in the control group", g->used, 0);
	finding_count(out, "processes and threads that it may have", g->limit, 0);
	if (!room->is_counted) {
		finding_unseen(out, "whether a start was refused: this kernel does not count them");
		return;
	}
	finding_count(out, "starts that it refused", room->refused, check_watched_ns(e));
	finding_count(out, "starts that it refused since it was created", room->refused_all, 0);
	finding_unseen(out, "which process of the control group was refused");
}

static void report_limit(
	const struct check *e, struct check_result *out, const struct task_room *room)
{
	const struct limits_group *g = room->group;
	struct span path = record_text(&g->record, &g->path);
	bool is_now = room->is_full || room->refused;
	_cleanup_(buffer_fini) struct buffer members = { 0 };
	const struct process_entry *parent = task_zombies_put(&members, e, g);
	bool are_left = !parent && task_members_put(&members, e, g);

	finding_begin(out,
		room->refused ? FINDING_CONFIDENCE_HIGH
		: is_now      ? FINDING_CONFIDENCE_MEDIUM
			      : FINDING_CONFIDENCE_LOW,
		"");
	if (!room->refused)
		finding_severity(out, FINDING_MEDIUM);
	finding_claim(out, "%s processes or threads: control group %.*s%s",
		is_now ? "cannot start" : "can hardly start", SPAN_ARGS(path),
		g->is_inherited ? " above its own" : "");
	if (is_now)
		finding_claim(out, " has reached the %llu that it may have (pids.max)",
			(unsigned long long)g->limit);
	else
		finding_claim(out, " has %llu of the %llu that it may have (pids.max)",
			(unsigned long long)g->used, (unsigned long long)g->limit);
	finding_claim(out, "%s", buffer_cstr(&members));
	emit_evidence(e, out, room);
	if (parent)
		finding_remedy(out, TASK_ZOMBIES_REMEDY, parent->id.pid);
	else
		finding_remedy(out,
			"end processes of the group that are not needed (%s shows them), or raise "
			"its pids.max (systemd: TasksMax=)",
			are_left ? "sooth ps -t" : "systemd-cgls");
}

/* Returns another diagnosed process of the group, which gets the finding: the oldest one that has
 * not outlived its parent. */
static const struct process_entry *reported_for(const struct check *e, const struct task_room *room)
{
	const struct process_entry *first = e->process;

	process_table_for_each (&e->input->host.process_table, p) {
		struct check other = *e;
		struct task_room its;

		if (p == first || !diagnosis_input_is_selected(e->input, p) ||
			task_member_is_left(p) > task_member_is_left(first) ||
			(task_member_is_left(p) == task_member_is_left(first) &&
				p->id.start_ticks >= first->id.start_ticks))
			continue;
		other.id = p->id;
		other.process = p;
		task_room_find(&its, &other);
		if (its.group && !span_compare(record_text(&its.group->record, &its.group->path),
					 record_text(&room->group->record, &room->group->path)))
			first = p;
	}
	return first;
}

/* Returns whether the failed calls were seen, so that another finding reports them. */
static bool is_said_of_calls(const struct check *e)
{
	struct batch all = { e->findings->data, e->findings->size };

	batch_for_each (r, &all) {
		const struct finding_row *row = (const void *)r;
		struct span key = record_text(r, &row->key);

		if (span_equal(record_text(r, &row->id), "syscall-errors") &&
			(span_contains(key, "fork") || span_contains(key, "clone")))
			return true;
	}
	return false;
}

static bool is_reached(const struct check *e, const struct task_room *room)
{
	const struct limits_group *g = room->group;
	double percent = g->limit ? 100.0 * (double)g->used / (double)g->limit : 100;

	if (!room->is_counted)
		return room->is_full && room->was_full;
	return room->refused || (room->refused_all && check_is_over(e, "percent", percent, ""));
}

static void diagnose(const struct check *e, struct check_result *out)
{
	const struct snapshot *last = check_last(e, &e->input->limits);
	const struct limits_process *end = last ? snapshot_end(last, sizeof(*end)) : NULL;
	const struct process_entry *by;
	struct task_room room;

	if (!end || !e->process || end->groups_state > SOOTH_STATE_TRUNCATED) {
		check_blind(out, end && end->groups_state ? end->groups_state
							  : SOOTH_NOT_MEASURED(SOOTH_REASON_ENDED));
		return;
	}
	task_room_find(&room, e);
	if (!room.group)
		check_fine(out, "its control groups have no limit of processes");
	else if (room.group->used_state != SOOTH_STATE_VALUE)
		check_blind(out, room.group->used_state);
	else if (!is_reached(e, &room))
		check_fine(out, "its control group has %llu of %llu processes and threads",
			(unsigned long long)room.group->used,
			(unsigned long long)room.group->limit);
	else if ((by = reported_for(e, &room)) != e->process)
		check_fine(out, "reported for %u, of the same control group", by->id.pid);
	else if (is_said_of_calls(e))
		check_fine(out, "reported with the calls that failed");
	else
		report_limit(e, out, &room);
}

const struct finding_detector finding_process_limit_reached = { diagnose,
	FINDING_OPTIONS(options) };
