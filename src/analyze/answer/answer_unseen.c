/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/answer/answer_parts.h"

#include <stdlib.h>

#include "analyze/answer/answer_name.h"
#include "analyze/process_table/process_match.h"
#include "analyze/records.h"
#include "base/order.h"
#include "explain/registry.h"

#define GROUPS_MAX  64
#define GROUPS_TEXT 4 /* groups in the paragraph */
#define IDS_MAX	    64
#define IDS_TEXT    3 /* most check ids named per group */
#define PIDS_TEXT   8 /* most PIDs in a command line */
#define PIDS_FEW    3

NUMBER(OTHERS_SHARE, 4, NONE, "tolerates one other process per so many selected ones");

/* Checks that have no result for the same reason. */
struct group {
	enum finding_blind_cause cause;
	struct span reason;
	struct span ids[IDS_MAX];
	size_t id_count, of_one; /* of_one: rows of the current process */
	size_t processes;
	const struct diagnosed *last;
};

struct unseen {
	struct group groups[GROUPS_MAX];
	size_t count;
	unsigned duration_s; /* longest observation that a check needs */
};

static const char *const cause_words[FINDING_BLIND_CAUSES] = {
	[FINDING_FAILED] = "not done: what is needed could not be read",
	[FINDING_SHORT] = "not done: the observation is too short",
	[FINDING_YOUNG] = "not done: the process is too young",
	[FINDING_UNDECIDED] = "undecided",
	[FINDING_UNSUPPORTED] = "not possible on this system",
	[FINDING_ENDED] = "not done: the process ended before",
	[FINDING_NOT_REQUESTED] = "not requested",
	[FINDING_ON_REQUEST] = "only on request",
	[FINDING_INAPPLICABLE] = "not applicable",
};

/* Returns whether the check could only find low severity, such as an outdated program. */
static bool is_minor(const struct finding_blind_row *row)
{
	const struct finding_entry *entry =
		registry_finding_of(record_text(&row->record, &row->id));

	return entry && row->cause == FINDING_UNDECIDED && entry->severity <= FINDING_LOW &&
	       entry->type->worst <= FINDING_LOW;
}

/* Returns whether only -v and JSON have the row. */
static bool is_detail(const struct finding_blind_row *row)
{
	return row->cause == FINDING_ON_REQUEST || row->cause == FINDING_INAPPLICABLE;
}

/* Returns whether the check is open: it was requested, and this system supports it. */
static bool is_open(const struct finding_blind_row *row)
{
	return !is_minor(row) && !is_detail(row) && row->cause != FINDING_NOT_REQUESTED &&
	       row->cause != FINDING_UNSUPPORTED;
}

bool answer_is_open(const struct diagnosed *j)
{
	rows_for_each (struct finding_blind_row, row, &j->blind) {
		if (is_open(row))
			return true;
	}
	return false;
}

uint32_t answer_unseen_count(const struct diagnosis *s)
{
	uint32_t count = 0;

	for (size_t i = 0; i < s->count; i++) {
		rows_for_each (struct finding_blind_row, row, &s->all[i].blind)
			count += is_open(row);
	}
	return count;
}

/* --- grouping --- */

static struct group *group_of(struct unseen *u, enum finding_blind_cause cause, struct span reason)
{
	for (size_t i = 0; i < u->count; i++) {
		struct group *g = &u->groups[i];

		if (g->cause == cause && !span_compare(g->reason, reason))
			return g;
	}
	if (u->count == GROUPS_MAX)
		return NULL;
	u->groups[u->count] = (struct group){ .cause = cause, .reason = reason };
	return &u->groups[u->count++];
}

static void add_id(struct group *g, struct span id)
{
	for (size_t i = 0; i < g->id_count; i++) {
		if (!span_compare(g->ids[i], id))
			return;
	}
	if (g->id_count < IDS_MAX)
		g->ids[g->id_count++] = id;
}

/* Returns the seconds in "observe longer: --duration 5m". */
static unsigned duration_of(struct span remedy)
{
	unsigned value = 0, unit = remedy.size && remedy.data[remedy.size - 1] == 'm' ? 60 : 1;
	size_t i = remedy.size;

	while (i && remedy.data[i - 1] != ' ')
		i--;
	for (; i < remedy.size && remedy.data[i] >= '0' && remedy.data[i] <= '9'; i++)
		value = value * 10 + (unsigned)(remedy.data[i] - '0');
	return value * unit;
}

/* Returns whether root itself was refused, as in a container: sudo does not help there. */
static bool is_of_root(const struct diagnosis *s)
{
	return s->input.host.process_table.is_of_root;
}

