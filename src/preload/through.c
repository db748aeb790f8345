/* SPDX-License-Identifier: BSD-2-Clause */
#include "preload/through.h"

#include "probes/heap.h"

#define TEXT_OF(number_) #number_
#define TEXT(number_)	 TEXT_OF(number_)

/* The call is followed by instructions that do nothing, and that no compiler generates. */
__asm__(".text\n"
	".globl through_call\n"
	".hidden through_call\n"
	".type through_call, %function\n"
	"through_call:\n"
	".cfi_startproc\n"
#if defined(__x86_64__)
	"sub $8, %rsp\n"
	".cfi_adjust_cfa_offset 8\n"
	"call *%rcx\n"
	".quad " TEXT(HEAP_THROUGH_CODE) "\n"
					 "add $8, %rsp\n"
					 ".cfi_adjust_cfa_offset -8\n"
					 "ret\n"
#elif defined(__aarch64__)
	"stp x29, x30, [sp, #-16]!\n"
	".cfi_adjust_cfa_offset 16\n"
	".cfi_rel_offset x29, 0\n"
	".cfi_rel_offset x30, 8\n"
	"mov x29, sp\n"
	"blr x3\n"
	".quad " TEXT(HEAP_THROUGH_CODE) "\n"
					 "ldp x29, x30, [sp], #16\n"
					 ".cfi_restore x29\n"
					 ".cfi_restore x30\n"
					 ".cfi_adjust_cfa_offset -16\n"
					 "ret\n"
#endif
					 ".cfi_endproc\n"
					 ".size through_call, .-through_call\n");
