/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/activity/urgency.h"

#include <assert.h>
#include <math.h>

#include "analyze/activity/activity.h"
#include "base/units.h"

/* `sooth top` colors this activity after the same time. */
#define MODEL_SILENT_NS (30 * NS_PER_S)
#define TOOL_SILENT_NS	(60 * NS_PER_S)
#define CPU_STEP	5 /* percent of one processor: less is noise between two samples */

static const char *const names[URGENCIES] = {
	[URGENCY_NEEDS_YOU] = "needs_you",
	[URGENCY_SICK] = "sick",
	[URGENCY_SILENT] = "silent",
	[URGENCY_MODEL] = "model",
	[URGENCY_TOOL] = "tool",
	[URGENCY_COMPUTES] = "computes",
	[URGENCY_IDLE] = "idle",
	[URGENCY_OTHER] = "other",
	[URGENCY_LEFT_OVER] = "left_over",
};
const struct sooth_names urgency_names = { URGENCIES, names };

static const uint8_t by_state[ACTIVITY_STATES] = {
	[ACTIVITY_UNKNOWN] = URGENCY_OTHER,
	[ACTIVITY_WAITS_FOR_USER] = URGENCY_NEEDS_YOU,
	[ACTIVITY_WAITS_FOR_MODEL] = URGENCY_MODEL,
	[ACTIVITY_ASKS_AGAIN] = URGENCY_SICK,
	[ACTIVITY_RUNS_TOOL] = URGENCY_TOOL,
	[ACTIVITY_TALKS_TO_MCP] = URGENCY_TOOL,
	[ACTIVITY_COMPUTES] = URGENCY_COMPUTES,
	[ACTIVITY_STARTS] = URGENCY_COMPUTES,
	[ACTIVITY_STOPPED] = URGENCY_SICK,
	[ACTIVITY_IDLE] = URGENCY_IDLE,
};

static bool is_silent(const struct activity *a)
{
	if (a->state == ACTIVITY_WAITS_FOR_MODEL)
		return a->answer == ACTIVITY_ANSWER_SILENT && a->silence_ns >= MODEL_SILENT_NS;
	if (a->state == ACTIVITY_TALKS_TO_MCP)
		return a->has_since && a->since_ns >= TOOL_SILENT_NS;
	return a->state == ACTIVITY_RUNS_TOOL && a->is_silent_cpu && a->has_output &&
	       !a->output_state && a->output_ns >= TOOL_SILENT_NS;
}

enum urgency urgency_of_activity(const struct activity *a, const char **flag)
{
	assert(a);
	*flag = is_silent(a)			      ? "SILENT"
		: a->state == ACTIVITY_WAITS_FOR_USER ? "NEEDS-YOU"
		: a->state == ACTIVITY_ASKS_AGAIN     ? "ASKS-AGAIN"
						      : "";
	if (a->state == ACTIVITY_RUNS_TOOL && a->is_tool_stopped)
		return URGENCY_SICK;
	return is_silent(a) ? URGENCY_SILENT : (enum urgency)by_state[a->state];
}

static int compare_descending(double a, double b)
{
	return (a < b) - (a > b);
}

int urgency_compare(struct urgency_rank a, struct urgency_rank b)
{
	int order = (a.urgency > b.urgency) - (a.urgency < b.urgency);

	if (!order && a.urgency <= URGENCY_MODEL)
		order = compare_descending(a.since_s, b.since_s);
	return order ? order
		     : compare_descending(
			       trunc(a.cpu_percent / CPU_STEP), trunc(b.cpu_percent / CPU_STEP));
}
