/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyze/timeline/timeline_api.h"

#include <assert.h>
#include <string.h>

#include "analyze/api/api_rows.h"
#include "analyze/records.h"
#include "base/cleanup.h"
#include "model/schema.h"

#define CALLS_MAX	 5000
#define TEXTS_MAX	 (2u << 20)
#define CALLS_FOR_PEOPLE 24

#define TIMELINE_API_ROW(F, S)                                                                     \
	F(S, PID)                                                                                  \
	F(S, TEXT, process, ALWAYS, "name of the process; empty: unknown")                         \
	F(S, TEXT, endpoint, ALWAYS, "name of the server in the TLS hello, or its address",        \
		.placeholder = "server")                                                           \
	F(S, U64, from_ns, ALWAYS, "time the request began, since the start of the recording",     \
		.label = "FROM", .unit = SOOTH_UNIT_NS)                                            \
	F(S, U64, to_ns, MAYBE(to_state),                                                          \
		"time the answer ended; absent: the call went on at the end of the recording",     \
		.label = "TO", .unit = SOOTH_UNIT_NS)                                              \
	F(S, U64, first_byte_ns, MAYBE(first_state),                                               \
		"time from the begin of the request to the first byte of the answer",              \
		.label = "FIRST BYTE", .unit = SOOTH_UNIT_NS)                                      \
	F(S, U64, total_ns, ALWAYS, "length of the call, so far if it goes on", .label = "TOTAL",  \
		.unit = SOOTH_UNIT_NS)                                                             \
	F(S, ENUM8, outcome, ALWAYS, "what became of the request", .names = &api_outcome_names)    \
	F(S, U32, http_status, MAYBE(status_state), "HTTP status of a plain answer",               \
		.label = "STATUS")                                                                 \
	F(S, TEXT, request, MAYBE(request_state),                                                  \
		"method and path of a plain request, without its query", .may_shrink = true)

ROW_STRUCT(timeline_api_row, TIMELINE_API_ROW);
ROW_SCHEMA(timeline_api, TIMELINE_API_ROW, "timeline_api", timeline_api_row);

static const struct section api_calls_section = SECTION_OF("api_calls", timeline_api_schema, TABLE,
	.title = "API calls", .rows_most = CALLS_FOR_PEOPLE);

struct call {
	struct process_id process;
	uint64_t from_ns, first_ns, to_ns;
	uint32_t status;
	uint8_t outcome;
	bool has_answer, is_open;
	struct sooth_text name, endpoint, request; /* in timeline_api.texts */
};

static struct span text_of(const struct timeline_api *a, const struct sooth_text *text)
{
	return span_of(buffer_at(&a->texts, text->offset), text->size);
}

static struct sooth_text keep_text(struct timeline_api *a, struct span text)
{
	struct sooth_text kept = { (uint32_t)a->texts.size, (uint32_t)text.size };

	buffer_append(&a->texts, text.data, text.size);
	return kept;
}

static struct sooth_text keep_request(struct timeline_api *a, const struct api_call *c)
{
	struct sooth_text kept = keep_text(a, span_of_string(c->method));

	if (!kept.size)
		return kept;
	buffer_format(&a->texts, " %s", c->path);
	kept.size = (uint32_t)a->texts.size - kept.offset;
	return kept;
}

static int add_call(void *user, const struct api_seen *seen, struct sooth_error *err)
{
	const struct api_call *c = &seen->connection->call;
	bool is_open = c->outcome == API_WAITING || c->outcome == API_OPEN;
	/* The end of an answer may be recognized much later than it came. */
	bool is_whole = c->outcome == API_ANSWERED || c->outcome == API_REFUSED;
	struct timeline_api *a = user;
	struct call call = { .process = seen->process,
		.from_ns = c->begin_ns,
		.first_ns = c->first_ns,
		.to_ns = is_whole ? c->last_ns : seen->time_ns,
		.status = c->status,
		.outcome = c->outcome,
		.has_answer = c->has_answer,
		.is_open = is_open };

	(void)err;
	if (seen->event != API_EVENT_END)
		return 0;
	if (a->calls.size >= CALLS_MAX * sizeof(call) || a->texts.size >= TEXTS_MAX) {
		a->refused++;
		return 0;
	}
	call.name = keep_text(a, fd_follow_process(&seen->tracker->fold.fds, &seen->process));
	call.endpoint = keep_text(a, span_of_string(api_connection_endpoint(seen->connection)));
	call.request = keep_request(a, c);
	buffer_append(&a->calls, &call, sizeof(call));
	return 0;
}

void timeline_api_init(struct timeline_api *a)
{
	assert(a);
	*a = (struct timeline_api){ 0 };
	api_tracker_init(&a->tracker, add_call, a);
}

void timeline_api_fini(struct timeline_api *a)
{
	assert(a);
	api_tracker_fini(&a->tracker);
	buffer_fini(&a->calls);
	buffer_fini(&a->texts);
}

static int emit_call(const struct timeline_api *a, const struct call *c,
	const struct track_axis *axis, struct output *output, struct sooth_error *err)
{
	struct timeline_api_row row = { .record = row_head(&c->process),
		.from_ns = c->from_ns > axis->begin_ns ? c->from_ns - axis->begin_ns : 0,
		.to_ns = c->to_ns > axis->begin_ns ? c->to_ns - axis->begin_ns : 0,
		.to_state = state_if(!c->is_open),
		.first_byte_ns = c->first_ns - c->from_ns,
		.first_state = state_if(c->has_answer),
		.total_ns = c->to_ns - c->from_ns,
		.outcome = c->outcome,
		.http_status = c->status,
		.status_state = state_if(c->status),
		.request_state = state_if(c->request.size) };
	struct record_tail tail[] = { tail_span(&row.process, text_of(a, &c->name)),
		tail_span(&row.endpoint, text_of(a, &c->endpoint)),
		tail_span(&row.request, text_of(a, &c->request)) };

	return OUTPUT_ROW(output, &row, tail, ARRAY_SIZE(tail), err);
}

static void emit_limits(const struct timeline_api *a, bool says_missing, struct output *output)
{
	const struct api_tracker *t = &a->tracker;

	if (a->refused)
		output_limit(output, "some API calls",
			"sooth's table is full; the rest is left out",
			"select fewer processes with -p");
	if (!says_missing || t->has_beginnings || a->calls.size)
		return;
	output_limit(output, "API calls over time",
		!t->has_calls ? "system calls were not recorded one by one"
		: t->has_sends
			? "no data that was sent begins like HTTP or TLS, as `sooth api` records it"
			: "the recording has no data that was sent",
		"sooth api --save FILE.sooth PID");
}

int timeline_api_emit(struct timeline_api *a, const struct track_axis *axis, bool says_missing,
	struct output *output, struct sooth_error *err)
{
	int status = api_tracker_end(&a->tracker, err);

	if (status)
		return status;
	if (buffer_failed(&a->calls) || buffer_failed(&a->texts))
		return error_no_memory(err);
	emit_limits(a, says_missing, output);
	if (!a->calls.size)
		return 0;
	status = output_section(output, &api_calls_section, err);
	buffer_each_while (const struct call, c, &a->calls, !status)
		status = emit_call(a, c, axis, output, err);
	return status;
}
