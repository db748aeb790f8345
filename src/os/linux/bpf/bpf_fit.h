/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fits a program that was compiled against a few members of the kernel's structs to the running
 * kernel: clang's notes in .BTF.ext (Documentation/bpf/llvm_reloc.rst, CO-RE) are looked up in the
 * kernel's own types and written into the instructions. libbpf does the same, and for that reads
 * and indexes all types of the kernel for each object, which takes longer than all the rest.
 *
 * It handles fewer kinds than libbpf: members, their existence and bit fields, types, their size
 * and existence, and the existence of enumerators; no calls or maps. Unknown kinds are refused.
 */
#pragma once

#include <linux/bpf.h>

#include "base/cursor.h"
#include "base/error.h"
#include "os/linux/bpf/kernel_types.h"

/* The program of one section, and the compiler's data about it. */
struct bpf_unfitted {
	struct bpf_insn *instructions;
	size_t count;
	struct span section; /* name of the section */
	struct span types;   /* .BTF */
	struct span notes;   /* section .BTF.ext */
};

/* Calls back for each section of an ELF object that has bytes in it. */
typedef void (*bpf_section_visitor)(
	void *user, const char *name, const unsigned char *bytes, size_t size, bool is_code);
void bpf_sections_visit(
	const unsigned char *image, size_t size, bpf_section_visitor visitor, void *user);

/* Names of the types to find, without a suffix "___..." (another shape of the same type). The
 * names are borrowed from the notes' types. -ENOSPC: more than there is room for. */
int bpf_list_relocated_types(
	const struct bpf_unfitted *program, struct kernel_name *names, size_t room, size_t *count);
int bpf_relocate(const struct bpf_unfitted *program, const struct kernel_types *kernel,
	const struct kernel_name *names, size_t count, struct sooth_error *err);
