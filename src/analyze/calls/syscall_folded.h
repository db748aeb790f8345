/* SPDX-License-Identifier: BSD-2-Clause */
/* Options of the view "syscall-folded". */
#pragma once

#include <stdbool.h>

#include "analyze/graphs/call_graph_rows.h"

struct syscall_folded_options {
	struct call_graph_look look;
	const char *set;	 /* shown calls, in the syntax of probes/syscall_set.h; NULL: all */
	bool is_per_process;	 /* false: processes with the same name are merged */
	struct call_graph *keep; /* filled instead of emitting a report; NULL: report */
	uint64_t *unfinished;	 /* calls not returned at the end; with `keep` */
};

/* Notes that `count` calls that did not return are in no stack; `of` names the calls, NULL: all
 * that are reported. */
void syscall_folded_emit_unfinished(struct output *output, uint64_t count, const char *of);
