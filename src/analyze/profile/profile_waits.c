/* SPDX-License-Identifier: BSD-2-Clause */
/* Waits of threads as a table: how long threads of each role did not run, why, in which function,
 * and which thread woke them. The function is the innermost outside of kernel and C library, which
 * its user can change. */
#include <stdio.h>
#include <string.h>

#include "analyze/profile/profile_sums.h"
#include "analyze/profile/profile_table.h"
#include "analyze/profile/wait_places.h"
#include "analyze/records.h"
#include "base/cleanup.h"
#include "base/map_sorted.h"
#include "base/order.h"
#include "explain/stage.h"
#include "model/row_list.h"
#include "model/schema.h"

#define PLACES_MAX  (1u << 18)
#define THREADS_MAX (1u << 16)
#define ROWS_SHOWN  25

#define SUMMARY_ROW(F, S)                                                                          \
	F(S, NAMED, U64, waits, wait_count, ALWAYS, "number of recorded waits",                    \
		.merge = SOOTH_MERGE_SUM)                                                          \
	F(S, U64, waited_ns, ALWAYS, "time of all threads together in these waits",                \
		.label = "WAITED", .unit = SOOTH_UNIT_NS, .merge = SOOTH_MERGE_SUM)                \
	F(S, U64, threads, ALWAYS, "threads that waited", .merge = SOOTH_MERGE_SUM)                \
	F(S, U64, open, ALWAYS, "waits that had not ended when the observation did",               \
		.merge = SOOTH_MERGE_SUM)                                                          \
	F(S, NAMED, REAL, whole_percent, whole_stacks_percent, MAYBE(whole_state),                 \
		"waits with a stack down to the entry of the thread", .label = "WHOLE STACKS",     \
		.unit = SOOTH_UNIT_PERCENT, .decimals = 1)

ROW_TABLE(summary, SUMMARY_ROW, "waiting", wait_summary_row,
	.line = "{wait_count wait}, {waited_ns} together, of {threads thread}[; whole stacks: "
		"{whole_stacks_percent} %]");

#define PLACE_ROW(F, S)                                                                            \
	F(S, REAL, percent, ALWAYS, "share of the time of all waits", .label = "SHARE",            \
		.unit = SOOTH_UNIT_PERCENT, .decimals = 1)                                         \
	F(S, U64, waited_ns, ALWAYS, "time in these waits", .label = "WAITED",                     \
		.unit = SOOTH_UNIT_NS, .merge = SOOTH_MERGE_SUM)                                   \
	F(S, NAMED, U64, waits, wait_count, ALWAYS, "number of these waits", .label = "WAITS",     \
		.merge = SOOTH_MERGE_SUM)                                                          \
	F(S, U64, longest_ns, ALWAYS, "longest of these waits", .label = "LONGEST",                \
		.unit = SOOTH_UNIT_NS, .merge = SOOTH_MERGE_MAX)                                   \
	F(S, TEXT, role, ALWAYS, "role of the threads, or their name", .is_key = true)             \
	F(S, ENUM8, reason, ALWAYS,                                                                \
		"what they waited for, by the system call; preempted: they could have run",        \
		.names = &wait_reason_names)                                                       \
	F(S, TEXT, call, MAYBE(call_state), "system call in which the threads waited",             \
		.is_key = true)                                                                    \
	WAIT_PLACE_FIELDS(F, S)                                                                    \
	F(S, TEXT, waker, MAYBE(waker_state),                                                      \
		"thread that woke the threads most of the time: name and process id",              \
		.may_shrink = true)

ROW_TABLE(place, PLACE_ROW, "waits_by_function", wait_place_row);

static const struct sooth_schema *const tables[] = { &summary_schema, &place_schema, NULL };

static const struct section summary_section = SECTION_OF("waiting", summary_schema, OBJECT);
static const struct section place_section = SECTION_OF("waits_by_function", place_schema, TABLE,
	.title = "waits", .if_empty = "no waits were recorded", .rows_most = ROWS_SHOWN);

