/* SPDX-License-Identifier: BSD-2-Clause */
/* The context of a trace as W3C Trace Context writes it: "00-TRACE-SPAN-FLAGS", 55 characters. */
#pragma once

#include "base/cursor.h"

#define TRACE_PARENT_SIZE     55
#define TRACE_PARENT_VARIABLE "TRACEPARENT"

struct trace_parent {
	unsigned char trace[16], span[8];
};

/* False: another version or length, capital letters, or an id of zeros. */
bool trace_parent_parse(struct trace_parent *out, struct span text);
