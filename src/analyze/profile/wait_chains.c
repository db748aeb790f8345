/* SPDX-License-Identifier: BSD-2-Clause */
/* Chains of waits: from a wait to the thread that ended it, then to the wait of that thread in the
 * meantime, and so on. The next wait is the one that covers most of this wait; if none covers half
 * of it, the thread was running. If there is no room for more waits, later ones are left out and
 * counted. */
#include <stdlib.h>
#include <string.h>

#include "analyze/profile/profile_sums.h"
#include "analyze/profile/profile_table.h"
#include "analyze/profile/wait_places.h"
#include "analyze/records.h"
#include "base/cleanup.h"
#include "base/order.h"
#include "explain/stage.h"
#include "model/row_list.h"
#include "model/schema.h"

#define WAITS_BYTES_MAX (64u << 20)
#define CHAINS_MAX	(1u << 16)
#define LINKS_MAX	8
#define ROWS_SHOWN	20
#define BETWEEN		" < "

#define CHAIN_ROW(F, S)                                                                            \
	F(S, U64, waited_ns, ALWAYS, "time of these waits", .label = "WAITED",                     \
		.unit = SOOTH_UNIT_NS, .merge = SOOTH_MERGE_SUM)                                   \
	F(S, NAMED, U64, waits, wait_count, ALWAYS, "number of these waits", .label = "WAITS",     \
		.merge = SOOTH_MERGE_SUM)                                                          \
	F(S, U64, longest_ns, ALWAYS, "longest of them", .label = "LONGEST",                       \
		.unit = SOOTH_UNIT_NS, .merge = SOOTH_MERGE_MAX)                                   \
	F(S, TEXT, wait_chain, ALWAYS,                                                             \
		"thread and what it waited for, then the thread that ended the wait and what "     \
		"that waited for meanwhile, up to the one that ran",                               \
		.label = "CHAIN", .is_key = true, .may_shrink = true)                              \
	F(S, TEXTS, links, ALWAYS, "the parts of `wait_chain`, one by one", .is_hidden = true)

ROW_TABLE(chain, CHAIN_ROW, "wait_chains", chain_row);
static const struct sooth_schema *const tables[] = { &chain_schema, NULL };

static const struct section chain_section = SECTION_OF("wait_chains", chain_schema, TABLE,
	.title = "waits that another thread ended, and what that thread waited for meanwhile",
	.if_empty = "no wait was ended by another thread in a system call",
	.rows_most = ROWS_SHOWN);

struct kept_wait {
	uint64_t from_ns, to_ns;
	struct wait_key key;
	uint32_t tid, waker_tid;       /* waker_tid: 0: not known */
	uint32_t process, role, waker; /* names in sums.names */
	uint32_t unused;
};

struct chain_sum {
	uint64_t waits, waited_ns, longest_ns;
};

struct chains_state {
	struct profile_view view;
	struct buffer waits; /* struct kept_wait */
	struct map threads;  /* uint32_t tid -> struct range of waits */
	struct map chains;   /* uint32_t, in sums.names -> struct chain_sum */
	uint64_t left_out;
};

struct range {
	uint32_t from, to;
};

static int init(void *state, struct output *output, const void *options, struct sooth_error *err)
{
	struct chains_state *s = state;

	(void)err;
	profile_view_init(&s->view, output, options);
	s->waits.limit = WAITS_BYTES_MAX;
	map_init(&s->threads, sizeof(uint32_t), sizeof(struct range), CHAINS_MAX);
	map_init(&s->chains, sizeof(uint32_t), sizeof(struct chain_sum), CHAINS_MAX);
	return 0;
}

static uint32_t name_of(struct chains_state *s, const char *text)
{
	return names_put(
		&s->view.sums.names, span_of(text, strnlen(text, PROFILE_NAME_BYTES)), NULL);
}

static void keep_wait(struct chains_state *s, const struct profile_wait *w)
{
	struct profile_sample sample = profile_sample_of_wait(w);
	struct kept_wait kept = { .from_ns = w->record.time_ns - w->waited_ns,
		.to_ns = w->record.time_ns,
		.key = wait_key_of(w),
		.tid = w->record.tid,
		.waker_tid = w->waker_state ? 0 : w->waker_tid,
		.process = name_of(s, w->process),
		.role = names_put(&s->view.sums.names, profile_role_of(&sample), NULL),
		.waker = w->waker_state ? 0 : name_of(s, w->waker) };

	if (s->waits.size + sizeof(kept) > s->waits.limit)
		s->left_out++;
	else
		buffer_append(&s->waits, &kept, sizeof(kept));
}

