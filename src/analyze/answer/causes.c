/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/answer/causes.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/answer/answer_parts.h"
#include "analyze/answer/answer_name.h"
#include "analyze/answer/answer_waits.h"
#include "analyze/diagnosis/starts.h"
#include "analyze/evidence/children.h"
#include "analyze/evidence/peer_process.h"
#include "analyze/records.h"
#include "base/cleanup.h"
#include "base/order.h"

#define DEPTH_MAX    64
#define VICTIMS_MOST 3 /* most victims named per cause */

NUMBER(FEW, 16, NONE, "with more processes, a single wait is no cause");
NUMBER(SAME_LEAST, 3, NONE, "waits with the same root that are a cause all the same");

/* A process with a finding or a wait, before candidates with the same root are joined. */
struct candidate {
	const struct diagnosed *of;
	struct answer_wait wait;
	size_t cause; /* index of the candidate that it is a victim of; itself: none */
	bool is_wait, may_follow, is_stuck, holds_up;
	bool is_of_tool; /* a session whose tool waits at its cause */
	bool is_of_peer; /* the process does not wait: it grows because its peer does not read */
	bool is_alike;	 /* the process does not wait for its cause: both have the same finding */
};

/* --- which waits count --- */

/* Returns whether both are children of one parent, or the second one is a child of the first, none
 * the main process of a session, and their worst findings have the same type: the claim is the
 * same, or they were started alike. Both must have a finding. */
static bool have_same_problem(const struct diagnosed *a, const struct diagnosed *b)
{
	const struct process_entry *p = a->process, *q = b->process;
	const struct finding_row *f = answer_worst(a), *g = answer_worst(b);
	const struct process_entry *parent = q ? starts_parent(q) : NULL;

	if (!p || !parent || p->main != q->main || (p->main && p->main == p) ||
		(parent != p && parent != starts_parent(p)) || f->severity != g->severity ||
		diagnosis_type_of(f) != diagnosis_type_of(g))
		return false;
	return child_is_alike(p, q) || !span_compare(record_text(&f->record, &f->claim),
					       record_text(&g->record, &g->claim));
}

/* Returns whether it waits only as a part of an agent, whose line says more. */
static bool is_part(const struct diagnosed *j)
{
	const struct process_entry *p = j->process;

	return p && (p->agent || p->owner_agent) && (!p->agent || (p->main && p->main != p));
}

static bool is_stuck(const struct diagnosis *s, const struct diagnosed *j)
{
	_cleanup_(buffer_fini) struct buffer text = { 0 };

	return answer_stuck(s, j, &text);
}

/* Returns whether the chain of its diagnosed ancestor leads to it, and has a line. */
static bool is_said_above(const struct diagnosis *s, const struct diagnosed *j)
{
	const struct diagnosed *above = answer_above(s, j);

	return above && is_stuck(s, above) && !answer_halted(s, j) &&
	       !answer_waits_for(s, j, above->id.pid);
}

/* Returns whether only one process waits for it, so that the chain of that one has its wait. A
 * process and its child with the same chain count once. */
static bool is_said_by_waiter(const struct diagnosis *s, const struct diagnosed *j)
{
	unsigned waiters = 0;

	for (size_t i = 1; i < s->count && s->count <= FEW + 1; i++) {
		const struct diagnosed *other = &s->all[i];

		if (other != j && !other->count && answer_waits_for(s, other, j->id.pid) &&
			!answer_waits_for(s, j, other->id.pid) && is_stuck(s, other) &&
			!is_said_above(s, other))
			waiters++;
	}
	return waiters == 1 && !answer_halted(s, j);
}

static bool is_unreported_wait(const struct diagnosis *s, const struct diagnosed *j)
{
	return !j->count && !is_part(j) && !is_said_above(s, j) && !answer_rests_below(s, j) &&
	       !is_said_by_waiter(s, j);
}

static void mark_holders(struct causes *c, const struct diagnosis *s, const struct diagnosed *of)
{
	struct answer_wait wait;

	answer_wait_find(s, of, &wait);
	for (size_t i = 0; i < s->count && wait.through_count; i++) {
		for (unsigned k = 0; k < wait.through_count; k++)
			c->processes[i].holds_up |=
				!s->all[i].is_host && s->all[i].id.pid == wait.through[k];
	}
}

