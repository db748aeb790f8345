/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/phases/phase_answer.h"

#include "base/sentence_units.h"

#define LABEL_MOST 40 /* bytes of the command of a tool */

/* States that count as one, in words. */
static const struct {
	const char *words;
	enum activity_state states[2];
	bool names_tool;
} parts[] = {
	{ "waited for the model", { ACTIVITY_WAITS_FOR_MODEL }, false },
	{ "asked the model again", { ACTIVITY_ASKS_AGAIN }, false },
	{ "ran tools", { ACTIVITY_RUNS_TOOL }, true },
	{ "waited for MCP servers", { ACTIVITY_TALKS_TO_MCP }, true },
	{ "computed", { ACTIVITY_COMPUTES }, false },
	{ "started", { ACTIVITY_STARTS }, false },
	{ "waited for you", { ACTIVITY_WAITS_FOR_USER }, false },
	{ "stopped", { ACTIVITY_STOPPED }, false },
	{ "not known", { ACTIVITY_UNKNOWN }, false },
};
#define PARTS (sizeof(parts) / sizeof(parts[0]))

static uint64_t time_of(const struct phase_sums *s, size_t part)
{
	const enum activity_state *states = parts[part].states;
	uint64_t ns = s->states[states[0]].total_ns;

	return states[1] ? ns + s->states[states[1]].total_ns : ns;
}

/* The one that took most time in all. */
static const struct phase_tool_sum *longest_tool(
	const struct phase_sums *s, enum activity_state state)
{
	const struct phase_tool_sum *best = NULL;
	size_t position = 0;
	void *value;

	while (map_next(&s->tools, &position, NULL, &value)) {
		const struct phase_tool_sum *one = value;

		if (one->state == state && (!best || one->all.total_ns > best->all.total_ns))
			best = one;
	}
	return best;
}

static void write_tool(struct buffer *out, const struct phase_sums *s,
	const struct phase_history *h, enum activity_state state)
{
	const struct phase_tool_sum *tool = longest_tool(s, state);
	const char *text = tool ? phase_label_text(phase_label_of(h, tool->label)) : "";
	size_t size = 0;
	char time[UNITS_SIZE];

	if (!*text)
		return;
	while (text[size] && size < LABEL_MOST)
		size++;
	buffer_format(out, " (%.*s%s %s)", (int)size, text, text[size] ? "..." : "",
		sentence_duration(time, tool->all.total_ns));
}

static void write_period(
	struct buffer *out, const struct phase_sums *s, const struct phase_history *h)
{
	const struct phase_selection *sel = &h->selection;
	uint64_t length = sel->from_utc_ns && sel->to_utc_ns ? sel->to_utc_ns - sel->from_utc_ns
							     : s->end_utc_ns - s->begin_utc_ns;
	char time[UNITS_SIZE];

	if (sel->from_utc_ns && length == 3600 * NS_PER_S)
		buffer_string(out, "last hour");
	else if (sel->from_utc_ns && length == 86400 * NS_PER_S)
		buffer_string(out, "last day");
	else
		buffer_format(out, "%s %s", sel->from_utc_ns ? "last" : "in",
			sentence_duration(time, length));
	buffer_format(out, ", %zu session%s", s->sessions.count, s->sessions.count == 1 ? "" : "s");
}

void phase_answer_write(
	struct buffer *out, const struct phase_sums *s, const struct phase_history *h)
{
	uint64_t idle = s->states[ACTIVITY_IDLE].total_ns, worked = s->all.total_ns - idle;
	const char *separator = ": ";
	char time[UNITS_SIZE];

	write_period(out, s, h);
	for (size_t i = 0; i < PARTS; i++) {
		uint64_t ns = time_of(s, i);
		double percent = worked ? 100.0 * (double)ns / (double)worked : 0;

		if (percent < 0.5)
			continue;
		buffer_format(out, "%s%.0f %% %s", separator, percent, parts[i].words);
		if (parts[i].names_tool)
			write_tool(out, s, h, parts[i].states[0]);
		separator = ", ";
	}
	if (idle)
		buffer_format(
			out, "%sidle for %s", worked ? "; " : ": ", sentence_duration(time, idle));
}
