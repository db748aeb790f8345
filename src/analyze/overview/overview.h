/* SPDX-License-Identifier: BSD-2-Clause */
/* Options of the view "overview": the report of claude-diagnose. */
#pragma once

#include "analyze/diagnosis/diagnosis_options.h"

struct overview_options {
	struct findings_options findings;
	bool has_descriptors; /* show the descriptors of each process */
	bool has_calls;	      /* system calls were requested */
	bool has_io, has_network;
	bool has_samples;	    /* call stacks were requested */
	const char *sample_refused; /* reason why stacks were not sampled; NULL: they were */
	/* Why system calls were not observed; NULL: they were. */
	const char *calls_refused;
	const char *flamegraph_path; /* file with a flame graph of the calls; NULL: none */
};