static void look_at_processes(
	struct causes *c, const struct diagnosis *s, const struct output *output)
{
	for (size_t i = 0; i < s->count; i++) {
		const struct diagnosed *j = &s->all[i];
		struct cause_process *p = &c->processes[i];

		p->is_stuck = !j->is_host && is_stuck(s, j);
		p->waits = p->is_stuck && is_unreported_wait(s, j);
		if (p->is_stuck)
			mark_holders(c, s, j);
		p->is_hidden = !j->is_host && output && !finding_process_is_shown(output, s, j);
		c->has_hidden |= p->is_hidden;
	}
}

/* --- order --- */

/* Returns the number of known ancestors; that of a process that has ended is above all others. */
static unsigned depth_of(const struct diagnosed *j)
{
	const struct process_entry *p = j->process;
	unsigned depth = p && p->is_there ? 0 : DEPTH_MAX;

	while (p && p->parent && depth < DEPTH_MAX) {
		p = p->parent;
		depth++;
	}
	return depth;
}

/* Returns the severity, higher if another process waits for this one. */
static int severity_of_cause(const struct candidate *c)
{
	return (int)c->of->worst + c->holds_up;
}

/* Orders by gravity; then endless waits before growth and computing; then ancestors before
 * descendants, because the user knows them. */
static int compare_by_severity(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;
	int order = larger_first(severity_of_cause(x), severity_of_cause(y));

	order = order ?: larger_first(x->holds_up, y->holds_up);
	order = order ?: larger_first(x->may_follow, y->may_follow);
	order = order ?: smaller_first(depth_of(x->of), depth_of(y->of));
	return order ?: (x->of > y->of) - (x->of < y->of);
}

/* --- candidates --- */

/* Returns the process at the other end of the descriptor of the worst finding, if that process is
 * the cause; 0: it is not the cause, or unknown. */
static uint32_t peer_of(const struct diagnosis *s, const struct diagnosed *j)
{
	const struct finding_row *f = j->count ? answer_worst(j) : NULL;
	const struct finding_type *type = f ? diagnosis_type_of(f) : NULL;
	const struct waits_peer *peer;
	const struct finding_subject_row *subject;

	if (!type || !type->is_of_peer || j->is_host)
		return 0;
	subject = (const void *)record_text(&f->record, &f->subject).data;
	peer = subject->fd_state ? NULL : peer_process_of_fd(&s->input, &j->id, subject->fd);
	return peer ? peer->peer_pid : 0;
}

/* Returns whether all its findings are consequences of what another process does. */
static bool is_held_up(const struct diagnosis *s, const struct diagnosed *j)
{
	rows_for_each (struct finding_row, f, &j->findings) {
		const struct finding_type *type = diagnosis_type_of(f);

		if (!type || (!type->is_of_holder && !peer_of(s, j)))
			return false;
		if (!type->is_of_holder && f != answer_worst(j) &&
			!diagnosis_leads_to(answer_worst(j), f))
			return false;
	}
	return true;
}

static void add_candidate(const struct causes *causes, const struct diagnosis *s,
	struct candidate *all, size_t *count, const struct diagnosed *j, bool is_wait)
{
	const struct cause_process *p = &causes->processes[j - s->all];
	struct candidate *c = &all[*count];

	*c = (struct candidate){ .of = j,
		.cause = *count,
		.is_wait = is_wait,
		.is_stuck = p->is_stuck,
		.holds_up = p->holds_up,
		.may_follow = !j->is_host && is_held_up(s, j) && !answer_tells_activity(s, j) };
	answer_wait_find(s, j, &c->wait);
	if (!c->wait.root.pid && !c->wait.root.object && !j->is_host) {
		c->wait.root.pid = peer_of(s, j);
		c->is_of_peer = c->wait.root.pid;
	}
	++*count;
}

static bool waits_behind(const struct candidate *c, const struct candidate *of)
{
	for (unsigned i = 0; c->is_stuck && i < c->wait.through_count; i++) {
		if (c->wait.through[i] == of->of->id.pid)
			return true;
	}
	return false;
}

