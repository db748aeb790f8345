/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records as requests of OTLP: spans of phases (model/phase_records.h), findings
 * (model/answer_records.h) and API calls become spans and log records, in requests of bounded size.
 * Memory is bounded: sessions beyond a limit are counted. Texts are masked again, since a capture
 * may be older than a rule. docs/otlp.md has the names.
 */
#pragma once

#include <sooth/field.h>

#include "base/trace_parent.h"
#include "base/error.h"
#include "base/map.h"
#include "otlp/ids.h"
#include "otlp/message.h"
#include "secrets/redact.h"

enum otlp_signal { OTLP_TRACES, OTLP_LOGS, OTLP_METRICS, OTLP_SIGNALS };

#define OTLP_REQUEST_BYTES (128u << 10) /* a request is passed on at this size */

struct otlp_request {
	enum otlp_signal signal;
	const void *data;
	size_t size;
	uint64_t items; /* spans, log records or metrics */
};

struct otlp_options {
	enum otlp_encoding encoding;
	/* Key of the hashes that stand for private names; NULL: the names. Borrowed. */
	const struct name_key *names;
	/* Takes a request; its bytes are borrowed. */
	int (*take)(void *user, const struct otlp_request *request, struct sooth_error *err);
	void *user;
};

#define OTLP_SESSIONS_MAX 1024

#define OTLP_NAME 64
#define OTLP_TEXT 256

/* Use of a session; a state byte other than VALUE or TRUNCATED: not measured. */
struct otlp_use {
	uint64_t cpu_ns, own_cpu_ns, rss_bytes, written_bytes, read_bytes, io_calls;
	uint64_t input_tokens, output_tokens, turns;
	uint8_t cpu_state, written_state, io_state, tokens_state;
	bool is_begun; /* the states are those of a first part */
};

struct otlp_phase {
	bool is_open;
	uint64_t begin_ns, end_ns; /* UTC */
	char state[OTLP_NAME], name[OTLP_NAME + 16], command[OTLP_TEXT];
	char source[OTLP_NAME / 4], confidence[OTLP_NAME / 4];
	uint64_t context_tokens;	    /* 0: not measured */
	uint32_t tool_pid;		    /* 0: none */
	char parent[TRACE_PARENT_SIZE + 1]; /* in the agent's own trace, if a tool runs */
	struct otlp_use use;
};

/* A session, or one process that belongs to none. */
struct otlp_session {
	struct process_id id; /* its main process; pid 0: the host */
	struct otlp_trace_id trace;
	uint64_t root; /* id of its span */
	char agent[OTLP_NAME], session[OTLP_NAME], project[OTLP_NAME], model[OTLP_NAME];
	char end[OTLP_TEXT / 2];	    /* how the process ended */
	char parent[TRACE_PARENT_SIZE + 1]; /* in the trace of what started the agent */
	bool has_spans, has_ended;
	uint64_t begin_ns, end_ns;
	struct otlp_use use;
	struct {
		uint64_t id; /* 0: no turn */
		uint64_t begin_ns, end_ns;
		struct otlp_use use;
	} turn;
	struct otlp_phase phase; /* the current one */
};

struct otlp_key {
	struct process_id id;
	uint64_t boot;
};

struct otlp_signal_state {
	struct otlp_message message;
	uint64_t open; /* root of the session whose resource is open; 0: none */
	uint64_t items;
};

struct otlp_stream {
	struct otlp_options options;
	struct otlp_signal_state signals[OTLP_SIGNALS];
	struct map sessions; /* struct otlp_key -> struct otlp_session */
	uint64_t boot;
	char host[OTLP_NAME];
	struct redactor redactor; /* of sentences, if names are hashed */
	struct buffer text, masked;
	struct buffer calls; /* struct otlp_call: API calls, until their sessions are known */
	uint64_t refused;    /* sessions and calls for which there was no room */
};

