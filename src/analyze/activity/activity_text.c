/* SPDX-License-Identifier: BSD-2-Clause */
/* An activity as a sentence, and the names of its values. */
#include <stdio.h>

#include "analyze/activity/activity.h"
#include "base/cleanup.h"
#include "base/units.h"

#define SILENCE_LEAST (5 * NS_PER_S)

static const char *const states[ACTIVITY_STATES] = {
	[ACTIVITY_WAITS_FOR_USER] = "waits_for_user",
	[ACTIVITY_WAITS_FOR_MODEL] = "waits_for_model",
	[ACTIVITY_ASKS_AGAIN] = "asks_again",
	[ACTIVITY_RUNS_TOOL] = "runs_tool",
	[ACTIVITY_TALKS_TO_MCP] = "talks_to_mcp",
	[ACTIVITY_COMPUTES] = "computes",
	[ACTIVITY_STARTS] = "starts",
	[ACTIVITY_STOPPED] = "stopped",
	[ACTIVITY_IDLE] = "idle",
};
const struct sooth_names activity_state_names = { ACTIVITY_STATES, states };

static const char *const sources[ACTIVITY_SOURCES] = {
	[ACTIVITY_FROM_SESSION_FILE] = "session file",
	[ACTIVITY_FROM_LOG] = "log",
	[ACTIVITY_FROM_CONNECTION] = "connection",
	[ACTIVITY_FROM_PROCESSES] = "processes",
	[ACTIVITY_FROM_ARGUMENTS] = "arguments",
	[ACTIVITY_FROM_CPU] = "cpu",
};
const struct sooth_names activity_source_names = { ACTIVITY_SOURCES, sources };

static const char *const confidences[ACTIVITY_CONFIDENCES] = {
	[ACTIVITY_HIGH] = "high",
	[ACTIVITY_MEDIUM] = "medium",
	[ACTIVITY_LOW] = "low",
};
const struct sooth_names activity_confidence_names = { ACTIVITY_CONFIDENCES, confidences };

/* --- the sentence --- */

/* One unit: the time is for orientation, and JSON has it exactly. */
static void put_time(struct buffer *out, uint64_t ns)
{
	uint64_t s = ns / NS_PER_S;

	if (s < 60)
		buffer_format(out, "%llu s", (unsigned long long)s);
	else if (s < 3600)
		buffer_format(out, "%llu min", (unsigned long long)(s / 60));
	else if (s < 2 * 86400)
		buffer_format(out, "%llu h", (unsigned long long)(s / 3600));
	else
		buffer_format(out, "%llu days", (unsigned long long)(s / 86400));
}

static void put_since(struct buffer *out, const struct activity *a, enum activity_text form,
	const char *separator)
{
	if (!a->has_since || form == ACTIVITY_TEXT_WITHOUT_TIME)
		return;
	buffer_string(out, separator);
	put_time(out, a->since_ns);
}

/* Without CPU the question is whether it still does something, so an unknown answer is said. */
static void put_output(struct buffer *out, const struct activity *a)
{
	if (a->output_state) {
		buffer_string(out, a->is_silent_cpu ? ", output unknown" : "");
	} else if (a->output_ns >= SILENCE_LEAST || (a->is_output_least && a->is_silent_cpu)) {
		buffer_string(out, ", no output");
		if (a->output_ns >= SILENCE_LEAST && a->output_ns + SILENCE_LEAST < a->since_ns) {
			buffer_string(out, " for ");
			put_time(out, a->output_ns);
		}
	}
}

static void put_tool(struct buffer *out, const struct activity *a, enum activity_text form)
{
	buffer_format(out, "runs %s", *a->name ? a->name : "a tool");
	put_since(out, a, form, " ");
	if (*a->command)
		buffer_format(out, ": %s", a->command);
	if (a->pid)
		buffer_format(out, " (pid %u)", a->pid);
	if (a->is_silent_cpu)
		buffer_string(out, ", no CPU");
	if (a->has_output)
		put_output(out, a);
}

static const char *ordinal_ending(unsigned n)
{
	static const char *const endings[] = { "th", "st", "nd", "rd" };

	return n / 10 % 10 == 1 || n % 10 > 3 ? endings[0] : endings[n % 10];
}

static void put_again(struct buffer *out, const struct activity *a, enum activity_text form)
{
	buffer_string(out, "asks the model again");
	if (a->attempts)
		buffer_format(out, ": %u%s attempt", a->attempts, ordinal_ending(a->attempts));
	if (a->error_status)
		buffer_format(out, ", status %u", a->error_status);
	put_since(out, a, form, ", ");
}

static void put_model(struct buffer *out, const struct activity *a, enum activity_text form)
{
	bool is_whole = !a->has_since || a->silence_ns + SILENCE_LEAST >= a->since_ns;
	bool is_silent = a->has_silence && a->silence_ns >= SILENCE_LEAST;

	buffer_string(out, "waits for the model");
	put_since(out, a, form, " ");
	/* An answer that began and stopped; else the time says it. */
	if (is_silent && !is_whole) {
		buffer_string(out, ", no data for ");
		put_time(out, a->silence_ns);
	}
	if (is_silent && a->deadline_s) {
		buffer_string(out, " (at most ");
		put_time(out, a->deadline_s * NS_PER_S);
		buffer_string(out, is_whole ? " without data)" : ")");
	}
}

static void put_mcp(struct buffer *out, const struct activity *a, enum activity_text form)
{
	buffer_format(out, "talks to %s%s", *a->name ? "MCP server " : "an MCP server", a->name);
	put_since(out, a, form, " ");
}

static void put_user(struct buffer *out, const struct activity *a, enum activity_text form)
{
	buffer_format(out, "waits for you%s%s", *a->name ? ": " : "", a->name);
	put_since(out, a, form, ", ");
}

static void put_plain(
	struct buffer *out, const char *text, const struct activity *a, enum activity_text form)
{
	buffer_string(out, text);
	put_since(out, a, form, " ");
}

void activity_write(struct buffer *out, const struct activity *a, enum activity_text form)
{
	switch (a->state) {
	case ACTIVITY_WAITS_FOR_USER:
		put_user(out, a, form);
		break;
	case ACTIVITY_WAITS_FOR_MODEL:
		put_model(out, a, form);
		break;
	case ACTIVITY_ASKS_AGAIN:
		put_again(out, a, form);
		break;
	case ACTIVITY_RUNS_TOOL:
		put_tool(out, a, form);
		break;
	case ACTIVITY_TALKS_TO_MCP:
		put_mcp(out, a, form);
		break;
	case ACTIVITY_COMPUTES:
		put_plain(out, "computes", a, form);
		break;
	case ACTIVITY_STARTS:
		put_plain(out, "starts", a, form);
		break;
	case ACTIVITY_STOPPED:
		put_plain(out, "stopped", a, form);
		break;
	case ACTIVITY_IDLE:
		put_plain(out, "idle", a, form);
		break;
	default:
		buffer_format(out, "not known: %s",
			sooth_reason_text((enum sooth_reason)(a->unknown_state >> 4)));
		break;
	}
}

const char *activity_detail(const struct activity *a, char out[ACTIVITY_DETAIL_SIZE])
{
	bool has_both = *a->name && *a->command;

	if (a->state == ACTIVITY_ASKS_AGAIN && a->attempts)
		snprintf(out, ACTIVITY_DETAIL_SIZE, "%u%s attempt", a->attempts,
			ordinal_ending(a->attempts));
	else
		snprintf(out, ACTIVITY_DETAIL_SIZE, "%s%s%s", a->name, has_both ? ": " : "",
			a->command);
	return out;
}
