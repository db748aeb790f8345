/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* JavaScript: values beside frames, and the way from these values to names of functions. */
#pragma once

#include "bpf/profile.h"

/* JavaScriptCore: the places of its interpreter, and the way from a frame to its name. */
#define JSC_RANGES_MAX 16
#define JSC_IS_PAIR    1 /* the function has the executable of the code block */

struct profile_jsc {
	uint16_t callee_executable, rare_executable, block_owner, executable_unlinked;
	uint16_t unlinked_name, native_name, function_type, unused;
	uint32_t ranges, more_unused;
	struct {
		uint64_t from, to; /* range of the file */
	} range[JSC_RANGES_MAX];
};

static inline int jsc_is_interpreter(const struct profile_jsc *jsc, uint64_t offset)
{
	for (uint32_t i = 0; i < JSC_RANGES_MAX; i++) {
		if (i < jsc->ranges && offset >= jsc->range[i].from && offset < jsc->range[i].to)
			return 1;
	}
	return 0;
}

/* Values beside a frame pointer (Interpreter/CallFrame.h). */
struct jsc_slots {
	uint64_t block, callee;
	uint32_t arguments, call_site;
};
#define JSC_SLOTS_AT 16 /* behind the frame pointer and the return address */

/* V8: the place of its own code, and the way from a frame to its name. */
struct profile_v8 {
	uint64_t builtins_from, builtins_to; /* range in the file; 0, 0: not known */
	int64_t fp_context, fp_function;
	uint16_t map_type, function_shared, shared_name, shared_script;
	uint16_t function_first, function_last, context_first, context_last; /* types */
	uint16_t shared, unused[3];
};

/* Bits of `detail` beside a frame. */
#define V8_IS_TOP     1u /* the interrupted instruction */
#define V8_IS_BUILTIN 2u /* the frame is in code of the engine */
#define V8_IS_KIND    4u /* the frame is of no function: `callee` is its kind */

#define JAVASCRIPT_WORDS (PROFILE_FRAME_WORDS - 1)

/* Objects of the engine beside a frame of its code, at the sample. V8 has in this order: nothing,
 * the script, the shared function, its name or the object that has the name. */
struct profile_raw_js {
	struct profile_words of; /* `detail` of JavaScriptCore: the number of the call */
	uint64_t block, callee;	 /* 0: none */
	uint64_t executable;	 /* executable of the function, with JSC_IS_PAIR */
	uint64_t name;		 /* the text object */
};
