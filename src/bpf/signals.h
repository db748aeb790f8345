/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Shared by the signals program and its loader. */
#pragma once

#include "probes/signals.h"

struct signals_control {
	uint32_t pid; /* the process to read, in the namespace of sooth */
	uint32_t unused;
};

/* Written for each signal that has a handler. */
struct signals_action {
	uint64_t handler;
	uint64_t flags;
	uint64_t blocked;
	uint32_t signal;
	uint32_t unused;
};
