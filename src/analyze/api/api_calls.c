/* SPDX-License-Identifier: BSD-2-Clause */
/* Emits a row for each API call when it ends, on request also when it and its answer begin. */
#include "analyze/api/api_calls.h"

#include <stdio.h>
#include <string.h>

#include "analyze/api/api_rows.h"
#include "analyze/sockets/peer_labels.h"
#include "explain/stage.h"
#include "model/stream_records.h"

const struct sooth_calls_options api_calls_alone = { .call_set = "%api",
	.records_api = true,
	.records_only_api = true },
				 api_calls_among_all = { .records_api = true };

struct api_calls_state {
	struct output *output;
	struct api_calls_options options;
	struct api_tracker tracker;
	struct peer_labels labels;
	struct api_row_context context;
	bool has_section, has_counts;
};

static struct span label_of(const struct api_calls_state *s, const struct api_connection *x)
{
	struct span label = span_of("", 0);
	unsigned char address[16];
	unsigned port;

	if (!peer_split(x->peer, address, &port) ||
		peer_labels_find(&s->labels, address, port, &label) == PEER_LABEL_NONE)
		return span_of("", 0);
	return label;
}

static bool is_requested(const struct api_calls_state *s, const struct api_seen *seen)
{
	const char *wanted = s->options.endpoint;
	const struct api_connection *x = seen->connection;

	if (seen->event != API_EVENT_END && !s->options.with_events)
		return false;
	return !wanted || strstr(x->tls.server, wanted) || strstr(x->peer, wanted) ||
	       (s->context.label.size && memmem(s->context.label.data, s->context.label.size,
						 wanted, strlen(wanted)));
}

static int emit_api_event(void *user, const struct api_seen *seen, struct sooth_error *err)
{
	struct api_calls_state *s = user;

	s->context.label = label_of(s, seen->connection);
	return is_requested(s, seen) ? api_row_emit(s->output, seen, &s->context, err) : 0;
}

static int init(void *state, struct output *output, const void *options, struct sooth_error *err)
{
	struct api_calls_state *s = state;

	s->output = output;
	if (options)
		s->options = *(const struct api_calls_options *)options;
	api_tracker_init(&s->tracker, emit_api_event, s);
	peer_labels_init(&s->labels);
	return peer_labels_load(&s->labels, s->options.labels, err);
}

static int begin_once(struct api_calls_state *s, struct sooth_error *err)
{
	if (s->has_section)
		return 0;
	s->has_section = true;
	return output_section(s->output, &api_section, err);
}

static int push(void *state, const struct batch *batch, struct sooth_error *err)
{
	struct api_calls_state *s = state;
	int status = begin_once(s, err);

	batch_for_each (r, batch) {
		s->context.has_clock |= record_reads_clock(r, &s->context.realtime_offset_ns);
		s->has_counts |= r->kind == SYSCALLS_COUNT;
	}
	return status ? status : api_tracker_push(&s->tracker, batch, err);
}

static void emit_limits(struct api_calls_state *s)
{
	const struct api_tracker *t = &s->tracker;
	char what[96];

	if (s->has_counts && !t->has_calls)
		output_limit(s->output, "API calls", "the kernel only counted the system calls",
			"sooth api PID shows API calls; sooth api --save FILE.sooth PID records "
			"them");
	else if (t->has_sends && !t->has_beginnings)
		output_limit(s->output, "API calls in captures without the beginnings of requests",
			"no data that was sent begins like HTTP or TLS; only `sooth api` records "
			"beginnings",
			"sooth api --save FILE.sooth PID");
	if (t->uring) {
		snprintf(what, sizeof(what), "%llu network requests submitted through io_uring",
			(unsigned long long)t->uring);
		output_limit(s->output, what,
			"system calls do not contain the data of io_uring requests", "");
	}
	if (api_tracker_refused(t)) {
		snprintf(what, sizeof(what), "%llu connections",
			(unsigned long long)api_tracker_refused(t));
		output_limit(s->output, what,
			"more connections were open at a time than sooth can keep", "");
	}
}

static int finish(void *state, struct sooth_error *err)
{
	struct api_calls_state *s = state;
	int status = begin_once(s, err);

	if (!status)
		status = api_tracker_end(&s->tracker, err);
	emit_limits(s);
	return status;
}

static void fini(void *state)
{
	struct api_calls_state *s = state;

	api_tracker_fini(&s->tracker);
	peer_labels_fini(&s->labels);
}

static const struct sooth_schema *const tables[] = { &api_schema, NULL };

const struct stage_type stage_api_calls = {
	.name = "api-calls",
	.help = "API calls as they show from outside, one line each",
	.shows = "syscalls",
	.tables = tables,
	STAGE_FUNCTIONS(struct api_calls_state),
};
