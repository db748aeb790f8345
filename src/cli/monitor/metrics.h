/* SPDX-License-Identifier: BSD-2-Clause */
/* The metrics of a monitor: for readers by HTTP, and in a file for node_exporter. */
#pragma once

#include "analyze/fleet/fleet.h"
#include "cli/monitor/http_server.h"
#include "cli/selected/target_found.h"

/* Zeroed: no metrics. */
struct metrics_options {
	struct http_options http;     /* .address NULL: no server */
	const char *file;	      /* NULL: none */
	bool is_pushed;		      /* metrics_put() is called */
	bool has_probes;	      /* API calls are to be measured by probes */
	const struct name_key *names; /* as in struct fleet_options */
	uint32_t sessions_most;	      /* as in struct fleet_options */
};

struct metrics {
	struct metrics_options options;
	struct fleet *fleet; /* NULL: no metrics */
	struct http_server *server;
	uint64_t file_ns, watches_ns; /* time of the next file, and of the next look at watches */
	bool is_file_refused;
	bool is_probing; /* probes measure API calls now */
};

/* `target`: whose sessions have metrics, borrowed; NULL: all. */
int metrics_open(struct metrics *m, const struct metrics_options *options,
	const struct target_found *target, struct sooth_error *err);
/* Serves readers and writes the file if that is due. Returns a failure once. */
int metrics_step(struct metrics *m, uint64_t now_ns, struct sooth_error *err);
/* Writes the metrics to a sink. */
int metrics_put(struct metrics *m, const struct sink_type *type, const struct sink_options *options,
	struct sooth_error *err);
/* Waits, and serves readers meanwhile. */
void metrics_wait(struct metrics *m, int timeout_ms);
void metrics_close(struct metrics *m);
