/* SPDX-License-Identifier: BSD-2-Clause */
#include "otlp/stream.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "analyze/records.h"
#include "base/utf8.h"
#include "secrets/mask.h"

#define CALLS_BYTES (16u << 20)

/* The lists of each signal, from the request inwards. */
static const struct {
	enum otlp_field resources, scopes, items;
} lists[OTLP_SIGNALS] = {
	[OTLP_TRACES] = { OTLP_RESOURCE_SPANS, OTLP_SCOPE_SPANS, OTLP_SPANS },
	[OTLP_LOGS] = { OTLP_RESOURCE_LOGS, OTLP_SCOPE_LOGS, OTLP_LOG_RECORDS },
	[OTLP_METRICS] = { OTLP_RESOURCE_METRICS, OTLP_SCOPE_METRICS, OTLP_METRICS_LIST },
};

void otlp_stream_init(struct otlp_stream *s, const struct otlp_options *options)
{
	assert(options->take);
	*s = (struct otlp_stream){ .options = *options, .calls = { .limit = CALLS_BYTES } };
	map_init(&s->sessions, sizeof(struct otlp_key), sizeof(struct otlp_session),
		OTLP_SESSIONS_MAX);
	redactor_init(&s->redactor);
	s->redactor.key = options->names;
	for (size_t i = 0; i < OTLP_SIGNALS; i++)
		s->signals[i].message.encoding = options->encoding;
}

void otlp_stream_fini(struct otlp_stream *s)
{
	for (size_t i = 0; i < OTLP_SIGNALS; i++)
		otlp_message_fini(&s->signals[i].message);
	map_fini(&s->sessions);
	redactor_fini(&s->redactor);
	buffer_fini(&s->text);
	buffer_fini(&s->masked);
	buffer_fini(&s->calls);
}

/* --- texts --- */

/* Masks before it cuts: half a secret has no form. */
static void copy_masked(char *to, size_t room, struct span text)
{
	struct buffer masked = { 0 };

	if (mask_may_change(text.data, text.size)) {
		mask_text(&masked, text.data, text.size);
		text = span_of(buffer_cstr(&masked), masked.size);
	}
	snprintf(to, room, "%.*s", (int)utf8_cut(text.data, text.size, room - 1), text.data);
	buffer_fini(&masked);
}

void otlp_copy_text(
	char *to, size_t room, const struct sooth_record *r, const struct sooth_text *text)
{
	struct span from = record_text(r, text);

	if (from.size)
		copy_masked(to, room, from);
}

struct span otlp_stream_text(struct otlp_stream *s, struct span text, enum otlp_privacy privacy)
{
	buffer_reset(&s->text);
	buffer_reset(&s->masked);
	if (s->options.names && (privacy == OTLP_PROJECT || privacy == OTLP_HOST)) {
		name_hash(s->options.names, privacy == OTLP_HOST ? "host" : "project", text,
			&s->text);
		return span_of(buffer_cstr(&s->text), s->text.size);
	}
	mask_text(&s->masked, text.data, text.size);
	if (privacy != OTLP_SENTENCE || !s->options.names)
		return span_of(buffer_cstr(&s->masked), s->masked.size);
	redactor_write(&s->redactor, span_of(buffer_cstr(&s->masked), s->masked.size), &s->text);
	return span_of(buffer_cstr(&s->text), s->text.size);
}

void otlp_stream_learn(struct otlp_stream *s, const char *placeholder, const char *name)
{
	if (s->options.names && *name)
		redactor_learn_name(&s->redactor, placeholder, span_of_string(name));
}

/* --- sessions --- */

struct otlp_session otlp_stream_describe(
	const struct otlp_stream *s, const struct process_id *main, struct span name)
{
	struct otlp_key key = { *main, s->boot };
	const struct otlp_session *known = name.size ? NULL : map_get(&s->sessions, &key);
	struct otlp_session session = { .id = *main };

	copy_masked(session.session, sizeof(session.session), name);
	if (name.size >= OTLP_NAME)
		name.size = OTLP_NAME - 1;
	session.trace = otlp_trace_of(name, main, s->boot);
	if (known) {
		session.trace = known->trace;
		memcpy(session.session, known->session, sizeof(session.session));
	}
	session.root = otlp_span_of(&session.trace, "session", main, 0);
	return session;
}

/* --- requests --- */

static void put_resource(
	struct otlp_stream *s, struct otlp_message *m, const struct otlp_session *session)
{
	char instance[2 * OTLP_SPAN_BYTES + 1];

	snprintf(instance, sizeof(instance), "%016llx", (unsigned long long)session->root);
	otlp_begin(m, OTLP_RESOURCE);
	otlp_attribute_text(m, OTLP_RESOURCE_ATTRIBUTES, "service.name",
		span_of_string(*session->agent ? session->agent : "sooth"));
	otlp_attribute_text(m, OTLP_RESOURCE_ATTRIBUTES, "service.instance.id",
		span_of(instance, session->id.pid ? sizeof(instance) - 1 : 0));
	otlp_attribute_text(m, OTLP_RESOURCE_ATTRIBUTES, "host.name",
		otlp_stream_text(s, span_of_string(s->host), OTLP_HOST));
	if (session->id.pid)
		otlp_attribute_number(m, OTLP_RESOURCE_ATTRIBUTES, "process.pid", session->id.pid);
	otlp_attribute_text(m, OTLP_RESOURCE_ATTRIBUTES, "sooth.project",
		otlp_stream_text(s, span_of_string(session->project), OTLP_PROJECT));
	otlp_end(m);
}

static void close_resource(struct otlp_signal_state *state)
{
	if (!state->open)
		return;
	otlp_end(&state->message);
	otlp_end(&state->message);
	state->open = 0;
}

struct otlp_message *otlp_stream_open(
	struct otlp_stream *s, enum otlp_signal signal, const struct otlp_session *session)
{
	struct otlp_signal_state *state = &s->signals[signal];
	struct otlp_message *m = &state->message;

	state->items++;
	if (state->open != session->root) {
		close_resource(state);
		otlp_begin(m, lists[signal].resources);
		put_resource(s, m, session);
		otlp_begin(m, lists[signal].scopes);
		otlp_begin(m, OTLP_SCOPE);
		otlp_text(m, OTLP_SCOPE_NAME, span_of_string("sooth"));
		otlp_text(m, OTLP_SCOPE_VERSION, span_of_string(SOOTH_VERSION));
		otlp_end(m);
		state->open = session->root;
	}
	otlp_begin(m, lists[signal].items);
	return m;
}

static int emit_request(struct otlp_stream *s, enum otlp_signal signal, struct sooth_error *err)
{
	struct otlp_signal_state *state = &s->signals[signal];
	struct otlp_request request = { .signal = signal, .items = state->items };
	int status = 0;

	if (!state->items)
		return 0;
	close_resource(state);
	otlp_message_finish(&state->message);
	request.data = state->message.bytes.data;
	request.size = state->message.bytes.size;
	if (otlp_message_failed(&state->message) || buffer_failed(&s->text))
		status = error_no_memory(err);
	else
		status = s->options.take(s->options.user, &request, err);
	otlp_message_reset(&state->message);
	state->items = 0;
	return status;
}

int otlp_stream_pass_on(struct otlp_stream *s, size_t least, struct sooth_error *err)
{
	int status = 0;

	for (unsigned i = 0; i < OTLP_SIGNALS && !status; i++) {
		if (s->signals[i].message.bytes.size >= least)
			status = emit_request(s, (enum otlp_signal)i, err);
	}
	return status;
}
