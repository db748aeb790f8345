/* SPDX-License-Identifier: BSD-2-Clause */
/* How often each system call was made, by the events of a tracker; and a table of that. */
#ifndef SOOTH_LIBRARY_TRACE_SUMS_H
#define SOOTH_LIBRARY_TRACE_SUMS_H

#include <sooth/trace.h>

#include "base/map.h"

struct trace_sums {
	struct map calls; /* names -> sums */
};

void trace_sums_init(struct trace_sums *s);
void trace_sums_fini(struct trace_sums *s);
/* Of a call that returned; -ENOMEM. */
int trace_sums_take(struct trace_sums *s, const char *name, const struct sooth_trace_event *event);
/* Most calls first; NULL: it failed. */
struct sooth_table *trace_sums_table(const struct trace_sums *s, struct sooth_error *err);

#endif