/* Returns the reason. Whatever needs root has one reason, because it has one remedy; -v has each.
 */
static struct span reason_of(const struct diagnosis *s, const struct finding_blind_row *row)
{
	return row->cause == FINDING_REFUSED && !is_of_root(s)
		       ? span_of_string("missing privilege")
		       : record_text(&row->record, &row->reason);
}

static void add_unseen_checks(
	struct unseen *u, const struct diagnosis *s, const struct diagnosed *j)
{
	rows_for_each (struct finding_blind_row, row, &j->blind) {
		struct span remedy = record_text(&row->record, &row->remedy);
		struct group *g = is_detail(row) || is_minor(row)
					  ? NULL
					  : group_of(u, row->cause, reason_of(s, row));

		if (!g)
			continue;
		add_id(g, record_text(&row->record, &row->id));
		g->processes += g->last != j;
		g->last = j;
		if (row->cause == FINDING_SHORT && duration_of(remedy) > u->duration_s)
			u->duration_s = duration_of(remedy);
	}
}

static int compare_by_cause(const void *a, const void *b)
{
	const struct group *x = a, *y = b;
	int order = smaller_first(x->cause, y->cause);

	order = order ?: larger_first(x->id_count, y->id_count);
	return order ?: span_compare(x->reason, y->reason);
}

static void collect_unseen_checks(struct unseen *u, const struct diagnosis *s)
{
	*u = (struct unseen){ 0 };
	for (size_t i = 0; i < s->count; i++)
		add_unseen_checks(u, s, &s->all[i]);
	qsort(u->groups, u->count, sizeof(*u->groups), compare_by_cause);
}

static size_t count_of_groups(const struct unseen *u, enum finding_blind_cause cause)
{
	size_t count = 0;

	for (size_t i = 0; i < u->count; i++)
		count += u->groups[i].cause == cause;
	return count;
}

/* Counts the different checks without a result for this cause. */
static size_t count_of(const struct unseen *u, enum finding_blind_cause cause)
{
	struct group all = { 0 };

	for (size_t i = 0; i < u->count; i++) {
		for (size_t k = 0; u->groups[i].cause == cause && k < u->groups[i].id_count; k++)
			add_id(&all, u->groups[i].ids[k]);
	}
	return all.id_count;
}

/* --- the remedy --- */

/* Returns whether processes other than agents are diagnosed: a plain command observes agents. */
static bool has_other(const struct diagnosis *s)
{
	bool result = s->input.host.is_named || s->count - 1 <= PIDS_FEW;

	for (size_t i = 1; i < s->count; i++)
		result |= !s->all[i].process ||
			  !(s->all[i].process->agent || s->all[i].process->owner_agent);
	return result;
}

/* Returns whether all programs of the host were selected, apart from sooth and new ones. */
static bool is_whole_host(const struct diagnosis *s)
{
	size_t selected = 0, others = 0;

	process_table_for_each (&s->input.host.process_table, p) {
		if (!p->is_there || process_match_kernel(p) || p->process->state == 'Z')
			continue;
		if (diagnosis_input_is_selected(&s->input, p))
			selected++;
		else
			others++;
	}
	return others <= 1 + selected / OTHERS_SHARE;
}

/* Appends the selected processes that have no selected ancestor, if a plain command misses them. */
static void add_targets(const struct diagnosis *s, struct buffer *out)
{
	size_t end = out->size, named = 0;

	if (!has_other(s))
		return;
	if (s->count - 1 > PIDS_TEXT && is_whole_host(s)) {
		buffer_string(out, " -a");
		return;
	}
	for (size_t i = 1; i < s->count; i++) {
		if (answer_above(s, &s->all[i]))
			continue;
		buffer_format(out, " %u", s->all[i].id.pid);
		named++;
	}
	if (named > PIDS_TEXT)
		out->size = end;
}

/* Returns whether the only diagnosed process has ended. */
static bool is_over(const struct diagnosis *s)
{
	const struct ending *end =
		s->count == 2 ? endings_get(&s->input.endings, &s->all[1].id) : NULL;

	return end && end->has_end;
}

static void add_command(const struct diagnosis *s, const struct unseen *u, struct buffer *out)
{
	bool is_short = count_of(u, FINDING_SHORT) && !s->options.is_one_look;
	bool needs_root = count_of(u, FINDING_REFUSED) && !is_of_root(s);

	buffer_string(out, needs_root ? "sudo " : "");
	buffer_string(out, "sooth diagnose");
	if (is_short)
		buffer_string(out, u->duration_s >= 300	 ? " --duration 5m"
				   : u->duration_s >= 60 ? " --duration 60"
							 : " --duration 30");
	add_targets(s, out);
}

