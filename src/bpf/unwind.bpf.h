/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * One step up a stack: from the registers of a frame to those of its caller, by the unwind table of
 * the file, else by the frame pointer. Code that keeps no frame pointer and has no table ends the
 * walk, or skips to the next frame that has one.
 */
#ifndef SOOTH_BPF_UNWIND_BPF_H
#define SOOTH_BPF_UNWIND_BPF_H

#include "bpf/profile_maps.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, PROFILE_FILES_MAX);
	__type(key, uint64_t); /* profile_file_key() */
	__type(value, struct profile_file);
} files SEC(".maps");

struct table {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_INNER_MAP | BPF_F_MMAPABLE);
	__uint(key_size, sizeof(uint32_t));
	__uint(value_size, sizeof(union unwind_entry));
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, PROFILE_TABLES_MAX);
	__type(key, uint32_t);
	__array(values, struct table);
} tables SEC(".maps");

/* Where the kernel keeps the registers of the interrupted code, from the stack pointer of the
 * trampoline that a handler returns to. */
#if defined(__TARGET_ARCH_x86)
#define SIGNAL_FP		  120 /* struct ucontext: its sigcontext has r8 to r15, di, si, bp, ... */
#define SIGNAL_SP		  160
#define SIGNAL_PC		  168
#define SIGNAL_LINK		  SIGNAL_PC
#define PLT_PUSHED(pc, sp, place) ((sp) + 8 + (((pc)&15) >= (place) ? 8 : 0))
#else
#define SIGNAL_FP		  (312 + 29 * 8) /* struct rt_sigframe: siginfo, ucontext, x0 to x30 */
#define SIGNAL_LINK		  (312 + 30 * 8)
#define SIGNAL_SP		  (312 + 31 * 8)
#define SIGNAL_PC		  (312 + 32 * 8)
#define PLT_PUSHED(pc, sp, place) (sp)
#endif

static inline bool read_word(uint64_t *out, uint64_t address)
{
	return !bpf_probe_read_user(out, sizeof(*out), (const void *)address);
}

/* The rule for an offset in the file of w->mapping. Returns an enum profile_end if there is none,
 * else PROFILE_WHOLE. */
VERIFIED_ALONE_BY_NUMBERS int find_rule(uint32_t offset)
{
	struct walk *w = walk_here();
	struct profile_file *file;
	union unwind_entry *entry;
	uint32_t from, to, table;
	void *rows;

	if (!w)
		return PROFILE_NO_TABLE;
	file = bpf_map_lookup_elem(&files, &w->mapping.file);
	if (!file || file->state == PROFILE_FILE_NEW)
		return PROFILE_NO_TABLE;
	if (file->state != PROFILE_FILE_READY)
		return PROFILE_NO_ROW;
	table = file->table;
	rows = bpf_map_lookup_elem(&tables, &table);
	if (!rows)
		return PROFILE_NO_TABLE;
	from = file->rules;
	to = from + file->rows;
	/* The first row behind the offset. */
	for (int i = 0; i < UNWIND_SEARCH_MAX; i++) {
		uint32_t middle = from + (to - from) / 2;

		if (from >= to)
			break;
		entry = bpf_map_lookup_elem(rows, &middle);
		if (!entry)
			return PROFILE_NO_ROW;
		if (entry->row.offset <= offset)
			from = middle + 1;
		else
			to = middle;
	}
	if (from <= file->rules)
		return PROFILE_NO_ROW;
	from--;
	entry = bpf_map_lookup_elem(rows, &from);
	if (!entry)
		return PROFILE_NO_ROW;
	from = entry->row.rule & ~UNWIND_IS_ENTRY;
	entry = bpf_map_lookup_elem(rows, &from);
	if (!entry)
		return PROFILE_NO_ROW;
	w->rule = entry->rule;
	return PROFILE_WHOLE;
}

static inline int stop(struct walk *w, uint32_t end)
{
	w->end = end;
	return 0;
}

static inline int step_by_signal(struct walk *w)
{
	uint64_t sp = w->sp;

	if (!read_word(&w->fp, sp + SIGNAL_FP) || !read_word(&w->pc, sp + SIGNAL_PC) ||
		!read_word(&w->link, sp + SIGNAL_LINK) || !read_word(&w->sp, sp + SIGNAL_SP))
		return stop(w, PROFILE_UNREADABLE);
	w->is_exact = 1;
	w->has_link = 1;
	return 1;
}

/* What is left when no rule is known; `end`: why not. */
static inline int step_by_frame_pointer(struct walk *w, uint32_t end)
{
	uint64_t fp = w->fp, next, pc;

	if (!fp && !w->is_exact)
		return stop(w, PROFILE_WHOLE);
	if (fp < w->sp || fp & 7)
		return stop(w, end);
	if (!read_word(&next, fp) || !read_word(&pc, fp + 8))
		return stop(w, end);
	w->sp = fp + 16;
	w->fp = next;
	w->pc = pc;
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
		return stop(w, PROFILE_WHOLE);
	case UNWIND_SIGNAL:
		return step_by_signal(w);
	case UNWIND_SP:
		frame = w->sp + offset;
		break;
	case UNWIND_FP:
		frame = w->fp + offset;
		break;
	case UNWIND_FP_SAVED:
		if (!read_word(&frame, w->fp + offset))
			return stop(w, PROFILE_UNREADABLE);
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
		return stop(w, PROFILE_STUCK);
	if (w->rule.ra != UNWIND_KEPT && !read_word(&pc, frame + w->rule.ra))
		return stop(w, PROFILE_UNREADABLE);
	from = kind == UNWIND_FP_SAVED ? w->fp : frame;
	if (w->rule.fp != UNWIND_KEPT && !read_word(&w->fp, from + w->rule.fp))
		return stop(w, PROFILE_UNREADABLE);
	w->sp = frame;
	w->pc = pc;
	w->is_exact = 0;
	w->has_link = 0;
	return 1;
}

#if defined(__TARGET_ARCH_x86)
#define TRAMPOLINE_END	    0xc308c48348ULL /* add $8, %rsp; ret */
#define TRAMPOLINE_END_MASK 0xffffffffffULL

/* The code that Python 3.12 makes for each function (-X perf) keeps no frame pointer: it stands
 * behind its only call. */
static inline bool step_by_trampoline(struct walk *w)
{
	uint64_t code, pc;

	if (w->is_exact || !read_word(&code, w->pc) ||
		(code & TRAMPOLINE_END_MASK) != TRAMPOLINE_END || !read_word(&pc, w->sp + 8))
		return false;
	w->sp += 16;
	w->pc = pc;
	return true;
}
#else
static inline bool step_by_trampoline(struct walk *w)
{
	return false;
}
#endif

/* From w's frame to its caller. Returns 0 at the end of the walk, with w->end. */
VERIFIED_ALONE_BY_NUMBERS int step_up(uint32_t unused)
{
	struct walk *w = walk_here();
	uint64_t offset;
	int found = PROFILE_NO_ROW;

	if (!w)
		return 0;
	if (w->mapping.file != PROFILE_FILE_NONE) {
		/* A call may be the last instruction of its function. */
		offset = w->pc - w->mapping.shift - !w->is_exact;
		found = offset >> 32 ? PROFILE_NO_ROW : find_rule((uint32_t)offset);
	} else if (step_by_trampoline(w)) {
		return 1;
	}
	if (found)
		return step_by_frame_pointer(w, (uint32_t)found);
	return step_by_rule(w);
}

#endif
