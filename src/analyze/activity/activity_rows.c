/* SPDX-License-Identifier: BSD-2-Clause */
/* Field table of the activity of a main process. */
#include "analyze/activity/activity_rows.h"

#include <assert.h>
#include <stdio.h>

#include "analyze/activity/activity.h"
#include "analyze/records.h"
#include "base/cleanup.h"
#include "base/sentence_units.h"

/* --- the names of its values --- */

#define SILENCE_LEAST	(5 * NS_PER_S)
#define QUEUED_LEAST	(30 * NS_PER_S)
#define CPU_SHOWN_LEAST 10 /* percent of one CPU: smaller values are not printed */

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

static const char *const answers[ACTIVITY_ANSWERS] = {
	[ACTIVITY_ANSWER_AWAITED] = "awaited",
	[ACTIVITY_ANSWER_ARRIVES] = "arrives",
	[ACTIVITY_ANSWER_SILENT] = "silent",
};
const struct sooth_names activity_answer_names = { ACTIVITY_ANSWERS, answers };

/* --- the sentence --- */

/* Writes whole seconds: JSON has the exact value. */
static void put_time(struct buffer *out, uint64_t ns)
{
	buffer_string(out, ns < NS_PER_S ? "0 s" : SENTENCE_DURATION(ns / NS_PER_S * NS_PER_S));
}

static void put_since(struct buffer *out, const struct activity *a, enum activity_text form,
	const char *separator)
{
	if (!a->has_since || form == ACTIVITY_TEXT_WITHOUT_TIME)
		return;
	buffer_string(out, separator);
	put_time(out, a->since_ns);
}

/* Writes the time without output. "unknown" is written only if the tool also uses no CPU. */
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
	if (a->is_tool_stopped)
		buffer_string(out, ", stopped");
	else if (a->is_silent_cpu)
		buffer_string(out, ", no CPU");
	else if (a->has_cpu && a->cpu_percent >= CPU_SHOWN_LEAST)
		buffer_format(out, ", %.0f %% CPU", a->cpu_percent);
	if (a->has_output)
		put_output(out, a);
}

static const char *ordinal_ending(unsigned n)
{
	static const char *const endings[] = { "th", "st", "nd", "rd" };

	return n / 10 % 10 == 1 || n % 10 > 3 ? endings[0] : endings[n % 10];
}

/* Writes that no attempt was answered; a partial answer that stopped counts as none. */
static void put_unanswered(struct buffer *out, const struct activity *a, enum activity_text form)
{
	buffer_string(out, "no answer from the model");
	put_since(out, a, form, " for ");
	buffer_format(out, " over %u attempts", a->attempts);
}

/* Writes that the agent repeats its request. */
static void put_repetition(struct buffer *out, const struct activity *a, enum activity_text form)
{
	bool is_silent = a->has_silence && a->silence_ns >= SILENCE_LEAST;

	if (a->answer == ACTIVITY_ANSWER_SILENT && a->attempts > 1 && !a->error_status) {
		put_unanswered(out, a, form);
		return;
	}
	if (a->error_status)
		buffer_format(out, "refused with %u%s", a->error_status,
			a->error_status == 429 ? " (rate limit)" : "");
	else
		buffer_string(out, "asks the model again");
	if (a->is_pausing && !a->error_status && a->attempts)
		buffer_format(out, ": %u attempts were refused or failed, none is under way",
			a->attempts);
	else if (a->attempts)
		buffer_format(out, "%s%u%s attempt", a->error_status ? ", " : ": ", a->attempts,
			ordinal_ending(a->attempts));
	else if (a->is_pausing && !a->error_status)
		buffer_string(out, ": the last request may have failed");
	if (is_silent) {
		buffer_string(out, ", no answer to it for ");
		put_time(out, a->silence_ns);
	}
	put_since(out, a, form, ", ");
	buffer_string(
		out, is_silent && a->has_since && form == ACTIVITY_TEXT_WHOLE ? " so far" : "");
}

