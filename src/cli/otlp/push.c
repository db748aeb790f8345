/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/otlp/push.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/gzip.h"
#include "base/units.h"
#include "cli/config/config_files.h"
#include "secrets/forget.h"

#define FLUSH_NS      (5 * NS_PER_S)
#define METRICS_NS    (15 * NS_PER_S)
#define BACKOFF_LEAST NS_PER_S
#define BACKOFF_MOST  (300 * NS_PER_S)
#define CLOSE_NS      (2 * NS_PER_S) /* for the last requests */
#define CLOSE_STEP_MS 5
#define HEADERS_BYTES (16u << 10)

static const struct {
	const char *path, *name;
} signals[OTLP_SIGNALS] = {
	[OTLP_TRACES] = { "/v1/traces", "traces" },
	[OTLP_LOGS] = { "/v1/logs", "logs" },
	[OTLP_METRICS] = { "/v1/metrics", "metrics" },
};

/* --- the queue --- */

static void drop_at(struct otlp_push *p, size_t i)
{
	p->bytes -= p->queue[i].bytes.size;
	buffer_fini(&p->queue[i].bytes);
	p->count--;
	memmove(&p->queue[i], &p->queue[i + 1], (p->count - i) * sizeof(p->queue[0]));
	p->queue[p->count] = (struct otlp_queued){ 0 };
}

/* Drops the oldest requests that are not being sent. Metrics have no bound: there is one set of
 * them at a time, whose size the number of their labels limits. */
static void make_room(struct otlp_push *p, enum otlp_signal signal, size_t size)
{
	size_t first = p->is_sending;
	bool is_bounded = signal != OTLP_METRICS;

	while (p->count > first && (p->count == OTLP_QUEUE_COUNT ||
					   (is_bounded && p->bytes + size > OTLP_QUEUE_BYTES))) {
		p->dropped += p->queue[first].items;
		drop_at(p, first);
	}
}

static void drop_metrics(struct otlp_push *p)
{
	for (size_t i = p->count; i--;) {
		if (p->queue[i].signal == OTLP_METRICS)
			drop_at(p, i);
	}
}

static bool has_metrics(const struct otlp_push *p)
{
	for (size_t i = 0; i < p->count; i++) {
		if (p->queue[i].signal == OTLP_METRICS)
			return true;
	}
	return false;
}

static int enqueue(void *user, const struct otlp_request *request, struct sooth_error *err)
{
	struct otlp_push *p = user;
	struct otlp_queued to = { .signal = request->signal, .items = request->items };

	(void)err;
	if (!p->is_packed)
		buffer_append(&to.bytes, request->data, request->size);
	else if (!gzip_pack(&to.bytes, request->data, request->size))
		to.bytes.failed = true;
	if (buffer_failed(&to.bytes)) {
		buffer_fini(&to.bytes);
		p->dropped += request->items;
		return 0;
	}
	make_room(p, request->signal, to.bytes.size);
	p->bytes += to.bytes.size;
	p->queue[p->count++] = to;
	return 0;
}

/* --- what the collector answers --- */

static void print_failure(struct otlp_push *p, const struct http_client_answer *answer)
{
	const char *name = signals[p->queue[0].signal].name;

	if (p->is_failing)
		return;
	p->is_failing = true;
	if (answer->status)
		fprintf(stderr, "sooth: cannot send %s to the collector: HTTP status %u\n", name,
			answer->status);
	else
		fprintf(stderr, "sooth: cannot send %s to the collector: %s; trying again\n", name,
			answer->why);
}

static void note_success(struct otlp_push *p)
{
	struct sooth_error ignored;

	if (p->is_failing)
		fprintf(stderr, "sooth: the collector takes data again; dropped meanwhile: %llu\n",
			(unsigned long long)p->dropped);
	p->is_failing = false;
	p->failures = 0;
	if (p->dropped)
		otlp_stream_add_loss(&p->stream, p->dropped, clock_realtime_ns());
	if (p->dropped)
		otlp_stream_flush(&p->stream, &ignored);
	p->dropped = 0;
}

/* Returns whether the specification of OTLP lets the same request be tried again. */
static bool may_try_again(unsigned status)
{
	return !status || status == 429 || status == 502 || status == 503 || status == 504;
}

/* Returns the pause after a failure: twice the one before, up to half more or less. */
static uint64_t pause_after(struct otlp_push *p, const struct http_client_answer *answer)
{
	unsigned doublings = p->failures < 9 ? p->failures : 9;
	uint64_t pause = BACKOFF_LEAST << doublings;

	p->seed = p->seed * 6364136223846793005u + 1442695040888963407u;
	pause = pause < BACKOFF_MOST ? pause : BACKOFF_MOST;
	pause = pause / 2 + (p->seed >> 33) % (pause + 1);
	return answer->retry_after_ns > pause ? answer->retry_after_ns : pause;
}

