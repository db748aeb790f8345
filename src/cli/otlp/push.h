/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sends traces, logs and metrics to a collector of OpenTelemetry while the monitor runs. Requests
 * wait in a small queue: while the collector does not answer the oldest are dropped, which a log
 * record reports once it answers again. Nothing blocks, and what the monitor does for its other
 * readers does not wait. Metrics are made only for a collector that answers: old values are of no
 * use.
 */
#pragma once

#include "cli/otlp/http_client.h"
#include "otlp/metrics.h"

#define OTLP_QUEUE_COUNT 64
#define OTLP_QUEUE_BYTES (512u << 10)

struct otlp_push_options {
	const char *url;	      /* NULL: nothing is sent */
	const char *headers_file;     /* NULL: none */
	const struct name_key *names; /* as in struct otlp_options */
	bool is_json, is_insecure, is_packed;
};

struct otlp_queued {
	enum otlp_signal signal;
	uint64_t items;
	struct buffer bytes;
};

/* A zeroed struct sends nothing. */
struct otlp_push {
	struct http_client *http; /* NULL: nothing is sent */
	bool is_json;
	bool is_packed; /* requests wait, and are sent, in gzip */
	struct otlp_stream stream;
	struct otlp_queued queue[OTLP_QUEUE_COUNT]; /* the oldest first */
	size_t count, bytes;
	bool is_sending; /* the oldest */
	unsigned failures;
	uint64_t flush_ns, retry_ns, metrics_ns; /* times of the next ones */
	struct otlp_metrics metrics;
	uint64_t dropped; /* spans and log records, not reported yet */
	uint64_t seed;	  /* of the jitter */
	bool is_failing;  /* a failure was printed */
};

int otlp_push_open(
	struct otlp_push *p, const struct otlp_push_options *options, struct sooth_error *err);
/* Takes a record: a segment, a span of a phase, a finding. */
void otlp_push_add(struct otlp_push *p, const struct sooth_record *record);
/* Returns what the sink of metrics needs if it is time to send them; NULL: it is not. */
struct otlp_metrics *otlp_push_metrics(struct otlp_push *p, uint64_t now_ns);
/* Sends what can be sent now. Called several times a second. */
void otlp_push_step(struct otlp_push *p, uint64_t now_ns);
/* Ends all spans, and sends what is left, for a short time. */
void otlp_push_close(struct otlp_push *p);