/* A stack as recorded: stacks are resolved at the end. */
struct stack_key {
	struct wait_key wait;
	uint32_t role, unused;
};

struct wait_sum {
	uint64_t waits, waited_ns, longest_ns;
	/* thread that woke it, by a majority vote weighted by time */
	uint32_t waker, waker_pid; /* number of a name; 0: none */
	uint64_t waker_ns;
};

struct place_key {
	uint32_t role, function, file;
	uint32_t number, abi;
	uint32_t reason;
};

struct place {
	struct place_key key;
	struct wait_sum sum;
};

struct waits_state {
	struct profile_view view;
	struct map stacks;  /* struct stack_key -> struct wait_sum */
	struct map places;  /* struct place_key -> struct place */
	struct map threads; /* uint32_t tid: set of threads */
	uint64_t waits, waited_ns, open, whole, old;
};

static int init(void *state, struct output *output, const void *options, struct sooth_error *err)
{
	struct waits_state *s = state;

	(void)err;
	profile_view_init(&s->view, output, options);
	map_init(&s->stacks, sizeof(struct stack_key), sizeof(struct wait_sum), PLACES_MAX);
	map_init(&s->places, sizeof(struct place_key), sizeof(struct place), PLACES_MAX);
	map_init(&s->threads, sizeof(uint32_t), 0, THREADS_MAX);
	return 0;
}

/* --- sums --- */

static void count_waker(struct wait_sum *s, uint32_t waker, uint32_t pid, uint64_t ns)
{
	if (s->waker == waker && s->waker_pid == pid) {
		s->waker_ns += ns;
	} else if (s->waker_ns < ns) {
		s->waker = waker;
		s->waker_pid = pid;
		s->waker_ns = ns - s->waker_ns;
	} else {
		s->waker_ns -= ns;
	}
}

static void add_wait(struct waits_state *s, const struct profile_wait *w)
{
	struct profile_sample sample = profile_sample_of_wait(w);
	struct span role = profile_role_of(&sample);
	struct stack_key key = { wait_key_of(w), names_put(&s->view.sums.names, role, NULL), 0 };
	uint32_t waker =
		w->waker_state
			? 0
			: names_put(&s->view.sums.names,
				  span_of(w->waker, strnlen(w->waker, PROFILE_NAME_BYTES)), NULL);
	struct wait_sum *sum;

	if (!profile_view_has(&s->view, role))
		return;
	sum = map_put(&s->stacks, &key, NULL);
	s->waits++;
	s->waited_ns += w->waited_ns;
	s->open += (w->flags & PROFILE_WAIT_OPEN) != 0;
	s->old += (w->flags & PROFILE_WAIT_OLD) != 0;
	map_put(&s->threads, &w->record.tid, NULL);
	if (!sum)
		return;
	sum->waits++;
	sum->waited_ns += w->waited_ns;
	if (w->waited_ns > sum->longest_ns)
		sum->longest_ns = w->waited_ns;
	count_waker(sum, waker, w->waker_state ? 0 : w->waker_pid, w->waited_ns);
}

static int push(void *state, const struct batch *batch, struct sooth_error *err)
{
	struct waits_state *s = state;

	(void)err;
	profile_sums_add_batch(&s->view.sums, batch);
	batch_for_each (r, batch) {
		const struct profile_wait *w = record_as(r, PROFILE_WAIT, sizeof(*w));

		if (w)
			add_wait(s, w);
	}
	return 0;
}

/* --- places --- */

static void add_sum(struct wait_sum *to, const struct wait_sum *from)
{
	to->waits += from->waits;
	to->waited_ns += from->waited_ns;
	if (from->longest_ns > to->longest_ns)
		to->longest_ns = from->longest_ns;
	count_waker(to, from->waker, from->waker_pid, from->waker_ns);
}

