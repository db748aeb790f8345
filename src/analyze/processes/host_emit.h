/* SPDX-License-Identifier: BSD-2-Clause */
/* The sections around the rows of processes. */
#ifndef SOOTH_ANALYZE_HOST_EMIT_H
#define SOOTH_ANALYZE_HOST_EMIT_H

#include "analyze/processes/process_list.h"
#include "explain/output.h"

struct host_emit {
	struct output *output;
	const struct host_state *host;
	const struct process_list *list;
	const struct processes_options *options;
};

/*
 * Limits for unreadable and for invisible processes: a list of agents says nothing about them.
 * False: there are none.
 */
bool host_emit_limits(const struct host_emit *t);
/* 0 or a negative errno with err filled. */
int host_emit_host(const struct host_emit *t, struct sooth_error *err);
int host_emit_reasons(const struct host_emit *t, struct sooth_error *err);
/* Of the listed main processes. */
int host_emit_sessions(const struct host_emit *t, struct sooth_error *err);
/* Installed versions, for programs; host_emit_versions() prints them for users on request. */
int host_emit_installed(const struct host_emit *t, struct sooth_error *err);
int host_emit_versions(const struct host_emit *t, struct sooth_error *err);
/* Processes that samples missed, if exits were watched. */
extern const struct sooth_schema short_lived_row_schema;
int host_emit_totals(const struct host_emit *t, struct sooth_error *err);

#endif
