/* SPDX-License-Identifier: BSD-2-Clause */
/* API calls as spans: they wait for the phase in which they were made. */
#include <stdio.h>

#include "analyze/records.h"
#include "base/cleanup.h"
#include "model/field.h"
#include "otlp/stream.h"

struct otlp_call {
	struct process_id process;
	uint64_t begin_ns, end_ns; /* UTC */
	uint64_t sent_bytes, received_bytes, first_byte_ns;
	uint32_t http_status, attempt;
	bool is_failed;
	char name[OTLP_NAME]; /* of the process */
	char method[16], path[OTLP_TEXT], endpoint[OTLP_TEXT], outcome[32];
};

static uint64_t number_of(
	const struct sooth_schema *schema, const struct sooth_record *row, const char *name)
{
	struct sooth_value v = value_named(schema, row, name);

	return v.state == SOOTH_STATE_VALUE ? v.u : 0;
}

/* Returns the name of an enum's value; "": none. */
static const char *name_of(
	const struct sooth_schema *schema, const struct sooth_record *row, const char *name)
{
	const struct sooth_field *field = sooth_schema_field(schema, name);
	struct sooth_value v = value_named(schema, row, name);
	const char *text = NULL;

	if (v.state == SOOTH_STATE_VALUE && field->names && v.u < field->names->count)
		text = field->names->names[v.u];
	return text ? text : "";
}

static bool is_failure(const char *outcome)
{
	static const char *const failures[] = { "refused", "closed", "reset", "cut" };

	return SPAN_ANY(span_of_string(outcome), span_equal, failures);
}

void otlp_stream_add_call(
	struct otlp_stream *s, const struct sooth_schema *schema, const struct sooth_record *row)
{
	struct otlp_call call = { .process = process_id_of(row) };
	uint64_t utc_ns = number_of(schema, row, "utc_ns");
	uint64_t length = row->time_ns - number_of(schema, row, "begin_ns");

	if (strcmp(name_of(schema, row, "event"), "end") != 0 || utc_ns <= length)
		return;
	call.begin_ns = utc_ns - length;
	/* The evidence that it is over, such as the next request, may come later. */
	call.end_ns = call.begin_ns + (number_of(schema, row, "total_ns") ?: length);
	call.sent_bytes = number_of(schema, row, "sent_bytes");
	call.received_bytes = number_of(schema, row, "received_bytes");
	call.first_byte_ns = number_of(schema, row, "first_byte_ns");
	call.http_status = (uint32_t)number_of(schema, row, "http_status");
	call.attempt = (uint32_t)number_of(schema, row, "attempt");
	copy_named(schema, row, "method", call.method, sizeof(call.method));
	copy_named(schema, row, "path", call.path, sizeof(call.path));
	copy_named(schema, row, "endpoint", call.endpoint, sizeof(call.endpoint));
	copy_named(schema, row, "process", call.name, sizeof(call.name));
	snprintf(call.outcome, sizeof(call.outcome), "%s", name_of(schema, row, "outcome"));
	call.is_failed = is_failure(call.outcome);
	buffer_append(&s->calls, &call, sizeof(call));
	s->refused += s->calls.failed;
	s->calls.failed = false;
}

/* Takes "[::1]:80" or "host:443" apart; *port: 0 where there is none. */
static struct span host_of(const char *endpoint, uint64_t *port)
{
	struct span host = span_of_string(endpoint);
	const char *colon = span_last(host, ':');
	bool has_port = colon && span_decimal(span_of_string(colon + 1), port) &&
			(*endpoint == '[' || memchr(endpoint, ':', host.size) == colon);

	if (!has_port)
		*port = 0;
	else
		host.size = (size_t)(colon - endpoint);
	return host;
}

static void put_call(struct otlp_stream *s, const struct otlp_session *session,
	const struct otlp_call *call, uint64_t parent)
{
	struct otlp_span span = { *call->method ? call->method : "HTTP", "", OTLP_KIND_CLIENT,
		otlp_span_of(&session->trace, "call", &call->process, call->begin_ns), parent,
		call->begin_ns, call->end_ns };
	struct otlp_message *m = otlp_begin_span(s, session, &span);
	uint64_t port;
	struct span host = host_of(call->endpoint, &port);
	const struct {
		const char *key;
		uint64_t value;
	} numbers[] = {
		{ "server.port", port },
		{ "http.response.status_code", call->http_status },
		{ "http.request.resend_count", call->attempt > 1 ? call->attempt - 1 : 0 },
		{ "sooth.sent_bytes", call->sent_bytes },
		{ "sooth.received_bytes", call->received_bytes },
		{ "sooth.first_byte_ns", call->first_byte_ns },
	};

	otlp_attribute_text(
		m, OTLP_SPAN_ATTRIBUTES, "http.request.method", span_of_string(call->method));
	otlp_attribute_text(m, OTLP_SPAN_ATTRIBUTES, "url.path",
		otlp_stream_text(s, span_of_string(call->path), OTLP_SENTENCE));
	otlp_attribute_text(m, OTLP_SPAN_ATTRIBUTES, "server.address",
		otlp_stream_text(s, host, OTLP_SENTENCE));
	otlp_attribute_text(
		m, OTLP_SPAN_ATTRIBUTES, "sooth.outcome", span_of_string(call->outcome));
	/* 0 is "not known", and no attribute. */
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		if (numbers[i].value)
			otlp_attribute_number(
				m, OTLP_SPAN_ATTRIBUTES, numbers[i].key, numbers[i].value);
	}
	if (call->is_failed) {
		otlp_begin(m, OTLP_SPAN_STATUS);
		otlp_text(m, OTLP_STATUS_MESSAGE, span_of_string(call->outcome));
		otlp_number(m, OTLP_STATUS_CODE, OTLP_STATUS_ERROR);
		otlp_end(m);
	}
	otlp_end_span(s);
}

void otlp_put_calls(struct otlp_stream *s, const struct otlp_session *session, uint64_t until_ns,
	uint64_t parent)
{
	struct otlp_call *all = (void *)s->calls.data;
	size_t count = s->calls.size / sizeof(*all), kept = 0;

	for (size_t i = 0; i < count; i++) {
		if (process_id_equal(&all[i].process, &session->id) && all[i].begin_ns <= until_ns)
			put_call(s, session, &all[i], parent);
		else
			all[kept++] = all[i];
	}
	s->calls.size = kept * sizeof(*all);
}

void otlp_put_other_calls(struct otlp_stream *s)
{
	while (s->calls.size) {
		const struct otlp_call *first = (const void *)s->calls.data;
		struct otlp_session own = otlp_stream_describe(s, &first->process, span_of("", 0));

		memcpy(own.agent, first->name, sizeof(own.agent));
		otlp_put_calls(s, &own, UINT64_MAX, 0);
	}
}
