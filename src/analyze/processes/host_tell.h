/* SPDX-License-Identifier: BSD-2-Clause */
/* The sections that stand around the rows of processes. */
#ifndef SOOTH_ANALYZE_HOST_TELL_H
#define SOOTH_ANALYZE_HOST_TELL_H

#include "analyze/processes/process_list.h"
#include "core/output.h"

struct host_tell {
	struct output *output;
	const struct host_state *host;
	const struct process_list *list;
	const struct processes_options *options;
};

/* How many may not be looked at, and that there are others who are not seen at all, as limits: a
 * list of agents says nothing of them. False: there is none. */
bool host_tell_limits(const struct host_tell *t);
/* 0 or a negative errno with err filled. */
int host_tell_host(const struct host_tell *t, struct sooth_error *err);
int host_tell_reasons(const struct host_tell *t, struct sooth_error *err);
/* Of the main processes that are listed. */
int host_tell_sessions(const struct host_tell *t, struct sooth_error *err);
/* Versions that are installed: for programs; people ask for them (see host_tell_versions()). */
int host_tell_installed(const struct host_tell *t, struct sooth_error *err);
int host_tell_versions(const struct host_tell *t, struct sooth_error *err);
/* What samples have not seen, where that was watched. */
extern const struct sooth_schema fleeting_row_schema;
int host_tell_fleeting(const struct host_tell *t, struct sooth_error *err);
int host_tell_totals(const struct host_tell *t, struct sooth_error *err);

#endif
