/* SPDX-License-Identifier: BSD-2-Clause */
/* Options of the view "overview": the report of claude-diagnose. */
#ifndef SOOTH_ANALYZE_OVERVIEW_H
#define SOOTH_ANALYZE_OVERVIEW_H

#include "analyze/diagnosis/findings.h"

struct overview_options {
	struct findings_options findings;
	bool has_descriptors; /* of each process */
	bool has_calls;	      /* system calls were asked for */
	bool has_io, has_network;
	/* Why they could not be seen; NULL: they could. */
	const char *calls_refused;
	const char *flamegraph_path; /* of a picture of the calls; NULL: there is none */
};

#endif
