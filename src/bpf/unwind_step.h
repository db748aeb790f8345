/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Takes one step up a stack: from the registers of a frame to those of its caller, by a rule of the
 * file's unwind table, else by the frame pointer. Code without both ends the walk, or the walk
 * skips to the next frame with a frame pointer. Kernel and user space share this code; the
 * including file defines walk_read().
 */
#pragma once

#include "bpf/profile_walk.h"

/* Offsets of the registers of interrupted code, from the stack pointer at the trampoline to which a
 * signal handler returns. */
#if defined(__TARGET_ARCH_arm64) || (defined(__aarch64__) && !defined(__TARGET_ARCH_x86))
#define STEPS_AARCH64
#endif

#ifndef STEPS_AARCH64
#define RETURN_ADDRESS(pc)	  (pc)
#define SIGNAL_FP		  120 /* struct ucontext: its sigcontext has r8 to r15, di, si, bp, ... */
#define SIGNAL_SP		  160
#define SIGNAL_PC		  168
#define SIGNAL_LINK		  SIGNAL_PC
#define PLT_PUSHED(pc, sp, place) ((sp) + 8 + (((pc)&15) >= (place) ? 8 : 0))
#else
/* Code may sign its return addresses, in the bits above those of an address. A mapping above 48
 * bits exists only if its process asks for one. */
#define RETURN_ADDRESS(pc)	  ((pc) & ((1ULL << 48) - 1))
#define SIGNAL_FP		  (312 + 29 * 8) /* struct rt_sigframe: siginfo, ucontext, x0 to x30 */
#define SIGNAL_LINK		  (312 + 30 * 8)
#define SIGNAL_SP		  (312 + 31 * 8)
#define SIGNAL_PC		  (312 + 32 * 8)
#define PLT_PUSHED(pc, sp, place) (sp)
#endif

static inline bool read_word(struct walk *w, uint64_t *out, uint64_t address)
{
	return walk_read(w, out, sizeof(*out), address);
}

static inline uint64_t word_at(struct walk *w, uint64_t address)
{
	uint64_t word = 0;

	read_word(w, &word, address);
	return word;
}

#ifndef DEFERS_FP
/* By default each step reads the frame pointer. A file that defines DEFERS_FP has its own
 * versions of these functions, which read it only when it is needed. */
static inline bool read_fp(const struct walk *w)
{
	(void)w;
	return true;
}

static inline void set_fp(struct walk *w, uint64_t fp)
{
	w->fp = fp;
}

static inline bool defer_fp(struct walk *w, uint64_t address)
{
	return read_word(w, &w->fp, address);
}
#endif

static inline int stop_walk(struct walk *w, uint32_t end)
{
	w->end = end;
	return 0;
}

static inline int step_by_signal(struct walk *w)
{
	uint64_t sp = w->sp, fp;

	if (!read_word(w, &fp, sp + SIGNAL_FP) || !read_word(w, &w->pc, sp + SIGNAL_PC) ||
		!read_word(w, &w->link, sp + SIGNAL_LINK) || !read_word(w, &w->sp, sp + SIGNAL_SP))
		return stop_walk(w, PROFILE_UNREADABLE);
	set_fp(w, fp);
	w->is_exact = 1;
	w->has_link = 1;
	return 1;
}

/* Steps by the frame pointer, if no rule is known; `end`: why none is known. */
static inline int step_by_frame_pointer(struct walk *w, uint32_t end)
{
	uint64_t fp, next, pc;

	if (w->tables_only)
		return stop_walk(w, end);
	if (!read_fp(w))
		return stop_walk(w, PROFILE_UNREADABLE);
	fp = w->fp;
	/* If the table is only not read yet, the register may be anything, and 0 is no end. */
	if (!fp && !w->is_exact)
		return stop_walk(w, end == PROFILE_NO_TABLE ? end : PROFILE_WHOLE);
	if (fp < w->sp || fp & 7)
		return stop_walk(w, end);
	if (!read_word(w, &next, fp) || !read_word(w, &pc, fp + 8))
		return stop_walk(w, end);
	if (!pc && end == PROFILE_NO_TABLE)
		return stop_walk(w, end);
	w->sp = fp + 16;
	set_fp(w, next);
	w->pc = RETURN_ADDRESS(pc);
	w->is_exact = 0;
	w->has_link = 0;
	return 1;
}

static inline int step_by_rule(struct walk *w)
{
	int64_t offset = w->rule.frame >> UNWIND_KIND_BITS;
	uint32_t kind = w->rule.frame & ((1 << UNWIND_KIND_BITS) - 1);
	uint64_t frame, from, pc = w->link;

	switch (kind) {
	case UNWIND_END:
		return stop_walk(w, PROFILE_WHOLE);
	case UNWIND_SIGNAL:
		return step_by_signal(w);
	case UNWIND_SP:
		frame = w->sp + offset;
		break;
	case UNWIND_FP:
		if (!read_fp(w))
			return stop_walk(w, PROFILE_UNREADABLE);
		frame = w->fp + offset;
		break;
	case UNWIND_FP_SAVED:
		if (!read_fp(w) || !read_word(w, &frame, w->fp + offset))
			return stop_walk(w, PROFILE_UNREADABLE);
		break;
	case UNWIND_PLT:
		frame = PLT_PUSHED(w->pc, w->sp, (uint64_t)offset);
		break;
	case UNWIND_NONE:
		return step_by_frame_pointer(w, PROFILE_NO_ROW);
	default:
		return step_by_frame_pointer(w, PROFILE_RULE);
	}
	if (w->rule.ra == UNWIND_KEPT ? !w->has_link : frame <= w->sp)
		return stop_walk(w, PROFILE_STUCK);
	if (w->rule.ra != UNWIND_KEPT && !read_word(w, &pc, frame + w->rule.ra))
		return stop_walk(w, PROFILE_UNREADABLE);
	from = kind == UNWIND_FP_SAVED ? w->fp : frame;
	if (w->rule.fp != UNWIND_KEPT && !defer_fp(w, from + w->rule.fp))
		return stop_walk(w, PROFILE_UNREADABLE);
	w->sp = frame;
	w->pc = RETURN_ADDRESS(pc);
	w->is_exact = 0;
	w->has_link = 0;
	return 1;
}

#ifndef STEPS_AARCH64
#define TRAMPOLINE_END	    0xc308c48348ULL /* add $8, %rsp; ret */
#define TRAMPOLINE_END_MASK 0xffffffffffULL

/* Steps out of the code that Python 3.12 makes for each function (-X perf), which keeps no frame
 * pointer: the walk is behind its only call. */
static inline bool step_by_trampoline(struct walk *w)
{
	uint64_t code, pc;

	if (w->is_exact || !read_word(w, &code, w->pc) ||
		(code & TRAMPOLINE_END_MASK) != TRAMPOLINE_END || !read_word(w, &pc, w->sp + 8))
		return false;
	w->sp += 16;
	w->pc = pc;
	return true;
}
#else
static inline bool step_by_trampoline(struct walk *w)
{
	(void)w;
	return false;
}
#endif

/* Steps to the caller. `found`: PROFILE_WHOLE if w->rule is the rule of this place, else why there
 * is none. Returns 0 at the end of the walk, with w->end set. */
static inline int step_by(struct walk *w, uint32_t found)
{
	return found ? step_by_frame_pointer(w, found) : step_by_rule(w);
}
