/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts that all spans have. */
#include "otlp/stream.h"

void otlp_span_text(
	struct otlp_stream *s, const char *key, const char *text, enum otlp_privacy privacy)
{
	otlp_attribute_text(&s->signals[OTLP_TRACES].message, OTLP_SPAN_ATTRIBUTES, key,
		otlp_stream_text(s, span_of_string(text), privacy));
}

void otlp_span_id(struct otlp_message *m, enum otlp_field field, uint64_t id)
{
	unsigned char bytes[OTLP_SPAN_BYTES];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)(id >> 8 * (sizeof(bytes) - 1 - i));
	otlp_id(m, field, bytes, sizeof(bytes));
}

struct otlp_message *otlp_begin_span(
	struct otlp_stream *s, const struct otlp_session *session, const struct otlp_span *span)
{
	struct otlp_message *m = otlp_stream_open(s, OTLP_TRACES, session);
	struct buffer name = { 0 };

	buffer_format(&name, "%s%s%s", span->operation, *span->target ? " " : "", span->target);
	otlp_id(m, OTLP_SPAN_TRACE_ID, session->trace.bytes, OTLP_TRACE_BYTES);
	otlp_span_id(m, OTLP_SPAN_ID, span->id);
	if (span->parent)
		otlp_span_id(m, OTLP_SPAN_PARENT_ID, span->parent);
	otlp_text(m, OTLP_SPAN_NAME,
		otlp_stream_text(s, span_of_string(buffer_cstr(&name)), OTLP_SENTENCE));
	otlp_number(m, OTLP_SPAN_KIND, span->kind);
	otlp_number(m, OTLP_SPAN_START, span->begin_ns);
	otlp_number(m, OTLP_SPAN_END, span->end_ns);
	otlp_span_text(s, "gen_ai.conversation.id", session->session, OTLP_PUBLIC);
	buffer_fini(&name);
	return m;
}

void otlp_span_link(struct otlp_message *m, const char *trace_parent)
{
	struct trace_parent link;

	if (!trace_parent_parse(&link, span_of_string(trace_parent)))
		return;
	otlp_begin(m, OTLP_SPAN_LINKS);
	otlp_id(m, OTLP_LINK_TRACE_ID, link.trace, sizeof(link.trace));
	otlp_id(m, OTLP_LINK_SPAN_ID, link.span, sizeof(link.span));
	otlp_end(m);
}

void otlp_end_span(struct otlp_stream *s)
{
	otlp_end(&s->signals[OTLP_TRACES].message);
}
