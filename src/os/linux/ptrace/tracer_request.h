/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests to the tracing process; the answer to each is an int: 0 or a negative errno. */
#pragma once

#include "model/process_id.h"

enum tracer_request_kind {
	TRACER_SEIZE = 1,
	TRACER_BEGIN,
	TRACER_FORGET,
	TRACER_STOP,
};

struct tracer_request {
	struct process_id process;
	uint32_t what; /* enum tracer_request_kind */
	uint32_t interest;
};
