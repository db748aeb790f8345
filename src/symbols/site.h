/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where in a function a uprobe is best put: at the first instruction that the kernel
 * emulates (a twentieth of the price of one it must single-step), that every call
 * passes exactly once, and where the arguments asked for are still in their registers.
 *
 * Seen are the bytes given, from the entry, and no further than SITE_WINDOW_MAX. Not
 * seen are indirect jumps' targets and jumps from behind the window: code that comes
 * back to its own first instructions by these would be counted again. Give the whole
 * function where its size is known.
 */
#ifndef SOOTH_SYMBOLS_SITE_H
#define SOOTH_SYMBOLS_SITE_H

#include "symbols/instruction.h"

#define SITE_WINDOW_MAX 1024 /* bytes looked at for jumps back */
#define SITE_REACH_MAX	128  /* bytes from the entry a site may stand at */

/* Bits of site_requirement.arguments. */
#define SITE_ARGUMENT(n) (1u << (n))

struct site_requirement {
	/* Argument registers that must be as the caller left them: bit i for the i-th
	 * (rdi rsi rdx rcx r8 r9; x0 to x7). */
	uint8_t arguments;
	/* A return probe shall stand there too: the return address must be where it was. */
	bool needs_return;
	/* Calls whose argument 0 is NULL need not be seen, and better are not. */
	bool skips_null;
	/* The running kernel, as KERNEL_RELEASE() makes it. 0: the oldest sooth works on, 5.10. */
	uint32_t kernel;
};

struct site {
	uint32_t offset; /* from the entry */
	struct instruction instruction;
	/* False: it is single-stepped. That is the price to be stated before it is used. */
	bool is_emulated;

	bool keeps_return; /* a return probe may stand here */
	bool sees_null;	   /* calls with a NULL argument 0 pass here too */
	bool is_once;	   /* nothing seen comes back to it within a call */
	bool is_refused;   /* the kernel is known to refuse it, or it does not decode */
	const char *why;   /* static text: why this one, or why no better one */
};

/* Always finds one: the entry, whatever it costs, where nothing better is found (the first
 * instruction behind it that the kernel takes, if it is known not to take the entry). */
void site_choose(enum machine machine, const void *code, size_t size,
	const struct site_requirement *requirement, struct site *out);

#endif
