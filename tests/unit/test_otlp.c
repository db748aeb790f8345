/* SPDX-License-Identifier: BSD-2-Clause */
/* Records as OTLP: both encodings, ids, spans of turns and phases, secrets, names, bounds. */
#include "support.h"

#include <sooth/report.h>

#include "analyze/api/api_rows.h"
#include "analyze/fleet/fleet_metrics.h"
#include "analyze/fleet/fleet_rows.h"
#include "base/units.h"
#include "json_check.h"
#include "model/answer_records.h"
#include "model/phase_records.h"
#include "otlp/metrics.h"

#define UUID   "9874aee4-12a4-4a3c-9d1e-0123456789ab"
#define UTC_S  1790000000ull
#define SECRET "ghp_0123456789abcdefghijABCDEFGHIJ012345"

static struct buffer records, made[OTLP_SIGNALS];
static struct otlp_stream stream;
static size_t requests, largest;

static int take(void *user, const struct otlp_request *request, struct sooth_error *err)
{
	struct buffer *to = &made[request->signal];

	(void)user;
	(void)err;
	assert_true(request->items > 0);
	buffer_append(to, request->data, request->size);
	if (stream.options.encoding == OTLP_JSON)
		assert_true(json_check(request->data, request->size, 1));
	requests++;
	largest = request->size > largest ? request->size : largest;
	return 0;
}

static struct name_key key;

static void begin(enum otlp_encoding encoding, bool hash_names)
{
	const struct otlp_options options = {
		.encoding = encoding, .names = hash_names ? &key : NULL, .take = take
	};
	struct stream_segment segment = { .record = { .kind = STREAM_SEGMENT } };
	struct record_tail tail[] = { { &segment.hostname, "hostofalice", 11 },
		{ &segment.boot_id, "boot", 4 } };
	struct sooth_error err;

	otlp_stream_init(&stream, &options);
	for (size_t i = 0; i < OTLP_SIGNALS; i++)
		buffer_reset(&made[i]);
	requests = largest = 0;
	buffer_reset(&records);
	RECORD_APPEND(&records, &segment, tail, ARRAY_SIZE(tail));
	assert_int_equal(otlp_stream_add(&stream, (const void *)records.data, &err), 0);
}

static const char *finish(enum otlp_signal signal)
{
	struct sooth_error err;

	assert_int_equal(otlp_stream_finish(&stream, &err), 0);
	otlp_stream_fini(&stream);
	return buffer_cstr(&made[signal]);
}

struct phase {
	const char *state;
	uint64_t from_s, to_s;
	const char *name, *command, *session, *model;
	uint8_t flags;
	uint32_t pid, turns;
};

static void add(struct phase p)
{
	struct phase_span span = { .record = { .kind = PHASE_SPAN,
					   .pid = p.pid ? p.pid : 20,
					   .start_ticks = 7,
					   .time_ns = p.to_s * NS_PER_S },
		.begin_ns = p.from_s * NS_PER_S,
		.end_utc_ns = (UTC_S + p.to_s) * NS_PER_S,
		.cpu_ns = NS_PER_S,
		.flags = p.flags,
		.turns = p.turns,
		.input_tokens = 100ull * p.turns,
		.output_tokens = 7ull * p.turns,
		.tokens_state =
			p.turns ? SOOTH_STATE_VALUE : SOOTH_NOT_MEASURED(SOOTH_REASON_AGENT),
		.end_state = SOOTH_STATE_ABSENT };
	const char *session = p.session ? p.session : UUID;
	const char *name = p.name ? p.name : "", *command = p.command ? p.command : "";
	const char *model = p.model ? p.model : "claude-opus";
	struct record_tail tail[] = { { &span.state, p.state, strlen(p.state) },
		{ &span.agent, "claude", 6 }, { &span.session, session, strlen(session) },
		{ &span.project, "secretproject", 13 }, { &span.name, name, strlen(name) },
		{ &span.command, command, strlen(command) },
		{ &span.model, model, strlen(model) } };
	struct sooth_error err;

	buffer_reset(&records);
	RECORD_APPEND(&records, &span, tail, ARRAY_SIZE(tail));
	assert_int_equal(otlp_stream_add(&stream, (const void *)records.data, &err), 0);
}