/* Returns whether a process causes the finding of its ancestor or descendant: a worker, what its
 * server logs. */
static bool leads_to(const struct candidate *c, const struct candidate *of)
{
	const struct process_entry *p = c->of->process, *q = of->of->process;
	const struct finding_row *f, *g;

	if (!p || !q || !c->of->count || !of->of->count ||
		(!starts_is_below(p, q) && !starts_is_below(q, p)))
		return false;
	f = answer_worst(c->of);
	g = answer_worst(of->of);
	return diagnosis_goes_first(f, g) && !diagnosis_leads_to(g, f);
}

/* Puts a process before the processes that wait for it or follow from it, because their findings
 * may be consequences, whatever their severity. */
static void put_causes_first(struct candidate *all, size_t count)
{
	size_t moves = 0;

	for (size_t i = 0; i < count; i++) {
		for (size_t k = i + 1; k < count && moves < count * count; k++) {
			struct candidate cause = all[k];

			if (all[i].of->is_host || waits_behind(&cause, &all[i]) ||
				(!waits_behind(&all[i], &cause) && !leads_to(&cause, &all[i])))
				continue;
			memmove(all + i + 1, all + i, (k - i) * sizeof(*all));
			all[i] = cause;
			k = i;
			moves++;
		}
	}
}

/* Returns the index of the finding at which, or behind which, the tool of this session waits
 * endlessly; `count`: none. */
static size_t find_tool_holder(const struct diagnosis *s, const struct candidate *all, size_t count,
	const struct diagnosed *main)
{
	uint32_t pid = main->count ? 0 : answer_tool(s, main);
	struct candidate tool = { .is_stuck = true };

	for (size_t i = 1; i < s->count && pid && !tool.of; i++)
		tool.of = s->all[i].id.pid == pid ? &s->all[i] : NULL;
	if (!tool.of)
		return count;
	answer_wait_find(s, tool.of, &tool.wait);
	for (size_t i = 0; i < count; i++) {
		if (all[i].is_stuck && (all[i].of == tool.of || waits_behind(&tool, &all[i])))
			return i;
	}
	return count;
}

/* Finds candidates: findings, worst first, then waits for the user, then other waits. */
static size_t find_candidates(
	const struct causes *c, const struct diagnosis *s, struct candidate *all)
{
	size_t count = 0, found;

	for (size_t i = 0; i < s->count; i++) {
		if (s->all[i].count && !c->processes[i].is_hidden)
			add_candidate(c, s, all, &count, &s->all[i], false);
	}
	qsort(all, count, sizeof(*all), compare_by_severity);
	put_causes_first(all, count);
	for (size_t i = 0; i < count; i++)
		all[i].cause = i;
	found = count;
	for (int for_user = 1; for_user >= 0; for_user--) {
		for (size_t i = 1; i < s->count; i++) {
			const struct diagnosed *j = &s->all[i];
			size_t holder = for_user ? find_tool_holder(s, all, found, j) : found;

			if (j->count || c->processes[i].is_hidden)
				continue;
			if (holder < found ||
				(answer_tells_activity(s, j) == for_user &&
					(for_user || (s->count == 2 ? is_stuck(s, j)
								    : c->processes[i].waits))))
				add_candidate(c, s, all, &count, j, true);
			if (holder < found) {
				all[count - 1].cause = holder;
				all[count - 1].is_of_tool = true;
			}
		}
	}
	return count;
}

/* --- one root, one cause --- */

static bool is_root(const struct candidate *c, const struct candidate *of)
{
	return of->wait.root.pid && c->of->id.pid == of->wait.root.pid;
}

static bool have_same_root(const struct candidate *a, const struct candidate *b)
{
	return (a->wait.root.pid || a->wait.root.object) && a->wait.root.pid == b->wait.root.pid &&
	       a->wait.root.object == b->wait.root.object;
}

/* Returns whether `c` may replace `of` as a cause: not a wait for a finding, nor a lighter
 * finding. */