static int push(void *state, const struct batch *batch, struct sooth_error *err)
{
	struct chains_state *s = state;

	profile_sums_add_batch(&s->view.sums, batch);
	batch_for_each (r, batch) {
		const struct profile_wait *w = record_as(r, PROFILE_WAIT, sizeof(*w));

		if (w)
			keep_wait(s, w);
	}
	return buffer_failed(&s->waits) ? error_no_memory(err) : 0;
}

/* --- by thread --- */

static int compare_by_thread(const void *left, const void *right)
{
	const struct kept_wait *a = left, *b = right;

	return smaller_first(a->tid, b->tid) ?: smaller_first(a->to_ns, b->to_ns);
}

static void sort_waits(struct chains_state *s)
{
	struct kept_wait *all = (void *)s->waits.data;
	uint32_t count = (uint32_t)(s->waits.size / sizeof(*all)), to;

	if (count)
		qsort(all, count, sizeof(*all), compare_by_thread);
	for (uint32_t from = 0; from < count; from = to) {
		struct range *range = map_put(&s->threads, &all[from].tid, NULL);

		for (to = from; to < count && all[to].tid == all[from].tid; to++)
			;
		if (range)
			*range = (struct range){ from, to };
	}
}

/* Returns the first wait of a thread that ends after `ns`; waits of a thread do not overlap. */
static uint32_t first_behind(const struct kept_wait *all, struct range range, uint64_t ns)
{
	while (range.from < range.to) {
		uint32_t middle = range.from + (range.to - range.from) / 2;

		if (all[middle].to_ns > ns)
			range.to = middle;
		else
			range.from = middle + 1;
	}
	return range.from;
}

/* Returns the waker's wait that covers most of this wait; NULL: the waker ran or is not
 * observed. */
static const struct kept_wait *next_of(const struct chains_state *s, const struct kept_wait *w)
{
	const struct kept_wait *all = (const void *)s->waits.data, *best = NULL;
	const struct range *range = map_get(&s->threads, &w->waker_tid);
	uint64_t most = (w->to_ns - w->from_ns) / 2;

	if (!range)
		return NULL;
	for (uint32_t i = first_behind(all, *range, w->from_ns);
		i < range->to && all[i].from_ns < w->to_ns; i++) {
		uint64_t from = all[i].from_ns > w->from_ns ? all[i].from_ns : w->from_ns;
		uint64_t to = all[i].to_ns < w->to_ns ? all[i].to_ns : w->to_ns;

		if (to - from >= most) {
			most = to - from;
			best = &all[i];
		}
	}
	return best;
}

/* --- chains --- */

static void put_name(const struct chains_state *s, uint32_t name, struct buffer *out)
{
	struct span text = names_get(&s->view.sums.names, name);

	buffer_append(out, text.data, text.size);
}

/* Writes "bash: child wait4 in waitchld". */
static void put_wait(struct chains_state *s, const struct kept_wait *w, struct buffer *out)
{
	struct wait_place place = wait_place_of(&s->view.sums, w->key.stack);
	char call[SYSCALL_NAME_SIZE];

	put_name(s, w->process, out);
	if (w->role != w->process && !span_equal(names_get(&s->view.sums.names, w->role), "main")) {
		buffer_char(out, '/');
		put_name(s, w->role, out);
	}
	buffer_format(out, ": %s", wait_reason_names.names[w->key.reason]);
	if (wait_call_text(w->key.abi, w->key.number, call) == SOOTH_STATE_VALUE)
		buffer_format(out, " %s", call);
	if (place.is_known) {
		buffer_string(out, " in ");
		put_name(s, place.function, out);
	}
}

/* Writes the thread that ended the last wait of the chain, and that did not wait itself. */
static void put_end(struct chains_state *s, const struct kept_wait *w, struct buffer *out)
{
	put_name(s, w->waker, out);
	buffer_string(out, map_get(&s->threads, &w->waker_tid) ? ": running" : ": not observed");
}