static void add_answer(const char *words, const char *remedy)
{
	struct answer_span span = { .record = { .kind = ANSWER_SPAN,
					    .pid = 20,
					    .start_ticks = 7,
					    .time_ns = 300 * NS_PER_S },
		.begin_ns = 200 * NS_PER_S,
		.begin_utc_ns = (UTC_S + 200) * NS_PER_S,
		.end_utc_ns = (UTC_S + 300) * NS_PER_S,
		.subject_pid = 21,
		.is_cleared = true };
	struct record_tail tail[] = { { &span.id, "held-up", 7 },
		{ &span.words, words, strlen(words) }, { &span.severity, "high", 4 },
		{ &span.remedy, remedy, strlen(remedy) }, { &span.agent, "claude", 6 },
		{ &span.session, UUID, strlen(UUID) }, { &span.project, "secretproject", 13 } };
	struct sooth_error err;

	buffer_reset(&records);
	RECORD_APPEND(&records, &span, tail, ARRAY_SIZE(tail));
	assert_int_equal(otlp_stream_add(&stream, (const void *)records.data, &err), 0);
}

/* --- messages --- */

static void write_message(struct otlp_message *m)
{
	static const unsigned char id[] = { 0xab, 0x01 };

	otlp_begin(m, OTLP_RESOURCE_SPANS);
	otlp_begin(m, OTLP_SCOPE_SPANS);
	for (unsigned i = 0; i < 2; i++) {
		otlp_begin(m, OTLP_SPANS);
		otlp_id(m, OTLP_SPAN_ID, id, sizeof(id));
		otlp_number(m, OTLP_SPAN_KIND, 3);
		otlp_number(m, OTLP_SPAN_START, 0x0102030405060708);
		otlp_attribute_number(m, OTLP_SPAN_ATTRIBUTES, "n", 300);
		otlp_attribute_bool(m, OTLP_SPAN_ATTRIBUTES, "b", true);
		otlp_end(m);
	}
	otlp_text(m, OTLP_SCOPE_SCHEMA_URL, span_of_string("u\xff"));
	otlp_end(m);
	otlp_end(m);
	otlp_message_finish(m);
	assert_false(otlp_message_failed(m));
}

static void test_one_description_both_encodings(void **state)
{
#define SPAN_JSON                                                                                  \
	"{\"spanId\":\"ab01\",\"kind\":3,\"startTimeUnixNano\":\"72623859790382856\","             \
	"\"attributes\":[{\"key\":\"n\",\"value\":{\"intValue\":\"300\"}},"                        \
	"{\"key\":\"b\",\"value\":{\"boolValue\":true}}]}"
#define SPAN_BYTES                                                                                 \
	"\x12\x22\x12\x02\xab\x01\x30\x03\x39\x08\x07\x06\x05\x04\x03\x02\x01"                     \
	"\x4a\x08\x0a\x01n\x12\x03\x18\xac\x02\x4a\x07\x0a\x01"                                    \
	"b\x12\x02\x10\x01"
	static const char bytes[] =
		"\x0a\x50\x12\x4e" SPAN_BYTES SPAN_BYTES "\x1a\x04u\xef\xbf\xbd";
	struct otlp_message m = { .encoding = OTLP_JSON };

	(void)state;
	write_message(&m);
	assert_string_equal(buffer_cstr(&m.bytes),
		"{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[" SPAN_JSON "," SPAN_JSON
		"],\"schemaUrl\":\"u\xef\xbf\xbd\"}]}]}");
	otlp_message_fini(&m);
	m = (struct otlp_message){ .encoding = OTLP_PROTOBUF };
	write_message(&m);
	assert_int_equal(m.bytes.size, sizeof(bytes) - 1);
	assert_memory_equal(m.bytes.data, bytes, sizeof(bytes) - 1);
	/* The next message begins anew. */
	otlp_message_reset(&m);
	write_message(&m);
	assert_int_equal(m.bytes.size, sizeof(bytes) - 1);
	otlp_message_fini(&m);
}

