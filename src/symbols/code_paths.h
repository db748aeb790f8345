/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The paths of a function, from its entry along its own jumps and those into other code of its
 * file, also through slots (elf_slots.h). Calls return, except of functions that are known not to.
 * Found are the return instructions of the paths, which are those of the function: where a probe
 * sees its result without replacing its return address. And whether a path returns without having
 * called one of the targets, or jumped to one.
 *
 * Not seen: targets of other indirect jumps, and what follows a call that never returns (taken for
 * code of the function, up to its end if its size is known).
 */
#ifndef SOOTH_SYMBOLS_CODE_PATHS_H
#define SOOTH_SYMBOLS_CODE_PATHS_H

#include "symbols/elf.h"
#include "symbols/elf_slots.h"

#define CODE_RETURNS_MAX 24

enum code_target {
	CODE_OTHER,
	CODE_TARGET,	   /* a path that jumps there ends */
	CODE_TARGET_INSIDE /* the returns of a path that jumps there are looked for too */
};

/* Classifies the code at an offset in the file, or a function of another file. The name is that of
 * its slot; "": it has none. */
typedef enum code_target (*code_classify)(
	void *user, uint64_t offset, bool is_defined, const char *name);

struct code_paths {
	uint64_t returns[CODE_RETURNS_MAX]; /* offsets in the file */
	size_t count;
	bool avoids_targets; /* a path returns without them */
	bool is_cut;	     /* a path could not be followed, or is too long: it may return too */
};

/* 0, or -ENOMEM. */
int code_paths_find(int fd, enum machine machine, const struct elf_function *function,
	const struct elf_slots *slots, code_classify classify, void *user, struct code_paths *out);

#endif
