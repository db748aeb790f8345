/* SPDX-License-Identifier: BSD-2-Clause */
/* Ends of processes among their calls, a line each, as strace has it. */
#ifndef SOOTH_ANALYZE_CALL_EXITS_H
#define SOOTH_ANALYZE_CALL_EXITS_H

#include "base/cursor.h"
#include "explain/output.h"
#include "model/stream_records.h"

struct call_exit {
	const struct process_leave *leave;
	struct span time, process; /* as lines have it; empty: not known */
	uint64_t utc_ns;
	uint8_t utc_state, time_state;
	bool is_host; /* of many processes */
};

/* What comes among calls, for the section of these: `asides` of explain/sink.h. */
extern const struct section *const call_exit_asides[], *const call_exit_host_asides[];

int call_exit_emit(struct output *output, const struct call_exit *e, struct sooth_error *err);

#endif
