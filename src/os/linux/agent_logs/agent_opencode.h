/* SPDX-License-Identifier: BSD-2-Clause */
/* The log of opencode: lines of KEY=VALUE, written by all its processes with that home. Each
 * process has its own `run=`, which is attributed by the time of its first line. */
#pragma once

#include "os/agent_logs/agent_turn.h"

/* Reads the turn as agent_turn_read() does, for the process that started at `start_utc_ns`. False
 * also if it is unknown which lines belong to the process. */
bool agent_opencode_read(
	struct agent_turn *turn, const void *data, size_t size, bool is_cut, uint64_t start_utc_ns);
