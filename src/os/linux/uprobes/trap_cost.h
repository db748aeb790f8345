/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The time that the kernel takes for a probe that is hit, with a program that finds nothing to do:
 * it depends on the processor, the kernel and the virtual machine, so it is measured where sooth
 * runs, at two functions of sooth's own. They are places of events that probe other files anyway:
 * an event of their own would take the kernel 80 ms to remove.
 */
#ifndef SOOTH_OS_LINUX_TRAP_COST_H
#define SOOTH_OS_LINUX_TRAP_COST_H

#include <stdint.h>

#include "base/error.h"

struct trap_cost_places {
	int file;	   /* the program or the library that sooth is in; to be closed */
	uint64_t function; /* offset of a function, for entry and return */
	uint64_t stepped;  /* of the return instruction of another one */
};

int trap_cost_places(struct trap_cost_places *out, struct sooth_error *err);
/* The time of a call, with the probes that the calling thread has: measuring takes some 2 ms. */
uint32_t trap_cost_function_ns(void);
uint32_t trap_cost_stepped_ns(void);

#endif
