/* SPDX-License-Identifier: BSD-2-Clause */
/* Walks the stack of a call by unwind tables, and writes a new stack into the ring. */
#pragma once

#include "bpf/unwind.h"
#include "preload/preload.h"

/* Finds the unwind tables, at program start. */
bool unwind_begin(void);
/* Returns the unwind rule of a code address; kind UNWIND_NONE: there is none. */
struct unwind_rule unwind_find(uint64_t address);
/* Forgets all rules, because code was unloaded, and its addresses may be reused. */
void unwind_forget(void);
/* Reports the code that starts at `begin`: sooth has to know it before a stack refers to it. */
void stack_meet_code(uintptr_t begin);
/* Walks up from a frame of this library, and writes the stack, with the called `function`. Returns
 * the hash that stands for the stack in this image. */
uint64_t stack_walk_frames(struct thread *t, const uintptr_t *frame, const void *function);
