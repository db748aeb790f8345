/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The markers that agents put into the environment of what they start: which names those
 * are the agents say (core/agent.h), every other variable is passed over. A value is kept
 * only if it is a plain identifier, and none that looks like a secret.
 */
#ifndef SOOTH_OS_LINUX_PROC_MARKERS_H
#define SOOTH_OS_LINUX_PROC_MARKERS_H

#include "base/buffer.h"
#include "core/agent_set.h"

#define MARKER_VALUE_MAX 128

/* Appends "NAME=VALUE" or "NAME" of each, with a NUL behind. `is_cut`: the bytes end before
 * the environment does. */
void proc_markers_find(struct buffer *out, const struct agent_set *agents, const void *environment,
	size_t size, bool is_cut);

#endif