/* Writes the parts of a chain, each followed by NUL. */
static void put_chain(struct chains_state *s, const struct kept_wait *w, struct buffer *links)
{
	for (size_t count = 0; w && count < LINKS_MAX; count++) {
		const struct kept_wait *next = w->waker_tid ? next_of(s, w) : NULL;

		put_wait(s, w, links);
		buffer_char(links, 0);
		if (!next && w->waker_tid) {
			put_end(s, w, links);
			buffer_char(links, 0);
		}
		w = next;
	}
}

static void add_chain(struct chains_state *s, const struct kept_wait *w, struct buffer *links)
{
	uint64_t ns = w->to_ns - w->from_ns;
	struct chain_sum *sum;
	uint32_t name;

	buffer_reset(links);
	put_chain(s, w, links);
	name = names_put(
		&s->view.sums.names, span_of((const char *)links->data, links->size), NULL);
	sum = name == NAMES_NONE ? NULL : map_put(&s->chains, &name, NULL);
	if (!sum)
		return;
	sum->waits++;
	sum->waited_ns += ns;
	if (ns > sum->longest_ns)
		sum->longest_ns = ns;
}

static void find_chains(struct chains_state *s)
{
	const struct kept_wait *all = (const void *)s->waits.data;
	size_t count = s->waits.size / sizeof(*all);
	_cleanup_(buffer_fini) struct buffer links = { 0 };

	for (size_t i = 0; i < count; i++) {
		if (!all[i].waker_tid ||
			(s->view.options.role &&
				!span_equal(names_get(&s->view.sums.names, all[i].role),
					s->view.options.role)))
			continue;
		add_chain(s, &all[i], &links);
	}
}

/* --- rows --- */

struct chain {
	uint32_t name;
	struct chain_sum sum;
};

static int compare_by_time(const void *left, const void *right)
{
	const struct chain *a = left, *b = right;

	return larger_first(a->sum.waited_ns, b->sum.waited_ns) ?: smaller_first(a->name, b->name);
}

static void put_text(struct span links, struct buffer *out)
{
	buffer_reset(out);
	for (size_t i = 0; i + 1 < links.size; i++) {
		if (links.data[i])
			buffer_char(out, links.data[i]);
		else
			buffer_string(out, BETWEEN);
	}
}

static int emit_chain(
	struct chains_state *s, const struct chain *c, struct buffer *text, struct sooth_error *err)
{
	struct span links = names_get(&s->view.sums.names, c->name);
	struct chain_row row = { .waited_ns = c->sum.waited_ns,
		.waits = c->sum.waits,
		.longest_ns = c->sum.longest_ns };
	struct record_tail tail[2];

	put_text(links, text);
	tail[0] = tail_buffer(&row.wait_chain, text);
	tail[1] = tail_span(&row.links, links);
	return OUTPUT_ROW(s->view.output, &row, tail, ARRAY_SIZE(tail), err);
}

static int finish(void *state, struct sooth_error *err)
{
	struct chains_state *s = state;
	_cleanup_(buffer_fini) struct buffer text = { 0 };
	size_t count = 0;
	int status;

	sort_waits(s);
	find_chains(s);
	_cleanup_free_ struct chain *sorted = calloc(s->chains.count + 1, sizeof(*sorted));
	if (!sorted)
		return error_no_memory(err);
	map_for_each (&s->chains, const uint32_t *, name, const struct chain_sum *, sum)
		sorted[count++] = (struct chain){ *name, *sum };
	qsort(sorted, count, sizeof(*sorted), compare_by_time);
	if (s->left_out)
		output_limit(s->view.output, "chains of the last waits",
			"there were more waits than sooth can keep one by one",
			"a longer --min-wait records fewer waits");
	status = output_section(s->view.output, &chain_section, err);
	for (size_t i = 0; i < count && !status; i++)
		status = emit_chain(s, &sorted[i], &text, err);
	return status;
}

static void fini(void *state)
{
	struct chains_state *s = state;

	profile_sums_fini(&s->view.sums);
	buffer_fini(&s->waits);
	map_fini(&s->threads);
	map_fini(&s->chains);
}

const struct stage_type stage_wait_chains = {
	.name = "wait-chains",
	.help = "waits that another thread ended, and what that thread waited for meanwhile",
	.probe = "profile",
	.of_kind = PROFILE_WAIT,
	.shows = "profile",
	.tables = tables,
	STAGE_FUNCTIONS(struct chains_state),
};