/* A message longer than 127 and 16383 bytes has a longer size before it. */
static void test_sizes_of_long_messages(void **state)
{
	static char text[20000];
	struct otlp_message m = { .encoding = OTLP_PROTOBUF };

	(void)state;
	memset(text, 'x', sizeof(text));
	otlp_begin(&m, OTLP_RESOURCE_LOGS);
	otlp_begin(&m, OTLP_SCOPE_LOGS);
	otlp_text(&m, OTLP_SCOPE_SCHEMA_URL, span_of(text, sizeof(text)));
	otlp_end(&m);
	otlp_end(&m);
	otlp_message_finish(&m);
	assert_int_equal(m.bytes.size, sizeof(text) + 3 * 4);
	assert_memory_equal(m.bytes.data, "\x0a\xa8\x9c\x01\x12\xa4\x9c\x01\x1a\xa0\x9c\x01x", 13);
	otlp_message_fini(&m);
}

/* --- ids --- */

static void test_ids(void **state)
{
	const struct process_id one = { .pid = 1, .start_ticks = 5 },
				other = { .pid = 2, .start_ticks = 5 };
	struct otlp_trace_id a, b;

	(void)state;
	a = otlp_trace_of(span_of_string(UUID), &one, 1);
	assert_memory_equal(
		a.bytes, "\x98\x74\xae\xe4\x12\xa4\x4a\x3c\x9d\x1e\x01\x23\x45\x67\x89\xab", 16);
	/* Neither the process nor the boot of a session with an id counts. */
	a = otlp_trace_of(span_of_string("ses_123"), &one, 1);
	b = otlp_trace_of(span_of_string("ses_123"), &other, 2);
	assert_memory_equal(&a, &b, sizeof(a));
	b = otlp_trace_of(span_of_string("ses_124"), &one, 1);
	assert_memory_not_equal(&a, &b, sizeof(a));
	a = otlp_trace_of(span_of_string(""), &one, 1);
	b = otlp_trace_of(span_of_string(""), &one, 2);
	assert_memory_not_equal(&a, &b, sizeof(a));
	b = otlp_trace_of(span_of_string(""), &other, 1);
	assert_memory_not_equal(&a, &b, sizeof(a));
	/* All zeros are no id of a trace. */
	b = otlp_trace_of(span_of_string("00000000-0000-0000-0000-000000000000"), &one, 1);
	assert_memory_not_equal(b.bytes, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
	assert_true(otlp_span_of(&a, "turn", &one, 1) != otlp_span_of(&a, "turn", &one, 2));
	assert_true(otlp_span_of(&a, "turn", &one, 1) != otlp_span_of(&a, "chat", &one, 1));
}

/* --- spans --- */

static size_t count(const char *text, const char *what)
{
	size_t n = 0;

	for (; (text = strstr(text, what)); text += strlen(what))
		n++;
	return n;
}

/* Returns the text of a member of the span with that name: "parentSpanId" of "chat". */
static const char *member(const char *text, const char *span, const char *name, char out[64])
{
	char wanted[128];
	const char *at, *begin;
	size_t length;

	snprintf(wanted, sizeof(wanted), "\"name\":\"%s\"", span);
	at = strstr(text, wanted);
	assert_non_null(at);
	for (begin = at; strncmp(begin, "{\"traceId\"", 10) != 0; begin--)
		assert_true(begin > text);
	snprintf(wanted, sizeof(wanted), "\"%s\":", name);
	begin = strstr(begin, wanted);
	assert_non_null(begin);
	begin += strlen(wanted) + 1;
	length = strcspn(begin, "\"");
	snprintf(out, 64, "%.*s", (int)length, begin);
	return out;
}

static void add_session(void)
{
	add((struct phase){ "idle", 100, 110, .flags = PHASE_BEGINS });
	add((struct phase){ "waits_for_model", 110, 170, .flags = PHASE_BEGINS });
	add((struct phase){ "waits_for_model", 170, 190, .turns = 2 });
	add((struct phase){
		"runs_tool", 190, 200, "Bash", "npm test", .flags = PHASE_BEGINS, .turns = 1 });
	add((struct phase){ "talks_to_mcp", 200, 205, "files", .flags = PHASE_BEGINS });
	add((struct phase){ "asks_again", 205, 210, .flags = PHASE_BEGINS });
	add((struct phase){ "idle", 210, 220, .flags = PHASE_BEGINS });
	add((struct phase){ "waits_for_model", 220, 230, .flags = PHASE_BEGINS });
	add((struct phase){ "stopped", 230, 240, .flags = PHASE_BEGINS | PHASE_IS_LAST });
}

static void test_turns_and_phases(void **state)
{
	char id[64], other[64];
	const char *text;

	(void)state;
	begin(OTLP_JSON, false);
	add_session();
	text = finish(OTLP_TRACES);
	assert_int_equal(count(text, "\"traceId\":\"9874aee412a44a3c9d1e0123456789ab\""),
		count(text, "\"traceId\""));
	/* 1 session, 2 turns, and each phase but the idle ones; a phase of two parts is one. */
	assert_int_equal(count(text, "\"spanId\""), 9);
	assert_int_equal(count(text, "\"name\":\"chat claude-opus\""), 3);
	assert_int_equal(count(text, "\"name\":\"invoke_agent claude\""), 2);
	assert_non_null(strstr(text, "\"name\":\"execute_tool Bash\""));
	assert_non_null(strstr(text, "\"name\":\"tools/call files\""));
	assert_non_null(strstr(text, "\"name\":\"stopped\""));
	assert_string_equal(
		member(text, "chat claude-opus", "startTimeUnixNano", id), "1790000110000000000");
	assert_string_equal(
		member(text, "chat claude-opus", "endTimeUnixNano", id), "1790000190000000000");
	assert_string_equal(member(text, "execute_tool Bash", "parentSpanId", id),
		member(text, "invoke_agent claude", "spanId", other));
	assert_string_equal(member(text, "invoke_agent claude", "parentSpanId", id),
		member(text, "session claude", "spanId", other));
	assert_string_equal(
		member(text, "invoke_agent claude", "endTimeUnixNano", id), "1790000210000000000");
	/* The tokens of the turn and of the session are those of all phases. */
	assert_int_equal(
		count(text, "\"gen_ai.usage.input_tokens\",\"value\":{\"intValue\":\"200\"}"), 1);
	assert_int_equal(
		count(text, "\"gen_ai.usage.input_tokens\",\"value\":{\"intValue\":\"300\"}"), 2);
	assert_int_equal(count(text, "\"sooth.output_tokens\",\"value\":{\"intValue\":\"7\"}"), 1);
	assert_int_equal(count(text, "\"status\":{\"message\":"), 1);
	assert_non_null(strstr(text, "\"sooth.has_ended\",\"value\":{\"boolValue\":true}"));
}

/* What was not measured is no attribute, rather than 0. */
static void test_not_measured(void **state)
{
	const char *text;

	(void)state;
	begin(OTLP_JSON, false);
	add((struct phase){ "waits_for_model", 110, 170, .flags = PHASE_BEGINS });
	text = finish(OTLP_TRACES);
	assert_null(strstr(text, "gen_ai.usage"));
	assert_null(strstr(text, "sooth.answers"));
	assert_non_null(strstr(text, "\"sooth.cpu_ns\",\"value\":{\"intValue\":\"1000000000\"}"));
}

/* A process goes on with another session: another trace. The first phase may be older than the id
 * of its session, and still belongs to it. */
static void test_sessions_of_one_process(void **state)
{
	const char *text;

	(void)state;
	begin(OTLP_JSON, false);
	add((struct phase){ "starts", 90, 100, .session = "", .flags = PHASE_BEGINS });
	add((struct phase){ "waits_for_model", 100, 110, .flags = PHASE_BEGINS });
	add((struct phase){ "waits_for_model", 110, 120, .session = "other" });
	text = finish(OTLP_TRACES);
	assert_int_equal(count(text, "\"name\":\"session claude\""), 2);
	assert_int_equal(count(text, "\"traceId\":\"9874aee4"), 4);
	assert_int_equal(count(text, "\"spanId\""), 7);
}

static void test_the_same_twice(void **state)
{
	struct buffer first = { 0 };

	(void)state;
	begin(OTLP_PROTOBUF, false);
	add_session();
	finish(OTLP_TRACES);
	buffer_append(&first, made[OTLP_TRACES].data, made[OTLP_TRACES].size);
	begin(OTLP_PROTOBUF, false);
	add_session();
	finish(OTLP_TRACES);
	assert_true(first.size > 500);
	assert_int_equal(first.size, made[OTLP_TRACES].size);
	assert_memory_equal(first.data, made[OTLP_TRACES].data, first.size);
	buffer_fini(&first);
}

/* --- findings --- */

static void test_findings(void **state)
{
	const char *text;

	(void)state;
	begin(OTLP_JSON, false);
	add_answer("claude 20: waits for a lock", "sooth why 20");
	text = finish(OTLP_LOGS);
	assert_non_null(strstr(text, "\"timeUnixNano\":\"1790000200000000000\""));
	assert_non_null(strstr(text, "\"severityNumber\":17,\"severityText\":\"high\""));
	assert_non_null(strstr(text, "\"stringValue\":\"claude 20: waits for a lock\""));
	assert_non_null(strstr(text, "\"traceId\":\"9874aee412a44a3c9d1e0123456789ab\""));
	assert_non_null(strstr(text, "\"sooth.finding.pid\",\"value\":{\"intValue\":\"21\"}"));
}

/* --- secrets and names --- */

static bool contains(const struct buffer *b, const char *what)
{
	return memmem(b->data, b->size, what, strlen(what)) != NULL;
}

static void plant(enum otlp_encoding encoding, bool hash_names)
{
	begin(encoding, hash_names);
	add((struct phase){ "runs_tool", 10, 20, "Bash " SECRET,
		"curl -H 'Authorization: Bearer abcdefghijklmnop' /home/alice/secretproject/x",
		.session = "long-id-that-ends-in-the-middle-of-a-secret-" SECRET,
		.model = "x-" SECRET, .flags = PHASE_BEGINS });
	add_answer("secretproject on hostofalice: --password=hunter2hunter2 " SECRET,
		"export API_KEY=" SECRET);
	finish(OTLP_LOGS);
	for (size_t i = 0; i <= OTLP_LOGS; i++) {
		assert_true(made[i].size > 100);
		assert_false(contains(&made[i], "ghp_"));
		assert_false(contains(&made[i], "hunter2"));
		assert_false(contains(&made[i], "abcdefghijklmnop"));
		assert_int_equal(contains(&made[i], "secretproject"), !hash_names);
		assert_int_equal(contains(&made[i], "hostofalice"), !hash_names);
		assert_false(hash_names && contains(&made[i], "alice"));
	}
}

static void test_secrets_are_masked(void **state)
{
	(void)state;
	plant(OTLP_JSON, false);
	plant(OTLP_PROTOBUF, false);
}

static void test_names_are_hashed(void **state)
{
	struct buffer hash = { 0 };

	(void)state;
	plant(OTLP_PROTOBUF, true);
	plant(OTLP_JSON, true);
	name_hash(&key, "project", span_of_string("secretproject"), &hash);
	assert_true(contains(&made[OTLP_LOGS], buffer_cstr(&hash)));
	assert_true(contains(&made[OTLP_TRACES], buffer_cstr(&hash)));
	buffer_fini(&hash);
}

/* --- what must not be --- */

static void test_impossible_records(void **state)
{
	struct phase_span *span;
	struct sooth_error err;

	(void)state;
	begin(OTLP_JSON, false);
	add((struct phase){ "idle", 200, 100, .flags = 0 }); /* ends before it begins */
	add((struct phase){
		"\xff\xfe\"}]", 100, 200, "\xc3(", "\x01\x02\xf0\x9f", "\xff\xff", .flags = 0 });
	/* Texts that point outside the record. */
	span = (void *)records.data;
	span->state.offset = UINT32_MAX;
	span->name.size = UINT32_MAX;
	span->session.offset = 1u << 30;
	assert_int_equal(otlp_stream_add(&stream, &span->record, &err), 0);
	finish(OTLP_TRACES);
	assert_true(json_check(
		(const char *)made[OTLP_TRACES].data, made[OTLP_TRACES].size, (int)requests));
}

/* However many sessions come, and however long they are: memory and requests have a bound. */
static void test_bounds(void **state)
{
	(void)state;
	begin(OTLP_PROTOBUF, false);
	for (uint32_t i = 0; i < 3000; i++)
		add((struct phase){ "waits_for_model", 100 + i, 101 + i, .flags = PHASE_BEGINS,
			.pid = 10 + i });
	assert_int_equal(stream.sessions.count, 1024);
	assert_int_equal(stream.refused, 3000 - 1024);
	finish(OTLP_TRACES);
	begin(OTLP_PROTOBUF, false);
	for (uint32_t i = 0; i < 20000; i++)
		add((struct phase){ "runs_tool", 100 + i, 101 + i,
			.flags = PHASE_BEGINS | (i % 4 ? 0 : PHASE_IS_LAST), .pid = 10 + i / 4 });
	assert_true(stream.sessions.count <= 1024);
	assert_int_equal(stream.refused, 0);
	finish(OTLP_TRACES);
	assert_true(requests > 10);
	assert_true(largest < 140 << 10);
}

/* --- metrics --- */

static void feed(void *sink, const struct section *section, void *row, struct record_tail *tail,
	size_t count)
{
	struct sooth_error err;
	struct batch batch;

	buffer_reset(&records);
	record_append(&records, row, section->schema->fixed_size, tail, count);
	batch = (struct batch){ records.data, records.size };
	assert_int_equal(otlp_metrics_sink.rows(sink, section, &batch, &err), 0);
}

static void put_metrics(struct otlp_metrics *metrics)
{
	struct fleet_raised_row raised = { .times = 3 };
	struct fleet_api_row api = { .total_ns = 1500 * NS_PER_MS };
	struct fleet_self_row self = {
		.self_state = SOOTH_STATE_ABSENT, .samples = 7, .sample_utc_ns = 1500 * NS_PER_MS
	};
	struct record_tail of_raised[] = { { &raised.agent, "claude " SECRET, 47 },
		{ &raised.id, "frozen", 6 } };
	struct record_tail of_api[] = { { &api.agent, "claude", 6 }, { &api.model, "m\xff", 2 } };
	struct record_tail of_self[] = { { &self.version, "1", 1 }, { &self.host_name, "h", 1 } };
	void *sink = calloc(1, otlp_metrics_sink.state_size);
	struct sooth_error err;

	api.call_state = SOOTH_STATE_ABSENT;
	api.slots[20] = 1; /* below the first bucket */
	api.slots[29] = 2;
	api.slots[50] = 4; /* above the last limit */
	otlp_metrics_sink.open(sink, &(struct sink_options){ .user = metrics }, &err);
	feed(sink, &fleet_raised, &raised, of_raised, ARRAY_SIZE(of_raised));
	assert_int_equal(otlp_metrics_sink.section_end(sink, &fleet_raised, &err), 0);
	feed(sink, &fleet_api, &api, of_api, ARRAY_SIZE(of_api));
	assert_int_equal(otlp_metrics_sink.section_end(sink, &fleet_api, &err), 0);
	feed(sink, &fleet_self, &self, of_self, ARRAY_SIZE(of_self));
	assert_int_equal(otlp_metrics_sink.section_end(sink, &fleet_self, &err), 0);
	assert_int_equal(otlp_metrics_sink.end(sink, &err), 0);
	otlp_metrics_sink.close(sink);
	free(sink);
}

static void test_metrics(void **state)
{
	struct otlp_metrics metrics = { &stream, 5, 9 };
	const char *text;

	(void)state;
	begin(OTLP_JSON, false);
	put_metrics(&metrics);
	text = buffer_cstr(&made[OTLP_METRICS]);
	assert_true(json_check(text, made[OTLP_METRICS].size, 1));
	assert_non_null(strstr(text,
		"{\"name\":\"sooth_findings_raised\",\"description\":\"How often a finding was "
		"raised.\",\"sum\":{\"dataPoints\":[{\"startTimeUnixNano\":\"5\","
		"\"timeUnixNano\":\"9\",\"asInt\":\"3\",\"attributes\":[{\"key\":\"agent\","
		"\"value\":{\"stringValue\":\"claude ***\"}}"));
	assert_non_null(strstr(text, "\"aggregationTemporality\":2,\"isMonotonic\":true"));
	/* What is shorter than the first limit is in the first bucket, the longest in the last. */
	assert_non_null(strstr(text,
		"\"count\":\"7\",\"sum\":1.500000000,\"bucketCounts\":[\"1\",\"0\",\"2\",\"0\""));
	assert_non_null(strstr(text, "\"0\",\"4\"],\"explicitBounds\":[0.268435456,0.536870912"));
	assert_int_equal(count(strstr(text, "\"bucketCounts\""), "\"unit\":\"s\""), 1);
	/* A time is in seconds; what was not measured has no metric. */
	assert_non_null(strstr(text, "\"timeUnixNano\":\"9\",\"asDouble\":1.500000000"));
	assert_null(strstr(text, "sooth_self_cpu_seconds"));
	assert_non_null(strstr(text, "\"name\":\"sooth_build_info\""));
	assert_null(strstr(text, SECRET));
	otlp_stream_fini(&stream);
}

/* --- API calls --- */

static void add_call(uint32_t pid, uint64_t from_s, uint64_t to_s)
{
	struct api_row row = {
		.record = { .pid = pid, .start_ticks = 7, .time_ns = to_s * NS_PER_S },
		.utc_ns = (UTC_S + to_s) * NS_PER_S,
		.event = API_EVENT_END,
		.outcome = API_REFUSED,
		.http_status = 529,
		.begin_ns = from_s * NS_PER_S,
		.attempt = 2,
		.sent_state = SOOTH_STATE_ABSENT,
		.answer_state = SOOTH_STATE_ABSENT,
		.received_state = SOOTH_STATE_ABSENT
	};
	struct record_tail tail[] = { { &row.endpoint, "api.anthropic.com:443", 21 },
		{ &row.method, "POST", 4 }, { &row.path, "/v1/messages", 12 },
		{ &row.process, "claude", 6 } };

	buffer_reset(&records);
	RECORD_APPEND(&records, &row, tail, ARRAY_SIZE(tail));
	otlp_stream_add_call(&stream, &api_schema, (const void *)records.data);
}

static void test_calls_are_parts_of_phases(void **state)
{
	char id[64], other[64];
	const char *text;

	(void)state;
	begin(OTLP_JSON, false);
	add((struct phase){ "idle", 100, 110, .flags = PHASE_BEGINS });
	add_call(20, 111, 112);
	add_call(99, 111, 112); /* of no session */
	add((struct phase){ "waits_for_model", 110, 120, .flags = PHASE_BEGINS });
	text = finish(OTLP_TRACES);
	assert_int_equal(count(text, "\"name\":\"POST\""), 2);
	assert_string_equal(member(text, "POST", "parentSpanId", id),
		member(text, "chat claude-opus", "spanId", other));
	assert_string_equal(member(text, "POST", "startTimeUnixNano", id), "1790000111000000000");
	assert_non_null(
		strstr(text, "\"http.response.status_code\",\"value\":{\"intValue\":\"529\"}"));
	assert_int_equal(count(text, "\"status\":{\"message\":\"refused\""), 2);
	assert_non_null(strstr(
		text, "\"server.address\",\"value\":{\"stringValue\":\"api.anthropic.com\"}"));
	assert_non_null(strstr(text, "\"server.port\",\"value\":{\"intValue\":\"443\"}"));
	assert_null(strstr(text, "sooth.sent_bytes"));
}

static int free_all(void **state)
{
	(void)state;
	buffer_fini(&records);
	for (size_t i = 0; i < OTLP_SIGNALS; i++)
		buffer_fini(&made[i]);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_description_both_encodings),
		cmocka_unit_test(test_sizes_of_long_messages),
		cmocka_unit_test(test_ids),
		cmocka_unit_test(test_turns_and_phases),
		cmocka_unit_test(test_not_measured),
		cmocka_unit_test(test_sessions_of_one_process),
		cmocka_unit_test(test_the_same_twice),
		cmocka_unit_test(test_findings),
		cmocka_unit_test(test_secrets_are_masked),
		cmocka_unit_test(test_names_are_hashed),
		cmocka_unit_test(test_impossible_records),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_metrics),
		cmocka_unit_test(test_calls_are_parts_of_phases),
	};

	return cmocka_run_group_tests(tests, NULL, free_all);
}
