/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Takes one step up a stack, by the unwind table of the file. */
#pragma once

#include "bpf/profile_maps.bpf.h"

#ifdef WALK_NOTES
#define SPOIL_NOTES(w) (w)->notes.is_spoiled = 1
#define DEFERS_FP

static __attribute__((noinline)) void note_read(struct walk *w, uint64_t value, uint64_t address)
{
	uint32_t at = w->notes.count;

	if (at >= WALK_WORDS_MAX) {
		SPOIL_NOTES(w);
		return;
	}
	w->notes.words[at].value = value;
	w->notes.words[at].address = address;
	w->notes.count = at + 1;
}

/* Notes a value that is smaller than a word, by the word that contains the value. */
static inline void note_part(struct walk *w, uint32_t size, uint64_t address)
{
	uint64_t from = address & ~7ULL, word;

	if (address + size > from + sizeof(word) ||
		bpf_probe_read_user(&word, sizeof(word), (const void *)from))
		SPOIL_NOTES(w);
	else
		note_read(w, word, from);
}
#else
#define SPOIL_NOTES(w)
#endif

static inline bool walk_read(struct walk *w, void *out, uint32_t size, uint64_t address)
{
	bool is_read = !bpf_probe_read_user(out, size, (const void *)address);

#ifdef WALK_NOTES
	if (w->notes.is_noting) {
		if (!is_read)
			SPOIL_NOTES(w);
		else if (size == sizeof(uint64_t))
			note_read(w, *(const uint64_t *)out, address);
		else
			note_part(w, size, address);
	}
#endif
	return is_read;
}

#ifdef WALK_NOTES
/* Reads the frame pointer only now: most code uses the register for other values. */
static inline bool resolve_fp(struct walk *w)
{
	uint64_t at = w->notes.fp_at;

	if (!at)
		return true;
	w->notes.fp_at = 0;
	if (bpf_probe_read_user(&w->fp, sizeof(w->fp), (const void *)at)) {
		SPOIL_NOTES(w);
		return false;
	}
	note_read(w, w->fp, at | WALK_FP_WORD);
	return true;
}

static inline bool read_fp(struct walk *w)
{
	bool is_known = resolve_fp(w);

	w->notes.now.uses_fp = 1;
	w->notes.now.fp = w->fp;
	return is_known;
}

static inline void set_fp(struct walk *w, uint64_t fp)
{
	w->fp = fp;
	w->notes.fp_at = 0;
	w->notes.now.sets_fp = 1;
}

static inline bool defer_fp(struct walk *w, uint64_t address)
{
	w->notes.fp_at = address;
	w->notes.now.sets_fp = 1;
	return true;
}
#endif

#include "bpf/unwind_step.h"

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

/* Finds the rule for an offset in the file of the walk's mapping. Returns PROFILE_WHOLE, or another
 * enum profile_end if there is none. */
VERIFIED_ALONE_BY_NUMBERS int find_rule(uint32_t walk, uint32_t offset)
{
	struct walk *w = walk_at(walk);
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
	/* Search the first row behind the offset. */
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

/* Finds the rule of the current frame. A call may be the last instruction of its function. */
static inline int rule_of(struct walk *w, uint32_t walk)
{
	uint64_t offset = w->pc - w->mapping.shift - !w->is_exact;

	return offset >> 32 ? PROFILE_NO_ROW : find_rule(walk, (uint32_t)offset);
}

#ifdef WALK_NOTES
#include "bpf/walk_places.bpf.h"
#else
#define recall_place(w)	       0
#define rule_of_place(w, walk) rule_of(w, walk)
#define note_address_without_file(w)
#endif

/* Steps from the current frame to its caller. Returns 0 at the end of the walk, with w->end set. */
VERIFIED_ALONE_BY_NUMBERS int step_up(uint32_t walk)
{
	struct walk *w = walk_at(walk);
	int found = PROFILE_NO_ROW;

	if (!w)
		return 0;
	if (w->mapping.file != PROFILE_FILE_NONE) {
		found = rule_of_place(w, walk);
		if (found == PROFILE_NO_TABLE)
			SPOIL_NOTES(w);
	} else {
		note_address_without_file(w);
		if (step_by_trampoline(w))
			return 1;
	}
	return step_by(w, (uint32_t)found);
}
