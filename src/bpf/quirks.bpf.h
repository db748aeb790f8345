/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What single kernels need, each with the version it was seen on. */
#ifndef SOOTH_BPF_QUIRKS_H
#define SOOTH_BPF_QUIRKS_H

/*
 * Linux 6.1: the verifier does not carry "from 1 to 6" through "minus one, times
 * eight" ("R1 unbounded memory access"). An index masked to a power of two is
 * understood everywhere, so the array has eight places for six arguments.
 */
#define ARGUMENT_SLOTS 8

static inline uint32_t argument_slot(uint32_t argument)
{
	return (argument - 1) & (ARGUMENT_SLOTS - 1);
}

#endif
