/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What the signals program and its loader agree on. */
#ifndef SOOTH_BPF_SIGNALS_H
#define SOOTH_BPF_SIGNALS_H

#include "probes/signals.h"

struct signals_control {
	uint32_t pid; /* in the initial namespace: whose handlers are wanted */
	uint32_t unused;
};

/* What the walk writes for each signal that a handler takes. */
struct signals_action {
	uint64_t handler;
	uint64_t flags;
	uint64_t blocked;
	uint32_t signal;
	uint32_t unused;
};

#endif
