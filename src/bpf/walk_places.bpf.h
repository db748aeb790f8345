/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Caches places in the code of a process: the file, and the rule that finds the caller. Otherwise
 * each step searches the tree of mappings and, for a large program, a table of a million rows.
 *
 * Threads on all CPUs write entries without a lock: an entry to which two threads wrote at once has
 * a wrong check value, and is ignored.
 */
#pragma once

struct walk_place {
	uint64_t address, owner;
	uint64_t file, shift;
	union unwind_entry rule;
	int32_t found;
	uint32_t generation;
	uint64_t check;
};

#define PLACES_BITS 14

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1 << PLACES_BITS);
	__type(key, uint32_t);
	__type(value, struct walk_place);
} places_known SEC(".maps");

static inline struct walk_place *place_of(const struct walk *w)
{
	uint32_t index =
		(uint32_t)((w->address ^ w->notes.owner) * HASH_FACTOR >> (64 - PLACES_BITS));

	return bpf_map_lookup_elem(&places_known, &index);
}

static inline uint64_t checksum_of_place(const struct walk_place *p)
{
	uint64_t check = p->address;

	check = (check ^ p->owner) * HASH_FACTOR;
	check = (check ^ p->file) * HASH_FACTOR;
	check = (check ^ p->shift) * HASH_FACTOR;
	check = (check ^ *(const uint64_t *)&p->rule) * HASH_FACTOR;
	return check ^ (uint64_t)p->generation << 32 ^ (uint32_t)p->found;
}

/* Returns whether the walk's address is cached: then `w` has its file and its rule. */
static inline bool recall_place(struct walk *w)
{
	struct walk_place *known = place_of(w), p;

	w->notes.is_place_known = 0;
	if (!known || known->address != w->address)
		return false;
	p = *known;
	if (p.address != w->address || p.owner != w->notes.owner ||
		p.generation != w->notes.generation || p.check != checksum_of_place(&p))
		return false;
	w->mapping.from = w->mapping.to = 0;
	w->mapping.file = p.file;
	w->mapping.shift = p.shift;
	w->rule = p.rule.rule;
	w->notes.found = p.found;
	w->notes.is_place_known = 1;
	return true;
}

static inline void store_rule_of_address(struct walk *w, int found)
{
	struct walk_place *known = place_of(w), p;

	if (!known || found == PROFILE_NO_TABLE)
		return;
	p.address = w->address;
	p.owner = w->notes.owner;
	p.file = w->mapping.file;
	p.shift = w->mapping.shift;
	p.rule.rule = w->rule;
	p.found = found;
	p.generation = w->notes.generation;
	p.check = checksum_of_place(&p);
	*known = p;
}

/* Finds the unwind rule as find_rule() does, for the walk's address. */
static inline int rule_of_place(struct walk *w, uint32_t walk)
{
	int found;

	if (w->notes.is_place_known)
		return w->notes.found;
	found = rule_of(w, walk);
	store_rule_of_address(w, found);
	return found;
}

/* Notes that the address is in generated code. */
static inline void note_address_without_file(struct walk *w)
{
	if (!w->notes.is_place_known)
		store_rule_of_address(w, PROFILE_NO_ROW);
}
