/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The paths of a function, from its entry along its own jumps and jumps into other code of its
 * file, also through slots (elf_slots.h). Calls return, except calls of functions known to never
 * return. The result has the return instructions of the paths: a probe there sees the result of the
 * function without replacing its return address. It also says whether a path returns without having
 * called one of the targets, or jumped to one.
 *
 * Not seen: targets of other indirect jumps, and that a call never returns (the code after such a
 * call counts as part of the function, up to its end if its size is known).
 */
#pragma once

#include "symbols/elf.h"
#include "symbols/elf_slots.h"

#define CODE_RETURNS_MAX 24

enum code_target {
	CODE_OTHER,
	CODE_TARGET,	   /* a path that jumps there ends */
	CODE_TARGET_INSIDE /* the path goes on there, to find its returns too */
};

/* Classifies the code at an offset in the file, or a function of another file. `name` is that of
 * the slot; "": there is none. */
typedef enum code_target (*code_classify)(
	void *user, uint64_t offset, bool is_defined, const char *name);

struct code_paths {
	uint64_t returns[CODE_RETURNS_MAX]; /* offsets in the file */
	size_t count;
	bool avoids_targets; /* a path returns without meeting a target */
	bool is_cut;	     /* a path was not followed to its end, and may return too */
};

/* Finds the paths of a function. Returns 0, or -ENOMEM. */
int code_paths_find(int fd, enum machine machine, const struct elf_function *function,
	const struct elf_slots *slots, code_classify classify, void *user, struct code_paths *out);
