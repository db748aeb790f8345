/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Finds the mapping of an address in the current process in the kernel's own tree of mappings, so
 * even a process that has just begun, or is about to end, is known. The tree is read without its
 * lock, which a program in an interrupt cannot take. If the tree changes at that moment, the result
 * is a wrong mapping or none, and a frame is lost.
 *
 * Functions with only numbers are verified once, and take other arguments from the walk's memory.
 */
#pragma once

#include "bpf/profile_walk.h"
#include "bpf/quirks.bpf.h"

struct vm_area_struct {
	unsigned long vm_start, vm_end;
	unsigned long vm_flags;
	unsigned long vm_pgoff;
	struct file *vm_file;
} KERNEL_TYPE;

struct vm_area_struct___before_6_1 {
	struct rb_node vm_rb;
} KERNEL_TYPE;

#define VM_EXEC 4

/* Nodes of the maple tree (include/linux/maple_tree.h). */
#define MAPLE_NODE_BYTES    WALK_NODE_BYTES
#define MAPLE_DEPTH_MAX	    12
#define MAPLE_LEAF	    1 /* maple_leaf_64, and below */
#define MAPLE_ARANGE	    3 /* maple_arange_64 */
#define MAPLE_PIVOTS	    15
#define MAPLE_ARANGE_PIVOTS 9
#define TREE_DEPTH_MAX	    40 /* depth of a red-black tree */

/* More than one if a walk may be preempted by another walk. */
#ifndef WALKS_OF_CPU
#define WALKS_OF_CPU 1
#endif

/* Too large for the stack of a program. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, WALKS_OF_CPU);
	__type(key, uint32_t);
	__type(value, struct walk);
} walks SEC(".maps");

static inline struct walk *walk_at(uint32_t index)
{
	return bpf_map_lookup_elem(&walks, &index);
}

/* Returns which child of the walk's node leads to the address. */
VERIFIED_ALONE_BY_NUMBERS int maple_slot(uint32_t walk, uint32_t pivots)
{
	struct walk *w = walk_at(walk);
	int i;

	if (!w)
		return 0;
	/* A pivot of 0 is unused: the slot before it is the last one. */
	for (i = 0; i < MAPLE_PIVOTS; i++) {
		uint64_t pivot = w->node[1 + i];

		if (i >= (int)pivots || w->address <= pivot || (i && !pivot))
			break;
	}
	return i;
}

static inline uint64_t find_in_maple(struct walk *w)
{
	struct mm_struct *mm = (void *)w->mm;
	uint64_t entry = (uint64_t)BPF_CORE_READ(mm, mm_mt.ma_root);

	/* Only the root pointer is marked as a pointer to a node; a tree without nodes has one
	 * entry, for address 0. */
	if ((entry & 3) != 2)
		return 0;
	for (int depth = 0; depth < MAPLE_DEPTH_MAX && entry >= 4096; depth++) {
		uint32_t type = entry >> 3 & 15;
		uint32_t pivots = type == MAPLE_ARANGE ? MAPLE_ARANGE_PIVOTS : MAPLE_PIVOTS;

		if (bpf_probe_read_kernel(w->node, sizeof(w->node),
			    (const void *)(entry & ~(uint64_t)(MAPLE_NODE_BYTES - 1))))
			return 0;
		entry = w->node[(1 + pivots + maple_slot(w->index, pivots)) &
				(MAPLE_NODE_BYTES / 8 - 1)];
		if (type <= MAPLE_LEAF)
			return entry & 3 ? 0 : entry;
	}
	return 0;
}

static inline uint64_t find_in_tree(struct walk *w)
{
	struct mm_struct___before_6_1 *mm = (void *)w->mm;
	uint64_t node = (uint64_t)BPF_CORE_READ(mm, mm_rb.rb_node);

	for (int depth = 0; depth < TREE_DEPTH_MAX && node; depth++) {
		uint64_t at =
			node - bpf_core_field_offset(struct vm_area_struct___before_6_1, vm_rb);
		struct vm_area_struct *vma = (void *)at;
		struct rb_node *next = (void *)node;

		if (w->address >= BPF_CORE_READ(vma, vm_end))
			node = (uint64_t)BPF_CORE_READ(next, rb_right);
		else if (w->address < BPF_CORE_READ(vma, vm_start))
			node = (uint64_t)BPF_CORE_READ(next, rb_left);
		else
			return at;
	}
	return 0;
}

static inline void set_mapped_file(struct walk *w, struct vm_area_struct *vma)
{
	struct walk_mapping *m = &w->mapping;
	struct mm_struct *mm = (void *)w->mm;
	struct file *file = BPF_CORE_READ(vma, vm_file);
	struct inode *inode;

	m->file = PROFILE_FILE_NONE;
	m->shift = 0;
	if (file) {
		inode = BPF_CORE_READ(file, f_inode);
		m->file = profile_file_key(
			BPF_CORE_READ(inode, i_sb, s_dev), BPF_CORE_READ(inode, i_ino));
		m->shift = m->from - (BPF_CORE_READ(vma, vm_pgoff) << 12);
	} else if (m->from == (uint64_t)BPF_CORE_READ(mm, context.vdso)) {
		m->file = PROFILE_FILE_VDSO;
		m->shift = m->from;
	}
}

/* Puts the mapping of the walk's address into the walk. Returns whether there is one. */
VERIFIED_ALONE_BY_NUMBERS int find_mapping(uint32_t walk)
{
	struct walk *w = walk_at(walk);
	struct vm_area_struct *vma;

	if (!w)
		return 0;
	if (w->address >= w->mapping.from && w->address < w->mapping.to)
		return 1;
	vma = bpf_core_field_exists(((struct mm_struct *)0)->mm_mt) ? (void *)find_in_maple(w)
								    : (void *)find_in_tree(w);
	if (!vma)
		return 0;
	w->mapping.vma = (uint64_t)vma;
	w->mapping.from = BPF_CORE_READ(vma, vm_start);
	w->mapping.to = BPF_CORE_READ(vma, vm_end);
	w->mapping.is_code = (BPF_CORE_READ(vma, vm_flags) & VM_EXEC) != 0;
	set_mapped_file(w, vma);
	return w->address >= w->mapping.from && w->address < w->mapping.to;
}
