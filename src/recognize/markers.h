/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The markers that agents put into the environment of their child processes. Each agent has its own
 * markers (recognize/agent.h); all other variables are skipped. A value is kept only if it is a
 * plain identifier that does not look like a secret. TRACEPARENT, which any program may set, is
 * reported if it is a valid context of a trace.
 */
#pragma once

#include "base/buffer.h"
#include "recognize/agent_set.h"

/* Returns whether there are markers of an agent in what proc_markers_find() appended. */
bool proc_markers_are_of_agent(struct span markers);

#define MARKER_VALUE_MAX 128

/* Appends each marker as "NAME=VALUE" or "NAME", followed by a NUL. `is_cut`: the bytes end before
 * the environment does. */
void proc_markers_find(struct buffer *out, const struct agent_set *agents, const void *environment,
	size_t size, bool is_cut);