/* --- words --- */

/* Returns whether the age is the whole reason; otherwise the reason also has a measured value. */
static bool is_age_alone(const struct group *g)
{
	return span_starts(g->reason, CHECK_YOUNG_WORDS);
}

/* Appends " so far", or " so far: memory grew 20 MiB in 5 s, too early to judge". The checks that
 * need an older process are not listed. */
static void add_too_early(const struct unseen *u, struct buffer *out)
{
	size_t begin;

	buffer_string(out, " so far");
	begin = out->size;
	for (size_t i = 0; i < u->count; i++) {
		const struct group *g = &u->groups[i];

		if (g->cause == FINDING_YOUNG && !is_age_alone(g))
			buffer_format(out, "%s%.*s", out->size > begin ? "; " : ": ",
				SPAN_ARGS(g->reason));
	}
}

bool answer_unseen_is_early(const struct diagnosis *s)
{
	struct unseen u;

	collect_unseen_checks(&u, s);
	return u.count == count_of_groups(&u, FINDING_YOUNG) &&
	       count_of(&u, FINDING_YOUNG) <= IDS_TEXT;
}

void answer_unseen_headline(const struct diagnosis *s, struct buffer *out)
{
	struct unseen u;

	collect_unseen_checks(&u, s);
	for (unsigned cause = 0; cause < FINDING_BLIND_CAUSES; cause++) {
		size_t count = count_of(&u, cause);
		bool is_calls = cause == FINDING_NOT_REQUESTED;
		bool is_final = cause == FINDING_REFUSED && is_of_root(s);

		if (!count || cause == FINDING_UNSUPPORTED)
			continue;
		if (is_calls)
			buffer_string(out, "; system calls were not checked: ");
		else if (cause == FINDING_REFUSED && !is_final)
			buffer_string(out, " in what could be checked");
		else if (cause == FINDING_YOUNG)
			add_too_early(&u, out);
		else
			buffer_format(out, " in what could be checked; %zu check%s %s", count,
				count == 1 ? " was" : "s were",
				is_final ? "refused, even to root" : cause_words[cause]);
		if (cause == FINDING_SHORT)
			buffer_string(out, "; ");
		if (cause == FINDING_SHORT || is_calls)
			add_command(s, &u, out);
		return;
	}
}

/* Appends "fd-leak, watch-flood and 3 more: permission denied (4 processes)". */
static void add_group(const struct group *g, struct buffer *out)
{
	size_t shown = g->id_count > IDS_TEXT ? IDS_TEXT : g->id_count;

	buffer_string(out, out->size ? "; " : "");
	for (size_t i = 0; i < shown; i++)
		buffer_format(out, "%s%.*s", i ? ", " : "", SPAN_ARGS(g->ids[i]));
	if (g->id_count > shown)
		buffer_format(out, " and %zu more", g->id_count - shown);
	buffer_format(out, ": %.*s", SPAN_ARGS(g->reason));
	if (g->processes > 1)
		buffer_format(out, " (%zu processes)", g->processes);
}

void answer_unseen(const struct diagnosis *s, struct buffer *paragraph, struct buffer *remedy)
{
	struct unseen u;
	size_t calls, shown = 0, left = 0;

	collect_unseen_checks(&u, s);
	calls = count_of(&u, FINDING_NOT_REQUESTED);
	for (size_t i = 0; i < u.count; i++) {
		/* A young process is no gap that the user could close: only -v has it. */
		if (u.groups[i].cause == FINDING_NOT_REQUESTED ||
			(u.groups[i].cause == FINDING_YOUNG && is_age_alone(&u.groups[i])))
			continue;
		if (shown < GROUPS_TEXT)
			add_group(&u.groups[i], paragraph);
		left += shown >= GROUPS_TEXT;
		shown++;
	}
	if (left)
		buffer_format(paragraph, "; %zu other reason%s (-v)", left, left == 1 ? "" : "s");
	if (calls)
		buffer_format(paragraph,
			"%s%zu check%s of system calls, stacks and exits: not requested",
			paragraph->size ? "; " : "", calls, calls == 1 ? "" : "s");
	if (!is_over(s) && (calls || count_of(&u, FINDING_SHORT) ||
				   (count_of(&u, FINDING_REFUSED) && !is_of_root(s))))
		add_command(s, &u, remedy);
}