static void put_arriving(struct buffer *out, const struct activity *a, enum activity_text form)
{
	buffer_format(out, "receives an answer (last data %.1f s ago",
		(double)a->silence_ns / (double)NS_PER_S);
	put_since(out, a, form, ", ");
	buffer_string(out, a->has_since && form == ACTIVITY_TEXT_WHOLE ? " so far)" : ")");
}

/* Writes the silence of the model, and the whole time if an answer had begun and stopped. */
static void put_silent(struct buffer *out, const struct activity *a, enum activity_text form)
{
	bool is_part = a->silence_ns + SILENCE_LEAST < a->since_ns;

	buffer_string(out, "the model has sent nothing");
	if (is_part || !a->has_since || form == ACTIVITY_TEXT_WHOLE) {
		buffer_string(out, " for ");
		put_time(out, a->silence_ns);
	}
	if (is_part && form == ACTIVITY_TEXT_WHOLE) {
		put_since(out, a, form, ", ");
		buffer_string(out, " so far");
	}
	if (a->has_cpu)
		buffer_format(out, ", and it computes meanwhile: %.0f %% CPU", a->cpu_percent);
	if (a->deadline_s) {
		buffer_format(out, " (%s ends the request at ", a->agent);
		put_time(out, a->deadline_s * NS_PER_S);
		buffer_char(out, ')');
	}
}

static void put_model(struct buffer *out, const struct activity *a, enum activity_text form)
{
	if (a->answer == ACTIVITY_ANSWER_ARRIVES) {
		put_arriving(out, a, form);
	} else if (a->answer == ACTIVITY_ANSWER_SILENT) {
		put_silent(out, a, form);
	} else {
		buffer_string(out, "waits for the model");
		put_since(out, a, form, " ");
	}
}

static void put_mcp(struct buffer *out, const struct activity *a, enum activity_text form)
{
	buffer_format(out, "waits for %s%s", *a->name ? "MCP server " : "an MCP server", a->name);
	put_since(out, a, form, " ");
}

static void put_user(struct buffer *out, const struct activity *a, enum activity_text form)
{
	if (a->is_permission)
		buffer_format(out, "waits for permission: %s%s%s", a->name, *a->command ? " " : "",
			a->command);
	else
		buffer_format(out, "waits for you%s%s", *a->name ? ": " : "", a->name);
	put_since(out, a, form, ", ");
}

static void put_plain(
	struct buffer *out, const char *text, const struct activity *a, enum activity_text form)
{
	buffer_string(out, text);
	put_since(out, a, form, " ");
}

/* Writes what the connection and the queue add: a request made again, a prompt that waits. */
static void put_prompts(struct buffer *out, const struct activity *a)
{
	if (a->state == ACTIVITY_WAITS_FOR_MODEL && a->again_ns) {
		buffer_string(out, "; asked again ");
		put_time(out, a->again_ns);
		buffer_string(out, " ago, and perhaps refused");
	}
	if (a->queued_ns >= QUEUED_LEAST) {
		buffer_string(out, "; a prompt is in its queue for ");
		put_time(out, a->queued_ns);
		buffer_string(out, ", and nothing starts");
	}
}

void activity_write(struct buffer *out, const struct activity *a, enum activity_text form)
{
	assert(a);
	switch (a->state) {
	case ACTIVITY_WAITS_FOR_USER:
		put_user(out, a, form);
		break;
	case ACTIVITY_WAITS_FOR_MODEL:
		put_model(out, a, form);
		break;
	case ACTIVITY_ASKS_AGAIN:
		put_repetition(out, a, form);
		break;
	case ACTIVITY_RUNS_TOOL:
		put_tool(out, a, form);
		break;
	case ACTIVITY_TALKS_TO_MCP:
		put_mcp(out, a, form);
		break;
	case ACTIVITY_COMPUTES:
		put_plain(out,
			a->is_status_idle ? "computes, although its session is idle" : "computes",
			a, form);
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
		if (*a->wait)
			buffer_string(out, a->wait);
		else
			buffer_format(out, "not known: %s",
				sooth_reason_text((enum sooth_reason)(a->unknown_state >> 4)));
		break;
	}
	put_prompts(out, a);
	if (*a->listed)
		buffer_format(out, "; its own list says %s", a->listed);
}

