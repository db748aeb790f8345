/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/phases/phase_sums.h"

#include <sooth/field.h>

#define SESSIONS_MAX 65536
#define TOOLS_MAX    65536
/* Longest gap within a phase: the clock may have been set, or the observer restarted. */
#define JOIN_NS 5000000000ull

struct tool_key {
	uint32_t label, state;
};

/* --- whole phases --- */

static uint64_t larger_of(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static void join_phases(struct phase_piece *to, const struct phase_piece *more)
{
	to->end_utc_ns = more->end_utc_ns;
	to->cpu_ns += more->cpu_ns;
	to->own_cpu_ns += more->own_cpu_ns;
	to->rss_bytes = larger_of(to->rss_bytes, more->rss_bytes);
	to->written_bytes += more->written_bytes;
	to->read_bytes += more->read_bytes;
	to->io_calls += more->io_calls;
	to->io_state = to->io_state ? to->io_state : more->io_state;
	to->turns += more->turns;
	to->input_tokens += more->input_tokens;
	to->output_tokens += more->output_tokens;
	to->flags |= more->flags;
	to->cpu_state |= more->cpu_state;
	to->written_state = to->written_state ? to->written_state : more->written_state;
	if (more->tokens_state == SOOTH_STATE_VALUE)
		to->tokens_state = SOOTH_STATE_VALUE;
	if (more->context_state == SOOTH_STATE_VALUE) {
		to->context_state = SOOTH_STATE_VALUE;
		to->context_tokens = more->context_tokens;
	}
}

static bool is_continued(const struct phase_piece *last, const struct phase_piece *p)
{
	return !(p->flags & PHASE_BEGINS) && last->state == p->state && last->label == p->label &&
	       p->begin_utc_ns + JOIN_NS >= last->end_utc_ns &&
	       p->begin_utc_ns <= last->end_utc_ns + JOIN_NS;
}

static void make_phases(struct phase_sums *s, const struct phase_history *h)
{
	size_t count;
	const struct phase_piece *all = phase_pieces(h, &count);
	struct map last; /* uint32_t session -> size_t: place of its last phase */

	map_init(&last, sizeof(uint32_t), sizeof(size_t), SESSIONS_MAX);
	for (size_t i = 0; i < count; i++) {
		bool is_new;
		size_t *place = map_put(&last, &all[i].agent, &is_new);
		struct phase_piece *before =
			place && !is_new ? (struct phase_piece *)(void *)s->phases.data + *place
					 : NULL;

		if (before && is_continued(before, &all[i])) {
			join_phases(before, &all[i]);
			continue;
		}
		if (place)
			*place = s->phases.size / sizeof(struct phase_piece);
		buffer_append(&s->phases, &all[i], sizeof(all[i]));
	}
	if (buffer_failed(&s->phases))
		s->refused += count;
	map_fini(&last);
}

/* --- sums --- */

static void add_phase(struct phase_sum *sum, const struct phase_piece *p)
{
	uint64_t length = p->end_utc_ns > p->begin_utc_ns ? p->end_utc_ns - p->begin_utc_ns : 0;

	sum->count++;
	sum->total_ns += length;
	sum->longest_ns = larger_of(sum->longest_ns, length);
	sum->cpu_ns += p->cpu_ns;
	sum->own_cpu_ns += p->own_cpu_ns;
	sum->rss_bytes = larger_of(sum->rss_bytes, p->rss_bytes);
	sum->written_bytes += p->written_bytes;
	sum->read_bytes += p->read_bytes;
	sum->io_calls += p->io_calls;
	if (p->io_state != SOOTH_STATE_VALUE) {
		sum->lacks_io = true;
		sum->io_state = p->io_state;
	}
	sum->is_cpu_least |= p->cpu_state == SOOTH_STATE_TRUNCATED;
	if (p->written_state != SOOTH_STATE_VALUE) {
		sum->lacks_written = true;
		sum->written_state = p->written_state;
	}
	if (p->tokens_state != SOOTH_STATE_VALUE) {
		sum->tokens_state = p->tokens_state;
		return;
	}
	sum->has_tokens = true;
	sum->turns += p->turns;
	sum->input_tokens += p->input_tokens;
	sum->output_tokens += p->output_tokens;
}

static void add_to_session(struct phase_sums *s, const struct phase_piece *p)
{
	bool is_new;
	struct phase_session_sum *one = map_put(&s->sessions, &p->agent, &is_new);

	if (!one) {
		s->refused++;
		return;
	}
	if (is_new) {
		one->agent = p->agent;
		one->begin_utc_ns = p->begin_utc_ns;
		one->context_state = p->context_state;
	}
	add_phase(&one->all, p);
	add_phase(&one->states[p->state], p);
	one->end_utc_ns = larger_of(one->end_utc_ns, p->end_utc_ns);
	one->has_ended |= (p->flags & PHASE_IS_LAST) != 0;
	if (p->context_state == SOOTH_STATE_VALUE) {
		one->context_state = SOOTH_STATE_VALUE;
		one->context_tokens = p->context_tokens;
	}
}

static bool is_tool_state(uint8_t state)
{
	return state == ACTIVITY_RUNS_TOOL || state == ACTIVITY_TALKS_TO_MCP ||
	       state == ACTIVITY_WAITS_FOR_USER;
}

static void add_to_tool(struct phase_sums *s, const struct phase_piece *p)
{
	struct tool_key key = { p->label, p->state };
	struct phase_tool_sum *one =
		is_tool_state(p->state) ? map_put(&s->tools, &key, NULL) : NULL;

	if (!one)
		return;
	one->label = p->label;
	one->state = p->state;
	add_phase(&one->all, p);
}

void phase_sums_make(struct phase_sums *s, const struct phase_history *h)
{
	*s = (struct phase_sums){ 0 };
	map_init(&s->sessions, sizeof(uint32_t), sizeof(struct phase_session_sum), SESSIONS_MAX);
	map_init(&s->tools, sizeof(struct tool_key), sizeof(struct phase_tool_sum), TOOLS_MAX);
	make_phases(s, h);
	buffer_each (const struct phase_piece, phase, &s->phases) {
		add_phase(&s->all, phase);
		add_phase(&s->states[phase->state], phase);
		add_to_session(s, phase);
		add_to_tool(s, phase);
		if (!s->begin_utc_ns || phase->begin_utc_ns < s->begin_utc_ns)
			s->begin_utc_ns = phase->begin_utc_ns;
		s->end_utc_ns = larger_of(s->end_utc_ns, phase->end_utc_ns);
	}
}

void phase_sums_fini(struct phase_sums *s)
{
	buffer_fini(&s->phases);
	map_fini(&s->sessions);
	map_fini(&s->tools);
}