static void sum_stacks_by_place(struct waits_state *s)
{
	map_for_each (&s->stacks, const struct stack_key *, key, const struct wait_sum *, sum) {
		struct wait_place found = wait_place_of(&s->view.sums, key->wait.stack);
		struct place_key at = { .role = key->role,
			.function = found.function,
			.file = found.file,
			.number = key->wait.number,
			.abi = key->wait.abi,
			.reason = key->wait.reason };
		struct place *place;

		s->whole += found.is_whole ? sum->waits : 0;
		place = map_put(&s->places, &at, NULL);
		if (!place)
			continue;
		place->key = at;
		add_sum(&place->sum, sum);
	}
}

/* --- rows --- */

static int compare_by_time(const void *left, const void *right)
{
	const struct place *a = left, *b = right;

	return larger_first(a->sum.waited_ns, b->sum.waited_ns)
		       ?: memcmp(&a->key, &b->key, sizeof(a->key));
}

static int emit_place(struct waits_state *s, const struct place *p, struct sooth_error *err)
{
	struct wait_place_row row = { .percent = s->waited_ns ? 100.0 * (double)p->sum.waited_ns /
									(double)s->waited_ns
							      : 0,
		.waited_ns = p->sum.waited_ns,
		.waits = p->sum.waits,
		.longest_ns = p->sum.longest_ns,
		.reason = (uint8_t)p->key.reason,
		.waker_state = state_if(p->sum.waker_pid) };
	char call[SYSCALL_NAME_SIZE], waker[48] = "";
	struct span name = names_get(&s->view.sums.names, p->sum.waker);

	row.call_state = wait_call_text(p->key.abi, p->key.number, call);
	if (p->sum.waker_pid)
		snprintf(waker, sizeof(waker), "%.*s (%u)", SPAN_ARGS(name), p->sum.waker_pid);
	struct record_tail tail[] = { tail_span(&row.role,
					      names_get(&s->view.sums.names, p->key.role)),
		tail_string(&row.call, call),
		tail_span(&row.function, names_get(&s->view.sums.names, p->key.function)),
		tail_span(&row.file, names_get(&s->view.sums.names, p->key.file)),
		tail_string(&row.waker, waker) };

	if (row.percent < 100 * s->view.options.least_share)
		return 0;
	return OUTPUT_ROW(s->view.output, &row, tail, ARRAY_SIZE(tail), err);
}

static int emit_places(struct waits_state *s, struct sooth_error *err)
{
	_cleanup_free_ struct place *sorted = map_sorted(&s->places, compare_by_time);
	int status = output_section(s->view.output, &place_section, err);

	if (!sorted)
		return error_no_memory(err);
	for (size_t i = 0; i < s->places.count && !status; i++)
		status = emit_place(s, &sorted[i], err);
	return status;
}

static int finish(void *state, struct sooth_error *err)
{
	struct waits_state *s = state;
	struct wait_summary_row row;
	int status;

	sum_stacks_by_place(s);
	wait_report_old_waits(s->view.output, s->old);
	row = (struct wait_summary_row){ .waits = s->waits,
		.waited_ns = s->waited_ns,
		.threads = s->threads.count,
		.open = s->open,
		.whole_percent = s->waits ? 100.0 * (double)s->whole / (double)s->waits : 0,
		.whole_state = state_if(s->waits) };
	status = OUTPUT_OBJECT(s->view.output, &summary_section, &row, NULL, 0, err);
	return status ?: emit_places(s, err);
}

static void fini(void *state)
{
	struct waits_state *s = state;

	profile_sums_fini(&s->view.sums);
	map_fini(&s->stacks);
	map_fini(&s->places);
	map_fini(&s->threads);
}

const struct stage_type stage_profile_waits = {
	.name = "profile-waits",
	.help = "waits of threads by function, reason and what woke them",
	.probe = "profile",
	.of_kind = PROFILE_WAIT,
	.shows = "profile",
	.tables = tables,
	STAGE_FUNCTIONS(struct waits_state),
};
