/* SPDX-License-Identifier: BSD-2-Clause */
/* The stack of a call: walked by unwind tables, and written into the ring when it is new there. */
#ifndef SOOTH_PRELOAD_STACK_H
#define SOOTH_PRELOAD_STACK_H

#include "bpf/unwind.h"
#include "preload/preload.h"

/* When the program starts. */
bool unwind_begin(void);
/* The rule of an address that is code; kind UNWIND_NONE: there is none. */
struct unwind_rule unwind_find(uint64_t address);
/* Code was unloaded: its addresses may be others' from now on. */
void unwind_forget(void);
/* An object with code, at its start in memory: sooth has to know of it before a stack is in it. */
void stack_meet_code(uintptr_t begin);
/* Walks from a frame of this library up; `function`: the one that is called. The number that
 * stands for the stack in this image, after it was written. */
uint64_t stack_walk_frames(struct thread *t, const uintptr_t *frame, const void *function);

#endif
