/* SPDX-License-Identifier: BSD-2-Clause */
/* Where JavaScriptCore keeps the data that leads from a stack frame to the name of its function, by
 * the build id of the executable. Offsets are in bytes. All were found by comparing values that a
 * running engine keeps twice. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum jsc_range_kind {
	JSC_RANGE_BOUNDS, /* two addresses: begin and end */
	JSC_RANGE_SIZE,	  /* 4 bytes, 4 bytes of size, the address of the begin */
};

struct jsc_layout {
	/* JSFunction, CodeBlock */
	uint16_t callee_executable, rare_executable;
	uint16_t block_owner, block_unlinked, block_code;
	/* FunctionExecutable, NativeExecutable */
	uint16_t executable_provider, executable_unlinked, native_name;
	/* UnlinkedFunctionExecutable: its two code blocks, its name, where its text begins */
	uint16_t unlinked_code, unlinked_name, unlinked_start;
	uint8_t start_shift, start_bits;
	uint16_t provider_url;
	/* JITCode: the pointers to the code of baseline and DFG and to that of FTL, and the range
	 * behind them */
	uint16_t code_tier, code_range, code_range_ftl, range_at;
	/* its CodeOrigins in DFG and FTL */
	uint16_t origins, origins_ftl;
	uint8_t range_kind; /* enum jsc_range_kind */
	/* types of cells */
	uint8_t type_function, type_block, type_executable, type_unlinked, type_native;
};

/* Returns the layout of a build; NULL: not known. */
const struct jsc_layout *jsc_layout_of(const char *build_id);