void otlp_stream_init(struct otlp_stream *s, const struct otlp_options *options);
void otlp_stream_fini(struct otlp_stream *s);
/* Takes a record of a stream; kinds that are no part of traces and logs are ignored. */
int otlp_stream_add(
	struct otlp_stream *s, const struct sooth_record *record, struct sooth_error *err);
/* Takes a row of the view "api-calls". */
void otlp_stream_add_call(
	struct otlp_stream *s, const struct sooth_schema *schema, const struct sooth_record *row);
/* Adds a log record: so many spans and log records were lost on their way. */
void otlp_stream_add_loss(struct otlp_stream *s, uint64_t items, uint64_t utc_ns);
/* Passes on what there is; spans that are under way stay. */
int otlp_stream_flush(struct otlp_stream *s, struct sooth_error *err);
/* Ends every span that is under way, and passes on all. */
int otlp_stream_finish(struct otlp_stream *s, struct sooth_error *err);

/* --- for the files of this folder --- */

/* Kinds of texts; secrets are masked in each. */
enum otlp_privacy {
	OTLP_PUBLIC,   /* an id, a model */
	OTLP_SENTENCE, /* may contain private names */
	OTLP_PROJECT,  /* is the name of a project */
	OTLP_HOST,
};

/* Begins the list of a resource in a request: what follows is about this session. */
struct otlp_message *otlp_stream_open(
	struct otlp_stream *s, enum otlp_signal signal, const struct otlp_session *session);
/* Returns the text as it may be sent, valid until the next call. */
struct span otlp_stream_text(struct otlp_stream *s, struct span text, enum otlp_privacy privacy);
/* Learns a private name that sentences may have. */
void otlp_stream_learn(struct otlp_stream *s, const char *placeholder, const char *name);
/* Copies a text of a record, unless it is empty. */
void otlp_copy_text(
	char *to, size_t room, const struct sooth_record *r, const struct sooth_text *text);
/* Returns the session of a main process for a request, without keeping it. `name`: its id; empty:
 * that of its process, if that has one. */
struct otlp_session otlp_stream_describe(
	const struct otlp_stream *s, const struct process_id *main, struct span name);
/* Passes on each request of at least that size. */
int otlp_stream_pass_on(struct otlp_stream *s, size_t least, struct sooth_error *err);

/* span.c: a span's name is its operation and, if there is one, its target. */
struct otlp_span {
	const char *operation, *target;
	unsigned kind;
	uint64_t id, parent, begin_ns, end_ns;
};

/* Begins a span; the caller adds attributes, and ends it with otlp_end_span(). */
struct otlp_message *otlp_begin_span(
	struct otlp_stream *s, const struct otlp_session *session, const struct otlp_span *span);
void otlp_end_span(struct otlp_stream *s);
/* Adds a link to a span of another trace, after the attributes, if the text is one. */
void otlp_span_link(struct otlp_message *m, const char *trace_parent);
/* Writes the id of a span, the highest byte first. */
void otlp_span_id(struct otlp_message *m, enum otlp_field field, uint64_t id);
/* Adds an attribute to the span, unless the text is empty. */
void otlp_span_text(
	struct otlp_stream *s, const char *key, const char *text, enum otlp_privacy privacy);

struct phase_span;
struct answer_span;

/* spans.c */
void otlp_add_phase(struct otlp_stream *s, const struct phase_span *span);
/* Ends what is under way; `has_ended`: the process has, too. */
void otlp_end_session(struct otlp_stream *s, struct otlp_session *session, bool has_ended);
/* logs.c */
void otlp_add_answer(struct otlp_stream *s, const struct answer_span *answer);
/* calls.c: writes the kept calls of a session that began until then. */
void otlp_put_calls(struct otlp_stream *s, const struct otlp_session *session, uint64_t until_ns,
	uint64_t parent);
/* Writes the calls of processes that are no session's. */
void otlp_put_other_calls(struct otlp_stream *s);
