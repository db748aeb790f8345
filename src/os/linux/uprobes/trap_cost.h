/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The time that the kernel takes for a probe hit whose program does nothing. It depends on the CPU,
 * the kernel and the virtual machine, so it is measured where sooth runs, at two of sooth's own
 * functions. They are added to events that probe other files anyway: the kernel would take 80 ms to
 * remove an event of their own.
 */
#pragma once

#include <stdint.h>

#include "base/error.h"

struct trap_cost_places {
	int file;	   /* the program or library that contains sooth; the caller closes it */
	uint64_t function; /* offset of a function, for entry and return */
	uint64_t stepped;  /* offset of the return instruction of another function */
};

int trap_cost_places(struct trap_cost_places *out, struct sooth_error *err);
/* Returns the time of a call with the probes that the calling thread has. Measuring takes 2 ms. */
uint32_t trap_cost_function_ns(void);
uint32_t trap_cost_stepped_ns(void);
