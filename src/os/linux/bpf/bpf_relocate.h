/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Making a program that was compiled against a few members of the kernel's structs fit the
 * running kernel: what clang noted in .BTF.ext (Documentation/bpf/llvm_reloc.rst, CO-RE) is
 * looked up in the kernel's own types and put into the instructions.
 *
 * Fewer kinds than libbpf knows: members, their existence, bit fields, and numbers of types;
 * no enumerations, no calls, no maps. What it does not know it refuses.
 */
#ifndef SOOTH_OS_LINUX_BPF_RELOCATE_H
#define SOOTH_OS_LINUX_BPF_RELOCATE_H

#include <linux/bpf.h>

#include "base/cursor.h"
#include "base/error.h"
#include "os/linux/bpf/kernel_types.h"

/* The program of one section, and what the compiler says of it. */
struct bpf_unfitted {
	struct bpf_insn *instructions;
	size_t count;
	struct span section; /* its name */
	struct span types;   /* .BTF */
	struct span notes;   /* .BTF.ext */
};

/* Names of the structs that are to be found, without what follows "___" (another shape of the
 * same). The names are borrowed from the notes' types. -ENOSPC: more than there is room for. */
int bpf_relocate_names(
	const struct bpf_unfitted *program, struct kernel_name *names, size_t room, size_t *count);
int bpf_relocate(const struct bpf_unfitted *program, const struct kernel_types *kernel,
	const struct kernel_name *names, size_t count, struct sooth_error *err);

#endif
