/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Records output to standard error. Other descriptors of the same object count too: standard
 * output, a terminal that was opened again, as node does, or that of echo >&2 in a shell. Only the
 * first buffer of a call is seen, cut.
 */
#pragma once

#include "bpf/pieces.bpf.h"

#define STANDARD_ERROR 2
#define MODE_REGULAR   0100000
#define MINOR_BITS     20 /* of a device number in the kernel (include/linux/kdev_t.h) */
#define MEMORY_MAJOR   1  /* Documentation/admin-guide/devices.txt */

static inline struct inode *inode_of(uint32_t fd)
{
	struct file *file = file_of(fd);

	return file ? BPF_CORE_READ(file, f_inode) : 0;
}

static inline bool is_error_output(uint64_t fd)
{
	struct inode *inode = inode_of((uint32_t)fd);

	/* /dev/null: such output is never read. */
	if (!inode || BPF_CORE_READ(inode, i_rdev) >> MINOR_BITS == MEMORY_MAJOR)
		return false;
	return fd == STANDARD_ERROR || inode_of(STANDARD_ERROR) == inode;
}

VERIFIED_ALONE_BY_NUMBERS int keep_error_output(
	uint32_t scratch_index, uint32_t argument, uint64_t from, uint64_t done)
{
	struct inode *inode = inode_of(STANDARD_ERROR);
	bool is_file = inode && (BPF_CORE_READ(inode, i_mode) & MODE_MASK) == MODE_REGULAR;
	struct call_with_pieces *p = bpf_map_lookup_elem(&scratch, &scratch_index);
	uint32_t at, size = done > SYSCALLS_PIECE_MAX ? SYSCALLS_PIECE_MAX : (uint32_t)done;

	if (!p)
		return 0;
	at = p->at;
	if (at > PIECE_AT_MAX)
		return 0;
	/* The compiler knows the bound, but the verifier has to see it too. */
	asm volatile("" : "+r"(size));
	size &= PIECE_MASK;
	if (bpf_probe_read_user(p->pieces + at + sizeof(struct syscalls_piece), size,
		    (const void *)(unsigned long)from))
		return 0;
	put_head(p, at, (uint8_t)argument,
		is_file ? SYSCALLS_PART_ERROR_FILE : SYSCALLS_PART_ERROR_OUTPUT,
		done > SYSCALLS_PIECE_MAX ? STATE_TRUNCATED : 0, size);
	return 0;
}
