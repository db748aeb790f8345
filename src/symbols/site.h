/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The best place in a function for a uprobe: the first instruction that the kernel emulates (a
 * twentieth of the cost of a single-stepped one), that every call passes exactly once, and where
 * the required arguments are still in their registers.
 *
 * Only the given bytes are seen, from the entry, and no further than SITE_WINDOW_MAX. Not seen are
 * targets of indirect jumps and jumps from outside of the window: code that jumps back to its own
 * first instructions this way would be counted twice. Give the whole function if its size is
 * known.
 */
#pragma once

#include "symbols/instruction.h"

#define SITE_WINDOW_MAX 1024 /* bytes searched for jumps back */
#define SITE_REACH_MAX	128  /* largest distance of a site from the entry, in bytes */

/* Bits of site_requirement.arguments. */
#define SITE_ARGUMENT(n) (1u << (n))

struct site_requirement {
	/* Argument registers that must be unchanged since the call: bit i for the i-th (rdi rsi
	 * rdx rcx r8 r9; x0 to x7). */
	uint8_t arguments;
	/* A return probe will be there too: the return address must be in its place. */
	bool needs_return;
	/* Calls whose argument 0 is NULL may be missed, and should be. */
	bool skips_null;
	/* The running kernel, as KERNEL_RELEASE() makes it. 0: the oldest supported one, 5.10. */
	uint32_t kernel;
};

struct site {
	uint32_t offset; /* offset from the entry */
	struct instruction instruction;
	/* False: it is single-stepped. That overhead must be reported before the site is used. */
	bool is_emulated;

	bool keeps_return; /* a return probe works here */
	bool sees_null;	   /* calls with a NULL argument 0 pass here too */
	bool is_once;	   /* no visible jump leads back to the site within a call */
	bool is_refused;   /* the kernel is known to refuse the place, or it cannot be decoded */
	/* static text: the reason for this site, or why there is no better one */
	const char *why;
};

/* Always finds a site: at worst the entry, at any overhead. If the kernel is known to refuse the
 * entry, it is the first later instruction that the kernel accepts. */
void site_choose(enum machine machine, const void *code, size_t size,
	const struct site_requirement *requirement, struct site *out);
