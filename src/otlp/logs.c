/* SPDX-License-Identifier: BSD-2-Clause */
/* Findings as log records. */
#include "analyze/records.h"
#include "base/cleanup.h"
#include "model/answer_records.h"
#include "otlp/stream.h"

/* Severity numbers of the log data model. */
#define SEVERITY_WARN 13

static const struct {
	const char *name;
	unsigned number;
} severities[] = { { "critical", 21 }, { "high", 17 }, { "medium", SEVERITY_WARN }, { "low", 10 },
	{ "info", 9 } };

static unsigned severity_of(struct span name)
{
	for (size_t i = 0; i < ARRAY_SIZE(severities); i++) {
		if (span_equal(name, severities[i].name))
			return severities[i].number;
	}
	return 0;
}

static void put_attribute(struct otlp_stream *s, struct otlp_message *m, const char *key,
	const struct sooth_record *r, const struct sooth_text *text, enum otlp_privacy privacy)
{
	otlp_attribute_text(
		m, OTLP_LOG_ATTRIBUTES, key, otlp_stream_text(s, record_text(r, text), privacy));
}

static void put_trace(struct otlp_message *m, const struct otlp_session *session)
{
	if (!session->id.pid)
		return; /* about the host */
	otlp_id(m, OTLP_LOG_TRACE_ID, session->trace.bytes, OTLP_TRACE_BYTES);
	otlp_span_id(m, OTLP_LOG_SPAN_ID, session->root);
}

static void put_attributes(
	struct otlp_stream *s, struct otlp_message *m, const struct answer_span *a)
{
	const struct sooth_record *r = &a->record;

	put_attribute(s, m, "sooth.finding.id", r, &a->id, OTLP_PUBLIC);
	put_attribute(s, m, "sooth.finding.confidence", r, &a->confidence, OTLP_PUBLIC);
	put_attribute(s, m, "sooth.finding.remedy", r, &a->remedy, OTLP_SENTENCE);
	otlp_attribute_bool(m, OTLP_LOG_ATTRIBUTES, "sooth.finding.is_cleared", a->is_cleared);
	otlp_attribute_number(
		m, OTLP_LOG_ATTRIBUTES, "sooth.finding.total_ns", a->end_utc_ns - a->begin_utc_ns);
	put_attribute(s, m, "gen_ai.agent.name", r, &a->agent, OTLP_PUBLIC);
	put_attribute(s, m, "gen_ai.conversation.id", r, &a->session, OTLP_PUBLIC);
	if (a->subject_pid)
		otlp_attribute_number(m, OTLP_LOG_ATTRIBUTES, "sooth.finding.pid", a->subject_pid);
}

void otlp_add_answer(struct otlp_stream *s, const struct answer_span *a)
{
	const struct sooth_record *r = &a->record;
	const struct process_id main = process_id_of(r);
	struct span severity = record_text(r, &a->severity);
	struct otlp_session own = otlp_stream_describe(s, &main, record_text(r, &a->session));
	struct otlp_message *m;

	if (a->end_utc_ns < a->begin_utc_ns)
		return;
	otlp_copy_text(own.agent, sizeof(own.agent), r, &a->agent);
	otlp_copy_text(own.project, sizeof(own.project), r, &a->project);
	otlp_stream_learn(s, "project", own.project);
	m = otlp_stream_open(s, OTLP_LOGS, &own);
	otlp_number(m, OTLP_LOG_TIME, a->begin_utc_ns);
	otlp_number(m, OTLP_LOG_SEVERITY, severity_of(severity));
	otlp_text(m, OTLP_LOG_SEVERITY_TEXT, severity);
	otlp_begin(m, OTLP_LOG_BODY);
	otlp_text(m, OTLP_STRING_VALUE,
		otlp_stream_text(s, record_text(r, &a->words), OTLP_SENTENCE));
	otlp_end(m);
	put_attributes(s, m, a);
	put_trace(m, &own);
	otlp_number(m, OTLP_LOG_OBSERVED_TIME, a->end_utc_ns);
	otlp_text(m, OTLP_LOG_EVENT_NAME, span_of_string("sooth.finding"));
	otlp_end(m);
}

void otlp_stream_add_loss(struct otlp_stream *s, uint64_t items, uint64_t utc_ns)
{
	const struct process_id host = { 0 };
	struct otlp_session own = otlp_stream_describe(s, &host, span_of("", 0));
	struct otlp_message *m = otlp_stream_open(s, OTLP_LOGS, &own);

	otlp_number(m, OTLP_LOG_TIME, utc_ns);
	otlp_number(m, OTLP_LOG_SEVERITY, SEVERITY_WARN);
	otlp_begin(m, OTLP_LOG_BODY);
	otlp_text(m, OTLP_STRING_VALUE,
		span_of_string("spans and log records were dropped: the collector did not answer"));
	otlp_end(m);
	otlp_attribute_number(m, OTLP_LOG_ATTRIBUTES, "sooth.dropped_items", items);
	otlp_number(m, OTLP_LOG_OBSERVED_TIME, utc_ns);
	otlp_text(m, OTLP_LOG_EVENT_NAME, span_of_string("sooth.loss"));
	otlp_end(m);
}
