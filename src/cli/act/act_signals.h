/* SPDX-License-Identifier: BSD-2-Clause */
/* Signals that end processes, in the order of a menu. */
#pragma once

#include <stddef.h>

struct act_signal {
	const char *name; /* without SIG */
	int number;
	const char *help;
};

extern const struct act_signal act_signals[];
extern const size_t act_signal_count;
/* Returns the index of SIGTERM. */
size_t act_signal_default(void);
/* Choices of an option; NULL after the last. */
const char *act_signal_name(size_t index);
/* Returns the signal's number; 0: no signal has that name. */
int act_signal_number(const char *name);