static bool may_stand_for(const struct candidate *c, const struct candidate *of)
{
	return of->is_wait || (!c->is_wait && (of->is_of_peer || c->of->worst >= of->of->worst));
}

static size_t end_of(const struct candidate *all, size_t i)
{
	while (all[i].cause != i)
		i = all[i].cause;
	return i;
}

/* Returns whether it is neither a victim nor has one: victims of a victim would have no line. */
static bool stands_alone(const struct candidate *all, size_t count, size_t i)
{
	for (size_t k = 0; k < count; k++) {
		if ((all[k].cause == i) != (k == i))
			return false;
	}
	return true;
}

/* Joins each finding that stands for itself with the first one that is the same. */
static void join_alike(struct candidate *all, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (all[i].is_wait || all[i].holds_up || !stands_alone(all, count, i))
			continue;
		for (size_t k = 0; k < i && !all[i].is_alike; k++) {
			all[i].is_alike = all[k].cause == k && !all[k].is_wait &&
					  have_same_problem(all[k].of, all[i].of);
			all[i].cause = all[i].is_alike ? k : i;
		}
	}
}

/* Joins candidates with the same root under the first of them, or under the root itself. A process
 * that the first of them waits for is no victim of it. */
static void join_candidates(struct candidate *all, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		for (size_t k = 0; k < count && all[i].may_follow && all[i].cause == i; k++) {
			bool is_first = k < i && all[k].may_follow;

			if (end_of(all, k) != i && may_stand_for(&all[k], &all[i]) &&
				(is_root(&all[k], &all[i]) ||
					(is_first && have_same_root(&all[k], &all[i]) &&
						!waits_behind(&all[k], &all[i]))))
				all[i].cause = k;
		}
	}
	for (size_t i = 0; i < count; i++)
		all[i].cause = end_of(all, i);
}

/* Appends those that wait for the cause, or those that have the same finding; returns how many. */
static size_t add_victims(const struct candidate *all, size_t count, size_t cause, bool is_alike,
	const struct diagnosed **victims)
{
	size_t n = 0;

	for (size_t i = 0; i < count; i++) {
		if (i != cause && all[i].cause == cause && all[i].is_alike == is_alike)
			victims[n++] = all[i].of;
	}
	return n;
}

/* Returns whether a victim waits for the process itself, not for what that process waits for. */
static bool is_root_of(const struct candidate *c, const struct candidate *all, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (&all[i] != c && all[i].cause == c->cause &&
			(all[i].is_of_tool || all[i].wait.root.pid == c->of->id.pid ||
				waits_behind(&all[i], c)))
			return true;
	}
	return false;
}

static bool has_room(const struct diagnosis *s, const struct candidate *c, size_t victims)
{
	return !c->is_wait || s->count <= FEW + 1 || victims + 1 >= SAME_LEAST ||
	       answer_tells_activity(s, c->of) || answer_halted(s, c->of);
}

static void put_together(
	struct causes *c, const struct diagnosis *s, struct candidate *all, size_t count)
{
	const struct diagnosed **at = c->victims;

	for (size_t i = 0; i < count; i++) {
		size_t n, alike;

		if (all[i].cause != i)
			continue;
		n = add_victims(all, count, i, false, at);
		alike = add_victims(all, count, i, true, at + n);
		n += alike;
		if (!has_room(s, &all[i], n)) {
			c->more_waiting += 1 + (unsigned)n;
			continue;
		}
		c->all[c->count++] = (struct cause){ .of = all[i].of,
			.finding = all[i].is_wait ? NULL : answer_worst(all[i].of),
			.victims = at,
			.victim_count = n,
			.alike = alike,
			.is_root = n && is_root_of(&all[i], all, count),
			.root_pid = all[i].wait.root.pid };
		c->sick += !all[i].is_wait;
		at += n;
	}
}