static void take_answer(
	struct otlp_push *p, const struct http_client_answer *answer, uint64_t now_ns)
{
	p->is_sending = false;
	if (answer->status >= 200 && answer->status < 300) {
		drop_at(p, 0);
		note_success(p);
		return;
	}
	print_failure(p, answer);
	if (!may_try_again(answer->status)) {
		p->dropped += p->queue[0].items;
		drop_at(p, 0);
	}
	drop_metrics(p);
	p->retry_ns = now_ns + pause_after(p, answer);
	p->failures++;
}

static void send_oldest(struct otlp_push *p, uint64_t now_ns)
{
	const struct otlp_queued *first = &p->queue[0];
	struct sooth_error ignored;

	if (p->is_sending || !p->count || now_ns < p->retry_ns)
		return;
	p->is_sending = !http_client_post(p->http, signals[first->signal].path,
		p->is_json ? "application/json" : "application/x-protobuf", first->bytes.data,
		first->bytes.size, &ignored);
}

static void exchange_data(struct otlp_push *p, uint64_t now_ns)
{
	struct http_client_answer answer;

	send_oldest(p, now_ns);
	if (p->is_sending && http_client_step(p->http, &answer))
		take_answer(p, &answer, now_ns);
}

/* --- as a whole --- */

int otlp_push_open(
	struct otlp_push *p, const struct otlp_push_options *options, struct sooth_error *err)
{
	struct buffer headers = { 0 };
	struct http_client_options http = { .url = options->url,
		.is_insecure = options->is_insecure,
		.is_packed = options->is_packed };
	const struct otlp_options stream = {
		.encoding = options->is_json ? OTLP_JSON : OTLP_PROTOBUF,
		.names = options->names,
		.take = enqueue,
		.user = p,
	};
	int status = 0;

	*p = (struct otlp_push){ .is_json = options->is_json,
		.is_packed = options->is_packed,
		.seed = clock_realtime_ns() };
	if (!options->url)
		return 0;
	if (options->headers_file)
		status = config_read_secret(&headers, options->headers_file, HEADERS_BYTES, err);
	if (!status && headers.size) {
		buffer_char(&headers, '\0');
		http.headers = (char *)headers.data;
	}
	if (!status)
		status = http_client_new(&p->http, &http, err);
	if (headers.data)
		forget_bytes(headers.data, headers.capacity);
	buffer_fini(&headers);
	if (status)
		return status;
	otlp_stream_init(&p->stream, &stream);
	p->metrics = (struct otlp_metrics){ &p->stream, clock_realtime_ns(), 0 };
	return 0;
}

void otlp_push_add(struct otlp_push *p, const struct sooth_record *record)
{
	struct sooth_error ignored;

	if (p->http)
		otlp_stream_add(&p->stream, record, &ignored);
}

struct otlp_metrics *otlp_push_metrics(struct otlp_push *p, uint64_t now_ns)
{
	/* After a failure, metrics are what tries again if nothing else waits to be sent. */
	if (!p->http || has_metrics(p) || now_ns < p->metrics_ns ||
		(p->failures && now_ns < p->retry_ns))
		return NULL;
	p->metrics_ns = now_ns + METRICS_NS;
	p->metrics.now_ns = clock_realtime_ns();
	return &p->metrics;
}

void otlp_push_step(struct otlp_push *p, uint64_t now_ns)
{
	struct sooth_error ignored;

	if (!p->http)
		return;
	if (now_ns >= p->flush_ns) {
		p->flush_ns = now_ns + FLUSH_NS;
		otlp_stream_flush(&p->stream, &ignored);
	}
	exchange_data(p, now_ns);
}

void otlp_push_close(struct otlp_push *p)
{
	uint64_t now_ns = clock_monotonic_ns(), end_ns = now_ns + CLOSE_NS;
	struct sooth_error ignored;

	if (!p->http)
		return;
	otlp_stream_finish(&p->stream, &ignored);
	while (p->count && !p->failures && now_ns < end_ns) {
		exchange_data(p, now_ns);
		poll(NULL, 0, CLOSE_STEP_MS);
		now_ns = clock_monotonic_ns();
	}
	for (; p->count; drop_at(p, 0))
		p->dropped += p->queue[0].items;
	if (p->dropped)
		fprintf(stderr, "sooth: not sent to the collector: %llu spans and log records\n",
			(unsigned long long)p->dropped);
	http_client_free(p->http);
	otlp_stream_fini(&p->stream);
	*p = (struct otlp_push){ 0 };
}