/* Returns the detail of an activity: "Bash: sleep 3000", "permission to run Bash"; "" when there is
 * none. */
static const char *activity_detail(const struct activity *a, char out[ACTIVITY_DETAIL_SIZE])
{
	bool has_both = *a->name && *a->command;

	if (a->state == ACTIVITY_ASKS_AGAIN && a->attempts)
		snprintf(out, ACTIVITY_DETAIL_SIZE, "%u%s attempt", a->attempts,
			ordinal_ending(a->attempts));
	else
		snprintf(out, ACTIVITY_DETAIL_SIZE, "%s%s%s%s",
			a->is_permission ? "permission to run " : "", a->name, has_both ? ": " : "",
			a->command);
	return out;
}

ROW_SCHEMA(activity_row, ACTIVITY_ROW, "activity", activity_row, .line = "{text}");

static struct activity_row row_of(const struct process_id *id, const struct activity *a)
{
	bool is_known = a->state != ACTIVITY_UNKNOWN;

	return (struct activity_row){ .record = row_head(id),
		.since_s = (double)a->since_ns / (double)NS_PER_S,
		.silence_s = (double)a->silence_ns / (double)NS_PER_S,
		.error_status = (uint16_t)a->error_status,
		.error_state = a->error_status ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT,
		.cpu_percent = a->cpu_percent,
		.cpu_state = a->has_cpu ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT,
		.output_silence_s = (double)a->output_ns / (double)NS_PER_S,
		.output_state = a->has_output ? a->output_state : SOOTH_STATE_ABSENT,
		.deadline_s = a->deadline_s,
		.deadline_state = a->deadline_s ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT,
		.silence_state = a->has_silence ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT,
		.answer = (uint8_t)a->answer,
		.answer_state = a->answer ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT,
		.pid = a->pid,
		.attempts = a->attempts,
		.state = (uint8_t)a->state,
		.source = (uint8_t)a->source,
		.confidence = (uint8_t)a->confidence,
		.state_state = is_known ? SOOTH_STATE_VALUE : a->unknown_state,
		.since_state = a->has_since ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT,
		.source_state = is_known ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT,
		.pid_state = a->pid ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT,
		.attempts_state = a->attempts ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT };
}

struct row_texts {
	char detail[ACTIVITY_DETAIL_SIZE];
	struct buffer text;
	struct record_tail tail[3];
};

static void put_texts(struct row_texts *t, struct activity_row *row, const struct activity *a)
{
	activity_write(&t->text, a, ACTIVITY_TEXT_WHOLE);
	activity_detail(a, t->detail);
	row->detail_state = *t->detail ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT;
	t->tail[0] = tail_string(&row->detail, t->detail);
	row->listed_state = *a->listed ? SOOTH_STATE_VALUE : SOOTH_STATE_ABSENT;
	t->tail[1] = tail_string(&row->listed, a->listed);
	t->tail[2] = tail_buffer(&row->text, &t->text);
}

void activity_append_row(struct buffer *rows, const struct process_id *id, const struct activity *a)
{
	struct activity_row row = row_of(id, a);
	struct row_texts texts = { 0 };

	put_texts(&texts, &row, a);
	RECORD_APPEND(rows, &row, texts.tail, ARRAY_SIZE(texts.tail));
	buffer_fini(&texts.text);
}

int activity_emit_row(struct output *o, const struct process_id *id, const struct activity *a,
	struct sooth_error *err)
{
	struct activity_row row = row_of(id, a);
	struct row_texts texts = { 0 };
	int status;

	put_texts(&texts, &row, a);
	status = OUTPUT_ROW(o, &row, texts.tail, ARRAY_SIZE(texts.tail), err);
	buffer_fini(&texts.text);
	return status;
}