int causes_find(struct causes *c, const struct diagnosis *s, const struct output *output)
{
	struct candidate *all = calloc(s->count, sizeof(*all));
	size_t count;

	assert(c);
	*c = (struct causes){ .all = calloc(s->count, sizeof(*c->all)),
		.victims = calloc(s->count, sizeof(struct diagnosed *)),
		.processes = calloc(s->count, sizeof(*c->processes)) };
	if (!all || !c->all || !c->victims || !c->processes) {
		free(all);
		causes_fini(c);
		return -ENOMEM;
	}
	look_at_processes(c, s, output);
	count = find_candidates(c, s, all);
	join_candidates(all, count);
	join_alike(all, count);
	put_together(c, s, all, count);
	free(all);
	return 0;
}

void causes_fini(struct causes *c)
{
	free(c->all);
	free(c->victims);
	free(c->processes);
	*c = (struct causes){ 0 };
}

/* --- text --- */

static void put_wait(const struct diagnosis *s, const struct diagnosed *j, struct buffer *out)
{
	if (answer_stuck(s, j, out))
		return;
	answer_name(s, j, out);
	answer_activity_after(s, j, ": ", out);
}

/* Returns whether the name of the process that is the cause names the victim, its session. */
static bool is_own_session(const struct cause *c, const struct diagnosed *victim)
{
	return c->of->process && victim->process && c->of->process->main == victim->process;
}

/* Names up to `most` of the victims that wait; returns how many wait. */
static size_t put_waiting(
	const struct cause *c, const struct diagnosis *s, size_t most, struct buffer *out)
{
	size_t count = 0;

	for (size_t i = 0; i < c->victim_count - c->alike; i++) {
		if (peer_of(s, c->victims[i]) || is_own_session(c, c->victims[i]) ||
			count++ >= most)
			continue;
		buffer_string(out, count > 1 ? ", " : "");
		answer_name(s, c->victims[i], out);
	}
	return count;
}

static size_t most_named(size_t count)
{
	return count > VICTIMS_MOST + 1 ? VICTIMS_MOST : count;
}

void cause_put(const struct cause *c, const struct diagnosis *s, struct buffer *out)
{
	const struct finding_type *type;

	assert(c);
	if (!c->finding) {
		put_wait(s, c->of, out);
		return;
	}
	type = diagnosis_type_of(c->finding);
	answer_name(s, c->of, out);
	buffer_string(out, ": ");
	answer_claim(c->finding, out);
	if ((!type->tells_answer || !answer_awaits_model(s, c->of)) &&
		strcmp(type->id, "frozen") != 0)
		answer_activity_after(s, c->of, "; now: ", out);
	if (c->of->count > 1)
		buffer_format(
			out, "; %u more finding%s", c->of->count - 1, c->of->count == 2 ? "" : "s");
}

void cause_put_victims(const struct cause *c, const struct diagnosis *s, struct buffer *out)
{
	size_t count = put_waiting(c, s, 0, out);
	size_t named = most_named(count);

	if (!count)
		return;
	if (c->victim_count - c->alike == 1 && !c->victims[0]->count) {
		buffer_string(out, "  ");
		put_wait(s, c->victims[0], out);
		return;
	}
	buffer_format(out, "  %zu %s: ", count,
		!c->is_root  ? (count == 1 ? "more waits for the same" : "more wait for the same")
		: count == 1 ? "process waits for it"
			     : "processes wait for it, directly or through others");
	put_waiting(c, s, named, out);
	if (named < count)
		buffer_format(out, " and %zu more", count - named);
}

void cause_put_alike(const struct cause *c, const struct diagnosis *s, struct buffer *out)
{
	size_t named = most_named(c->alike);

	if (c->alike)
		buffer_format(out, "  %zu more with the same problem: ", c->alike);
	for (size_t i = 0; i < named; i++) {
		buffer_string(out, i ? ", " : "");
		answer_name(s, c->victims[c->victim_count - c->alike + i], out);
	}
	if (named < c->alike)
		buffer_format(out, " and %zu more", c->alike - named);
}

void cause_put_effect(
	const struct cause *c, const struct diagnosis *s, size_t i, struct buffer *out)
{
	assert(c);
	assert(i < c->victim_count);
	if (!peer_of(s, c->victims[i]))
		return;
	buffer_string(out, "  consequence: ");
	answer_name(s, c->victims[i], out);
	buffer_string(out, ": ");
	answer_claim(answer_worst(c->victims[i]), out);
}
