/* SPDX-License-Identifier: BSD-2-Clause */
#include "otlp/stream.h"

#include <stdio.h>

#include "analyze/records.h"
#include "base/hash.h"
#include "model/answer_records.h"
#include "model/phase_records.h"

static void add_segment(struct otlp_stream *s, const struct stream_segment *segment)
{
	struct span boot = record_text(&segment->record, &segment->boot_id);
	struct span host = record_text(&segment->record, &segment->hostname);

	s->boot = hash_bytes(HASH_BEGIN, boot.data, boot.size);
	snprintf(s->host, sizeof(s->host), "%.*s", (int)host.size, host.data);
	otlp_stream_learn(s, "host", s->host);
}

int otlp_stream_add(
	struct otlp_stream *s, const struct sooth_record *record, struct sooth_error *err)
{
	const struct stream_segment *segment = record_as(record, STREAM_SEGMENT, sizeof(*segment));
	const struct phase_span *phase = record_as(record, PHASE_SPAN, PHASE_SPAN_LEAST);
	const struct answer_span *answer = record_as(record, ANSWER_SPAN, sizeof(*answer));

	if (segment)
		add_segment(s, segment);
	else if (phase)
		otlp_add_phase(s, phase);
	else if (answer)
		otlp_add_answer(s, answer);
	return otlp_stream_pass_on(s, OTLP_REQUEST_BYTES, err);
}

int otlp_stream_finish(struct otlp_stream *s, struct sooth_error *err)
{
	int status = 0;

	map_for_each_value (&s->sessions, struct otlp_session *, session) {
		if (!session->has_ended)
			otlp_end_session(s, session, false);
		if (!status)
			status = otlp_stream_pass_on(s, OTLP_REQUEST_BYTES, err);
	}
	map_clear(&s->sessions);
	otlp_put_other_calls(s);
	return status ? status : otlp_stream_flush(s, err);
}

int otlp_stream_flush(struct otlp_stream *s, struct sooth_error *err)
{
	return otlp_stream_pass_on(s, 0, err);
}
